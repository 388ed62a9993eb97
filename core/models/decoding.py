"""Decode replies, many at once, each bound by a grammar of its own or free.

A step feeds the model what each reply got last and then chooses each reply's next token. Under a
grammar only the logits that it allows are computed: the probabilities are exact under the grammar, and
most of a small model's work, its vocabulary, is saved. What the grammar forces is written without
asking, several tokens in one step. A reply that is done leaves at once and the next one takes its
place, so no step waits for the longest.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.models.guides import Guide, Hints, Tokens, vocabulary_of
from core.models.packed import PackedModel, Prefix
from core.ports import Decoding, Step

ROWS = 64  # replies at once: with more the arithmetic, not the memory, is what a step waits for
READ = 512  # tokens that a step reads of new prompts: what a step lasts is what a person waits
KEPT_BYTES = 1 << 30  # of keys and values
PREFIXES = 4  # beginnings of prompts that are kept read
LIKELY = 256  # tokens among which the likeliest ones are looked for first

Numbers = NDArray[np.float32]


@dataclass(slots=True)
class Row:
    """One reply in the making. `prompt` are token ids after the shared prefix; without a grammar the
    reply is free."""

    prompt: list[int]
    grammar: str | None
    seed: int
    hints: Hints = field(default_factory=Hints)
    tokens: list[int] = field(default_factory=list)
    probabilities: list[float] = field(default_factory=list)
    heads: list[float] = field(default_factory=list)  # of all tokens that begin as each does
    is_cut: bool = False  # the token limit came before the end


@dataclass(slots=True)
class _Lane:
    """A row under way: what the model has not read of it yet, and what may come next."""

    row: Row
    guide: Guide
    chance: np.random.Generator
    unread: list[int]


class Decoder:
    """Decodes with one model, and keeps what it computed of the prefixes that prompts share."""

    def __init__(self, model: Any, tokenizer: Any) -> None:
        self._model = PackedModel(model)
        self._head = model.get_output_embeddings()
        self._softcap = getattr(model.config, "final_logit_softcapping", None)
        self._scale = getattr(model.config, "logit_scale", None)
        self._vocabulary = vocabulary_of(tokenizer, self._head.weight.shape[0])
        self._prefixes: OrderedDict[tuple[int, ...], Prefix] = OrderedDict()
        self.room = max(1, KEPT_BYTES // self._model.token_bytes)  # tokens, of all rows together

    def forget(self) -> None:
        """The weights have changed: nothing that was computed of prefixes holds any longer."""
        self._prefixes.clear()

    def spell(self, tokens: Sequence[int]) -> list[bytes]:
        """What each token writes."""
        return self._vocabulary.spell(tokens)

    def decode(
        self,
        prefix: Sequence[int],
        rows: Sequence[Row],
        decoding: Decoding,
        *,
        on_step: Step | None = None,
    ) -> None:
        """Fill the rows' tokens and probabilities. `on_step` is told the share of rows that are done
        between any two steps, and may raise: the next call begins afresh."""
        import torch

        # The longest come first, and rows go together with those that need at least half as much,
        # so that a long one does not make the slots of many short ones as long.
        waiting = sorted(rows, key=lambda row: len(row.prompt), reverse=True)
        with torch.inference_mode(), self._model.attending():
            kept = self._read_prefix(prefix)
            while waiting:
                most = len(waiting[0].prompt) + decoding.max_new_tokens
                count = sum(
                    2 * (len(row.prompt) + decoding.max_new_tokens) >= most for row in waiting
                )
                slots = max(1, min(ROWS, self.room // most, count))
                self._model.begin(kept, slots=slots, capacity=most)
                before = len(rows) - len(waiting)
                self._decode(deque(waiting[:count]), slots, decoding, before, len(rows), on_step)
                waiting = waiting[count:]

    def _decode(
        self,
        waiting: deque[Row],
        slots: int,
        decoding: Decoding,
        done: int,
        total: int,
        on_step: Step | None,
    ) -> None:
        lanes: list[_Lane] = []
        while waiting or lanes:
            if on_step is not None:
                on_step(done / total)
            room = READ
            while (
                waiting and len(lanes) < slots and (room >= len(waiting[0].prompt) or room == READ)
            ):
                row = waiting.popleft()
                room -= len(row.prompt)
                lane = self._begin(row, decoding)
                if lane is None:
                    done += 1
                else:
                    lanes.append(lane)
            if not lanes:
                continue
            hidden = self._model.feed([lane.unread for lane in lanes])
            self._choose(lanes, hidden, decoding)
            for slot in range(len(lanes) - 1, -1, -1):
                if not lanes[slot].unread:
                    self._model.drop(slot)
                    lanes[slot] = lanes[-1]
                    lanes.pop()
                    done += 1

    def _begin(self, row: Row, decoding: Decoding) -> _Lane | None:
        """A row's lane; None where the grammar leaves nothing to ask the model."""
        guide = self._vocabulary.guide(row.grammar, row.hints)
        lane = _Lane(row, guide, np.random.default_rng(row.seed), list(row.prompt))
        self._write(lane, [], decoding)
        return lane if lane.unread else None

    def _choose(self, lanes: Sequence[_Lane], hidden: Any, decoding: Decoding) -> None:
        """The next token of each row and what the grammar then forces; nothing at its end."""
        choices = [lane.guide.allowed for lane in lanes]
        for lane, allowed, logits in zip(
            lanes, choices, self._logits(hidden, choices), strict=True
        ):
            stops = self._vocabulary.stops
            wanted = logits if allowed is None else logits - decoding.stop_odds * stops[allowed]
            at = _pick(wanted, decoding, lane.chance)
            token = at if allowed is None else int(allowed[at])
            lane.guide.take(token)
            lane.unread = []
            if token == self._vocabulary.eos:
                continue
            shares, heads = _softmax(logits), self._vocabulary.heads
            alike = heads if allowed is None else heads[allowed]
            lane.row.probabilities.append(float(shares[at]))
            lane.row.heads.append(float(shares[alike == heads[token]].sum()))
            self._write(lane, [token], decoding)

    def _write(self, lane: _Lane, tokens: list[int], decoding: Decoding) -> None:
        """Write tokens and what the grammar then forces; at its end nothing is left to be read."""
        row, guide = lane.row, lane.guide
        tokens = tokens + ([] if guide.is_over else guide.advance())
        room = decoding.max_new_tokens - len(row.tokens)
        row.is_cut = len(tokens) > room or (len(tokens) == room and not guide.is_over)
        row.is_cut |= guide.is_stuck
        row.tokens += tokens[:room]
        row.probabilities += [1.0] * (len(row.tokens) - len(row.probabilities))
        row.heads += [1.0] * (len(row.tokens) - len(row.heads))
        lane.unread = [] if guide.is_over or row.is_cut else lane.unread + tokens

    def _logits(self, hidden: Any, choices: Sequence[Tokens | None]) -> list[Numbers]:
        """The logits of what each row may say next."""
        import torch

        found: dict[int, Numbers] = {}
        free = [i for i, allowed in enumerate(choices) if allowed is None]
        if free:
            out = self._finish(self._head(hidden[free]).float())
            found |= zip(free, out.cpu().numpy(), strict=True)
        bound = [(i, allowed) for i, allowed in enumerate(choices) if allowed is not None]
        if bound:
            counts = [len(allowed) for _, allowed in bound]
            ids = torch.from_numpy(np.concatenate([allowed for _, allowed in bound]))
            rows = torch.from_numpy(np.repeat([i for i, _ in bound], counts))
            ids, rows = ids.to(hidden.device), rows.to(hidden.device)
            out = (self._head.weight[ids].float() * hidden.float()[rows]).sum(1)
            if getattr(self._head, "bias", None) is not None:
                out = out + self._head.bias[ids].float()
            ends = np.cumsum(counts)[:-1]
            parts = np.split(self._finish(out).cpu().numpy(), ends)
            found |= zip([i for i, _ in bound], parts, strict=True)
        return [found[i] for i in range(len(choices))]

    def _finish(self, logits: Any) -> Any:
        import torch

        if self._scale:
            logits = logits * self._scale
        if self._softcap:
            logits = torch.tanh(logits / self._softcap) * self._softcap
        return logits

    def _read_prefix(self, tokens: Sequence[int]) -> Prefix:
        key = tuple(tokens)
        if not key:
            return {}
        if key not in self._prefixes:
            while len(self._prefixes) >= PREFIXES:
                self._prefixes.popitem(last=False)
            self._prefixes[key] = self._model.read_prefix(key)
        self._prefixes.move_to_end(key)
        return self._prefixes[key]


