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
from train.leakage import known_leaks
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
from train.reading import as_text
from train.recipes import Recipe
from train.registry import base_to_train
from train.services import Services
from train.snapshot import Plan, limit_per_language, plan_run, reviewed

SECONDS_TO_START = 30
SPARE = 200_000_000  # bytes of disk that stay free


@dataclass(frozen=True, slots=True)
class Forecast:
    """What a run would do and need. `plan` counts what is really shown; `by_type`: samples a type and
    language; `left_out`: samples a language that are longer than max_tokens; `leaks`: samples that the
    last run left out, since they repeat a held-out one; `seconds`: without the scoring at the end;
    `memory`: its parts at the peak, empty where the base's `shape` is unknown; `refusals`: why it
    cannot work, each with what would."""

    plan: Plan
    base: str
    by_type: Mapping[str, Mapping[str, int]]
    left_out: Mapping[str, int]
    lengths: Mapping[str, int]
    is_counted: bool
    pace: Pace | None
    seconds: float | None
    shape: Shape | None
    memory: Mapping[str, int]
    memory_here: tuple[int, int]
    on_gpu: bool
    disk: int
    disk_free: int
    leaks: int = 0
    refusals: Sequence[str] = ()
    warnings: Sequence[str] = field(default_factory=list)

    @property
    def has_samples(self) -> bool:
        """Whether there is something to train on, even if all of it is too long for the recipe."""
        return bool(self.plan.samples or self.left_out)


def foresee(
    services: Services,
    collection_id: int,
    recipe: Recipe,
    *,
    launch: str,
    base_id: str | None = None,
) -> Forecast:
    """What a run with this recipe would do under a launch profile. `base_id`: what it trains, the
    base of the model in use without it."""
    found = reviewed(services, collection_id, "train")
    base = services.store.models.get(base_id) if base_id else base_to_train(services, collection_id)
    schema = services.store.collections.schema(collection_id)
    leaks = set(known_leaks(services, collection_id)) & {s.id for s in found}
    kept = limit_per_language(
        [s for s in found if s.id not in leaks], recipe.per_language, seed=recipe.seed
    )
    kept = as_text(services, collection_id, kept)
    counted = count_tokens(kept, schema, base.location)
    tokens = dict(zip((s.id for s in kept), counted or guess_tokens(kept), strict=True))
    too_long = [s for s in kept if counted and tokens[s.id] > recipe.max_tokens]
    names = {s.id for s in too_long}
    shown = [
        s for s in balance_samples(kept, recipe.balance, seed=recipe.seed) if s.id not in names
    ]
    different = [s for s in kept if s.id not in names]
    plan = plan_run(services, collection_id, recipe, samples=different)
    lengths = _measure(sorted(tokens.values()) or [0])
    shape = read_shape(base.location)
    weights = shape.linear + shape.embedded if shape else None
    pace = find_pace(services, base.id, launch, weights=weights)
    each = recipe.epochs * sum(tokens[s.id] for s in shown)
    forecast = Forecast(
        replace(plan, steps=total_steps(len(shown), recipe), repeated=len(shown) - len(different)),
        base.id, _count_types(different), Counter(s.language for s in too_long), lengths,
        counted is not None, pace,
        SECONDS_TO_START + each * pace.slowness / pace.tokens_per_second if pace else None,
        shape, {}, (0, 0), PROFILES[launch].gpus > 0, _disk(shape, recipe), 0, len(leaks),
    )  # fmt: skip
    return look_again(services, forecast, recipe, launch=launch)


def look_again(services: Services, forecast: Forecast, recipe: Recipe, *, launch: str) -> Forecast:
    """The forecast with the memory and the disk that are free now, and what hangs on them: quick."""
    shape, on_gpu = forecast.shape, forecast.on_gpu
    total, free = machine_memory(on_gpu=on_gpu)
    longest = min(forecast.lengths["longest"], recipe.max_tokens)
    memory = (
        estimate_memory(shape, recipe, longest=longest, on_gpu=on_gpu, free=free)
        if shape and forecast.plan.samples
        else {}
    )
    if launch == "many_cpus":
        memory = {name: 2 * size for name, size in memory.items()}
    now = replace(
        forecast, memory=memory, memory_here=(total, min(free, total)),
        disk_free=shutil.disk_usage(_existing(services.home.root)).free,
    )  # fmt: skip
    is_here = starts_here(launch)
    refusals = _refuse(services, now, recipe, launch, is_here=is_here)
    return replace(now, refusals=refusals, warnings=_warn(now, recipe, is_here=is_here))


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
    *,
    is_here: bool,
) -> list[str]:
    found = []
    try:
        check_launch(launch, recipe, by_hand=True)
    except ArgusError as problem:
        found.append(str(problem))
    plan, lengths = forecast.plan, forecast.lengths
    if not forecast.has_samples:
        found.append(
            "there is nothing to train on: no reviewed sample is in the train split. Review some "
            "samples, or import labelled ones"
        )
    elif not plan.samples:
        found.append(
            f"every sample is longer than max_tokens ({recipe.max_tokens}): raise it to "
            f"{_round_up(lengths['shortest'])} for the shortest, or 1024 for a news story"
        )
    if not is_here:
        return found
    needed, (total, _) = sum(forecast.memory.values()), forecast.memory_here
    if total and needed > total:
        way = _what_fits(forecast, recipe, most=total)
        way = (
            way or "no setting of the recipe would: take a smaller base model, or a larger machine"
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
    if forecast.leaks:
        found.append(
            f"{forecast.leaks} nearly repeat a dev or test sample and are left out, as the last run "
            "found; a new one looks again."
        )
    n = sum(forecast.left_out.values())
    if n and forecast.plan.steps:
        where = ", ".join(f"{name_of(code)} {k}" for code, k in forecast.left_out.items())
        found.append(f"{n} longer than {recipe.max_tokens} tokens, left out: {where}.")
    needed, (total, free) = sum(forecast.memory.values()), forecast.memory_here
    if is_here and total >= needed > free:
        way = _what_fits(forecast, recipe, most=free)
        found.append(
            f"About {needed / GIB:.1f} GiB of memory is needed and {free / GIB:.1f} is free now: "
            f"close something{f'; {way}' if way else ''}."
        )
    return found


def _what_fits(forecast: Forecast, recipe: Recipe, *, most: int) -> str:
    """The settings with which the run would fit into `most` bytes, in words; empty where none do."""
    if forecast.shape is None:
        return ""
    smaller = smaller_recipe(
        forecast.shape, recipe, lengths=forecast.lengths, on_gpu=forecast.on_gpu,
        free=forecast.memory_here[1], most=most,
    )  # fmt: skip
    if smaller is None:
        return ""
    return ", ".join(f"{name} {value}" for name, value in smaller.items()) + " would fit"


def _round_up(tokens: int) -> int:
    return -(-tokens // 64) * 64


def _existing(folder: Path) -> Path:
    return next(p for p in (folder, *folder.parents) if p.exists())
