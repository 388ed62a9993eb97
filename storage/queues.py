"""Queues: saved ones, and the next sample, the place and the reason in any of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import pandas as pd
from sqlalchemy import delete, func
from sqlalchemy.engine import Engine
from sqlmodel import Session, col, select

from core.errors import InputError, NotFoundError, shown
from core.queues import (
    REASONS,
    Queue,
    Reason,
    Why,
    check_queue,
    default_queue,
    filter_from_dict,
    filter_to_dict,
)
from storage.database import reading, writing
from storage.orders import open_walk
from storage.reasons import reasons_of
from storage.tables import QueueRow, SampleRow
from storage.walk import Walk

COLUMNS = ("key", "id", "language", "state", "split", "modality", "text", "confidence", "imported")


@dataclass(frozen=True, slots=True)
class Position:
    """`number` (from 1) of a sample among the `total` of a queue; None where it is not in it."""

    number: int | None
    total: int

    def __str__(self) -> str:
        """`12/200`, as the bar of Review shows it."""
        return f"{'–' if self.number is None else f'{self.number:,}'}/{self.total:,}"


class Queues:
    """Saved queues, and the order of any queue, looked up and never kept."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    # ------------------------------------------------------------ saved queues

    def all(self, collection_id: int) -> list[Queue]:
        """The saved queues of a collection, oldest first."""
        with reading(self._engine) as session:
            rows = session.exec(
                select(QueueRow)
                .where(QueueRow.collection_id == collection_id)
                .order_by(col(QueueRow.id))
            )
            return [_queue(row) for row in rows]

    def get(self, queue_id: int) -> Queue:
        """A saved queue; raises `NotFoundError`."""
        with reading(self._engine) as session:
            return _saved(session, queue_id)

    def find(self, link: str, *, collection_id: int) -> Queue:
        """What `review?queue=LINK` means: a saved queue's number, or the name of a reason."""
        if link in REASONS:
            return default_queue(collection_id, link)
        if link.isdecimal() and len(link) < 18:
            return self.get(int(link))
        raise NotFoundError(
            f"there is no queue {shown(link)}: open one from the list of queues, or use one of "
            f"{', '.join(REASONS)}"
        )

    def save(self, queue: Queue) -> Queue:
        """Add a queue, or change the one with its id; returns it as it is stored."""
        queue = check_queue(queue)
        with writing(self._engine) as session:
            same = session.exec(
                select(QueueRow.id).where(
                    QueueRow.collection_id == queue.collection_id, QueueRow.name == queue.name
                )
            ).first()
            if same is not None and same != queue.id:
                raise InputError(f"there is a queue {queue.name!r} already: choose another name")
            row = QueueRow(collection_id=queue.collection_id, name="", reason="")
            if queue.id is not None:
                known = session.get(QueueRow, queue.id)
                if known is None:
                    raise NotFoundError(f"the queue {queue.name!r} was deleted in the meantime")
                row = known
            else:
                row.person = queue.person
            row.name, row.reason, row.seed = queue.name, queue.reason, queue.seed
            row.wanted = filter_to_dict(queue.wanted)
            session.add(row)
            session.flush()
            return _queue(row)

    def delete(self, queue_id: int) -> None:
        """Forget a saved queue; its samples stay where they are."""
        with writing(self._engine) as session:
            session.execute(delete(QueueRow).where(col(QueueRow.id) == queue_id))

    # ------------------------------------------------------------ the order

    def next_key(
        self, queue: Queue | int, after: int | None = None, *, step: int = 1, person: str | None
    ) -> int | None:
        """The sample behind `after` (before it with `step` -1), or None at the end; the first (or
        the last) without `after`. A sample that was just reviewed keeps its place for this."""
        with reading(self._engine) as session:
            walk = _walk(session, queue, person)
            row = None if after is None else session.get(SampleRow, after)
            spot = None if row is None else walk.spot_of(row)
            return walk.step(spot, 1 if step > 0 else -1)

    def ahead(
        self, queue: Queue | int, after: int | None, *, person: str | None, limit: int
    ) -> list[int]:
        """The next samples behind `after`; behind the end the first ones, as a person goes on."""
        found: list[int] = []
        with reading(self._engine) as session:
            walk = _walk(session, queue, person)
            row = None if after is None else session.get(SampleRow, after)
            spot = None if row is None else walk.spot_of(row)
            is_behind = spot is not None
            while len(found) < limit:
                key = walk.step(spot, 1)
                if key is None and is_behind:
                    spot, is_behind = None, False
                    continue
                if key is None or key == after or key in found:
                    break
                found.append(key)
                spot = walk.spot_of(session.get_one(SampleRow, key))
        return found

    def position(self, queue: Queue | int, key: int | None, *, person: str | None) -> Position:
        """Where a sample is in a queue, and how many there are."""
        with reading(self._engine) as session:
            walk = _walk(session, queue, person)
            total = walk.total()
            if key is None or not _is_member(session, walk, key):
                return Position(None, total)
            spot = walk.spot_of(session.get_one(SampleRow, key))
            return Position(None if spot is None else walk.before(spot) + 1, total)

    def count(self, queue: Queue | int, *, person: str | None = None) -> int:
        """How many samples are in a queue."""
        with reading(self._engine) as session:
            return _walk(session, queue, person).total()

    def keys(
        self, queue: Queue | int, *, person: str | None, limit: int, offset: int = 0
    ) -> list[int]:
        """The keys of a part of a queue, in its order."""
        with reading(self._engine) as session:
            return _walk(session, queue, person).page(limit, offset)

    def why(self, queue: Queue | int, key: int, *, person: str | None = None) -> Why:
        """Why a sample is in a queue, with the figure."""
        with reading(self._engine) as session:
            walk = _walk(session, queue, person)
            return reasons_of(walk, [_sample(session, key)])[key]

    def table(
        self, queue: Queue | int, *, person: str | None, limit: int = 100, offset: int = 0
    ) -> pd.DataFrame:
        """A part of a queue in its order: columns key, id, language, state, split, modality, text
        (its beginning), confidence, imported, why."""
        with reading(self._engine) as session:
            walk = _walk(session, queue, person)
            keys = walk.page(limit, offset)
            rows = session.exec(select(SampleRow).where(col(SampleRow.id).in_(keys))).all()
            by_key = {cast(int, row.id): row for row in rows}
            whys = reasons_of(walk, rows)
        ordered = [by_key[key] for key in keys]
        lines = [(*_line(row), whys[cast(int, row.id)]) for row in ordered]
        return pd.DataFrame(lines, columns=[*COLUMNS, "why"])

    def sources(self, collection_id: int, *, limit: int = 500) -> list[str]:
        """The names of sources in a collection, the most frequent first."""
        with reading(self._engine) as session:
            name = col(SampleRow.source_name)
            query = select(name).where(SampleRow.collection_id == collection_id, name.is_not(None))
            query = query.group_by(name).order_by(func.count().desc(), name).limit(limit)
            return [cast(str, source) for source in session.exec(query)]


