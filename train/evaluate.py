"""Evaluation: a model's suggestions for a frozen split, scored against the reviews."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Sequence
from dataclasses import replace

from core.errors import InputError
from core.metrics import sample_outcomes, score
from core.ports import Backend, Step
from core.records import EvaluationRecord, ModelRecord
from core.samples import SPLITS, Sample, sample_to_dict
from core.schema import without_retired
from train.services import Services, open_backend
from train.snapshot import limit_per_language, reviewed
from train.suggesting import suggest_events


def split_hash(services: Services, collection_id: int, split: str) -> str:
    """What a split says now: two scores with one hash are of exactly the same samples."""
    return _digest(reviewed(services, collection_id, split))


def evaluate_model(
    services: Services,
    collection_id: int,
    *,
    split: str,
    model: ModelRecord,
    per_language: int | None = None,
    reuse: bool = False,
    backend: Backend | None = None,
    on_step: Step | None = None,
) -> EvaluationRecord:
    """Score a model on a split and keep the scores.

    `reuse`: take the scores that are there, if they are of exactly these samples. `backend`: the
    model as it is loaded already. Raises `InputError` where the split has no reviewed text.
    """
    if split not in SPLITS:
        raise InputError(f"there is no split {split!r} (there are: {', '.join(SPLITS)})")
    gold = limit_per_language(reviewed(services, collection_id, split), per_language, seed=0)
    if not gold:
        raise InputError(f"the {split} split has no reviewed sample with a text: nothing to score")
    digest = _digest(gold)
    models = services.store.models
    if reuse:
        known = models.evaluations(collection_id, model_id=model.id, split=split, test_hash=digest)
        if known:
            return known[0]
    began = time.monotonic()
    schema = services.store.collections.schema(collection_id)
    own = backend is None
    opened = backend or open_backend(services, model)
    try:
        suggested = suggest_events(services, opened, collection_id, gold, schema, on_step=on_step)
    finally:
        if own:
            opened.close()
    gold = [replace(s, events=without_retired(schema, s.events or ())) for s in gold]
    predicted = [replace(s, events=x.events) for s, x in zip(gold, suggested, strict=True)]
    scores = score(gold, predicted)
    models.add_evaluation(
        collection_id=collection_id, model_id=model.id, split=split, test_hash=digest,
        samples=len(gold), scores=scores, outcomes=sample_outcomes(gold, predicted),
        settings={"prompt": suggested[0].prompt_version, "per_language": per_language},
        seconds=time.monotonic() - began,
    )  # fmt: skip
    return models.evaluations(collection_id, model_id=model.id, split=split, test_hash=digest)[0]


def _digest(samples: Sequence[Sample]) -> str:
    lines = sorted(
        json.dumps(
            {
                k: v
                for k, v in sample_to_dict(s).items()
                if k in ("id", "language", "text", "events")
            },
            sort_keys=True,
        )
        for s in samples
    )
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()
