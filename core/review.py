"""The review document: what a person edits, from opening a sample to the events that are stored.

The browser keeps the same document (pages/_ui/workbench_js/document.js); the store keeps it as a
draft. Items that come from a suggestion keep its numbers in their ids (`s0`, `s0.t`, `s0.a1`), so
that what became of each is known and not guessed. Offsets are code points, the end exclusive.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from core.errors import InputError
from core.events import (
    Argument,
    Event,
    Mention,
    mention_from_dict,
    mention_to_dict,
    without_confidence,
)
from core.records import SampleRecord, SuggestionRecord

Decision = Literal["open", "accepted", "edited", "rejected"]
Origin = Literal["suggested", "person", "reviewed"]
Reason = Literal[
    "type", "boundary", "role", "hallucinated", "language", "duplicate", "other"
]  # fmt: skip
REASONS: tuple[Reason, ...] = get_args(Reason)

_Id = Annotated[str, StringConstraints(min_length=1, max_length=60)]
_Name = Annotated[str, StringConstraints(min_length=1, max_length=200)]
_IN_MEDIA = ("media", "page", "box", "range", "keyframes")
_PLACE = ("start", "end", "fragments", *_IN_MEDIA)


class _Item(BaseModel):
    """What events and mentions have in common: where they come from and what was decided."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    id: _Id
    origin: Origin = "person"
    decision: Decision = "accepted"
    reason: Reason | None = None
    confidence: float | None = Field(default=None, ge=0, le=1)
    suggested: dict[str, Any] | None = None
    meta: dict[str, Any] = Field(default_factory=dict)

    @property
    def is_live(self) -> bool:
        """Whether it belongs to what will be stored: everything that is not rejected."""
        return self.decision != "rejected"


class Slot(_Item):
    """One mention, as trigger (no role) or as an argument; places are those of `core.events`.

    `confidence` is of the words, `role_confidence` of the role.
    """

    role: _Name | None = None
    role_confidence: float | None = Field(default=None, ge=0, le=1)
    text: str | None = None
    start: int | None = None
    end: int | None = None
    fragments: list[tuple[int, int]] = Field(default_factory=list)
    media: str | None = None
    page: int | None = None
    box: list[float] | None = None
    range: list[float] | None = None
    keyframes: list[list[float]] = Field(default_factory=list)
    kind: str | None = None


class EventItem(_Item):
    """One event with its slots."""

    event_type: _Name
    trigger: Slot | None = None
    arguments: list[Slot] = Field(default_factory=list, max_length=2000)


class ReviewDocument(BaseModel):
    """Everything a person decides about one sample; `sample` and `suggestion` are store keys."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    sample: int
    suggestion: int | None = None
    no_event: bool = False
    override: Annotated[str, StringConstraints(max_length=2000)] | None = None
    events: list[EventItem] = Field(default_factory=list, max_length=5000)


def read_document(data: object) -> ReviewDocument:
    """Read a document that comes from outside; raises `InputError` naming the place and value."""
    try:
        return ReviewDocument.model_validate(data)
    except ValidationError as problem:
        first = problem.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "the document"
        raise InputError(
            f"the review is wrong at {place}: {first['msg']} (given: {str(first['input'])[:60]!r}). "
            "Nothing was stored: reload the page"
        ) from problem


def document_to_dict(document: ReviewDocument) -> dict[str, Any]:
    """The document as JSON carries it."""
    return document.model_dump(mode="json")


def document_from(record: SampleRecord, suggestion: SuggestionRecord | None) -> ReviewDocument:
    """How a sample opens: with its newest review, else with its suggestion, else empty."""
    events = record.sample.events
    if events is not None:
        items = [_event_item(e, f"r{i}", "reviewed") for i, e in enumerate(events)]
        return ReviewDocument(sample=record.key, no_event=not items, events=items)
    if suggestion is not None:
        items = [_event_item(e, f"s{i}", "suggested") for i, e in enumerate(suggestion.events)]
        return ReviewDocument(sample=record.key, suggestion=suggestion.id, events=items)
    return ReviewDocument(sample=record.key)


def document_of_events(events: Sequence[Event], *, prefix: str) -> list[dict[str, Any]]:
    """Events as items of a document, as a person's own: what another version or opinion says."""
    items = [_event_item(e, f"{prefix}{i}", "reviewed") for i, e in enumerate(events)]
    return [item.model_dump(mode="json") for item in items]


