"""Queues: which samples, in which order, and why each of them is there, as plain values.

A reason is an order with a name. What each of them compares is worked out here, when a suggestion
or a review arrives, and kept by the store, so that the next sample is one look-up away.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import date, datetime
from typing import Any, Literal, get_args

from core.difference import difference
from core.errors import InputError, shown
from core.events import Event
from core.languages import CODES
from core.records import SampleFilter
from core.samples import MODALITIES, SPLITS, STATES

Reason = Literal[
    "uncertain", "disagree", "problems", "rare", "near_error", "random", "oldest", "mine"
]  # fmt: skip
REASONS: tuple[Reason, ...] = get_args(Reason)
WAITING = ("new", "suggested")
LEAST_CHANGED = 2  # corrections of a type in a language that make it a past error, not an accident
RING = 2**31  # places in the fixed shuffle that random audits walk through
SEEDS = 2**31

_ALL_STATES: tuple[Reason, ...] = ("random", "mine")
_DATES = ("published_from", "published_to")
_MOMENTS = ("imported_from", "imported_before")


@dataclass(frozen=True, slots=True)
class Queue:
    """A collection's samples that match `wanted`, in the order of `reason`.

    `id` is None for one that is not saved. `seed` chooses where a random audit begins.
    """

    collection_id: int
    reason: Reason
    wanted: SampleFilter = field(default_factory=SampleFilter)
    name: str = ""
    id: int | None = None
    seed: int = 0
    person: str | None = None
    created: datetime | None = None

    @property
    def link(self) -> str:
        """What stands for it in an address: `review?queue=LINK`."""
        return str(self.id) if self.id is not None else self.reason


@dataclass(frozen=True, slots=True)
class Why:
    """Why a sample is in a queue: a key of the catalogue and what it says; see `store.queues.why`."""

    key: str
    values: Mapping[str, Any]


def default_queue(collection_id: int, reason: Reason) -> Queue:
    """The queue that a reason has without being saved: what waits, or everything where that fits."""
    states = () if reason in _ALL_STATES else WAITING
    return Queue(collection_id, reason, SampleFilter(states=states))


def check_queue(queue: Queue) -> Queue:
    """The queue as it is saved, its name trimmed; raises `InputError` where it cannot be."""
    name = " ".join(queue.name.split())
    if not name or len(name) > 80 or "\0" in name:
        raise InputError(f"a queue needs a name of 1 to 80 characters, not {shown(queue.name)}")
    if queue.reason not in REASONS:
        raise InputError(f"there is no order {shown(queue.reason)}: use {', '.join(REASONS)}")
    if not 0 <= queue.seed < SEEDS:
        raise InputError(f"a seed is a whole number from 0 to {SEEDS - 1:,}, not {queue.seed}")
    check_filter(queue.wanted)
    return replace(queue, name=name)


def check_filter(wanted: SampleFilter) -> None:
    """Raise `InputError` where a range of the filter can match nothing."""
    for low, high, what in (
        (wanted.confidence_from, wanted.confidence_to, "confidence"),
        (wanted.published_from, wanted.published_to, "day of publication"),
        (wanted.imported_from, wanted.imported_before, "time of import"),
    ):
        if low is not None and high is not None and low > high:  # type: ignore[operator]
            raise InputError(
                f"the {what} goes from {low} to {high}, which matches nothing: swap the two"
            )


# ---------------------------------------------------------------- filters as JSON


def filter_to_dict(wanted: SampleFilter) -> dict[str, Any]:
    """A filter as it is stored; only what it asks for is written."""
    found: dict[str, Any] = {}
    for part in fields(wanted):
        value = getattr(wanted, part.name)
        if value is None or (isinstance(value, str | list | tuple) and not value):
            continue
        if isinstance(value, date):  # a datetime is one too
            value = value.isoformat()
        found[part.name] = list(value) if isinstance(value, tuple) else value
    return found


def filter_from_dict(data: Mapping[str, Any]) -> SampleFilter:
    """Read a stored filter; raises `InputError` naming what it does not know."""
    known = {part.name for part in fields(SampleFilter)}
    values: dict[str, Any] = {}
    for name, value in data.items():
        if name not in known:
            raise InputError(f"a filter has no {shown(name)}: it has {', '.join(sorted(known))}")
        if name in _DATES:
            value = date.fromisoformat(value)
        elif name in _MOMENTS:
            value = datetime.fromisoformat(value)
        values[name] = tuple(value) if isinstance(value, list) else value
    return SampleFilter(**values)


# What a filter on a command line calls its parts, where that is not what they are called here.
_WORDS = {
    "language": "languages", "state": "states", "split": "splits", "modality": "modalities",
    "type": "event_types", "source": "sources", "id": "ids",
}  # fmt: skip
_CHOICES: Mapping[str, Sequence[str]] = {
    "state": STATES, "split": SPLITS, "modality": MODALITIES,
}  # fmt: skip
_FIGURES = ("confidence_from", "confidence_to")
_ANSWERS = {"yes": True, "no": False}


def filter_from_words(words: Sequence[str]) -> SampleFilter:
    """Read `NAME=VALUE` words, several values between commas; raises `InputError` naming the word.

    >>> filter_from_words(["language=ru,zh", "flagged=yes"]).languages
    ('ru', 'zh')
    """
    data: dict[str, Any] = {}
    for word in words:
        name, sign, value = word.partition("=")
        if not sign or not value:
            raise InputError(f"{shown(word)} is not NAME=VALUE, such as language=ru,zh")
        try:
            if name in _WORDS:
                parts = [part for part in value.split(",") if part]
                _check_values(name, parts)
                data[_WORDS[name]] = parts
            elif name in _FIGURES:
                data[name] = float(value)
            elif name in ("flagged", "problems"):
                data[name] = _ANSWERS[value]
            elif name in (*_DATES, "text"):
                data[name] = value
            else:
                names = (*_WORDS, *_FIGURES, "flagged", "problems", *_DATES, "text")
                raise InputError(f"a filter has no {shown(name)}: it has {', '.join(names)}")
            filter_from_dict(data)
        except (ValueError, KeyError) as problem:
            raise InputError(f"the filter cannot be {shown(word)}: correct the value") from problem
    wanted = filter_from_dict(data)
    check_filter(wanted)
    return wanted


def _check_values(name: str, values: Sequence[str]) -> None:
    """Raise `InputError` where a value is none that a sample can have."""
    known = CODES if name == "language" else _CHOICES.get(name)
    wrong = [] if known is None else [value for value in values if value not in known]
    if not values:
        raise InputError(f"the filter {name} has no value: name one")
    if not wrong:
        return
    if name == "language":
        raise InputError(
            f"there is no language {shown(wrong[0])}: use codes of ISO 639-1, such as en, zh, es, ru"
        )
    raise InputError(f"there is no {name} {shown(wrong[0])}: use {', '.join(_CHOICES[name])}")


# ---------------------------------------------------------------- what is compared


@dataclass(frozen=True, slots=True)
class Certainty:
    """The lowest confidence of a suggestion, and what it is of: "type", "trigger", "role:NAME" (of
    the role or its words).

    `is_complete`: there are events, and each of their parts has a confidence and a place.
    """

    lowest: float | None = None
    of: str | None = None
    is_complete: bool = False


def certainty(events: Sequence[Event]) -> Certainty:
    """How sure a model was of the least sure part; nothing is known where it gave no confidence.

    >>> certainty([Event("launch", None, confidence=0.31)])
    Certainty(lowest=0.31, of='type', is_complete=True)
    """
    parts: list[tuple[float | None, str]] = []
    for event in events:
        parts.append((event.confidence, "type"))
        if event.trigger:
            parts.append((event.trigger.confidence, "trigger"))
        parts += [(a.sure, f"role:{a.role}") for a in event.arguments]
    known = [(value, of) for value, of in parts if value is not None]
    placed = all(m.kind != "unanchored" for e in events for m in e.mentions())
    complete = bool(events) and placed and len(known) == len(parts)
    if not known:
        return Certainty()
    lowest, of = min(known, key=lambda k: k[0])
    return Certainty(lowest, of, complete)


def disagreement(one: Sequence[Event], other: Sequence[Event]) -> tuple[int, str] | None:
    """How many differences there are between two suggestions and the kind of the first, or None."""
    found = difference(one, other)
    return (len(found), found[0]["kind"]) if found else None


def changed_events(entries: Sequence[Mapping[str, Any]]) -> set[int]:
    """The numbers of the suggested events that a person changed, from a review's difference.

    A difference from an earlier review (`against`) says nothing of the suggestion.
    """
    return {
        entry["event"]
        for entry in entries
        if isinstance(entry.get("event"), int)
        and "decided" in entry
        and entry.get("against") in (None, "suggestion")
    }


def fold(text: str) -> str:
    """Text as a search compares it: NFC, case folded in every script.

    >>> fold("МОСКВА"), fold("Straße")
    ('москва', 'strasse')
    """
    return unicodedata.normalize("NFC", text).casefold()


def shuffle_of(sample_id: str) -> int:
    """A sample's place in the fixed shuffle: the same for ever, unrelated to anything it says."""
    return _hash(f"sample {sample_id}") % RING


def start_of(seed: int) -> int:
    """Where the audit with this seed begins to walk the shuffle, which is a ring."""
    return _hash(f"seed {seed}") % RING


def day_of(published: str | None) -> str | None:
    """The day (or month, or year) that a source's date begins with, as ISO 8601 writes it.

    >>> day_of("2026-11-03T08:00:00Z"), day_of("2026"), day_of("yesterday")
    ('2026-11-03', '2026', None)
    """
    found = re.match(r"\d{4}(-\d{2}(-\d{2})?)?(?!\d)", published or "")
    return found[0] if found else None


def types_digest(types: Sequence[str]) -> str:
    """What a set of event types is found by."""
    return hashlib.sha256("\n".join(sorted(set(types))).encode("utf-8", "replace")).hexdigest()


def _hash(text: str) -> int:
    return int(hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:12], 16)