def _softmax(logits: Numbers) -> Numbers:
    shares = np.exp(logits - logits.max())
    return np.asarray(shares / shares.sum(), dtype=np.float32)


def _pick(logits: Numbers, decoding: Decoding, chance: np.random.Generator) -> int:
    """The place of the likeliest, or of one drawn from the smallest set that reaches `top_p`."""
    if decoding.temperature <= 0:
        return int(logits.argmax())
    shares = _softmax(logits / decoding.temperature)
    order = _likeliest(shares, decoding.top_p)
    sums = np.cumsum(shares[order], dtype=np.float64)
    last = int(np.searchsorted(sums, decoding.top_p)) + 1
    drawn = np.searchsorted(sums[:last], chance.random() * sums[:last][-1], side="right")
    return int(order[min(int(drawn), last - 1, len(order) - 1)])


def _likeliest(shares: Numbers, top_p: float) -> NDArray[np.int64]:
    """Places from the likeliest on, as many as `top_p` needs; of a whole vocabulary few are."""
    if len(shares) > LIKELY:
        some = np.argpartition(-shares, LIKELY)[:LIKELY]
        if shares[some].sum() >= top_p:
            return np.asarray(some[np.argsort(-shares[some], kind="stable")])
    return np.argsort(-shares, kind="stable")
