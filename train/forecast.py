"""What a run will do, before it starts: samples, tokens, time, memory and disk, and what cannot work."""

from __future__ import annotations

import shutil
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import median_low

from core.errors import ArgusError, TrainingError
from core.languages import name_of
from core.samples import Sample
from train.balance import balance_samples
from train.checkpoint import KEPT
from train.launch import PROFILES, check_launch, starts_here
from train.lengths import count_tokens, guess_tokens
from train.memory import (
    GIB,
    Shape,
    count_adapter,
    estimate_memory,
    machine_memory,
    read_shape,
    smaller_recipe,
)
from train.order import total_steps
from train.pace import Pace, find_pace
from train.recipes import Recipe
from train.registry import base_to_train
from train.services import Services
from train.snapshot import Plan, limit_per_language, plan_run, reviewed

SECONDS_TO_START = 30
SPARE = 200_000_000  # bytes of disk that stay free


@dataclass(frozen=True, slots=True)
class Forecast:
    """What a run would do and need. `by_type`: samples a type and language; `left_out`: samples a
    language that are longer than max_tokens; `memory`: its parts at the peak, empty where the base's
    shape is unknown; `refusals`: why it cannot work, each with what would."""

    plan: Plan
    base: str
    by_type: Mapping[str, Mapping[str, int]]
    left_out: Mapping[str, int]
    lengths: Mapping[str, int]
    is_counted: bool
    pace: Pace | None
    seconds: float | None
    width: int | None
    memory: Mapping[str, int]
    memory_here: tuple[int, int]
    on_gpu: bool
    disk: int
    disk_free: int
    refusals: Sequence[str] = ()
    warnings: Sequence[str] = field(default_factory=list)


def foresee(
    services: Services,
    collection_id: int,
    recipe: Recipe,
    *,
    launch: str,
) -> Forecast:
    """What a run with this recipe would do under a launch profile."""
    found = reviewed(services, collection_id, "train")
    plan = plan_run(services, collection_id, recipe, samples=found)
    base = base_to_train(services, collection_id)
    schema = services.store.collections.schema(collection_id)
    kept = limit_per_language(found, recipe.per_language, seed=recipe.seed)
    counted = count_tokens(kept, schema, base.location)
    tokens = dict(zip((s.id for s in kept), counted or guess_tokens(kept), strict=True))
    too_long = [s for s in kept if counted and tokens[s.id] > recipe.max_tokens]
    names = {s.id for s in too_long}
    shown = [
        s for s in balance_samples(kept, recipe.balance, seed=recipe.seed) if s.id not in names
    ]
    lengths = _measure(sorted(tokens.values()) or [0])
    on_gpu = PROFILES[launch].gpus > 0
    shape = read_shape(base.location)
    weights = shape.linear + shape.embedded if shape else None
    pace = find_pace(services, base.id, launch, weights=weights)
    each = recipe.epochs * sum(tokens[s.id] for s in shown)
    total, free = machine_memory(on_gpu=on_gpu)
    longest = min(lengths["longest"], recipe.max_tokens)
    memory = (
        estimate_memory(shape, recipe, longest=longest, on_gpu=on_gpu, free=free)
        if shape and shown
        else {}
    )
    if launch == "many_cpus":
        memory = {name: 2 * size for name, size in memory.items()}
    forecast = Forecast(
        replace(plan, steps=total_steps(len(shown), recipe)), base.id, _count_types(kept),
        Counter(s.language for s in too_long), lengths, counted is not None, pace,
        SECONDS_TO_START + each * pace.slowness / pace.tokens_per_second if pace else None,
        shape.width if shape else None, memory, (total, min(free, total)), on_gpu,
        _disk(shape, recipe), shutil.disk_usage(_existing(services.home.root)).free,
    )  # fmt: skip
    is_here = starts_here(launch)
    refusals = _refuse(services, forecast, recipe, launch, shape, is_here=is_here)
    return replace(forecast, refusals=refusals, warnings=_warn(forecast, recipe, is_here=is_here))


