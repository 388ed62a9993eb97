"""The checks of a suggestion: what each finds, and what it leaves alone."""

from __future__ import annotations

import pytest

from core.checks import check_events
from core.events import Argument, Event, Mention, span
from core.samples import Sample
from core.schema import EventType, Role, Schema

SCHEMA = Schema(
    (
        EventType("launch", roles=(Role("agent", required=True, multiple=False), Role("product"))),
        EventType("outage", roles=(Role("system"),)),
        EventType("old", retired=True),
    )
)
TEXTS = {
    "en": "Nortia unveiled a modem for Huawei 华为 in Madrid on Tuesday, «Акме» said.",
    "zh": "🚀晨星公司周二与Bank of the West一起发布了iPhone 15 Pro和新芯片。The company has launched it.",
    "es": "Nortia lanzó el módem «Chispa» con Акме en Madrid; 中国人民银行股份有限公司董事会 calló.",
    "ru": "Компания OpenAI запустила ChatGPT и adidas: «the company has launched it», сказала она.",
}
TRIGGERS = {"en": "unveiled", "zh": "发布", "es": "lanzó", "ru": "запустила"}
AGENTS = {"en": "Nortia", "zh": "晨星公司", "es": "Nortia", "ru": "Компания"}
LANGUAGES = pytest.mark.parametrize("language", TEXTS)


def sample(language, name="s", **more):
    return Sample(name, language, "text", TEXTS[language], **more)


def place(language, words):
    at = TEXTS[language].index(words)
    return span(TEXTS[language], at, at + len(words))


def event(language, *, trigger=None, kind="launch", roles=(("agent", None),)):
    arguments = tuple(
        Argument(role, place(language, words or AGENTS[language])) for role, words in roles
    )
    return Event(kind, place(language, trigger or TRIGGERS[language]), arguments)


def codes(events, language, **more):
    return [p.code for p in check_events(events, sample(language), SCHEMA, **more)]


@LANGUAGES
def test_a_suggestion_as_it_should_be_has_no_problem(language):
    assert codes([event(language)], language) == []
    assert codes([], language) == []


@LANGUAGES
def test_types_and_roles_that_the_schema_lacks_or_has_retired_are_told(language):
    events = [
        event(language, kind="запуск"), event(language, kind="old", roles=()),
        event(language, roles=(("agent", None), ("地点", None))),
    ]  # fmt: skip

    found = check_events(events, sample(language), SCHEMA)

    assert [p.code for p in found] == ["unknown_type", "unknown_type", "unknown_role"]
    assert found[0].values == {"type": "запуск", "event": 0}
    assert found[2].values == {"type": "launch", "role": "地点", "event": 2, "argument": 1}


@LANGUAGES
def test_a_required_role_that_is_missing_and_one_that_is_there_too_often_are_told(language):
    one, other = AGENTS[language], TRIGGERS[language]
    events = [
        event(language, roles=()),
        event(language, roles=(("agent", one), ("agent", other)), trigger=one),
    ]

    found = check_events(events, sample(language), SCHEMA)

    assert [(p.code, p.values["event"]) for p in found] == [("missing_role", 0), ("too_many", 1)]
    assert found[1].values["limit"] == 1


@pytest.mark.parametrize(
    ("language", "trigger", "code"),
    [
        ("en", "unveiled a modem for Huawei 华为", "long_trigger"),
        ("en", "unveiled a modem", None),
        ("en", "a", "short_trigger"),
        ("zh", "晨星公司周二与", "long_trigger"),
        ("zh", "晨星公司周二", None),
        ("zh", "iPhone 15 Pro和新", None),
        ("zh", "发", "short_trigger"),
        ("zh", "15", "short_trigger"),
        ("es", "lanzó el módem «Chispa» con Акме en", "long_trigger"),
        ("es", "lanzó el módem", None),
        ("ru", "Компания OpenAI запустила ChatGPT и adidas: «the", "long_trigger"),
        ("ru", "и", "short_trigger"),
        ("ru", "запустила ChatGPT", None),
    ],
)
def test_a_trigger_is_neither_a_clause_nor_less_than_a_word(language, trigger, code):
    found = codes([event(language, trigger=trigger)], language)

    assert [c for c in found if c.endswith("_trigger")] == ([code] if code else [])


