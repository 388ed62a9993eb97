"""Migrations build what the code declares, and a backup is made before one."""

import sqlite3

import pytest
from alembic import command
from alembic.util import CommandError
from sqlalchemy.exc import OperationalError
from sqlmodel import create_engine

from core.errors import StorageError
from storage.database import alembic_config, back_up, migrate, reading, sqlite_path
from storage.store import open_store


def test_migrations_build_exactly_the_tables_the_code_declares(home):
    migrate(home.database_url)

    command.check(alembic_config(home.database_url))


def test_every_migration_goes_down_and_up_again(home):
    migrate(home.database_url)
    config = alembic_config(home.database_url)

    command.downgrade(config, "base")
    command.upgrade(config, "head")

    command.check(config)


def test_a_new_database_needs_no_backup_and_a_second_start_no_migration(home):
    assert migrate(home.database_url) is None
    assert migrate(home.database_url) is None
    assert not (home.root / "backups").exists()


def test_the_database_is_backed_up_before_it_is_changed(home, store):
    from core.schema import Schema

    store.collections.create("新闻", Schema())
    store.engine.dispose()
    with sqlite3.connect(sqlite_path(home.database_url)) as database:
        database.execute("UPDATE alembic_version SET version_num = '0000'")

    # A version that no migration knows: the change fails, and its backup is there all the same.
    with pytest.raises(StorageError, match="version 0000, which this Argus does not know"):
        migrate(home.database_url)
    backups = list((home.root / "backups").glob("argus-*.db"))
    assert len(backups) == 1
    with sqlite3.connect(backups[0]) as copy:
        assert copy.execute("SELECT name FROM collection").fetchall() == [("新闻",)]


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("database or disk is full", "the disk is full"),
        ("disk I/O error", "could not be read or written"),
        ("index is not fulltext", "the database refused"),
    ],
)
def test_what_sqlite_refuses_is_told_as_what_it_is(store, said, told):
    with pytest.raises(StorageError, match=told), reading(store.engine):
        raise OperationalError("SELECT 1", {}, sqlite3.OperationalError(said))


def test_a_database_made_by_a_newer_argus_is_named_without_its_password(home, monkeypatch):
    def unknown(*_):
        raise CommandError("Can't locate revision")

    monkeypatch.setattr("storage.database._revisions", lambda *_: ("9999", "0001"))
    monkeypatch.setattr("storage.database.command.upgrade", unknown)
    monkeypatch.setattr("storage.database.open_engine", lambda url: create_engine("sqlite://"))

    with pytest.raises(StorageError, match=r"argus:\*\*\*@db") as told:
        migrate("postgresql://argus:тайна@db/argus")

    assert "тайна" not in str(told.value)


def test_a_backup_of_a_database_in_use_is_whole(home, store):
    from core.schema import Schema

    store.collections.create("корпус", Schema())

    copy = back_up(home.database_url)

    assert open_store_at(copy).collections.find("корпус") is not None


def open_store_at(path):
    from storage.database import open_engine
    from storage.store import Store

    return Store(open_engine(f"sqlite:///{path}"))


def test_a_database_that_cannot_be_opened_says_where_and_what_to_do(tmp_path):
    from storage.home import Home

    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="ARGUS_HOME"):
        open_store(Home(tmp_path / "file" / "inside"))
