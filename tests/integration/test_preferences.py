"""Preference pairs: corrected suggestions of the train split, as TRL reads them."""

from __future__ import annotations

import json

import pytest

from core.events import Argument, Event, span
from core.preferences import preference_lines
from core.prompts import TUNED
from core.samples import Sample
from core.schema import EventType, Role, Schema
from storage.store import Store

TEXTS = {"zh": ("华为发布芯片", "发布", "华为"), "ru": ("Яндекс купил банк", "купил", "Яндекс")}
SCHEMA = Schema(tuple(EventType(n, roles=(Role("agent"), Role("thing"))) for n in ("Deal", "Move")))


def event(language: str, name: str = "Deal") -> Event:
    text, trigger, agent = TEXTS[language]
    at = text.index(trigger)
    words = span(text, text.index(agent), text.index(agent) + len(agent))
    return Event(name, span(text, at, at + len(trigger)), (Argument("agent", words),))


def add_reviewed(
    store: Store,
    ident: str,
    language: str,
    suggested: list[Event],
    decided: list[Event],
    split: str,
) -> None:
    """A sample of the collection "c" with a suggestion and the review that a person made of it."""
    known = store.collections.find("c") or store.collections.create("c", SCHEMA)
    sample = Sample(ident, language, "text", text=TEXTS[language][0], split=split)
    (key,) = store.samples.add(known.id, [sample], schema_number=1)
    store.models.add("base", title="Base", state="base", location="/nowhere")
    made = store.samples.add_suggestion(
        key, suggested, model_id="base", raw_reply="", prompt_version=TUNED, schema_number=1,
        decoding={}, seconds=1.0,
    )  # fmt: skip
    store.samples.add_review(
        key, decided, person="Вера", schema_number=1, suggestion_id=made,
        difference=[{"kind": "type"}],
    )  # fmt: skip


@pytest.mark.parametrize("language", ["zh", "ru"])
def test_a_correction_is_chosen_over_the_suggestion_it_corrects(store: Store, language: str):
    add_reviewed(store, "s", language, [event(language, "Move")], [event(language)], "train")

    (pair,) = [json.loads(line) for line in preference_lines(store, collection="c")]

    text, trigger, agent = TEXTS[language]
    assert pair["prompt"].endswith("events: ")
    assert text in pair["prompt"]
    assert json.loads(pair["chosen"]) == [["Deal", trigger, [["agent", agent]]]]
    assert json.loads(pair["rejected"]) == [["Move", trigger, [["agent", agent]]]]
    assert (pair["sample"], pair["model"], pair["differences"]) == ("s", "base", ["type"])


def test_what_was_accepted_and_what_is_kept_for_tests_makes_no_pair(store: Store):
    add_reviewed(store, "accepted", "zh", [event("zh")], [event("zh")], "train")
    add_reviewed(store, "held out", "ru", [event("ru", "Move")], [event("ru")], "test")
    add_reviewed(store, "dev", "ru", [event("ru", "Move")], [], "dev")

    assert list(preference_lines(store, collection="c")) == []


def test_no_event_at_all_is_an_answer_that_can_be_chosen(store: Store):
    add_reviewed(store, "s", "ru", [event("ru")], [], "train")

    (pair,) = [json.loads(line) for line in preference_lines(store, collection="c")]

    assert pair["chosen"] == "[]"
