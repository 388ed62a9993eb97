"""How a model is asked: which prompt, with how many examples, in one step or two."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Strategy:
    """A way of asking. `examples`: how many reviewed samples are shown before the sample.

    `in_steps`: first cheaply, without examples; again with them only where the first answer is
    unsure or lacks a required role.
    """

    version: str
    examples: int = 0
    in_steps: bool = False


def strategy_to_dict(strategy: Strategy) -> dict[str, Any]:
    """The strategy as it is stored."""
    return asdict(strategy)


def strategy_from_dict(data: Mapping[str, Any]) -> Strategy:
    """The strategy that `strategy_to_dict` wrote."""
    return Strategy(**data)
