"""Leakage: training samples that say nearly the same as a sample that models are judged on."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from core.ports import Embedder, Step
from core.records import SampleFilter
from core.similar import find_neighbours
from train.embedding import embed_collection, the_embedder
from train.services import Services

HELD_OUT = ("dev", "test")
MOST = 0.2  # of the training samples: where more leak, all texts are alike, and none is dropped

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Leak:
    """A training sample and the held-out one that it nearly repeats; `score` is their likeness."""

    sample: str
    held_out: str
    score: float


@dataclass(frozen=True, slots=True)
class LeakCheck:
    """What becomes of the leaks: `left_out` of training, or that many kept (`leaks_kept`), since they
    are too many to leave out."""

    left_out: tuple[Leak, ...] = ()
    leaks_kept: int = 0


def find_leaks(
    services: Services,
    collection_id: int,
    *,
    step: Step = lambda _: None,
    embedder: Embedder | None = None,
) -> list[Leak]:
    """Each reviewed training sample that is too like a reviewed dev or test sample, most like first.

    The held-out samples stay as they are: what leaks is left out of training. Parallel stories and
    copies never come here, since their splits are given by group. Reads every text that has no
    vector yet, so it belongs into the worker.
    """
    embedder = embedder or the_embedder()
    embed_collection(services, collection_id, step=step, embedder=embedder)
    samples = services.store.samples
    train, held = (
        set(samples.keys(SampleFilter(states=["reviewed"], splits=s), collection_id=collection_id))
        for s in (["train"], HELD_OUT)
    )
    table = services.store.vectors.table(collection_id, model=embedder.name)
    rows = [i for i, key in enumerate(table.keys) if key in train or key in held]
    keys = [table.keys[i] for i in rows]
    candidates = [i for i, key in enumerate(keys) if key in held]
    if not candidates:
        return []
    alike = find_neighbours(
        table.vectors[np.asarray(rows)], [table.languages[i] for i in rows], candidates,
        [None] * len(rows), count=1, alike_from=embedder.same_from,
    )  # fmt: skip
    pairs = [
        (keys[row], keys[found[0][0]], found[0][1])
        for row, found in alike
        if found and keys[row] in train
    ]
    named = {k for pair in pairs for k in pair[:2]}
    ids = (
        {r.key: r.sample.id for r in samples.list(SampleFilter(keys=sorted(named)))}
        if named
        else {}
    )
    leaks = [Leak(ids[key], ids[other], round(score, 3)) for key, other, score in pairs]
    return sorted(leaks, key=lambda leak: (-leak.score, leak.sample))


def check_leaks(services: Services, collection_id: int) -> LeakCheck:
    """Find the leaks, and decide what becomes of them."""
    leaks = find_leaks(services, collection_id)
    wanted = SampleFilter(states=["reviewed"], splits=["train"])
    count = len(services.store.samples.keys(wanted, collection_id=collection_id))
    found = decide_leaks(leaks, count)
    if found.leaks_kept:
        log.warning(
            "%d of %d training samples nearly repeat a dev or test sample: too many to leave out, so "
            "they are kept. The scores flatter: hold out other texts",
            found.leaks_kept, count,
        )  # fmt: skip
    return found


def decide_leaks(leaks: Sequence[Leak], count: int) -> LeakCheck:
    """Leave all leaks out of `count` training samples, or none where they are too many of them."""
    if len(leaks) <= MOST * count:
        return LeakCheck(left_out=tuple(leaks))
    return LeakCheck(leaks_kept=len(leaks))


def known_leaks(services: Services, collection_id: int) -> list[str]:
    """The samples that the newest run with a snapshot left out as leaks: to find them anew takes the
    worker and its time."""
    for run in services.store.runs.all(collection_id):
        path = services.home.runs / str(run.id) / "snapshot.json"
        try:
            found = json.loads(path.read_text(encoding="utf-8")).get("leaks", [])
        except (OSError, ValueError):
            continue
        return [leak["sample"] for leak in found]
    return []


def leak_to_dict(leak: Leak) -> dict[str, Any]:
    """The leak as a snapshot's manifest has it."""
    return asdict(leak)
