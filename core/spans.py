"""Where words lie in a text: the pieces that a span is made of, and which occurrence is meant."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache

# Written without spaces between words: every character is a piece of its own.
_NO_SPACES = re.compile(
    "[\u0e00-\u0eff\u0f00-\u109f\u1780-\u17ff\u2e80-\u303f\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff"
    "\uff66-\uff9f\U00020000-\U0003ffff]"
)
_JOINERS = "\u200c\u200d"


def pieces(text: str) -> list[str]:
    """Cut a text into the pieces that spans begin and end at; joined, they are the text.

    A run of letters and digits is a piece; so is each character of a script without spaces, each
    blank and each other sign. Combining marks, joiners and variation selectors stay with the
    character before them, and so does what a joiner joins.

    >>> pieces("Яндекс: 5G调制!")
    ['Яндекс', ':', ' ', '5G', '调', '制', '!']
    """
    found: list[str] = []
    in_word = False
    glued = False
    for char in text:
        word = char.isalnum() and not _NO_SPACES.match(char)
        if (found and (glued or _clings(char)) and not found[-1].isspace()) or (word and in_word):
            found[-1] += char
        else:
            found.append(char)
            in_word = word
        glued = char in _JOINERS
    return found


def _clings(char: str) -> bool:
    """Whether a character belongs to the one before it."""
    return (
        char in _JOINERS
        or unicodedata.category(char).startswith("M")
        or "\U0001f3fb" <= char <= "\U0001f3ff"  # skin tones
    )


@lru_cache(maxsize=64)
def borders(text: str) -> frozenset[int]:
    """The offsets at which a span may begin or end."""
    offsets, at = {0}, 0
    for piece in pieces(text):
        at += len(piece)
        offsets.add(at)
    return frozenset(offsets)


def occurrences(text: str, words: str) -> list[int]:
    """Where `words` stand in `text`, as whole words wherever there is one such place.

    >>> occurrences("AIR and AI", "AI")
    [8]
    """
    if not words:
        return []
    found, at = [], text.find(words)
    while at >= 0:
        found.append(at)
        at = text.find(words, at + 1)
    edges = borders(text)
    whole = [i for i in found if i in edges and i + len(words) in edges]
    return whole or found


def likely_trigger(places: Sequence[int], earlier: int) -> int:
    """Which occurrence a trigger means that is the same words as `earlier` triggers before it."""
    return places[min(earlier, len(places) - 1)]


def likely_argument(places: Sequence[int], length: int, trigger: tuple[int, int] | None) -> int:
    """Which occurrence an argument of `length` characters means: the nearest to its trigger."""
    if trigger is None:
        return places[0]
    begin, end = trigger
    return min(places, key=lambda i: max(0, begin - i - length, i - end))


def without_breaks(text: str) -> str:
    """The text with each blank and control character as a plain space: same length, same offsets.

    >>> without_breaks("a\\r\\nb\\tc")
    'a  b c'
    """
    return "".join(
        " " if c.isspace() or unicodedata.category(c) in ("Cc", "Zl", "Zp") else c for c in text
    )
