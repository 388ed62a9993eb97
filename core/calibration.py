"""Calibration: curves that turn a model's confidence into how often it is right, from reviews; pure.

A suggested part is right where the newest review keeps it, as `core.difference` pairs the two: a
type where its event is kept with that type, a trigger and an argument's words where their place is
the same, a role where the argument is kept in that role. What is removed is wrong in every part.

`core.fitting` makes the curves, `core.reliability` measures them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from core.difference import match_events
from core.events import Argument, Event, Mention

Kind = Literal["type", "trigger", "role", "argument"]
KINDS: tuple[Kind, ...] = get_args(Kind)
ALL = ""  # in the place of a language: all of them
EDGE = 0.001  # a calibrated confidence is this far from 0 and from 1
_EVEN = 1e-6  # the log-odds of a confidence nearer to 0 or 1 are those of this one

Floats = NDArray[np.float64]


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
            raw = sigmoid(self.slope * log_odds(confidences) + self.offset)
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


def log_odds(confidences: Floats) -> Floats:
    """The log-odds of probabilities, finite also for 0 and 1."""
    kept = np.clip(confidences, _EVEN, 1 - _EVEN)
    odds: Floats = np.log(kept / (1 - kept))
    return odds


def sigmoid(values: Floats) -> Floats:
    """The probabilities that have these log-odds."""
    found: Floats = 1 / (1 + np.exp(-np.clip(values, -40, 40)))
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


def _same(one: Mention | None, other: Mention | None) -> bool:
    return one is not None and other is not None and one.place == other.place