@pytest.mark.parametrize(
    ("language", "words", "is_foreign"),
    [
        ("ru", "OpenAI", False),  # a name in another script, as the text has it
        ("ru", "adidas", False),
        ("ru", "OpenAI запустила", False),
        ("ru", "the company has launched it", True),
        ("zh", "iPhone 15 Pro", False),
        ("zh", "Bank of the West", False),
        ("zh", "The company has launched it", True),
        ("zh", "与Bank", False),
        ("es", "Акме", False),
        ("es", "中国人民银行股份有限公司董事会", True),
        ("en", "华为", False),
        ("en", "«Акме»", False),
    ],
)
def test_words_of_the_text_are_of_another_language_where_they_are_more_than_a_name(
    language, words, is_foreign
):
    found = codes([event(language, roles=(("agent", words),))], language)

    assert found == (["other_language"] if is_foreign else [])


@pytest.mark.parametrize(
    ("language", "words", "is_foreign"),
    [
        ("zh", "unveiled", True),
        ("zh", "华为 unveiled", True),
        ("zh", "iPhone 15 Pro 手机", False),  # the name stands in the text, only the rest does not
        ("ru", "launch of ChatGPT", True),
        ("ru", "запуск ChatGPT", False),
        ("ru", "5G", False),
        ("en", "запустила", True),
        ("en", "发布", True),
        ("en", "released", False),  # of one script: told as not in the text
        ("es", "lanzamiento", False),
        ("es", "发布", True),
    ],
)
def test_words_that_are_not_in_the_text_are_of_another_language_where_their_script_is(
    language, words, is_foreign
):
    loose = Event("launch", Mention(words), (Argument("agent", place(language, AGENTS[language])),))

    found = [c for c in codes([loose], language) if c == "other_language"]

    assert bool(found) == is_foreign


def test_a_language_that_argus_does_not_know_is_told_by_its_text():
    text = "Машинаны жұмысқа қосты деп хабарлады, the company has launched it."
    at = text.index("the company")
    said = Event("outage", span(text, 9, 23), (Argument("system", span(text, at, at + 24)),))

    found = check_events([said], Sample("s", "xx", "text", text), SCHEMA)

    assert [p.code for p in found] == ["other_language"]


@LANGUAGES
def test_an_event_that_says_no_more_than_another_is_a_duplicate(language):
    whole = event(language, roles=(("agent", None), ("product", None)))
    less = event(language)

    found = check_events([less, whole], sample(language), SCHEMA)
    same = check_events([whole, whole], sample(language), SCHEMA)

    assert [(p.code, p.values["event"], p.values["of"]) for p in found] == [("duplicate", 0, 1)]
    assert [(p.code, p.values["event"], p.values["of"]) for p in same] == [("duplicate", 1, 0)]


@LANGUAGES
def test_two_events_of_one_trigger_that_say_different_things_are_no_duplicates(language):
    one = event(language)
    other = event(language, roles=(("agent", TRIGGERS[language]), ("product", None)))

    assert codes([one, other], language) == []


@LANGUAGES
def test_an_argument_said_twice_in_one_role_is_a_duplicate(language):
    twice = event(language, roles=(("agent", None), ("product", None), ("product", None)))

    found = check_events([twice], sample(language), SCHEMA)

    assert [(p.code, p.values["argument"]) for p in found] == [("duplicate", 2)]


@LANGUAGES
def test_the_same_story_with_other_events_in_another_language_is_a_contradiction(language):
    other = next(code for code in TEXTS if code != language)
    mine = sample(language, parallel_group="история")
    theirs = (event(other), event(other, kind="outage", roles=()))
    parallel = [
        sample(other, "other", parallel_group="история", events=theirs),
        sample(language, "copy", parallel_group="история", events=()),
        sample(other, "elsewhere", parallel_group="другая", events=()),
        sample(other, "nobody", parallel_group="история"),
    ]

    found = check_events([event(language)], mine, SCHEMA, parallel=parallel)

    assert [p.code for p in found] == ["contradiction"]
    assert found[0].values == {
        "sample": "other", "language": other, "here": [], "there": ["outage"],
    }  # fmt: skip
    agreeing = [sample(other, "other", parallel_group="история", events=(event(other),))]
    assert check_events([event(language)], mine, SCHEMA, parallel=agreeing) == ()


def test_boxes_and_ranges_have_no_words_to_check():
    boxed = Event(
        "outage", Mention(media="v", range=(0.0, 2.0)),
        (Argument("system", Mention(media="p", box=(0.1, 0.1, 0.2, 0.2))),),
    )  # fmt: skip

    assert check_events([boxed], Sample("s", "zh", "video", None), SCHEMA) == ()
