"""Suggestions before anybody asks: for all that a filter matches, and ahead of a person in a queue.

What a job has done is read from its suggestions, and each batch is stored with the job's progress in
one transaction. So a worker that is killed at any point does nothing twice and leaves nothing out.
"""

from __future__ import annotations

from core.preparing import Preparation, preparation_from_dict
from core.queues import Queue, filter_from_dict
from core.records import JobRecord, ModelRecord, SampleFilter
from train.making import FIRST_BATCH, Work
from train.registry import model_in_use
from train.services import Services
from train.warm import WarmModel

AHEAD = 20  # samples behind the open one that get their suggestion before the person arrives
WINDOW = 64  # samples that are looked up at once, so that those of one length go together


def prepare(services: Services, warm: WarmModel, job: JobRecord) -> str:
    """Suggest for all that the job's filter matches, up to its limit."""
    order = preparation_from_dict(job.payload)
    model = services.store.models.get(order.model_id)
    services.store.jobs.expect(job.id, _total(services, order, job))
    work, after = Work(services, job, lambda: warm.get(model)), 0
    while keys := _next_keys(services, order, work.job, after):
        records = services.store.samples.list(SampleFilter(keys=keys))
        work.do(sorted(records, key=lambda r: len(r.sample.text or "")))
        after = keys[-1]
    return ""


def annotate(services: Services, warm: WarmModel, job: JobRecord) -> str:
    """Suggest for what comes next in a person's queue, as it is and where they are now."""
    model = model_in_use(services, job.payload["collection"])
    work = Work(services, job, lambda: warm.get(model))
    while keys := _ahead(services, work.job, model):
        services.store.jobs.expect(job.id, work.worked + len(keys))
        records = {r.key: r for r in services.store.samples.list(SampleFilter(keys=keys))}
        work.do([records[key] for key in keys if key in records][:FIRST_BATCH])
        work.job = services.store.jobs.get(job.id)
    return ""


def _total(services: Services, order: Preparation, job: JobRecord) -> int:
    left = services.store.suggestions.count_missing(order, job_id=job.id, failed=_failed(job))
    total = job.done + len(job.failures) + left
    return total if order.limit is None else min(total, order.limit)


def _next_keys(services: Services, order: Preparation, job: JobRecord, after: int) -> list[int]:
    """What is to be done next, behind `after`; at the end what came in before it."""
    room = WINDOW
    if order.limit is not None:
        room = min(WINDOW, order.limit - job.done - len(job.failures))
    if room <= 0:
        return []
    for start in dict.fromkeys((after, 0)):
        keys = services.store.suggestions.missing(
            order, job_id=job.id, failed=_failed(job), after=start, limit=room
        )
        if keys:
            return keys
    return []


def _ahead(services: Services, job: JobRecord, model: ModelRecord) -> list[int]:
    """What the model has not seen yet of what comes next; nothing that failed lately."""
    asked, store = job.payload, services.store
    wanted = filter_from_dict(asked["queue"]["wanted"])
    queue = Queue(
        asked["collection"], asked["queue"]["reason"], wanted, seed=asked["queue"]["seed"]
    )
    keys = store.queues.ahead(queue, asked["after"], person=asked["person"], limit=AHEAD)
    lately = store.jobs.latest("annotate", collection_id=asked["collection"])
    failed = {key for other in lately for key in _failed(other)}
    return [k for k in store.suggestions.unseen(keys, model_id=model.id) if k not in failed]


def _failed(job: JobRecord) -> list[int]:
    return [failure["sample"] for failure in job.failures]
