"""Events and their mentions: the values that every other module passes around."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from core.errors import LineError, shown

MentionKind = Literal["text", "box", "range", "unanchored"]

_MENTION_KEYS = {
    "text", "kind", "start", "end", "fragments", "media", "page", "box", "range", "keyframes",
    "confidence",
}  # fmt: skip
_ROLE_KEYS = {"role", "role_confidence"}
_EVENT_KEYS = {"event_type", "trigger", "arguments", "confidence"}
_LARGEST = 2**53 - 1  # the largest whole number that JSON carries safely; databases hold it too


@dataclass(frozen=True, slots=True)
class Mention:
    """Where something is said or shown: a text span, a box, a time range, or nowhere found.

    - text span: `start` inclusive, `end` exclusive, in Unicode code points of the sample's text (of
      the transcript or OCR text of `media`, where that is given); a discontinuous span has its
      `fragments` too, and `start` and `end` are the outer ones.
    - box: `box` = (x, y, width, height), fractions of the upright picture or `page`, 0 to 1.
    - time range: `range` = (start, end) in seconds; `keyframes` = (time, x, y, width, height)…
    - unanchored: words that could not be located. They keep their `text` and have no place.

    `confidence` is a probability, given by a model only. `meta` keeps keys that Argus does not know.
    """

    text: str | None = None
    start: int | None = None
    end: int | None = None
    fragments: tuple[tuple[int, int], ...] = ()
    media: str | None = None
    page: int | None = None
    box: tuple[float, float, float, float] | None = None
    range: tuple[float, float] | None = None
    keyframes: tuple[tuple[float, float, float, float, float], ...] = ()
    entity_kind: str | None = None
    confidence: float | None = None
    meta: Mapping[str, Any] = field(default_factory=dict)

    @property
    def kind(self) -> MentionKind:
        """What the mention points at."""
        if self.box is not None:
            return "box"
        if self.range is not None:
            return "range"
        return "text" if self.start is not None else "unanchored"

    @property
    def place(self) -> tuple[Any, ...]:
        """What makes two mentions the same place, whatever they are called."""
        if self.kind == "unanchored":
            return ("unanchored", self.text)
        return (
            self.media, self.page, self.start, self.end, self.fragments, self.box, self.range,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Argument:
    """A mention that plays a role in an event.

    `confidence` is of the role, the mention's own of its words. A model that gives one figure for
    both gives it as the mention's.
    """

    role: str
    mention: Mention
    confidence: float | None = None

    @property
    def sure(self) -> float | None:
        """The lower of the two confidences, None where neither is known."""
        return min(
            (c for c in (self.confidence, self.mention.confidence) if c is not None), default=None
        )


@dataclass(frozen=True, slots=True)
class Event:
    """One event: its type, the mention that triggers it (or none), and its arguments in order."""

    event_type: str
    trigger: Mention | None
    arguments: tuple[Argument, ...] = ()
    confidence: float | None = None
    meta: Mapping[str, Any] = field(default_factory=dict)

    @property
    def identity(self) -> tuple[Any, ...]:
        """Type, trigger and arguments: what makes a suggested event a repetition of another."""
        return (
            self.event_type,
            self.trigger.place if self.trigger else None,
            frozenset((a.role, a.mention.place) for a in self.arguments),
        )

    def mentions(self) -> list[Mention]:
        """The trigger, if there is one, and the arguments' mentions."""
        return ([self.trigger] if self.trigger else []) + [a.mention for a in self.arguments]


def span(text: str, start: int, end: int, *, confidence: float | None = None) -> Mention:
    """The mention of `text[start:end]`; raises `LineError` where that is outside the text."""
    if not 0 <= start < end <= len(text):
        raise LineError(
            f"the span {start}–{end} is outside the text, which has {len(text)} characters: "
            "offsets are code points, the end exclusive"
        )
    return Mention(text=text[start:end], start=start, end=end, confidence=confidence)


def without_confidence(events: Iterable[Event]) -> tuple[Event, ...]:
    """The same events as a person's own: a model's confidence does not belong to a review."""
    return tuple(
        replace(
            event,
            confidence=None,
            trigger=replace(event.trigger, confidence=None) if event.trigger else None,
            arguments=tuple(
                replace(a, mention=replace(a.mention, confidence=None), confidence=None)
                for a in event.arguments
            ),
        )
        for event in events
    )


# ---------------------------------------------------------------- to and from Argus JSONL


def event_to_dict(event: Event) -> dict[str, Any]:
    """The event as Argus JSONL has it; unknown keys come back where they were."""
    out: dict[str, Any] = dict(event.meta)
    out["event_type"] = event.event_type
    out["trigger"] = mention_to_dict(event.trigger) if event.trigger else None
    out["arguments"] = [_argument_to_dict(a) for a in event.arguments]
    if event.confidence is not None:
        out["confidence"] = event.confidence
    return out


