"""What queues order by, kept up to date inside the transaction that adds a suggestion or a review.

`settle` works the same out again from the rows behind it, for many samples at once: after an undo, a
restore, or a change of the schema.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, cast

from sqlalchemy import delete, func, update
from sqlalchemy import select as sqlalchemy_select
from sqlmodel import Session, col, select

from core.calibration import calibrate_events
from core.events import Event
from core.problems import NOTICES
from core.queues import certainty, changed_events, disagreement
from core.records import NewSuggestion
from storage import mapping
from storage.calibrations import curves_of, suggested_events
from storage.tables import (
    CorrectionRow,
    EventRow,
    ReviewRow,
    SampleRow,
    SkipRow,
    SuggestionRow,
)
from storage.type_sets import TypeSet, add_to_sets, find_sets, recount


def stand_after_suggestions(session: Session, made: Sequence[NewSuggestion]) -> None:
    """Suggestions were added, one a sample: what each is unsure of, where another model differs,
    what is wrong with it, and, where the sample waits, its types."""
    by_key = {one.sample_key: one for one in made}
    for part in mapping.chunks(list(by_key)):
        _stand(session, {key: by_key[key] for key in part})


def stand_after_review(
    session: Session, row: SampleRow, review: ReviewRow, events: Sequence[Event]
) -> None:
    """A review was added: its types, what it corrected, and no skip of this person any more."""
    was_waiting = row.state != "reviewed"
    row.state = "reviewed"
    _move(session, row, {e.event_type for e in events}, was_waiting=was_waiting)
    count_corrections(session, row, review, by=1)
    session.execute(
        delete(SkipRow).where(
            col(SkipRow.sample_id) == row.id, col(SkipRow.person) == review.person
        )
    )


def count_corrections(session: Session, row: SampleRow, review: ReviewRow, *, by: int) -> None:
    """Count (or with -1 take back) what a review says of a suggestion, the first time one does."""
    if review.suggestion_id is None:
        return
    earlier = select(ReviewRow.id).where(
        ReviewRow.suggestion_id == review.suggestion_id, col(ReviewRow.id) < review.id
    )
    if session.exec(earlier.limit(1)).first() is not None:
        return
    types = session.exec(
        select(EventRow.event_type)
        .where(EventRow.suggestion_id == review.suggestion_id)
        .order_by(col(EventRow.position))
    ).all()
    changed = changed_events(review.difference)
    counts: dict[tuple[str, str], tuple[int, int]] = {}
    for event_type, seen in Counter(types).items():
        turned = sum(types[i] == event_type for i in changed if i < len(types))
        counts[row.language, event_type] = (by * seen, by * turned)
    add_corrections(session, row.collection_id, counts)


def add_corrections(
    session: Session, collection_id: int, counts: Mapping[tuple[str, str], tuple[int, int]]
) -> None:
    """Add (seen, changed) suggested events by (language, event type)."""
    for (language, event_type), (seen, changed) in counts.items():
        known = session.exec(
            select(CorrectionRow).where(
                CorrectionRow.collection_id == collection_id,
                CorrectionRow.language == language,
                CorrectionRow.event_type == event_type,
            )
        ).first()
        if known is None:
            known = CorrectionRow(
                collection_id=collection_id, language=language, event_type=event_type
            )
            session.add(known)
        known.seen, known.changed = known.seen + seen, known.changed + changed


def settle(session: Session, collection_id: int, keys: Sequence[int]) -> None:
    """Work out again what queues order by for these samples of one collection, from the rows
    behind it. Corrections are history and stay as they were counted."""
    for part in mapping.chunks(keys):
        _settle(session, collection_id, part)
    recount(session, collection_id)


# ---------------------------------------------------------------- private


def _stand(session: Session, made: Mapping[int, NewSuggestion]) -> None:
    samples = session.execute(
        sqlalchemy_select(
            col(SampleRow.id), col(SampleRow.collection_id), col(SampleRow.language),
            col(SampleRow.state), col(SampleRow.type_set_id),
        ).where(col(SampleRow.id).in_(list(made)))
    ).all()  # fmt: skip
    _, others = _newest_suggestions(session, list(made))
    said = mapping.events_of(session, "suggestion_id", list(others.values()))
    curves = curves_of(session, {(row.collection_id, made[row.id].model_id) for row in samples})
    sets = _sets_of(session, [row for row in samples if row.state != "reviewed"], made)
    moved: Counter[int] = Counter()
    changes: list[dict[str, Any]] = []
    for row in samples:
        one, kind = made[row.id], row.type_set_id
        events = calibrate_events(one.events, curves[row.collection_id, one.model_id], row.language)
        change = {"id": row.id, **_figures(events, said.get(others.get(row.id, 0)))}
        if row.state != "reviewed":
            kind = sets.get(row.id)
            moved.update(ident for ident in (kind,) if ident is not None)
            moved.subtract(ident for ident in (row.type_set_id,) if ident is not None)
        changes.append(
            change
            | {
                "problem_order": _problem_order(sum(p.code not in NOTICES for p in one.problems)),
                "state": "suggested" if row.state == "new" else row.state,
                "type_set_id": kind,
            }
        )
    add_to_sets(session, moved, waiting=True)
    if changes:
        session.execute(update(SampleRow), changes)


def _sets_of(
    session: Session, samples: Sequence[Any], made: Mapping[int, NewSuggestion]
) -> dict[int, int]:
    """The type set of each of these samples, by what was suggested; none where that is nothing."""
    kinds: dict[int, dict[int, TypeSet]] = defaultdict(dict)
    for row in samples:
        types = frozenset(event.event_type for event in made[row.id].events)
        if types:
            kinds[row.collection_id][row.id] = (row.language, types)
    found: dict[int, int] = {}
    for collection_id, mine in kinds.items():
        ids = find_sets(session, collection_id, set(mine.values()))
        found |= {key: ids[kind] for key, kind in mine.items()}
    return found


def _problem_order(count: int) -> int | None:
    return -count if count else None


def _settle(session: Session, collection_id: int, keys: Sequence[int]) -> None:
    session.flush()
    samples = session.exec(
        select(SampleRow.id, SampleRow.language, SampleRow.state).where(col(SampleRow.id).in_(keys))
    ).all()
    newest, others = _newest_suggestions(session, keys)
    suggested = suggested_events(session, [*newest.values(), *others.values()])
    problems = _count_problems(session, newest)
    reviewed = _types_of_reviews(session, keys)
    kinds: dict[int, TypeSet] = {}
    changes: list[dict[str, Any]] = []
    for key, language, state in samples:
        events = suggested.get(newest.get(cast(int, key), 0), ())
        other = suggested[others[key]] if key in others else None
        # A sample that a change of the schema left to a person waits, with its labels.
        is_labelled = state == "reviewed" or key in reviewed
        types = reviewed[cast(int, key)] if is_labelled else {e.event_type for e in events}
        if types:
            kinds[cast(int, key)] = (language, frozenset(types))
        order = _problem_order(problems.get(cast(int, key), 0))
        changes.append({"id": key, "problem_order": order, **_figures(events, other)})
    ids = find_sets(session, collection_id, set(kinds.values()))
    for change in changes:
        kind = kinds.get(change["id"])
        change["type_set_id"] = ids[kind] if kind else None
    if changes:
        session.execute(update(SampleRow), changes)


def _figures(events: Sequence[Event], other: Sequence[Event] | None) -> dict[str, Any]:
    sure = certainty(events)
    differs = None if other is None else disagreement(other, events)
    return {
        "confidence": sure.lowest,
        "unsure_of": sure.of,
        "is_complete": sure.is_complete,
        "disagree_order": -differs[0] if differs else None,
        "disagree_in": differs[1] if differs else None,
    }


def _newest_suggestions(
    session: Session, keys: Sequence[int]
) -> tuple[dict[int, int], dict[int, int]]:
    """The newest suggestion of each sample, and the newest of a model other than that one's."""
    newest: dict[int, int] = {}
    others: dict[int, int] = {}
    models: dict[int, str] = {}
    rows = session.exec(
        select(SuggestionRow.id, SuggestionRow.sample_id, SuggestionRow.model_id)
        .where(col(SuggestionRow.sample_id).in_(keys))
        .order_by(col(SuggestionRow.id).desc())
    )
    for ident, key, model in rows:
        if key not in newest:
            newest[key], models[key] = cast(int, ident), model
        elif key not in others and model != models[key]:
            others[key] = cast(int, ident)
    return newest, others


