"""Jobs, models, training runs, evaluations and promotions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from sqlalchemy import delete, insert
from sqlalchemy.engine import Engine
from sqlmodel import col, select

from core.errors import NotFoundError
from core.records import (
    EvaluationRecord,
    JobKind,
    JobRecord,
    LossPoint,
    ModelRecord,
    ModelState,
    PromotionRecord,
    RunRecord,
    RunState,
)
from storage.database import reading, writing
from storage.tables import EvaluationRow, JobRow, LossRow, ModelRow, PromotionRow, RunRow

ALIVE = timedelta(seconds=30)  # without a heartbeat for longer, whoever did the work is gone
_ENDED = ("done", "failed", "cancelled")


class Jobs:
    """What a person sees of work in the background; the worker writes it."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def add(self, kind: JobKind, payload: Mapping[str, Any]) -> int:
        """Write down a job that is about to be queued; returns its id."""
        with writing(self._engine) as session:
            row = JobRow(kind=kind, payload=dict(payload))
            session.add(row)
            session.flush()
            return cast(int, row.id)

    def get(self, job_id: int) -> JobRecord:
        """One job; raises `NotFoundError`."""
        with reading(self._engine) as session:
            row = session.get(JobRow, job_id)
            if row is None:
                raise NotFoundError(f"there is no job {job_id}")
            return _job(row)

    def open(self, kind: JobKind | None = None) -> list[JobRecord]:
        """Jobs queued or running, oldest first."""
        with reading(self._engine) as session:
            query = select(JobRow).where(col(JobRow.state).not_in(_ENDED))
            if kind:
                query = query.where(JobRow.kind == kind)
            return [_job(row) for row in session.exec(query.order_by(col(JobRow.id)))]

    def latest(self, kind: JobKind, *, limit: int = 20) -> list[JobRecord]:
        """The newest jobs of a kind, newest first."""
        with reading(self._engine) as session:
            query = select(JobRow).where(JobRow.kind == kind).order_by(col(JobRow.id).desc())
            return [_job(row) for row in session.exec(query.limit(limit))]

    def start(self, job_id: int) -> None:
        """The worker has taken the job."""
        now = datetime.now(UTC)
        self._update(job_id, state="running", started=now, heartbeat=now)

    def beat(
        self, job_id: int, *, progress: float | None = None, message: str | None = None
    ) -> bool:
        """Say that the job is alive and how far it is; returns whether a person asked to cancel."""
        values: dict[str, Any] = {"heartbeat": datetime.now(UTC)}
        if progress is not None:
            values["progress"] = min(1.0, max(0.0, progress))
        if message is not None:
            values["message"] = message
        return self._update(job_id, **values).cancel_requested

    def finish(self, job_id: int, state: str, message: str = "") -> None:
        """The job has ended: done, failed or cancelled."""
        values: dict[str, Any] = {"state": state, "finished": datetime.now(UTC), "message": message}
        if state == "done":
            values["progress"] = 1.0
        self._update(job_id, **values)

    def requeue(self, job_id: int) -> None:
        """The job goes back to the queue, its progress kept."""
        self._update(job_id, state="queued", heartbeat=None)

    def cancel(self, job_id: int) -> None:
        """Ask for the end of a job; one that nobody has started ends at once."""
        with writing(self._engine) as session:
            row = session.get(JobRow, job_id)
            if row is None or row.state in _ENDED:
                return
            row.cancel_requested = True
            if row.state == "queued":
                row.state, row.finished = "cancelled", datetime.now(UTC)

    def _update(self, job_id: int, **values: Any) -> JobRecord:
        with writing(self._engine) as session:
            row = session.get(JobRow, job_id)
            if row is None:
                raise NotFoundError(f"there is no job {job_id}")
            for key, value in values.items():
                setattr(row, key, value)
            return _job(row)