def mention_to_dict(mention: Mention) -> dict[str, Any]:
    """The mention as Argus JSONL has it; only what is known is written, `text` always."""
    out: dict[str, Any] = dict(mention.meta)
    out["text"] = mention.text
    if mention.entity_kind is not None:
        out["kind"] = mention.entity_kind
    if mention.media is not None:
        out["media"] = mention.media
    if mention.page is not None:
        out["page"] = mention.page
    if mention.start is not None:
        out["start"], out["end"] = mention.start, mention.end
    if mention.fragments:
        out["fragments"] = [list(f) for f in mention.fragments]
    if mention.box is not None:
        out["box"] = list(mention.box)
    if mention.range is not None:
        out["range"] = list(mention.range)
    if mention.keyframes:
        out["keyframes"] = [list(k) for k in mention.keyframes]
    if mention.confidence is not None:
        out["confidence"] = mention.confidence
    return out


def events_from_list(
    data: object, *, text: str | None, media: Sequence[str] = (), check_words: bool = True
) -> tuple[Event, ...]:
    """Read an `events` list; `media` are the ids a mention may point at.

    `check_words` is off for predictions, whose words are carried and never compared with the text.
    Raises `LineError` naming the place (`events[0].arguments[1]`), the value and what is wrong.
    """
    if not isinstance(data, list):
        raise LineError(f"events must be a list, not {shown(data)}")
    return tuple(
        event_from_dict(item, text=text, media=media, where=f"events[{i}]", check_words=check_words)
        for i, item in enumerate(data)
    )


def event_from_dict(
    data: object,
    *,
    text: str | None,
    media: Sequence[str] = (),
    where: str = "event",
    check_words: bool = True,
) -> Event:
    """Read one event; see `events_from_list`."""
    if not isinstance(data, dict):
        raise LineError(f"{where} must be an object, not {shown(data)}")
    event_type = data.get("event_type")
    if not isinstance(event_type, str) or not event_type.strip():
        raise LineError(f"{where}.event_type must be a name, not {shown(event_type)}")
    trigger = data.get("trigger")
    arguments = data.get("arguments", [])
    if not isinstance(arguments, list):
        raise LineError(f"{where}.arguments must be a list, not {shown(arguments)}")

    def mention(value: object, place: str) -> Mention:
        return mention_from_dict(
            value, text=text, media=media, where=place, check_words=check_words
        )

    read = []
    for i, item in enumerate(arguments):
        place = f"{where}.arguments[{i}]"
        if not isinstance(item, dict):
            raise LineError(f"{place} must be an object, not {shown(item)}")
        role = item.get("role")
        if not isinstance(role, str) or not role.strip():
            raise LineError(f"{place}.role must be a name, not {shown(role)}")
        rest = {k: v for k, v in item.items() if k not in _ROLE_KEYS}
        sure = _probability(item.get("role_confidence"), f"{place}.role_confidence")
        read.append(Argument(role, mention(rest, place), sure))
    return Event(
        event_type=event_type,
        trigger=None if trigger is None else mention(trigger, f"{where}.trigger"),
        arguments=tuple(read),
        confidence=_probability(data.get("confidence"), f"{where}.confidence"),
        meta={k: v for k, v in data.items() if k not in _EVENT_KEYS},
    )


def mention_from_dict(
    data: object,
    *,
    text: str | None,
    media: Sequence[str] = (),
    where: str = "mention",
    check_words: bool = True,
) -> Mention:
    """Read one mention; offsets are checked against `text`, the words against the offsets."""
    if not isinstance(data, dict):
        raise LineError(f"{where} must be an object, not {shown(data)}")
    words, medium, page = data.get("text"), data.get("media"), data.get("page")
    if words is not None and not isinstance(words, str):
        raise LineError(f"{where}.text must be text or null, not {shown(words)}")
    if medium is not None and medium not in media:
        raise LineError(
            f"{where}.media names {shown(medium)}, but the sample's media are "
            f"{', '.join(media) or 'none'}: add it to `media` or correct the name"
        )
    if page is not None and (not _is_int(page) or not 0 <= page <= _LARGEST):
        raise LineError(f"{where}.page must be a whole number from 0, not {shown(page)}")
    kind = data.get("kind")
    if kind is not None and not isinstance(kind, str):
        raise LineError(f"{where}.kind must be an entity kind or null, not {shown(kind)}")
    box = _numbers(data.get("box"), 4, f"{where}.box")
    time = _numbers(data.get("range"), 2, f"{where}.range")
    if box is not None:
        _check_box(box, f"{where}.box")
    if time is not None and not 0 <= time[0] <= time[1]:
        raise LineError(f"{where}.range must run forward from 0 seconds, not {list(time)}")
    if (box is not None or time is not None) and medium is None:
        raise LineError(f"{where} has a box or a time range: say in which of the `media`")
    start, end, fragments = _offsets(data, where)
    if start is None and box is None and time is None and not words:
        raise LineError(f"{where} has no place: give start and end, a box, or a range")
    if start is not None and end is not None and medium is None:
        compared = words if check_words else None
        _check_words(text, start, end, fragments, compared, where)
        if words is None and text is not None and not fragments:
            words = text[start:end]
    frames = data.get("keyframes") or []
    if not isinstance(frames, list):
        raise LineError(f"{where}.keyframes must be a list, not {shown(frames)}")
    keyframes = [_numbers(f, 5, f"{where}.keyframes[{i}]") for i, f in enumerate(frames)]
    return Mention(
        text=words, start=start, end=end, fragments=fragments, media=medium, page=page,
        box=box, range=time, keyframes=tuple(k for k in keyframes if k is not None),
        entity_kind=kind, confidence=_probability(data.get("confidence"), f"{where}.confidence"),
        meta={k: v for k, v in data.items() if k not in _MENTION_KEYS},
    )  # fmt: skip


