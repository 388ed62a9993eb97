"""Sweeps: a series of runs that differ in one or two settings, and what can be read from them."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from core.errors import TrainingError
from core.languages import in_order
from core.learning_curve import CurvePoint, Forecast, forecast
from core.records import EvaluationRecord, RunRecord
from core.samples import Sample
from train.evaluate import split_hash
from train.queue import start_average, start_run
from train.recipes import Recipe, recipe_from_dict, recipe_to_dict
from train.services import Services
from train.snapshot import judged_split, limit_per_language, reviewed
from train.steering import cancel_run

AXES = ("per_language", "rank", "alpha", "learning_rate", "quantisation", "epochs", "seed")
MOST = 24  # runs of a sweep
MOST_SEEDS = 5  # whose models are averaged
SHARES = (0.25, 0.5, 1.0)  # of what there is: the sizes of a learning curve
MORE = 100  # corrections that the advisor thinks of


@dataclass(frozen=True, slots=True)
class Advice:
    """What more corrections in a language (or of an event type) should bring."""

    kind: str  # "language" or "type"
    name: str
    forecast: Forecast


def plan_sweep(recipe: Recipe, grid: Mapping[str, Sequence[Any]]) -> list[Recipe]:
    """A recipe for each combination of the settings in `grid`.

    Where rank is swept and alpha is not, alpha keeps its ratio to rank, so that the size of the
    adapter changes and not its weight. Raises `TrainingError` for a setting that cannot be swept, a
    value that cannot work, or too many runs.
    """
    unknown = [name for name in grid if name not in AXES]
    if unknown:
        raise TrainingError(f"{unknown[0]} cannot be swept (can be: {', '.join(AXES)})")
    axes = {name: list(dict.fromkeys(values)) for name, values in grid.items() if values}
    count = 1
    for values in axes.values():
        count *= len(values)
    if count < 2:
        raise TrainingError("a sweep needs a setting with at least two values")
    if count > MOST:
        raise TrainingError(f"{count} runs are more than {MOST}: take fewer values")
    made = []
    for combination in itertools.product(*axes.values()):
        chosen = dict(zip(axes, combination, strict=True))
        one = recipe_from_dict(recipe_to_dict(recipe) | chosen)
        if "rank" in chosen and "alpha" not in chosen:
            one = replace(one, alpha=max(1, round(recipe.alpha / recipe.rank * one.rank)))
        made.append(one)
    return made


def curve_sizes(services: Services, collection_id: int) -> list[int | None]:
    """Samples a language for a learning curve: a quarter, a half and all of what there is."""
    counts = Counter(s.language for s in reviewed(services, collection_id, "train"))
    if not counts:
        raise TrainingError("there is nothing to train on yet: review some samples first")
    largest = max(counts.values())
    sizes = [max(1, round(largest * share)) for share in SHARES[:-1]]
    return [*dict.fromkeys(n for n in sizes if n < largest), None]


def start_sweep(
    services: Services,
    collection_id: int,
    recipes: Sequence[Recipe],
    *,
    name: str = "",
    person: str | None = None,
) -> str:
    """Queue a run for each recipe, one after another; returns the name of the sweep."""
    differing = [
        key
        for key, value in recipe_to_dict(recipes[0]).items()
        if any(recipe_to_dict(r)[key] != value for r in recipes)
    ]
    name = name.strip() or f"{', '.join(differing)} · {datetime.now(UTC):%Y-%m-%d %H:%M:%S}"
    for recipe in recipes:
        start_run(services, collection_id, recipe, person=person, sweep=name)
    return name


def start_seeds(
    services: Services,
    collection_id: int,
    recipe: Recipe,
    count: int,
    *,
    person: str | None = None,
) -> str:
    """Queue a run from each of `count` seeds and, behind them, the mean of their models; returns the
    name of the sweep."""
    recipes = plan_sweep(recipe, {"seed": [recipe.seed + n for n in range(count)]})
    name = start_sweep(services, collection_id, recipes, person=person)
    members = [run.id for run in sweep_runs(services, collection_id, name)]
    start_average(services, members, person=person, sweep=name)
    return name


def cancel_sweep(services: Services, collection_id: int, name: str) -> None:
    """Cancel the runs of a sweep that have not ended."""
    for run in sweep_runs(services, collection_id, name):
        cancel_run(services, run.id)


def sweep_runs(services: Services, collection_id: int, name: str) -> list[RunRecord]:
    """The runs of a sweep, in the order in which they were queued."""
    runs = services.store.runs.all(collection_id)
    return sorted((r for r in runs if r.sweep == name), key=lambda r: r.id)


def swept(runs: Sequence[RunRecord]) -> list[str]:
    """The settings in which the runs of a sweep differ."""
    names = [name for name in AXES if len({str(r.recipe.get(name)) for r in runs}) > 1]
    return [n for n in names if n != "alpha"] if "rank" in names else names


def advise(services: Services, collection_id: int, *, more: int = MORE) -> list[Advice]:
    """What `more` corrections should bring, by language and by event type, the most first.

    Read from the runs on different amounts of the same reviews that are scored on the split as it
    is now: the newest run of each size counts, all on the base and with the recipe of the newest.
    Empty where there are fewer than two sizes.
    """
    scored = _scored_sizes(services, collection_id)
    if len(scored) < 2:
        return []
    outcomes = [found.outcomes for _, found in scored]
    found: list[Advice] = []
    languages = in_order({o["language"] for o in outcomes[-1]})
    for code in languages:
        points = [
            CurvePoint(
                run.snapshot["by_language"].get(code, 0),
                [o for o in scores.outcomes if o["language"] == code],
            )
            for run, scores in scored
        ]
        found += _advice("language", code, forecast([p for p in points if p.n], more=more))
    train = reviewed(services, collection_id, "train")
    counts = [_type_counts(train, run) for run, _ in scored]
    for name in sorted({t for o in outcomes[-1] for t in o["types"]}):
        points = [
            CurvePoint(count[name], scores.outcomes)
            for (_, scores), count in zip(scored, counts, strict=True)
            if count[name]
        ]
        found += _advice("type", name, forecast(points, more=more, event_type=name))
    return sorted(found, key=lambda a: (a.kind, -a.forecast.gain))


# ---------------------------------------------------------------- private


def _advice(kind: str, name: str, found: Forecast | None) -> list[Advice]:
    return [Advice(kind, name, found)] if found else []


def _scored_sizes(
    services: Services, collection_id: int
) -> list[tuple[RunRecord, EvaluationRecord]]:
    """The newest scored run of each training size, smallest first."""
    split = judged_split(services, collection_id)
    if split == "none":
        return []
    known = services.store.models.evaluations(collection_id, split=split)
    if len({e.model_id for e in known if e.outcomes}) < 2:
        return []  # without reading the whole split, which takes a while
    digest = split_hash(services, collection_id, split)
    scores = {e.model_id: e for e in reversed(known) if e.outcomes and e.test_hash == digest}
    runs = [
        r
        for r in services.store.runs.all(collection_id)
        if r.state == "done"
        and r.model_id in scores
        and r.snapshot.get("by_language")
        and not r.mean_of
    ]
    if not runs:
        return []
    like = _without_size(runs[0])
    by_size: dict[int, RunRecord] = {}
    for run in runs:
        if _without_size(run) == like:
            by_size.setdefault(sum(run.snapshot["by_language"].values()), run)
    return [(by_size[n], scores[by_size[n].model_id or ""]) for n in sorted(by_size)]


def _without_size(run: RunRecord) -> tuple[Any, ...]:
    left = {k: str(v) for k, v in run.recipe.items() if k not in ("per_language", "seed", "preset")}
    return (run.base_id, tuple(sorted(left.items())))


def _type_counts(train: Sequence[Sample], run: RunRecord) -> Counter[str]:
    """How many of a run's training samples have each event type, as they are reviewed now."""
    limit, seed = run.recipe.get("per_language"), int(run.recipe.get("seed", 0))
    samples = limit_per_language(train, limit, seed=seed)
    return Counter(t for s in samples for t in {e.event_type for e in s.events or ()})
