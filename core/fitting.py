"""Fitting curves to judged parts: which method, and whether a language has its own, is found in folds.

A curve is a scaling of the log-odds by a slope and an offset (Platt 1999; with no offset it is
temperature scaling) or steps that never fall (isotonic regression, Zadrozny and Elkan 2002), joined
by straight lines. What does best on parts that it was not fitted to is taken: log loss, five folds by
story. A language with too few parts shares the curve of all; with too few of all, confidences stay as
they are.
"""

from __future__ import annotations

import hashlib
import itertools
from collections import Counter
from collections.abc import Callable, Sequence
from functools import lru_cache

import numpy as np

from core.calibration import ALL, EDGE, KINDS, Curve, Curves, Floats, Kind, Pair, log_odds, sigmoid

LEAST = 30  # parts of a kind that a curve is fitted to
FOLDS = 5
_LEAST_SLOPE = 0.02  # so that what was surer stays surer
Fit = Callable[[Sequence[Pair]], Curve]


def fit_curves(pairs: Sequence[Pair]) -> Curves:
    """The curves that do best on what they were not fitted to; none where there are too few parts."""
    known: dict[tuple[str, Kind], Curve] = {}
    for kind in KINDS:
        mine = [p for p in pairs if p.kind == kind]
        if len(mine) < LEAST:
            continue
        shared = _best((fit_scaling, fit_steps), mine)
        known[ALL, kind] = shared(mine)
        for language, count in Counter(p.language for p in mine).items():
            if count >= LEAST:
                fit = _best(
                    (shared, _own(language, fit_scaling), _own(language, fit_steps)), mine, language
                )
                if fit is not shared:
                    known[language, kind] = fit(mine)
    return Curves(known)


def fit_scaling(pairs: Sequence[Pair]) -> Curve:
    """Slope and offset by maximum likelihood, with Platt's targets instead of 0 and 1."""
    x, y = log_odds(_confidences(pairs)), _targets(pairs)
    columns = np.stack([x, np.ones_like(x)])
    at = np.array([1.0, 0.0])

    def loss(at: Floats) -> float:
        z = at @ columns
        # The second term draws the slope to 1, as one part or so would.
        return float((np.logaddexp(0, z) - y * z).sum() + (at[0] - 1) ** 2 / 2)

    for _ in range(100):  # Newton's method; a step that overshoots is halved
        p = sigmoid(at @ columns)
        gradient = columns @ (p - y) + np.array([at[0] - 1, 0.0])
        curvature = (columns * (p * (1 - p))) @ columns.T + np.diag([1.0, 1e-6])
        step = np.linalg.solve(curvature, gradient)
        while loss(at - step) > loss(at) and np.abs(step).max() > 1e-9:
            step = step / 2
        at = at - step
        if np.abs(step).max() < 1e-7:
            break
    slope, offset = float(at[0]), float(at[1])
    if slope < _LEAST_SLOPE:  # surer was not righter: one share for all, in the old order
        share = float(y.mean())
        slope, offset = _LEAST_SLOPE, float(np.log(share / (1 - share)) - _LEAST_SLOPE * x.mean())
    return Curve(slope, offset)


def fit_steps(pairs: Sequence[Pair]) -> Curve:
    """Isotonic regression by pooling adjacent violators; a knot at the middle of each step."""
    sure, right = _confidences(pairs), np.array([p.is_right for p in pairs], dtype=float)
    order = np.argsort(sure, kind="stable")
    blocks: list[list[float]] = []  # sums of confidence and of right, and the count
    for _, equal in itertools.groupby(order, key=lambda i: sure[i]):
        index = list(equal)
        blocks.append([float(sure[index].sum()), float(right[index].sum()), float(len(index))])
        while len(blocks) > 1 and blocks[-2][1] * blocks[-1][2] >= blocks[-1][1] * blocks[-2][2]:
            last = blocks.pop()
            blocks[-1] = [a + b for a, b in zip(blocks[-1], last, strict=True)]
    least = 1 / (len(pairs) + 2)  # no share is certain
    return Curve(
        knots=tuple(
            (confidence / count, min(1 - least, max(least, share / count)))
            for confidence, share, count in blocks
        )
    )


def folds(pairs: Sequence[Pair]) -> list[tuple[list[Pair], list[Pair]]]:
    """(the rest, held out) of each fold; a story is in one fold, the same at every fit."""
    numbers = [_fold(pair.group) for pair in pairs]
    found = []
    for fold in range(FOLDS):
        held = [p for p, number in zip(pairs, numbers, strict=True) if number == fold]
        rest = [p for p, number in zip(pairs, numbers, strict=True) if number != fold]
        if held and rest:
            found.append((rest, held))
    return found


# ---------------------------------------------------------------- private


def _best(methods: Sequence[Fit], pairs: Sequence[Pair], language: str = ALL) -> Fit:
    """The method that does best in the folds, judged on one language or on all."""
    losses = [0.0] * len(methods)
    for rest, held in folds(pairs):
        judged = [p for p in held if language in (ALL, p.language)]
        for number, fit in enumerate(methods):
            losses[number] += _loss(fit(rest), judged)
    return methods[int(np.argmin(losses))]


def _own(language: str, fit: Fit) -> Fit:
    """A method that looks at one language only."""

    def own(pairs: Sequence[Pair]) -> Curve:
        return fit([p for p in pairs if p.language == language])

    return own


def _loss(curve: Curve, pairs: Sequence[Pair]) -> float:
    p = np.clip(curve.apply_all(_confidences(pairs)), EDGE, 1 - EDGE)
    right = np.array([pair.is_right for pair in pairs], dtype=bool)
    return float(-np.log(np.where(right, p, 1 - p)).sum())


def _targets(pairs: Sequence[Pair]) -> Floats:
    right = np.array([p.is_right for p in pairs], dtype=bool)
    high = (right.sum() + 1) / (right.sum() + 2)
    low = 1 / ((~right).sum() + 2)
    targets: Floats = np.where(right, high, low)
    return targets


def _confidences(pairs: Sequence[Pair]) -> Floats:
    return np.array([p.confidence for p in pairs], dtype=float)


@lru_cache(maxsize=100_000)
def _fold(group: str) -> int:
    digest = hashlib.sha256(f"fold {group}".encode("utf-8", "surrogatepass")).digest()
    return digest[0] % FOLDS
