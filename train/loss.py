"""Cross-entropy through a frozen output layer, a few positions at a time.

A small model's vocabulary dwarfs the rest of it: 600 positions of Gemma's 262,144 logits are 630 MB,
several times over while a loss is differentiated. The output layer does not train, so the gradient
of the hidden states is known as soon as the logits are; nothing of the vocabulary's size is kept.
"""

from __future__ import annotations

from typing import Any

CHUNK = 96  # positions at a time


def frozen_head_loss(hidden: Any, weight: Any, wanted: Any, *, softcap: float | None = None) -> Any:
    """Summed cross-entropy of `wanted` (N) under `hidden` (N × D) @ `weight`ᵀ (V × D), the weight
    frozen. `softcap`: the logits are softcap · tanh(logits / softcap), as Gemma 2 has it."""
    import torch

    class FrozenHead(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, states: Any) -> Any:
            total = torch.zeros((), device=states.device)
            gradient = torch.empty_like(states)
            for at in range(0, states.shape[0], CHUNK):
                part, target = states[at : at + CHUNK], wanted[at : at + CHUNK]
                logits = (part.to(weight.dtype) @ weight.T).float()
                slope = None
                if softcap:
                    bounded = torch.tanh(logits / softcap)
                    logits, slope = bounded * softcap, 1 - bounded * bounded
                rows = torch.arange(len(target), device=target.device)
                norm = torch.logsumexp(logits, 1)
                total += (norm - logits[rows, target]).sum()
                change = torch.exp(logits - norm[:, None])
                change[rows, target] -= 1
                if slope is not None:
                    change = change * slope
                gradient[at : at + CHUNK] = (change.to(weight.dtype) @ weight).to(states.dtype)
            ctx.save_for_backward(gradient)
            return total

        @staticmethod
        def backward(ctx: Any, outer: Any) -> Any:
            (gradient,) = ctx.saved_tensors
            return gradient * outer

    return FrozenHead.apply(hidden)  # type: ignore[no-untyped-call]
