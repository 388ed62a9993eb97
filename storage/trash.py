"""A sample with all that hangs on it as one value: taken out, kept, and put back with the same ids.

What hangs on a sample is read from the foreign keys, so a new table is kept without a word here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col, select

from storage import mapping
from storage.collections import delete_samples
from storage.tables import Moment, SampleRow, Table

Kept = dict[str, list[dict[str, Any]]]  # {table: rows}, parents first
DERIVED = {"vector", "neighbour"}  # the worker works these out again


def take_out(session: Session, keys: Sequence[int]) -> dict[int, Kept]:
    """Delete samples (as many as fit one IN) and return what is needed to put each back."""
    kept: dict[int, Kept] = {key: {} for key in keys}
    owners: dict[str, dict[int, int]] = {"sample": {key: key for key in keys}}
    for table, parents in _tables():
        for row in _rows(session, table, parents, owners):
            owner = _owner(row, parents, owners)
            kept[owner].setdefault(table.name, []).append(_to_json(row))
            if "id" in table.c:
                owners.setdefault(table.name, {})[row["id"]] = owner
    delete_samples(session, list(keys))
    return kept


def put_back(session: Session, kept: Sequence[Kept]) -> None:
    """Insert what `take_out` returned. Whether a sample may come back is decided before."""
    for table, _ in _tables():
        rows = [_from_json(table, row) for one in kept for row in one.get(table.name, [])]
        if rows:
            session.execute(sa.insert(table), rows)


def taken_ids(session: Session, collection_id: int, names: Sequence[str]) -> set[str]:
    """Which of these ids of samples a collection has now: those cannot come back."""
    found: set[str] = set()
    for part in mapping.chunks(names):
        query = select(SampleRow.external_id).where(
            SampleRow.collection_id == collection_id, col(SampleRow.external_id).in_(part)
        )
        found.update(session.exec(query))
    return found


@cache
def _tables() -> list[tuple[sa.Table, dict[str, str]]]:
    """The tables that hang on a sample, parents first, with {column: parent table}."""
    found: dict[str, tuple[sa.Table, dict[str, str]]] = {}
    for table in Table.metadata.sorted_tables:
        parents = {
            key.parent.name: key.column.table.name
            for key in table.foreign_keys
            if key.column.table.name in found
        }
        if table.name == "sample" or (parents and table.name not in DERIVED):
            found[table.name] = (table, parents)
    return list(found.values())


def _rows(
    session: Session,
    table: sa.Table,
    parents: Mapping[str, str],
    owners: Mapping[str, Mapping[int, int]],
) -> list[dict[str, Any]]:
    """The rows of a table that belong to what was found before, each once."""
    wanted = parents or {"id": "sample"}
    keys = [column.name for column in table.primary_key]
    found: dict[tuple[Any, ...], dict[str, Any]] = {}
    columns = [column for column in table.c if column.computed is None]
    for name, parent in wanted.items():
        for part in mapping.chunks(list(owners.get(parent, {}))):
            query = sa.select(*columns).where(table.c[name].in_(part))
            for row in session.execute(query).mappings():
                found[tuple(row[key] for key in keys)] = dict(row)
    return sorted(found.values(), key=lambda row: tuple(row[key] for key in keys))


def _owner(
    row: Mapping[str, Any], parents: Mapping[str, str], owners: Mapping[str, Mapping[int, int]]
) -> int:
    if not parents:
        return int(row["id"])
    return next(
        owners[parent][row[name]]
        for name, parent in parents.items()
        if row[name] in owners.get(parent, {})
    )


def _keeps_ids(table: sa.Table) -> bool:
    """Whether an id is never given to another row; else a new one is taken, which none points at."""
    return bool(table.dialect_options["sqlite"]["autoincrement"])


def _to_json(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: value.isoformat() if isinstance(value, datetime) else value
        for name, value in row.items()
    }


def _from_json(table: sa.Table, row: Mapping[str, Any]) -> dict[str, Any]:
    values = dict(row)
    if table.name == "media":  # kept before there were files
        values = {"file": None, "problem": ""} | values
    if not _keeps_ids(table):
        values.pop("id", None)
    for column in table.c:
        if isinstance(column.type, Moment) and values.get(column.name) is not None:
            values[column.name] = datetime.fromisoformat(values[column.name])
    return values


def types_in(kept: Kept) -> set[str]:
    """The event types of a kept sample's reviews and suggestions."""
    return {row["event_type"] for row in kept.get("event", [])}
