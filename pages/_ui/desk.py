"""The reviewer's desk: what is done with what the workbench sends back.

Knows the store, not Streamlit. Each message of the browser may come twice, since an unanswered one
is sent again: keeping a draft and submitting are written so that twice is once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from core.difference import difference, difference_of
from core.errors import InputError, RefusedError, SchemaError
from core.events import Event, without_confidence
from core.records import ReviewRecord
from core.review import ReviewDocument, document_to_dict, events_of_document, read_document
from core.samples import Sample
from core.schema import Schema, Violation, check_events
from pages._ui.catalogue import t
from storage.store import Store

HISTORY = 200  # steps of undo that a draft keeps
_Json = dict[str, Any]
_M = TypeVar("_M", bound=BaseModel)


class Message(BaseModel):
    """Something that the workbench sends; what it may not say is refused."""

    model_config = ConfigDict(extra="forbid")


class _Message(Message):
    """What a document travels in: `base` is the newest review it was opened on."""

    document: _Json
    seconds: float = Field(default=0.0, ge=0, le=10_000_000)
    base: int | None = None


class DraftMessage(_Message):
    """A draft after a change; `undo` and `redo` are steps as the browser writes them.

    `rev` counts the changes, `writer` is the window that made them since it opened the sample, and
    `after` the `rev` of the draft that it found there.
    """

    rev: int = Field(ge=0)
    writer: Annotated[str, StringConstraints(max_length=60)] = ""
    after: int = Field(default=0, ge=0)
    undo: list[_Json] = Field(default_factory=list, max_length=2 * HISTORY)
    redo: list[_Json] = Field(default_factory=list, max_length=2 * HISTORY)


class SubmitMessage(_Message):
    """A finished review."""


class FilterMessage(Message):
    """Which samples to work on; `queue` is the link of one, "" where the filter is all there is."""

    queue: Annotated[str, StringConstraints(max_length=40)] = ""
    language: Annotated[str, StringConstraints(max_length=10)] = ""
    unreviewed: bool = True


def keep_draft(store: Store, data: Mapping[str, Any], *, person: str) -> int:
    """Keep a draft; returns the `rev` that is stored now. An older one changes nothing, nor does one
    of a window that has not seen what another stored, nor one that comes again after its review."""
    message = read_message(DraftMessage, data)
    document = read_document(message.document)
    newest = newest_review(store, document.sample)
    if newest is not None and _comes_again(store, message, document, newest, person=person):
        return message.rev
    kept = message.model_dump(exclude={"rev", "after"}) | {"document": document_to_dict(document)}
    return store.samples.save_draft(
        document.sample, person, kept, rev=message.rev, after=message.after
    )


def submit_review(store: Store, data: Mapping[str, Any], *, person: str) -> int:
    """Store a review and return its id; the same review sent again returns the id it has.

    Raises `SchemaError` where an event cannot be stored, `RefusedError` where a rule is broken
    without a written reason, or where somebody else reviewed the sample in the meantime.
    """
    message = read_message(SubmitMessage, data)
    document = read_document(message.document)
    record = store.samples.get(document.sample)
    events = _events(record.sample, document)
    newest = newest_review(store, record.key)
    if newest is not None and newest.id != message.base:
        if _comes_again(store, message, document, newest, person=person):
            return newest.id
        raise RefusedError(t("review.error.reviewed_meanwhile", person=newest.person or "–"))
    if document.no_event and events:
        raise InputError(t("review.error.both"))
    if not events and not document.no_event:
        raise RefusedError(t("review.error.no_events"))
    number = next(c for c in store.collections.all() if c.id == record.collection_id).schema_number
    broken = _check(store.collections.schema(record.collection_id, number), document, events)
    if document.suggestion is not None:
        suggestion = store.samples.suggestion(record.key, suggestion_id=document.suggestion)
        if suggestion is None:
            raise InputError(t("review.error.foreign_suggestion", id=document.suggestion))
        changes = difference_of(document, without_confidence(suggestion.events), events)
    else:
        before = newest.events if newest else ()
        changes = [{**c, "against": "review"} for c in difference(before, events)] if newest else []
    if broken:
        rules = [{"kind": v.kind, "event": v.event, "role": v.role} for v in broken]
        changes.append({"kind": "override", "reason": document.override, "violations": rules})
    return store.samples.add_review(
        record.key, events, person=person, schema_number=number, difference=changes,
        suggestion_id=document.suggestion, seconds=round(message.seconds, 1),
    )  # fmt: skip


def read_filter(data: Mapping[str, Any]) -> FilterMessage:
    """The filter as the workbench sends it."""
    return read_message(FilterMessage, data)


def newest_review(store: Store, key: int) -> ReviewRecord | None:
    """The newest review of a sample, or None."""
    return next(iter(store.samples.reviews(key, limit=1)), None)


def read_message(model: type[_M], data: Mapping[str, Any]) -> _M:
    """A message as its model has it; raises `InputError` naming the place and the value."""
    try:
        return model.model_validate(dict(data))
    except ValidationError as problem:
        first = problem.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise InputError(
            f"the message from the page is wrong at {place}: {first['msg']} "
            f"(given: {str(first['input'])[:60]!r}). Reload the page"
        ) from problem


# ---------------------------------------------------------------- private


def _comes_again(
    store: Store, message: _Message, document: ReviewDocument, newest: ReviewRecord, *, person: str
) -> bool:
    """Whether the newest review is the person's own, says this already and had not been seen yet; a
    draft that came again with it goes."""
    if newest.id == message.base or newest.person != person:
        return False
    if newest.events != _events(store.samples.get(document.sample).sample, document):
        return False
    store.samples.drop_draft(document.sample, person)
    return True


def _events(sample: Sample, document: ReviewDocument) -> tuple[Event, ...]:
    media = [m.id for m in sample.media]
    return events_of_document(document, text=sample.text, media=media)


def _check(schema: Schema, document: ReviewDocument, events: Sequence[Event]) -> list[Violation]:
    """The rules that are broken with a written reason; raises for any other broken rule."""
    broken = check_events(schema, events)
    fatal = next((v for v in broken if v.is_fatal), None)
    if fatal:
        raise SchemaError(fatal.message)
    if broken and not (document.override or "").strip():
        raise RefusedError(t("review.error.no_override", rule=broken[0].message))
    return broken