def _count_problems(session: Session, newest: Mapping[int, int]) -> dict[int, int]:
    """How many problems each of these suggestions has, by the key of its sample."""
    query = select(SuggestionRow.sample_id, SuggestionRow.problems)
    rows = session.exec(query.where(col(SuggestionRow.id).in_(list(newest.values()))))
    return {key: sum(p["code"] not in NOTICES for p in problems) for key, problems in rows}


def _types_of_reviews(session: Session, keys: Sequence[int]) -> dict[int, set[str]]:
    newest = (
        select(func.max(ReviewRow.id))
        .where(col(ReviewRow.sample_id).in_(keys))
        .group_by(col(ReviewRow.sample_id))
    )
    found: dict[int, set[str]] = defaultdict(set)
    rows = session.exec(
        select(ReviewRow.sample_id, EventRow.event_type)
        .join(EventRow, col(EventRow.review_id) == ReviewRow.id)
        .where(col(ReviewRow.id).in_(newest))
    )
    for key, event_type in rows:
        found[key].add(event_type)
    return found


def _move(session: Session, row: SampleRow, types: set[str], *, was_waiting: bool) -> None:
    """Put a sample into the set of its types, and count it there and no more where it was."""
    if row.type_set_id is not None:
        add_to_sets(session, {row.type_set_id: -1}, waiting=was_waiting)
    row.type_set_id = None
    if types:
        kind = (row.language, frozenset(types))
        row.type_set_id = find_sets(session, row.collection_id, [kind])[kind]
        add_to_sets(session, {row.type_set_id: 1}, waiting=row.state != "reviewed")
