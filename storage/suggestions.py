"""Suggestions many at a time: stored in one go, and which samples still wait for theirs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, cast

from sqlalchemy import exists, func
from sqlalchemy.engine import Engine
from sqlmodel import Session, col, select

from core.preparing import Preparation
from core.problems import problem_to_dict
from core.queues import WAITING
from core.records import NewSuggestion
from core.samples import Sample
from storage import mapping
from storage.database import reading, writing
from storage.filters import conditions
from storage.standing import stand_after_suggestions
from storage.tables import DraftRow, MediaRow, ReviewRow, SampleRow, SampleTextRow, SuggestionRow

PACE_OF = 200  # the newest suggestions of a model, whose seconds tell how long another takes


class Suggestions:
    """Suggestions of models. They are only ever added."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def add(self, made: Sequence[NewSuggestion], *, bulk_id: int | None = None) -> list[int]:
        """Add suggestions, at most one a sample, in one transaction; returns their ids.

        A sample that was deleted in the meantime is left out.
        """
        with writing(self._engine) as session:
            return add_suggestions(session, made, bulk_id=bulk_id)

    def missing(
        self, order: Preparation, *, job_id: int, failed: Sequence[int] = (), after: int = 0,
        limit: int,
    ) -> list[int]:  # fmt: skip
        """Keys behind `after` that a job still has to do, in order of arrival.

        What it has done is read from its suggestions: no counter can be wrong about it.
        """
        with reading(self._engine) as session:
            query = select(SampleRow.id).where(
                *_wanted(order, job_id=job_id, failed=failed), col(SampleRow.id) > after
            )
            query = query.order_by(col(SampleRow.id)).limit(limit)
            return [cast(int, key) for key in session.exec(query)]

    def count_missing(
        self, order: Preparation, *, job_id: int | None = None, failed: Sequence[int] = ()
    ) -> int:
        """How many samples a job has to do; its limit left out."""
        with reading(self._engine) as session:
            query = select(func.count()).select_from(SampleRow)
            return session.exec(query.where(*_wanted(order, job_id=job_id, failed=failed))).one()

    def unseen(self, keys: Sequence[int], *, model_id: str) -> list[int]:
        """Those of `keys` that wait for a person, have a text or a medium and nobody's draft, and that this
        model has not looked at; in the order of `keys`."""
        found: set[int] = set()
        with reading(self._engine) as session:
            for part in mapping.chunks(keys):
                query = select(SampleRow.id).where(
                    col(SampleRow.id).in_(part), col(SampleRow.waiting).is_(True), _HAS_CONTENT,
                    ~_of_model(model_id), ~_DRAFTED,
                )  # fmt: skip
                found.update(cast(int, key) for key in session.exec(query))
        return [key for key in keys if key in found]

    def pace(self, model_id: str) -> float | None:
        """Seconds that a model takes for a sample, from its newest suggestions; those of jobs, where
        there are any, since many at a time take less. None where it has made none."""
        newest = (
            select(SuggestionRow.seconds, col(SuggestionRow.job_id).is_not(None).label("of_job"))
            .where(SuggestionRow.model_id == model_id)
            .order_by(col(SuggestionRow.id).desc())
            .limit(PACE_OF)
            .subquery()
        )
        with reading(self._engine) as session:
            rows = session.exec(
                select(newest.c.of_job, func.avg(newest.c.seconds)).group_by(newest.c.of_job)
            ).all()
        by_job: dict[bool, float] = {bool(of_job): seconds for of_job, seconds in rows}
        return by_job.get(True, by_job.get(False))

    def parallel(
        self, collection_id: int, groups: Sequence[str]
    ) -> dict[str, list[tuple[Sample, bool]]]:
        """The samples of each parallel group, and whether each is reviewed, with the events of
        their newest review, or of their newest suggestion where there is none; None where nobody
        has looked at them."""
        found: dict[str, list[tuple[Sample, bool]]] = {group: [] for group in groups}
        with reading(self._engine) as session:
            for part in mapping.chunks(groups):
                rows = session.exec(
                    select(SampleRow).where(
                        SampleRow.collection_id == collection_id,
                        col(SampleRow.parallel_group).in_(part),
                    )
                ).all()
                said = _newest_events(session, [cast(int, row.id) for row in rows])
                for row in rows:
                    sample = mapping.to_sample(row, (), said.get(cast(int, row.id)))
                    found[cast(str, row.parallel_group)].append((sample, row.state == "reviewed"))
        return found


