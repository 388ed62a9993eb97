"""What a page asks the worker for: suggestions, scores, audits, runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from core.queues import Queue, filter_to_dict
from core.records import JobKind
from core.strategy import strategy_to_dict
from train.artefacts import Form
from train.averaging import add_average
from train.calibrating import is_due
from train.carrier import put_job, put_run
from train.carrier import worker_is_alive as worker_is_alive  # pages ask that of the same module
from train.comparison import PER_LANGUAGE, strategies_to_compare
from train.forecast import check_forecast, foresee
from train.launch import check_launch, default_launch
from train.recipes import Recipe, recipe_to_dict
from train.registry import model_in_use
from train.runs import add_run
from train.services import Services
from train.steering import cancel_run as cancel_run  # the same

AUDITED = 40  # reviewed samples that a model looks at in one audit


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


def keep_ahead(services: Services, queue: Queue, *, after: int, person: str | None) -> None:
    """Let the worker prepare what lies behind `after` in a person's queue. Work that is under way
    for this queue goes on from there."""
    jobs = services.store.jobs
    payload = {
        "collection": queue.collection_id, "after": after, "person": person,
        "queue": {
            "reason": queue.reason, "wanted": filter_to_dict(queue.wanted), "seed": queue.seed,
        },
    }  # fmt: skip
    for job in jobs.open("annotate", collection_id=queue.collection_id):
        same = all(job.payload.get(part) == payload[part] for part in ("queue", "person"))
        if same and not job.cancel_requested:
            jobs.change(job.id, payload)
            return
    put_job(services, jobs.add("annotate", payload), "annotate")


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
    services: Services,
    collection_id: int,
    recipe: Recipe,
    *,
    person: str | None = None,
    launch: str | None = None,
    sweep: str | None = None,
    by_hand: bool = False,
) -> int:
    """Queue a training run; returns its number. Runs go one after another; one that this machine does
    not start (`by_hand`) waits for a person to type its commands. Raises `TrainingError` where it
    cannot work."""
    launch = launch or default_launch()
    check_launch(launch, recipe, by_hand=by_hand)
    check_forecast(foresee(services, collection_id, recipe, launch=launch))
    run_id = add_run(services, collection_id, recipe, launch=launch, sweep=sweep, by_hand=by_hand)
    return _queue_run(services, run_id, person)


def start_average(
    services: Services,
    run_ids: Sequence[int],
    *,
    person: str | None = None,
    sweep: str | None = None,
) -> int:
    """Queue a run that averages the models of others and scores the mean; returns its number."""
    return _queue_run(services, add_average(services, run_ids, sweep=sweep), person)


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
    payload = {"collection": collection_id, "count": count}
    return _one_job(services, "audit", payload, by=("collection",))


def start_comparison(
    services: Services,
    collection_id: int,
    model_id: str,
    *,
    per_language: int = PER_LANGUAGE,
    with_free: bool = False,
) -> int:
    """Queue a comparison of the ways of asking a model; returns the job, the one under way if there is
    one. `with_free`: each also without a grammar."""
    model = services.store.models.get(model_id)
    strategies = strategies_to_compare(services, collection_id, model)
    if with_free:
        strategies += tuple(replace(s, is_free=True) for s in strategies if not s.in_steps)
    payload = {
        "collection": collection_id, "model": model_id, "per_language": per_language,
        "strategies": [strategy_to_dict(s) for s in strategies],
    }  # fmt: skip
    return _one_job(services, "compare", payload, by=("collection", "model"))


def calibrate_later(services: Services, collection_id: int, model_id: str) -> int:
    """Let the worker find out how sure a model may be; returns the job, the one under way if there is
    one."""
    return _one_job(services, "calibrate", {"collection": collection_id, "model": model_id})


def start_export(services: Services, collection_id: int, model_id: str, form: Form) -> int:
    """Queue the export of a model into its folder under the home; returns the job, the one under way
    if there is one."""
    payload = {"collection": collection_id, "model": model_id, "form": form}
    return _one_job(services, "export", payload)


def start_measurement(services: Services, collection_id: int, recipe: Recipe) -> int:
    """Queue a few steps of a recipe, to know how fast a run would be; returns the job, the one under
    way if there is one."""
    payload = {"collection": collection_id, "recipe": recipe_to_dict(recipe)}
    return _one_job(services, "measure", payload, by=("collection",))


def calibrate_due(services: Services) -> list[int]:
    """Queue the calibration of the model in use where it is due; returns the jobs."""
    if not services.store.models.all():
        return []
    in_use = [(c.id, model_in_use(services, c.id).id) for c in services.store.collections.all()]
    return [calibrate_later(services, c, m) for c, m in in_use if is_due(services, c, m)]


def _one_job(
    services: Services, kind: JobKind, payload: Mapping[str, Any], *, by: Sequence[str] = ()
) -> int:
    """The open job of a kind that is asked for the same, else a new one. `by`: what of the payload
    makes it the same; all of it without."""
    same = {name: payload[name] for name in by or payload}
    for job in services.store.jobs.open(kind, collection_id=payload["collection"]):
        if same.items() <= job.payload.items() and not job.cancel_requested:
            return job.id
    job_id = services.store.jobs.add(kind, payload)
    put_job(services, job_id, kind)
    return job_id


def _queue_run(services: Services, run_id: int, person: str | None) -> int:
    """Hand over a run that was just written down, and who asked for it; returns its number."""
    services.store.runs.update(run_id, snapshot={"asked_by": person} if person else {})
    put_run(services, run_id)
    return run_id


def cancel_job(services: Services, job_id: int) -> None:
    """Ask for the end of a job; the worker stops between two steps."""
    services.store.jobs.cancel(job_id)
