"""The stand-in for a model: what a script says, read as any reply is."""

import json

import pytest

from core.errors import ModelError
from core.models.scripted import Script, ScriptedBackend, read_script
from core.ports import Backend
from core.samples import Sample
from core.schema import EventType, Role, Schema

SCHEMA = Schema((EventType("launch", roles=(Role("agent"), Role("product"))),))
SAMPLES = [
    Sample("en-1", "en", "text", "Nortia unveiled a modem."),
    Sample("zh-1", "zh", "text", "晨星周二发布了芯片。"),
    Sample("es-1", "es", "text", "Nortia lanzó un módem."),
    Sample("ru-1", "ru", "text", "Нортия запустила спутник."),
]


def suggest(script, samples=SAMPLES, **options):
    backend: Backend = ScriptedBackend("scripted", Script.model_validate(script))
    return backend.suggest(samples, SCHEMA, **options)


def test_a_rule_answers_for_a_sample_or_for_a_pattern_and_all_else_has_no_events():
    rules = [
        {"id": "zh-1", "reply": [["launch", "发布", [["agent", "晨星"]]]]},
        {"text": "запустила", "reply": [["launch", "запустила", []]]},
    ]

    found = suggest({"rules": rules})

    assert [s.raw_reply for s in found] == [
        "[]", '[["launch","发布",[["agent","晨星"]]]]', "[]", '[["launch","запустила",[]]]',
    ]  # fmt: skip
    (event,) = found[1].events
    assert (event.trigger.start, event.trigger.end) == (4, 6)
    assert event.arguments[0].mention.text == "晨星"


def test_a_pattern_answers_wherever_it_is_found_with_its_groups():
    reply = [["launch", r"\g<does>", [["agent", r"\1"]]]]
    rules = [{"text": r"(\w+) (?P<does>unveiled|lanzó|запустила)", "reply": reply}]
    twice = Sample("x", "ru", "text", "Нортия запустила спутник, а Вега запустила ракету.")

    (found,) = suggest({"rules": rules}, [twice])

    assert [(e.arguments[0].mention.text, e.trigger.start) for e in found.events] == [
        ("Нортия", 7), ("Вега", 33),
    ]  # fmt: skip


def test_its_confidence_is_that_of_the_script():
    rules = [{"id": "es-1", "reply": [["launch", "lanzó", [["agent", "Nortia"]]]]}]

    found = suggest({"rules": rules, "confidence": 0.75})

    (event,) = found[2].events
    assert (event.confidence, event.trigger.confidence) == (0.75, 0.75)
    assert event.arguments[0].mention.confidence == 0.75


def test_words_that_are_not_in_the_text_have_no_place_and_say_so():
    rules = [{"id": "en-1", "reply": [["launch", "launched", [["agent", "诺提亚"]]]]}]

    found = suggest({"rules": rules})

    assert {m.kind for m in found[0].events[0].mentions()} == {"unanchored"}
    assert [p.code for p in found[0].problems] == ["not_in_text", "not_in_text"]


@pytest.mark.parametrize("broken", ["", "no events", '[["launch"', '{"a": 1}', '[["launch",5,[]]]'])
def test_a_broken_reply_is_a_problem_not_an_error(broken):
    found = suggest({"rules": [{"id": "ru-1", "reply": broken}]})

    assert found[3].events == ()
    assert [p.code for p in found[3].problems] == ["not_a_reply"]
    assert found[3].raw_reply == broken


def test_a_text_beyond_its_length_does_not_fit_and_is_refused():
    backend = ScriptedBackend("scripted", Script(characters=12))

    assert [backend.fits(s, SCHEMA) for s in SAMPLES] == [False, True, False, False]
    with pytest.raises(ModelError, match="'en-1' has 24 characters"):
        backend.suggest(SAMPLES, SCHEMA)


def test_it_says_how_far_it_is_after_each_sample():
    shares = []

    suggest({}, on_step=shares.append)

    assert shares == [0.25, 0.5, 0.75, 1.0]


WRONG = [
    ("{", "cannot be read"),
    ('{"rule": []}', "wrong at rule"),
    ('{"rules": [{"reply": []}]}', "rules.0.*an id or a text"),
    ('{"rules": [{"id": "a", "text": "b", "reply": []}]}', "an id or a text"),
    ('{"rules": [{"text": "(", "reply": []}]}', "no regular expression"),
    ('{"confidence": 2}', "confidence"),
]


@pytest.mark.parametrize(("data", "said"), WRONG)
def test_a_wrong_script_is_refused_with_its_place(tmp_path, data, said):
    path = tmp_path / "сценарий.json"
    path.write_text(data, encoding="utf-8")

    with pytest.raises(ModelError, match=said):
        read_script(path)


def test_a_group_that_the_pattern_does_not_have_is_told_with_the_rule():
    with pytest.raises(ModelError, match="发布"):
        suggest({"rules": [{"text": "发布", "reply": [["launch", r"\2", []]]}]})


def test_a_script_is_read_as_it_was_written(tmp_path):
    path = tmp_path / "script.json"
    rules = [{"id": "zh-1", "reply": [["launch", "发布", []]]}]
    path.write_text(json.dumps({"rules": rules}, ensure_ascii=False), encoding="utf-8")

    assert read_script(path).rules[0].reply == [["launch", "发布", []]]