class Models:
    """Base models, adapters, their evaluations, and which one a collection uses."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def add(
        self,
        model_id: str,
        *,
        title: str,
        state: ModelState,
        location: str,
        base_id: str | None = None,
        collection_id: int | None = None,
        is_remote: bool = False,
        run_id: int | None = None,
        terms: str = "",
        manifest: Mapping[str, Any] | None = None,
    ) -> ModelRecord:
        """Register a model; one with this id is replaced."""
        with writing(self._engine) as session:
            row = session.merge(
                ModelRow(
                    id=model_id,
                    title=title,
                    state=state,
                    base_id=base_id,
                    location=location,
                    collection_id=collection_id,
                    is_remote=is_remote,
                    run_id=run_id,
                    terms=terms,
                    manifest=dict(manifest or {}),
                )
            )
            session.flush()
            return _model(row)

    def get(self, model_id: str) -> ModelRecord:
        """One model; raises `NotFoundError` that names those there are."""
        with reading(self._engine) as session:
            row = session.get(ModelRow, model_id)
            if row is None:
                names = ", ".join(m.id for m in self.all()) or "none"
                raise NotFoundError(f"there is no model {model_id!r} (there are: {names})")
            return _model(row)

    def all(self, *, collection_id: int | None = None) -> list[ModelRecord]:
        """Every model that a collection can use: bases first, then its adapters, newest first."""
        with reading(self._engine) as session:
            query = select(ModelRow)
            if collection_id is not None:
                query = query.where(
                    col(ModelRow.collection_id).is_(None)
                    | (ModelRow.collection_id == collection_id)
                )
            rows = session.exec(query.order_by(col(ModelRow.created).desc())).all()
            return sorted((_model(r) for r in rows), key=lambda m: not m.is_base)

    def set_state(self, model_id: str, state: str) -> None:
        """Change a model's state."""
        with writing(self._engine) as session:
            row = session.get(ModelRow, model_id)
            if row is None:
                raise NotFoundError(f"there is no model {model_id!r}")
            row.state = state

    def in_use(self, collection_id: int) -> str | None:
        """The id of the model last promoted in a collection, or None where none ever was."""
        history = self.promotions(collection_id, limit=1)
        return history[0].model_id if history else None

    def promote(
        self,
        collection_id: int,
        model_id: str,
        *,
        previous_id: str,
        person: str | None,
        reason: str,
        scores: Mapping[str, Any],
    ) -> None:
        """Put a model in use and retire the one before; a base model keeps its state."""
        with writing(self._engine) as session:
            for ident, state in ((previous_id, "retired"), (model_id, "promoted")):
                row = session.get(ModelRow, ident)
                if row is not None and row.base_id is not None:
                    row.state = state
            session.add(
                PromotionRow(
                    collection_id=collection_id,
                    model_id=model_id,
                    previous_id=previous_id,
                    person=person,
                    reason=reason,
                    scores=dict(scores),
                )
            )

    def promotions(self, collection_id: int, *, limit: int = 50) -> list[PromotionRecord]:
        """Who put which model in use when, newest first."""
        with reading(self._engine) as session:
            query = select(PromotionRow).where(PromotionRow.collection_id == collection_id)
            rows = session.exec(query.order_by(col(PromotionRow.id).desc()).limit(limit))
            return [
                PromotionRecord(
                    cast(int, r.id), r.collection_id, r.model_id, r.previous_id, r.person, r.reason,
                    r.scores, r.created,
                )
                for r in rows
            ]  # fmt: skip

    def add_evaluation(
        self,
        *,
        collection_id: int,
        model_id: str,
        split: str,
        test_hash: str,
        samples: int,
        scores: Mapping[str, Any],
        worst: Sequence[Mapping[str, Any]],
        settings: Mapping[str, Any],
        seconds: float,
    ) -> int:
        """Keep the scores of a model on exactly these samples; returns the evaluation's id."""
        with writing(self._engine) as session:
            row = EvaluationRow(
                collection_id=collection_id, model_id=model_id, split=split, test_hash=test_hash,
                samples=samples, scores=dict(scores), worst=[dict(w) for w in worst],
                settings=dict(settings), seconds=seconds,
            )  # fmt: skip
            session.add(row)
            session.flush()
            return cast(int, row.id)

    def evaluations(
        self,
        collection_id: int,
        *,
        model_id: str | None = None,
        split: str | None = None,
        test_hash: str | None = None,
    ) -> list[EvaluationRecord]:
        """Evaluations in a collection, newest first."""
        with reading(self._engine) as session:
            query = select(EvaluationRow).where(EvaluationRow.collection_id == collection_id)
            for column, value in (
                (EvaluationRow.model_id, model_id),
                (EvaluationRow.split, split),
                (EvaluationRow.test_hash, test_hash),
            ):
                if value is not None:
                    query = query.where(column == value)
            return [
                EvaluationRecord(
                    cast(int, r.id), r.collection_id, r.model_id, r.split, r.test_hash, r.samples,
                    r.scores, r.worst, r.settings, r.seconds, r.created,
                )
                for r in session.exec(query.order_by(col(EvaluationRow.id).desc()))
            ]  # fmt: skip