# ---------------------------------------------------------------- private


def _argument_to_dict(argument: Argument) -> dict[str, Any]:
    out = {"role": argument.role, **mention_to_dict(argument.mention)}
    if argument.confidence is not None:
        out["role_confidence"] = argument.confidence
    return out


def _offsets(
    data: Mapping[str, Any], where: str
) -> tuple[int | None, int | None, tuple[tuple[int, int], ...]]:
    start, end, raw = data.get("start"), data.get("end"), data.get("fragments")
    fragments: tuple[tuple[int, int], ...] = ()
    if raw:
        if not isinstance(raw, list):
            raise LineError(f"{where}.fragments must be a list of [start, end], not {shown(raw)}")
        pairs = []
        for i, item in enumerate(raw):
            ok = isinstance(item, list) and len(item) == 2 and all(map(_is_int, item))
            if not ok or not 0 <= item[0] < item[1]:
                raise LineError(
                    f"{where}.fragments[{i}] must be [start, end] with 0 <= start < end, "
                    f"not {shown(item)}"
                )
            pairs.append((item[0], item[1]))
        pairs.sort()
        for (_, before), (after, _) in itertools.pairwise(pairs):
            if after < before:
                raise LineError(f"{where}.fragments overlap: {shown(raw)}")
        fragments = tuple(pairs)
        outer = (pairs[0][0], pairs[-1][1])
        if (start, end) not in ((None, None), outer):
            raise LineError(
                f"{where}: start and end are {shown(start)} and {shown(end)}, but the "
                f"fragments reach from {outer[0]} to {outer[1]}"
            )
        start, end = outer
    if start is None and end is None:
        return None, None, ()
    if not (_is_int(start) and _is_int(end)) or start is None or end is None:
        raise LineError(
            f"{where}: start and end must be whole numbers, not {shown(start)} and {shown(end)}"
        )
    if not 0 <= start < end <= _LARGEST:
        raise LineError(
            f"{where}: a span needs 0 <= start < end, not {shown(start)} and {shown(end)}"
        )
    return start, end, fragments


def _check_words(
    text: str | None,
    start: int,
    end: int,
    fragments: Sequence[tuple[int, int]],
    words: str | None,
    where: str,
) -> None:
    from unicodedata import normalize

    if text is None:
        raise LineError(
            f"{where}: the span {start}–{end} is outside the text, since there is no text"
        )
    if end > len(text):
        raise LineError(
            f"{where}: the span {start}–{end} is outside the text, which has {len(text)} "
            "characters: offsets are Unicode code points (not bytes, not UTF-16 units), end exclusive"
        )
    if words is not None and not fragments:
        found = text[start:end]
        if normalize("NFC", found) != normalize("NFC", words):
            raise LineError(
                f"{where}: the text at {start}–{end} is {shown(found)}, not {shown(words)}: "
                "offsets are Unicode code points (not bytes, not UTF-16 units), end exclusive"
            )


def _check_box(box: tuple[float, ...], where: str) -> None:
    x, y, width, height = box
    slack = 1e-6  # a box may touch the edge after rounding
    if min(x, y) < -slack or min(width, height) <= 0 or max(x + width, y + height) > 1 + slack:
        raise LineError(
            f"{where} must be [x, y, width, height] as fractions of the picture, 0 to 1, "
            f"not {list(box)}"
        )


def _numbers(value: object, count: int, where: str) -> Any:
    if value is None:
        return None
    wrong = LineError(f"{where} must be {count} numbers, not {shown(value)}")
    if not isinstance(value, list) or len(value) != count:
        raise wrong
    if any(isinstance(v, bool) or not isinstance(v, int | float) for v in value):
        raise wrong
    try:
        # 0 and 0.0 are one place: written alike, they have one content hash
        numbers = tuple(float(v) for v in value)
    except OverflowError as problem:
        raise wrong from problem
    if not all(map(math.isfinite, numbers)):
        raise wrong
    return numbers


def _probability(value: object, where: str) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise LineError(f"{where} must be a probability from 0 to 1, not {shown(value)}")
    return float(value)


def _is_int(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
