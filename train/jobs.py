"""What the worker does with a job: suggest for one sample or for many, score a model, look which
samples are alike, audit reviewed ones, or write a model for use elsewhere."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

from core.errors import ArgusError, CancelledError, ModelError, ModelUnreachable, NotFoundError
from core.records import JobKind, JobRecord, ModelRecord, SampleFilter
from core.strategy import strategy_from_dict
from train.ahead import annotate, prepare
from train.artefacts import export_folder, export_model
from train.calibrating import DEV_PER_LANGUAGE, can_ask_dev, refit
from train.carrier import put_job
from train.comparing import Partial, compare_strategies
from train.embedding import embed_collection, the_embedder
from train.evaluate import evaluate_model
from train.making import Work, is_blank, make_suggestions, why_blank
from train.measure import measure_apart
from train.media import prepare_job
from train.radar import refresh_radar
from train.registry import model_in_use
from train.remember import Remembering, Said
from train.services import Services
from train.transcribing import transcribe_job, transcribe_later
from train.warm import WarmModel
from train.watch import Interrupted, Paused, watch_job

log = logging.getLogger(__name__)
# What nobody sits and waits for: it waits itself while the model's server does not answer.
PATIENT: tuple[JobKind, ...] = ("annotate", "prepare", "renew", "refresh", "audit", "compare")
FIRST_WAIT, LONGEST_WAIT = (
    5,
    300,
)  # seconds until such a job is tried again; twice as many each time
Handler = Callable[[Services, WarmModel, JobRecord], str]


def handle_job(services: Services, warm: WarmModel, job_id: int) -> None:
    """Do one job and write down how it ended; nothing that goes wrong in it stops the worker."""
    jobs = services.store.jobs
    try:
        if not jobs.start(job_id):
            return
    except NotFoundError:
        log.info("job %d is gone", job_id)
        return
    job = jobs.get(job_id)
    try:
        message = _HANDLERS[job.kind](services, warm, job)
        jobs.finish(job_id, "done", message)
        if job.kind == "media":
            transcribe_later(services, job.payload["collection"])
    except Interrupted:
        jobs.requeue(job_id)
        _put_queued(services)
    except Paused:
        log.info("job %d (%s) was paused", job_id, job.kind)
    except CancelledError as problem:
        jobs.finish(job_id, "cancelled", str(problem))
    except ModelUnreachable as problem:
        _wait_or_fail(services, job, problem)
    except ArgusError as problem:
        log.warning("job %d (%s): %s", job_id, job.kind, problem)
        jobs.finish(job_id, "failed", str(problem))
    except Exception as problem:
        log.exception("job %d (%s)", job_id, job.kind)
        jobs.finish(job_id, "failed", f"{type(problem).__name__}: {problem}")


def queue_due(services: Services) -> None:
    """Queue again what has waited long enough for a server."""
    jobs = services.store.jobs
    for job in jobs.due():
        if jobs.resume(job.id):
            put_job(services, job.id, job.kind)


# ---------------------------------------------------------------- how a job ends or goes on


def _wait_or_fail(services: Services, job: JobRecord, problem: ModelUnreachable) -> None:
    """Try again later, a little later each time; where a person waits, say so at once."""
    if job.kind not in PATIENT:
        services.store.jobs.finish(job.id, "failed", str(problem))
        return
    tries = services.store.jobs.get(job.id).tries
    seconds = min(LONGEST_WAIT, FIRST_WAIT * 2 ** min(tries, 10))
    log.warning("job %d (%s) waits %d s: %s", job.id, job.kind, seconds, problem)
    until = datetime.now(UTC) + timedelta(seconds=seconds)
    services.store.jobs.wait(job.id, str(problem), until=until)


def _put_queued(services: Services) -> None:
    """Hand over every queued number, the urgent ones first: should one have been lost on its way, the
    job that gave way to it would do so for ever. A number too many is no harm."""
    for job in services.store.jobs.open():
        if job.state == "queued":
            put_job(services, job.id, job.kind)


# ---------------------------------------------------------------- one function a kind


def _suggest(services: Services, warm: WarmModel, job: JobRecord) -> str:
    record = services.store.samples.get(job.payload["sample"])
    backend = warm.get(model_in_use(services, record.collection_id))
    step = watch_job(services, job, gives_way=False)
    made = make_suggestions(services, backend, [record], step)
    if is_blank(made[0]):
        raise ModelError(why_blank(made[0]))  # a person waits: failed jobs say why
    services.store.jobs.keep(job.id, made, seconds=made[0].seconds)
    return ""


def _refresh(services: Services, warm: WarmModel, job: JobRecord) -> str:
    """New suggestions for the samples of a bulk operation; goes on where it was cut short."""
    bulk_id, store = job.payload["bulk"], services.store
    model = model_in_use(services, job.payload["collection"])
    store.jobs.expect(job.id, store.bulk.get(bulk_id).done)
    work = Work(services, job, lambda: warm.get(model), bulk_id=bulk_id)
    _do_all(services, work, store.bulk.unrefreshed(bulk_id))
    return f"{work.job.done} samples looked at again"


def _audit(services: Services, warm: WarmModel, job: JobRecord) -> str:
    collection_id, count = job.payload["collection"], job.payload["count"]
    model, store = model_in_use(services, collection_id), services.store
    work = Work(services, job, lambda: warm.get(model))
    store.jobs.expect(job.id, count)
    _do_all(
        services, work, store.radar.unaudited(collection_id, model.id, limit=count - work.worked)
    )
    odd = refresh_radar(services, collection_id)
    return f"{work.job.done} reviewed samples looked at by {model.id}; {odd} look odd"


def _do_all(services: Services, work: Work, keys: Sequence[int]) -> None:
    keys = [key for key in keys if key not in work.failed]
    if keys:
        work.do(services.store.samples.list(SampleFilter(keys=keys)))


def _evaluate(services: Services, warm: WarmModel, job: JobRecord) -> str:
    collection_id, split = job.payload["collection"], job.payload["split"]
    models = services.store.models
    for ident in dict.fromkeys([job.payload["model"], model_in_use(services, collection_id).id]):
        model = models.get(ident)
        evaluate_model(
            services, collection_id, split=split, model=model, reuse=True,
            backend=_remembering(warm, model, job), on_step=watch_job(services, job),
        )  # fmt: skip
    _SAID.clear()
    return ""


def _compare(services: Services, warm: WarmModel, job: JobRecord) -> str:
    """Score ways of asking a model; goes on where it was cut short."""
    asked = job.payload
    model = services.store.models.get(asked["model"])
    if job.id not in _COMPARED:
        _COMPARED.clear()
    compare_strategies(
        services, asked["collection"], model, [strategy_from_dict(s) for s in asked["strategies"]],
        backend=warm.get(model), name=f"job {job.id}", per_language=asked["per_language"],
        partial=_COMPARED.setdefault(job.id, {}), on_step=watch_job(services, job),
    )  # fmt: skip
    _COMPARED.clear()
    return f"{len(asked['strategies'])} ways of asking {model.id} compared"


def _calibrate(services: Services, warm: WarmModel, job: JobRecord) -> str:
    """Fit a model's curves; one with its weights here is first asked about dev, if it never was."""
    collection_id = job.payload["collection"]
    model, step = services.store.models.get(job.payload["model"]), watch_job(services, job)
    if can_ask_dev(services, collection_id, model):
        evaluate_model(  # fits the curves at its end
            services, collection_id, split="dev", model=model, per_language=DEV_PER_LANGUAGE,
            backend=_remembering(warm, model, job), on_step=step,
        )  # fmt: skip
        _SAID.clear()
    else:
        refit(services, collection_id, model.id, step=step)
    return ""


