"""How each reason orders a queue: the segments that `storage.walk` walks, and what is in them."""

from __future__ import annotations

from typing import Any

from sqlalchemy import union
from sqlmodel import Session, col, select

from core.queues import LEAST_CHANGED, Queue, start_of
from storage.figures import read_figures
from storage.filters import conditions, one_side
from storage.tables import (
    CorrectionRow,
    DraftRow,
    NoteRow,
    SampleRow,
    SkipRow,
    TypeSetMemberRow,
    TypeSetRow,
)
from storage.walk import FIGURES, Segment, Walk


def open_walk(session: Session, queue: Queue, person: str | None) -> Walk:
    """A queue laid out in its segments, as it is now."""
    by_types, wanted = queue.reason in ("rare", "near_error"), queue.wanted
    near = conditions(wanted, queue.collection_id, each_text=True)
    is_multiplied = queue.reason == "near_error"  # its own list of type sets, with that of a text
    member = near if is_multiplied else conditions(wanted, queue.collection_id)
    walk = Walk(session, queue, person, [*member], near)
    ident = col(SampleRow.id)
    if person is not None:
        skipped = select(SkipRow.sample_id).where(SkipRow.person == person)
        walk.has_skips = session.exec(skipped.limit(1)).first() is not None
        walk.unskipped = (ident.not_in(skipped),) if walk.has_skips else ()
    if one_side(queue.wanted) is None and queue.reason not in ("random", "mine"):
        walk.sides = () if queue.wanted.text else (True, False)
    if by_types:
        _lay_out_types(walk)
    elif queue.reason == "random":
        place, start = col(SampleRow.shuffle), start_of(queue.seed)
        walk.rest = [
            Segment(walk.unskipped, (place, ident), low=place >= start),
            Segment(walk.unskipped, (place, ident), high=place < start),
        ]
    elif queue.reason in FIGURES:
        first: Any = col(FIGURES[queue.reason])
        walk.rest = [Segment(walk.unskipped, (first, ident))]
        walk.reason_needs.append(first.is_not(None))
    else:
        if queue.reason == "mine":
            walk.reason_needs.append(ident.in_(_touched_by(person or "")))
        walk.rest = [Segment(walk.unskipped, (ident,))]
    walk.member += walk.reason_needs
    walk.near = [*near, *walk.reason_needs]
    if walk.has_skips:
        mine = (col(SkipRow.sample_id) == ident, col(SkipRow.person) == person)
        walk.rest.append(Segment(mine, (col(SkipRow.id),)))
    return walk


def _lay_out_types(walk: Walk) -> None:
    """A segment a type set, in the order of the reason; what is empty by its counters is left out."""
    queue = walk.queue
    figures = walk.figures = read_figures(walk.session, queue.collection_id)
    side = one_side(queue.wanted)
    for kind in figures.sets:
        waiting, reviewed = kind.waiting if side is not False else 0, kind.reviewed
        if waiting or (reviewed and side is not True):
            rank = figures.rank(queue.reason, kind.types, kind.language)
            if rank is not None:
                walk.ranks.append((*rank, kind.id))
    walk.ranks.sort()
    column = col(SampleRow.type_set_id)
    if queue.reason == "rare":
        walk.reason_needs.append(column.is_not(None))
    else:
        walk.reason_needs.append(column.in_(_past_errors(queue.collection_id)))


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
