"""Evaluation: a model's suggestions for a frozen split, scored against the reviews."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Sequence
from dataclasses import replace

from core.calibration import judge
from core.errors import InputError
from core.metrics import sample_outcomes, score
from core.ports import Backend, Step
from core.records import EvaluationRecord, ModelRecord
from core.samples import SPLITS, Sample, sample_to_dict
from core.schema import without_retired
from core.strategy import strategy_to_dict
from train.calibrating import refit
from train.services import Services, open_backend
from train.snapshot import balance_test, limit_per_language, reviewed
from train.strategies import asked_now, choose_strategies
from train.suggesting import suggest_events


def gold_of(services: Services, collection_id: int, split: str) -> list[Sample]:
    """The reviewed samples of a split as a model is judged by them: without what has been retired, of
    test at most `TEST_PER_LANGUAGE` a language, as in the paper."""
    schema = services.store.collections.schema(collection_id)
    found = reviewed(services, collection_id, split)
    return [
        replace(s, events=without_retired(schema, s.events or ()))
        for s in (balance_test(found) if split == "test" else found)
    ]


def split_hash(services: Services, collection_id: int, split: str) -> str:
    """What a split says now: two scores with one hash are of exactly the same samples."""
    return digest_of(gold_of(services, collection_id, split))


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
    gold = limit_per_language(gold_of(services, collection_id, split), per_language, seed=0)
    if not gold:
        raise InputError(f"the {split} split has no reviewed sample with a text: nothing to score")
    digest = digest_of(gold)
    models = services.store.models
    if reuse:
        known = models.evaluations(collection_id, model_id=model.id, split=split, test_hash=digest)
        known = asked_now(services, collection_id, known)
        if known:
            return known[0]
    began = time.monotonic()
    schema = services.store.collections.schema(collection_id)
    own = backend is None
    ways = choose_strategies(services, collection_id, model, {s.language for s in gold})
    strategies = {code: strategy_to_dict(way) for code, way in ways.items()}
    opened = backend or open_backend(services, model)
    try:
        suggested = suggest_events(services, opened, collection_id, gold, schema, on_step=on_step)
    finally:
        if own:
            opened.close()
    predicted = [replace(s, events=x.events) for s, x in zip(gold, suggested, strict=True)]
    scores = score(gold, predicted)
    outcomes = sample_outcomes(gold, predicted)
    if split == "dev":  # what the confidences are calibrated by; never test
        for outcome, s, said in zip(outcomes, gold, predicted, strict=True):
            outcome["parts"] = judge(said.events or (), s.events or ())
    models.add_evaluation(
        collection_id=collection_id, model_id=model.id, split=split, test_hash=digest,
        samples=len(gold), scores=scores, outcomes=outcomes,
        settings={"strategies": strategies, "per_language": per_language},
        seconds=time.monotonic() - began,
    )  # fmt: skip
    if split == "dev":
        refit(services, collection_id, model.id)
    return models.evaluations(collection_id, model_id=model.id, split=split, test_hash=digest)[0]


def digest_of(samples: Sequence[Sample]) -> str:
    """What samples say: text, language and events, as a hash."""
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
