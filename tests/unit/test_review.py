"""The review document: how a sample opens, and what will be stored of it."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from core.errors import InputError, LineError
from core.events import Argument, Event, Mention, event_to_dict, span
from core.records import SampleRecord, SuggestionRecord
from core.review import (
    document_from,
    document_to_dict,
    events_of_document,
    read_document,
    reasons_of,
)
from core.samples import Media, Sample

NOW = datetime(2026, 11, 3, tzinfo=UTC)
TEXTS = {"zh": "😀华为推出手机𠮷。", "ru": "Акме запустила сервис."}
WORDS = {"zh": ("推出", "华为"), "ru": ("запустила", "Акме")}


def mention(language: str, words: str, confidence: float | None = None) -> Mention:
    """The first place of `words`."""
    at = TEXTS[language].index(words)
    return span(TEXTS[language], at, at + len(words), confidence=confidence)


def event(language: str, confidence: float | None = None) -> Event:
    """A launch with its agent."""
    trigger, agent = WORDS[language]
    arguments = (Argument("agent", mention(language, agent, confidence)),)
    return Event("launch", mention(language, trigger, confidence), arguments, confidence)


def record(language: str, events: tuple[Event, ...] | None = None) -> SampleRecord:
    """A stored sample."""
    media = (Media("m1", "image", "a.png"),)
    sample = Sample("s", language, "mixed", TEXTS[language], media=media, events=events)
    return SampleRecord(7, 1, sample, "new" if events is None else "reviewed", NOW)


def suggestion(*events: Event) -> SuggestionRecord:
    """A stored suggestion."""
    return SuggestionRecord(3, 7, "m", events, "[]", "full.v1", 1, {}, [], 0.1, NOW)


@pytest.mark.parametrize("language", TEXTS)
def test_a_new_sample_opens_empty_and_a_suggested_one_undecided(language: str) -> None:
    empty = document_from(record(language), None)
    document = document_from(record(language), suggestion(event(language, 0.5)))
    item = document.events[0]

    assert (empty.events, empty.suggestion, empty.no_event) == ([], None, False)
    assert (document.suggestion, item.id, item.decision) == (3, "s0", "open")
    assert item.trigger is not None
    assert (item.trigger.id, item.trigger.decision, item.trigger.confidence) == (
        "s0.t",
        "open",
        0.5,
    )
    assert item.arguments[0].suggested == {
        "role": "agent", "text": WORDS[language][1], "start": item.arguments[0].start,
        "end": item.arguments[0].end, "fragments": None,
    }  # fmt: skip


@pytest.mark.parametrize("language", TEXTS)
def test_an_argument_opens_with_the_confidence_of_its_role_beside_that_of_its_words(
    language: str,
) -> None:
    said = event(language, 0.5)
    said = replace(said, arguments=(replace(said.arguments[0], confidence=0.3),))

    document = document_from(record(language), suggestion(said))
    slot = document.events[0].arguments[0]
    kept = events_of_document(document, text=TEXTS[language])

    assert (slot.confidence, slot.role_confidence) == (0.5, 0.3)
    assert kept[0].arguments[0] == event(language).arguments[0]


@pytest.mark.parametrize("language", TEXTS)
def test_a_reviewed_sample_opens_with_its_review_and_not_with_the_suggestion(language: str) -> None:
    reviewed = record(language, (event(language),))

    document = document_from(reviewed, suggestion())

    assert document.suggestion is None
    assert [(e.origin, e.decision) for e in document.events] == [("reviewed", "accepted")]
    assert document_from(record(language, ()), None).no_event


@pytest.mark.parametrize("language", TEXTS)
def test_what_opens_and_is_left_alone_is_stored_as_it_was(language: str) -> None:
    strange = Event(
        "launch",
        None,
        (
            Argument(
                "agent", Mention(text="говорит", media="m1", box=(0.1, 0.1, 0.5, 0.5), page=2)
            ),
            Argument("agent", Mention(text="слова", entity_kind="PER", meta={"note": "是"})),
            Argument("agent", Mention("a b", 0, 4, ((0, 1), (2, 4)))),
            Argument(
                "agent",
                Mention(media="m1", range=(1.0, 2.5), keyframes=((1.0, 0.0, 0.0, 1.0, 1.0),)),
            ),
        ),
        meta={"certainty": "高"},
    )
    events = (event(language, 0.5), strange)

    document = document_from(record(language), suggestion(*events))
    sent = json.loads(json.dumps(document_to_dict(document)))
    stored = events_of_document(read_document(sent), text=TEXTS[language], media=["m1"])

    expected = [{**event_to_dict(e)} for e in (event(language), strange)]
    assert [event_to_dict(e) for e in stored] == expected


def test_what_is_rejected_is_not_stored_and_undecided_is() -> None:
    document = document_to_dict(document_from(record("zh"), suggestion(event("zh"), event("zh"))))
    document["events"][0]["decision"] = "rejected"
    document["events"][1]["trigger"]["decision"] = "rejected"

    (stored,) = events_of_document(read_document(document), text=TEXTS["zh"], media=["m1"])

    assert stored.trigger is None
    assert [a.mention.text for a in stored.arguments] == ["华为"]


def test_reasons_are_known_by_the_items_id() -> None:
    document = document_to_dict(document_from(record("ru"), suggestion(event("ru"))))
    document["events"][0]["arguments"][0].update(decision="rejected", reason="role")

    assert reasons_of(read_document(document)) == {"s0.a0": "role"}


def offset_outside(document: dict[str, Any]) -> None:
    document["events"][0]["trigger"]["end"] = 99


def other_words(document: dict[str, Any]) -> None:
    document["events"][0]["trigger"]["text"] = "什么"


def foreign_medium(document: dict[str, Any]) -> None:
    document["events"][0]["trigger"].update(start=None, end=None, media="m9", box=[0, 0, 1, 1])


@pytest.mark.parametrize("language", TEXTS)
@pytest.mark.parametrize(
    ("break_it", "said"),
    [(offset_outside, "outside the text"), (other_words, "什么"), (foreign_medium, "m9")],
)
def test_a_place_that_is_not_there_is_refused_with_its_name(
    language: str, break_it: Any, said: str
) -> None:
    document = document_to_dict(document_from(record(language), suggestion(event(language))))
    break_it(document)

    with pytest.raises(LineError, match=said) as problem:
        events_of_document(read_document(document), text=TEXTS[language], media=["m1"])

    assert "events[0].trigger" in str(problem.value)


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"sample": "x"}, "sample"),
        ({"events": [{"id": "a"}]}, "events.0.event_type"),
        (
            {"events": [{"id": "a", "event_type": "взрыв", "reason": "настроение"}]},
            "events.0.reason",
        ),
        ({"events": [{"id": "a", "event_type": "爆炸", "color": 1}]}, "events.0.color"),
        ({"trick": 1}, "trick"),
    ],
)
def test_a_document_that_is_no_document_is_refused_with_the_place(
    change: dict[str, Any], place: str
) -> None:
    with pytest.raises(InputError, match=place):
        read_document({"sample": 1, **change})
