"""What may come next in a reply: what a grammar allows, or, of a free reply, everything until it stops.

A grammar speaks of characters and the model of tokens, so most texts can be written in many ways. A
model knows one of them, the one it was trained on; of others it says little that is true. So names
are written as the tokenizer writes them, words begin with a token that the tokenizer would begin
with, and where the grammar leaves one text, that text is taken as the tokenizer cuts it.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from core.errors import ModelError

Tokens = NDArray[np.int64]

NAME_AFTER, WORDS_AFTER = '["', '","'  # what stands before a name, and before words, in a reply
_OPENINGS = (NAME_AFTER.encode(), WORDS_AFTER.encode())
MATCHERS = 64  # compiled grammars that are kept: a sample is asked about again sooner or later
STARTS = 20_000  # pieces of texts whose first token is kept
FAR = 4  # pieces that a token may reach over, more are rare
STOP = b"\n\n"  # ends a free reply: after it a model that was never tuned begins another example


@dataclass(frozen=True, slots=True)
class Hints:
    """The strings of a reply: its `names`, and the `pieces` of the text that words are made of,
    all as JSON writes them between quotation marks."""

    names: Sequence[str] = ()
    pieces: Sequence[str] = ()


class Guide(Protocol):
    """What may come next in one reply."""

    allowed: Tokens | None  # the tokens to choose from, at least two; None for all there are
    is_over: bool
    is_stuck: bool  # over, but not at an end

    def advance(self) -> list[int]:
        """The tokens that must come now; then `allowed` or `is_over` says how it goes on."""
        ...

    def take(self, token: int) -> None:
        """A token was chosen."""
        ...


class _Trie(dict[int, "_Trie"]):
    """Ways to write some strings: token -> what may follow."""

    may_end = False


@lru_cache(maxsize=2)
def vocabulary_of(tokenizer: Any, size: int) -> Vocabulary:
    """The vocabulary of a tokenizer; seconds of work, which the next model on its base need not do."""
    return Vocabulary(tokenizer, size)


class Vocabulary:
    """A tokenizer as guides need it. Makes guides, and keeps what they have in common."""

    def __init__(self, tokenizer: Any, size: int) -> None:
        import llguidance.hf

        self.eos = int(tokenizer.eos_token_id)
        self.tokens = llguidance.hf.from_tokenizer(tokenizer, n_vocab=size)
        texts = [
            text or "" for text in tokenizer.convert_ids_to_tokens(list(range(len(tokenizer))))
        ][:size]
        self.heads = _heads(texts, size)
        self.opens_name = _where(texts, size, lambda text: text.endswith(NAME_AFTER))
        self.opens_words = _where(texts, size, lambda text: text.endswith(WORDS_AFTER))
        self.stops = _stops(texts, size)
        self.ends_string = _where(texts, size, lambda text: text.startswith('"'))
        self._tokenizer = tokenizer
        self._matchers: OrderedDict[str, Any] = OrderedDict()
        self._names: OrderedDict[tuple[str, ...], _Trie] = OrderedDict()
        self._first: OrderedDict[str, tuple[int, int]] = OrderedDict()

    def guide(self, grammar: str | None, hints: Hints) -> Guide:
        """The guide of a new reply; free without a grammar."""
        if grammar is None:
            return _Free(self)
        return _Bound(self, self._matcher(grammar), self._names_of(hints), self._starts_of(hints))

    def write(self, text: str) -> list[int]:
        """The tokens of a text as the tokenizer cuts it."""
        return [int(t) for t in self._tokenizer(text, add_special_tokens=False)["input_ids"]]

    def spell(self, tokens: Sequence[int]) -> list[bytes]:
        """What each token writes; a special one writes nothing."""
        known = self.tokens
        return [b"" if known.is_special_token(t) else known.decode_bytes([t]) for t in tokens]

    def _matcher(self, grammar: str) -> Any:
        import llguidance

        if grammar not in self._matchers:
            matcher = llguidance.LLMatcher(self.tokens, grammar)
            if matcher.is_error():
                raise ModelError(f"the grammar of a reply could not be made: {matcher.get_error()}")
            _keep(self._matchers, grammar, matcher, limit=MATCHERS)
        return self._matchers[grammar].deep_copy()

    def _names_of(self, hints: Hints) -> _Trie:
        key = tuple(hints.names)
        if key not in self._names:
            root = _Trie()
            for name in key:
                node = root
                for token in self.write(name):
                    node = node.setdefault(token, _Trie())
                node.may_end = True
            _keep(self._names, key, root, limit=8)
        return self._names[key]

    def _starts_of(self, hints: Hints) -> _Trie:
        """The tokens with which words of the text begin, whichever piece they begin and end with."""
        found, pieces = _Trie(), hints.pieces
        for at, piece in enumerate(pieces):
            if piece.isspace():
                continue
            found[self._first_of(piece)[0]] = _Trie()
            token, length = self._first_of("".join(pieces[at : at + FAR]))
            found[token] = _Trie()
            if length > len(piece.encode()):
                for more in range(2, FAR):
                    found[self._first_of("".join(pieces[at : at + more]))[0]] = _Trie()
        return found

    def _first_of(self, text: str) -> tuple[int, int]:
        """The first token of a text, and how many bytes it writes."""
        if text not in self._first:
            token = self.write(text)[0]
            _keep(self._first, text, (token, len(self.tokens.decode_bytes([token]))), limit=STARTS)
        return self._first[text]


class _Bound:
    """Holds to a grammar."""

    def __init__(self, vocabulary: Vocabulary, matcher: Any, names: _Trie, starts: _Trie) -> None:
        self.allowed: Tokens | None = None
        self.is_over = self.is_stuck = False
        self._vocabulary, self._matcher = vocabulary, matcher
        self._names, self._starts = names, starts
        self._node: _Trie | None = (
            None  # the ways to go on with a name or words, where they are known
        )

    def advance(self) -> list[int]:
        forced: list[int] = []
        while not self._matcher.is_stopped():
            run = [t for t in self._matcher.compute_ff_tokens() if t != self._vocabulary.eos]
            run = run or self._forced_text()
            if not run:
                allowed = self._choices()
                if allowed.size > 1:
                    self.allowed = allowed
                    return forced
                if allowed.size == 0 or allowed[0] == self._vocabulary.eos:
                    break
                run = [int(allowed[0])]
            self._consume(run)
            forced += run
        self.is_over, self.is_stuck = True, not self._matcher.is_accepting()
        return forced

    def take(self, token: int) -> None:
        if token == self._vocabulary.eos:
            self.is_over = True
        else:
            self._consume([token])

    def _forced_text(self) -> list[int]:
        """What must come up to where a name or words begin. What ends elsewhere is left to the model:
        its next token may reach further, as `[["` does where a bracket alone is certain."""
        text = self._matcher.compute_ff_bytes()
        if not text.endswith(_OPENINGS):
            return []
        return list(self._vocabulary.tokens.tokenize_bytes(text))

    def _choices(self) -> Tokens:
        words = np.frombuffer(self._matcher.compute_bitmask(), dtype=np.uint32)
        at = np.flatnonzero(words)
        bits = np.unpackbits(words[at].view(np.uint8), bitorder="little").reshape(-1, 32)
        word, bit = np.nonzero(bits)
        allowed: Tokens = at[word] * 32 + bit
        if self._node is None:
            return allowed
        known = np.isin(allowed, np.fromiter(self._node, dtype=np.int64))
        if self._node.may_end:
            known |= self._vocabulary.ends_string[allowed]
        return allowed[known] if known.any() else allowed

    def _consume(self, tokens: list[int]) -> None:
        if not self._matcher.consume_tokens(tokens):
            raise ModelError(f"the grammar refused its own tokens: {self._matcher.get_error()}")
        for token in tokens:
            if self._vocabulary.opens_name[token]:
                self._node = self._names
            elif self._vocabulary.opens_words[token]:
                self._node = self._starts
            else:
                self._node = (self._node.get(token) if self._node else None) or None


class _Free:
    """Goes on until the model ends, or leaves a line blank."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self.allowed: Tokens | None = None
        self.is_over = self.is_stuck = False
        self._vocabulary = vocabulary
        self._tail = b""

    def advance(self) -> list[int]:
        return []

    def take(self, token: int) -> None:
        self._tail = self._tail[-len(STOP) :] + self._vocabulary.spell([token])[0]
        self.is_over = token == self._vocabulary.eos or STOP in self._tail


def _heads(texts: Sequence[str], size: int) -> Tokens:
    """A number for each token: the same for those that are alike up to their first quotation mark.

    Whether a string ends here is one decision, whatever a token writes after its end.
    """
    heads = np.arange(size)
    first: dict[str, int] = {}
    for number, text in enumerate(texts):
        if '"' in text:
            heads[number] = first.setdefault(text[: text.index('"')], number)
    return heads


def _stops(texts: Sequence[str], size: int) -> NDArray[np.float32]:
    """How many lists each token of brackets alone ends that could go on: 0, 1, or 2 with the reply's."""
    found = np.zeros(size, dtype=np.float32)
    for token, text in enumerate(texts):
        if text and not text.strip('"[],'):
            closed = text.count("]") - text.count("[")
            found[token] = (closed > 0) + (closed > 2)
    return found


def _where(texts: Iterable[str], size: int, holds: Any) -> NDArray[np.bool_]:
    found = np.zeros(size, dtype=np.bool_)
    for number, text in enumerate(texts):
        found[number] = holds(text)
    return found


def _keep(cache: OrderedDict[Any, Any], key: Any, value: Any, *, limit: int) -> None:
    while len(cache) >= limit:
        cache.popitem(last=False)
    cache[key] = value
