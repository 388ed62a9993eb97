"""Places in a text as the plain model finds them: characters, words, selections, edges."""

from __future__ import annotations

from collections.abc import Sequence

import regex


def cut(text: str, *, by_word: bool) -> list[tuple[int, int]]:
    """What a cursor steps by: words, or what a reader takes for one character, blanks left out."""
    pattern = r"[\p{L}\p{N}\p{M}]+" if by_word else r"\X"
    return [m.span() for m in regex.finditer(pattern, text) if not m[0].isspace()]


def snap(text: str, start: int, end: int, *, by_word: bool) -> list[list[int]]:
    """The characters (and words) that UTF-16 units from `start` to `end` touch, as one piece."""
    at = [len(text[:i].encode("utf-16-le")) // 2 for i in range(len(text) + 1)]
    touched = [c for c in cut(text, by_word=False) if at[c[0]] < end and at[c[1]] > start]
    if not touched:
        return []
    a, b = touched[0][0], touched[-1][1]
    words = [w for w in cut(text, by_word=True) if w[0] < b and w[1] > a] if by_word else []
    return [[min([a, *(w[0] for w in words)]), max([b, *(w[1] for w in words)])]]


def move_edge(text: str, piece: Sequence[int], edge: str, step: int, *, by_word: bool) -> list[int]:
    """A piece with one edge at the next place where such an edge may be; as it was if it cannot."""
    a, b = piece
    side = 0 if edge == "start" else 1
    places = [c[side] for c in cut(text, by_word=by_word)]
    beyond = [p for p in places if (p > piece[side] if step > 0 else p < piece[side])]
    to = (min(beyond) if step > 0 else max(beyond)) if beyond else piece[side]
    moved = [to, b] if edge == "start" else [a, to]
    return moved if moved[0] < moved[1] else [a, b]


def join(pieces: Sequence[Sequence[int]]) -> list[list[int]]:
    """The same characters as pieces in order, none touching another."""
    points = sorted({p for a, b in pieces for p in range(a, b)})
    starts = [p for p in points if p - 1 not in set(points)]
    ends = [p + 1 for p in points if p + 1 not in set(points)]
    return [list(pair) for pair in zip(starts, ends, strict=True)]
