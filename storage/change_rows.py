"""The rows of a schema change: which samples it touches, the reviews it adds, and those it takes back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence, Set
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import exists, insert, update
from sqlalchemy import select as sqlalchemy_select
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select

from core.errors import NotFoundError
from core.events import Event
from core.schema import Schema, schema_from_dict
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


def schema_of(
    session: Session, collection_id: int, number: int | None = None
) -> tuple[int, Schema]:
    """A schema version (the newest without `number`) with its number."""
    query = select(SchemaRow).where(SchemaRow.collection_id == collection_id)
    if number is not None:
        query = query.where(SchemaRow.number == number)
    row = session.exec(query.order_by(col(SchemaRow.number).desc())).first()
    if row is None:
        raise NotFoundError(f"there is no collection {collection_id}: it may have been deleted")
    return row.number, schema_from_dict(row.content)


def with_types(
    session: Session, collection_id: int, types: Sequence[str], *, without: Set[int] = frozenset()
) -> Iterator[list[Reviewed]]:
    """The samples, but `without`, whose newest review has an event of one of the types, in pieces."""
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
    rows = [row for row in rows if row[0] not in without]
    for part in mapping.chunks(rows):
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
    doubts = [[doubt_to_dict(u) for u in applied.undecided] for _, applied in part]
    reviews = add_reviews(
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
    add_items(
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
    set_state(session, [s.key for s, applied in part if applied.undecided], "suggested")


def open_items() -> Any:
    """A query of the items that a person must decide and nobody has reviewed since."""
    return (
        select(SchemaChangeItemRow)
        .join(SampleRow, col(SampleRow.id) == SchemaChangeItemRow.sample_id)
        .where(col(SchemaChangeItemRow.is_open).is_(True), ~is_reviewed_since())
    )


def is_reviewed_since() -> Any:
    """Whether a person has reviewed an item's sample after the change; other changes do not count."""
    return exists().where(
        col(ReviewRow.sample_id) == col(SchemaChangeItemRow.sample_id),
        col(ReviewRow.id) > col(SchemaChangeItemRow.after_id),
        col(ReviewRow.origin) != ORIGIN,
    )


def add_reviews(
    session: Session,
    made: Sequence[tuple[int, Sequence[Event], dict[str, Any]]],
    *,
    number: int,
    person: str | None,
) -> list[int]:
    """Add reviews that a change makes: (sample, events, what the difference says) each."""
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


def add_items(session: Session, rows: Sequence[dict[str, Any]]) -> None:
    """Write down what a change did to each sample."""
    if rows:
        session.execute(insert(SchemaChangeItemRow.__table__), rows)  # type: ignore[attr-defined]


def set_state(session: Session, keys: Sequence[int], state: str) -> None:
    """Put samples in a state."""
    for part in mapping.chunks(keys):
        session.execute(update(SampleRow).where(col(SampleRow.id).in_(part)).values(state=state))


def doubt_to_dict(found: Undecided) -> dict[str, Any]:
    """What is left to a person, as it is stored."""
    return {k: dict(v) if k == "values" else v for k, v in asdict(found).items()}
