"""Training runs and their losses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, cast

from sqlalchemy import delete, insert
from sqlalchemy.engine import Engine
from sqlmodel import col, select

from core.errors import NotFoundError
from core.records import ENDED, LossPoint, RunRecord, RunState
from storage.database import reading, writing
from storage.tables import LossRow, ModelRow, RunRow


class Runs:
    """Training runs; the run's own process writes its steps and heartbeat."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def add(
        self,
        collection_id: int,
        *,
        base_id: str,
        recipe: Mapping[str, Any],
        sweep: str | None = None,
        continues: int | None = None,
        launch: str = "one_cpu",
        mean_of: Sequence[int] = (),
    ) -> int:
        """Write down a run that is about to start; returns its id."""
        with writing(self._engine) as session:
            row = RunRow(
                collection_id=collection_id, base_id=base_id, recipe=dict(recipe), sweep=sweep,
                continues=continues, launch=launch, mean_of=list(mean_of),
            )  # fmt: skip
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
            query = select(RunRow).where(col(RunRow.state).not_in(ENDED))
            return [_run(row) for row in session.exec(query.order_by(col(RunRow.id)))]

    def update(self, run_id: int, **values: Any) -> RunRecord:
        """Change fields of a run; sets the heartbeat."""
        with writing(self._engine) as session:
            row = session.get(RunRow, run_id)
            if row is None:
                raise NotFoundError(f"there is no run {run_id}: it may have been deleted")
            for key, value in {"heartbeat": datetime.now(UTC), **values}.items():
                setattr(row, key, value)
            return _run(row)

    def finish(self, run_id: int, state: RunState, reason: str = "") -> None:
        """The run has ended, and why."""
        self.update(run_id, state=state, reason=reason, finished=datetime.now(UTC))

    def cancel(self, run_id: int, *, keep: bool = True) -> None:
        """Ask for the end of a run, with what was learned kept as a candidate or (`keep` false) left
        in its last checkpoint; one that nobody has started ends at once."""
        with writing(self._engine) as session:
            row = session.get(RunRow, run_id)
            if row is None or row.state in ENDED:
                return
            row.cancel_requested, row.pause_requested = True, not keep
            if row.state in ("queued", "paused"):
                row.state, row.finished = "cancelled", datetime.now(UTC)
                row.reason = (
                    "cancelled while it waited" if row.step else "cancelled before it began"
                )

    def pause(self, run_id: int) -> None:
        """Ask a run to write a checkpoint and wait; one that nobody has started waits at once."""
        with writing(self._engine) as session:
            row = session.get(RunRow, run_id)
            if row is None or row.state in (*ENDED, "paused"):
                return
            if row.state == "queued":
                row.state = "paused"
            else:
                row.pause_requested = True

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
                            "tokens_per_second": p.tokens_per_second, "memory": p.memory,
                            "eval_loss": p.eval_loss, "tr": p.tr, "arg": p.arg,
                        }
                        for p in points
                    ],
                )  # fmt: skip

    def losses(self, run_id: int) -> list[LossPoint]:
        """The logged steps of a run, in order."""
        with reading(self._engine) as session:
            query = select(LossRow).where(LossRow.run_id == run_id).order_by(col(LossRow.step))
            return [
                LossPoint(
                    r.step, r.epoch, r.loss, r.learning_rate, r.tokens_per_second, r.seconds,
                    r.memory, r.eval_loss, r.tr, r.arg,
                )
                for r in session.exec(query)
            ]  # fmt: skip

    def drop_losses(self, run_id: int, *, after: int) -> None:
        """Forget the logged steps after one: the run goes on from there."""
        with writing(self._engine) as session:
            session.execute(
                delete(LossRow).where(col(LossRow.run_id) == run_id, col(LossRow.step) > after)
            )

    def copy_losses(self, run_id: int, *, to: int, until: int) -> None:
        """Give a run the logged steps of the one that it continues."""
        self.add_losses(to, [p for p in self.losses(run_id) if p.step <= until])

    def delete(self, run_id: int) -> None:
        """Forget a run and its losses. Its model stays, marked deleted, since suggestions name it."""
        with writing(self._engine) as session:
            for model in session.exec(select(ModelRow).where(ModelRow.run_id == run_id)):
                model.run_id, model.state = None, "deleted"
            session.flush()
            session.execute(delete(LossRow).where(col(LossRow.run_id) == run_id))
            session.execute(delete(RunRow).where(col(RunRow.id) == run_id))


def _run(r: RunRow) -> RunRecord:
    return RunRecord(
        cast(int, r.id), r.collection_id, cast(Any, r.state), r.base_id, r.recipe, r.snapshot,
        r.model_id, r.step, r.total_steps, r.reason, r.folder, r.cancel_requested, r.created,
        r.started, r.heartbeat, r.finished, r.sweep, r.pause_requested, r.continues, r.launch,
        tuple(r.mean_of),
    )  # fmt: skip
