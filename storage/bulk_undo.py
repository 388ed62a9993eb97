"""How a bulk operation is taken back, sample by sample, inside one transaction.

What was changed since stays as it is, with the reason; the items of the others are removed.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, cast

from sqlalchemy import delete
from sqlmodel import Session, col, select

from core.bulk import Now, Refusal, why_not_restore, why_not_undo
from storage import mapping
from storage.bulk_steps import count_seen, newest_schema, set_samples
from storage.notes import count_flags
from storage.standing import add_corrections, settle
from storage.tables import (
    BulkItemRow,
    BulkRow,
    DraftRow,
    EventRow,
    MentionRow,
    NoteRow,
    ReviewRow,
    SampleRow,
    SkipRow,
    SuggestionRow,
)
from storage.trash import put_back, taken_ids, types_in

Items = Sequence[BulkItemRow]


def undo_step(session: Session, bulk: BulkRow, items: Items) -> list[Refusal]:
    """Take back what was done to samples; returns those that stay as they are, with the reason."""
    undos = {
        "accept": _undo_accept, "split": _undo_split, "flag": _undo_flag,
        "delete": _undo_delete, "refresh": _undo_refresh,
    }  # fmt: skip
    refused = _refusals(session, bulk, items)
    going = [item for item in items if item.sample_id not in refused]
    undos[bulk.kind](session, bulk, going)
    ids = [cast(int, item.id) for item in going]
    session.execute(delete(BulkItemRow).where(col(BulkItemRow.id).in_(ids)))
    return [Refusal(key, why) for key, why in refused.items()]


def _undo_accept(session: Session, bulk: BulkRow, items: Items) -> None:
    reviews = [item.before["review"] for item in items]
    suggested = {
        row.sample_id: row.suggestion_id
        for row in session.exec(select(ReviewRow).where(col(ReviewRow.id).in_(reviews)))
    }
    events = mapping.events_of(session, "review_id", reviews)
    events_ids = select(EventRow.id).where(col(EventRow.review_id).in_(reviews))
    session.execute(delete(MentionRow).where(col(MentionRow.event_id).in_(events_ids)))
    session.execute(delete(EventRow).where(col(EventRow.review_id).in_(reviews)))
    session.execute(delete(ReviewRow).where(col(ReviewRow.id).in_(reviews)))
    rows = _samples(session, items)
    skips = select(SkipRow.sample_id).where(
        SkipRow.person == bulk.person, col(SkipRow.sample_id).in_(list(rows))
    )
    skipped_again = set(session.exec(skips))
    taken_back = []
    for item in items:
        row = rows[item.sample_id]
        row.state = item.before["state"]
        if row.split == item.before["to"]:
            row.split = item.before["split"]
        if item.before["skip"] and item.sample_id not in skipped_again:
            ident, created = item.before["skip"]
            skip = SkipRow(id=ident, sample_id=item.sample_id, person=bulk.person)
            skip.created = datetime.fromisoformat(created)
            session.add(skip)
        taken_back.append((row, suggested[item.sample_id], events[item.before["review"]]))
    session.flush()
    add_corrections(session, bulk.collection_id, count_seen(taken_back, by=-1))
    settle(session, bulk.collection_id, list(rows))


def _undo_split(session: Session, bulk: BulkRow, items: Items) -> None:
    for split in {item.before["split"] for item in items}:
        keys = [item.sample_id for item in items if item.before["split"] == split]
        set_samples(session, keys, split=split)


def _undo_flag(session: Session, bulk: BulkRow, items: Items) -> None:
    notes = [item.before["note"] for item in items]
    session.execute(delete(NoteRow).where(col(NoteRow.id).in_(notes)))
    count_flags(session, [item.sample_id for item in items])


def _undo_delete(session: Session, bulk: BulkRow, items: Items) -> None:
    put_back(session, [item.before for item in items])
    settle(session, bulk.collection_id, [item.sample_id for item in items])


def _undo_refresh(session: Session, bulk: BulkRow, items: Items) -> None:
    keys = [item.sample_id for item in items]
    mine = select(SuggestionRow.id).where(
        col(SuggestionRow.sample_id).in_(keys), SuggestionRow.bulk_id == bulk.id
    )
    suggestions = list(session.exec(mine))
    events = select(EventRow.id).where(col(EventRow.suggestion_id).in_(suggestions))
    session.execute(delete(MentionRow).where(col(MentionRow.event_id).in_(events)))
    session.execute(delete(EventRow).where(col(EventRow.suggestion_id).in_(suggestions)))
    session.execute(delete(SuggestionRow).where(col(SuggestionRow.id).in_(suggestions)))
    told = select(SuggestionRow.sample_id).where(col(SuggestionRow.sample_id).in_(keys))
    still = set(session.exec(told))
    for item in items:
        row = session.get(SampleRow, item.sample_id)
        if row is not None and row.state == "suggested" and item.sample_id not in still:
            row.state = "new"
    session.flush()
    settle(session, bulk.collection_id, keys)


# ---------------------------------------------------------------- what may be undone


def _refusals(session: Session, bulk: BulkRow, items: Items) -> dict[int, str]:
    if bulk.kind == "delete":
        return _restore_refusals(session, bulk, items)
    now = _now(session, bulk, items)
    found = {}
    for item in items:
        why = why_not_undo(cast(Any, bulk.kind), item.before, now[item.sample_id])
        if why is not None:
            found[item.sample_id] = why
    return found


def _restore_refusals(session: Session, bulk: BulkRow, items: Items) -> dict[int, str]:
    _, schema = newest_schema(session, bulk.collection_id)
    names = {item.sample_id: item.before["sample"][0]["external_id"] for item in items}
    taken = taken_ids(session, bulk.collection_id, list(names.values()))
    found = {}
    for item in items:
        missing = sorted(t for t in types_in(item.before) if schema.type(t) is None)
        name = names[item.sample_id]
        why = why_not_restore(name, is_taken=name in taken, missing_types=missing)
        if why is not None:
            found[item.sample_id] = why
    return found


def _now(session: Session, bulk: BulkRow, items: Items) -> dict[int, Now]:
    """What these samples are like now."""
    rows = _samples(session, items)
    keys = list(rows)
    newest = session.exec(
        select(ReviewRow).where(col(ReviewRow.sample_id).in_(keys)).order_by(col(ReviewRow.id))
    ).all()
    reviews = {review.sample_id: review for review in newest}
    drafts = session.exec(select(DraftRow).where(col(DraftRow.sample_id).in_(keys))).all()
    drafted = {draft.sample_id: draft for draft in drafts}
    notes = [item.before["note"] for item in items if "note" in item.before]
    is_open = set(
        session.exec(
            select(NoteRow.id).where(col(NoteRow.id).in_(notes), col(NoteRow.resolved).is_(None))
        )
    )
    mine = select(SuggestionRow.id).where(
        SuggestionRow.bulk_id == bulk.id, col(SuggestionRow.sample_id).in_(keys)
    )
    made = set(session.exec(mine)) if bulk.kind == "refresh" else set()
    found: dict[int, Now] = {}
    for item in items:
        key, row = item.sample_id, rows.get(item.sample_id)
        review, draft = reviews.get(key), drafted.get(key)
        used = {review.suggestion_id} if review else set()
        used.add(_drafted_on(draft))
        found[key] = Now(
            is_there=row is not None,
            split=row.split if row else None,
            newest_review=review.id if review else None,
            reviewed_by=review.person if review else None,
            draft_by=draft.person if draft else None,
            is_resolved="note" in item.before and item.before["note"] not in is_open,
            uses_suggestion=bool(made & used),
        )
    return found


def _drafted_on(draft: DraftRow | None) -> int | None:
    """The suggestion that a draft was begun on."""
    document = draft.document.get("document") if draft else None
    found = document.get("suggestion") if isinstance(document, dict) else None
    return found if isinstance(found, int) else None


def _samples(session: Session, items: Items) -> dict[int, SampleRow]:
    keys = [item.sample_id for item in items]
    rows = session.exec(select(SampleRow).where(col(SampleRow.id).in_(keys)))
    return {cast(int, row.id): row for row in rows}
