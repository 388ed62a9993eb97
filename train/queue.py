"""The job queue: what a page asks for, and how the worker gets it.

The database is the truth: each job is a row there, and huey carries only its number. So a lost
queue file loses nothing; the worker queues every open row again when it starts.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from huey import SqliteHuey

from core.records import JobKind
from storage.home import Home
from train.recipes import Recipe
from train.runs import add_run
from train.services import Services

AUDITED = 40  # reviewed samples that a model looks at in one audit
AHEAD = 20  # unreviewed samples that get their suggestion before the person arrives
URGENT, NORMAL, LATER, LAST = 100, 50, 10, 1
PRIORITY: dict[JobKind, int] = {
    "suggest": URGENT,
    "evaluate": NORMAL,
    "fetch": NORMAL,
    "annotate": LATER,
    "refresh": LATER,
    "audit": LAST,
    "embed": LAST,
}
WORKER_SILENT = 15  # seconds without a sign of the worker, after which it counts as stopped


def open_queue(
    home: Home, name: str, handle: Callable[[int], None] | None = None
) -> tuple[SqliteHuey, Callable[..., object]]:
    """The queue `name` ("jobs" or "runs") and the function that puts a number into it.

    `handle` is what the worker does with a number; whoever only asks has none.
    """
    home.root.mkdir(parents=True, exist_ok=True)
    huey = SqliteHuey(name, filename=str(home.queue), results=False, fsync=False)

    @huey.task(name="handle")  # type: ignore[untyped-decorator]
    def put(number: int) -> None:
        if handle is not None:
            handle(number)

    return huey, put


def put_job(services: Services, job_id: int, kind: JobKind) -> None:
    """Hand a job's number to the worker; a person's request overtakes work ahead."""
    _, put = open_queue(services.home, "jobs")
    put(job_id, priority=PRIORITY[kind])


def put_number(services: Services, number: int) -> None:
    """Hand the worker a number that is no job's, before all else."""
    _, put = open_queue(services.home, "jobs")
    put(number, priority=URGENT + 1)


def put_run(services: Services, run_id: int) -> None:
    """Hand a run's number to the worker."""
    _, put = open_queue(services.home, "runs")
    put(run_id)


def request_suggestion(services: Services, sample_key: int) -> int:
    """Ask for a suggestion for the sample that a person has open; returns the job, the one under
    way if there is one."""
    for job in services.store.jobs.open("suggest"):
        if job.payload.get("sample") == sample_key and not job.cancel_requested:
            return job.id
    services.store.samples.get(sample_key)
    job_id = services.store.jobs.add("suggest", {"sample": sample_key})
    put_job(services, job_id, "suggest")
    return job_id


def keep_ahead(services: Services, collection_id: int, *, after: int) -> None:
    """Let the worker prepare the next samples of a person's queue, those after `after` first."""
    if any(j.payload["collection"] == collection_id for j in services.store.jobs.open("annotate")):
        return
    payload = {"collection": collection_id, "after": after, "count": AHEAD}
    put_job(services, services.store.jobs.add("annotate", payload), "annotate")


def start_refresh(services: Services, bulk_id: int) -> int:
    """Queue new suggestions for the samples of a bulk operation; returns the job."""
    payload = {"bulk": bulk_id, "collection": services.store.bulk.get(bulk_id).collection_id}
    job_id = services.store.jobs.add("refresh", payload)
    put_job(services, job_id, "refresh")
    return job_id


def stop_refresh(services: Services, bulk_id: int) -> None:
    """End the making of new suggestions for a bulk operation, before it is undone."""
    for job in services.store.jobs.open("refresh"):
        if job.payload["bulk"] == bulk_id:
            services.store.jobs.cancel(job.id)


def start_run(
    services: Services, collection_id: int, recipe: Recipe, *, person: str | None = None
) -> int:
    """Queue a training run; returns its number. Runs go one after another."""
    run_id = add_run(services, collection_id, recipe)
    services.store.runs.update(run_id, snapshot={"asked_by": person} if person else {})
    put_run(services, run_id)
    return run_id


def start_evaluation(services: Services, collection_id: int, model_id: str, split: str) -> int:
    """Queue the scoring of a model, and of the one in use beside it; returns the job."""
    payload = {"collection": collection_id, "model": model_id, "split": split}
    for job in services.store.jobs.open("evaluate"):
        if job.payload == payload:
            return job.id
    job_id = services.store.jobs.add("evaluate", payload)
    put_job(services, job_id, "evaluate")
    return job_id


def embed_later(services: Services, collection_id: int) -> int:
    """Let the worker look again which samples are alike, and what looks odd, when it has nothing
    else to do; returns the job, the one under way if there is one."""
    return _one_job(services, "embed", {"collection": collection_id})


def start_audit(services: Services, collection_id: int, *, count: int = AUDITED) -> int:
    """Let the model in use look at reviewed samples, so that the radar sees where it is sure of
    another answer; returns the job, the one under way if there is one."""
    return _one_job(services, "audit", {"collection": collection_id, "count": count})


def _one_job(services: Services, kind: JobKind, payload: dict[str, int]) -> int:
    """The open job of a kind for a collection, else a new one."""
    for job in services.store.jobs.open(kind):
        if job.payload.get("collection") == payload["collection"] and not job.cancel_requested:
            return job.id
    job_id = services.store.jobs.add(kind, payload)
    put_job(services, job_id, kind)
    return job_id


def cancel_job(services: Services, job_id: int) -> None:
    """Ask for the end of a job; the worker stops between two steps."""
    services.store.jobs.cancel(job_id)


def cancel_run(services: Services, run_id: int) -> None:
    """Ask for the end of a run; what was learned until then is kept."""
    services.store.runs.cancel(run_id)


def worker_is_alive(services: Services) -> bool:
    """Whether a worker has shown itself within the last seconds."""
    try:
        return time.time() - heartbeat_file(services.home).stat().st_mtime < WORKER_SILENT
    except FileNotFoundError:
        return False


def heartbeat_file(home: Home) -> Path:
    """The file that the worker touches every few seconds."""
    return home.root / "worker.alive"
