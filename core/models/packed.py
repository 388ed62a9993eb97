"""Run a model over many rows of tokens at once without padding, and keep what it computed of them.

The new tokens of all rows go through the layers one behind the other; only attention asks which row
a token belongs to. Keys and values lie in slots, one a row; what all rows begin with lies there once.
Knows nothing of grammars: it takes token ids and gives hidden states.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from core.errors import ModelError
from core.models.scores import How, hide, weigh

ATTENTION = "argus_packed"  # its name among the attention functions of transformers
NARROW = 8  # new tokens: rows with no more are attended to together, padded to the longest

# Keys and values of a prefix by layer, [heads, tokens, width] each.
Prefix = Mapping[int, tuple[Any, Any]]


@dataclass(frozen=True, slots=True)
class _Group:
    """Rows in neighbouring slots that are attended to in one go; `first` and `last` are their tokens
    among all. `spread` and `gather` lead to the padded form and back, None where nothing is padded."""

    slots: slice
    first: int
    last: int
    width: int
    keys: int
    spread: Any = None
    gather: Any = None


@dataclass(slots=True)
class _Step:
    """One pass of the model: where each new token belongs."""

    stored: Any  # where its keys and values are kept
    places: Any  # its place in its row, from 0 behind the prefix
    lowest: int
    highest: int
    groups: list[_Group]
    masks: dict[tuple[str, int, int | None], Any] = field(default_factory=dict)


class PackedModel:
    """A model with slots for rows. Between `begin` and the next `begin` its weights must not change."""

    def __init__(self, model: Any) -> None:
        from transformers import AttentionInterface

        AttentionInterface.register(ATTENTION, _attend)
        self._model = model
        self._body = model.get_decoder()
        self._device = model.get_input_embeddings().weight.device
        self._prefix: Prefix = {}
        self._before = 0  # tokens of the prefix that lie outside the slots
        self._start = 0  # tokens of the prefix that lie in each slot
        self._shape = (0, 0)
        self._kept: dict[int, tuple[Any, Any]] = {}
        self._lengths: list[int] = []

    @property
    def token_bytes(self) -> int:
        """What a token's keys and values take."""
        config, weight = self._body.config, self._model.get_input_embeddings().weight
        heads = config.num_attention_heads
        width = getattr(config, "head_dim", None) or config.hidden_size // heads
        some = getattr(config, "num_key_value_heads", None) or heads
        return int(2 * config.num_hidden_layers * some * width * weight.element_size())

    @contextmanager
    def attending(self) -> Iterator[None]:
        """While this lasts, the model attends the way that `feed` needs, and then again as before."""
        config = self._body.config
        before = config._attn_implementation
        config._attn_implementation = ATTENTION
        try:
            yield
        finally:
            config._attn_implementation = before
            self.begin({}, slots=0, capacity=0)  # the slots give their memory back

    def read_prefix(self, tokens: Sequence[int]) -> Prefix:
        """Keys and values of what rows begin with."""
        self.begin({}, slots=1, capacity=len(tokens))
        self.feed([tokens])
        return {
            layer: (keys[0].transpose(0, 1).contiguous(), values[0].transpose(0, 1).contiguous())
            for layer, (keys, values) in self._kept.items()
        }

    def begin(self, prefix: Prefix, *, slots: int, capacity: int) -> None:
        """Forget every row; from now on there are `slots` of up to `capacity` tokens each behind the
        prefix. A lone row has the prefix in its slot: that is one attention instead of two."""
        self._lengths, self._kept, self._prefix = [], {}, prefix
        count = next((keys.shape[1] for keys, _ in prefix.values()), 0)
        self._before, self._start = count, 0
        if slots == 1 and count:
            self._prefix, self._before, self._start = {}, 0, count
            for layer, pair in prefix.items():
                self._kept[layer] = self._empty(pair[0], 1, capacity + count)
                for kept, known in zip(self._kept[layer], pair, strict=True):
                    kept[0, :count] = known.transpose(0, 1)
        self._shape = (slots, self._start + capacity)

    def feed(self, tokens: Sequence[Sequence[int]]) -> Any:
        """Read the new tokens of every row, at least one each, a new row's behind the others'. Gives
        the hidden state of each row's last token."""
        import torch

        self._lengths += [self._start] * (len(tokens) - len(self._lengths))
        step = self._step([len(row) for row in tokens])
        ids = torch.tensor([[token for row in tokens for token in row]], device=self._device)
        out = self._body(
            input_ids=ids, position_ids=(step.places + self._before)[None], use_cache=False,
            packed=(self, step),
        )  # fmt: skip
        if not self._kept:
            raise ModelError(
                f"{type(self._model).__name__} does not let its attention be replaced, so it cannot "
                "be decoded here: register it behind a server"
            )
        ends = torch.tensor([len(row) for row in tokens], device=self._device).cumsum(0) - 1
        return out.last_hidden_state[0, ends]

    def drop(self, slot: int) -> None:
        """Forget a row; the last one moves into its slot."""
        length, last = self._lengths.pop(), len(self._lengths)
        if slot != last:
            for pair in self._kept.values():
                for kept in pair:
                    kept[slot, :length] = kept[last, :length]
            self._lengths[slot] = length

    def _step(self, counts: Sequence[int]) -> _Step:
        import torch

        starts = self._lengths
        self._lengths = [start + count for start, count in zip(starts, counts, strict=True)]
        rows = torch.arange(len(counts)).repeat_interleave(torch.tensor(counts))
        spans = zip(starts, self._lengths, strict=True)
        places = torch.cat([torch.arange(start, end) for start, end in spans])
        groups, slot, token = [], 0, 0
        while slot < len(counts):
            end = slot + 1
            while max(counts[slot : end + 1]) <= NARROW and end < len(counts):
                end += 1
            groups.append(self._group(counts, slice(slot, end), token))
            slot, token = end, groups[-1].last
        return _Step(
            (rows * self._shape[1] + places).to(self._device), places.to(self._device),
            min(starts), max(self._lengths) - 1, groups,
        )  # fmt: skip

    def _group(self, counts: Sequence[int], slots: slice, first: int) -> _Group:
        import torch

        mine = counts[slots]
        total, width, keys = sum(mine), max(mine), max(self._lengths[slots])
        if total == width * len(mine):
            return _Group(slots, first, first + total, width, keys)
        is_real = torch.arange(width) < torch.tensor(mine)[:, None]
        gather = is_real.flatten().nonzero()[:, 0]
        spread = torch.zeros(is_real.numel(), dtype=torch.long)
        spread[gather] = torch.arange(total)
        return _Group(
            slots, first, first + total, width, keys,
            spread.to(self._device), gather.to(self._device),
        )  # fmt: skip

    def _empty(self, like: Any, slots: int, capacity: int) -> tuple[Any, Any]:
        import torch

        # Zeros, not whatever lies there: a masked NaN is still a NaN.
        shape = (slots, capacity, like.shape[0], like.shape[-1])
        options = {"dtype": like.dtype, "device": like.device}
        return torch.zeros(shape, **options), torch.zeros(shape, **options)

    def attend(self, step: _Step, layer: int, how: How, query: Any, key: Any, value: Any) -> Any:
        """What each new token sees of its row and of the prefix; [1, heads, tokens, width] each, but
        [1, tokens, heads, width] at the end."""
        import torch

        _, heads, count, width = query.shape
        some = key.shape[1]  # heads of keys and values; each serves a few of the queries'
        if layer not in self._kept:
            self._kept[layer] = self._empty(key[0], *self._shape)
        keys, values = self._kept[layer]
        keys.view(-1, some, width).index_copy_(0, step.stored, key[0].transpose(0, 1))
        values.view(-1, some, width).index_copy_(0, step.stored, value[0].transpose(0, 1))

        asked = query[0].view(some, heads // some, count, width).transpose(1, 2)
        seen = [self._attend_rows(step, group, how, asked, keys, values) for group in step.groups]
        said = torch.cat([s for s, _ in seen], 1)
        if layer in self._prefix:
            weight = torch.cat([w for _, w in seen], 1)
            said = self._with_prefix(step, how, asked, self._prefix[layer], said, weight)
        return said.permute(1, 0, 2, 3).reshape(1, count, heads, width)

    def _attend_rows(
        self, step: _Step, group: _Group, how: How, asked: Any, keys: Any, values: Any
    ) -> tuple[Any, Any]:
        """(what the group's tokens see in their rows, logarithm of the weight of all that)."""
        import torch

        some, _, each, width = asked.shape
        mine = asked[:, group.first : group.last]
        if group.spread is not None:
            mine = mine.index_select(1, group.spread)
        rows = group.slots.stop - group.slots.start
        mine = mine.reshape(some, rows, group.width * each, width).transpose(0, 1)
        key = keys[group.slots, : group.keys].transpose(1, 2)
        value = values[group.slots, : group.keys].transpose(1, 2)
        mask = self._row_mask(step, group, how.window)
        if self._prefix or how.softcap:
            shape = (rows, some, group.width, each, group.keys)
            scores = torch.matmul(mine, key.transpose(2, 3)).float().view(shape)
            shares, weight = weigh(scores, mask[:, None, :, None], how)
            seen = torch.matmul(shares.view(*mine.shape[:3], group.keys).to(value.dtype), value)
            weight = weight.transpose(0, 1).reshape(some, rows * group.width, each)
        else:
            spread = mask.to(mine.dtype).repeat_interleave(each, 1)[:, None]
            seen = torch.nn.functional.scaled_dot_product_attention(
                mine, key, value, attn_mask=spread, scale=how.scale
            )
            weight = seen.new_zeros(some, rows * group.width, each)
        seen = seen.transpose(0, 1).reshape(some, rows * group.width, each, width)
        if group.gather is not None:
            seen, weight = seen.index_select(1, group.gather), weight.index_select(1, group.gather)
        return seen, weight

    def _with_prefix(
        self, step: _Step, how: How, asked: Any, prefix: tuple[Any, Any], seen: Any, weight: Any
    ) -> Any:
        """What was seen in the rows and what stands before them, each by its weight."""
        import torch

        some, count, each, width = asked.shape
        first = 0  # of the prefix that any token still sees
        if how.window is not None:
            first = max(0, self._before + step.lowest + 1 - how.window)
        if first >= self._before:
            return seen
        key, value = prefix[0][:, first:], prefix[1][:, first:]
        mask = self._prefix_mask(step, how.window, first)
        scores = torch.matmul(asked.reshape(some, count * each, width), key.transpose(1, 2))
        shares, other = weigh(scores.float().view(some, count, each, -1), mask, how)
        more = torch.matmul(shares.view(some, count * each, -1).to(value.dtype), value)
        share = torch.sigmoid(weight - other)[..., None]
        return torch.lerp(more.view_as(seen).float(), seen.float(), share).to(value.dtype)

    def _row_mask(self, step: _Step, group: _Group, window: int | None) -> Any:
        """0 where a token of a row may look, else far below: [rows, width, keys]."""
        import torch

        name = ("rows", group.first, window)
        if name not in step.masks:
            places = step.places[group.first : group.last]
            if group.spread is not None:
                places = places[group.spread]
            distance = places.view(-1, group.width, 1) - torch.arange(
                group.keys, device=self._device
            )
            hidden = distance < 0
            if window is not None:
                hidden |= distance >= window
            step.masks[name] = hide(hidden)
        return step.masks[name]

    def _prefix_mask(self, step: _Step, window: int | None, first: int) -> Any:
        """The same for the prefix from `first` on, [tokens, 1, keys]; None where all may look."""
        import torch

        if window is None or self._before + step.highest - first < window:
            return None
        name = ("prefix", first, window)
        if name not in step.masks:
            before = torch.arange(first, self._before, device=self._device)
            distance = (step.places + self._before)[:, None, None] - before
            step.masks[name] = hide(distance >= window)
        return step.masks[name]


def _attend(
    module: Any,
    query: Any,
    key: Any,
    value: Any,
    attention_mask: Any,
    *,
    packed: tuple[PackedModel, _Step],
    scaling: float | None = None,
    sliding_window: int | None = None,
    softcap: float | None = None,
    **_: Any,
) -> tuple[Any, None]:
    """The attention function that transformers calls in each layer."""
    model, step = packed
    scale = query.shape[-1] ** -0.5 if scaling is None else scaling
    how = How(scale, sliding_window, softcap)
    return model.attend(step, module.layer_idx, how, query, key, value), None
