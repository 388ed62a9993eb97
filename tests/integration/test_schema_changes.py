"""Changes of a schema in a real database: labels go along, people get the rest, everything goes back."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.errors import RefusedError, SchemaError
from core.events import Argument, Event, span
from core.records import SampleFilter
from core.samples import Sample, sample_to_dict
from core.schema import EventType, Role, Schema, check_events, check_keeps, schema_to_dict
from core.schema_change import (
    Change,
    MergeRoles,
    MergeTypes,
    RenameRole,
    RenameType,
    RetireRole,
    RetireType,
    Rule,
    SplitRole,
    SplitType,
)
from core.workflow import import_file
from storage.home import Home
from storage.store import Store, open_store

SCHEMA = Schema(
    (
        EventType("launch", roles=(Role("agent", multiple=False), Role("maker"), Role("место"))),
        EventType("release", roles=(Role("agent"), Role("版本", multiple=False))),
        EventType("выпуск", roles=(Role("agent"), Role("место"))),
    )
)
TEXTS = {
    "zh": "小米周四在北京发布新手机并开放预订",
    "ru": "«Вега» вчера запустила в Москве новый сервис",
    "es": "Vega lanzó ayer en Madrid un servicio nuevo",
}


def event(language: str, event_type: str, at: int, *roles: str) -> Event:
    text = TEXTS[language]
    arguments = tuple(Argument(r, span(text, i + 3, i + 5)) for i, r in enumerate(roles))
    return Event(event_type, span(text, at, at + 2), arguments)


def sample(ident: str, language: str, *events: Event, split: str | None = None) -> Sample:
    return Sample(ident, language, "text", TEXTS[language], split=split, events=events)


@pytest.fixture
def collection(store: Store) -> int:
    made = store.collections.create("эволюция 演化", SCHEMA)
    samples = [
        sample("zh-1", "zh", event("zh", "launch", 0, "agent")),
        sample("zh-2", "zh", event("zh", "launch", 0, "agent", "maker"), event("zh", "release", 4)),
        sample("ru-1", "ru", event("ru", "launch", 0, "agent", "место")),
        sample("ru-2", "ru", event("ru", "выпуск", 2, "agent")),
        sample("es-1", "es"),
        Sample("es-2", "es", "text", TEXTS["es"]),
    ]
    store.samples.add(made.id, samples, schema_number=1)
    return made.id


def labels(store: Store, collection: int) -> dict[str, tuple[Event, ...] | None]:
    return {r.sample.id: r.sample.events for r in store.samples.list(collection_id=collection)}


def states(store: Store, collection: int) -> dict[str, str]:
    return {r.sample.id: r.state for r in store.samples.list(collection_id=collection)}


def key(store: Store, collection: int, ident: str) -> int:
    (found,) = store.samples.keys(SampleFilter(ids=[ident]), collection_id=collection)
    return found


def test_a_preview_counts_labels_and_shows_examples_and_changes_nothing(store, collection):
    before = labels(store, collection)

    found = store.schema_changes.preview(collection, MergeRoles("launch", ("maker",), "agent"))

    assert (found.annotations, found.samples) == (0, 1)
    assert (found.people, found.people_samples) == (1, 1)
    assert found.examples[0].why == "filled_twice"
    renamed = store.schema_changes.preview(collection, RenameType("launch", "запуск"))
    assert (renamed.annotations, renamed.samples, renamed.people) == (3, 3, 0)
    assert renamed.by_language == {"zh": 2, "ru": 1}
    assert renamed.examples[0].after.event_type == "запуск"
    assert labels(store, collection) == before
    assert len(store.collections.schema_versions(collection)) == 1


def test_a_change_adds_a_version_and_a_review_and_edits_neither(store, collection):
    done = store.schema_changes.apply(
        collection, RenameType("launch", "запуск"), person="Анна", note="по-русски"
    )

    assert (done.annotations, done.samples, done.people) == (3, 3, 0)
    assert (done.number_before, done.number_after) == (1, 2)
    versions = store.collections.schema_versions(collection)
    assert [(v["number"], v["note"]) for v in versions] == [(2, "по-русски"), (1, "first version")]
    new, old = store.samples.reviews(key(store, collection, "zh-2"))
    assert (new.origin, new.person, new.schema_number) == ("schema change", "Анна", 2)
    assert new.difference[0]["what"] == {
        "kind": "rename_type",
        "old": "launch",
        "new": "запуск",
        "labels": {},
    }
    assert [e.event_type for e in new.events] == ["запуск", "release"]
    assert [e.event_type for e in old.events] == ["launch", "release"]
    assert states(store, collection)["zh-2"] == "reviewed"
    assert len(store.samples.reviews(key(store, collection, "es-1"))) == 1


def test_samples_that_need_a_person_wait_again_with_every_label_they_had(store, collection):
    store.schema_changes.apply(
        collection, SplitType("launch", ("发布会", "показ"), Rule("language", (("ru", "показ"),)))
    )

    assert states(store, collection)["zh-1"] == "suggested"
    assert states(store, collection)["ru-1"] == "reviewed"
    assert labels(store, collection)["zh-1"] == (event("zh", "launch", 0, "agent"),)
    waiting = store.schema_changes.waiting(collection)
    assert [k for k, _, _ in waiting] == [key(store, collection, i) for i in ("zh-1", "zh-2")]
    assert waiting[0][1] == "evolve.why.no_case"
    assert store.schema_changes.count_waiting(collection) == 2
    schema = store.collections.schema(collection)
    check_keeps(schema, store.reads.types_in_use(collection))
    assert check_events(schema, labels(store, collection)["zh-1"])[0].kind == "retired_type"


def test_a_sample_waits_until_a_person_has_reviewed_it(store, collection):
    store.schema_changes.apply(collection, SplitType("launch", ("发布会", "показ")))
    zh = key(store, collection, "zh-1")
    assert store.schema_changes.why(zh)[0][1] == "evolve.why.by_hand"

    store.samples.add_review(zh, [event("zh", "发布会", 0, "agent")], person="李", schema_number=2)

    assert store.schema_changes.why(zh) == []
    assert zh not in [k for k, _, _ in store.schema_changes.waiting(collection)]
    assert states(store, collection)["zh-1"] == "reviewed"


@pytest.mark.parametrize(
    "change",
    [
        RenameType("launch", "发布"),
        RenameRole(None, "agent", "кто"),
        MergeTypes(("launch", "выпуск"), "release"),
        MergeRoles("launch", ("maker",), "agent"),
        SplitType("launch", ("a", "b")),
        SplitRole("launch", "место", ("где", "哪里"), Rule("language", (("ru", "где"),))),
        RetireType("launch", "remove"),
        RetireRole("launch", "agent", "ask"),
        RetireType("release"),
    ],
)
def test_undoing_gives_back_the_schema_the_labels_and_the_states(store, collection, change):
    before = labels(store, collection), states(store, collection)
    done = store.schema_changes.apply(collection, change)

    undone = store.schema_changes.undo(done.id, person="李")

    assert (labels(store, collection), states(store, collection)) == before
    assert store.collections.schema(collection) == SCHEMA
    assert undone.undone_by == "李"
    assert undone.skipped == 0
    assert store.schema_changes.waiting(collection) == []


def test_undoing_skips_what_a_person_reviewed_since_and_follows_a_rename_there(store, collection):
    done = store.schema_changes.apply(collection, RenameType("launch", "запуск"))
    mine = [event("ru", "запуск", 4, "agent"), event("ru", "выпуск", 0)]
    store.samples.add_review(key(store, collection, "ru-1"), mine, person="Анна", schema_number=2)
    fresh = [event("es", "запуск", 0)]
    store.samples.add_review(key(store, collection, "es-2"), fresh, person="Анна", schema_number=2)

    undone = store.schema_changes.undo(done.id)

    assert undone.skipped == 1
    found = labels(store, collection)
    assert [e.event_type for e in found["ru-1"]] == ["launch", "выпуск"]
    assert found["ru-1"][0].trigger == mine[0].trigger
    assert [e.event_type for e in found["es-2"]] == ["launch"]
    assert set(states(store, collection).values()) == {"reviewed"}
    check_keeps(store.collections.schema(collection), store.reads.types_in_use(collection))


def test_undoing_a_split_keeps_names_used_since_and_asks_a_person(store, collection):
    split = SplitType("launch", ("发布会", "показ"), Rule("language", (("zh", "发布会"),), "показ"))
    done = store.schema_changes.apply(collection, split)
    mine = [event("ru", "показ", 4)]
    store.samples.add_review(key(store, collection, "ru-1"), mine, person="Анна", schema_number=2)

    undone = store.schema_changes.undo(done.id)

    schema = store.collections.schema(collection)
    assert undone.skipped == 1
    assert schema.type("показ").retired
    assert schema.type("发布会") is None
    assert labels(store, collection)["ru-1"] == tuple(mine)
    assert states(store, collection)["ru-1"] == "suggested"
    assert [w[:2] for w in store.schema_changes.waiting(collection)] == [
        (key(store, collection, "ru-1"), "evolve.why.undone")
    ]


def test_changes_are_taken_back_in_the_order_of_their_samples(store, collection):
    first = store.schema_changes.apply(collection, RenameType("launch", "запуск"))
    second = store.schema_changes.apply(collection, RenameType("release", "发行"))

    with pytest.raises(RefusedError, match="'release' is called '发行'"):
        store.schema_changes.undo(first.id)
    store.schema_changes.undo(second.id)
    store.schema_changes.undo(first.id)

    assert store.collections.schema(collection) == SCHEMA
    assert [e.event_type for e in labels(store, collection)["zh-2"]] == ["launch", "release"]
    with pytest.raises(RefusedError, match="already"):
        store.schema_changes.undo(first.id)


def test_a_change_that_cannot_be_done_leaves_nothing_behind(store, collection):
    with pytest.raises(SchemaError, match="'release' already"):
        store.schema_changes.apply(collection, RenameType("launch", "release"))

    assert store.schema_changes.all(collection) == []
    assert len(store.collections.schema_versions(collection)) == 1


def test_suggestions_and_drafts_nobody_has_submitted_follow_there_and_back(store, collection):
    waiting = key(store, collection, "es-2")
    store.models.add("m", title="M", state="base", location="/nowhere")
    suggested = [event("es", "launch", 0, "agent")]
    store.samples.add_suggestion(
        waiting, suggested, model_id="m", raw_reply="[]", prompt_version="full.v1", schema_number=1,
        decoding={}, seconds=1.0,
    )  # fmt: skip
    slots = [{"id": "s0.a0", "role": "agent"}]
    items = [{"id": "s0", "event_type": "launch", "arguments": slots}]
    document = {
        "document": {"sample": waiting, "events": items},
        "base": None,
        "undo": [{}],
        "redo": [],
    }
    store.samples.save_draft(waiting, "Анна", document, rev=3)

    preview = store.schema_changes.preview(collection, RenameType("launch", "запуск"))
    done = store.schema_changes.apply(collection, RenameType("launch", "запуск"))

    assert (preview.suggestions, preview.drafts) == (1, 1)
    assert store.samples.suggestion(waiting).events[0].event_type == "запуск"
    draft = store.samples.draft(waiting, "Анна")
    assert draft.document["document"]["events"][0]["event_type"] == "запуск"
    assert (draft.rev, draft.document["undo"]) == (4, [])
    store.schema_changes.undo(done.id)
    assert store.samples.suggestion(waiting).events == tuple(suggested)
    draft = store.samples.draft(waiting, "Анна")
    assert draft.document["document"]["events"][0]["event_type"] == "launch"


def test_a_collection_and_a_sample_with_changes_can_be_deleted(store, collection):
    store.schema_changes.apply(collection, SplitType("launch", ("a", "b")))

    store.samples.delete([key(store, collection, "zh-1")])
    assert store.schema_changes.count_waiting(collection) == 2
    store.collections.delete(collection)

    assert store.collections.all() == []


def test_an_import_with_a_retired_name_is_refused_line_by_line(store, collection):
    store.schema_changes.apply(collection, RetireType("выпуск"))
    lines = [
        json.dumps(sample_to_dict(sample("new-ru", "ru", event("ru", "выпуск", 0)))),
        json.dumps(sample_to_dict(sample("new-zh", "zh", event("zh", "launch", 0)))),
    ]
    name = store.collections.all()[0].name

    for extend in (False, True):
        data = "\n".join(lines).encode()
        result = import_file(store, data, collection=name, name="a.jsonl", extend_schema=extend)
        assert [p.line for p in result.problems] == [1]
        assert "'выпуск' is retired: give the event another type" in result.problems[0].message
    assert labels(store, collection)["new-zh"]
    assert labels(store, collection)["ru-2"][0].event_type == "выпуск"


def test_types_in_queues_follow_a_change(store, collection):
    store.schema_changes.apply(collection, RenameType("выпуск", "发行"))

    wanted = SampleFilter(event_types=["发行"])
    assert [r.sample.id for r in store.samples.list(wanted, collection_id=collection)] == ["ru-2"]
    assert store.samples.count(SampleFilter(event_types=["выпуск"]), collection_id=collection) == 0


# ---------------------------------------------------------------- any schema, any labels, any change

NAMES = ["launch", "发布", "выпуск", "año"]
ROLES = ["agent", "место", "产品"]


@st.composite
def schemas(draw) -> Schema:
    types = draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=4, unique=True))
    return Schema(
        tuple(
            EventType(
                name,
                {"ru": name} if draw(st.booleans()) else {},
                roles=tuple(
                    Role(role, required=draw(st.booleans()), multiple=draw(st.booleans()))
                    for role in draw(st.lists(st.sampled_from(ROLES), max_size=3, unique=True))
                ),
            )
            for name in types
        )
    )


@st.composite
def events_under(draw, schema: Schema, language: str) -> list[Event]:
    found = []
    for _ in range(draw(st.integers(0, 3))):
        known = draw(st.sampled_from(schema.types))
        roles = [r.name for r in known.roles]
        filled = draw(st.lists(st.sampled_from(roles), max_size=3)) if roles else []
        made = event(language, known.name, draw(st.integers(0, 3)), *filled)
        found.append(made if draw(st.booleans()) else Event(known.name, None, made.arguments))
    return found


@st.composite
def changes_of(draw, schema: Schema) -> Change:
    item = draw(st.sampled_from(schema.types))
    others = [t.name for t in schema.types if t.name != item.name]
    roles = [r.name for r in item.roles]
    rule = draw(
        st.sampled_from(
            [
                Rule(),
                Rule("language", (("zh", "новое"),), "また"),
                Rule("language", (("ru", "また"),)),
                Rule("role", (("agent", "новое"), ("место", "また"))),
            ]
        )
    )
    kept = draw(st.sampled_from(["keep", "remove", "ask"]))
    options: list[Change] = [
        RenameType(item.name, "новое"),
        SplitType(item.name, ("новое", "また"), rule),
        RetireType(item.name, kept),
    ]
    if others:
        into = draw(st.sampled_from([item.name, others[0], "новое"]))
        options.append(MergeTypes((item.name, others[0]), into))
    if roles:
        options += [
            RenameRole(draw(st.sampled_from([item.name, None])), roles[0], "новое"),
            SplitRole(item.name, roles[0], ("новое", "また"), rule),
            RetireRole(item.name, roles[0], kept),
        ]
    if len(roles) > 1:
        options.append(
            MergeRoles(item.name, tuple(roles[:2]), draw(st.sampled_from([roles[0], "новое"])))
        )
    return draw(st.sampled_from(options))


@pytest.fixture(scope="module")
def shared_store(tmp_path_factory) -> Store:
    return open_store(Home(tmp_path_factory.mktemp("evolve")))


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_a_change_and_its_undoing_change_nothing_and_lose_nothing(shared_store, data):
    store = shared_store
    schema = data.draw(schemas())
    made = store.collections.create(f"c{datetime.now(UTC).timestamp()}", schema)
    samples = [
        sample(f"{language}-{i}", language, *data.draw(events_under(schema, language)))
        for language in TEXTS
        for i in range(2)
    ]
    store.samples.add(made.id, samples, schema_number=1)
    before = labels(store, made.id), states(store, made.id)
    change = data.draw(changes_of(schema))

    preview = store.schema_changes.preview(made.id, change)
    done = store.schema_changes.apply(made.id, change)
    between = labels(store, made.id)
    store.schema_changes.undo(done.id)

    assert (preview.annotations, preview.people) == (done.annotations, done.people)
    if getattr(change, "labels", "") != "remove":
        for ident, events in before[0].items():
            places = {m.place for e in events for m in e.mentions()}
            assert {m.place for e in between[ident] for m in e.mentions()} == places
    assert (labels(store, made.id), states(store, made.id)) == before
    assert schema_to_dict(store.collections.schema(made.id)) == schema_to_dict(schema)
