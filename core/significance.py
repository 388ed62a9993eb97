"""Is a model better than another, or was it luck: the paired bootstrap over samples.

Efron and Tibshirani 1993, chapter 16, as Koehn 2004 ("Statistical Significance Tests for Machine
Translation Evaluation") brought it to paired systems: draw as many samples as there are, with
replacement, score both models on the same draw, and look how often the difference is on the other
side of nothing. Samples of one story in several languages are drawn together.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.errors import InputError

DRAWS = 2000
_PART = 5_000_000  # numbers held at once: 40 MB


@dataclass(frozen=True, slots=True)
class Difference:
    """How much the F1 of `new` lies above that of `old`, in points.

    `low` and `high` hold the middle 95 % of the draws. `p` is the chance of a difference this far
    on one side if there were none: two-sided, never under 1 / (draws + 1).
    """

    old: float
    new: float
    low: float
    high: float
    p: float

    @property
    def points(self) -> float:
        """new − old."""
        return self.new - self.old


def paired_bootstrap(
    old: Sequence[Mapping[str, Any]],
    new: Sequence[Mapping[str, Any]],
    figure: str,
    *,
    draws: int = DRAWS,
    seed: int = 0,
) -> Difference:
    """The difference of two models' corpus F1. `old` and `new` are outcomes of the same samples
    (`core.metrics.sample_outcomes`), `figure` is "tri_c" or "arg_c".

    Raises `InputError` where they are not of the same samples, or of none.
    """
    first, second = ({o["id"]: o for o in side} for side in (old, new))
    if not first or first.keys() != second.keys():
        raise InputError(
            f"two models can only be compared on the same samples, not on {len(first)} and "
            f"{len(second)} that differ: score both on the split as it is now"
        )
    groups = {name: i for i, name in enumerate(dict.fromkeys(o["group"] for o in first.values()))}
    counts = np.zeros((len(groups), 6))
    for ident, outcome in first.items():
        counts[groups[outcome["group"]]] += [*outcome[figure], *second[ident][figure]]
    chance = np.random.default_rng(seed)
    found = []
    size = max(1, min(draws, _PART // len(groups)))
    for at in range(0, draws, size):
        weights = chance.multinomial(
            len(groups), np.full(len(groups), 1 / len(groups)), size=min(size, draws - at)
        )
        sums = weights @ counts
        found.append(f1_of(sums[:, 3:]) - f1_of(sums[:, :3]))
    drawn = np.concatenate(found)
    whole = counts.sum(0)
    low, high = np.percentile(drawn, [2.5, 97.5])
    beyond = min((drawn <= 0).sum(), (drawn >= 0).sum())
    p = min(1.0, 2 * (int(beyond) + 1) / (draws + 1))
    return Difference(float(f1_of(whole[:3])), float(f1_of(whole[3:])), float(low), float(high), p)


def f1_of(counts: NDArray[np.float64]) -> NDArray[np.float64]:
    """F1 in percent of [..., (predicted, gold, matched)], 0 where there is nothing."""
    sizes = counts[..., 0] + counts[..., 1]
    return 200 * counts[..., 2] / np.where(sizes > 0, sizes, 1)
