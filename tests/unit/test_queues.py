"""What queues compare, filters as JSON, and the decisions of bulk operations: pure values."""

from __future__ import annotations

import doctest
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

import core.bulk
import core.queues
from core.bulk import Now, why_not_accept, why_not_restore, why_not_undo
from core.errors import InputError
from core.events import Argument, Event, Mention, span
from core.queues import (
    RING,
    Queue,
    certainty,
    changed_events,
    default_queue,
    disagreement,
    filter_from_dict,
    filter_from_words,
    filter_to_dict,
    fold,
    shuffle_of,
    start_of,
    types_digest,
)
from core.records import SampleFilter
from core.schema import EventType, Role, Schema


def launch(text, start, end, *, sure=0.9, trigger=0.9, role=0.9):
    argument = Argument("agent", span(text, 0, 2, confidence=role))
    return Event("launch", span(text, start, end, confidence=trigger), (argument,), sure)


@pytest.mark.parametrize(
    ("event", "lowest", "of"),
    [
        (launch("Вега выпустила чип", 5, 14, sure=0.31), 0.31, "type"),
        (launch("🚀华为发布芯片", 3, 5, trigger=0.2), 0.2, "trigger"),
        (launch("José lanzó el móvil", 5, 10, role=0.05), 0.05, "role:agent"),
        (launch("Intel launched", 6, 14, sure=None, trigger=0.8), 0.8, "trigger"),
    ],
)
def test_the_least_certain_part_is_named(event, lowest, of):
    found = certainty([launch("Intel launched", 6, 14), event])

    assert (found.lowest, found.of) == (lowest, of)


@pytest.mark.parametrize(
    ("events", "is_complete"),
    [
        ([], False),
        ([launch("华为发布", 2, 4)], True),
        ([launch("Вега выпустила", 5, 14, trigger=None)], False),
        ([Event("launch", Mention(text="выпустит", confidence=0.9), (), 0.9)], False),
        ([Event("launch", None, (), 0.9)], True),
    ],
)
def test_a_suggestion_is_complete_when_each_part_has_a_confidence_and_a_place(events, is_complete):
    assert certainty(events).is_complete is is_complete


def test_a_disagreement_is_the_same_from_both_sides_and_none_between_equals():
    one = [launch("华为发布芯片", 2, 4, sure=0.1)]
    two = [launch("华为发布芯片", 2, 6)]

    assert disagreement(one, one) is None
    assert disagreement(one, two) == disagreement(two, one) == (1, "trigger_moved")
    assert disagreement(one, []) == (1, "event_removed")


def test_only_differences_from_the_suggestion_are_its_corrections():
    entries = [
        {"kind": "type_changed", "event": 1, "decided": 0},
        {"kind": "trigger_moved", "event": 1, "decided": 0},
        {"kind": "event_added", "event": None, "decided": 2},
        {"kind": "event_removed", "event": 0, "decided": None},
        {"kind": "event_removed", "event": 5, "decided": None, "against": "review"},
        {"kind": "override", "reason": "так надо", "violations": []},
    ]

    assert changed_events(entries) == {0, 1}


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("МОСКВА", "москв"),
        ("Straße", "STRASSE"),
        ("Cafe\u0301", "café"),
        ("公司ＡＢ", "公司"),
        ("ΟΔΟΣ", "οδοσ"),
    ],
)
def test_a_search_finds_the_same_word_written_otherwise(text, wanted):
    assert fold(wanted) in fold(text)


def test_the_shuffle_is_fixed_and_spread_over_the_ring():
    places = [shuffle_of(f"новость-{i}") for i in range(2000)]

    assert places == [shuffle_of(f"новость-{i}") for i in range(2000)]
    assert all(0 <= place < RING for place in places)
    quarters = [sum(q * RING <= 4 * p < (q + 1) * RING for p in places) for q in range(4)]
    assert min(quarters) > 400
    assert shuffle_of("1") != start_of(1)


def test_types_make_the_same_set_in_any_order():
    assert types_digest(["запуск", "并购"]) == types_digest(["并购", "запуск", "запуск"])
    assert types_digest(["a", "b"]) != types_digest(["ab"])


names = st.lists(st.text(max_size=8), max_size=3).map(tuple)
filters = st.builds(
    SampleFilter,
    languages=names, states=names, splits=names, modalities=names, sources=names, ids=names,
    event_types=st.lists(st.text(min_size=1, max_size=8)).map(tuple), text=st.text(max_size=8),
    keys=st.lists(st.integers(1, 9), max_size=3).map(tuple),
    published_from=st.none() | st.dates(), published_to=st.none() | st.dates(),
    imported_from=st.none() | st.datetimes(timezones=st.just(UTC)),
    imported_before=st.none() | st.datetimes(timezones=st.just(UTC)),
    confidence_from=st.none() | st.floats(0, 1), confidence_to=st.none() | st.floats(0, 1),
    flagged=st.none() | st.booleans(),
)  # fmt: skip


@given(filters)
def test_a_filter_is_the_same_after_it_was_stored(wanted):
    import json

    assert filter_from_dict(json.loads(json.dumps(filter_to_dict(wanted)))) == wanted


