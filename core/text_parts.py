"""Cut a text into the fewest overlapping parts that fit somewhere, between sentences where it can.

Knows no language: sentences end where a script's full stops and line breaks say so, and a sentence
that does not fit is cut where spans may begin (`core.spans`).
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable

from core.spans import borders

_CLOSING = "[\"'\u2019\u201d\u00bb\u203a)\\]}\u300d\u300f\u300b\u3009\u3011\uff09\uff3d\uff5d]*"
_STOPS = "[.!?\u2026\u0589\u061f\u06d4\u0964\u0965\u1362\u1367\u203c\u2047\u2048\u2049]"
# These end a sentence without a blank after them, since their scripts have none between words.
_BARE_STOPS = "[\u3002\uff01\uff1f\uff61\ufe12\u2026\u0f0d\u104b\u17d4\u17d5]"
# No match begins inside a run of stops, so that a long run is read once.
_SENTENCE_END = re.compile(
    f"(?<!{_BARE_STOPS}){_BARE_STOPS}++{_CLOSING}\\s*|(?<!{_STOPS}){_STOPS}++{_CLOSING}\\s+"
    "|[\n\r\u0085\u2028\u2029]\\s*"
)


def cut_text(text: str, fits: Callable[[str], bool]) -> list[tuple[int, int]]:
    """The (start, end) of each part, in order; together they cover the text, and each of them fits.

    A part ends with a sentence, and the next one begins with the sentences of its last quarter once
    more. Only a sentence that does not fit alone is cut inside. Empty where nothing fits at all.
    """
    cutter, parts, start, reached = _Cutter(text, fits), [], 0, 0
    while reached < len(text):
        found = cutter.next_part(start, reached)
        if found is None:
            return []
        parts.append(found)
        start, reached = cutter.overlap(*found), found[1]
    return parts


class _Cutter:
    """A text with the offsets at which it may be cut."""

    def __init__(self, text: str, fits: Callable[[str], bool]) -> None:
        self._text, self._fits = text, fits
        self._edges = sorted(borders(text) | {len(text)})
        ends = {m.end() for m in _SENTENCE_END.finditer(text)}
        self._sentences = [e for e in self._edges if e in ends]

    def next_part(self, start: int, reached: int) -> tuple[int, int] | None:
        """The longest part from `start` on that ends behind `reached`; without the overlap between
        the two where a whole sentence fits only so."""
        ends: dict[int, int] = {}
        for begin in dict.fromkeys((start, reached)):
            end = ends[begin] = self._farthest(begin)
            if end == len(self._text):
                return begin, end
            first = bisect_right(self._sentences, reached)
            for stop in reversed(self._sentences[first : bisect_right(self._sentences, end)]):
                if self._fits(self._text[begin:stop]):
                    return begin, stop
        for begin, end in ends.items():
            if end > reached:
                return begin, end
        return self._cut_word(reached)

    def overlap(self, begin: int, stop: int) -> int:
        """Where the part after `begin`–`stop` begins."""
        places = self._sentences if stop in self._sentences else self._edges
        size = stop - begin
        first = places[bisect_left(places, stop - size // 4)]
        if first < stop:
            return first
        last = places[max(0, bisect_left(places, stop) - 1)]  # one sentence that is longer
        return last if stop - size // 2 <= last else stop

    def _farthest(self, begin: int) -> int:
        """The last edge up to which a part from `begin` on fits; `begin` where there is none."""

        def fits(i: int) -> bool:
            return self._fits(self._text[begin : self._edges[i]])

        low, step, count = bisect_left(self._edges, begin), 256, len(self._edges)
        while low + step < count and fits(low + step):
            low, step = low + step, step * 2
        within = range(low + 1, min(low + step, count))
        return self._edges[low + bisect_left(within, True, key=lambda i: not fits(i))]

    def _cut_word(self, reached: int) -> tuple[int, int] | None:
        """A part of a word that does not fit alone: from here on it may be cut at any character."""
        at = bisect_right(self._edges, reached)
        inside = range(reached + 1, self._edges[at])
        if not inside:
            return None
        self._edges[at:at] = inside
        end = self._farthest(reached)
        return (reached, end) if end > reached else None
