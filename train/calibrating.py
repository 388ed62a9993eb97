"""Calibration at work: what is known of a model's confidences in a collection, and its curves from that.

The suggestions behind it are those that people have reviewed, and those that the model made for an
evaluation on dev. Never the test split.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from core.calibration import Pair, judge
from core.ports import Step
from core.records import ModelRecord
from core.reliability import Calibration, calibrate
from train.services import Services
from train.snapshot import reviewed

ENOUGH = 20  # newly reviewed samples that make another look worth it
MOST = 2000  # reviewed samples that are looked at, the newest
DEV_PER_LANGUAGE = 25  # samples of dev a language that a model is asked about for this alone


def refit(
    services: Services, collection_id: int, model_id: str, *, step: Step = lambda _: None
) -> Calibration:
    """Fit a model's curves again, and let them hold for all of its suggestions in the collection."""
    model = services.store.models.get(model_id)
    pairs, samples = gather_pairs(services, collection_id, model)
    found = calibrate(pairs, samples=samples)
    services.store.calibrations.add(collection_id, model_id, found, step=step)
    return found


def gather_pairs(
    services: Services, collection_id: int, model: ModelRecord
) -> tuple[list[Pair], int]:
    """Every suggested part that was judged, and how many samples they are of."""
    judged = services.store.calibrations.judged(
        collection_id, model.id, since=_since(model), limit=MOST
    )
    pairs = [
        Pair(one.language, one.group, kind, sure, is_right)
        for one in judged
        for kind, sure, is_right in judge(one.suggested, one.decided)
    ]
    known = {one.sample_id for one in judged}
    others = [o for o in _dev_outcomes(services, collection_id, model) if o["id"] not in known]
    pairs += [
        Pair(o["language"], o["group"], kind, sure, is_right)
        for o in others
        for kind, sure, is_right in o.get("parts", ())
    ]
    return pairs, len(judged) + len(others)


def is_due(services: Services, collection_id: int, model_id: str) -> bool:
    """Whether people have reviewed enough since a model's curves were last fitted, or they never were
    and there is something to fit them to."""
    store = services.store
    model = store.models.get(model_id)
    if store.jobs.failed_lately("calibrate", collection_id=collection_id):
        return False
    last = store.calibrations.newest(collection_id, model_id)
    if last is None and can_ask_dev(services, collection_id, model):
        return True
    new = store.calibrations.count_judged(
        collection_id, model_id, since=_since(model), after=last.created if last else None
    )
    return new >= ENOUGH


def can_ask_dev(services: Services, collection_id: int, model: ModelRecord) -> bool:
    """Whether a model, whose weights are here, was never asked about dev, which has reviewed texts."""
    return (
        model.kind == "weights"
        and not _dev_outcomes(services, collection_id, model)
        and bool(reviewed(services, collection_id, "dev"))
    )


# ---------------------------------------------------------------- private


def _since(model: ModelRecord) -> datetime | None:
    """From when on a review is news to a model; a base has learned from none."""
    return None if model.is_base else model.created


def _dev_outcomes(
    services: Services, collection_id: int, model: ModelRecord
) -> Sequence[Mapping[str, Any]]:
    """What the newest evaluation on dev says of each sample (`parts` as `judge` has them)."""
    scored = services.store.models.evaluations(collection_id, model_id=model.id, split="dev")
    return scored[0].outcomes if scored else ()
