"""What else follows a change of event types: saved queues, and how often people corrected a type.

Both write down what they moved, in the row of the change, so that an undo finds the way back.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import replace
from typing import Any

from sqlalchemy import exists
from sqlalchemy import select as sqlalchemy_select
from sqlmodel import Session, col, select

from core.queues import changed_events, filter_from_dict, filter_to_dict
from core.schema import Schema
from core.schema_change import Change, SplitType, touched_types, types_after
from core.schema_relabel import new_names
from storage import mapping
from storage.standing import add_corrections
from storage.tables import (
    CorrectionRow,
    EventRow,
    QueueRow,
    ReviewRow,
    SampleRow,
    TypeSetMemberRow,
    TypeSetRow,
)

Kept = list[dict[str, Any]]


def carry_names(
    session: Session, collection_id: int, change: Change, before: Schema
) -> dict[str, Kept]:
    """Give queues and counts the new names, the labels having theirs; returns what was moved."""
    return {
        "queues": _carry_queues(session, collection_id, change, before),
        "corrections": _carry_corrections(session, collection_id, change, before),
    }


def restore_names(
    session: Session,
    collection_id: int,
    carried: Mapping[str, Kept],
    change: Change,
    before: Schema,
    now: Schema,
) -> None:
    """Take back what `carry_names` did; `now` is the schema after the undoing."""
    old = touched_types(before, change)
    new = {n for name in old for n in types_after(change, name) if now.type(n) is None}
    _restore_queues(session, collection_id, carried["queues"], old, gone=new)
    _restore_corrections(session, collection_id, carried["corrections"], old, gone=new)


# ---------------------------------------------------------------- queues


def _carry_queues(session: Session, collection_id: int, change: Change, before: Schema) -> Kept:
    """Let the saved queues ask for the new names; returns what each asked for before and asks now.

    An old name stays where labels still have it: those that a person must decide.
    """
    old = touched_types(before, change)
    still = _carried(session, collection_id, old)
    kept: Kept = []
    for row in _queues(session, collection_id):
        wanted = filter_from_dict(row.wanted)
        now = _unique(
            name
            for asked in wanted.event_types
            for name in (
                *((asked,) if asked in still else ()),
                *types_after(change, asked, languages=wanted.languages),
            )
        )
        if now != list(wanted.event_types):
            kept.append({"queue": row.id, "before": list(wanted.event_types), "now": now})
            _ask(row, now)
    return kept


def _restore_queues(
    session: Session, collection_id: int, kept: Kept, old: Sequence[str], *, gone: Set[str]
) -> None:
    """Let the saved queues ask for what they asked for before a change, what people added apart;
    those made since ask for the old names where the new ones are gone."""
    known = {entry["queue"]: entry for entry in kept}
    for row in _queues(session, collection_id):
        asked = list(filter_from_dict(row.wanted).event_types)
        entry = known.get(row.id)
        if entry is not None and set(entry["now"]) & set(asked):
            _ask(row, [*entry["before"], *(n for n in asked if n not in entry["now"])])
        elif gone & set(asked):
            _ask(row, [n for name in asked for n in (old if name in gone else (name,))])


def _queues(session: Session, collection_id: int) -> Sequence[QueueRow]:
    query = select(QueueRow).where(QueueRow.collection_id == collection_id)
    return session.exec(query.order_by(col(QueueRow.id))).all()


def _ask(row: QueueRow, names: Iterable[str]) -> None:
    wanted = filter_from_dict(row.wanted)
    row.wanted = filter_to_dict(replace(wanted, event_types=tuple(_unique(names))))


def _carried(session: Session, collection_id: int, names: Sequence[str]) -> set[str]:
    """Which of these types a sample's labels still have."""
    query = (
        select(TypeSetMemberRow.event_type)
        .join(TypeSetRow, col(TypeSetRow.id) == TypeSetMemberRow.set_id)
        .where(
            TypeSetRow.collection_id == collection_id,
            TypeSetRow.waiting + TypeSetRow.reviewed > 0,
            col(TypeSetMemberRow.event_type).in_(names),
        )
    )
    return set(session.exec(query))


