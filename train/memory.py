"""How much memory a training run will need, by the paper's equation and by a better estimate, and how
much there is."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import psutil

from train.launch import count_gpus
from train.loading import SHORT
from train.order import GPU_PART_TOKENS, PART_TOKENS
from train.recipes import Recipe

GIB = 1024**3
BITS = {"nf4": 4, "fp4": 4, "int8": 8, "none": 16}
# What was measured on two cores with the embedded model: the libraries, and what the allocator holds
# besides the tensors that are in use.
_LIBRARIES, _HELD = 1.1 * GIB, 1.5
_CUDA = 0.6 * GIB
ASKED_EVERY = 2.0  # seconds between two questions to the driver, which takes a while to answer


@dataclass(frozen=True, slots=True)
class Shape:
    """What of a base's configuration its memory depends on."""

    layers: int
    width: int
    inner: int
    heads: int
    kv_heads: int
    head_width: int
    vocabulary: int
    is_tied: bool

    @property
    def sizes(self) -> dict[str, tuple[int, int]]:
        """Inputs and outputs of each linear layer of a block."""
        asked, known = self.heads * self.head_width, self.kv_heads * self.head_width
        return {
            "q_proj": (self.width, asked), "k_proj": (self.width, known),
            "v_proj": (self.width, known), "o_proj": (asked, self.width),
            "gate_proj": (self.width, self.inner), "up_proj": (self.width, self.inner),
            "down_proj": (self.inner, self.width),
        }  # fmt: skip

    @property
    def linear(self) -> int:
        """Weights in linear layers, which are what is quantised."""
        return self.layers * sum(a * b for a, b in self.sizes.values())

    @property
    def embedded(self) -> int:
        """Weights of the vocabulary, which are not."""
        return self.vocabulary * self.width * (1 if self.is_tied else 2)


def read_shape(location: str) -> Shape | None:
    """The shape of a base in a folder; None where its configuration is not here, or has other names."""
    try:
        found: dict[str, Any] = json.loads((Path(location) / "config.json").read_text("utf-8"))
        found = found.get("text_config", found)
        heads = int(found["num_attention_heads"])
        return Shape(
            int(found["num_hidden_layers"]), int(found["hidden_size"]),
            int(found["intermediate_size"]), heads, int(found.get("num_key_value_heads") or heads),
            int(found.get("head_dim") or found["hidden_size"] // heads), int(found["vocab_size"]),
            bool(found.get("tie_word_embeddings", False)),
        )  # fmt: skip
    except (OSError, ValueError, KeyError):
        return None


def count_adapter(shape: Shape, recipe: Recipe) -> int:
    """The weights of the recipe's adapter."""
    sizes = shape.sizes
    each = sum(sum(sizes[name]) for name in recipe.target_modules if name in sizes)
    return recipe.rank * shape.layers * each


def estimate_memory(
    shape: Shape, recipe: Recipe, *, longest: int, on_gpu: bool, free: int
) -> dict[str, int]:
    """Bytes at the peak: the base's weights, the adapter with its moments, what a step remembers, and
    the libraries. `longest`: tokens of the longest sample; `free`: bytes that the machine has now."""
    narrow = 2 if recipe.compute_dtype == "bfloat16" else 4
    packed = BITS[recipe.quantisation] / 8 * (1.05 if recipe.quantisation != "none" else narrow / 2)
    unpacked = 2 * (shape.linear + shape.embedded) * narrow < free / 8  # as `train.loading` asks
    linear = shape.linear * packed
    if not on_gpu and recipe.quantisation in ("nf4", "fp4") and unpacked:
        linear += shape.linear * narrow
    part = GPU_PART_TOKENS if on_gpu else PART_TOKENS
    tokens = min(recipe.batch_size * recipe.accumulation * longest, max(part, longest))
    remembered = tokens * _remembered(shape, recipe, longest, narrow=narrow, on_gpu=on_gpu)
    held = 1.0 if on_gpu else _HELD
    parts = {
        "weights": held * (linear + shape.embedded * narrow),
        "adapter": 16 * count_adapter(shape, recipe),  # float32: itself, gradient, two moments
        "step": held * remembered,
        "libraries": _CUDA if on_gpu else _LIBRARIES,
    }
    return {name: round(value) for name, value in parts.items()}


def paper_bits(recipe: Recipe) -> int:
    """The paper's equation 7: batch size x max tokens x precision in bits."""
    return recipe.batch_size * recipe.max_tokens * BITS[recipe.quantisation]


def smaller_recipe(
    shape: Shape, recipe: Recipe, *, lengths: Mapping[str, int], on_gpu: bool, free: int, most: int
) -> dict[str, Any] | None:
    """The changes to a recipe with which it would fit into `most` bytes, None where none do.
    `lengths`: the longest and the median sample."""
    changes: dict[str, Any] = {}
    longest = lengths["longest"]
    for name, value in (
        ("quantisation", "nf4"), ("gradient_checkpointing", True), ("rank", 8),
        ("max_tokens", max(64, lengths["median"])),
    ):  # fmt: skip
        now = getattr(recipe, name)
        if now == value or (name in ("rank", "max_tokens") and now < value):
            continue
        changes[name] = value
        changed = replace(recipe, **changes)
        longest = min(longest, changed.max_tokens)
        parts = estimate_memory(shape, changed, longest=longest, on_gpu=on_gpu, free=free)
        if sum(parts.values()) <= most:
            return changes
    return None


def machine_memory(*, on_gpu: bool) -> tuple[int, int]:
    """(all, free) bytes of this machine, or of its smallest card."""
    if on_gpu:
        cards = _cards(int(time.monotonic() / ASKED_EVERY))
        return min(cards) if cards else (0, 0)
    now = psutil.virtual_memory()
    limit = _container_limit()
    return min(now.total, limit or now.total), min(now.available, limit or now.available)


# ---------------------------------------------------------------- private


def _remembered(shape: Shape, recipe: Recipe, longest: int, *, narrow: int, on_gpu: bool) -> float:
    """Bytes that a token leaves behind for the way back through the layers."""
    attended = (shape.heads + 2 * shape.kv_heads) * shape.head_width
    layer = narrow * (12 * shape.width + 4 * attended + 5 * shape.inner)
    if not on_gpu and recipe.max_tokens <= SHORT:  # plain attention keeps every pair of tokens
        layer += 3 * narrow * shape.heads * longest
    if recipe.gradient_checkpointing:
        return layer + narrow * shape.width * shape.layers
    return layer * shape.layers


@lru_cache(maxsize=1)
def _cards(_when: int) -> list[tuple[int, int]]:
    if not count_gpus():
        return []
    try:
        told = subprocess.run(
            ["nvidia-smi", "--query-gpu=memory.total,memory.free", "--format=csv,noheader,nounits"],
            capture_output=True, text=True, timeout=10, check=True,
        )  # fmt: skip
        rows = [line.split(",") for line in told.stdout.splitlines()]
        return [(int(total) << 20, int(free) << 20) for total, free in rows]
    except (OSError, ValueError, subprocess.SubprocessError):
        return []  # a card whose driver does not answer: what it has is unknown


def _container_limit() -> int | None:
    """What a container may take at most, where it says."""
    try:
        return int(Path("/sys/fs/cgroup/memory.max").read_text(encoding="ascii"))
    except (OSError, ValueError):  # no such file, or "max"
        return None
