"""Why each sample is in a queue: a key of the catalogue, and the figure behind it.

Keys and values: `queue.why.uncertain.type|trigger|role` (figure, role), `.disagree` (n, kind, one,
other), `.problems` (n, problem: the first), `.rare` (type, n, language, here), `.near_error` (type, language, changed, seen), `.random`
(seed), `.oldest` (since), `.mine` (draft, flag, skipped), `.filter` where only the filter says so.
Each has `skipped` where this person put the sample at the end.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from sqlalchemy import func
from sqlmodel import Session, col, select

from core.problems import NOTICES, problem_from_dict
from core.queues import Why
from storage import mapping
from storage.tables import DraftRow, NoteRow, SampleRow, SkipRow, SuggestionRow
from storage.walk import Walk

_ONLY_FILTER = Why("queue.why.filter", {})


def reasons_of(walk: Walk, rows: Sequence[SampleRow]) -> dict[int, Why]:
    """The reason of each sample, by its key."""
    found = _reasons(walk, rows)
    if walk.has_skips and walk.queue.reason != "mine":
        query = select(SkipRow.sample_id).where(
            SkipRow.person == walk.person, col(SkipRow.sample_id).in_(list(found))
        )
        for key in walk.session.exec(query):
            found[key] = Why(found[key].key, {**found[key].values, "skipped": True})
    return found


def _reasons(walk: Walk, rows: Sequence[SampleRow]) -> dict[int, Why]:
    keys = [cast(int, row.id) for row in rows]
    reason = walk.queue.reason
    if reason == "uncertain":
        return {cast(int, row.id): _uncertain(row) for row in rows}
    if reason == "disagree":
        return _disagree(walk.session, rows)
    if reason == "problems":
        return _problems(walk.session, rows)
    if reason in ("rare", "near_error"):
        return {cast(int, row.id): _by_types(walk, row) for row in rows}
    if reason == "random":
        why = Why("queue.why.random", {"seed": walk.queue.seed})
        return dict.fromkeys(keys, why)
    if reason == "mine":
        return _mine(walk.session, keys, walk.person or "")
    return {cast(int, row.id): Why("queue.why.oldest", {"since": row.imported}) for row in rows}


def _uncertain(row: SampleRow) -> Why:
    if row.confidence is None or row.unsure_of is None:
        return _ONLY_FILTER
    what, _, role = row.unsure_of.partition(":")
    return Why(f"queue.why.uncertain.{what}", {"figure": row.confidence, "role": role})


def _disagree(session: Session, rows: Sequence[SampleRow]) -> dict[int, Why]:
    """The differences with the two models that they are between, the newer one first."""
    models: dict[int, list[str]] = {}
    for part in mapping.chunks([cast(int, row.id) for row in rows]):
        said = session.exec(
            select(SuggestionRow.sample_id, SuggestionRow.model_id)
            .where(col(SuggestionRow.sample_id).in_(part))
            .order_by(col(SuggestionRow.id).desc())
        )
        for key, model in said:
            known = models.setdefault(key, [])
            if model not in known:
                known.append(model)
    found: dict[int, Why] = {}
    for row in rows:
        one, other = [*models.get(cast(int, row.id), []), "", ""][:2]
        values = {
            "n": -(row.disagree_order or 0), "kind": row.disagree_in, "one": one, "other": other,
        }  # fmt: skip
        differs = row.disagree_order is not None
        found[cast(int, row.id)] = Why("queue.why.disagree", values) if differs else _ONLY_FILTER
    return found


def _problems(session: Session, rows: Sequence[SampleRow]) -> dict[int, Why]:
    """How much is wrong with the newest suggestion, and what comes first."""
    found = {cast(int, row.id): _ONLY_FILTER for row in rows}
    counts = {cast(int, row.id): -row.problem_order for row in rows if row.problem_order}
    for part in mapping.chunks(list(counts)):
        newest = select(func.max(SuggestionRow.id)).where(col(SuggestionRow.sample_id).in_(part))
        newest = newest.group_by(col(SuggestionRow.sample_id))
        query = select(SuggestionRow.sample_id, SuggestionRow.problems)
        for key, problems in session.exec(query.where(col(SuggestionRow.id).in_(newest))):
            wrong = [problem for problem in problems if problem["code"] not in NOTICES]
            if not wrong:
                continue
            values = {"n": counts[key], "problem": problem_from_dict(wrong[0])}
            found[key] = Why("queue.why.problems", values)
    return found


def _by_types(walk: Walk, row: SampleRow) -> Why:
    if walk.figures is None:
        return _ONLY_FILTER
    types = walk.figures.types_of(row.type_set_id)
    values: dict[str, Any] = {"language": row.language}
    if walk.queue.reason == "rare":
        rarest = walk.figures.rarest(types, row.language)
        if rarest is None:
            return _ONLY_FILTER
        values |= {"n": rarest[0], "here": rarest[1], "type": rarest[2]}
        return Why("queue.why.rare", values)
    worst = walk.figures.worst(types, row.language)
    if worst is None:
        return _ONLY_FILTER
    return Why(
        "queue.why.near_error", values | dict(zip(("changed", "seen", "type"), worst, strict=True))
    )


def _mine(session: Session, keys: Sequence[int], person: str) -> dict[int, Why]:
    found: dict[int, dict[str, Any]] = {
        key: {"draft": False, "flag": None, "skipped": False} for key in keys
    }
    for part in mapping.chunks(keys):
        drafts = select(DraftRow.sample_id).where(
            DraftRow.person == person, col(DraftRow.sample_id).in_(part)
        )
        for key in session.exec(drafts):
            found[key]["draft"] = True
        flags = select(NoteRow.sample_id, NoteRow.text).where(
            NoteRow.person == person, NoteRow.kind == "flag", col(NoteRow.resolved).is_(None),
            col(NoteRow.sample_id).in_(part),
        )  # fmt: skip
        for key, text in session.exec(flags.order_by(col(NoteRow.id))):
            found[key]["flag"] = text
        skips = select(SkipRow.sample_id).where(
            SkipRow.person == person, col(SkipRow.sample_id).in_(part)
        )
        for key in session.exec(skips):
            found[key]["skipped"] = True
    return {key: Why("queue.why.mine", values) for key, values in found.items()}