def test_an_unknown_part_of_a_stored_filter_is_named():
    with pytest.raises(InputError, match="цвет"):
        filter_from_dict({"цвет": 1})


def test_a_reason_has_a_queue_of_its_own_that_waits_where_that_fits():
    assert default_queue(1, "uncertain").wanted.states == ("new", "suggested")
    assert default_queue(1, "random").wanted.states == ()
    assert (default_queue(1, "rare").link, Queue(1, "rare", id=12).link) == ("rare", "12")


@pytest.mark.parametrize(
    "wanted",
    [
        SampleFilter(published_from=date(2026, 2, 1), published_to=date(2026, 1, 1)),
        SampleFilter(confidence_from=0.5, confidence_to=0.4),
        SampleFilter(
            imported_from=datetime(2026, 2, 1, tzinfo=UTC),
            imported_before=datetime(2026, 1, 1, tzinfo=UTC),
        ),
    ],
)
def test_a_range_that_runs_backwards_is_refused(wanted):
    with pytest.raises(InputError, match="swap"):
        core.queues.check_filter(wanted)


def test_a_filter_is_read_from_words_as_a_command_line_gives_them():
    words = [
        "language=ru,zh", "state=new", "type=запуск", "source=新闻网", "text=спутник, чип",
        "published_from=2026-03-01", "confidence_to=0.5", "flagged=no", "problems=yes",
    ]  # fmt: skip

    assert filter_from_words(words) == SampleFilter(
        languages=("ru", "zh"), states=("new",), event_types=("запуск",), sources=("新闻网",),
        text="спутник, чип", published_from=date(2026, 3, 1), confidence_to=0.5, flagged=False,
        problems=True,
    )  # fmt: skip
    assert filter_from_words([]) == SampleFilter()


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("язык=ru", "it has language, state"),
        ("language", "is not NAME=VALUE"),
        ("text=", "is not NAME=VALUE"),
        ("flagged=да", "cannot be 'flagged=да'"),
        ("state=bogus", "no state 'bogus': use new, suggested, reviewed"),
        ("split=train,учёба", "no split 'учёба': use train, dev, test"),
        ("modality=文", "no modality '文': use text, image"),
        ("language=ru,xx", "no language 'xx': use codes of ISO 639-1"),
        ("source=,", "source has no value"),
        ("confidence_to=много", "cannot be 'confidence_to=много'"),
        ("published_from=вчера", "cannot be 'published_from=вчера'"),
    ],
)
def test_a_word_that_is_no_part_of_a_filter_is_named(word, said):
    with pytest.raises(InputError, match=said):
        filter_from_words([word])


# ---------------------------------------------------------------- bulk

SCHEMA = Schema((EventType("launch", roles=(Role("agent"), Role("place", required=False))),))


@pytest.mark.parametrize(
    ("events", "reason"),
    [
        ([launch("Вега выпустила", 5, 14)], None),
        ([launch("华为发布", 2, 4, role=0.8)], "unsure"),
        ([launch("华为发布", 2, 4), launch("华为发布", 2, 4, sure=0.81)], "unsure"),
        ([], "incomplete"),
        ([launch("José lanzó", 5, 10, sure=None)], "incomplete"),
        ([Event("并购", span("并购案", 0, 2, confidence=0.99), (), 0.99)], "rule"),
    ],
)
def test_a_suggestion_is_accepted_unseen_only_where_all_of_it_is_certain(events, reason):
    assert why_not_accept(events, threshold=0.85, schema=SCHEMA) == reason


@pytest.mark.parametrize(
    ("kind", "before", "now", "said"),
    [
        ("accept", {"review": 4}, Now(newest_review=4), None),
        ("accept", {"review": 4}, Now(newest_review=5, reviewed_by="Вера"), "Вера reviewed"),
        ("accept", {"review": 4}, Now(newest_review=4, draft_by="李"), "李 has a draft"),
        ("accept", {"review": 4}, Now(is_there=False), "deleted"),
        ("split", {"to": "dev"}, Now(split="dev"), None),
        ("split", {"to": "dev"}, Now(split=None), "no split"),
        ("flag", {}, Now(is_resolved=True), "dealt with"),
        ("refresh", {}, Now(uses_suggestion=True), "new suggestion"),
        ("refresh", {}, Now(), None),
        ("delete", {}, Now(is_there=False), None),
    ],
)
def test_what_was_changed_since_is_not_undone(kind, before, now, said):
    found = why_not_undo(kind, before, now)

    assert (found is None) if said is None else (said in found)


def test_a_deleted_sample_comes_back_unless_it_is_there_again_or_its_types_are_gone():
    assert why_not_restore("新闻-1", is_taken=False, missing_types=[]) is None
    assert "'新闻-1'" in why_not_restore("新闻-1", is_taken=True, missing_types=[])
    assert "'запуск'" in why_not_restore("x", is_taken=False, missing_types=["запуск"])


@pytest.mark.parametrize("module", [core.queues, core.bulk])
def test_the_examples_in_the_docstrings_are_true(module):
    assert doctest.testmod(module).failed == 0
