"""Prompts: one function fills them all, in the sample's language or in English, with examples."""

from __future__ import annotations

import hashlib
from importlib.resources import files

import pytest

from core.errors import NotFoundError
from core.events import Argument, Event, span
from core.parsing import write_reply
from core.prompts import EXAMPLES, NATIVE, TUNED, ZERO_SHOT, fill_prompt, prefix_of, versions
from core.samples import Sample
from core.schema import EventType, Role, Schema

SCHEMA = Schema(
    (
        EventType("launch", {"ru": "Запуск", "zh": "发布"}, "", (Role("agent"), Role("place"))),
        EventType("outage", retired=True),
    )
)
# A published prompt gets a new version, never an edit: old suggestions name the one they came from.
PUBLISHED = {
    "brief.v1.txt": "3d66000d",
    "chat.v1.txt": "ac727d5f",
    "full.v1.txt": "795bb251",
}


def example(language: str, text: str, trigger: str, agent: str) -> Sample:
    at, who = text.index(trigger), text.index(agent)
    argument = Argument("agent", span(text, who, who + len(agent)))
    event = Event("launch", span(text, at, at + len(trigger)), (argument,))
    return Sample(f"e-{language}", language, "text", text, events=(event,))


SHOWN = [
    example("zh", "🚀晨星周二发布了新芯片。", "发布", "晨星"),
    example("ru", "Компания «Нортия»\r\nзапустила спутник.", "запустила", "Нортия"),
    example("es", "Nortia lanzó un módem.", "lanzó", "Nortia"),
]
ASKED = Sample("a", "ru", "text", "«Вега» открыла\tзавод.")


@pytest.mark.parametrize("version", versions())
def test_examples_stand_before_the_sample_in_its_form_each_with_its_reply(version):
    prompt = fill_prompt(version, SCHEMA, ASKED, examples=SHOWN)

    alone = fill_prompt(version, SCHEMA, ASKED)
    replies = [write_reply(e.events, e.text) for e in SHOWN]
    places = [prompt.rest.index(reply) for reply in replies]
    assert prompt.prefix == alone.prefix
    assert prompt.rest.endswith(f"\n\n{alone.rest}")
    assert places == sorted(places)
    assert "Компания «Нортия»  запустила спутник." in prompt.rest


@pytest.mark.parametrize("version", [EXAMPLES, NATIVE])
@pytest.mark.parametrize("language", ["en", "zh", "es", "ru", "ar"])
def test_a_reply_begins_on_a_line_of_its_own_so_that_its_first_token_is_the_same_everywhere(
    version, language
):
    rest = fill_prompt(version, SCHEMA, Sample("a", language, "text", "5G")).rest

    assert rest.endswith(":\n")
    assert not rest.endswith("\n\n")


@pytest.mark.parametrize(
    ("language", "begins"),
    [("en", "Task"), ("zh", "任务"), ("es", "Tarea"), ("ru", "Задание"), ("ar", "Task")],
)
def test_the_native_prompt_speaks_the_language_of_the_sample_and_english_to_the_others(
    language, begins
):
    assert prefix_of(NATIVE, SCHEMA, language).startswith(begins)


def test_the_native_prompt_says_what_a_type_is_called_beside_its_name():
    assert "launch = Запуск (agent, place)" in prefix_of(NATIVE, SCHEMA, "ru")
    assert "launch = 发布 (agent, place)" in prefix_of(NATIVE, SCHEMA, "zh")
    assert "launch (agent, place)" in prefix_of(NATIVE, SCHEMA, "es")
    assert "launch (agent, place)" in prefix_of(EXAMPLES, SCHEMA, "ru")


@pytest.mark.parametrize("version", versions())
def test_what_is_retired_is_neither_listed_nor_shown(version):
    text = "Сбой в Москве"
    retired = Sample("r", "ru", "text", text, events=(Event("outage", span(text, 0, 4)),))

    prompt = fill_prompt(version, SCHEMA, ASKED, examples=[retired])

    assert "outage" not in prompt.prefix + prompt.rest
    assert "[]" in prompt.rest


@pytest.mark.parametrize("version", versions())
@pytest.mark.parametrize("language", ["en", "zh", "es", "ru", "ar", "hi"])
def test_every_version_can_be_filled_in_every_language(version, language):
    sample = Sample("a", language, "text", "$text ${language} $ 100 %")

    assert "$text ${language} $ 100 %" in fill_prompt(version, SCHEMA, sample).rest


def test_an_unknown_version_is_refused_with_those_there_are():
    with pytest.raises(NotFoundError, match=r"'native\.v9'.*native\.v1"):
        fill_prompt("native.v9", SCHEMA, ASKED)


@pytest.mark.parametrize(("name", "digest"), PUBLISHED.items())
def test_a_published_prompt_is_never_edited(name, digest):
    data = files("core.prompts").joinpath(name).read_bytes()

    assert hashlib.sha256(data).hexdigest().startswith(digest)
    assert {TUNED, ZERO_SHOT, EXAMPLES, NATIVE} <= set(versions())