def check_forecast(forecast: Forecast) -> None:
    """Raise `TrainingError` with the first reason why a run cannot work."""
    if forecast.refusals:
        raise TrainingError(forecast.refusals[0])


# ---------------------------------------------------------------- private


def _measure(lengths: Sequence[int]) -> dict[str, int]:
    """The shortest, middle and longest of sorted lengths."""
    return {"shortest": lengths[0], "median": median_low(lengths), "longest": lengths[-1]}


def _count_types(samples: Sequence[Sample]) -> dict[str, dict[str, int]]:
    """Samples with an event of a type, by type and language, the most frequent first; "" has none."""
    found: dict[str, Counter[str]] = defaultdict(Counter)
    for sample in samples:
        for name in {e.event_type for e in sample.events or ()} or {""}:
            found[name][sample.language] += 1
    return {k: dict(v) for k, v in sorted(found.items(), key=lambda i: -sum(i[1].values()))}


def _disk(shape: Shape | None, recipe: Recipe) -> int:
    """The bytes that a run writes: checkpoints with their moments, the best and the last adapter."""
    if shape is None:
        return SPARE
    weights = 4 * count_adapter(shape, recipe)
    return (3 * (KEPT + 1) + 2) * weights


def _refuse(
    services: Services,
    forecast: Forecast,
    recipe: Recipe,
    launch: str,
    shape: Shape | None,
    *,
    is_here: bool,
) -> list[str]:
    found = []
    try:
        check_launch(launch, recipe, by_hand=True)
    except ArgusError as problem:
        found.append(str(problem))
    plan, lengths = forecast.plan, forecast.lengths
    if not plan.samples:
        found.append(
            "there is nothing to train on: no reviewed sample is in the train split. Review some "
            "samples, or import labelled ones"
        )
    elif not plan.steps:
        found.append(
            f"every sample is longer than max_tokens ({recipe.max_tokens}): raise it to "
            f"{_round_up(lengths['shortest'])} for the shortest, or 1024 for a news story"
        )
    if not is_here:
        return found
    needed, (total, free) = sum(forecast.memory.values()), forecast.memory_here
    if shape and total and needed > total:
        smaller = smaller_recipe(
            shape, recipe, lengths=lengths, on_gpu=forecast.on_gpu, free=free, most=total
        )
        way = (
            ", ".join(f"{name} {value}" for name, value in smaller.items()) + " would fit"
            if smaller
            else "no setting of the recipe would: take a smaller base model, or a larger machine"
        )
        found.append(
            f"about {needed / GIB:.1f} GiB of memory is needed, and this machine has "
            f"{total / GIB:.1f}: {way}"
        )
    if forecast.disk + SPARE > forecast.disk_free:
        found.append(
            f"the run writes up to {forecast.disk / 1e9:.2f} GB, and {forecast.disk_free / 1e9:.2f} "
            f"GB are free at {services.home.root}: free some space, delete old runs below, or choose "
            "a lower rank"
        )
    return found


def _warn(forecast: Forecast, recipe: Recipe, *, is_here: bool) -> list[str]:
    found = list(forecast.plan.warnings)
    n = sum(forecast.left_out.values())
    if n and forecast.plan.steps:
        where = ", ".join(f"{name_of(code)} {k}" for code, k in forecast.left_out.items())
        found.append(f"{n} longer than {recipe.max_tokens} tokens, left out: {where}.")
    needed, (total, free) = sum(forecast.memory.values()), forecast.memory_here
    if is_here and total >= needed > free:
        found.append(
            f"About {needed / GIB:.1f} GiB of memory is needed and {free / GIB:.1f} is free now: "
            "close something, or take a smaller batch size."
        )
    return found


def _round_up(tokens: int) -> int:
    return -(-tokens // 64) * 64


def _existing(folder: Path) -> Path:
    return next(p for p in (folder, *folder.parents) if p.exists())
