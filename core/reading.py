"""What a model that reads only text is given of a sample with media, and the way back from its answer.

Captions, the words of pictures and what is said in clips are put behind the sample's own text, so that
offsets in that stay what they are. A span that is found behind it becomes a mention of its medium.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from core.boxes import around
from core.events import Event, Mention
from core.formats.subtitles import Transcript
from core.placed_words import PlacedText, boxes_of_span
from core.problems import Problem
from core.samples import Sample
from core.spans import occurrences

What = Literal["caption", "words", "transcript"]
_HEADS: dict[What, str] = {
    "caption": "caption", "words": "words in the picture", "transcript": "what is said",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Part:
    """What there is to read of a medium. `has_pages`: whether a place in it names its page."""

    media: str
    what: What
    text: str
    placed: PlacedText | None = None
    transcript: Transcript | None = None
    has_pages: bool = False


@dataclass(frozen=True, slots=True)
class Reading:
    """A sample as a model reads it: its own text up to `own`, then the parts, each where it begins."""

    sample: Sample
    own: int
    parts: tuple[tuple[int, Part], ...] = ()

    @property
    def is_blank(self) -> bool:
        """Whether there is nothing to read."""
        return not (self.sample.text or "").strip()

    @property
    def what(self) -> list[What]:
        """The kinds of its parts, each once."""
        return list(dict.fromkeys(part.what for _, part in self.parts))


def join_parts(sample: Sample, parts: Iterable[Part]) -> Reading:
    """The sample with its parts behind its text, each under a line that says what it is."""
    text, placed = sample.text or "", []
    for part in parts:
        if not part.text.strip():
            continue
        text += ("\n\n" if text else "") + f"[{part.media}: {_HEADS[part.what]}]\n"
        placed.append((len(text), part))
        text += part.text
    if not placed:
        return Reading(sample, len(sample.text or ""))
    return Reading(replace(sample, text=text), len(sample.text or ""), tuple(placed))


def place_events(
    events: Sequence[Event], reading: Reading
) -> tuple[tuple[Event, ...], tuple[Problem, ...]]:
    """The events with their spans where they belong: in the sample's own text, or in a medium."""
    if not reading.parts:
        return tuple(events), ()
    problems: list[Problem] = []

    def place(mention: Mention) -> Mention:
        placed, problem = _place(mention, reading)
        if problem is not None:
            problems.append(problem)
        return placed

    found = tuple(
        replace(
            event,
            trigger=place(event.trigger) if event.trigger else None,
            arguments=tuple(replace(a, mention=place(a.mention)) for a in event.arguments),
        )
        for event in events
    )
    return found, tuple(problems)


def read_events(events: Sequence[Event], reading: Reading) -> tuple[Event, ...]:
    """The way of `place_events` back: every mention where its words stand in what is read. Of a medium,
    what has no words there is left out; a trigger that is, leaves its event without a trigger."""

    def place(mention: Mention) -> Mention | None:
        return mention if mention.media is None else _in_reading(mention, reading)

    return tuple(
        replace(
            event,
            trigger=place(event.trigger) if event.trigger else None,
            arguments=tuple(
                replace(argument, mention=placed)
                for argument in event.arguments
                if (placed := place(argument.mention))
            ),
        )
        for event in events
    )


# ---------------------------------------------------------------- private


def _in_reading(mention: Mention, reading: Reading) -> Mention | None:
    words, own = mention.text or "", mention.start
    found = []
    for at, part in reading.parts:
        if part.media == mention.media:
            is_caption = part.what == "caption"
            if own is not None and not is_caption and part.text.startswith(words, own):
                found.append((0, at + own))
            else:
                places = occurrences(part.text, words)
                found += [(1 + is_caption, at + place) for place in places[:1]]
    if not found or not words:
        return None
    start = min(found)[1]
    return Mention(words, start, start + len(words), entity_kind=mention.entity_kind)


def _place(mention: Mention, reading: Reading) -> tuple[Mention, Problem | None]:
    if mention.start is None or mention.end is None or mention.media is not None:
        return mention, None
    start, end, text = mention.start, mention.end, reading.sample.text or ""
    if start < reading.own:  # what runs on into a part ends with the text
        end = _without_blanks(text, start, min(end, reading.own))
        return replace(mention, text=text[start:end], end=end), None
    for at, part in reading.parts:
        if start < at + len(part.text) and end > at:
            first = max(start, at)
            last = _without_blanks(text, first, min(end, at + len(part.text)))
            return _in_part(mention, part, first - at, last - at)
    return _nowhere(mention), Problem("not_in_text", {"words": mention.text})


def _in_part(mention: Mention, part: Part, start: int, end: int) -> tuple[Mention, Problem | None]:
    """A mention of the part's medium."""
    words = part.text[start:end]
    if part.what == "caption":
        said = replace(_nowhere(mention), text=words, media=part.media)
        return said, Problem("in_caption", {"words": words, "media": part.media})
    placed = replace(
        mention, text=words, start=start, end=end, fragments=(), media=part.media
    )  # fmt: skip
    if part.transcript is not None:
        return replace(placed, range=part.transcript.range_of(start, end)), None
    boxes = boxes_of_span(part.placed, start, end) if part.placed is not None else ()
    if not boxes:
        return placed, None
    page = boxes[0][0]
    box = around([b for at, b in boxes if at == page])
    return replace(placed, page=page if part.has_pages else None, box=box), None


def _nowhere(mention: Mention) -> Mention:
    return replace(mention, start=None, end=None, fragments=())


def _without_blanks(text: str, start: int, end: int) -> int:
    """Where a span ends without the blanks at its end."""
    return start + len(text[start:end].rstrip())
