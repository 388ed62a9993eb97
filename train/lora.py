"""The adapter's linear layers in one step: fewer copies and less to remember than peft's own.

peft widens each input to the adapter's float32, and autograd keeps that copy, the dropped-out one
and the narrowed one for the way back. Here the product, its low-rank change and their gradients are
one function that keeps the input as it is.
"""

from __future__ import annotations

from functools import cache, partial
from typing import Any


def fuse_adapter(model: Any) -> int:
    """Let the plain LoRA layers on unquantised linear layers compute in one step; returns how many.

    Layers of any other kind stay as peft has them; what is saved and merged is the same either way.
    """
    import torch
    from peft.tuners.lora import Linear

    fused = 0
    for layer in model.modules():
        plain = isinstance(layer, Linear) and type(layer.base_layer) is torch.nn.Linear
        if plain and not layer.lora_variant and layer.active_adapters == ["default"]:
            layer.forward = partial(_forward, layer, layer.forward)
            fused += 1
    return fused


def draw_mask(x: Any, rate: float) -> Any:
    """A mask for `x`: 0 with a chance of `rate` (to 1/65,536), else 1 / (1 - rate).

    Four places share a random number of 64 bits, which takes 40 % of the time of torch's own.
    """
    import torch

    size = x.numel()
    bits = torch.empty(-(-size // 4), dtype=torch.int64, device=x.device).random_(-(2**63), None)
    drawn = bits.view(torch.int16)[:size].view(x.shape)
    return (drawn >= round(rate * 2**16) - 2**15).to(x.dtype).div_(1 - rate)


def _forward(layer: Any, usual: Any, x: Any) -> Any:

    if layer.disable_adapters or layer.merged:
        return usual(x)
    rate = getattr(layer.lora_dropout["default"], "p", 0.0) if layer.training else 0.0
    mask = draw_mask(x, rate) if rate else None
    base, down, up = layer.base_layer, layer.lora_A["default"], layer.lora_B["default"]
    return _low_rank_linear()(
        x, mask, base.weight, base.bias, down.weight, up.weight, layer.scaling["default"]
    )


@cache  # made at the first use, since torch is loaded late
def _low_rank_linear() -> Any:
    import torch

    class LowRankLinear(torch.autograd.Function):
        """x @ Wᵀ + b + s · ((x · mask) @ Aᵀ) @ Bᵀ with W and b frozen, all in x's precision."""

        @staticmethod
        def forward(ctx: Any, x: Any, mask: Any, w: Any, b: Any, a: Any, up: Any, s: float) -> Any:
            flat = x.reshape(-1, x.shape[-1])
            a, up = a.to(x.dtype), up.to(x.dtype)
            seen = flat if mask is None else flat * mask.reshape(flat.shape)
            low = seen @ a.T
            out = torch.nn.functional.linear(flat, w, b).addmm_(low, up.T, alpha=s)
            ctx.save_for_backward(x, mask, w, a, up, low)
            ctx.scale = s
            return out.view(*x.shape[:-1], -1)

        @staticmethod
        def backward(ctx: Any, outer: Any) -> Any:
            x, mask, w, a, up, low = ctx.saved_tensors
            outer = outer.reshape(-1, outer.shape[-1])
            flat = x.reshape(-1, x.shape[-1])
            seen = flat if mask is None else flat * mask.reshape(flat.shape)
            inner = (outer @ up).mul_(ctx.scale)
            to_up = (outer.T @ low).float().mul_(ctx.scale)
            to_a = (inner.T @ seen).float()
            to_x = None
            if ctx.needs_input_grad[0]:
                change = inner @ a
                if mask is not None:
                    change.mul_(mask.reshape(flat.shape))
                to_x = change.addmm_(outer, w).view(x.shape)
            return to_x, None, None, None, to_a, to_up, None

    return LowRankLinear.apply
