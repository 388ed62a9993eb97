"""What else follows a change of the schema: suggestions and drafts that nobody has submitted yet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

from sqlalchemy import exists, func
from sqlalchemy import select as sqlalchemy_select
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select

from core.schema import Schema
from core.schema_change import Change, touched_types
from core.schema_relabel import change_events, new_names
from storage import mapping
from storage.tables import DraftRow, EventRow, ReviewRow, SampleRow, SuggestionRow


def carry_suggestions(
    session: Session,
    collection_id: int,
    change: Change,
    before: Schema,
    after: Schema,
    *,
    change_id: int,
    number: int,
) -> list[int]:
    """Add, for each unreviewed sample, its newest suggestion under the new names; returns the keys.

    What a person must decide keeps its old name, which the review page will not take.
    """
    rows = session.execute(_suggestions(collection_id, touched_types(before, change))).all()
    keys: list[int] = []
    for part in mapping.chunks(rows):
        events = mapping.events_of(session, "suggestion_id", [row.id for row, _ in part])
        made = []
        for row, language in part:
            old = events[row.id]
            new = change_events(change, old, language=language, before=before, after=after)
            if new.touched:
                made.append((row, new.events))
        added = mapping.insert_all(
            session,
            SuggestionRow,
            [
                {
                    **_copied(row),
                    "schema_number": number,
                    "decoding": {**row.decoding, "schema_change": change_id, "was": row.id},
                }
                for row, _ in made
            ],
        )
        owned = [(ident, new) for ident, (_, new) in zip(added, made, strict=True)]
        mapping.add_events(session, "suggestion_id", owned)
        keys += [row.sample_id for row, _ in made]
    return keys


def restore_suggestions(
    session: Session, collection_id: int, *, change_id: int, number: int
) -> list[int]:
    """Add again the suggestions that a change carried over, as they were before it; returns the
    keys of their samples."""
    rows = session.execute(_suggestions(collection_id, ())).all()
    carried = {
        int(row.decoding["was"]): row
        for row, _ in rows
        if row.decoding.get("schema_change") == change_id
    }
    for part in mapping.chunks(list(carried)):
        events = mapping.events_of(session, "suggestion_id", part)
        added = mapping.insert_all(
            session,
            SuggestionRow,
            [
                {
                    **_copied(carried[was]), "schema_number": number,
                    "decoding": {
                        k: v for k, v in carried[was].decoding.items()
                        if k not in ("schema_change", "was")
                    },
                }
                for was in part
            ],
        )  # fmt: skip
        owned = [(ident, events[was]) for ident, was in zip(added, part, strict=True)]
        mapping.add_events(session, "suggestion_id", owned)
    return [row.sample_id for row in carried.values()]


def count_suggestions(session: Session, collection_id: int, types: Sequence[str]) -> int:
    """How many unreviewed samples have a newest suggestion with one of the types."""
    query = _suggestions(collection_id, types).subquery()
    count = sqlalchemy_select(func.count()).select_from(query)
    return int(session.execute(count).scalar_one())


def carry_drafts(
    session: Session, collection_id: int, change: Change, types: Sequence[str]
) -> None:
    """Give unfinished reviews the new names, and let them go on from the newest review.

    Their steps of undo are forgotten: those would bring the old names back.
    """
    for row, language in session.execute(_drafts(collection_id)).all():
        kept = row.document.get("document", {})
        events = kept.get("events", [])
        if not any(e.get("event_type") in types for e in events if isinstance(e, dict)):
            continue
        renamed = [_rename_item(e, change, language) for e in events]
        newest = session.exec(
            select(func.max(ReviewRow.id)).where(ReviewRow.sample_id == row.sample_id)
        ).one()
        row.document = {
            **row.document, "document": {**kept, "events": renamed}, "undo": [], "redo": [],
            "base": newest,
        }  # fmt: skip
        row.rev += 1


def count_drafts(session: Session, collection_id: int, types: Sequence[str]) -> int:
    """How many unfinished reviews have an event of one of the types."""
    documents = (
        row.document.get("document", {}) for row, _ in session.execute(_drafts(collection_id))
    )
    return sum(
        any(isinstance(e, dict) and e.get("event_type") in types for e in d.get("events", []))
        for d in documents
    )


# ---------------------------------------------------------------- private


def _copied(row: SuggestionRow) -> dict[str, Any]:
    return {
        "sample_id": row.sample_id, "model_id": row.model_id, "seconds": row.seconds,
        "raw_reply": row.raw_reply, "prompt_version": row.prompt_version,
        "problems": list(row.problems),
    }  # fmt: skip


def _suggestions(collection_id: int, types: Sequence[str]) -> Any:
    """(suggestion, language): the newest of each unreviewed sample, where it has one of the types
    (with no types: each)."""
    later = aliased(SuggestionRow)
    having = exists().where(
        col(EventRow.suggestion_id) == col(SuggestionRow.id), col(EventRow.event_type).in_(types)
    )
    return (
        sqlalchemy_select(SuggestionRow, col(SampleRow.language))
        .join(SampleRow, col(SampleRow.id) == col(SuggestionRow.sample_id))
        .where(
            col(SampleRow.collection_id) == collection_id,
            col(SampleRow.state) == "suggested",
            *([having] if types else []),
            ~exists().where(
                col(later.sample_id) == col(SuggestionRow.sample_id),
                col(later.id) > col(SuggestionRow.id),
            ),
        )
        .order_by(col(SuggestionRow.id))
    )


def _drafts(collection_id: int) -> Any:
    return (
        sqlalchemy_select(DraftRow, col(SampleRow.language))
        .join(SampleRow, col(SampleRow.id) == col(DraftRow.sample_id))
        .where(col(SampleRow.collection_id) == collection_id)
    )


def _rename_item(item: Any, change: Change, language: str) -> Any:
    """An event of a review document under its new names; what is undecided keeps its own."""
    slots = item.get("arguments", [])
    names = new_names(
        change, item.get("event_type", ""), [cast(Mapping[str, Any], s).get("role") or "" for s in slots],
        language=language,
    )  # fmt: skip
    if names is None or names.event_type is None or names.open_type is not None:
        return item
    renamed = [
        slot if role is None else {**slot, "role": role or slot.get("role")}
        for slot, role in zip(slots, names.roles, strict=True)
    ]
    return {**item, "event_type": names.event_type, "arguments": renamed}