def _export(services: Services, warm: WarmModel, job: JobRecord) -> str:
    """Write a model for use elsewhere, over what was exported of it in this form before."""
    model, form = services.store.models.get(job.payload["model"]), job.payload["form"]
    if form == "merged":
        warm.release()  # there may be no room for two; it comes back when it is asked
    folder = export_model(
        services, model, export_folder(services.home, model.id, form), form=form, replace=True,
        on_step=watch_job(services, job, gives_way=False),
    )  # fmt: skip
    return str(folder)


def _measure(services: Services, _warm: WarmModel, job: JobRecord) -> str:
    """A few steps of a recipe, and their figures written down with the job."""
    step = watch_job(services, job)
    found = measure_apart(services, job.payload["collection"], job.payload["recipe"], step=step)
    services.store.jobs.change(job.id, {**job.payload, **found})
    return f"{found['tokens_per_second']:.0f} tokens a second"


def _embed(services: Services, warm: WarmModel, job: JobRecord) -> str:
    collection_id = job.payload["collection"]
    step = watch_job(services, job)
    new = embed_collection(services, collection_id, step=step)
    odd = refresh_radar(services, collection_id)
    return f"{new} texts read by {the_embedder().name}; {odd} samples look odd"


def _remembering(warm: WarmModel, model: ModelRecord, job: JobRecord) -> Remembering:
    """The model, with what it said already for this job, before that gave way."""
    if job.id not in _SAID:
        _SAID.clear()
    return Remembering(warm.get(model), _SAID.setdefault(job.id, {}))


_SAID: dict[int, Said] = {}
_COMPARED: dict[int, Partial] = {}  # what a comparison that gave way has answered already
_HANDLERS: dict[JobKind, Handler] = {
    "suggest": _suggest, "annotate": annotate, "prepare": prepare, "renew": prepare,
    "evaluate": _evaluate, "refresh": _refresh, "embed": _embed, "audit": _audit,
    "calibrate": _calibrate, "compare": _compare, "export": _export, "media": prepare_job, "measure": _measure,
    "transcribe": transcribe_job,
}  # fmt: skip
