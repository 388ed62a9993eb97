"""Which texts are alike, by their vectors: what is common to a language is taken away first.

Except between copies: where a language has little but reprints of one text, what is common to it is
what they say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]
# Texts' worth of trust in the mean of all languages, so that a single text of one keeps something to
# say. Tried with 2 to 64 stories of the demo: 0 and 2 lose a little, 10 a lot.
PRIOR = 1
COPY = 0.95  # cosine as it comes from which two texts are the same but for a word
COMPARED = 8_000_000  # pairs compared at a time, at some 20 bytes each


def language_means(vectors: Vectors, languages: Sequence[str]) -> dict[str, Vectors]:
    """The mean of each language's vectors, and under "" that of all of them.

    A language with few texts is drawn to the mean of all.
    """
    names = np.asarray(languages)
    overall = vectors.mean(axis=0)
    means = {"": overall}
    for language in dict.fromkeys(languages):
        mine = names == language
        means[language] = (vectors[mine].sum(axis=0) + PRIOR * overall) / (mine.sum() + PRIOR)
    return means


def take_language_away(
    vectors: Vectors, languages: Sequence[str], means: Mapping[str, Vectors] | None = None
) -> Vectors:
    """The vectors without their language's mean, of length 1 again.

    `means` are those of other texts; a language that has none there loses the mean of all.
    """
    if not len(vectors):
        return vectors
    means = means if means is not None else language_means(vectors, languages)
    out = vectors - np.stack([means.get(language, means[""]) for language in languages])
    lengths = np.linalg.norm(out, axis=1, keepdims=True)
    return np.asarray(out / np.where(lengths > 0, lengths, 1), dtype=np.float32)


def find_neighbours(
    vectors: Vectors,
    languages: Sequence[str],
    candidates: Sequence[int],
    groups: Sequence[str | None],
    *,
    count: int,
    alike_from: float,
) -> Iterator[tuple[int, list[tuple[int, float]]]]:
    """For each row the nearest `candidates` (numbers of rows), best first: (row, [(other, score)]).

    The score is the cosine without the languages; of copies it is the cosine as it comes.

    Never itself, never one of its own group (None is no group), none below `alike_from`.
    """
    others = np.asarray(candidates, dtype=np.int64)
    clean = take_language_away(vectors, languages)
    codes = _codes(groups)
    block = max(1, COMPARED // max(1, len(others)))
    for begin in range(0, len(vectors), block):
        rows = np.arange(begin, min(begin + block, len(vectors)))
        plain = vectors[rows] @ vectors[others].T
        scores = np.where(plain >= COPY, plain, clean[rows] @ clean[others].T)
        scores[rows[:, None] == others[None, :]] = -1
        scores[codes[rows][:, None] == codes[others][None, :]] = -1
        best = _largest(scores, count)
        for row, places in zip(rows, best, strict=True):
            found = [(int(others[p]), float(scores[row - begin, p])) for p in places]
            yield int(row), [(other, score) for other, score in found if score >= alike_from]


# ---------------------------------------------------------------- private


def _largest(scores: Vectors, count: int) -> NDArray[np.int64]:
    """The places of the largest scores of each row, largest first."""
    count = min(count, scores.shape[1])
    if count == 0:
        return np.empty((len(scores), 0), dtype=np.int64)
    some = np.argpartition(-scores, count - 1, axis=1)[:, :count]
    order = np.argsort(-np.take_along_axis(scores, some, axis=1), axis=1, kind="stable")
    return np.take_along_axis(some, order, axis=1)


def _codes(groups: Sequence[str | None]) -> NDArray[np.int64]:
    """A number for each group; whoever has none gets one of its own."""
    known: dict[str, int] = {}
    return np.asarray(
        [
            -1 - i if group is None else known.setdefault(group, len(known))
            for i, group in enumerate(groups)
        ],
        dtype=np.int64,
    )
