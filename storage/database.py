"""Open the database, and give each store method its one transaction."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import event
from sqlalchemy.engine import Connection, Engine, make_url
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session, create_engine

from core.errors import NotFoundError, StorageError

LOCK_SECONDS = 10  # how long a write waits for another before it says so


def open_engine(url: str, *, lock_seconds: float = LOCK_SECONDS) -> Engine:
    """Open a database by its SQLAlchemy URL; SQLite runs in WAL mode with foreign keys on."""
    if make_url(url).get_backend_name() != "sqlite":
        return create_engine(url)
    engine = create_engine(url, connect_args={"timeout": lock_seconds})

    @event.listens_for(engine, "connect")
    def _prepare(connection: sqlite3.Connection, _record: object) -> None:
        connection.isolation_level = None  # SQLAlchemy's `begin` below decides, not the driver
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")  # a submitted review survives a power cut
        connection.execute("PRAGMA foreign_keys=ON")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        # A read that turns into a write cannot wait for a lock in WAL mode: it fails at once.
        writing = connection.get_execution_options().get("argus_write", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")

    return engine


@contextmanager
def reading(engine: Engine) -> Iterator[Session]:
    """A session to read with, closed at the end."""
    with _translated(engine), Session(engine) as session:
        yield session


@contextmanager
def writing(engine: Engine) -> Iterator[Session]:
    """A session to write with: committed at the end, rolled back on any error."""
    with (
        _translated(engine),
        Session(engine.execution_options(argus_write=True), expire_on_commit=False) as session,
        session.begin(),
    ):
        yield session


@contextmanager
def _translated(engine: Engine) -> Iterator[None]:
    try:
        yield
    except DBAPIError as problem:
        raise _as_storage_error(problem, engine) from problem


def _as_storage_error(problem: DBAPIError, engine: Engine) -> StorageError:
    said = str(problem.orig)
    where = engine.url.render_as_string(hide_password=True)
    if "database is locked" in said:
        return StorageError(
            f"the database is locked by another program ({where}): nothing was changed. "
            "Close what has it open, then try again"
        )
    if "disk I/O error" in said:
        return StorageError(
            f"the disk could not be read or written ({where}, {said}): this step was not saved, "
            "everything before it is safe. See that the disk is there and sound, then try again"
        )
    if "database or disk is full" in said:
        return StorageError(
            f"the disk is full ({where}): this step was not saved, everything before it is safe. "
            "Free some space, then try again"
        )
    if "readonly" in said or "unable to open" in said:
        return StorageError(
            f"the database cannot be written ({where}): check that its folder exists and is yours"
        )
    if "no such table" in said or "no such column" in said:
        return StorageError(
            f"the database {where} is not set up for this version ({said}): run `argus init`"
        )
    if "UNIQUE constraint failed" in said or "duplicate key" in said:
        return StorageError(
            f"another program wrote the same thing at the same moment ({said}): nothing of this "
            "step was saved. Try again"
        )
    return StorageError(f"the database refused ({where}): {said}")


# ---------------------------------------------------------------- migrations


def alembic_config(url: str) -> Config:
    """Alembic's settings for our migrations and the database at `url`."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["url"] = url
    return config


def migrate(url: str) -> Path | None:
    """Bring the database to this version. Returns the backup made before, if there was a need."""
    config = alembic_config(url)
    path = sqlite_path(url)
    try:
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
        engine = open_engine(url)
        current, head = _revisions(engine, config)
        if current == head:
            return None
        backup = back_up(url, label=current) if current and path is not None else None
        with _translated(engine):
            command.upgrade(config, "head")
    except CommandError as problem:
        raise StorageError(
            f"the database {_without_password(url)} is of version {current}, which this Argus does not know: it was made "
            "by a newer one. Update Argus; the database is unchanged"
        ) from problem
    except OSError as problem:
        raise StorageError(
            f"the folder of the database cannot be written ({problem}): "
            "choose another with ARGUS_HOME"
        ) from problem
    return backup


def check_database(url: str, *, lock_seconds: float = 2.0) -> None:
    """Raise `StorageError` or `NotFoundError` unless the database is there, of this version, and can
    be written. Changes nothing."""
    path = sqlite_path(url)
    if path is not None and not path.exists():
        raise NotFoundError(f"there is no database at {path}: run `argus init`")
    engine = open_engine(url, lock_seconds=lock_seconds)
    current, head = _revisions(engine, alembic_config(url))
    if current != head:
        raise StorageError(
            f"the database {engine.url.render_as_string(hide_password=True)} is of version "
            f"{current}, not {head}: run `argus init`, which backs it up first"
        )
    with writing(engine) as session:
        session.connection()  # takes the lock, and gives it back
    engine.dispose()


def _revisions(engine: Engine, config: Config) -> tuple[str | None, str | None]:
    """The version that the database has, and the one that it should have."""
    head = ScriptDirectory.from_config(config).get_current_head()
    with _translated(engine), engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision(), head


def back_up(url: str, *, label: str = "copy") -> Path:
    """Copy a SQLite database, in use or not, beside itself; returns the copy."""
    source = sqlite_path(url)
    if source is None or not source.exists():
        raise NotFoundError(f"there is no SQLite database at {_without_password(url)} to back up")
    folder = source.parent / "backups"
    folder.mkdir(exist_ok=True)
    target = folder / f"{source.stem}-{datetime.now(UTC):%Y%m%d-%H%M%S}-{label}.db"
    if shutil.disk_usage(folder).free < 2 * source.stat().st_size:
        raise StorageError(f"there is no room for a backup of {source}: free some space first")
    with sqlite3.connect(source) as old, sqlite3.connect(target) as new:
        old.backup(new)
    return target


def _without_password(url: str) -> str:
    return make_url(url).render_as_string(hide_password=True)


def sqlite_path(url: str) -> Path | None:
    """The file of a SQLite database, or None for another database or one in memory."""
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite" or not parsed.database:
        return None
    return Path(parsed.database)
