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


def pieces(*written: tuple[str, float]) -> tuple[str, list[TokenProbability]]:
    """A reply and the probability of each piece of it, from (characters, probability) in order."""
    reply, found = "", []
    for text, probability in written:
        found.append(TokenProbability(len(reply), len(reply) + len(text), probability))
        reply += text
    return reply, found


@pytest.mark.parametrize(
    ("text", "trigger", "agent"),
    [
        ("Vega unveiled it", ["un", "veiled"], ["Ve", "ga"]),
        ("🚀晨星发布新芯片", ["发", "布"], ["晨", "星"]),
        ("Vega lanzó eso", ["lan", "zó"], ["Ve", "ga"]),
        ("запуск Вега", ["зап", "уск"], ["Ве", "га"]),
    ],
)
def test_each_part_has_the_product_of_what_wrote_it_from_the_end_of_the_part_before(
    text, trigger, agent
):
    reply, probabilities = pieces(
        ('[["', 0.95), ("launch", 0.5), ('","', 1.0),
        (trigger[0], 0.9), (trigger[1], 0.8), ('"', 0.7), (',[["', 0.6), ("agent", 0.5), ('","', 1.0),
        (agent[0], 0.4), (agent[1], 0.9), ('"', 0.8), ("]]]]", 0.01),
    )  # fmt: skip

    event = read_reply(reply, text, SCHEMA, probabilities=probabilities).events[0]

    assert event.confidence == pytest.approx(0.95 * 0.5)
    assert event.trigger.confidence == pytest.approx(0.9 * 0.8 * 0.7)
    assert event.arguments[0].confidence == pytest.approx(0.6 * 0.5)
    assert event.arguments[0].mention.confidence == pytest.approx(0.4 * 0.9 * 0.8)


def test_that_there_is_another_event_belongs_to_its_type():
    reply, probabilities = pieces(
        ('[["launch"', 0.9), (',"запуск"', 0.8), (",[]]", 0.7), (",[", 0.3), ('"launch","', 0.5),
        ("Вега", 0.6), ('",[]]]', 0.1),
    )  # fmt: skip

    first, second = read_reply(reply, "запуск Вега", SCHEMA, probabilities=probabilities).events

    assert (first.confidence, first.trigger.confidence) == pytest.approx((0.9, 0.8))
    assert second.confidence == pytest.approx(0.7 * 0.3 * 0.5)
    assert second.trigger.confidence == pytest.approx(0.6 * 0.1)  # uncut, it counts where it begins


def test_the_number_that_says_which_occurrence_belongs_to_the_words():
    reply, probabilities = pieces(
        ('[["launch', 1.0), ('","', 1.0), ("发布", 0.9), ('"', 0.8), (",", 0.7), ("2", 0.6),
        (',[["', 0.5), ("agent", 1.0), ('","', 1.0), ("晨星", 1.0), ('"]]]]', 1.0),
    )  # fmt: skip

    event = read_reply(reply, "发布会上晨星发布", SCHEMA, probabilities=probabilities).events[0]

    assert event.trigger.confidence == pytest.approx(0.9 * 0.8 * 0.7 * 0.6)
    assert event.trigger.start == 6
    assert event.arguments[0].confidence == pytest.approx(0.5)


def test_without_probabilities_nothing_has_a_confidence():
    event = read_reply('[["launch","запуск",[["agent","Вега"]]]]', "запуск Вега", SCHEMA).events[0]

    assert event.confidence is None
    assert {m.confidence for m in event.mentions()} == {None}
    assert event.arguments[0].confidence is None
