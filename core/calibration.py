"""Calibration: curves that turn a model's confidence into how often it is right, from reviews; pure.

A suggested part is right where the newest review keeps it, as `core.difference` pairs the two: a
type where its event is kept with that type, a trigger and an argument's words where their place is
the same, a role where the argument is kept in that role. What is removed is wrong in every part.

A curve is a scaling of the log-odds by a slope and an offset (Platt 1999; with no offset it is
temperature scaling) or steps that never fall (isotonic regression, Zadrozny and Elkan 2002), joined
by straight lines. Which of the two, and whether a language has its own or shares that of all, is
what does best on parts that it was not fitted to (log loss, five folds by story). With too few parts
confidences stay as they are.
"""

from __future__ import annotations

import hashlib
import itertools
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from core.difference import match_events
from core.events import Argument, Event, Mention

Kind = Literal["type", "trigger", "role", "argument"]
KINDS: tuple[Kind, ...] = get_args(Kind)
ALL = ""  # in the place of a language: all of them
LEAST = 30  # parts of a kind that a curve is fitted to
FOLDS = 5
EDGE = 0.001  # a calibrated confidence is this far from 0 and from 1
_LEAST_SLOPE = 0.02  # so that what was surer stays surer
_EVEN = 1e-6  # the log-odds of a confidence nearer to 0 or 1 are those of this one

Floats = NDArray[np.float64]
Fit = Callable[[Sequence["Pair"]], "Curve"]


@dataclass(frozen=True, slots=True)
class Pair:
    """A suggested part that was reviewed. `group` is the story: it is never on two sides of a fold."""

    language: str
    group: str
    kind: Kind
    confidence: float
    is_right: bool


@dataclass(frozen=True, slots=True)
class Curve:
    """From confidence to confidence, never falling: `knots` joined by straight lines where there are
    any, else the log-odds times `slope` plus `offset`. Slope 1 and offset 0 change nothing."""

    slope: float = 1.0
    offset: float = 0.0
    knots: tuple[tuple[float, float], ...] = ()

    def apply(self, confidence: float) -> float:
        """The calibrated confidence.

        >>> round(Curve(slope=0.5).apply(0.9), 2)
        0.75
        """
        if self == SAME:
            return confidence
        return float(self.apply_all(np.array([confidence]))[0])

    def apply_all(self, confidences: Floats) -> Floats:
        """The calibrated confidences of many."""
        if self == SAME:
            return confidences
        if self.knots:
            xs, ys = zip(*self.knots, strict=True)
            raw: Floats = np.interp(confidences, xs, ys)
        else:
            raw = _sigmoid(self.slope * _log_odds(confidences) + self.offset)
        found: Floats = np.clip(raw, EDGE, 1 - EDGE)
        return found


SAME = Curve()


@dataclass(frozen=True, slots=True)
class Curves:
    """The curve of each (language, kind); that of `ALL` for a language that has none of its own."""

    known: Mapping[tuple[str, Kind], Curve] = field(default_factory=dict)

    def get(self, language: str, kind: Kind) -> Curve:
        """The curve of a kind in a language; `SAME` where nothing is known."""
        return self.known.get((language, kind)) or self.known.get((ALL, kind)) or SAME


@dataclass(frozen=True, slots=True)
class Judged:
    """A reviewed sample: what a model suggested, as sure as it was itself, and what was decided."""

    sample_id: str
    language: str
    group: str
    suggested: Sequence[Event]
    decided: Sequence[Event]


# ---------------------------------------------------------------- what was right


def judge(suggested: Sequence[Event], decided: Sequence[Event]) -> list[tuple[Kind, float, bool]]:
    """(kind, confidence, whether it was right) of each suggested part that has a confidence.

    >>> judge([Event("launch", None, confidence=0.9)], [Event("outage", None)])
    [('type', 0.9, False)]
    """
    found: list[tuple[Kind, float | None, bool]] = []
    for pair in match_events(suggested, decided):
        if pair.suggested is None:
            continue
        old = suggested[pair.suggested]
        new = None if pair.decided is None else decided[pair.decided]
        found.append(("type", old.confidence, new is not None and new.event_type == old.event_type))
        if old.trigger is not None:
            is_kept = new is not None and _same(old.trigger, new.trigger)
            found.append(("trigger", old.trigger.confidence, is_kept))
        links = dict(pair.arguments)
        for index, argument in enumerate(old.arguments):
            number = links.get(index)
            kept = new.arguments[number] if new is not None and number is not None else None
            words_kept = kept is not None and _same(argument.mention, kept.mention)
            found.append(
                ("role", argument.confidence, kept is not None and kept.role == argument.role)
            )
            found.append(("argument", argument.mention.confidence, words_kept))
    return [(kind, sure, is_right) for kind, sure, is_right in found if sure is not None]


def calibrate_events(events: Iterable[Event], curves: Curves, language: str) -> tuple[Event, ...]:
    """The same events, each confidence by its curve."""

    def part(value: float | None, kind: Kind) -> float | None:
        return None if value is None else curves.get(language, kind).apply(value)

    def argument(said: Argument) -> Argument:
        sure = part(said.mention.confidence, "argument")
        mention = replace(said.mention, confidence=sure)
        return replace(said, mention=mention, confidence=part(said.confidence, "role"))

    def trigger(said: Mention) -> Mention:
        return replace(said, confidence=part(said.confidence, "trigger"))

    if not curves.known:
        return tuple(events)
    return tuple(
        replace(
            event,
            confidence=part(event.confidence, "type"),
            trigger=trigger(event.trigger) if event.trigger else None,
            arguments=tuple(map(argument, event.arguments)),
        )
        for event in events
    )


# ---------------------------------------------------------------- fitting


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
    x, y = _log_odds(_confidences(pairs)), _targets(pairs)
    columns = np.stack([x, np.ones_like(x)])
    at = np.array([1.0, 0.0])

    def loss(at: Floats) -> float:
        z = at @ columns
        # The second term draws the slope to 1, as one part or so would.
        return float((np.logaddexp(0, z) - y * z).sum() + (at[0] - 1) ** 2 / 2)

    for _ in range(100):  # Newton's method; a step that overshoots is halved
        p = _sigmoid(at @ columns)
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


# ---------------------------------------------------------------- as JSON


def curves_to_list(curves: Curves) -> list[dict[str, Any]]:
    """The curves as they are stored."""
    return [
        {
            "language": language, "kind": kind, "slope": curve.slope, "offset": curve.offset,
            "knots": [list(knot) for knot in curve.knots],
        }
        for (language, kind), curve in curves.known.items()
    ]  # fmt: skip


def curves_from_list(data: Iterable[Mapping[str, Any]]) -> Curves:
    """The curves that `curves_to_list` wrote."""
    return Curves(
        {
            (item["language"], item["kind"]): Curve(
                item["slope"], item["offset"], tuple((x, y) for x, y in item["knots"])
            )
            for item in data
        }
    )


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


def _log_odds(confidences: Floats) -> Floats:
    kept = np.clip(confidences, _EVEN, 1 - _EVEN)
    odds: Floats = np.log(kept / (1 - kept))
    return odds


def _sigmoid(values: Floats) -> Floats:
    found: Floats = 1 / (1 + np.exp(-np.clip(values, -40, 40)))
    return found


@lru_cache(maxsize=100_000)
def _fold(group: str) -> int:
    digest = hashlib.sha256(f"fold {group}".encode("utf-8", "surrogatepass")).digest()
    return digest[0] % FOLDS


def _same(one: Mention | None, other: Mention | None) -> bool:
    return one is not None and other is not None and one.place == other.place
