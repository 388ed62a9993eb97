"""Free replies: what can be understood is, the rest is told, and nothing raises."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.free_reply import read_free_reply
from core.parsing import TokenProbability, read_reply
from core.problems import count_problems
from core.schema import EventType, Role, Schema

SCHEMA = Schema((EventType("launch", roles=(Role("agent"), Role("product"))), EventType("сбой")))
TEXT = "«Вега» запустила чип. 华为发布芯片。"


def said(reply: str, text: str = TEXT) -> list[tuple[object, ...]]:
    read = read_free_reply(reply, text, SCHEMA)
    return [
        (
            e.event_type,
            e.trigger and e.trigger.text,
            *((a.role, a.mention.text) for a in e.arguments),
        )
        for e in read.events
    ]


@pytest.mark.parametrize(
    "reply",
    [
        '[["launch","发布",[["agent","华为"],["product","芯片"]]]]',
        'Sure! Here:\n```json\n[["launch","发布",[["agent","华为"],["product","芯片"]]]]\n```\nDone.',
        '[["launch","发布",[["agent","华为"],["product","芯片"]]]]\n\nText (Chinese): 华为',
        '["launch","发布",[["agent","华为"],["product","芯片"]]]',
        '{"events":[{"type":"launch","trigger":"发布","arguments":{"agent":"华为","product":["芯片"]}}]}',
        '[{"event_type":"launch","trigger":{"text":"发布"},"arguments":'
        '[{"role":"agent","text":"华为"},{"role":"product","words":"芯片"}]}]',
        '[1] see [["launch","发布",[["agent","华为"],["product","芯片"]]]]',
    ],
)
def test_an_event_is_understood_in_whatever_form_it_is_said(reply):
    assert said(reply) == [("launch", "发布", ("agent", "华为"), ("product", "芯片"))]
    assert read_free_reply(reply, TEXT, SCHEMA).problems == ()


def test_that_there_is_no_event_is_a_reply():
    assert read_free_reply(" []\n", TEXT, SCHEMA) == read_reply("[]", TEXT, SCHEMA)


@pytest.mark.parametrize(
    "reply",
    [
        "",
        "Событий нет.",
        "没有事件",
        "[1]",
        "[null]",
        '{"a": 1}',
        "[" * 5000,
        "[[9" + "9" * 5000 + "]]",
        '"[',
    ],
)
def test_what_is_no_reply_has_no_events_and_says_so(reply):
    read = read_free_reply(reply, TEXT, SCHEMA)

    assert read.events == ()
    assert count_problems(read.problems) == {"not_a_reply": 1}


def test_every_kind_of_error_is_counted():
    reply = (
        '[["launch","запустила",[["boss","Вега"],["agent","Huawei"],7]],["war","чип",[]],'
        '["launch","запустила",[["agent","Huawei"]]],5]'
    )

    counts = count_problems(read_free_reply(reply, TEXT, SCHEMA).problems)

    assert counts == {
        "not_a_reply": 2, "unknown_type": 1, "unknown_role": 1, "not_in_text": 2, "repeated": 1,
    }  # fmt: skip


def test_words_that_are_not_in_the_text_have_no_place():
    read = read_free_reply('[["launch","lanzó",[["agent","Вега"]]]]', TEXT, SCHEMA)

    assert [m.start for m in read.events[0].mentions()] == [None, TEXT.index("Вега")]
    assert [dict(p.values) for p in read.problems] == [{"words": "lanzó"}]


def test_of_a_reply_that_was_cut_the_whole_parts_are_taken():
    cut = '[["сбой","чип",[]],["launch","发布",[["agent","华为"],["prod'

    assert said(cut) == [("сбой", "чип"), ("launch", "发布", ("agent", "华为"))]


def test_half_a_surrogate_pair_in_an_escape_is_not_kept():
    read = read_free_reply(r'[["launch","\ud83d",[["agent","a\u0000b"]]]]', TEXT, SCHEMA)

    assert [m.text for m in read.events[0].mentions()] == ["?", "a b"]


def test_confidences_are_those_of_the_reply_wherever_it_begins():
    piece = '[["сбой","чип",[]]]'
    around = "Так: "
    ends = [piece.index('"', 3) + 1, piece.index("[]") - 1]
    inside = [TokenProbability(0, ends[0], 0.5), TokenProbability(ends[0], ends[1], 0.25)]
    moved = [TokenProbability(p.start + 5, p.end + 5, p.probability) for p in inside]

    alone = read_reply(piece, TEXT, SCHEMA, probabilities=inside)
    found = read_free_reply(
        around + piece + "\n\n", TEXT, SCHEMA, probabilities=[TokenProbability(0, 5, 0.1), *moved]
    )

    assert found == alone
    assert found.events[0].confidence == 0.5


_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.sampled_from(["launch", "agent", "чип"]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["events", "type", "trigger", "arguments", "role", "text"]), inner
        )
    ),
    max_leaves=12,
)


@given(st.one_of(st.text(max_size=80), st.text('[]{}",:\\ launchчип019', max_size=80)))
def test_no_garbage_raises(reply):
    read_free_reply(reply, TEXT, SCHEMA)


@given(_JSON)
def test_no_json_raises(value):
    import json

    read_free_reply(json.dumps(value, ensure_ascii=False), TEXT, SCHEMA)
