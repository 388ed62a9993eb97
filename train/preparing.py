"""Suggestions prepared for a filter, and renewed after a promotion: started, paused, resumed."""

from __future__ import annotations

from dataclasses import dataclass

from core.preparing import Preparation, check_preparation, preparation_to_dict
from core.records import JobKind, SampleFilter
from train.carrier import put_job
from train.services import Services


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a preparation would do; `seconds` by what the model took before, None where unknown."""

    count: int
    seconds: float | None


def estimate_preparation(services: Services, order: Preparation) -> Estimate:
    """How many samples an order is for now, and how long it takes."""
    suggestions = services.store.suggestions
    count = suggestions.count_missing(check_preparation(order))
    count = count if order.limit is None else min(count, order.limit)
    pace = suggestions.pace(order.model_id)
    return Estimate(count, None if pace is None else pace * count)


def start_preparation(services: Services, order: Preparation, *, person: str | None = None) -> int:
    """Let the worker suggest for what a filter matches; returns the job."""
    return _start(services, "prepare", check_preparation(order), person)


def renew_suggestions(services: Services, collection_id: int, model_id: str) -> int | None:
    """Let the model that was put in use look again, when the worker has nothing else to do, at what
    nobody has touched; returns the job, None where there is nothing of that kind.

    What an earlier promotion began is not wanted any more.
    """
    jobs = services.store.jobs
    for job in jobs.open("renew", collection_id=collection_id):
        jobs.cancel(job.id)
    untouched = SampleFilter(states=("suggested",))
    order = Preparation(collection_id, model_id, untouched, untouched=True)
    if not services.store.suggestions.count_missing(order):
        return None
    return _start(services, "renew", order, None)


def pause_job(services: Services, job_id: int) -> None:
    """Let a job rest; what it has made stays."""
    services.store.jobs.pause(job_id)


def resume_job(services: Services, job_id: int) -> None:
    """Let a paused job go on, or one that waits for a server try at once."""
    job = services.store.jobs.get(job_id)
    if services.store.jobs.resume(job_id):
        put_job(services, job_id, job.kind)


def _start(services: Services, kind: JobKind, order: Preparation, person: str | None) -> int:
    services.store.models.get(order.model_id)
    payload = preparation_to_dict(order) | {"person": person}
    job_id = services.store.jobs.add(kind, payload)
    put_job(services, job_id, kind)
    return job_id
