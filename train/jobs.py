"""What the worker does with a job: suggest for one sample or a queue ahead, score a model, look
which samples are alike, or audit reviewed ones."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import asdict

from core.errors import ArgusError, CancelledError, NotFoundError
from core.ports import Backend
from core.records import JobKind, JobRecord, ModelRecord, SampleFilter, SampleRecord
from train.evaluate import evaluate_model
from train.queue import put_job
from train.radar import refresh_radar
from train.registry import model_in_use
from train.runs import throttled
from train.services import Services, open_backend
from train.similar import embed_collection, the_embedder
from train.suggesting import suggest_events

log = logging.getLogger(__name__)
WAITED_FOR: tuple[JobKind, ...] = ("suggest",)  # a person sits before the screen
MORE_URGENT: tuple[JobKind, ...] = ("suggest", "annotate", "evaluate")
BATCH = 4  # samples at a time ahead of a queue: a person's request waits for no more than a step


class Interrupted(Exception):
    """Something more urgent came in while work ahead was done: that work waits."""


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

    def prepare(self) -> None:
        """Load the model that is most likely asked for, so that the first to ask need not wait."""
        collections = self._services.store.collections.all()
        if collections and self._backend is None:
            self.get(model_in_use(self._services, collections[-1].id))

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
        "refresh": _refresh, "embed": _embed, "audit": _audit,
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
    services: Services,
    backend: Backend,
    records: list[SampleRecord],
    step: Callable[[float], None],
    *,
    bulk_id: int | None = None,
) -> None:
    """Suggest for samples of one collection and keep each suggestion."""
    collections = services.store.collections
    collection_id = records[0].collection_id
    schema = collections.schema(collection_id)
    number = next(c.schema_number for c in collections.all() if c.id == collection_id)
    suggested = suggest_events(
        services, backend, collection_id, [r.sample for r in records], schema, on_step=step
    )
    for record, s in zip(records, suggested, strict=True):
        services.store.samples.add_suggestion(
            record.key, s.events, model_id=backend.model_id, raw_reply=s.raw_reply,
            prompt_version=s.prompt_version, schema_number=number,
            decoding=asdict(backend.decoding),
            problems=s.problems, seconds=s.seconds, bulk_id=bulk_id,
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
        records = services.store.samples.list(SampleFilter(keys=keys))
        _step(services, job, gives_way=WAITED_FOR)(done / count)
        store_suggestion(
            services, warm.get(model), records, _step(services, job, gives_way=WAITED_FOR)
        )
        done += len(keys)
    return f"{done} samples prepared"


def _refresh(services: Services, warm: WarmModel, job: JobRecord) -> str:
    """New suggestions for the samples of a bulk operation; goes on where it was cut short."""
    bulk_id, store = job.payload["bulk"], services.store
    model = model_in_use(services, job.payload["collection"])
    count, step = store.bulk.get(bulk_id).done, _step(services, job, gives_way=WAITED_FOR)
    keys = store.bulk.unrefreshed(bulk_id)
    for at in range(0, len(keys), BATCH):
        records = store.samples.list(SampleFilter(keys=keys[at : at + BATCH]))
        before = count - len(keys) + at
        step(before / max(1, count))

        def within(share: float, before: int = before, size: int = len(records)) -> None:
            step((before + share * size) / max(1, count))

        if records:
            store_suggestion(services, warm.get(model), records, within, bulk_id=bulk_id)
    return f"{len(keys)} samples looked at again"


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


def _embed(services: Services, warm: WarmModel, job: JobRecord) -> str:
    collection_id = job.payload["collection"]
    step = _step(services, job, gives_way=MORE_URGENT)
    new = embed_collection(services, collection_id, step=step)
    odd = refresh_radar(services, collection_id)
    return f"{new} texts read by {the_embedder().name}; {odd} samples look odd"


def _audit(services: Services, warm: WarmModel, job: JobRecord) -> str:
    collection_id, count = job.payload["collection"], job.payload["count"]
    model = model_in_use(services, collection_id)
    samples, step = services.store.samples, _step(services, job, gives_way=MORE_URGENT)
    done = round(job.progress * count)  # of an earlier start that gave way
    keys = services.store.radar.unaudited(collection_id, model.id, limit=count - done)
    for at in range(0, len(keys), BATCH):
        records = samples.list(SampleFilter(keys=keys[at : at + BATCH]))
        step((done + at) / count)

        def within(share: float, before: int = done + at, size: int = len(records)) -> None:
            step((before + share * size) / count)

        store_suggestion(services, warm.get(model), records, within)
    odd = refresh_radar(services, collection_id)
    return f"{len(keys)} reviewed samples looked at by {model.id}; {odd} look odd"


def _step(
    services: Services, job: JobRecord, *, gives_way: Sequence[JobKind] = ()
) -> Callable[[float], None]:
    """What a backend calls between steps: keeps the job alive, ends it when asked to."""

    def step(share: float) -> None:
        if services.store.jobs.beat(job.id, progress=share):
            raise CancelledError("cancelled by a person")
        if any(services.store.jobs.open(kind) for kind in gives_way):
            raise Interrupted

    return throttled(step, seconds=0.5)
