"""Texts that a model cannot read at once: read in parts, and put together with exact offsets."""

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import ModelError
from core.events import Argument, Event, Mention, span
from core.long_text import join_parts, suggest_whole
from core.models.scripted import Script, ScriptedBackend
from core.ports import Prompting, Suggested
from core.problems import Problem
from core.samples import Sample
from core.schema import EventType, Role, Schema

SCHEMA = Schema(
    (
        EventType("launch", roles=(Role("agent", multiple=False), Role("product"))),
        EventType("outage", roles=(Role("system"),)),
    )
)
FILLER = st.sampled_from(
    [
        "Intel opened a lab. ", "华为发布了新的芯片。", "Telefónica lanzó un servicio.\r\n", "Яндекс открыл офис! ",
        "افتتحت الشركة مختبرا؟ ", "कंपनी ने खोली। ", "👩‍🔬👍🏽🚀", "Jose\u0301 vino ", "ไทยแลนด์", "\r\n\r\n", "\t", "слово ",
        "x" * 90, "芯" * 70, '"quoted\\" ', "\u0085", "a\u200db",
    ]
)  # fmt: skip
PLANTED = st.integers(1, 12).map(lambda n: f" zq{n} ")


def make_backend(characters, *rules, confidence=None):
    said = [{"text": pattern, "reply": reply} for pattern, reply in rules]
    script = Script(rules=said, characters=characters, confidence=confidence)
    return ScriptedBackend("scripted", script)


def make_sample(text, name="s"):
    return Sample(name, "en", "text", text)


def suggestion(text, *events, problems=(), seconds=1.0):
    return Suggested(tuple(events), f"reply to {text}", "full.v1", tuple(problems), seconds)


@given(st.lists(FILLER | PLANTED, max_size=40).map("".join), st.integers(40, 200))
def test_every_planted_event_is_found_once_at_its_place_whatever_the_text(text, limit):
    rule = (r"\bzq\d+\b", [["launch", r"\g<0>", [["agent", r"\g<0>"]]]])
    wanted = [(m.start(), m.end()) for m in re.finditer(r"\bzq\d+\b", text)]

    (found,) = suggest_whole(make_backend(limit, rule), [make_sample(text)], SCHEMA)

    assert sorted((e.trigger.start, e.trigger.end) for e in found.events) == wanted
    assert all(m.text == text[m.start : m.end] for e in found.events for m in e.mentions())
    assert all(e.arguments[0].mention.place == e.trigger.place for e in found.events)


def test_a_text_that_fits_is_asked_for_whole_and_says_nothing_of_parts():
    backend = make_backend(100, ("发布", [["launch", "发布", []]]))

    (found,) = suggest_whole(backend, [make_sample("华为发布了芯片。")], SCHEMA)

    assert found.raw_reply == '[["launch","发布",[]]]'
    assert found.problems == ()


def test_the_number_of_parts_and_each_reply_with_its_place_are_kept():
    text = "Яндекс открыл офис. " * 3
    backend = make_backend(45, ("открыл", [["launch", "открыл", []]]))

    (found,) = suggest_whole(backend, [make_sample(text)], SCHEMA)

    (problem,) = found.problems
    kept = json.loads(found.raw_reply)
    assert (problem.code, problem.values) == ("read_in_parts", {"parts": len(kept)})
    assert len(kept) >= 2
    assert (kept[0]["start"], kept[0]["end"]) == (0, 40)
    assert all("открыл" in k["reply"] for k in kept)


def test_long_and_short_texts_come_back_in_the_order_in_which_they_were_given():
    backend = make_backend(30, (r"zq\d+", [["launch", r"\g<0>", []]]))
    texts = ["zq1.", "Long one here. " * 5 + "zq2.", "", "zq3。", "公司公司。" * 20 + "zq4"]

    found = suggest_whole(
        backend, [make_sample(t, name=str(i)) for i, t in enumerate(texts)], SCHEMA
    )

    assert [[e.trigger.text for e in s.events] for s in found] == [
        ["zq1"], ["zq2"], [], ["zq3"], ["zq4"],
    ]  # fmt: skip


