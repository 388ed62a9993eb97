"""What queues go by follows a change of the schema and comes back: the types that a saved queue asks
for, and the counts of past corrections."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlmodel import Session

from core.queues import Queue, default_queue
from core.records import SampleFilter
from core.schema_change import (
    Change,
    MergeTypes,
    RenameType,
    RetireType,
    Rule,
    SplitType,
)
from storage.figures import read_figures
from storage.store import Store
from tests.integration.queue_data import make_event, make_sample, make_store, review, suggest

BY_LANGUAGE = Rule("language", (("ru", "показ"), ("zh", "发布会")), "lanzamiento")
BY_ROLE = Rule("role", (("agent", "показ"),))
PARTS = ("показ", "发布会", "lanzamiento")


@pytest.fixture
def collection(store: Store) -> int:
    """Reviewed and suggested launches in four languages, and an outage; two of the Russian launches
    and one of the Chinese ones were corrected."""
    ident = make_store(store)
    samples = [
        make_sample(code, f"{code}-{n}") for code in ("en", "zh", "es", "ru") for n in (1, 2, 3)
    ]
    samples.append(make_sample("es", "es-outage", event_type="outage"))
    keys = dict(
        zip(
            (s.id for s in samples), store.samples.add(ident, samples, schema_number=1), strict=True
        )
    )
    wrong = [{"kind": "type_changed", "event": 0, "decided": 0, "from": "launch", "to": "outage"}]
    for name, difference, role in (
        ("ru-1", wrong, "agent"), ("ru-2", wrong, None), ("zh-1", wrong, "agent"), ("en-1", (), None),
    ):  # fmt: skip
        code = name[:2]
        said = suggest(store, keys[name], make_event(code, role=role))
        review(
            store, keys[name], make_event(code, role=role), suggestion=said, difference=difference
        )
    for name in ("ru-3", "zh-3", "es-3"):
        suggest(store, keys[name], make_event(name[:2], sure=0.4))
    return ident


def save(store: Store, collection: int, *types: str, name: str = "мои", **wanted) -> Queue:
    asked = SampleFilter(event_types=types, **wanted)
    return store.queues.save(Queue(collection, "oldest", asked, name=name))


def asked_for(store: Store, queue: Queue) -> tuple[str, ...]:
    return tuple(store.queues.get(queue.id or 0).wanted.event_types)


def inside(store: Store, queue: Queue) -> set[str]:
    keys = store.queues.keys(queue.id or 0, person="Ana", limit=100)
    return {store.samples.get(key).sample.id for key in keys}


def corrections(store: Store, collection: int) -> dict[tuple[str, str], tuple[int, int]]:
    with Session(store.engine) as session:
        return read_figures(session, collection).corrections


CHANGES = {
    "rename": (RenameType("launch", "запуск"), ("запуск",)),
    "merge into a new one": (MergeTypes(("launch", "merger"), "发布"), ("发布",)),
    "merge into a known one": (MergeTypes(("launch", "outage"), "outage"), ("outage",)),
    "split by language": (SplitType("launch", PARTS, BY_LANGUAGE), ("показ", "发布会", "lanzamiento")),
    "split by role": (SplitType("launch", PARTS, BY_ROLE), ("launch", *PARTS)),
    "split by hand": (SplitType("launch", PARTS), ("launch", *PARTS)),
    "retire and keep": (RetireType("launch"), ("launch",)),
    "retire and remove": (RetireType("launch", "remove"), ("launch",)),
    "retire and ask": (RetireType("launch", "ask"), ("launch",)),
}  # fmt: skip


@pytest.mark.parametrize("name", CHANGES)
def test_a_saved_queue_follows_its_type_and_comes_back(store, collection, name):
    change, expected = CHANGES[name]
    queue = save(store, collection, "launch")
    other = save(store, collection, "outage", name="其他", languages=("es",))
    before = inside(store, queue)

    done = store.schema_changes.apply(collection, change)
    asked, found = asked_for(store, queue), inside(store, queue)
    store.schema_changes.undo(done.id)

    outage = {"es-outage"} if "known" in name else set()
    assert asked == expected
    assert found == {"retire and remove": set()}.get(name, before | outage)
    assert asked_for(store, queue) == ("launch",)
    assert inside(store, queue) == before
    assert asked_for(store, other) == ("outage",)


@pytest.mark.parametrize(
    ("languages", "expected"),
    [(("ru",), ("показ",)), (("zh", "ru"), ("показ", "发布会")), (("es",), ("lanzamiento",))],
)
def test_a_queue_of_some_languages_follows_a_split_to_the_parts_of_these(
    store, collection, languages, expected
):
    queue = save(store, collection, "launch", "outage", languages=languages)

    done = store.schema_changes.apply(collection, SplitType("launch", PARTS, BY_LANGUAGE))

    assert asked_for(store, queue) == (*expected, "outage")
    store.schema_changes.undo(done.id)
    assert asked_for(store, queue) == ("launch", "outage")


def test_what_people_added_to_a_queue_since_stays_in_it(store, collection):
    queue = save(store, collection, "launch")
    done = store.schema_changes.apply(collection, SplitType("launch", PARTS, BY_LANGUAGE))
    mine = replace(queue, wanted=SampleFilter(event_types=("показ", "merger")))
    store.queues.save(mine)
    fresh = save(store, collection, "发布会", name="新")

    store.schema_changes.undo(done.id)

    assert asked_for(store, queue) == ("launch", "merger")
    assert asked_for(store, fresh) == ("launch",)


def test_a_queue_that_asks_for_both_of_two_merged_types_asks_once(store, collection):
    queue = save(store, collection, "outage", "launch")

    done = store.schema_changes.apply(collection, MergeTypes(("launch", "outage"), "событие"))
    asked = asked_for(store, queue)
    store.schema_changes.undo(done.id)

    assert asked == ("событие",)
    assert asked_for(store, queue) == ("outage", "launch")


def test_a_queue_of_another_collection_stays_as_it_is(store, collection):
    elsewhere = store.collections.create("其他", store.collections.schema(collection)).id
    queue = save(store, elsewhere, "launch")

    store.schema_changes.apply(collection, RenameType("launch", "запуск"))

    assert asked_for(store, queue) == ("launch",)


RU, ZH, EN = ("launch", "ru"), ("launch", "zh"), ("launch", "en")
COUNTS = {
    "rename": {("запуск", "ru"): (2, 2), ("запуск", "zh"): (1, 1), ("запуск", "en"): (0, 1)},
    "merge into a new one": {
        ("发布", "ru"): (2, 2), ("发布", "zh"): (1, 1), ("发布", "en"): (0, 1),
    },
    "merge into a known one": {
        ("outage", "ru"): (2, 2), ("outage", "zh"): (1, 1), ("outage", "en"): (0, 1),
    },
    "split by language": {
        ("показ", "ru"): (2, 2), ("发布会", "zh"): (1, 1), ("lanzamiento", "en"): (0, 1),
    },
    "split by role": {
        ("показ", "ru"): (1, 1), RU: (1, 1), ("показ", "zh"): (1, 1), EN: (0, 1),
    },
    "split by hand": {RU: (2, 2), ZH: (1, 1), EN: (0, 1)},
    "retire and ask": {RU: (2, 2), ZH: (1, 1), EN: (0, 1)},
}  # fmt: skip


@pytest.mark.parametrize("name", COUNTS)
def test_past_corrections_follow_their_type_and_come_back(store, collection, name):
    before = corrections(store, collection)

    done = store.schema_changes.apply(collection, CHANGES[name][0])
    found = corrections(store, collection)
    store.schema_changes.undo(done.id)

    assert found == COUNTS[name]
    assert corrections(store, collection) == before == {RU: (2, 2), ZH: (1, 1), EN: (0, 1)}


@pytest.mark.parametrize(
    ("change", "kept"),
    [
        (RenameType("launch", "запуск"), {("launch", "ru"): (3, 3)}),
        (
            SplitType("launch", PARTS, BY_LANGUAGE),
            {("launch", "ru"): (2, 2), ("показ", "ru"): (1, 1)},
        ),
    ],
)
def test_corrections_made_since_stay_counted_when_a_change_is_taken_back(
    store, collection, change: Change, kept
):
    done = store.schema_changes.apply(collection, change)
    (key,) = store.samples.add(collection, [make_sample("ru", "ru-new")], schema_number=2)
    name = change.new if isinstance(change, RenameType) else "показ"
    said = suggest(store, key, make_event("ru", name))
    gone = [{"kind": "event_removed", "event": 0, "decided": None}]
    review(store, key, make_event("ru", name), suggestion=said, difference=gone)

    store.schema_changes.undo(done.id)

    found = corrections(store, collection)
    assert {place: n for place, n in found.items() if place[1] == "ru"} == kept
    assert all(changed >= 0 and seen > 0 for changed, seen in found.values())


def test_merged_types_share_their_corrections_and_part_again(store, collection):
    gone = [{"kind": "event_removed", "event": 0, "decided": None}]
    (key,) = store.samples.add(collection, [make_sample("ru", "ru-out")], schema_number=1)
    said = suggest(store, key, make_event("ru", "outage"))
    review(store, key, make_event("ru", "outage"), suggestion=said, difference=gone)
    before = corrections(store, collection)

    done = store.schema_changes.apply(collection, MergeTypes(("launch",), "outage"))
    merged = corrections(store, collection)
    store.schema_changes.undo(done.id)

    assert merged["outage", "ru"] == (3, 3)
    assert ("launch", "ru") not in merged
    assert corrections(store, collection) == before


def test_samples_near_a_past_error_are_the_same_after_a_rename(store, collection):
    queue = default_queue(collection, "near_error")
    before = store.queues.keys(queue, person="Ana", limit=10)

    store.schema_changes.apply(collection, RenameType("launch", "запуск"))

    assert store.samples.get(before[0]).sample.id == "ru-3"
    assert store.queues.keys(queue, person="Ana", limit=10) == before
    why = store.queues.why(queue, before[0])
    assert why.values == {"language": "ru", "type": "запуск", "changed": 2, "seen": 2}
