"""Versions of a sample's labels: what differs between any two, and the way back to one."""

from __future__ import annotations

import pytest

from core.errors import NotFoundError, SchemaError
from core.events import Argument, Event, span
from core.history import compare_versions, list_versions, restore_version
from core.samples import Sample
from core.schema import EventType, Role, Schema
from core.schema_change import RenameType, RetireType, SplitType

TEXTS = {"zh": "小米周四在北京发布新手机", "ru": "«Вега» запустила сервис в Москве"}
WORDS = {"zh": ("发布", "小米", "北京"), "ru": ("запустила", "«Вега»", "Москве")}
SCHEMA = Schema((EventType("launch", roles=(Role("agent"), Role("place"))), EventType("выпуск")))


def labelled(language: str, event_type: str = "launch", *roles: str) -> Event:
    text = TEXTS[language]
    trigger, *rest = (span(text, text.index(w), text.index(w) + len(w)) for w in WORDS[language])
    by_role = dict(zip(("agent", "place"), rest, strict=True))
    return Event(event_type, trigger, tuple(Argument(r, by_role[r]) for r in roles))


@pytest.fixture(params=["zh", "ru"])
def reviewed(request, store) -> tuple[str, int, int]:
    """A language, and a sample with three versions in a collection."""
    language = request.param
    made = store.collections.create("история", SCHEMA)
    first = Sample("s", language, "text", TEXTS[language], events=(labelled(language),))
    key = store.samples.add(made.id, [first], schema_number=1)[0]
    for events in ([labelled(language, "launch", "agent")], [labelled(language, "выпуск")]):
        store.samples.add_review(key, events, person="Анна", schema_number=1)
    return language, made.id, key


def test_versions_are_numbered_from_the_oldest_with_what_each_changed(store, reviewed):
    _, _, key = reviewed

    found = list_versions(store.samples.reviews(key))

    assert [(v.number, v.changes, v.review.origin) for v in found] == [
        (3, 2, "person"), (2, 1, "person"), (1, 1, "import"),
    ]  # fmt: skip


def test_any_two_versions_can_be_compared_in_both_directions(store, reviewed):
    _, _, key = reviewed
    third, _, first = store.samples.reviews(key)

    forward, back = compare_versions(first, third), compare_versions(third, first)

    assert [(c["kind"], c["from"], c["to"]) for c in forward] == [
        ("type_changed", "launch", "выпуск")
    ]
    assert [(c["kind"], c["from"], c["to"]) for c in back] == [("type_changed", "выпуск", "launch")]


def test_restoring_adds_a_version_equal_to_the_old_one_and_twice_is_once(store, reviewed):
    language, _, key = reviewed
    second = store.samples.reviews(key)[1]

    added = restore_version(store, key, second.id, person="李")
    again = restore_version(store, key, second.id, person="李")

    newest, *older = store.samples.reviews(key)
    assert (added, again) == (newest.id, newest.id)
    assert newest.events == second.events == (labelled(language, "launch", "agent"),)
    assert newest.difference[0] == {"kind": "restored", "review": second.id, "against": "review"}
    assert len(older) == 3


def test_a_restored_version_follows_names_that_were_changed_since(store, reviewed):
    language, collection, key = reviewed
    store.schema_changes.apply(collection, RenameType("launch", "запуск"))
    first = store.samples.reviews(key)[-1]

    restore_version(store, key, first.id, person="李")

    assert store.samples.get(key).sample.events == (labelled(language, "запуск"),)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (RetireType("launch"), "'launch' is retired"),
        (SplitType("launch", ("发布会", "показ")), "leaves some of its labels to a person"),
    ],
)
def test_a_version_that_no_longer_fits_is_refused_with_the_way_on(store, reviewed, change, message):
    _, collection, key = reviewed
    store.schema_changes.apply(collection, change)
    before = store.samples.reviews(key)

    with pytest.raises(SchemaError, match=message):
        restore_version(store, key, before[-1].id, person="李")

    assert store.samples.reviews(key) == before


def test_a_version_of_another_sample_is_not_found(store, reviewed):
    _, _, key = reviewed

    with pytest.raises(NotFoundError, match="has no version 999"):
        restore_version(store, key, 999, person="李")
