"""The demo collection is whole: every offset, every role, every story in four languages."""

import json
from collections import Counter, defaultdict
from pathlib import Path

import pytest

from core.languages import MAIN
from core.records import SampleFilter
from core.schema import check_events
from core.spans import borders
from train.demo import NAME, load_demo
from train.services import Services

ASIDE = Path(__file__).resolve().parents[1] / "data" / "demo_aside.jsonl"


@pytest.fixture
def demo(home, store):
    load_demo(Services(home, store))
    return store, store.collections.get(NAME)


def test_the_demo_loads_once_and_adds_nothing_the_second_time(home, store):
    services = Services(home, store)

    first, second = load_demo(services), load_demo(services)

    assert (first.problems, second.problems) == ([], [])
    assert (first.added, second.added, second.already) == (256, 0, 256)


def test_every_mention_says_what_the_text_says_there_at_its_borders(demo):
    store, collection = demo
    for record in store.samples.list(collection_id=collection.id):
        for event in record.sample.events or ():
            for mention in event.mentions():
                found = record.sample.text[mention.start : mention.end]
                assert found == mention.text, record.sample.id
                assert {mention.start, mention.end} <= borders(record.sample.text), record.sample.id


def test_every_event_fits_the_schema(demo):
    store, collection = demo
    schema = store.collections.schema(collection.id)

    for record in store.samples.list(collection_id=collection.id):
        assert check_events(schema, record.sample.events or ()) == [], record.sample.id


def test_each_story_is_told_in_four_languages_with_the_same_events_and_lies_in_one_split(demo):
    store, collection = demo
    stories = defaultdict(list)
    for record in store.samples.list(collection_id=collection.id):
        stories[record.sample.parallel_group].append(record.sample)

    assert len(stories) >= 60
    for told in stories.values():
        assert sorted(s.language for s in told) == sorted(MAIN)
        assert len({s.split for s in told}) == 1
        assert (
            len({tuple(e.event_type for e in s.events) for s in told if s.events is not None}) <= 1
        )


def test_the_splits_and_states_are_as_a_newcomer_needs_them(demo):
    store, collection = demo
    counts = Counter(
        (r.sample.split, r.state) for r in store.samples.list(collection_id=collection.id)
    )

    assert counts[("test", "reviewed")] == 80
    assert counts[("dev", "reviewed")] == 32
    assert counts[("train", "reviewed")] == counts[("train", "new")] == 72


def test_every_event_type_can_be_learned_and_is_tested(demo):
    store, collection = demo
    names = {t.name for t in store.collections.schema(collection.id).types}

    assert len(names) == 12
    for split in ("train", "test"):
        wanted = SampleFilter(states=["reviewed"], splits=[split])
        records = store.samples.list(wanted, collection_id=collection.id)
        assert {e.event_type for r in records for e in r.sample.events} == names


def test_the_variety_that_was_asked_for_is_there(demo):
    store, collection = demo
    aside = {row["id"]: row["events"] for row in map(json.loads, ASIDE.read_text().splitlines())}
    records = store.samples.list(collection_id=collection.id)
    texts = [r.sample for r in records]
    events = {s.id: list(s.events) if s.events is not None else None for s in texts}

    assert sum(e == [] for e in events.values()) + sum(e == [] for e in aside.values()) >= 24
    assert sum(len(e) == 2 for e in events.values() if e) >= 24
    assert any(c > "\U0001f000" for s in texts for c in s.text)
    assert set(aside) == {s.id for s in texts if s.events is None}
    shared = overlapping = 0
    for found in (e for e in events.values() if e):
        spans = [(m.start, m.end) for event in found for m in event.mentions()]
        shared += any(c > 1 for c in Counter(spans).values())
        overlapping += any(a != b and a[0] < b[1] and b[0] < a[1] for a in spans for b in spans)
    assert shared > 0
    assert overlapping > 0
