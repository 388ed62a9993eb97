"""Replies: what is written is read back, and what is wrong is told."""

import json

import pytest

from core.errors import ReplyError
from core.events import Argument, Event, Mention, span
from core.parsing import TokenProbability, read_reply, write_reply
from core.problems import Problem
from core.schema import EventType, Role, Schema

SCHEMA = Schema(
    (
        EventType("launch", roles=(Role("agent"), Role("product"), Role("place"))),
        EventType("收购", roles=(Role("acquirer"), Role("target"))),
    )
)


def mention(text: str, words: str, nth: int = 1) -> Mention:
    at = -1
    for _ in range(nth):
        at = text.index(words, at + 1)
    return span(text, at, at + len(words))


CASES = [
    (
        "Intel launched a chip.",
        "launch",
        ("launched", 1),
        [("agent", "Intel", 1), ("product", "a chip", 1)],
    ),
    (
        "🚀华为收购了华为云。",
        "收购",
        ("收购", 1),
        [("acquirer", "华为", 1), ("target", "华为云", 1)],
    ),
    ("Компания «Вега» запустила «Вега-2».", "launch", ("запустила", 1), [("product", "Вега", 2)]),
    ("¿Lanzó? Sí, lanzó 5G; 5G en Madrid", "launch", ("lanzó", 1), [("product", "5G", 2)]),
    ('He said "go" and \\ launched "go"', "launch", ("launched", 1), [("product", '"go"', 1)]),
    (
        "AI launched AI after AI",
        "launch",
        ("launched", 1),
        [("agent", "AI", 1), ("product", "AI", 3)],
    ),
    ("a\r\nlaunched\tb", "launch", ("launched", 1), [("product", "b", 1)]),
]


@pytest.mark.parametrize(("text", "name", "trigger", "arguments"), CASES)
def test_what_is_written_is_read_back_at_the_same_places(text, name, trigger, arguments):
    event = Event(
        name,
        mention(text, *trigger),
        tuple(Argument(role, mention(text, words, nth)) for role, words, nth in arguments),
    )

    read = read_reply(write_reply([event], text), text, SCHEMA)

    assert read.problems == ()
    assert [e.identity for e in read.events] == [event.identity]


def test_a_number_is_written_only_where_another_place_would_be_guessed():
    text = "5G here, launched 5G there"
    near = Event(
        "launch", mention(text, "launched"), (Argument("product", mention(text, "5G", 2)),)
    )
    far = Event("launch", mention(text, "launched"), (Argument("product", mention(text, "5G", 1)),))

    assert write_reply([near], text) == '[["launch","launched",[["product","5G"]]]]'
    assert write_reply([far], text) == '[["launch","launched",[["product","5G",1]]]]'


def test_events_are_written_in_the_order_of_their_triggers():
    text = "启动后发布"
    events = [Event("launch", mention(text, "发布")), Event("launch", mention(text, "启动"))]

    assert [e[1] for e in json.loads(write_reply(events, text))] == ["启动", "发布"]


def test_an_event_without_a_trigger_is_written_and_read_as_such():
    event = Event("launch", None, (Argument("agent", mention("Росатом молчит", "Росатом")),))

    reply = write_reply([event], "Росатом молчит")

    assert reply == '[["launch",null,[["agent","Росатом"]]]]'
    assert read_reply(reply, "Росатом молчит", SCHEMA).events[0].trigger is None


def test_two_events_of_two_types_on_one_trigger_are_both_kept():
    reply = '[["launch","收购",[]],["收购","收购",[]]]'

    assert len(read_reply(reply, "收购", SCHEMA).events) == 2


def test_an_event_said_twice_is_kept_once_and_told():
    reply = '[["launch","запуск",[["place","Омск"]]],["launch","запуск",[["place","Омск"]]]]'

    read = read_reply(reply, "запуск, Омск", SCHEMA)

    assert len(read.events) == 1
    assert [p.code for p in read.problems] == ["repeated"]


def test_words_that_are_not_in_the_text_are_kept_without_a_place():
    read = read_reply('[["launch","发布",[["agent","小米"]]]]', "华为发布", SCHEMA)

    found = read.events[0].arguments[0].mention
    assert (found.kind, found.text, found.start) == ("unanchored", "小米", None)
    assert read.problems == (Problem("not_in_text", {"words": "小米"}),)


def test_types_and_roles_outside_the_schema_are_left_out_and_told():
    read = read_reply('[["war","Intel",[]],["launch","Intel",[["boss","Intel"]]]]', "Intel", SCHEMA)

    assert [(e.event_type, e.arguments) for e in read.events] == [("launch", ())]
    assert len(read.problems) == 2


@pytest.mark.parametrize(
    "reply",
    ["Sure! Here you go", "{}", '{"events": []}', "[1]", '[["launch"]]', '[["launch","a",[["agent"]]]]',
     '[["launch","a",[[1,"a"]]]]', "[" * 5000],
)  # fmt: skip
def test_a_reply_of_another_form_is_refused_with_its_words(reply):
    with pytest.raises(ReplyError, match=r"the reply|an event of|an argument of"):
        read_reply(reply, "a", SCHEMA)


def test_confidence_is_the_product_of_the_tokens_that_wrote_a_string():
    reply = '[["launch","запуск",[["agent","Вега"]]]]'
    at = reply.index
    probabilities = [
        TokenProbability(0, at("launch"), 1.0),
        TokenProbability(at("launch"), at("launch") + 6, 0.5),
        TokenProbability(at("запуск"), at("запуск") + 3, 0.9),
        TokenProbability(at("запуск") + 3, at("запуск") + 6, 0.8),
        TokenProbability(at("agent"), at("agent") + 5, 0.7),
        TokenProbability(at("Вега"), at("Вега") + 4, 0.6),
    ]

    event = read_reply(reply, "запуск Вега", SCHEMA, probabilities=probabilities).events[0]

    assert event.confidence == pytest.approx(0.5)
    assert event.trigger.confidence == pytest.approx(0.72)
    assert event.arguments[0].mention.confidence == pytest.approx(0.42)
