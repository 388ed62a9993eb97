"""What stands between two steps of a job: its sign of life, and whether it should stop."""

from __future__ import annotations

import time

from core.errors import CancelledError
from core.ports import Step
from core.records import JobRecord
from train.services import Services

LOOK = 0.05  # seconds between two looks whether something more urgent waits
BEAT = 1.0  # seconds between two signs of life


class Interrupted(Exception):
    """Something more urgent came in: this work goes back to the queue."""


class Paused(Exception):
    """A person paused the job: it stays so until somebody resumes it."""


def watch_job(
    services: Services, job: JobRecord, *, gives_way: bool = True, counts: bool = False
) -> Step:
    """What a backend calls between steps: keeps the job alive, ends it when something wants it to.

    `counts`: how far the job is says the number of its samples (`Jobs.keep`), not the share.
    """
    jobs = services.store.jobs
    looked = beaten = 0.0

    def step(share: float) -> None:
        nonlocal looked, beaten
        now = time.monotonic()
        if now - looked < LOOK:
            return
        looked = now
        word = jobs.hear(job.id)
        if word.is_cancelled:
            raise CancelledError("cancelled by a person")
        if not word.is_running:
            raise Paused
        if gives_way and word.is_overtaken:
            raise Interrupted
        if now - beaten >= BEAT:
            beaten = now
            jobs.beat(job.id, progress=None if counts else share)

    return step
