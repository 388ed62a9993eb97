"""Decode a batch of replies, each under a grammar of its own, with only the logits that it allows.

A step asks each row's grammar which tokens may follow and computes the logits of those alone: the
probabilities are exact under the grammar, and most of a small model's work, its vocabulary, is
saved. Tokens that the grammar forces are written without asking the model.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from core.errors import ModelError
from core.ports import Decoding


@dataclass(slots=True)
class Row:
    """One reply in the making. `prompt` are token ids after the shared prefix."""

    prompt: list[int]
    grammar: str
    seed: int
    tokens: list[int] = field(default_factory=list)
    probabilities: list[float] = field(default_factory=list)
    heads: list[float] = field(default_factory=list)  # of their beginnings: see `_token_heads`
    is_cut: bool = False  # the token limit came before the grammar's end


class Decoder:
    """Decodes with one model; keeps the shared prefixes' computation between calls."""

    def __init__(self, model: Any, tokenizer: Any) -> None:
        import llguidance.hf

        self._model = model
        self._body = model.get_decoder() if hasattr(model, "get_decoder") else model.model
        self._head = model.get_output_embeddings()
        self._softcap = getattr(model.config, "final_logit_softcapping", None)
        self._scale = getattr(model.config, "logit_scale", None)
        self._guide = llguidance.hf.from_tokenizer(tokenizer, n_vocab=self._head.weight.shape[0])
        self._eos = tokenizer.eos_token_id
        self._heads = _token_heads(tokenizer, self._head.weight.shape[0])
        self._prefixes: dict[tuple[int, ...], Any] = {}

    def decode(
        self,
        prefix: list[int],
        rows: Sequence[Row],
        decoding: Decoding,
        *,
        on_step: Callable[[], None] | None = None,
    ) -> None:
        """Fill the rows' tokens and probabilities. `on_step` is called between steps and may raise."""
        import torch

        with torch.inference_mode():
            self._decode(prefix, rows, decoding, on_step or (lambda: None))

    def _decode(
        self,
        prefix: list[int],
        rows: Sequence[Row],
        decoding: Decoding,
        on_step: Callable[[], None],
    ) -> None:
        import torch

        matchers = [self._matcher(row.grammar) for row in rows]
        chosers = [torch.Generator().manual_seed(row.seed) for row in rows]
        active = list(range(len(rows)))
        single = len(rows) == 1
        cache, hidden, mask, position = self._prefill(prefix, rows)
        pending: list[list[int]] = [[] for _ in rows]

        while True:
            on_step()
            finished = []
            for at, i in enumerate(active):
                if not pending[i]:
                    pending[i] = self._choose(
                        rows[i], matchers[i], hidden[at], decoding, chosers[i]
                    )
                if not pending[i] or len(rows[i].tokens) >= decoding.max_new_tokens:
                    rows[i].is_cut = bool(pending[i])
                    finished.append(at)
            if finished:
                keep = [at for at in range(len(active)) if at not in finished]
                active = [active[at] for at in keep]
                if not active:
                    return
                index = torch.tensor(keep)
                cache.batch_select_indices(index)
                mask, position = mask[index], position[index]
            width = len(pending[active[0]]) if single else 1
            feed = torch.tensor([pending[i][:width] for i in active])
            for i in active:
                rows[i].tokens += pending[i][:width]
                pending[i] = pending[i][width:]
            mask = torch.cat([mask, torch.ones(len(active), width, dtype=mask.dtype)], 1)
            places = position[:, None] + torch.arange(width)
            position = position + width
            out = self._body(
                input_ids=feed, attention_mask=mask, position_ids=places, past_key_values=cache,
                use_cache=True,
            )  # fmt: skip
            hidden = out.last_hidden_state[:, -1]

    def _choose(
        self, row: Row, matcher: Any, hidden: Any, decoding: Decoding, choser: Any
    ) -> list[int]:
        """The next tokens of a row: one chosen and all that the grammar then forces; [] at the end."""
        if matcher.is_stopped():
            return []
        forced = matcher.compute_ff_tokens()
        if not forced:
            allowed = self._allowed(matcher)
            if allowed.size == 0 or (allowed.size == 1 and allowed[0] == self._eos):
                return []
            token, probability, head = self._sample(hidden, allowed, decoding, choser)
            row.probabilities.append(probability)
            row.heads.append(head)
            if token == self._eos:
                return []
            self._consume(matcher, [token])
            if matcher.is_stopped():
                return [token]
            forced = matcher.compute_ff_tokens()
            chosen = [token]
        else:
            chosen = []
        forced = [t for t in forced if t != self._eos]
        self._consume(matcher, forced)
        row.probabilities += [1.0] * len(forced)
        row.heads += [1.0] * len(forced)
        return chosen + forced

    def _sample(
        self, hidden: Any, allowed: np.ndarray, decoding: Decoding, choser: Any
    ) -> tuple[int, float, float]:
        """A token among those allowed, its probability among them at temperature 1, and that of all
        that begin as it does."""
        import torch

        if allowed.size == 1:
            return int(allowed[0]), 1.0, 1.0
        ids = torch.from_numpy(allowed)
        logits = (self._head.weight[ids] @ hidden).float()
        if getattr(self._head, "bias", None) is not None:
            logits = logits + self._head.bias[ids].float()
        if self._scale:
            logits = logits * self._scale
        if self._softcap:
            logits = torch.tanh(logits / self._softcap) * self._softcap
        true = torch.softmax(logits, 0)
        if decoding.temperature <= 0:
            at = int(torch.argmax(logits))
        else:
            drawn = torch.softmax(logits / decoding.temperature, 0)
            ranked, order = torch.sort(drawn, descending=True)
            # The smallest set whose sum reaches top_p; the likeliest token is always in it.
            ranked[torch.cumsum(ranked, 0) - ranked >= decoding.top_p] = 0.0
            at = int(order[torch.multinomial(ranked, 1, generator=choser)])
        alike = torch.from_numpy(self._heads[allowed] == self._heads[allowed[at]])
        return int(allowed[at]), float(true[at]), float(true[alike].sum())

    def _allowed(self, matcher: Any) -> np.ndarray:
        bits = np.frombuffer(matcher.compute_bitmask(), dtype=np.uint8)
        return np.flatnonzero(np.unpackbits(bits, bitorder="little"))

    def _consume(self, matcher: Any, tokens: list[int]) -> None:
        if tokens and not matcher.consume_tokens(tokens):
            raise ModelError(f"the grammar refused its own tokens: {matcher.get_error()}")

    def _matcher(self, grammar: str) -> Any:
        import llguidance

        matcher = llguidance.LLMatcher(self._guide, grammar)
        if matcher.is_error():
            raise ModelError(f"the grammar of a reply could not be made: {matcher.get_error()}")
        return matcher

    def _prefill(self, prefix: list[int], rows: Sequence[Row]) -> tuple[Any, Any, Any, Any]:
        """Read the prompts, the shared prefix once: (cache, last hidden states, mask, positions)."""
        import torch

        width = max(len(row.prompt) for row in rows)
        ids = torch.full((len(rows), width), self._eos)
        mask = torch.zeros((len(rows), len(prefix) + width), dtype=torch.long)
        mask[:, : len(prefix)] = 1
        places = torch.zeros((len(rows), width), dtype=torch.long)
        for i, row in enumerate(rows):
            count = len(row.prompt)
            ids[i, width - count :] = torch.tensor(row.prompt)
            mask[i, len(prefix) + width - count :] = 1
            places[i, width - count :] = torch.arange(count) + len(prefix)
        cache = self._prefix_cache(prefix, len(rows))
        out = self._body(
            input_ids=ids, attention_mask=mask, position_ids=places, past_key_values=cache,
            use_cache=True,
        )  # fmt: skip
        return out.past_key_values, out.last_hidden_state[:, -1], mask, places[:, -1] + 1

    def _prefix_cache(self, prefix: list[int], count: int) -> Any:
        import torch
        from transformers import DynamicCache

        if not prefix:
            return DynamicCache(config=self._model.config)
        key = tuple(prefix)
        if key not in self._prefixes:
            if len(self._prefixes) >= 4:
                self._prefixes.pop(next(iter(self._prefixes)))
            empty = DynamicCache(config=self._model.config)
            out = self._body(
                input_ids=torch.tensor([prefix]), past_key_values=empty, use_cache=True
            )
            self._prefixes[key] = out.past_key_values
        cache = copy.deepcopy(self._prefixes[key])
        cache.batch_repeat_interleave(count)
        return cache


def _token_heads(tokenizer: Any, size: int) -> np.ndarray:
    """A number for each token: the same for those that are alike up to their first quotation mark.

    Whether a string ends here is one decision, whatever a token writes after its end.
    """
    heads = np.arange(size)
    first: dict[str, int] = {}
    for number, text in enumerate(tokenizer.convert_ids_to_tokens(list(range(len(tokenizer))))):
        if text and '"' in text and number < size:
            heads[number] = first.setdefault(text[: text.index('"')], number)
    return heads