class Runs:
    """Training runs; the run's own process writes its steps and heartbeat."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def add(self, collection_id: int, *, base_id: str, recipe: Mapping[str, Any]) -> int:
        """Write down a run that is about to start; returns its id."""
        with writing(self._engine) as session:
            row = RunRow(collection_id=collection_id, base_id=base_id, recipe=dict(recipe))
            session.add(row)
            session.flush()
            return cast(int, row.id)

    def get(self, run_id: int) -> RunRecord:
        """One run; raises `NotFoundError`."""
        with reading(self._engine) as session:
            row = session.get(RunRow, run_id)
            if row is None:
                raise NotFoundError(f"there is no run {run_id}: it may have been deleted")
            return _run(row)

    def all(self, collection_id: int | None = None) -> list[RunRecord]:
        """Runs of a collection, or of all, newest first."""
        with reading(self._engine) as session:
            query = select(RunRow).order_by(col(RunRow.id).desc())
            if collection_id is not None:
                query = query.where(RunRow.collection_id == collection_id)
            return [_run(row) for row in session.exec(query)]

    def open(self) -> list[RunRecord]:
        """Runs that wait or run, oldest first."""
        with reading(self._engine) as session:
            query = select(RunRow).where(col(RunRow.state).not_in(_ENDED))
            return [_run(row) for row in session.exec(query.order_by(col(RunRow.id)))]

    def update(self, run_id: int, **values: Any) -> RunRecord:
        """Change fields of a run; sets the heartbeat."""
        with writing(self._engine) as session:
            row = session.get(RunRow, run_id)
            if row is None:
                raise NotFoundError(f"there is no run {run_id}: it may have been deleted")
            for key, value in values.items():
                setattr(row, key, value)
            row.heartbeat = datetime.now(UTC)
            return _run(row)

    def finish(self, run_id: int, state: RunState, reason: str = "") -> None:
        """The run has ended, and why."""
        self.update(run_id, state=state, reason=reason, finished=datetime.now(UTC))

    def cancel(self, run_id: int) -> None:
        """Ask for the end of a run; one that nobody has started ends at once."""
        with writing(self._engine) as session:
            row = session.get(RunRow, run_id)
            if row is None or row.state in _ENDED:
                return
            row.cancel_requested = True
            if row.state == "queued":
                row.state, row.finished = "cancelled", datetime.now(UTC)
                row.reason = "cancelled before it began"

    def add_losses(self, run_id: int, points: Sequence[LossPoint]) -> None:
        """Add logged steps."""
        if points:
            with writing(self._engine) as session:
                session.execute(
                    insert(LossRow),
                    [
                        {
                            "run_id": run_id, "step": p.step, "epoch": p.epoch, "loss": p.loss,
                            "learning_rate": p.learning_rate, "seconds": p.seconds,
                            "tokens_per_second": p.tokens_per_second,
                        }
                        for p in points
                    ],
                )  # fmt: skip

    def losses(self, run_id: int) -> list[LossPoint]:
        """The logged steps of a run, in order."""
        with reading(self._engine) as session:
            query = select(LossRow).where(LossRow.run_id == run_id).order_by(col(LossRow.step))
            return [
                LossPoint(r.step, r.epoch, r.loss, r.learning_rate, r.tokens_per_second, r.seconds)
                for r in session.exec(query)
            ]

    def delete(self, run_id: int) -> None:
        """Forget a run and its losses. Its model stays, marked deleted, since suggestions name it."""
        with writing(self._engine) as session:
            for model in session.exec(select(ModelRow).where(ModelRow.run_id == run_id)):
                model.run_id, model.state = None, "deleted"
            session.flush()
            session.execute(delete(LossRow).where(col(LossRow.run_id) == run_id))
            session.execute(delete(RunRow).where(col(RunRow.id) == run_id))


def is_alive(record: JobRecord | RunRecord) -> bool:
    """Whether whoever does this work has been heard of lately."""
    return record.heartbeat is not None and datetime.now(UTC) - record.heartbeat < ALIVE


def _job(r: JobRow) -> JobRecord:
    return JobRecord(
        cast(int, r.id), cast(Any, r.kind), cast(Any, r.state), r.payload, r.progress, r.message,
        r.cancel_requested, r.created, r.started, r.heartbeat, r.finished,
    )  # fmt: skip


def _model(r: ModelRow) -> ModelRecord:
    return ModelRecord(
        r.id, r.title, cast(Any, r.state), r.base_id, r.collection_id, r.location, r.is_remote,
        r.run_id, r.terms, r.manifest, r.created,
    )  # fmt: skip


def _run(r: RunRow) -> RunRecord:
    return RunRecord(
        cast(int, r.id), r.collection_id, cast(Any, r.state), r.base_id, r.recipe, r.snapshot,
        r.model_id, r.step, r.total_steps, r.reason, r.folder, r.cancel_requested, r.created,
        r.started, r.heartbeat, r.finished,
    )  # fmt: skip
