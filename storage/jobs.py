"""Jobs: what a person sees of work in the background, and where it goes on after a crash."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from sqlalchemy import exists, update
from sqlalchemy import select as sqlalchemy_select
from sqlalchemy.engine import Engine
from sqlmodel import Session, col, select

from core.errors import NotFoundError
from core.records import ENDED, PRIORITY, JobKind, JobRecord, NewSuggestion
from storage.database import reading, writing
from storage.suggestions import add_suggestions
from storage.tables import JobRow

AGAIN = timedelta(hours=1)  # after a failure, or once a person has cancelled
_IDLE = ("queued", "waiting", "paused")  # nobody works on it now


@dataclass(frozen=True, slots=True)
class Word:
    """What whoever works on a job should know between two steps."""

    is_running: bool  # not so where a person has paused it
    is_cancelled: bool
    is_overtaken: bool  # something more urgent is queued


class Jobs:
    """What a person sees of work in the background; the worker writes it."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def add(self, kind: JobKind, payload: Mapping[str, Any]) -> int:
        """Write down a job that is about to be queued; returns its id."""
        with writing(self._engine) as session:
            row = JobRow(
                kind=kind, payload=dict(payload), priority=PRIORITY[kind],
                collection_id=payload.get("collection"),
            )  # fmt: skip
            session.add(row)
            session.flush()
            return cast(int, row.id)

    def get(self, job_id: int) -> JobRecord:
        """One job; raises `NotFoundError`."""
        with reading(self._engine) as session:
            return _job(_row(session, job_id))

    def open(
        self, kind: JobKind | None = None, *, collection_id: int | None = None
    ) -> list[JobRecord]:
        """Jobs that have not ended, paused ones too, oldest first."""
        with reading(self._engine) as session:
            query = select(JobRow).where(col(JobRow.state).not_in(ENDED))
            if kind:
                query = query.where(JobRow.kind == kind)
            if collection_id is not None:
                query = query.where(JobRow.collection_id == collection_id)
            return [_job(row) for row in session.exec(query.order_by(col(JobRow.id)))]

    def latest(
        self, kind: JobKind, *, collection_id: int | None = None, limit: int = 20
    ) -> list[JobRecord]:
        """The newest jobs of a kind, newest first."""
        with reading(self._engine) as session:
            query = select(JobRow).where(JobRow.kind == kind).order_by(col(JobRow.id).desc())
            if collection_id is not None:
                query = query.where(JobRow.collection_id == collection_id)
            return [_job(row) for row in session.exec(query.limit(limit))]

    def failed_lately(self, kind: JobKind, *, collection_id: int) -> bool:
        """Whether the newest job of a kind failed, or a person cancelled it, within the last hour:
        it is too early to begin another unasked."""
        last = self.latest(kind, collection_id=collection_id, limit=1)
        if not last or last[0].state not in ("failed", "cancelled"):
            return False
        return datetime.now(UTC) - (last[0].finished or last[0].created) < AGAIN

    def due(self) -> list[JobRecord]:
        """Jobs that waited for a server and should be tried again now."""
        with reading(self._engine) as session:
            query = select(JobRow).where(
                JobRow.state == "waiting", col(JobRow.again) <= datetime.now(UTC)
            )
            return [_job(row) for row in session.exec(query.order_by(col(JobRow.id)))]

    # ------------------------------------------------------------ whoever works on it

    def start(self, job_id: int) -> bool:
        """The worker takes a job out of the queue; returns whether it was still there."""
        now = datetime.now(UTC)
        with writing(self._engine) as session:
            row = _row(session, job_id)
            if row.state != "queued":
                return False
            row.state, row.message, row.heartbeat = "running", "", now
            row.started = row.started or now
            return True

    def expect(self, job_id: int, total: int) -> None:
        """The job is about so many samples."""
        with writing(self._engine) as session:
            row = _row(session, job_id)
            row.total = total
            row.progress = min(1.0, (row.done + len(row.failures)) / max(1, total))

    def hear(self, job_id: int) -> Word:
        """What a person, or more urgent work, wants of whoever works on a job."""
        urgent = exists().where(
            col(JobRow.state) == "queued", col(JobRow.priority) > _own(JobRow.priority, job_id)
        )
        with reading(self._engine) as session:
            row = session.execute(
                sqlalchemy_select(col(JobRow.state), col(JobRow.cancel_requested), urgent).where(
                    col(JobRow.id) == job_id
                )
            ).one_or_none()
        if row is None:
            raise NotFoundError(f"there is no job {job_id}")
        return Word(row[0] == "running", row[1], row[2])

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

    def keep(
        self,
        job_id: int,
        made: Sequence[NewSuggestion],
        *,
        failures: Sequence[Mapping[str, Any]] = (),
        bulk_id: int | None = None,
        seconds: float,
    ) -> JobRecord:
        """Store what a job has made, with how far it is now, in one transaction: after a crash
        either both are there or neither."""
        with writing(self._engine) as session:
            row = _row(session, job_id)
            row.done += len(add_suggestions(session, made, job_id=job_id, bulk_id=bulk_id))
            row.failures = [*row.failures, *map(dict, failures)]
            row.total = max(row.total, row.done + len(row.failures))
            row.progress = (row.done + len(row.failures)) / max(1, row.total)
            row.seconds += seconds
            row.heartbeat, row.tries = datetime.now(UTC), 0
            return _job(row)

    def finish(self, job_id: int, state: str, message: str = "") -> None:
        """The job has ended: done, failed or cancelled."""
        values: dict[str, Any] = {"state": state, "finished": datetime.now(UTC), "message": message}
        if state == "done":
            values["progress"] = 1.0
        self._update(job_id, **values)

    def requeue(self, job_id: int) -> None:
        """The job goes back to the queue, its progress kept."""
        self._update(job_id, state="queued", heartbeat=None)

    def wait(self, job_id: int, message: str, *, until: datetime) -> None:
        """The job cannot go on before `until`, and says why; a paused one stays so."""
        with writing(self._engine) as session:
            row = _row(session, job_id)
            row.message, row.again, row.tries = message, until, row.tries + 1
            row.heartbeat = None
            if row.state == "running":
                row.state = "waiting"

    # ------------------------------------------------------------ people

    def change(self, job_id: int, payload: Mapping[str, Any]) -> None:
        """Give an open job another payload."""
        self._update(job_id, payload=dict(payload))

    def pause(self, job_id: int) -> None:
        """Let a job rest until a person resumes it; whoever works on it stops at the next step."""
        self._move(job_id, (*_IDLE, "running"), "paused")

    def resume(self, job_id: int) -> bool:
        """Put a paused or waiting job back into the queue; returns whether it was one."""
        return self._move(job_id, ("paused", "waiting"), "queued")

    def cancel(self, job_id: int) -> None:
        """Ask for the end of a job; one that nobody works on ends at once."""
        with writing(self._engine) as session:
            row = session.get(JobRow, job_id)
            if row is None or row.state in ENDED:
                return
            row.cancel_requested = True
            if row.state in _IDLE:
                row.state, row.finished = "cancelled", datetime.now(UTC)

    # ------------------------------------------------------------ private

    def _move(self, job_id: int, before: Sequence[str], after: str) -> bool:
        with writing(self._engine) as session:
            moved = session.execute(
                update(JobRow)
                .where(col(JobRow.id) == job_id, col(JobRow.state).in_(before))
                .values(state=after, heartbeat=None)
            )
            return bool(cast(Any, moved).rowcount)

    def _update(self, job_id: int, **values: Any) -> JobRecord:
        with writing(self._engine) as session:
            row = _row(session, job_id)
            for key, value in values.items():
                setattr(row, key, value)
            return _job(row)


def _own(column: Any, job_id: int) -> Any:
    """A column of the job itself, inside a query about others."""
    return select(column).where(JobRow.id == job_id).correlate(None).scalar_subquery()


def _row(session: Session, job_id: int) -> JobRow:
    row = session.get(JobRow, job_id)
    if row is None:
        raise NotFoundError(f"there is no job {job_id}")
    return row


def _job(r: JobRow) -> JobRecord:
    return JobRecord(
        cast(int, r.id), cast(Any, r.kind), cast(Any, r.state), r.collection_id, r.priority,
        r.payload, r.progress, r.total, r.done, r.failures, r.seconds, r.tries, r.again, r.message,
        r.cancel_requested, r.created, r.started, r.heartbeat, r.finished,
    )  # fmt: skip