def add_suggestions(
    session: Session,
    made: Sequence[NewSuggestion],
    *,
    job_id: int | None = None,
    bulk_id: int | None = None,
) -> list[int]:
    """Add suggestions inside a transaction; see `Suggestions.add`."""
    there: set[int] = set()
    for part in mapping.chunks([one.sample_key for one in made]):
        query = select(SampleRow.id).where(col(SampleRow.id).in_(part))
        there.update(cast(int, key) for key in session.exec(query))
    kept = [one for one in made if one.sample_key in there]
    ids = mapping.insert_all(
        session,
        SuggestionRow,
        [
            {
                "sample_id": one.sample_key, "model_id": one.model_id, "raw_reply": one.raw_reply,
                "prompt_version": one.prompt_version, "schema_number": one.schema_number,
                "decoding": dict(one.decoding), "seconds": one.seconds, "bulk_id": bulk_id,
                "problems": [problem_to_dict(p) for p in one.problems], "job_id": job_id,
            }
            for one in kept
        ],
    )  # fmt: skip
    owned = [(ident, one.events) for ident, one in zip(ids, kept, strict=True)]
    mapping.add_events(session, "suggestion_id", owned)
    stand_after_suggestions(session, kept)
    return ids


# ---------------------------------------------------------------- private

# Whether its media have words is known when they are read: a text, or a file, is something to try.
_HAS_CONTENT: Any = exists().where(col(SampleTextRow.sample_id) == SampleRow.id) | exists().where(
    col(MediaRow.sample_id) == SampleRow.id, col(MediaRow.file).is_not(None)
)
_DRAFTED: Any = exists().where(col(DraftRow.sample_id) == SampleRow.id)
_REVIEWED: Any = exists().where(col(ReviewRow.sample_id) == SampleRow.id)


def _of_model(model_id: str) -> Any:
    return exists().where(
        col(SuggestionRow.sample_id) == SampleRow.id, col(SuggestionRow.model_id) == model_id
    )


def _wanted(order: Preparation, *, job_id: int | None, failed: Sequence[int]) -> list[Any]:
    """What a sample must meet to be done (still) by a job."""
    wanted = order.wanted if order.wanted.states else replace(order.wanted, states=WAITING)
    found = [*conditions(wanted, order.collection_id, each_text=True), _HAS_CONTENT]
    if failed:
        found.append(col(SampleRow.id).not_in(list(failed)))
    if job_id is not None:
        mine = exists().where(
            col(SuggestionRow.sample_id) == SampleRow.id, col(SuggestionRow.job_id) == job_id
        )
        found.append(~mine)
    if order.untouched:
        newest = (
            select(SuggestionRow.model_id)
            .where(col(SuggestionRow.sample_id) == SampleRow.id)
            .order_by(col(SuggestionRow.id).desc())
            .limit(1)
            .scalar_subquery()
        )
        found += [newest != order.model_id, ~_DRAFTED, ~_REVIEWED]
    elif not order.again:
        found.append(~_of_model(order.model_id))
    return found


def _newest_events(session: Session, keys: Sequence[int]) -> Mapping[int, Any]:
    """The events of the newest review of each sample, else of its newest suggestion."""
    found: dict[int, Any] = {}
    rest = list(keys)
    for owner, table in (("review_id", ReviewRow), ("suggestion_id", SuggestionRow)):
        newest: dict[int, int] = {}
        for part in mapping.chunks(rest):
            key: Any = col(table.sample_id)
            query = select(key, func.max(table.id)).where(key.in_(part)).group_by(key)
            newest.update(cast(Any, session.exec(query).all()))
        events = mapping.events_of(session, cast(Any, owner), list(newest.values()))
        found |= {key: events[ident] for key, ident in newest.items()}
        rest = [key for key in rest if key not in found]
    return found
