"""Cross-entropy through a frozen output layer, without ever holding its logits.

A small model's vocabulary dwarfs the rest of it: 400 positions of Gemma's 262,144 logits are 420 MB,
several times over while a loss is differentiated. The output layer does not train, so the gradient
of the hidden states is the mean of its rows under the softmax, less the wanted row: what attention
is with the rows as keys and values. So it is computed as attention is, block after block of the
vocabulary with a running maximum and sum, in one pass.
"""

from __future__ import annotations

from typing import Any

BLOCK = 2048  # tokens of the vocabulary at a time: their logits stay in the processor's cache
FAINT = 1e-7  # a probability whose part in the gradient bf16 cannot tell from nothing


def frozen_head_loss(
    hidden: Any, weight: Any, wanted: Any, *, bias: Any = None, softcap: float | None = None
) -> Any:
    """Summed cross-entropy of `wanted` (N) under `hidden` (N × D) @ `weight`ᵀ (V × D) + `bias` (V),
    weight and bias frozen. `softcap`: the logits are softcap · tanh(logits / softcap), as Gemma 2
    has it."""
    import torch

    # On a CPU the columns that no position gives a chance are left out of the second product.
    skips = weight.dtype == torch.bfloat16 and weight.device.type == "cpu"

    def bounded(logits: Any) -> tuple[Any, Any]:
        """The logits as the softmax sees them, and their slope (None where it is 1)."""
        if not softcap:
            return logits, None
        logits = torch.tanh(logits / softcap)
        return logits * softcap, 1 - logits * logits

    class FrozenHead(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, states: Any) -> Any:
            inner = states.to(weight.dtype)
            right = (inner.float() * weight[wanted].float()).sum(1, keepdim=True)
            if bias is not None:
                right += bias[wanted].float()[:, None]
            right, slope = bounded(right)
            most = right.clone()  # the maximum so far; `total` and `mean` are relative to it
            total, mean = torch.zeros_like(right), torch.zeros(inner.shape, device=inner.device)
            for at in range(0, weight.shape[0], BLOCK):
                rows = weight[at : at + BLOCK]
                logits = (inner @ rows.T).float()
                if bias is not None:
                    logits += bias[at : at + BLOCK]
                logits, slopes = bounded(logits)
                highest = torch.maximum(most, logits.amax(1, keepdim=True))
                share = logits.sub_(highest).exp_()
                shrink = (most - highest).exp()
                most = highest
                total.mul_(shrink).add_(share.sum(1, keepdim=True))
                mean.mul_(shrink)
                if slopes is not None:
                    share = share * slopes
                if skips:
                    kept = (share.amax(0) > FAINT).nonzero()[:, 0]
                    if len(kept) < BLOCK // 2:
                        share, rows = share[:, kept], rows[kept]
                mean += share.to(rows.dtype) @ rows
            target = weight[wanted].float()
            gradient = mean / total - (target if slope is None else target * slope)
            ctx.save_for_backward(gradient.to(states.dtype))
            return (most + total.log() - right).sum()

        @staticmethod
        def backward(ctx: Any, outer: Any) -> Any:
            (gradient,) = ctx.saved_tensors
            return gradient * outer

    return FrozenHead.apply(hidden)  # type: ignore[no-untyped-call]
