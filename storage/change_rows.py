"""The rows of a schema change: which samples it touches, the reviews it adds, and those it takes back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import delete, exists, func, insert, update
from sqlalchemy import select as sqlalchemy_select
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select

from core.errors import NotFoundError
from core.events import Event
from core.schema import Schema, missing_parts, schema_from_dict
from core.schema_change import Change, touched_types
from core.schema_relabel import Applied, Undecided, change_events
from storage import mapping
from storage.tables import (
    EventRow,
    ReviewRow,
    SampleRow,
    SchemaChangeItemRow,
    SchemaChangeRow,
    SchemaRow,
)

ORIGIN = "schema change"


@dataclass(frozen=True, slots=True)
class Reviewed:
    """A sample with its newest review."""

    key: int
    sample_id: str
    language: str
    state: str
    review_id: int
    events: tuple[Event, ...]


Touched = tuple[Reviewed, Applied]


def schema_of(session: Session, collection_id: int, number: int | None = None) -> tuple[int, Schema]:
    """A schema version (the newest without `number`) with its number."""
    query = select(SchemaRow).where(SchemaRow.collection_id == collection_id)
    if number is not None:
        query = query.where(SchemaRow.number == number)
    row = session.exec(query.order_by(col(SchemaRow.number).desc())).first()
    if row is None:
        raise NotFoundError(f"there is no collection {collection_id}: it may have been deleted")
    return row.number, schema_from_dict(row.content)


def with_types(
    session: Session, collection_id: int, types: Sequence[str]
) -> Iterator[list[Reviewed]]:
    """The samples whose newest review has an event of one of the types, in pieces."""
    later = aliased(ReviewRow)
    rows = session.execute(
        sqlalchemy_select(
            col(SampleRow.id), col(SampleRow.external_id), col(SampleRow.language),
            col(SampleRow.state), col(ReviewRow.id),
        )
        .join(ReviewRow, col(ReviewRow.sample_id) == col(SampleRow.id))
        .where(
            col(SampleRow.collection_id) == collection_id,
            exists().where(
                col(EventRow.review_id) == col(ReviewRow.id), col(EventRow.event_type).in_(types)
            ),
            ~exists().where(
                col(later.sample_id) == col(ReviewRow.sample_id),
                col(later.id) > col(ReviewRow.id),
            ),
        )
        .order_by(col(SampleRow.id))
    ).all()  # fmt: skip
    for part in (rows[i : i + mapping.CHUNK] for i in range(0, len(rows), mapping.CHUNK)):
        events = mapping.events_of(session, "review_id", [r[4] for r in part])
        yield [Reviewed(k, i, lang, s, r, events[r]) for k, i, lang, s, r in part]


def touched(
    session: Session, collection_id: int, change: Change, before: Schema, after: Schema
) -> Iterator[list[Touched]]:
    """The samples that a change concerns and what it makes of each, in pieces."""
    for part in with_types(session, collection_id, touched_types(before, change)):
        pairs = [
            (s, change_events(change, s.events, language=s.language, before=before, after=after))
            for s in part
        ]
        found = [(sample, applied) for sample, applied in pairs if applied.is_changed]
        if found:
            yield found


def add_changed(
    session: Session,
    row: SchemaChangeRow,
    part: Sequence[Touched],
    *,
    number: int,
    person: str | None,
) -> None:
    """Add the reviews that a change makes; samples left to a person wait again."""
    entry = {"kind": "schema_change", "change": row.id, "what": row.change}
    doubts = [[_doubt(u) for u in applied.undecided] for _, applied in part]
    reviews = _add_reviews(
        session,
        [
            (
                sample.key,
                applied.events,
                {**entry, "touched": applied.touched, "undecided": found},
            )
            for (sample, applied), found in zip(part, doubts, strict=True)
        ],
        number=number,
        person=person,
    )
    _add_items(
        session,
        [
            {
                "change_id": row.id, "sample_id": sample.key, "before_id": sample.review_id,
                "after_id": review, "state_before": sample.state, "is_open": bool(found),
                "undecided": found,
            }
            for review, (sample, _), found in zip(reviews, part, doubts, strict=True)
        ],
    )  # fmt: skip
    _set_state(session, [s.key for s, applied in part if applied.undecided], "suggested")


def unreviewed_since(
    session: Session, change_id: int
) -> tuple[list[SchemaChangeItemRow], list[int]]:
    """(what a change did to samples that nobody has reviewed since, the other samples)."""
    newest = (
        sqlalchemy_select(func.max(ReviewRow.id))
        .where(col(ReviewRow.sample_id) == col(SchemaChangeItemRow.sample_id))
        .scalar_subquery()
    )
    rows = session.execute(
        sqlalchemy_select(SchemaChangeItemRow, newest).where(
            col(SchemaChangeItemRow.change_id) == change_id
        )
    ).all()
    mine = [item for item, review in rows if item.after_id == review]
    return mine, [item.sample_id for item, review in rows if item.after_id != review]


def add_restored(
    session: Session,
    row: SchemaChangeRow,
    items: Sequence[SchemaChangeItemRow],
    *,
    number: int,
    person: str | None,
) -> None:
    """Add reviews equal to those before a change, and put the samples in the state they had."""
    entry = {"kind": "schema_change_undone", "change": row.id, "what": row.change}
    for part in (items[i : i + mapping.CHUNK] for i in range(0, len(items), mapping.CHUNK)):
        events = mapping.events_of(session, "review_id", [i.before_id for i in part])
        _add_reviews(
            session,
            [(i.sample_id, events[i.before_id], entry) for i in part],
            number=number,
            person=person,
        )
        for state in {i.state_before for i in part}:
            _set_state(session, [i.sample_id for i in part if i.state_before == state], state)


def add_late(
    session: Session,
    row: SchemaChangeRow,
    late: Sequence[Reviewed],
    restored: Schema,
) -> None:
    """Leave samples to a person that were labelled with names which the undoing retires."""
    doubts = {
        s.key: [
            _doubt(Undecided(i, "undone", values={"type": event.event_type}))
            for i, event in enumerate(s.events)
            if _is_retired(restored, event)
        ]
        for s in late
    }
    _drop_items(session, row, late)
    _add_items(
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
    _set_state(session, [s.key for s in late], "suggested")


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
    for part in (late[i : i + mapping.CHUNK] for i in range(0, len(late), mapping.CHUNK)):
        add_changed(session, row, part, number=number, person=person)


def late_samples(
    session: Session, collection_id: int, names: Sequence[str], restored: Schema, done: set[int]
) -> list[Reviewed]:
    """Samples, those in `done` apart, whose newest review has names that `restored` lacks."""
    return [
        sample
        for part in with_types(session, collection_id, names)
        for sample in part
        if sample.key not in done and missing_parts(restored, sample.events)
    ]


def open_items() -> Any:
    """A query of the items that a person must decide and nobody has reviewed since."""
    later = aliased(ReviewRow)
    return (
        select(SchemaChangeItemRow)
        .join(SampleRow, col(SampleRow.id) == SchemaChangeItemRow.sample_id)
        .where(
            col(SchemaChangeItemRow.is_open).is_(True),
            ~exists().where(
                col(later.sample_id) == col(SchemaChangeItemRow.sample_id),
                col(later.id) > col(SchemaChangeItemRow.after_id),
            ),
        )
    )


# ---------------------------------------------------------------- private


def _add_reviews(
    session: Session,
    made: Sequence[tuple[int, Sequence[Event], dict[str, Any]]],
    *,
    number: int,
    person: str | None,
) -> list[int]:
    reviews = mapping.insert_all(
        session,
        ReviewRow,
        [
            {
                "sample_id": key, "person": person, "origin": ORIGIN, "difference": [entry],
                "schema_number": number,
            }
            for key, _, entry in made
        ],
    )  # fmt: skip
    owned = [(review, events) for review, (_, events, _) in zip(reviews, made, strict=True)]
    mapping.add_events(session, "review_id", owned)
    return reviews


def _add_items(session: Session, rows: Sequence[dict[str, Any]]) -> None:
    if rows:
        session.execute(insert(SchemaChangeItemRow), rows)


def _drop_items(session: Session, row: SchemaChangeRow, samples: Sequence[Reviewed]) -> None:
    for part in mapping.chunks([s.key for s in samples]):
        session.execute(
            delete(SchemaChangeItemRow).where(
                col(SchemaChangeItemRow.change_id) == row.id,
                col(SchemaChangeItemRow.sample_id).in_(part),
            )
        )


def _set_state(session: Session, keys: Sequence[int], state: str) -> None:
    for part in mapping.chunks(keys):
        session.execute(update(SampleRow).where(col(SampleRow.id).in_(part)).values(state=state))


def _doubt(found: Undecided) -> dict[str, Any]:
    return {k: dict(v) if k == "values" else v for k, v in asdict(found).items()}


def _is_retired(schema: Schema, event: Event) -> bool:
    known = schema.type(event.event_type)
    if known is None or known.retired:
        return True
    retired = {r.name for r in known.roles if r.retired}
    return any(a.role in retired for a in event.arguments)
