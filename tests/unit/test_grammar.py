"""The grammar of a reply: it takes what it should, in every script, and nothing else."""

import json

import llguidance
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.events import Argument, Event, span
from core.grammar import Bounds, close_reply, reply_grammar
from core.parsing import read_reply, write_reply
from core.schema import EventType, Role, Schema
from core.spans import borders

SCHEMA = Schema(
    (
        EventType("launch", roles=(Role("agent", multiple=False), Role("product"))),
        EventType('"quoted" \\ 类型', roles=(Role("роль"),)),
        EventType("bare"),
    )
)
BYTES = llguidance.LLTokenizer("byte")


def takes(grammar: str, reply: str) -> bool:
    """Whether the grammar takes the whole reply, byte by byte."""
    matcher = llguidance.LLMatcher(BYTES, grammar)
    assert not matcher.is_error(), matcher.get_error()
    tokens = list(reply.encode())
    return matcher.try_consume_tokens(tokens) == len(tokens) and matcher.is_accepting()


TEXT = 'Яндекс 🚀 выпустил "Вегу". 华为发布芯片 in C:\\temp'


@pytest.mark.parametrize("is_tuned", [True, False])
@pytest.mark.parametrize(
    "reply",
    [
        "[]",
        '[["bare","Яндекс",[]]]',
        '[["launch","выпустил",[["agent","Яндекс"],["product","\\"Вегу\\""]]]]',
        '[["launch","发布",[["agent","华为"],["product","芯片"]]]]',
        '[["launch","🚀",[["product","C:\\\\temp"]]],["\\"quoted\\" \\\\ 类型","布",[["роль","为"]]]]',
    ],
)
def test_verbatim_spans_of_the_schemas_types_are_taken(reply, is_tuned):
    assert takes(reply_grammar(SCHEMA, TEXT, is_tuned=is_tuned), reply)


@pytest.mark.parametrize("is_tuned", [True, False])
@pytest.mark.parametrize(
    "reply",
    [
        '[["launch","Google",[]]]',  # not in the text
        '[["launch","ндекс",[]]]',  # begins inside a word
        '[["launch","",[]]]',
        '[["launch"," выпустил",[]]]',
        '[["war","выпустил",[]]]',
        '[["bare","выпустил",[["agent","Яндекс"]]]]',  # has no roles
        '[["launch","выпустил",[["boss","Яндекс"]]]]',
        '[["launch","выпустил",[]]',
    ],
)
def test_anything_else_is_refused(reply, is_tuned):
    assert not takes(reply_grammar(SCHEMA, TEXT, is_tuned=is_tuned), reply)


def test_only_a_tuned_model_may_number_repeated_words():
    text, reply = "запуск за запуск", '[["bare","запуск",2,[]]]'

    assert takes(reply_grammar(SCHEMA, text, is_tuned=True), reply)
    assert not takes(reply_grammar(SCHEMA, text), reply)


@pytest.mark.parametrize("is_tuned", [True, False])
def test_a_role_that_is_filled_once_cannot_be_repeated(is_tuned):
    text = "华为 and 5G芯片"
    twice = '[["launch","芯片",[["agent","华为"],["product","芯片"],["agent","5G"]]]]'

    grammar = reply_grammar(SCHEMA, text, is_tuned=is_tuned)

    assert takes(grammar, twice.replace(',["agent","5G"]', ""))
    assert not takes(grammar, twice)


def test_only_a_tuned_model_may_repeat_a_role_that_is_filled_often_and_change_the_order():
    text = "Вега и Орбита: чип"
    often = '[["launch","чип",[["product","чип"],["agent","Вега"],["product","Орбита"]]]]'

    assert takes(reply_grammar(SCHEMA, text, is_tuned=True), often)
    assert not takes(reply_grammar(SCHEMA, text), often)


def test_arguments_are_bounded_whether_their_roles_are_filled_once_or_often():
    roles = tuple(Role(f"роль {i}", multiple=i > 3) for i in range(8))
    schema = Schema((EventType("launch", roles=roles),))
    grammar = reply_grammar(schema, "芯片", bounds=Bounds(events=1, arguments=3), is_tuned=True)

    def reply(*numbers: int) -> str:
        arguments = ",".join(f'["роль {i}","芯"]' for i in numbers)
        return f'[["launch","片",[{arguments}]]]'

    assert takes(grammar, reply(5, 0, 5))
    assert not takes(grammar, reply(0, 1, 2, 5))


def test_events_and_span_lengths_are_bounded():
    text = "слово " * 40
    bounds = Bounds(events=2, trigger_length=11)
    grammar = reply_grammar(SCHEMA, text, bounds=bounds, is_tuned=True)

    assert takes(grammar, '[["bare","слово слово",[]],["bare","слово",[]]]')
    assert not takes(grammar, '[["bare","слово слово слово",[]]]')
    assert not takes(
        grammar, json.dumps([["bare", "слово", []]] * 3, ensure_ascii=False, separators=(",", ":"))
    )


@pytest.mark.parametrize(("schema", "text"), [(Schema(), "текст"), (SCHEMA, " \n\t")])
def test_where_nothing_can_be_said_only_the_empty_reply_is_taken(schema, text):
    assert takes(reply_grammar(schema, text), "[]")
    assert not takes(reply_grammar(schema, text), '[["bare","текст",[]]]')


@settings(max_examples=200, deadline=None)
@given(
    st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=80),
    st.lists(
        st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1),
        min_size=1,
        max_size=4,
        unique=True,
    ),
    st.data(),
)
def test_any_span_of_any_text_can_be_said_and_is_found_again(text, names, data):
    edges = sorted(borders(text))
    schema = Schema(tuple(EventType(n, roles=(Role(n),)) for n in names))

    def draw() -> tuple[int, int]:
        start = data.draw(st.sampled_from(edges[:-1]))
        return start, data.draw(st.sampled_from([e for e in edges if e > start]))

    begin, end = draw()
    first, last = draw()
    words = [text[begin:end], text[first:last]]
    if any(w != w.strip() or len(w) > 50 for w in map(_clean, words)):
        return
    event = Event(names[0], span(text, begin, end), (Argument(names[0], span(text, first, last)),))
    reply = write_reply([event], text)

    assert takes(reply_grammar(schema, text, is_tuned=True), reply)
    found = read_reply(reply, text, schema)
    if text.count(words[0]) <= 9 and text.count(words[1]) <= 9:
        assert [e.identity for e in found.events] == [event.identity]


def _clean(words: str) -> str:
    from core.spans import without_breaks

    return without_breaks(words)


@pytest.mark.parametrize(
    ("cut", "closed"),
    [
        ("", "[]"),
        ("[", "[]"),
        ('[["launch","发', "[]"),
        ('[["launch","发布"', '[["launch","发布",[]]]'),
        ('[["launch","发布",[["agent","华', '[["launch","发布",[]]]'),
        ('[["launch","发布",[["agent","华为"],["prod', '[["launch","发布",[["agent","华为"]]]]'),
        ('[["a","б",[]],["c', '[["a","б",[]]]'),
        ('[["a","б",[]]]', '[["a","б",[]]]'),
    ],
)
def test_a_reply_that_was_cut_is_closed_after_what_is_complete(cut, closed):
    assert close_reply(cut) == closed


def test_a_joiner_that_holds_a_space_is_nothing_to_point_at():
    grammar = reply_grammar(Schema((EventType("запуск"),)), " \u200c ")

    assert grammar == 'start: "[]"\n'
