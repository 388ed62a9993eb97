"""How fast training goes here: as a run or a short measurement found, else by a rule of thumb."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from statistics import median
from typing import Any, Literal

from core.records import LossPoint, RunRecord
from train.launch import PROFILES
from train.services import Services

# Tokens a second on one core, and the weights of the model that they were measured with.
RULE, RULE_WEIGHTS = 170.0, 268_000_000
ENOUGH = 5  # steps that a pace is taken from
LOOKED_AT = 10  # of the newest runs


@dataclass(frozen=True, slots=True)
class Pace:
    """Tokens a second, and where the figure is from. `slowness`: how many times as long a run takes
    as its steps alone, evaluations and checkpoints counted; `memory`: bytes at the peak, if known."""

    tokens_per_second: float
    source: Literal["run", "measured", "rule"]
    moment: datetime | None = None
    run: int | None = None
    slowness: float = 1.0
    memory: int | None = None


def find_pace(
    services: Services, base_id: str, launch: str, *, weights: int | None = None
) -> Pace | None:
    """The newest figure for a base under a launch profile; without one a rule of thumb by its
    `weights`, and None where that would tell nothing: on cards, or for weights unknown."""
    measured = _measured(services, base_id, launch)
    trained = _trained(services, base_id, launch)
    known = [p for p in (measured, trained) if p is not None and p.moment is not None]
    if known:
        return max(known, key=lambda p: p.moment or datetime.min.replace(tzinfo=UTC))
    if PROFILES[launch].gpus or not weights:
        return None
    return Pace(RULE * RULE_WEIGHTS / weights, "rule")


def pace_of(run: RunRecord, points: list[LossPoint]) -> Pace | None:
    """What a run's steps say; None where they are too few."""
    if len(points) < ENOUGH:
        return None
    step = median(b.seconds - a.seconds for a, b in pairwise(points))
    whole = points[-1].seconds - points[0].seconds
    slowness = max(1.0, whole / (step * (len(points) - 1))) if step > 0 else 1.0
    return Pace(
        median(p.tokens_per_second for p in points), "run", run.finished or run.heartbeat, run.id,
        slowness, max((p.memory for p in points if p.memory), default=None),
    )  # fmt: skip


# ---------------------------------------------------------------- private


def _trained(services: Services, base_id: str, launch: str) -> Pace | None:
    runs = services.store.runs
    mine = [r for r in runs.all() if r.base_id == base_id and r.launch == launch]
    for run in mine[:LOOKED_AT]:
        found = pace_of(run, runs.losses(run.id))
        if found is not None:
            return found
    return None


def _measured(services: Services, base_id: str, launch: str) -> Pace | None:
    for job in services.store.jobs.latest("measure"):
        told: dict[str, Any] = dict(job.payload)
        if job.state == "done" and (told["base"], told["launch"]) == (base_id, launch):
            return Pace(told["tokens_per_second"], "measured", job.finished, memory=told["memory"])
    return None
