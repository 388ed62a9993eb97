"""Text in a picture: each word knows its offsets and its box, so that a span is also a box.

Knows nothing of the engine that read the words. Offsets are code points of the text, the end
exclusive; boxes are fractions of the upright picture or page.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from core.boxes import Box, around, clip, tidy
from core.errors import LineError, MediaError, shown


@dataclass(frozen=True, slots=True)
class PlacedWord:
    """A word, or a single character where words are not parted by blanks."""

    text: str
    start: int
    end: int
    box: Box
    page: int = 0
    confidence: float | None = None


@dataclass(frozen=True, slots=True)
class ReadLine:
    """A line as an engine gives it: its text, and its words in order with box and confidence."""

    text: str
    words: tuple[tuple[str, Box, float | None], ...]


@dataclass(frozen=True, slots=True)
class PlacedText:
    """The text of a picture or document with the places of its words, in reading order."""

    text: str
    words: tuple[PlacedWord, ...] = ()
    engine: str | None = None


def place_lines(
    lines: Sequence[ReadLine], *, page: int = 0, engine: str | None = None
) -> PlacedText:
    """The lines as one text, a line break between them, and the offsets of every word in it."""
    text, words = "", []
    for line in lines:
        if not line.text.strip():
            continue
        at = len(text)
        text += line.text + "\n"
        for word, box, confidence in line.words:
            start = text.find(word, at)
            inside = clip(box)
            if not word.strip() or start < 0 or inside is None:
                continue  # a word that the line does not have in this order has no offsets
            at = start + len(word)
            words.append(PlacedWord(word, start, at, inside, page, confidence))
    return PlacedText(text.removesuffix("\n"), tuple(words), engine)


def join_pages(pages: Sequence[PlacedText]) -> PlacedText:
    """The texts of several pages as one, an empty line between them."""
    text, words = "", []
    for page in pages:
        if text and page.text:
            text += "\n\n"
        by = len(text)
        words += [replace(w, start=w.start + by, end=w.end + by) for w in page.words]
        text += page.text
    engines = dict.fromkeys(p.engine for p in pages if p.engine)
    return PlacedText(text, tuple(words), ", ".join(engines) or None)


def boxes_of_span(placed: PlacedText, start: int, end: int) -> tuple[tuple[int, Box], ...]:
    """Page and box of a span, one for each line that it touches, in reading order.

    A word that the span cuts gives the share of its box that the letters take. Empty where no word
    lies in the span.
    """
    found: list[tuple[int, list[Box]]] = []
    last = 0
    for word in placed.words:
        if word.end <= start or word.start >= end:
            continue
        same_line = (
            found and found[-1][0] == word.page and "\n" not in placed.text[last : word.start]
        )
        if not same_line:
            found.append((word.page, []))
        found[-1][1].append(_part(word, max(start, word.start), min(end, word.end)))
        last = word.end
    return tuple((page, around(boxes)) for page, boxes in found)


def span_of_box(placed: PlacedText, box: Box, *, page: int = 0) -> tuple[int, int] | None:
    """The span from the first to the last word whose middle lies in the box; None where none does."""
    inside = [w for w in placed.words if w.page == page and _holds(box, w.box)]
    if not inside:
        return None
    return min(w.start for w in inside), max(w.end for w in inside)


def placed_to_dict(placed: PlacedText) -> dict[str, Any]:
    """The text and its words as JSON has them."""
    return {
        "text": placed.text,
        "engine": placed.engine,
        "words": [
            [w.start, w.end, w.page, *w.box, w.confidence] for w in placed.words
        ],
    }  # fmt: skip


def placed_from_dict(data: Mapping[str, Any]) -> PlacedText:
    """The reverse of `placed_to_dict`; raises `LineError` where an offset or box is wrong."""
    text, words = data.get("text"), data.get("words", [])
    if not isinstance(text, str) or not isinstance(words, list):
        raise LineError("the words of a picture must have a `text` and a list of `words`")
    read = []
    for i, item in enumerate(words):
        try:
            start, end, page, x, y, w, h, confidence = item
            box = tidy((x, y, w, h))
            right = 0 <= start < end <= len(text) and clip(box) is not None
        except (TypeError, ValueError) as problem:
            raise LineError(
                f"words[{i}] must be [start, end, page, x, y, width, height, confidence], "
                f"not {shown(item)}"
            ) from problem
        if not right:
            raise LineError(f"words[{i}] lies outside the text or the picture: {shown(item)}")
        read.append(PlacedWord(text[start:end], start, end, box, page, confidence))
    return PlacedText(text, tuple(read), data.get("engine"))


# ---------------------------------------------------------------- private


def _part(word: PlacedWord, start: int, end: int) -> Box:
    x, y, w, h = word.box
    length = word.end - word.start
    if length < 1:
        raise MediaError(f"the word {shown(word.text)} has no length: read the picture again")
    letter = w / length
    return tidy((x + (start - word.start) * letter, y, (end - start) * letter, h))


def _holds(outer: Box, inner: Box) -> bool:
    x, y = inner[0] + inner[2] / 2, inner[1] + inner[3] / 2
    return outer[0] <= x <= outer[0] + outer[2] and outer[1] <= y <= outer[1] + outer[3]
