"""Places in pictures and clips as a model writes them, read and checked.

A place stands where words would stand: `m1 [120,80,400,300]` is a box by its left, top, right and
bottom, in thousandths of the upright picture; `m1 p2 [120,80,400,300]` one on page 2; `m2 12.4-15.0`
a range in seconds; `m2 12.4-15.0 [120,80,400,300]` a box in a range.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from core.boxes import Box, tidy
from core.events import Event, Mention
from core.placed_words import PlacedText, span_of_box
from core.problems import Problem
from core.samples import MediaKind

THOUSAND = 1000
_NUMBER = r"-?\d{1,9}(?:\.\d{1,9})?"
_PLACE = re.compile(
    rf"(?P<media>\S.{{0,200}}?)(?: p(?P<page>\d{{1,6}}))?"
    rf"(?: (?P<start>{_NUMBER}) ?(?:-|–|to) ?(?P<end>{_NUMBER}) ?s?)?"
    rf"(?: ?\[ ?(?P<box>{_NUMBER}(?: ?, ?{_NUMBER}){{3}}) ?\])?",
    re.ASCII,
)


@dataclass(frozen=True, slots=True)
class Surface:
    """A medium that a model was shown: how many pages or how many seconds it has."""

    media: str
    kind: MediaKind
    pages: int = 1
    duration: float | None = None
    words: PlacedText | None = None

    @property
    def has_times(self) -> bool:
        """Whether places in it are times."""
        return self.kind in ("video", "audio")


def read_places(
    events: Sequence[Event], surfaces: Mapping[str, Surface]
) -> tuple[tuple[Event, ...], tuple[Problem, ...], frozenset[str]]:
    """The events with places for the words that write one, what is wrong with places, and the words
    that were places after all: they are not missing from the text."""
    problems: list[Problem] = []
    known: set[str] = set()

    def read(mention: Mention) -> Mention:
        if mention.kind != "unanchored" or mention.media is not None or not mention.text:
            return mention
        found = _PLACE.fullmatch(mention.text.strip())
        surface = surfaces.get(found["media"]) if found else None
        if found is None or surface is None or not (found["box"] or found["start"]):
            return mention
        known.add(mention.text)
        placed = _placed(mention, found, surface)
        if placed is None:
            problems.append(Problem("bad_place", {"words": mention.text}))
            return mention
        return placed

    read_events = tuple(
        replace(
            event,
            trigger=read(event.trigger) if event.trigger else None,
            arguments=tuple(replace(a, mention=read(a.mention)) for a in event.arguments),
        )
        for event in events
    )
    return read_events, tuple(problems), frozenset(known)


def place_rules(surfaces: Sequence[Surface]) -> list[str]:
    """Rules of a grammar (`core.grammar`): PLACE is every place that may be written in these media."""
    ways = []
    for surface in surfaces:
        name = _quoted(surface.media + " ")
        box = "PLACE_BOX"
        if surface.has_times:
            ways.append(f'{name} PLACE_TIME "-" PLACE_TIME')
            if surface.kind == "video":
                ways.append(f'{name} PLACE_TIME "-" PLACE_TIME " " {box}')
        elif surface.pages > 1:
            pages = " | ".join(f'"p{n} "' for n in range(1, surface.pages + 1))
            ways.append(f"{name} ({pages}) {box}")
        else:
            ways.append(f"{name} {box}")
    if not ways:
        return []
    return [
        "PLACE: " + " | ".join(ways),
        'PLACE_BOX: "[" PLACE_PART "," PLACE_PART "," PLACE_PART "," PLACE_PART "]"',
        "PLACE_PART: /1000|[1-9][0-9]{0,2}|0/",
        r"PLACE_TIME: /(0|[1-9][0-9]{0,4})(\.[0-9]{1,2})?/",
    ]


# ---------------------------------------------------------------- private


def _placed(mention: Mention, found: re.Match[str], surface: Surface) -> Mention | None:
    """The mention at its place, None where there is no such place in the medium."""
    box = _box(found["box"]) if found["box"] else None
    if found["box"] and box is None:
        return None
    if surface.has_times:
        return _in_clip(mention, found, surface, box)
    page = int(found["page"] or 1) - 1
    if found["start"] or box is None or not 0 <= page < surface.pages:
        return None
    span = span_of_box(surface.words, box, page=page) if surface.words else None
    start, end = span or (None, None)
    words = surface.words.text[start:end] if span and surface.words else None
    has_page = surface.kind == "document" or surface.pages > 1
    return replace(
        mention, text=words, start=start, end=end, media=surface.media, box=box,
        page=page if has_page else None,
    )  # fmt: skip


def _in_clip(
    mention: Mention, found: re.Match[str], surface: Surface, box: Box | None
) -> Mention | None:
    if not found["start"] or found["page"] or (box and surface.kind == "audio"):
        return None
    start, end = float(found["start"]), float(found["end"])
    longest = surface.duration if surface.duration is not None else end
    if not 0 <= start <= end <= longest + 1:  # times are rounded, to the second by some
        return None
    end = min(end, longest)
    if start >= end:
        return None
    frames = ((start, *box),) if box else ()
    return replace(
        mention, text=None, media=surface.media, range=(start, end), keyframes=frames
    )  # fmt: skip


def _box(said: str) -> Box | None:
    """A box by its corners: thousandths, or fractions where all of it is said in them."""
    numbers = [float(part) for part in said.split(",")]
    by = 1.0 if "." in said and max(numbers) <= 1 else float(THOUSAND)
    left, top, right, bottom = (number / by for number in numbers)
    if not (0 <= left < right <= 1 and 0 <= top < bottom <= 1):
        return None
    return tidy((left, top, right - left, bottom - top))


def _quoted(text: str) -> str:
    return json.dumps(json.dumps(text, ensure_ascii=False)[1:-1], ensure_ascii=False)
