"""What a bulk operation does to some samples, inside one transaction.

Each step checks again what the preview promised, writes what it changed as items, and says what it
left out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, cast

from sqlalchemy import delete, func, update
from sqlmodel import Session, col, select

from core.bulk import why_not_accept
from core.events import Event, without_confidence
from core.samples import split_of
from core.schema import Schema, schema_from_dict
from storage import mapping
from storage.calibrations import suggested_events
from storage.notes import count_flags
from storage.standing import add_corrections
from storage.tables import (
    BulkItemRow,
    BulkRow,
    DraftRow,
    NoteRow,
    ReviewRow,
    SampleRow,
    SchemaRow,
    SkipRow,
    SuggestionRow,
)
from storage.trash import take_out
from storage.type_sets import recount

Items = Sequence[BulkItemRow]
LeftOut = Counter[str]


def do_step(session: Session, bulk: BulkRow, keys: Sequence[int]) -> LeftOut:
    """Do a bulk operation to samples, as many as fit one IN; returns what was left out, by reason."""
    steps = {
        "accept": _accept, "split": _split, "flag": _flag, "delete": _delete, "refresh": _refresh,
    }  # fmt: skip
    before, left_out = steps[bulk.kind](session, bulk, keys)
    rows = [
        {"bulk_id": bulk.id, "sample_id": key, "before": value} for key, value in before.items()
    ]
    mapping.insert_all(session, BulkItemRow, rows)
    bulk.done += len(before)
    gone = len(keys) - len(before) - sum(left_out.values())
    return left_out + Counter({"gone": max(0, gone)})


# ---------------------------------------------------------------- accept


def _accept(
    session: Session, bulk: BulkRow, keys: Sequence[int]
) -> tuple[dict[int, dict[str, Any]], LeftOut]:
    number, schema = newest_schema(session, bulk.collection_id)
    left_out: LeftOut = Counter()
    drafts = set(session.exec(select(DraftRow.sample_id).where(col(DraftRow.sample_id).in_(keys))))
    chosen: list[tuple[SampleRow, int, tuple[Event, ...]]] = []
    rows = session.exec(select(SampleRow).where(col(SampleRow.id).in_(keys))).all()
    for row, suggestion, events in with_suggestions(session, rows):
        reason = "reviewed" if row.state == "reviewed" else "draft" if row.id in drafts else None
        threshold = bulk.settings["threshold"]
        reason = reason or why_not_accept(events, threshold=threshold, schema=schema)
        if reason:
            left_out[reason] += 1
        else:
            chosen.append((row, suggestion, without_confidence(events)))
    reviews = mapping.insert_all(
        session,
        ReviewRow,
        [
            {
                "sample_id": row.id, "suggestion_id": suggestion, "person": bulk.person,
                "origin": "person", "schema_number": number, "bulk_id": bulk.id,
            }
            for row, suggestion, _ in chosen
        ],
    )  # fmt: skip
    events_of = [events for _, _, events in chosen]
    mapping.add_events(session, "review_id", list(zip(reviews, events_of, strict=True)))
    splits = _settled_splits(session, bulk.collection_id, [row for row, _, _ in chosen])
    skips = select(SkipRow).where(SkipRow.person == bulk.person, col(SkipRow.sample_id).in_(keys))
    skipped = {s.sample_id: (s.id, s.created.isoformat()) for s in session.exec(skips)}
    before: dict[int, dict[str, Any]] = {}
    for (row, _, _), review in zip(chosen, reviews, strict=True):
        key = cast(int, row.id)
        to = row.split or splits[row.split_group]
        before[key] = {
            "state": row.state, "split": row.split, "to": to, "review": review,
            "skip": skipped.get(key),
        }  # fmt: skip
        row.state, row.split = "reviewed", to
    session.flush()
    gone = delete(SkipRow).where(col(SkipRow.sample_id).in_(list(before)))
    session.execute(gone.where(col(SkipRow.person) == bulk.person))
    add_corrections(session, bulk.collection_id, count_seen(chosen, by=1))
    recount(session, bulk.collection_id)
    return before, left_out


def count_seen(
    chosen: Sequence[tuple[SampleRow, int | None, Sequence[Event]]], *, by: int
) -> Mapping[tuple[str, str], tuple[int, int]]:
    counts = Counter((row.language, e.event_type) for row, _, events in chosen for e in events)
    return {kind: (by * count, 0) for kind, count in counts.items()}


def _settled_splits(
    session: Session, collection_id: int, rows: Sequence[SampleRow]
) -> dict[str, str]:
    """The split that each group of samples without one has already, or gets by its hash."""
    groups = {row.split_group for row in rows if row.split is None}
    taken: dict[str, str] = {}
    for part in mapping.chunks(sorted(groups)):
        query = select(SampleRow.split_group, SampleRow.split).where(
            SampleRow.collection_id == collection_id,
            col(SampleRow.split_group).in_(part),
            col(SampleRow.split).is_not(None),
        )
        taken.update(cast(Any, session.exec(query).all()))
    return {group: taken.get(group) or split_of(group) for group in groups}


# ---------------------------------------------------------------- split and flag


def _split(
    session: Session, bulk: BulkRow, keys: Sequence[int]
) -> tuple[dict[int, dict[str, Any]], LeftOut]:
    to = bulk.settings["split"]
    query = select(SampleRow.id, SampleRow.split).where(col(SampleRow.id).in_(keys))
    found = {cast(int, key): split for key, split in session.exec(query)}
    before = {key: {"split": split, "to": to} for key, split in found.items() if split != to}
    set_samples(session, list(before), split=to)
    return before, Counter({"same_split": len(found) - len(before)})


def _flag(
    session: Session, bulk: BulkRow, keys: Sequence[int]
) -> tuple[dict[int, dict[str, Any]], LeftOut]:
    found = session.exec(select(SampleRow.id).where(col(SampleRow.id).in_(keys))).all()
    flagged = session.exec(
        select(NoteRow.sample_id).where(
            col(NoteRow.sample_id).in_(keys), NoteRow.person == bulk.person,
            NoteRow.kind == "flag", col(NoteRow.resolved).is_(None),
        )
    ).all()  # fmt: skip
    chosen = [cast(int, key) for key in found if key not in set(flagged)]
    notes = mapping.insert_all(
        session,
        NoteRow,
        [
            {
                "sample_id": key, "person": bulk.person, "kind": "flag",
                "text": bulk.settings["text"], "bulk_id": bulk.id,
            }
            for key in chosen
        ],
    )  # fmt: skip
    count_flags(session, chosen)
    before = {key: {"note": note} for key, note in zip(chosen, notes, strict=True)}
    return before, Counter({"flagged": len(found) - len(chosen)})


# ---------------------------------------------------------------- delete and refresh


def _delete(
    session: Session, bulk: BulkRow, keys: Sequence[int]
) -> tuple[dict[int, dict[str, Any]], LeftOut]:
    kept = take_out(session, keys)
    recount(session, bulk.collection_id)
    return {key: value for key, value in kept.items() if value}, Counter()


def _refresh(
    session: Session, bulk: BulkRow, keys: Sequence[int]
) -> tuple[dict[int, dict[str, Any]], LeftOut]:
    query = select(SampleRow.id, SampleRow.state, SampleRow.text).where(col(SampleRow.id).in_(keys))
    found = session.exec(query).all()
    before = {cast(int, key): {"state": state} for key, state, text in found if text}
    return before, Counter({"no_text": len(found) - len(before)})


# ---------------------------------------------------------------- shared


def newest_schema(session: Session, collection_id: int) -> tuple[int, Schema]:
    """The schema in force and its number."""
    row = session.exec(
        select(SchemaRow)
        .where(SchemaRow.collection_id == collection_id)
        .order_by(col(SchemaRow.number).desc())
    ).first()
    return (row.number, schema_from_dict(row.content)) if row else (0, Schema())


def with_suggestions(
    session: Session, rows: Sequence[SampleRow]
) -> list[tuple[SampleRow, int, tuple[Event, ...]]]:
    """Samples with their newest suggestion and its events; those without one have 0 and none."""
    newest: dict[int, int] = {}
    for part in mapping.chunks([cast(int, row.id) for row in rows]):
        query = select(SuggestionRow.sample_id, func.max(SuggestionRow.id))
        query = query.where(col(SuggestionRow.sample_id).in_(part))
        newest.update(cast(Any, session.exec(query.group_by(col(SuggestionRow.sample_id))).all()))
    events = suggested_events(session, list(newest.values()))
    found = []
    for row in rows:
        ident = newest.get(cast(int, row.id), 0)
        found.append((row, ident, events.get(ident, ())))
    return found


def set_samples(session: Session, keys: Sequence[int], **values: Any) -> None:
    session.execute(
        update(SampleRow)
        .where(col(SampleRow.id).in_(keys))
        .values(**values)
        .execution_options(synchronize_session=False)
    )
