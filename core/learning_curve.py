"""Learning curves: how a score grows with the number of corrections, and what more would bring.

score(n) = a − b·n^(−c), the inverse power law (Figueroa et al. 2012, "Predicting sample size required
for classification performance"), fitted by least squares with 0 ≤ a ≤ 100 and b ≥ 0; c is searched
on a grid, and with fewer than three sizes it is 1/2. How sure that is: the scored samples are drawn
again (bootstrap, by story), the curve is fitted to each draw, and the middle 80 % are given.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.significance import f1_of

EXPONENTS = np.linspace(0.1, 1.5, 29)
USUAL = 0.5
PREFERENCE = 0.25  # points² by which an exponent off the usual must fit better
DRAWS = 400
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """One trained model: `n` corrections it learned from, and its outcomes on the judged split
    (`core.metrics.sample_outcomes`). The points of a curve have the same samples."""

    n: int
    outcomes: Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Forecast:
    """`score` is F1 at `n` corrections; `gain` is what `more` of them should bring, in points, with
    80 % of the draws between `low` and `high`."""

    n: int
    score: float
    more: int
    gain: float
    low: float
    high: float


def forecast(
    points: Sequence[CurvePoint],
    *,
    more: int = 100,
    figure: str = "tri_c",
    event_type: str | None = None,
    seed: int = 0,
) -> Forecast | None:
    """What `more` corrections should bring, or None where fewer than two sizes were tried.

    `event_type`: look only at this type's triggers, else at `figure` of all.
    """
    points = sorted(points, key=lambda p: p.n)
    sizes = np.array([p.n for p in points], dtype=float)
    if len({p.n for p in points if p.n > 0}) < 2 or not points[0].outcomes:
        return None
    counts = _counts(points, figure, event_type)
    chance = np.random.default_rng(seed)
    groups = counts.shape[1]
    weights = chance.multinomial(groups, np.full(groups, 1 / groups), size=DRAWS)
    drawn = f1_of(np.einsum("dg,pgk->dpk", weights, counts))
    whole = f1_of(counts.sum(axis=1)[None])
    newest = sizes[-1]
    gains = _gain(sizes, drawn, newest, more)
    low, high = np.percentile(gains, [10, 90])
    gain = float(_gain(sizes, whole, newest, more)[0])
    return Forecast(int(newest), float(whole[0, -1]), more, gain, float(low), float(high))


def fit_curve(sizes: Sequence[float], scores: Sequence[float]) -> tuple[float, float, float]:
    """(a, b, c) of the curve through (size, score) pairs.

    >>> a, b, c = fit_curve([25, 100, 400], [60 - 100 * n**-0.5 for n in (25, 100, 400)])
    >>> round(a), round(b), round(c, 2)
    (60, 100, 0.5)
    """
    a, b, c = _fit(np.asarray(sizes, dtype=float), np.asarray([scores], dtype=float))
    return float(a[0]), float(b[0]), float(c[0])


# ---------------------------------------------------------------- private


def _counts(points: Sequence[CurvePoint], figure: str, event_type: str | None) -> Floats:
    """[predicted, gold, matched] by point and story."""
    names = dict.fromkeys(o["group"] for o in points[0].outcomes)
    places = {name: i for i, name in enumerate(names)}
    counts = np.zeros((len(points), len(places), 3))
    for i, point in enumerate(points):
        for outcome in point.outcomes:
            row = outcome[figure] if event_type is None else outcome["types"].get(event_type)
            if row and outcome["group"] in places:
                counts[i, places[outcome["group"]]] += row
    return counts


def _gain(sizes: Floats, scores: Floats, n: float, more: int) -> Floats:
    _, b, c = _fit(sizes, scores)
    return np.asarray(b * (n**-c - (n + more) ** -c))


def _fit(sizes: Floats, scores: Floats) -> tuple[Floats, Floats, Floats]:
    """(a, b, c), each a number for each row of scores."""
    usual = len(np.unique(sizes)) < 3
    grid = np.array([USUAL]) if usual else EXPONENTS
    best = np.full(len(scores), np.inf)
    found = [np.zeros(len(scores)) for _ in range(3)]
    mean = scores.mean(axis=1)
    for c in grid:
        x = sizes**-c
        spread = x - x.mean()
        slope = (scores - mean[:, None]) @ spread / (spread @ spread)
        b = np.maximum(0.0, -slope)
        a = np.clip(mean + b * x.mean(), 0, 100)
        # Where a was clipped, b follows: the least squares through a fixed a.
        b = np.where(a >= 100, np.maximum(0.0, (100 - scores) @ x / (x @ x)), b)
        error = ((a[:, None] - b[:, None] * x - scores) ** 2).mean(axis=1)
        error += PREFERENCE * abs(np.log(c / USUAL))
        better = error < best
        best = np.where(better, error, best)
        for held, new in zip(found, (a, b, np.full(len(scores), c)), strict=True):
            held[better] = new[better]
    return found[0], found[1], found[2]
