"""Walk a queue: its order is a row of segments, each of which one index has in order already.

A segment is walked by looking up what lies behind the last sample, never by counting to it. Rare
types and past errors have a segment a type set; what a person skipped is the last segment of all.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from sqlalchemy import func, tuple_, union
from sqlmodel import Session, col, select

from core.queues import LEAST_CHANGED, RING, Queue, start_of
from storage.filters import conditions, one_side
from storage.figures import Figures, read_figures, suggested_types
from storage.tables import (
    CorrectionRow,
    DraftRow,
    NoteRow,
    SampleRow,
    SkipRow,
    TypeSetMemberRow,
    TypeSetRow,
)

DIRECT = 4  # type sets that are tried one by one before all of them are counted


@dataclass(frozen=True, slots=True)
class Segment:
    """Samples that meet `where`, by `order` (ascending, no two alike); `set_id` of a type set."""

    where: tuple[Any, ...]
    order: tuple[Any, ...]
    set_id: int | None = None


@dataclass(frozen=True, slots=True)
class Spot:
    """A place in the order: at `values` of a segment, or before all of it where they are None."""

    segment: int
    values: tuple[Any, ...] | None = None


@dataclass(slots=True)
class Walk:
    """A queue as this person walks it, inside one session. `member`: what is in the queue at all."""

    session: Session
    queue: Queue
    person: str | None
    member: list[Any]
    segments: list[Segment] = field(default_factory=list)
    figures: Figures | None = None
    ranks: list[tuple[Any, ...]] = field(default_factory=list)  # of the type sets' segments
    has_skips: bool = False
    _counts: dict[int, int] | None = None

    def step(self, spot: Spot | None, by: int) -> int | None:
        """The next (1) or previous (-1) sample from a spot; from the near end without one."""
        if spot is None:
            spot = Spot(0) if by > 0 else Spot(len(self.segments))
        if spot.values is not None:
            found = self._look(self.segments[spot.segment], spot.values, by)
            if found is not None:
                return found
        first = spot.segment + (1 if by > 0 and spot.values is not None else 0)
        rest = range(first, len(self.segments)) if by > 0 else range(spot.segment - 1, -1, -1)
        for tried, index in enumerate(rest):
            segment = self.segments[index]
            if tried >= DIRECT and segment.set_id is not None and not self._count(segment):
                continue
            found = self._look(segment, None, by)
            if found is not None:
                return found
        return None

    def before(self, spot: Spot) -> int:
        """How many samples come before a spot."""
        count = sum(self._count(segment) for segment in self.segments[: spot.segment])
        if spot.values is not None:
            segment = self.segments[spot.segment]
            count += self._total(*segment.where, _beyond(segment.order, spot.values, -1))
        return count

    def total(self) -> int:
        """How many samples are in the queue, skipped ones included."""
        query = select(func.count()).select_from(SampleRow).where(*self.member)
        return self.session.exec(query).one()

    def page(self, limit: int, offset: int) -> list[int]:
        """Keys from the place `offset` on, at most `limit`."""
        found: list[int] = []
        for segment in self.segments:
            if len(found) >= limit:
                break
            if offset and segment is not self.segments[-1]:
                count = self._count(segment)
                if offset >= count:
                    offset -= count
                    continue
            query = self._query(segment).order_by(*segment.order)
            found += self.session.exec(query.limit(limit - len(found)).offset(offset))
            offset = 0
        return found

    def keys(self) -> Iterator[int]:
        """Every key, in order."""
        for segment in self.segments:
            yield from self.session.exec(self._query(segment).order_by(*segment.order)).all()

    def spot_of(self, row: SampleRow) -> Spot | None:
        """Where a sample lies, or lay before it was reviewed; None where it has no place."""
        if self.has_skips:
            skip = self.session.exec(
                select(SkipRow.id).where(
                    SkipRow.person == self.person, SkipRow.sample_id == row.id
                )
            ).first()
            if skip is not None:
                return Spot(len(self.segments) - 1, (skip,))
        reason = self.queue.reason
        if reason == "uncertain":
            return None if row.confidence is None else Spot(0, (row.confidence, row.id))
        if reason == "disagree":
            return None if row.disagree_order is None else Spot(0, (row.disagree_order, row.id))
        if reason == "random":
            return Spot(int(row.shuffle < start_of(self.queue.seed)), (row.shuffle, row.id))
        if reason in ("rare", "near_error"):
            return self._spot_by_types(row)
        return Spot(0, (row.id,))

    # ------------------------------------------------------------ private

    def _spot_by_types(self, row: SampleRow) -> Spot | None:
        """A reviewed sample keeps the place that its suggestion gave it among those that wait."""
        if self.figures is None:
            return None
        if row.state == "reviewed" and one_side(self.queue.wanted) is True:
            types = suggested_types(self.session, cast(int, row.id))
        else:
            types = self.figures.types_of(row.type_set_id)
        rank = self.figures.rank(self.queue.reason, types, row.language)
        if rank is None:
            return None
        place = (*rank, self.figures.set_id(types, row.language) or 0)
        index = bisect_left(self.ranks, place)
        is_there = index < len(self.ranks) and self.ranks[index] == place
        return Spot(index, (row.id,) if is_there else None)

    def _look(self, segment: Segment, values: tuple[Any, ...] | None, by: int) -> int | None:
        query = self._query(segment)
        if values is not None:
            query = query.where(_beyond(segment.order, values, by))
        order = segment.order if by > 0 else tuple(column.desc() for column in segment.order)
        return cast("int | None", self.session.exec(query.order_by(*order).limit(1)).first())

    def _query(self, segment: Segment) -> Any:
        return select(SampleRow.id).where(*self.member, *segment.where)

    def _count(self, segment: Segment) -> int:
        if segment.set_id is None:
            return self._total(*segment.where)
        if self._counts is None:
            column = col(SampleRow.type_set_id)
            query = select(column, func.count()).where(*self.member, *_unskipped(self))
            rows = self.session.exec(query.group_by(column)).all()
            self._counts = {cast(int, key): count for key, count in rows}
        return self._counts.get(segment.set_id, 0)

    def _total(self, *where: Any) -> int:
        query = select(func.count()).select_from(SampleRow).where(*self.member, *where)
        return self.session.exec(query).one()


def open_walk(session: Session, queue: Queue, person: str | None) -> Walk:
    """A queue laid out in its segments, as it is now."""
    walk = Walk(session, queue, person, conditions(queue.wanted, queue.collection_id))
    if person is not None:
        query = select(SkipRow.id).where(SkipRow.person == person).limit(1)
        walk.has_skips = session.exec(query).first() is not None
    ident = col(SampleRow.id)
    if queue.reason in ("rare", "near_error"):
        _lay_out_types(walk)
    elif queue.reason == "random":
        place, start = col(SampleRow.shuffle), start_of(queue.seed)
        walk.segments = [
            Segment((place.between(start, RING),), (place, ident)),
            Segment((place.between(-1, start - 1),), (place, ident)),
        ]
    elif queue.reason in ("uncertain", "disagree"):
        first = col(cast(Any, SampleRow.confidence))
        if queue.reason == "disagree":
            first = col(cast(Any, SampleRow.disagree_order))
        walk.member.append(first.is_not(None))
        walk.segments = [Segment((), (first, ident))]
    else:
        if queue.reason == "mine":
            walk.member.append(ident.in_(_touched_by(person or "")))
        walk.segments = [Segment((), (ident,))]
    if walk.has_skips:
        rest = _unskipped(walk)
        walk.segments = [Segment((*s.where, *rest), s.order, s.set_id) for s in walk.segments]
        mine = (col(SkipRow.sample_id) == ident, col(SkipRow.person) == person)
        walk.segments.append(Segment(mine, (col(SkipRow.id),)))
    return walk


def _lay_out_types(walk: Walk) -> None:
    """A segment a type set, in the order of the reason; what is empty by its counters is left out."""
    queue = walk.queue
    figures = walk.figures = read_figures(walk.session, queue.collection_id)
    side = one_side(queue.wanted)
    places = []
    for kind in figures.sets:
        count = {True: kind.waiting, False: kind.reviewed, None: kind.waiting + kind.reviewed}[side]
        rank = figures.rank(queue.reason, kind.types, kind.language) if count else None
        if rank is not None:
            places.append((*rank, kind.id))
    walk.ranks = sorted(places)
    column, ident = col(SampleRow.type_set_id), col(SampleRow.id)
    walk.segments = [Segment((column == p[-1],), (ident,), p[-1]) for p in walk.ranks]
    if queue.reason == "rare":
        walk.member.append(column.is_not(None))
    else:
        walk.member.append(column.in_(_past_errors(queue.collection_id)))


def _past_errors(collection_id: int) -> Any:
    """The type sets that have a type which people often changed in the set's language."""
    return (
        select(TypeSetRow.id)
        .join(TypeSetMemberRow, col(TypeSetMemberRow.set_id) == TypeSetRow.id)
        .join(
            CorrectionRow,
            (col(CorrectionRow.collection_id) == TypeSetRow.collection_id)
            & (col(CorrectionRow.language) == TypeSetRow.language)
            & (col(CorrectionRow.event_type) == TypeSetMemberRow.event_type),
        )
        .where(TypeSetRow.collection_id == collection_id, CorrectionRow.changed >= LEAST_CHANGED)
    )


def _touched_by(person: str) -> Any:
    """The samples where a person has a draft, an open flag, or which they skipped."""
    return union(
        select(DraftRow.sample_id).where(DraftRow.person == person),
        select(NoteRow.sample_id).where(
            NoteRow.person == person, NoteRow.kind == "flag", col(NoteRow.resolved).is_(None)
        ),
        select(SkipRow.sample_id).where(SkipRow.person == person),
    )


def _unskipped(walk: Walk) -> tuple[Any, ...]:
    if not walk.has_skips:
        return ()
    skipped = select(SkipRow.sample_id).where(SkipRow.person == walk.person)
    return (col(SampleRow.id).not_in(skipped),)


def _beyond(order: Sequence[Any], values: Sequence[Any], by: int) -> Any:
    """What lies behind (1) or before (-1) `values` in an order."""
    left, right = (tuple_(*order), tuple_(*values)) if len(order) > 1 else (order[0], values[0])
    return left > right if by > 0 else left < right
