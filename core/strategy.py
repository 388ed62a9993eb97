"""How a model is asked: which prompt, with how many examples, in one step or two."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from core.ports import Suggested
from core.schema import Schema, check_events

UNSURE = 0.5  # a first answer with any part less sure than this is asked for again


@dataclass(frozen=True, slots=True)
class Strategy:
    """A way of asking. `examples`: how many reviewed samples are shown before the sample.

    `in_steps`: first cheaply, without examples; again with them only where the first answer is
    unsure or lacks a required role. `is_free`: as in the paper, without a grammar, to compare with.
    """

    version: str
    examples: int = 0
    in_steps: bool = False
    is_free: bool = False


def strategy_to_dict(strategy: Strategy) -> dict[str, Any]:
    """The strategy as it is stored."""
    return asdict(strategy)


def strategy_from_dict(data: Mapping[str, Any]) -> Strategy:
    """The strategy that `strategy_to_dict` wrote."""
    return Strategy(**data)


def needs_another_look(said: Suggested, schema: Schema) -> bool:
    """Whether a first answer is worth a second question: it says nothing, and so not how sure it is
    of that; a part of it is unsure; it was cut short; an event lacks a required role."""
    if not said.events:
        return True
    sure = [e.confidence for e in said.events]
    sure += [m.confidence for e in said.events for m in e.mentions()]
    sure += [a.confidence for e in said.events for a in e.arguments]
    if any(confidence is not None and confidence < UNSURE for confidence in sure):
        return True
    if any(p.code == "cut_reply" for p in said.problems):
        return True
    return any(v.kind == "missing_role" for v in check_events(schema, said.events))
