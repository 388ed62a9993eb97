"""Samples with suggestions of known confidence, for the tests of queues and bulk operations."""

from __future__ import annotations

from core.events import Argument, Event, span
from core.samples import Sample, Source, Split
from core.schema import EventType, Role, Schema
from storage.store import Store

SCHEMA = Schema(
    (
        EventType("launch", {"en": "Launch"}, roles=(Role("agent"), Role("product"))),
        EventType("outage", {"en": "Outage"}, roles=(Role("system"),)),
        EventType("merger", {"en": "Merger"}, roles=(Role("buyer", required=True),)),
    )
)
TEXTS = {
    "en": ("Nortia launched a modem in Madrid.", "launched", "Nortia"),
    "zh": ("🚀晨星周二发布了新芯片。", "发布", "晨星"),
    "es": ("Nortia lanzó un módem en Madrid.", "lanzó", "Nortia"),
    "ru": ("Компания Нортия запустила спутник.", "запустила", "Нортия"),
}
ANA = "Ana"


def make_store(store: Store, *models: str) -> int:
    """A collection with the schema above and these models; returns the collection."""
    for model in models or ("small", "large"):
        store.models.add(model, title=model.title(), state="base", location=model)
    return store.collections.create("новости", SCHEMA).id


def make_sample(
    language: str, name: str, *, event_type: str | None = None, split: Split | None = None, **more
) -> Sample:
    """A sample; `event_type` makes it a reviewed one."""
    text, trigger, _ = TEXTS[language]
    at = text.index(trigger)
    events = None
    if event_type is not None:
        events = (Event(event_type, span(text, at, at + len(trigger))),)
    source = Source(name=more.pop("source", None), published=more.pop("published", None))
    return Sample(name, language, "text", text, split=split, events=events, source=source, **more)


def make_event(
    language: str, event_type: str = "launch", *, sure: float | None = 0.95, role: str | None = None
) -> Event:
    """An event at the trigger of the language's text, every part with this confidence."""
    text, trigger, agent = TEXTS[language]
    at, by = text.index(trigger), text.index(agent)
    arguments = (Argument(role, span(text, by, by + len(agent), confidence=sure)),) if role else ()
    return Event(event_type, span(text, at, at + len(trigger), confidence=sure), arguments, sure)


def suggest(store: Store, key: int, *events: Event, model: str = "small", **more) -> int:
    """Add a suggestion; returns its id."""
    return store.samples.add_suggestion(
        key, events, model_id=model, raw_reply="", prompt_version="1", schema_number=1,
        decoding={}, seconds=1.0, **more,
    )  # fmt: skip


def review(store: Store, key: int, *events: Event, suggestion: int | None = None, difference=()):
    """Add a review by Ana; returns its id."""
    return store.samples.add_review(
        key, events, person=ANA, schema_number=1, suggestion_id=suggestion, difference=difference
    )
