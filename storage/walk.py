"""Walk a queue: its order is a row of segments, each of which one index has in order already.

A segment is walked by looking up what lies behind the last sample, never by counting to it. Rare
types and past errors have a segment a type set; what a person skipped is the last segment of all.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from sqlalchemy import func, tuple_
from sqlmodel import Session, col, select

from core.queues import Queue, Reason, start_of
from storage.figures import Figures, suggested_types
from storage.filters import one_side
from storage.tables import SampleRow, SkipRow

# Reasons that order by one figure of the sample, the lowest first; without it a sample has no place.
FIGURES: dict[Reason, Any] = {
    "uncertain": SampleRow.confidence,
    "disagree": SampleRow.disagree_order,
    "problems": SampleRow.problem_order,
}
DIRECT = 4  # type sets that are tried one by one before all of them are counted


@dataclass(frozen=True, slots=True)
class Segment:
    """Samples that meet `where`, by `order` (ascending, no two alike); `set_id` of a type set.

    `low` and `high` bound the first of `order`. Behind a sample `low` goes without saying, and is
    not said: SQLite would begin to look there.
    """

    where: tuple[Any, ...]
    order: tuple[Any, ...]
    set_id: int | None = None
    low: Any = None
    high: Any = None

    def conditions(self, *, low: bool = True, high: bool = True) -> list[Any]:
        """What its samples meet, its bounds as asked."""
        bounds = [(self.low, low), (self.high, high)]
        return [*self.where, *(bound for bound, said in bounds if said and bound is not None)]


@dataclass(frozen=True, slots=True)
class Spot:
    """A place in the order: at `values` of a segment, or before all of it where they are None."""

    segment: int
    values: tuple[Any, ...] | None = None


@dataclass(slots=True)
class Walk:
    """A queue as this person walks it, inside one session.

    `member`: what is in the queue at all, by its filter and by what its reason needs; `near` the same
    for where few samples are looked at. The type sets in `ranks`, last of which is the set's id, are
    the first segments; `rest` are the others.
    """

    session: Session
    queue: Queue
    person: str | None
    member: list[Any]
    near: list[Any]
    reason_needs: list[Any] = field(default_factory=list)
    ranks: list[tuple[Any, ...]] = field(default_factory=list)
    rest: list[Segment] = field(default_factory=list)
    figures: Figures | None = None
    has_skips: bool = False
    sides: tuple[bool, ...] = ()
    unskipped: tuple[Any, ...] = ()
    _counts: dict[int, int] | None = None

    def __len__(self) -> int:
        return len(self.ranks) + len(self.rest)

    def segment(self, index: int) -> Segment:
        """One segment; those of type sets are made as they are needed, since there may be many."""
        if index >= len(self.ranks):
            return self.rest[index - len(self.ranks)]
        set_id = self.ranks[index][-1]
        where = (col(SampleRow.type_set_id) == set_id, *self.unskipped)
        return Segment(where, (col(SampleRow.id),), set_id)

    def step(self, spot: Spot | None, by: int) -> int | None:
        """The next (1) or previous (-1) sample from a spot; from the near end without one."""
        if spot is None:
            spot = Spot(0) if by > 0 else Spot(len(self))
        first = spot.segment
        if spot.values is not None:
            found = self._look(self.segment(first), spot.values, by)
            if found is not None:
                return found
            first += 1 if by > 0 else 0
        rest = range(first, len(self)) if by > 0 else range(first - 1, -1, -1)
        for tried, index in enumerate(rest):
            if tried >= DIRECT and index < len(self.ranks) and not self._count(index):
                continue
            found = self._look(self.segment(index), None, by)
            if found is not None:
                return found
        return None

    def before(self, spot: Spot) -> int:
        """How many samples come before a spot."""
        count = sum(self._count(index) for index in range(spot.segment))
        if spot.values is not None:
            segment = self.segment(spot.segment)
            beyond = _beyond(segment.order, spot.values, -1)
            count += self._total(*segment.conditions(high=False), beyond)
        return count

    def total(self) -> int:
        """How many samples are in the queue, skipped ones included."""
        query = select(func.count()).select_from(SampleRow).where(*self.member)
        return self.session.exec(query).one()

    def page(self, limit: int, offset: int) -> list[int]:
        """Keys from the place `offset` on, at most `limit`."""
        found: list[int] = []
        if self.figures is not None and self.ranks:
            found, offset = self._page_of_sets(limit, offset)
        for index in range(len(self.ranks), len(self)):
            if len(found) >= limit:
                break
            if offset and index < len(self) - 1:
                count = self._count(index)
                if offset >= count:
                    offset -= count
                    continue
            segment = self.segment(index)
            query = select(SampleRow.id).where(*self.member, *segment.conditions())
            query = query.order_by(*segment.order).limit(limit - len(found)).offset(offset)
            found += [cast(int, key) for key in self.session.exec(query)]
            offset = 0
        return found

    def spot_of(self, row: SampleRow) -> Spot | None:
        """Where a sample lies, or lay before it was reviewed; None where it has no place."""
        if self.has_skips:
            skip = self.session.exec(
                select(SkipRow.id).where(SkipRow.person == self.person, SkipRow.sample_id == row.id)
            ).first()
            if skip is not None:
                return Spot(len(self) - 1, (skip,))
        reason = self.queue.reason
        if reason in FIGURES:
            figure = getattr(row, FIGURES[reason].key)
            return None if figure is None else Spot(0, (figure, row.id))
        if reason == "random":
            return Spot(int(row.shuffle < start_of(self.queue.seed)), (row.shuffle, row.id))
        if reason in ("rare", "near_error"):
            return self._spot_by_types(row)
        return Spot(0, (row.id,))

    # ------------------------------------------------------------ private

    def _page_of_sets(self, limit: int, offset: int) -> tuple[list[int], int]:
        """The part of a page that lies in type sets, read at once, and the offset that is left."""
        places: dict[int, int] = {}
        wanted, skipped = limit, offset
        for place, rank in enumerate(self.ranks):
            count = self._count(place)
            if not places and skipped >= count:
                skipped -= count
                continue
            places[rank[-1]] = place
            wanted -= count - (skipped if len(places) == 1 else 0)
            if wanted <= 0:
                break
        column, ident = col(SampleRow.type_set_id), col(SampleRow.id)
        query = select(column, ident).where(*self.near, *self.unskipped)
        query = query.where(column.in_(places), col(SampleRow.waiting).in_([True, False]))
        rows = self.session.exec(query).all() if places else []
        ordered = sorted((places[cast(int, kind)], cast(int, key)) for kind, key in rows)
        return [key for _, key in ordered[skipped : skipped + limit]], 0 if places else skipped

    def _spot_by_types(self, row: SampleRow) -> Spot | None:
        """A reviewed sample keeps the place that its suggestion gave it among those that wait."""
        if self.figures is None:
            return None
        if row.state == "reviewed" and one_side(self.queue.wanted) is True:
            types = suggested_types(self.session, cast(int, row.id))
        else:
            types = set(self.figures.types_of(row.type_set_id))
        rank = self.figures.rank(self.queue.reason, types, row.language)
        if rank is None:
            return None
        place = (*rank, self.figures.set_id(types, row.language) or 0)
        index = bisect_left(self.ranks, place)
        is_there = index < len(self.ranks) and self.ranks[index] == place
        return Spot(index, (row.id,) if is_there else None)

    def _look(self, segment: Segment, values: tuple[Any, ...] | None, by: int) -> int | None:
        """The nearest sample of a segment. Where both waiting and reviewed samples are wanted, each
        side is looked up by itself, since the indexes begin with that."""
        if values is None:
            return self._first(segment, segment.conditions(), by)
        bounds = segment.conditions(low=by < 0, high=by > 0)
        if len(values) == 1:
            return self._first(segment, [*bounds, _beyond(segment.order, values, by)], by)
        # First among those with the same first figure: SQLite would go through all of them.
        (first, last), (figure, ident) = segment.order, values
        same = self._first(segment, [*bounds, first == figure, _beyond([last], [ident], by)], by)
        if same is not None:
            return same
        return self._first(segment, [*bounds, _beyond([first], [figure], by)], by)

    def _first(self, segment: Segment, where: Sequence[Any], by: int) -> int | None:
        """The first (last with -1) sample of a segment that meets some conditions."""
        member = self.member if segment.set_id is None else self.near
        query = select(SampleRow.id, *segment.order).where(*member, *where)
        order = segment.order if by > 0 else tuple(column.desc() for column in segment.order)
        query = query.order_by(*order).limit(1)
        waiting = col(SampleRow.waiting)
        sides = [query.where(waiting.is_(side)) for side in self.sides] or [query]
        found = [row for side in sides for row in self.session.execute(side)]
        best = (min if by > 0 else max)(found, key=lambda row: tuple(row[1:]), default=None)
        return None if best is None else cast(int, best[0])

    def _count(self, index: int) -> int:
        if index >= len(self.ranks):
            return self._total(*self.segment(index).conditions())
        if self._counts is None:
            column = col(SampleRow.type_set_id)
            query = select(column, func.count()).where(*self.member, *self.unskipped)
            rows = self.session.exec(query.group_by(column)).all()
            self._counts = {cast(int, key): count for key, count in rows}
        return self._counts.get(self.ranks[index][-1], 0)

    def _total(self, *where: Any) -> int:
        query = select(func.count()).select_from(SampleRow).where(*self.member, *where)
        return self.session.exec(query).one()


def _beyond(order: Sequence[Any], values: Sequence[Any], by: int) -> Any:
    """What lies behind (1) or before (-1) `values` in an order."""
    left, right = (tuple_(*order), tuple_(*values)) if len(order) > 1 else (order[0], values[0])
    return left > right if by > 0 else left < right
