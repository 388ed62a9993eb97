"""The JSON schema of a server's reply, and the way back to the compact form."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from core.parsing import TokenProbability
from core.reply_schema import close_object, compact_reply, reply_schema
from core.schema import EventType, Role, Schema

SCHEMA = Schema(
    (
        EventType(
            "产品发布",
            roles=(
                Role("主体", required=True, multiple=False),
                Role("место"),
                Role("old", retired=True),
            ),
        ),
        EventType('quo"ted \\ type'),
        EventType("gone", retired=True),
    )
)
TEXT = "华为在莫斯科发布了芯片。"


def is_valid(reply):
    return Draft202012Validator(reply_schema(SCHEMA, TEXT)).is_valid(reply)


def make_reply(event_type="产品发布", trigger="发布", **arguments):
    return {"events": [{"type": event_type, "trigger": trigger, "arguments": arguments}]}


CASES = [
    ("no events", {"events": []}, True),
    ("a full event", make_reply(主体=["华为"], место=["莫斯科", "芯片"]), True),
    ("a type without roles", {"events": [{"type": 'quo"ted \\ type', "trigger": "发布"}]}, True),
    ("an unknown type", make_reply("launch", 主体=["华为"]), False),
    ("a retired type", make_reply("gone", 主体=["华为"]), False),
    ("an unknown role", make_reply(主体=["华为"], кто="华为"), False),
    ("a retired role", make_reply(主体=["华为"], old=["华为"]), False),
    ("a required role that is missing", make_reply(место=["莫斯科"]), False),
    ("a role that takes one filled twice", make_reply(主体=["华为", "小米"]), False),
    ("words outside a list", make_reply(主体="华为", место=["莫斯科"]), False),
    ("a role that is there and empty", make_reply(主体=["华为"], место=[]), False),
    ("no trigger", make_reply(trigger="", 主体=["华为"]), False),
    ("a list", [], False),
]


@pytest.mark.parametrize(("name", "reply", "wanted"), CASES, ids=[c[0] for c in CASES])
def test_the_schema_allows_what_the_event_schema_does(name, reply, wanted):
    assert is_valid(reply) is wanted


def test_only_what_vllm_llama_cpp_and_ollama_all_read_is_in_the_schema():
    used: set[str] = set()

    def walk(node):
        used.update(node)
        for child in node.get("properties", {}).values():
            walk(child)
        for child in [node["items"]] if "items" in node else node.get("anyOf", []):
            walk(child)

    walk(reply_schema(SCHEMA, TEXT))
    assert used == {
        "type", "properties", "required", "additionalProperties", "items", "minItems", "maxItems",
        "anyOf", "const", "minLength",
    }  # fmt: skip


def test_a_reply_becomes_compact_with_the_probability_of_each_part():
    reply = json.dumps(make_reply(主体=["华为"], место=["莫斯科"]), ensure_ascii=False)
    at = reply.index("华为")
    tokens = [TokenProbability(i, i + 1, 1.0) for i in range(len(reply))]
    tokens[at] = TokenProbability(at, at + 1, 0.5)
    tokens[at + 2] = TokenProbability(at + 2, at + 3, 0.8)  # where the words end

    compact, sure = compact_reply(reply, tokens)

    assert compact == '[["产品发布","发布",[["主体","华为"],["место","莫斯科"]]]]'
    parts = {compact[p.start : p.end]: p.probability for p in sure}
    assert parts.pop('"华为"') == pytest.approx(0.4)
    assert set(parts.values()) == {1.0}


@pytest.mark.parametrize(
    "other", ["", "[]", "null", '{"events":3}', '[["a","b",[]]]', "текст", "{"]
)
def test_a_reply_of_another_form_stays_as_it_is(other):
    assert compact_reply(other) == (other, [])


@given(
    st.lists(
        st.tuples(
            st.text(max_size=8), st.text(max_size=8), st.lists(st.text(max_size=8), max_size=3)
        )
    )
)
def test_what_is_said_survives_the_way_to_the_compact_form(said):
    events = [{"type": a, "trigger": b, "arguments": {"r": c}} for a, b, c in said]
    reply = json.dumps({"events": events})

    compact, _ = compact_reply(reply)

    assert json.loads(compact) == [[a, b, [["r", w] for w in c]] for a, b, c in said]


@given(st.integers(0, 200))
def test_a_cut_reply_keeps_every_part_that_was_whole(at):
    reply = json.dumps(make_reply(主体=['華"为\\'], место=["莫斯科", "芯片"]), ensure_ascii=False)

    closed = close_object(reply[:at])

    compact = json.loads(compact_reply(closed)[0]) if '"events"' in closed else []
    whole = json.loads(compact_reply(reply)[0])
    if compact:
        assert compact[0][:2] == whole[0][:2]
        assert compact[0][2] == whole[0][2][: len(compact[0][2])]
    assert at < len(reply) or compact == whole
