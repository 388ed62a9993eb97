"""Taking a schema change back: what can be restored, what was labelled since, what stands in the way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import delete, update
from sqlalchemy import select as sqlalchemy_select
from sqlmodel import Session, col, select

from core.errors import RefusedError
from core.events import Event
from core.schema import Schema, missing_parts
from core.schema_change import change_from_dict, describe_change
from core.schema_relabel import Undecided
from storage import mapping
from storage.change_rows import (
    Reviewed,
    Touched,
    add_changed,
    add_items,
    add_reviews,
    doubt_to_dict,
    is_reviewed_since,
    set_state,
    with_types,
)
from storage.tables import SchemaChangeItemRow, SchemaChangeRow


@dataclass(frozen=True, slots=True)
class Restorable:
    """A sample that a change touched and nobody has reviewed since: where it goes back to."""

    key: int
    before_id: int
    state_before: str


def unreviewed_since(session: Session, change_id: int) -> tuple[list[Restorable], int]:
    """(the samples of a change that no person has reviewed since, how many others there are)."""
    rows = session.execute(
        sqlalchemy_select(
            col(SchemaChangeItemRow.sample_id), col(SchemaChangeItemRow.before_id),
            col(SchemaChangeItemRow.state_before), is_reviewed_since(),
        ).where(col(SchemaChangeItemRow.change_id) == change_id)
    ).all()  # fmt: skip
    mine = [Restorable(key, before, state) for key, before, state, since in rows if not since]
    return mine, len(rows) - len(mine)


def check_last(session: Session, row: SchemaChangeRow) -> None:
    """Raise `RefusedError` where a later change has touched the same samples and still holds."""
    mine = select(SchemaChangeItemRow.sample_id).where(SchemaChangeItemRow.change_id == row.id)
    later = session.exec(
        select(SchemaChangeRow)
        .join(SchemaChangeItemRow, col(SchemaChangeItemRow.change_id) == SchemaChangeRow.id)
        .where(
            SchemaChangeRow.collection_id == row.collection_id,
            col(SchemaChangeRow.id) > row.id,
            col(SchemaChangeRow.undone).is_(None),
            col(SchemaChangeItemRow.sample_id).in_(mine),
        )
        .order_by(col(SchemaChangeRow.id).desc())
    ).first()
    if later is not None:
        raise RefusedError(
            f"a later change touched the same samples: take back first that "
            f"{describe_change(change_from_dict(later.change))} (version {later.number_after})"
        )


def add_restored(
    session: Session,
    row: SchemaChangeRow,
    items: Sequence[Restorable],
    *,
    number: int,
    person: str | None,
) -> None:
    """Add reviews equal to those before a change, and put the samples in the state they had."""
    session.execute(
        update(SchemaChangeItemRow)
        .where(col(SchemaChangeItemRow.change_id) == row.id)
        .values(is_open=False)
    )
    entry = {"kind": "schema_change_undone", "change": row.id, "what": row.change}
    for part in mapping.chunks(items):
        events = mapping.events_of(session, "review_id", [i.before_id for i in part])
        add_reviews(
            session,
            [(i.key, events[i.before_id], entry) for i in part],
            number=number,
            person=person,
        )
        for state in {i.state_before for i in part}:
            set_state(session, [i.key for i in part if i.state_before == state], state)


def add_late(
    session: Session,
    row: SchemaChangeRow,
    late: Sequence[Reviewed],
    restored: Schema,
) -> None:
    """Leave samples to a person that were labelled with names which the undoing retires."""
    doubts = {
        s.key: [
            doubt_to_dict(Undecided(i, "undone", values={"type": event.event_type}))
            for i, event in enumerate(s.events)
            if _is_retired(restored, event)
        ]
        for s in late
    }
    _drop_items(session, row, late)
    add_items(
        session,
        [
            {
                "change_id": row.id, "sample_id": s.key, "before_id": s.review_id,
                "after_id": s.review_id, "state_before": s.state, "is_open": True,
                "undecided": doubts[s.key],
            }
            for s in late
        ],
    )  # fmt: skip
    set_state(session, [s.key for s in late], "suggested")


def follow_late(
    session: Session,
    row: SchemaChangeRow,
    late: Sequence[Touched],
    *,
    number: int,
    person: str | None,
) -> None:
    """Rename back what was labelled since, as a review of its own."""
    _drop_items(session, row, [sample for sample, _ in late])
    for part in mapping.chunks(late):
        add_changed(session, row, part, number=number, person=person)


def late_samples(
    session: Session, collection_id: int, names: Sequence[str], restored: Schema, done: set[int]
) -> list[Reviewed]:
    """Samples, those in `done` apart, whose newest review has names that `restored` lacks."""
    return [
        sample
        for part in with_types(session, collection_id, names, without=done)
        for sample in part
        if missing_parts(restored, sample.events)
    ]


# ---------------------------------------------------------------- private


def _drop_items(session: Session, row: SchemaChangeRow, samples: Sequence[Reviewed]) -> None:
    for part in mapping.chunks([s.key for s in samples]):
        session.execute(
            delete(SchemaChangeItemRow).where(
                col(SchemaChangeItemRow.change_id) == row.id,
                col(SchemaChangeItemRow.sample_id).in_(part),
            )
        )


def _is_retired(schema: Schema, event: Event) -> bool:
    known = schema.type(event.event_type)
    if known is None or known.retired:
        return True
    retired = {r.name for r in known.roles if r.retired}
    return any(a.role in retired for a in event.arguments)
