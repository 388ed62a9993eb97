"""How the worker gets its work: huey carries numbers, and a file says that the worker is alive.

The database is the truth: each job and run is a row there. A lost queue file loses nothing; the
worker queues every open row again when it starts.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import psutil
from huey import SqliteHuey

from core.records import PRIORITY, JobKind
from storage.home import Home
from train.services import Services

FIRST = 1000  # before every job
WORKER_SILENT = 15  # seconds without a sign of the worker, after which it counts as stopped


def open_queue(
    home: Home, name: str, handle: Callable[[int], None] | None = None
) -> tuple[SqliteHuey, Callable[..., object]]:
    """The queue `name` ("jobs", "media" or "runs") and the function that puts a number into it.

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
    _, put = open_queue(services.home, "media" if kind == "media" else "jobs")
    put(job_id, priority=PRIORITY[kind])


def put_number(services: Services, number: int) -> None:
    """Hand the worker a number that is no job's, before all else."""
    _, put = open_queue(services.home, "jobs")
    put(number, priority=FIRST)


def put_run(services: Services, run_id: int) -> None:
    """Hand a run's number to the worker."""
    _, put = open_queue(services.home, "runs")
    put(run_id)


# ---------------------------------------------------------------- the worker's sign of life


def show_life(home: Home) -> None:
    """The worker is alive, and so much memory is its own."""
    heartbeat_file(home).write_text(str(psutil.Process().memory_info().rss), encoding="ascii")


def worker_is_alive(services: Services) -> bool:
    """Whether a worker has shown itself within the last seconds."""
    try:
        return time.time() - heartbeat_file(services.home).stat().st_mtime < WORKER_SILENT
    except FileNotFoundError:
        return False


def worker_memory(services: Services) -> int | None:
    """The bytes of memory that the worker holds, its model with them; None where none runs."""
    if not worker_is_alive(services):
        return None
    try:
        said = heartbeat_file(services.home).read_text(encoding="ascii")
    except FileNotFoundError:  # it has just stopped
        return None
    return int(said) if said else None  # empty while it is being written


def heartbeat_file(home: Home) -> Path:
    """The file that the worker writes every few seconds."""
    return home.root / "worker.alive"