def _unique(names: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(names))


# ---------------------------------------------------------------- corrections


def _carry_corrections(
    session: Session, collection_id: int, change: Change, before: Schema
) -> Kept:
    """Count past corrections under the new names; returns what was moved.

    What a split leaves to a person stays under the old name.
    """
    moved: Kept = []
    for row in _corrections(session, collection_id, touched_types(before, change)):
        names = types_after(change, row.event_type, languages=(row.language,))
        if len(names) == 1 and names[0] != row.event_type and row.seen:
            moved.append(_move(row.language, row.event_type, names[0], row.seen, row.changed))
    if isinstance(change, SplitType) and change.rule.by == "role":
        moved = _split_by_role(session, collection_id, change)
    _count(session, collection_id, moved)
    return moved


def _restore_corrections(
    session: Session, collection_id: int, moved: Kept, old: Sequence[str], *, gone: Set[str]
) -> None:
    """Count past corrections under the old names again; those made since too, where the new name is
    gone and stood for one old name."""
    _count(session, collection_id, [_turned(entry) for entry in moved])
    if len(old) == 1:
        rest = [
            _move(row.language, row.event_type, old[0], row.seen, row.changed)
            for row in _corrections(session, collection_id, sorted(gone))
        ]
        _count(session, collection_id, rest)


def _corrections(
    session: Session, collection_id: int, names: Sequence[str]
) -> Sequence[CorrectionRow]:
    query = select(CorrectionRow).where(
        CorrectionRow.collection_id == collection_id, col(CorrectionRow.event_type).in_(names)
    )
    return session.exec(query.order_by(col(CorrectionRow.id))).all()


def _count(session: Session, collection_id: int, moved: Kept) -> None:
    """Move counts from one name to another; a row without any goes."""
    for entry in moved:
        seen, changed = entry["seen"], entry["changed"]
        counts = {
            (entry["language"], entry["to"]): (seen, changed),
            (entry["language"], entry["from"]): (-seen, -changed),
        }
        add_corrections(session, collection_id, counts)
    session.flush()
    for row in _corrections(session, collection_id, sorted({entry["from"] for entry in moved})):
        if not row.seen and not row.changed:
            session.delete(row)


def _move(language: str, old: str, new: str, seen: int, changed: int) -> dict[str, Any]:
    return {"language": language, "from": old, "to": new, "seen": seen, "changed": changed}


def _turned(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {**entry, "from": entry["to"], "to": entry["from"]}


def _split_by_role(session: Session, collection_id: int, change: SplitType) -> Kept:
    """What of a type's corrections goes to which part, by the suggestions that were corrected."""
    reviews = session.execute(
        sqlalchemy_select(
            col(ReviewRow.suggestion_id), col(ReviewRow.difference), col(SampleRow.language)
        )
        .join(SampleRow, col(SampleRow.id) == col(ReviewRow.sample_id))
        .where(
            col(SampleRow.collection_id) == collection_id,
            exists().where(
                col(EventRow.suggestion_id) == col(ReviewRow.suggestion_id),
                col(EventRow.event_type) == change.source,
            ),
        )
        .order_by(col(ReviewRow.id).desc())
    )
    first = {key: (difference, language) for key, difference, language in reviews}
    seen: Counter[tuple[str, str]] = Counter()
    turned: Counter[tuple[str, str]] = Counter()
    for key, events in mapping.events_of(session, "suggestion_id", list(first)).items():
        difference, language = first[key]
        changed = changed_events(difference)
        for i, event in enumerate(events):
            roles = [a.role for a in event.arguments]
            names = new_names(change, event.event_type, roles, language=language)
            if names is not None and names.open_type is None and names.event_type is not None:
                seen[language, names.event_type] += 1
                turned[language, names.event_type] += i in changed
    return [
        _move(language, change.source, name, count, turned[language, name])
        for (language, name), count in seen.items()
    ]
