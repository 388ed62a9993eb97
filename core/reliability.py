"""How far confidences are from how often they are right, before calibration and after it; pure.

The expected calibration error is that of Naeini et al. (2015, "Obtaining well calibrated
probabilities using Bayesian binning"), over bins of equal mass as Nguyen and O'Connor (2015,
"Posterior calibration and exploratory analysis for natural language processing models") make them:

    ECE = Σ over bins b of  n_b / n · | mean confidence in b − share right in b |

There are ten bins, fewer where a bin would hold under ten parts; equal confidences are never
parted. A bin of few parts strays from its true share by chance, so that even perfect confidences
have an error above 0: about 0.04 for 500 parts, 0.1 for 100.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np

from core.calibration import ALL, KINDS, Curves, Kind, Pair
from core.fitting import fit_curves, folds
from core.languages import in_order

BINS = 10
LEAST_IN_A_BIN = 10


@dataclass(frozen=True, slots=True)
class Bin:
    """Some parts of like confidence: the mean of it, the share of them that is right, how many."""

    confidence: float
    right: float
    count: int


@dataclass(frozen=True, slots=True)
class Figure:
    """How reliable some parts' confidences are: as the model gave them, and through curves that were
    fitted to other parts. `language` is `ALL` and `kind` None where they are not told apart."""

    language: str
    kind: Kind | None
    before: Sequence[Bin]
    after: Sequence[Bin]

    @property
    def parts(self) -> int:
        """How many parts were judged."""
        return sum(b.count for b in self.before)


@dataclass(frozen=True, slots=True)
class Calibration:
    """The curves of a model in a collection, and what shows that they hold. `samples` counts the
    reviewed samples behind them, `pairs` the parts; with too few there are no curves."""

    curves: Curves
    figures: Sequence[Figure]
    samples: int
    pairs: int
    created: datetime | None = None

    def figure(self, language: str = ALL, kind: Kind | None = None) -> Figure | None:
        """The figure of a language and a kind of part, or None where there is none."""
        return next((f for f in self.figures if (f.language, f.kind) == (language, kind)), None)


def calibrate(pairs: Sequence[Pair], *, samples: int) -> Calibration:
    """Fit curves to the parts, and measure them in folds on parts that they were not fitted to."""
    curves = fit_curves(pairs)
    if not curves.known:
        return Calibration(curves, (), samples, len(pairs))
    judged: list[tuple[Pair, float]] = []
    for rest, held in folds(pairs):
        others = fit_curves(rest)
        judged += [(p, others.get(p.language, p.kind).apply(p.confidence)) for p in held]
    figures = []
    for language in (ALL, *in_order({p.language for p in pairs})):
        for kind in (None, *KINDS):
            mine = [
                (pair, after)
                for pair, after in judged
                if language in (ALL, pair.language) and kind in (None, pair.kind)
            ]
            right = [pair.is_right for pair, _ in mine]
            before = make_bins([pair.confidence for pair, _ in mine], right)
            figures.append(Figure(language, kind, before, make_bins([a for _, a in mine], right)))
    return Calibration(curves, [f for f in figures if f.parts], samples, len(pairs))


def make_bins(confidences: Sequence[float], right: Sequence[bool]) -> list[Bin]:
    """The parts in bins of equal mass, from the least confident to the most.

    >>> make_bins([0.9] * 10 + [0.5] * 10, [True] * 6 + [False] * 4 + [True] * 5 + [False] * 5)
    [Bin(confidence=0.5, right=0.5, count=10), Bin(confidence=0.9, right=0.6, count=10)]
    """
    if not confidences:
        return []
    sure, correct = np.asarray(confidences, dtype=float), np.asarray(right, dtype=float)
    count = max(1, min(BINS, len(sure) // LEAST_IN_A_BIN))
    shares = np.arange(1, count) / count
    edges = np.unique(np.quantile(sure, shares, method="higher"))
    where = np.searchsorted(edges, sure, side="right")
    found = []
    for index in np.unique(where):
        mine = where == index
        mean, share = float(sure[mine].mean()), float(correct[mine].mean())
        found.append(Bin(round(mean, 6), round(share, 6), int(mine.sum())))
    return found


def calibration_error(bins: Sequence[Bin]) -> float | None:
    """The expected calibration error, 0 to 1, or None where there is nothing to judge by.

    >>> round(calibration_error([Bin(0.5, 0.5, 10), Bin(0.9, 0.6, 10)]), 6)
    0.15
    """
    total = sum(b.count for b in bins)
    if not total:
        return None
    return sum(b.count * abs(b.confidence - b.right) for b in bins) / total


def figure_to_dict(figure: Figure) -> dict[str, Any]:
    """The figure as it is stored."""
    return {
        "language": figure.language, "kind": figure.kind,
        "before": [[b.confidence, b.right, b.count] for b in figure.before],
        "after": [[b.confidence, b.right, b.count] for b in figure.after],
    }  # fmt: skip


def figure_from_dict(data: Mapping[str, Any]) -> Figure:
    """The figure that `figure_to_dict` wrote."""
    before, after = ([Bin(*values) for values in data[side]] for side in ("before", "after"))
    return Figure(data["language"], data["kind"], before, after)
