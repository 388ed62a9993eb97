"""Queues: each order, every filter, skipping, saved queues, and what a review does to the order."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from core.errors import InputError, NotFoundError
from core.queue_work import skip_sample
from core.queues import REASONS, Queue, default_queue
from core.records import SampleFilter
from storage.tables import TypeSetRow
from tests.integration.queue_data import (
    ANA,
    TEXTS,
    make_event,
    make_sample,
    make_store,
    review,
    suggest,
)


def walk(store, queue, *, person=ANA, step=1):
    """All keys of a queue, one next at a time."""
    found, key = [], store.queues.next_key(queue, step=step, person=person)
    while key is not None:
        found.append(key)
        assert len(found) < 100, "the walk does not end"
        key = store.queues.next_key(queue, key, step=step, person=person)
    return found


def whys(store, queue, keys, *, person=ANA):
    return [store.queues.why(queue, key, person=person) for key in keys]


@pytest.fixture
def collection(store):
    return make_store(store)


@pytest.fixture
def waiting(store, collection):
    """Two samples a language that wait; returns their keys in order of arrival."""
    samples = [make_sample(code, f"{code}-{n}") for n in range(2) for code in TEXTS]
    return store.samples.add(collection, samples, schema_number=1)


@pytest.fixture
def busy(store, seen):
    """Everything that an order can see; two samples were skipped."""
    for key in seen[:2]:
        store.notes.skip(key, person=ANA)
    return seen


@pytest.fixture
def seen(store, collection, waiting):
    """Confidences, disagreement, reviews, corrections, a flag."""
    for key, sure, kind in zip(
        waiting, (0.9, 0.3, 0.6, 0.3, 0.8, 0.2, 0.5, 0.7), ["launch", "outage"] * 4, strict=True
    ):
        code = store.samples.get(key).sample.language
        suggest(store, key, make_event(code, "launch", sure=0.5), model="large")
        suggest(store, key, make_event(code, kind, sure=sure))
    reviewed = [make_sample("en", f"old-{n}", event_type="launch") for n in range(3)]
    store.samples.add(collection, reviewed, schema_number=1)
    store.notes.add(waiting[4], person=ANA, kind="flag", text="кто это?")
    return waiting


def test_the_least_certain_suggestion_comes_first_and_says_of_what(store, collection, waiting):
    for key, sure in zip(waiting, (0.9, 0.31, 0.6), strict=False):
        code = store.samples.get(key).sample.language
        suggest(store, key, make_event(code, sure=sure))
    suggest(store, waiting[3], make_event("ru", sure=0.99), make_event("ru", "outage", sure=None))
    queue = default_queue(collection, "uncertain")

    found = walk(store, queue)

    assert found == [waiting[1], waiting[2], waiting[0], waiting[3]]
    why = store.queues.why(queue, waiting[1])
    assert (why.key, why.values["figure"]) == ("queue.why.uncertain.type", 0.31)


def test_the_newest_suggestion_counts_and_one_without_confidence_is_in_no_such_queue(
    store, collection, waiting
):
    suggest(store, waiting[0], make_event("en", sure=0.1))
    suggest(store, waiting[0], make_event("en", sure=0.8, role="agent"))
    suggest(store, waiting[1], make_event("zh", sure=0.2))
    suggest(store, waiting[1], make_event("zh", sure=None))
    queue = default_queue(collection, "uncertain")

    assert walk(store, queue) == [waiting[0]]
    assert store.queues.why(queue, waiting[1]).key == "queue.why.filter"


def test_models_disagree_counts_the_differences_of_the_newest_two_models(
    store, collection, waiting
):
    one, two, three = waiting[1:4]
    suggest(store, one, make_event("zh"), model="large")
    suggest(store, one, make_event("zh", "outage"), model="small")
    suggest(store, two, make_event("es"), model="large")
    suggest(store, two, make_event("es", "outage", role="agent"), model="small")
    suggest(store, three, make_event("ru", sure=0.2), model="large")
    suggest(store, three, make_event("ru", sure=0.9), model="small")
    queue = default_queue(collection, "disagree")

    found = walk(store, queue)

    assert found == [two, one]
    values = store.queues.why(queue, two).values
    assert values == {"n": 2, "kind": "type_changed", "one": "small", "other": "large"}


def test_a_suggestion_of_the_same_model_again_is_no_disagreement(store, collection, waiting):
    suggest(store, waiting[0], make_event("en"))
    suggest(store, waiting[0], make_event("en", "outage"))

    assert walk(store, default_queue(collection, "disagree")) == []


def test_rare_types_come_first_as_reviews_stand_now(store, collection, waiting):
    reviewed = [make_sample("ru", f"r{n}", event_type="launch") for n in range(3)]
    reviewed += [make_sample("en", "r-outage", event_type="outage")]
    store.samples.add(collection, reviewed, schema_number=1)
    suggest(store, waiting[0], make_event("en", "launch"))
    suggest(store, waiting[1], make_event("zh", "outage"))
    suggest(store, waiting[2], make_event("es", "launch"), make_event("es", "merger"))
    suggest(store, waiting[3], make_event("ru", "outage"))
    queue = default_queue(collection, "rare")

    before = walk(store, queue)
    for key in waiting[4:8]:
        review(store, key, make_event(store.samples.get(key).sample.language, "outage"))
    after = walk(store, queue)

    assert before == [waiting[2], waiting[1], waiting[3], waiting[0]]
    assert after == [waiting[2], waiting[0], waiting[1], waiting[3]]
    merger, chinese = whys(store, queue, [waiting[2], waiting[1]])
    assert merger.values == {"type": "merger", "n": 0, "here": 0, "language": "es"}
    assert chinese.values == {"type": "outage", "n": 5, "here": 1, "language": "zh"}


def test_near_a_past_error_is_a_type_that_was_changed_twice_in_the_language(
    store, collection, waiting
):
    texts = [make_sample("ru", f"more-{n}") for n in range(6)]
    more = store.samples.add(collection, texts, schema_number=1)
    wrong = [{"kind": "type_changed", "event": 0, "decided": 0, "from": "launch", "to": "outage"}]
    for key, difference in zip(more[:3], (wrong, wrong, ()), strict=True):
        said = suggest(store, key, make_event("ru", "launch"))
        review(store, key, make_event("ru", "outage"), suggestion=said, difference=difference)
    suggest(store, more[4], make_event("ru", "launch"))
    suggest(store, more[5], make_event("ru", "outage"))
    suggest(store, waiting[0], make_event("en", "launch"))
    queue = default_queue(collection, "near_error")

    assert walk(store, queue) == [more[4]]
    why = store.queues.why(queue, more[4])
    assert why.key == "queue.why.near_error"
    assert why.values == {"language": "ru", "type": "launch", "changed": 2, "seen": 3}


def test_reviewing_the_same_suggestion_again_counts_no_second_correction(
    store, collection, waiting
):
    said = suggest(store, waiting[3], make_event("ru"))
    gone = [{"kind": "event_removed", "event": 0, "decided": None}]
    for _ in range(3):
        review(store, waiting[3], suggestion=said, difference=gone)
    suggest(store, waiting[7], make_event("ru"))

    assert walk(store, default_queue(collection, "near_error")) == []


def test_a_random_audit_is_the_same_every_time_and_has_everything_once(store, collection, busy):
    everything = set(store.samples.keys(collection_id=collection))
    audits = [replace(default_queue(collection, "random"), seed=seed) for seed in range(6)]

    orders = [walk(store, audit, person=None) for audit in audits]

    assert all(set(order) == everything and len(order) == len(everything) for order in orders)
    assert orders == [walk(store, audit, person=None) for audit in audits]
    assert len({order[0] for order in orders}) > 1


def test_the_order_of_an_audit_is_unrelated_to_reviews_and_import_order(store, collection, busy):
    audit = default_queue(collection, "random")
    before = walk(store, audit, person=None)

    review(store, before[3], make_event(store.samples.get(before[3]).sample.language))
    store.samples.add(collection, [make_sample("zh", "later")], schema_number=1)
    after = [key for key in walk(store, audit, person=None) if key in before]

    assert after == before != sorted(before)


def test_mine_has_drafts_flags_and_skips_of_this_person_only(store, collection, waiting):
    draft, flag, skip, other = waiting[:4]
    store.samples.save_draft(draft, ANA, {"document": {}}, rev=1)
    note = store.notes.add(flag, person=ANA, kind="flag", text="кто?")
    store.notes.skip(skip, person=ANA)
    store.notes.add(other, person="Вера", kind="flag")
    store.notes.add(waiting[5], person=ANA, text="only a comment")
    queue = default_queue(collection, "mine")

    found = walk(store, queue)
    reasons = [why.values for why in whys(store, queue, found)]
    store.notes.resolve(note, person=ANA)

    assert found == [draft, flag, skip]
    assert reasons == [
        {"draft": True, "flag": None, "skipped": False},
        {"draft": False, "flag": "кто?", "skipped": False},
        {"draft": False, "flag": None, "skipped": True},
    ]
    assert walk(store, queue) == [draft, skip]
    assert walk(store, queue, person="Вера") == [other]


@pytest.mark.parametrize("reason", REASONS)
@pytest.mark.parametrize("states", [("new", "suggested"), ("suggested",), (), ("reviewed",)])
def test_every_order_agrees_forwards_backwards_by_pages_and_by_position(
    store, collection, busy, reason, states
):
    queue = Queue(collection, reason, SampleFilter(states=states))

    forwards = walk(store, queue)
    backwards = walk(store, queue, step=-1)
    pages = [
        key
        for offset in range(0, 12, 3)
        for key in store.queues.keys(queue, person=ANA, limit=3, offset=offset)
    ]
    places = [str(store.queues.position(queue, key, person=ANA)) for key in forwards]

    assert backwards == forwards[::-1]
    assert pages == forwards
    assert store.queues.count(queue, person=ANA) == len(forwards) == len(set(forwards))
    assert places == [f"{n}/{len(forwards)}" for n in range(1, len(forwards) + 1)]
    assert list(store.queues.table(queue, person=ANA)["key"]) == forwards
    assert all(why.key.startswith("queue.why.") for why in whys(store, queue, forwards))


@pytest.mark.parametrize("reason", REASONS)
def test_after_a_review_the_next_is_what_came_next_before_it(store, collection, seen, reason):
    queue = Queue(collection, reason, SampleFilter(states=("new", "suggested")))
    before = walk(store, queue)
    for at in range(len(before) - 1):
        key = before[at]
        code = store.samples.get(key).sample.language
        said = store.samples.suggestion(key)

        review(store, key, make_event(code, "merger"), suggestion=said.id)

        assert store.queues.next_key(queue, key, person=ANA) == before[at + 1]


def test_a_skipped_sample_goes_to_the_end_of_this_persons_queues_and_comes_back_when_reviewed(
    store, collection, waiting
):
    queue = default_queue(collection, "oldest")

    first = skip_sample(store, queue, waiting[0], person=ANA)
    second = skip_sample(store, queue, waiting[1], person=ANA)

    assert (first, second) == (waiting[1], waiting[2])
    assert walk(store, queue) == [*waiting[2:], *waiting[:2]]
    assert walk(store, queue, person="Вера") == waiting
    assert store.notes.is_skipped(waiting[0], person=ANA)
    review(store, waiting[0], make_event("en"))
    assert not store.notes.is_skipped(waiting[0], person=ANA)


def test_skipping_the_last_leads_to_the_first_and_skipping_the_only_one_to_none(
    store, collection, waiting
):
    queue = default_queue(collection, "oldest")
    for key in waiting[1:]:
        skip_sample(store, queue, key, person=ANA)

    assert skip_sample(store, queue, waiting[-1], person=ANA) == waiting[0]
    for key in waiting[1:]:
        review(store, key)
    assert skip_sample(store, queue, waiting[0], person=ANA) is None


def test_a_sample_that_was_deleted_leads_to_the_first(store, collection, waiting):
    store.samples.delete([waiting[2]])

    assert (
        store.queues.next_key(default_queue(collection, "oldest"), waiting[2], person=ANA)
        == waiting[0]
    )


# ---------------------------------------------------------------- filters

LATER = datetime.now(UTC) + timedelta(days=1)
EARLIER = datetime.now(UTC) - timedelta(days=1)


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (SampleFilter(languages=["zh", "ru"]), "b d"),
        (SampleFilter(modalities=["text"]), "a b c d"),
        (SampleFilter(modalities=["image"]), ""),
        (SampleFilter(event_types=["launch"]), "a c"),
        (SampleFilter(event_types=("outage",)), "b"),
        (SampleFilter(event_types=("merger",)), ""),
        (SampleFilter(states=["new"]), "d"),
        (SampleFilter(states=["suggested"]), "a b"),
        (SampleFilter(states=["reviewed"]), "c"),
        (SampleFilter(states=["new", "reviewed"]), "c d"),
        (SampleFilter(states=["unheard of"]), ""),
        (SampleFilter(splits=["dev"]), "c"),
        (SampleFilter(sources=["新闻网"]), "b"),
        (SampleFilter(sources=["新闻网", "новости.example"]), "b d"),
        (SampleFilter(published_from=date(2026, 3, 2)), "b d"),
        (SampleFilter(published_from=date(2026, 3, 2), published_to=date(2026, 3, 2)), "b"),
        (SampleFilter(imported_from=EARLIER, imported_before=LATER), "a b c d"),
        (SampleFilter(imported_from=LATER), ""),
        (SampleFilter(confidence_to=0.5), "b"),
        (SampleFilter(confidence_from=0.3, confidence_to=0.95), "a b"),
        (SampleFilter(flagged=True), "a"),
        (SampleFilter(flagged=False), "b c d"),
        (SampleFilter(text="芯片"), "b"),
        (SampleFilter(text="СПУТНИК"), "d"),
        (SampleFilter(text="MÓDEM"), "c"),
        (SampleFilter(text="100%_"), ""),
        (SampleFilter(text="madrid", languages=["es"], states=["reviewed"]), "c"),
        (SampleFilter(text="madrid", event_types=("launch",)), "a c"),
    ],
)
def test_a_filter_lets_through_what_it_says(store, collection, wanted, expected):
    a, b, c, d = store.samples.add(
        collection,
        [
            make_sample("en", "a", published="2026-03-01T10:00:00Z"),
            make_sample("zh", "b", source="新闻网", published="2026-03-02"),
            make_sample("es", "c", event_type="launch", split="dev", published="yesterday"),
            make_sample("ru", "d", source="новости.example", published="2026-11"),
        ],
        schema_number=1,
    )
    suggest(store, a, make_event("en", "launch", sure=0.9))
    suggest(store, b, make_event("zh", "outage", sure=0.4))
    store.notes.add(a, person=ANA, kind="flag")
    names = {"a": a, "b": b, "c": c, "d": d}
    queues = [Queue(collection, reason, wanted) for reason in ("oldest", "random")]

    found = [sorted(walk(store, queue)) for queue in queues]

    assert found == 2 * [[names[name] for name in expected.split()]]
    assert store.samples.keys(wanted, collection_id=collection) == found[0]
    assert store.queues.count(queues[0]) == len(found[0])


def test_the_type_of_a_reviewed_sample_is_that_of_its_newest_review(store, collection, waiting):
    suggest(store, waiting[3], make_event("ru", "launch"))
    review(store, waiting[3], make_event("ru", "outage"))
    review(store, waiting[3], make_event("ru", "merger"))

    def count(name):
        return store.samples.count(SampleFilter(event_types=[name]), collection_id=collection)

    assert [count(name) for name in ("launch", "outage", "merger")] == [0, 0, 1]


def test_the_counters_of_types_agree_with_the_samples_after_all_that_happens(
    store, collection, busy
):
    from sqlmodel import select

    from storage.database import reading, writing
    from storage.standing import settle

    review(store, busy[2], make_event("es", "outage"))
    review(store, busy[2])
    suggest(store, busy[2], make_event("es", "launch"))
    store.samples.delete([busy[5]])

    def read():
        with reading(store.engine) as session:
            rows = session.exec(select(TypeSetRow).order_by(TypeSetRow.id)).all()
            return [(row.id, row.waiting, row.reviewed) for row in rows]

    kept = read()
    orders = {reason: walk(store, default_queue(collection, reason)) for reason in REASONS}
    with writing(store.engine) as session:
        settle(session, collection, store.samples.keys(collection_id=collection))

    assert read() == kept
    assert orders == {r: walk(store, default_queue(collection, r)) for r in REASONS}


# ---------------------------------------------------------------- saved queues


def test_a_saved_queue_keeps_everything_and_has_a_link(store, collection):
    wanted = SampleFilter(
        languages=("ru", "zh"), states=("suggested",), event_types=("запуск 🚀", "发布"), text="спутник",
        published_from=date(2026, 1, 1), imported_before=datetime(2026, 5, 1, tzinfo=UTC),
        confidence_to=0.5, flagged=False, sources=("新闻网",),
    )  # fmt: skip
    queue = Queue(collection, "random", wanted, name="  Проверка   выборки ", seed=7, person=ANA)

    saved = store.queues.save(queue)

    assert saved.name == "Проверка выборки"
    assert store.queues.get(saved.id) == saved == store.queues.all(collection)[0]
    assert replace(saved, id=None, created=None, name=queue.name) == queue
    assert store.queues.find(saved.link, collection_id=collection) == saved


def test_a_saved_queue_can_be_changed_and_deleted(store, collection, waiting):
    saved = store.queues.save(Queue(collection, "oldest", name="中文"))

    changed = store.queues.save(
        replace(saved, name="只有中文", wanted=SampleFilter(languages=["zh"]), reason="random")
    )

    assert changed.id == saved.id
    assert store.queues.count(saved.id) == 2
    assert set(walk(store, saved.id)) == {waiting[1], waiting[5]}
    store.queues.delete(saved.id)
    with pytest.raises(NotFoundError, match=str(saved.id)):
        store.queues.next_key(saved.id, person=ANA)
    with pytest.raises(NotFoundError, match="in the meantime"):
        store.queues.save(changed)


def test_a_queue_that_cannot_be_saved_says_why(store, collection):
    store.queues.save(Queue(collection, "oldest", name="очередь"))

    for queue, said in (
        (Queue(collection, "oldest", name=" "), "1 to 80"),
        (Queue(collection, "oldest", name="очередь"), "already"),
        (Queue(collection, "newest", name="x"), "newest"),
        (Queue(collection, "random", name="x", seed=-1), "seed"),
        (
            Queue(collection, "oldest", SampleFilter(confidence_from=0.9, confidence_to=0.1), "x"),
            "0.9",
        ),
    ):
        with pytest.raises(InputError, match=said):
            store.queues.save(queue)


@pytest.mark.parametrize("link", ["новая", "99", "", "9" * 30, "-1"])
def test_a_link_to_no_queue_says_so(store, collection, link):
    with pytest.raises(NotFoundError):
        store.queues.find(link, collection_id=collection)


def test_deleting_a_collection_takes_its_queues_along(store, collection, busy):
    store.queues.save(Queue(collection, "oldest", name="一"))

    store.collections.delete(collection)

    assert store.collections.all() == []


def test_another_name_of_the_person_keeps_what_is_theirs(store, collection, waiting):
    store.collections.set_person(ANA)
    store.notes.skip(waiting[0], person=ANA)
    store.notes.add(waiting[1], person=ANA, kind="flag")

    store.collections.set_person("Анна")

    assert walk(store, default_queue(collection, "mine"), person="Анна") == [waiting[1], waiting[0]]


# ---------------------------------------------------------------- notes


@pytest.mark.parametrize(
    ("language", "start", "end", "words"),
    [("zh", 1, 3, "晨星"), ("ru", 9, 15, "Нортия"), ("en", None, None, None)],
)
def test_a_comment_keeps_the_words_it_is_about(store, collection, language, start, end, words):
    key = store.samples.add(collection, [make_sample(language, "a")], schema_number=1)[0]

    note = store.notes.add(key, person=ANA, text="  почему? ", start=start, end=end)
    store.notes.resolve(note, person="Вера")

    (found,) = store.notes.list(key)
    assert (found.words, found.text, found.resolved_by) == (words, "почему?", "Вера")
    assert store.notes.list(key, only_open=True) == []


def test_a_note_that_cannot_be_kept_says_why(store, waiting):
    for values, said in (
        ({"text": " "}, "no words"),
        ({"text": "x", "start": 0, "end": 99}, "outside"),
        ({"text": "x", "start": 3, "end": 3}, "outside"),
        ({"text": "x", "start": 3}, "outside"),
        ({"text": "я" * 4001}, "4,001"),
        ({"text": "x", "kind": "praise"}, "praise"),
    ):
        with pytest.raises(InputError, match=said):
            store.notes.add(waiting[1], person=ANA, **values)
    with pytest.raises(NotFoundError):
        store.notes.add(10**9, person=ANA, text="x")
    with pytest.raises(NotFoundError):
        store.notes.resolve(10**9, person=ANA)