def test_where_the_prompt_alone_is_too_long_it_says_so_and_what_to_do():
    class NoRoom(ScriptedBackend):
        def fits(self, sample, schema, *, prompting=None):
            return False

    with pytest.raises(ModelError, match=r"full\.v1.*2 event types.*no room.*fewer types"):
        suggest_whole(NoRoom("m", Script()), [make_sample("华为发布了芯片。")], SCHEMA)


def test_examples_go_before_a_text_is_cut_to_shreds():
    examples = [make_sample("пример " * 30, name=str(n)) for n in range(3)]
    asked = []

    class Small(ScriptedBackend):
        def fits(self, sample, schema, *, prompting=None):
            shown = (prompting or self.prompting).examples.get(sample.id, ())
            return sum(len(s.text) for s in (sample, *shown)) <= 600

        def suggest(self, samples, schema, **options):
            asked.append((len(samples), options["prompting"].examples["s"]))
            return super().suggest(samples, schema, **options)

    text = "Слово за словом. " * 50
    prompting = Prompting("full.v1", {"s": examples, "other": examples})
    suggest_whole(Small("m", Script()), [make_sample(text)], SCHEMA, prompting=prompting)

    assert [e.id for e in asked[0][1]] == ["2"]  # the nearest stays
    assert asked[0][0] < 5


def test_an_event_that_two_parts_saw_is_there_once_with_the_arguments_of_both():
    text = "В Москве Яндекс запустил облако."
    agent = Argument("agent", span(text, 9, 15, confidence=0.5))
    in_whole = Event("launch", span(text, 16, 24, confidence=0.4), (agent,), 0.6)
    in_part = Event(
        "launch", Mention("запустил", 7, 15, confidence=0.9),
        (Argument("product", Mention("облако", 16, 22)),), 0.2,
    )  # fmt: skip

    joined = join_parts(
        [(0, 24), (9, 32)], [suggestion("a", in_whole), suggestion("b", in_part)], SCHEMA
    )

    (event,) = joined.events
    assert (event.trigger.start, event.trigger.confidence, event.confidence) == (16, 0.9, 0.6)
    assert [(a.role, a.mention.start, a.mention.end) for a in event.arguments] == [
        ("agent", 9, 15), ("product", 25, 31),
    ]  # fmt: skip
    assert joined.seconds == 2.0


def test_of_two_answers_in_a_role_that_takes_one_the_surer_stays():
    def event(agent, sure):
        return Event(
            "launch", Mention("发布", 0, 2), (Argument("agent", Mention(agent, confidence=sure)),)
        )

    joined = join_parts(
        [(0, 9), (0, 9)],
        [suggestion("a", event("华为", 0.3)), suggestion("b", event("小米", 0.7))],
        SCHEMA,
    )

    assert [a.mention.text for a in joined.events[0].arguments] == ["小米"]


def test_two_events_of_one_part_stay_two_though_they_share_a_trigger():
    first = Event("launch", Mention("lanzó", 3, 8), (Argument("product", Mention("a", 0, 1)),))
    second = Event("launch", Mention("lanzó", 3, 8), (Argument("product", Mention("b", 1, 2)),))

    joined = join_parts(
        [(0, 9), (0, 9)],
        [suggestion("1", first, second), suggestion("2", second, first)],
        SCHEMA,
    )

    assert joined.events == (first, second)


def test_what_is_found_nowhere_is_one_event_only_if_all_of_it_is_the_same():
    def event(*words):
        arguments = tuple(Argument("system", Mention(w)) for w in words)
        return Event("outage", Mention("упал"), arguments)

    problem = Problem("not_in_text", {"words": "упал"})
    parts = [
        suggestion("1", event("почта"), problems=[problem]),
        suggestion("2", event("почта"), event("сайт"), problems=[problem]),
    ]
    joined = join_parts([(0, 5), (3, 9)], parts, SCHEMA)

    assert joined.events == (event("почта"), event("сайт"))
    assert [p.code for p in joined.problems] == ["not_in_text", "read_in_parts"]


def test_types_that_two_parts_disagree_on_are_both_shown():
    launch, outage = (Event(name, Mention("发布", 2, 4)) for name in ("launch", "outage"))

    joined = join_parts(
        [(0, 5), (0, 9)], [suggestion("1", launch), suggestion("2", outage)], SCHEMA
    )

    assert joined.events == (launch, outage)
