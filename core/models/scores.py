"""From the scores of attention to shares, with what a model does to them on the way."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class How:
    """What a model's attention does to the scores."""

    scale: float
    window: int | None
    softcap: float | None


def hide(where: Any) -> Any:
    import torch

    # Not minus infinity: a token that sees nothing of the prefix would have a share of 0 / 0.
    return torch.zeros(where.shape, device=where.device).masked_fill_(where, -1e30)


def weigh(scores: Any, mask: Any, how: How) -> tuple[Any, Any]:
    """(softmax of the scores, which are used up, and the logarithm of its denominator)."""
    import torch

    scores *= how.scale
    if how.softcap:
        scores = torch.tanh(scores / how.softcap) * how.softcap
    if mask is not None:
        scores += mask
    shares = torch.softmax(scores, -1)
    return shares, scores.amax(-1) - shares.amax(-1).log()
