"""What the worker does with a job: suggest for one sample, for a queue ahead, or score a model."""

from __future__ import annotations

import logging
from collections.abc import Callable

from core.errors import ArgusError, CancelledError, NotFoundError
from core.ports import Backend
from core.records import JobRecord, ModelRecord, SampleRecord
from train.evaluate import evaluate_model
from train.queue import put_job
from train.registry import model_in_use
from train.runs import throttled
from train.services import Services, open_backend

log = logging.getLogger(__name__)
BATCH = 4  # samples at a time ahead of a queue: a person's request waits for no more than a step


class Interrupted(Exception):
    """A person's request came in while work ahead was done: that work waits."""


class WarmModel:
    """Keeps the last model loaded, since loading takes seconds and asking does not."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._model_id: str | None = None
        self._backend: Backend | None = None

    def get(self, model: ModelRecord) -> Backend:
        """The backend of a model; another one that is loaded gives its memory back first."""
        if self._backend is None or self._model_id != model.id:
            self.release()
            self._backend = open_backend(self._services, model)
            self._model_id = model.id
        return self._backend

    def release(self) -> None:
        """Give the memory back."""
        if self._backend is not None:
            self._backend.close()
        self._backend, self._model_id = None, None


def handle_job(services: Services, warm: WarmModel, job_id: int) -> None:
    """Do one job and write down how it ended; nothing that goes wrong in it stops the worker."""
    jobs = services.store.jobs
    try:
        job = jobs.get(job_id)
    except NotFoundError:
        log.info("job %d is gone", job_id)
        return
    if job.state != "queued":
        return
    jobs.start(job_id)
    handlers: dict[str, Callable[[Services, WarmModel, JobRecord], str]] = {
        "suggest": _suggest, "annotate": _annotate, "evaluate": _evaluate,
    }  # fmt: skip
    try:
        message = handlers[job.kind](services, warm, job)
        jobs.finish(job_id, "done", message)
    except Interrupted:
        jobs.requeue(job_id)
        put_job(services, job_id, job.kind)
    except CancelledError as problem:
        jobs.finish(job_id, "cancelled", str(problem))
    except ArgusError as problem:
        log.warning("job %d (%s): %s", job_id, job.kind, problem)
        jobs.finish(job_id, "failed", str(problem))
    except Exception as problem:
        log.exception("job %d (%s)", job_id, job.kind)
        jobs.finish(job_id, "failed", f"{type(problem).__name__}: {problem}")


def store_suggestion(
    services: Services, backend: Backend, records: list[SampleRecord], step: Callable[[float], None]
) -> None:
    """Suggest for samples of one collection and keep each suggestion."""
    collections = services.store.collections
    collection_id = records[0].collection_id
    schema = collections.schema(collection_id)
    number = next(c.schema_number for c in collections.all() if c.id == collection_id)
    suggested = backend.suggest([r.sample for r in records], schema, on_step=step)
    for record, s in zip(records, suggested, strict=True):
        services.store.samples.add_suggestion(
            record.key, s.events, model_id=backend.model_id, raw_reply=s.raw_reply,
            prompt_version=s.prompt_version, schema_number=number, decoding={},
            problems=s.problems, seconds=s.seconds,
        )  # fmt: skip


def _suggest(services: Services, warm: WarmModel, job: JobRecord) -> str:
    record = services.store.samples.get(job.payload["sample"])
    if not record.sample.text:
        return "there is no text to suggest for"
    backend = warm.get(model_in_use(services, record.collection_id))
    store_suggestion(services, backend, [record], _step(services, job))
    return ""


def _annotate(services: Services, warm: WarmModel, job: JobRecord) -> str:
    collection_id, count = job.payload["collection"], job.payload["count"]
    model = model_in_use(services, collection_id)
    done = 0
    while done < count:
        keys = services.store.samples.without_suggestion(
            collection_id, model_id=model.id, limit=min(BATCH, count - done),
            after=job.payload["after"],
        )  # fmt: skip
        if not keys:
            break
        records = [services.store.samples.get(key) for key in keys]
        _step(services, job, gives_way=True)(done / count)
        store_suggestion(services, warm.get(model), records, _step(services, job, gives_way=True))
        done += len(keys)
    return f"{done} samples prepared"


def _evaluate(services: Services, warm: WarmModel, job: JobRecord) -> str:
    collection_id, split = job.payload["collection"], job.payload["split"]
    models = services.store.models
    for ident in dict.fromkeys([job.payload["model"], model_in_use(services, collection_id).id]):
        model = models.get(ident)
        evaluate_model(
            services, collection_id, split=split, model=model, reuse=True,
            backend=warm.get(model), on_step=_step(services, job),
        )  # fmt: skip
    return ""


def _step(
    services: Services, job: JobRecord, *, gives_way: bool = False
) -> Callable[[float], None]:
    """What a backend calls between steps: keeps the job alive, ends it when asked to."""

    def step(share: float) -> None:
        if services.store.jobs.beat(job.id, progress=share):
            raise CancelledError("cancelled by a person")
        if gives_way and services.store.jobs.open("suggest"):
            raise Interrupted

    return throttled(step, seconds=0.5)