def _walk(session: Session, queue: Queue | int, person: str | None) -> Walk:
    return open_walk(session, _saved(session, queue) if isinstance(queue, int) else queue, person)


def _saved(session: Session, queue_id: int) -> Queue:
    row = session.get(QueueRow, queue_id)
    if row is None:
        raise NotFoundError(
            f"there is no queue {queue_id}: it may have been deleted. Open one from the list"
        )
    return _queue(row)


def _queue(row: QueueRow) -> Queue:
    return Queue(
        row.collection_id, cast(Reason, row.reason), filter_from_dict(row.wanted), row.name,
        row.id, row.seed, row.person, row.created,
    )  # fmt: skip


def _is_member(session: Session, walk: Walk, key: int) -> bool:
    """Whether a sample is in a queue; its text alone is looked at."""
    query = select(SampleRow.id).where(SampleRow.id == key, *walk.near)
    return session.exec(query).first() is not None


def _sample(session: Session, key: int) -> SampleRow:
    row = session.get(SampleRow, key)
    if row is None:
        raise NotFoundError(f"there is no sample {key}: it may have been deleted")
    return row


def _line(row: SampleRow) -> tuple[Any, ...]:
    return (
        row.id, row.external_id, row.language, row.state, row.split, row.modality,
        (row.text or "")[:300], row.confidence, row.imported,
    )  # fmt: skip