def events_of_document(
    document: ReviewDocument, *, text: str | None, media: Sequence[str] = ()
) -> tuple[Event, ...]:
    """The events that will be stored: all that is not rejected, in the document's order.

    Raises `LineError` where an offset lies outside the text, or the words are not those there.
    """
    return without_confidence(
        Event(
            event_type=item.event_type,
            trigger=None
            if item.trigger is None or not item.trigger.is_live
            else _mention(item.trigger, text, media, f"events[{i}].trigger"),
            arguments=tuple(
                Argument(
                    _role(slot, f"events[{i}].arguments[{n}]"),
                    _mention(slot, text, media, f"events[{i}].arguments[{n}]"),
                )
                for n, slot in enumerate(item.arguments)
                if slot.is_live
            ),
            meta=item.meta,
        )
        for i, item in enumerate(document.events)
        if item.is_live
    )


def reasons_of(document: ReviewDocument) -> dict[str, str]:
    """{item id: reason code} of everything in the document that has one."""
    items: list[_Item] = []
    for event in document.events:
        items += [event, *([event.trigger] if event.trigger else []), *event.arguments]
    return {item.id: item.reason for item in items if item.reason}


# ---------------------------------------------------------------- private


def _event_item(event: Event, ident: str, origin: Origin) -> EventItem:
    decision: Decision = "open" if origin == "suggested" else "accepted"
    is_suggested = origin == "suggested"
    return EventItem(
        id=ident, origin=origin, decision=decision, confidence=event.confidence,
        meta=dict(event.meta), event_type=event.event_type,
        suggested={"event_type": event.event_type} if is_suggested else None,
        trigger=None if event.trigger is None
        else _slot(event.trigger, f"{ident}.t", origin, decision),
        arguments=[
            _slot(a.mention, f"{ident}.a{n}", origin, decision, argument=a)
            for n, a in enumerate(event.arguments)
        ],
    )  # fmt: skip


def _slot(
    mention: Mention,
    ident: str,
    origin: Origin,
    decision: Decision,
    *,
    argument: Argument | None = None,
) -> Slot:
    role = argument.role if argument else None
    place = {k: v for k, v in mention_to_dict(mention).items() if k not in mention.meta}
    place.pop("confidence", None)
    original = {"role": role, **{k: place.get(k) for k in ("text", "start", "end", "fragments")}}
    original |= {k: place[k] for k in _IN_MEDIA if k in place}
    return Slot(
        id=ident, role=role, origin=origin, decision=decision, confidence=mention.confidence,
        role_confidence=argument.confidence if argument else None,
        suggested=original if origin == "suggested" else None, meta=dict(mention.meta), **place,
    )  # fmt: skip


def _role(slot: Slot, where: str) -> str:
    if slot.role is None:
        raise InputError(f"{where} has no role: choose one, or reject it")
    return slot.role


def _mention(slot: Slot, text: str | None, media: Sequence[str], where: str) -> Mention:
    data: dict[str, Any] = {**slot.meta, "text": slot.text}
    if slot.kind is not None:
        data["kind"] = slot.kind
    for key in _PLACE:
        value = getattr(slot, key)
        if value is not None and value != []:
            data[key] = [list(v) for v in value] if key == "fragments" else value
    if slot.fragments and slot.media is None and text is not None:
        data["text"] = slot.text or " ".join(text[a:b] for a, b in slot.fragments)
    return mention_from_dict(data, text=text, media=media, where=where)


def place_of(mention: Mention | None) -> Mapping[str, Any] | None:
    """Where a mention lies and what it says, without confidence: how a difference shows it."""
    if mention is None:
        return None
    return {k: v for k, v in mention_to_dict(mention).items() if k != "confidence"}
