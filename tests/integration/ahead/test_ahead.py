"""Suggestions ahead of a person's queue and after a promotion, and what is stored with each."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core.preparing import Preparation
from core.problems import Problem
from core.queues import Queue, default_queue
from core.records import SampleFilter
from core.samples import Sample
from tests.integration.preparing_data import (
    TEXTS,
    Stub,
    add_script,
    between,
    do,
    make_samples,
    order_for,
    told,
)
from train import queue, registry
from train.ahead import AHEAD
from train.preparing import (
    renew_suggestions,
    start_preparation,
)

ANA, BO = "Ana", "Бо"


# ---------------------------------------------------------------- ahead of a person's queue


def ahead_of(store, person):
    return [j for j in store.jobs.open("annotate") if j.payload["person"] == person]


def test_the_samples_behind_the_open_one_in_a_persons_queue_come_first(
    services, store, collection, model, keys
):
    russian = [k for k in keys if store.samples.get(k).sample.language == "ru"]
    mine = Queue(collection, "random", SampleFilter(languages=["ru"], states=["new"]), seed=4)
    order = store.queues.keys(mine, person=ANA, limit=100)
    store.notes.skip(order[2], person=ANA)

    queue.keep_ahead(services, mine, after=order[0], person=ANA)
    (job,) = ahead_of(store, ANA)
    backend = between(services, model, lambda n: None)
    ended = do(services, job.id, Stub(backend))

    expected = [*order[1:2], *order[3:], order[2]]
    asked = [name for batch in backend.asked for name in batch]
    assert asked == [store.samples.get(k).sample.id for k in expected if k != order[0]]
    assert ended.state == "done"
    assert set(told(store, job.id)) == set(russian) - {order[0]}


def test_each_person_and_each_queue_has_work_ahead_of_its_own_that_moves_along(
    services, store, collection, model, keys
):
    oldest, chinese = default_queue(collection, "oldest"), Queue(
        collection, "oldest", SampleFilter(languages=["zh"])
    )  # fmt: skip
    for one, person in ((oldest, ANA), (chinese, ANA), (oldest, BO)):
        queue.keep_ahead(services, one, after=keys[0], person=person)
    queue.keep_ahead(services, oldest, after=keys[10], person=ANA)

    assert len(ahead_of(store, ANA)) == 2
    assert len(ahead_of(store, BO)) == 1
    ended = do(services, ahead_of(store, ANA)[0].id)
    assert told(store, ended.id) == keys[11 : 11 + AHEAD]


def test_work_ahead_goes_round_at_the_end_and_leaves_drafts_and_failures_alone(
    services, store, collection, model, keys
):
    bad = store.samples.add(
        collection, [Sample("плохой", "ru", "text", "Всё сломано.")], schema_number=1
    )[0]
    store.samples.save_draft(keys[1], BO, {}, rev=1)
    oldest = default_queue(collection, "oldest")

    queue.keep_ahead(services, oldest, after=keys[37], person=ANA)
    first = do(services, ahead_of(store, ANA)[0].id)
    queue.keep_ahead(services, oldest, after=keys[37], person=ANA)
    second = do(services, ahead_of(store, ANA)[0].id)

    assert [f["sample"] for f in first.failures] == [bad]
    assert set(told(store, first.id)) == {*keys[38:], keys[0], *keys[2:17]}
    assert (second.done, second.failures) == (0, [])


# ---------------------------------------------------------------- after a promotion


def test_a_promotion_renews_what_nobody_has_touched_and_only_that(
    services, store, collection, model, keys
):
    do(services, start_preparation(services, order_for(collection, model, limit=10)))
    store.samples.save_draft(keys[1], BO, {}, rev=1)
    store.samples.add_review(keys[2], (), person=ANA, schema_number=1)
    better = add_script(services, "better")

    registry.promote(services, collection, better, reason="лучше")
    (job,) = store.jobs.open("renew")
    ended = do(services, job.id)

    assert told(store, job.id) == [keys[0], *keys[3:10]]
    assert (ended.state, ended.total) == ("done", 8)
    assert store.samples.suggestion(keys[1]).model_id == model
    assert {store.samples.suggestion(key).model_id for key in keys[3:10]} == {better}
    registry.roll_back(services, collection)
    (back,) = store.jobs.open("renew")
    do(services, back.id)
    assert told(store, back.id) == [keys[0], *keys[3:10]]
    assert store.samples.suggestion(keys[5]).model_id == model


def test_a_second_promotion_ends_what_the_first_began(services, store, collection, model, keys):
    do(services, start_preparation(services, order_for(collection, model, limit=5)))
    one, two = add_script(services, "one"), add_script(services, "two")

    first = renew_suggestions(services, collection, one)
    second = renew_suggestions(services, collection, two)

    assert store.jobs.get(first).state == "cancelled"
    assert store.jobs.get(second).state == "queued"
    assert renew_suggestions(services, collection, model) is None


def test_a_promotion_where_nothing_is_suggested_starts_nothing(services, store, collection, model):
    assert renew_suggestions(services, collection, add_script(services, "other")) is None
    assert store.jobs.open("renew") == []


# ---------------------------------------------------------------- what is stored with them


def test_problems_are_stored_with_the_suggestion_and_counted_for_the_queue(
    services, store, collection, model, keys
):
    loud = add_script(
        services, "loud", [{"text": "запустила", "reply": [["启动", "чип номер", []]]}]
    )
    story = [
        Sample(f"story-{code}", code, "text", TEXTS[code].format(99), parallel_group="история")
        for code in ("ru", "zh")
    ]
    ru, zh = store.samples.add(collection, story, schema_number=1)
    wanted = SampleFilter(keys=[ru, zh])

    do(services, start_preparation(services, order_for(collection, loud, wanted=wanted)))

    by_code = {p.code: p for p in store.samples.suggestion(ru).problems}
    assert list(by_code) == ["missing_role", "contradiction"]
    assert by_code["contradiction"] == Problem(
        "contradiction", {"sample": "story-zh", "language": "zh", "here": ["启动"], "there": []}
    )
    assert [p.code for p in store.samples.suggestion(zh).problems] == ["contradiction"]
    queued = default_queue(collection, "problems")
    assert store.queues.keys(queued, person=ANA, limit=9) == [ru, zh]
    assert store.samples.keys(SampleFilter(problems=True), collection_id=collection) == [ru, zh]
    assert store.samples.count(SampleFilter(problems=False), collection_id=collection) == 40
    why = store.queues.why(queued, ru)
    assert (why.key, why.values["n"], why.values["problem"].code) == (
        "queue.why.problems", 2, "missing_role",
    )  # fmt: skip


def test_a_suggestion_that_agrees_with_a_persons_review_of_the_story_is_no_contradiction(
    services, store, collection, model
):
    story = [
        Sample(f"story-{code}", code, "text", TEXTS[code].format(7), parallel_group="история")
        for code in ("es", "zh")
    ]
    es, zh = store.samples.add(collection, story, schema_number=1)
    do(services, queue.request_suggestion(services, zh))
    said = store.samples.suggestion(zh)
    store.samples.add_review(zh, said.events, person=ANA, schema_number=1)

    do(services, queue.request_suggestion(services, es))

    assert store.samples.suggestion(es).problems == []


def test_suggestions_for_a_sample_that_was_deleted_meanwhile_are_left_out(
    services, store, collection, model, keys
):
    job = start_preparation(services, order_for(collection, model))
    drop = lambda n: store.samples.delete(keys[:2]) if n == 1 else None  # noqa: E731

    ended = do(services, job, Stub(between(services, model, drop)))

    assert (ended.state, ended.done) == ("done", 38)
    assert told(store, job) == keys[2:]


def test_no_job_can_store_two_suggestions_for_a_sample(services, store, collection, model, keys):
    from core.errors import StorageError
    from core.records import NewSuggestion

    job = start_preparation(services, Preparation(collection, model))
    one = NewSuggestion(keys[0], model, (), "[]", "1", 1)
    store.jobs.keep(job, [one], seconds=1.0)

    with pytest.raises(StorageError):
        store.jobs.keep(job, [NewSuggestion(keys[1], model, (), "[]", "1", 1), one], seconds=1.0)

    assert told(store, job) == [keys[0]]
    assert store.jobs.get(job).done == 1


# ---------------------------------------------------------------- scoring gives way too


def test_scoring_gives_way_to_a_person_and_does_not_ask_again_for_what_it_knows(
    services, store, collection, model, keys, monkeypatch
):
    monkeypatch.setattr("train.remember.SLICE", 4)
    labelled = [
        replace(s, split="dev", events=()) for s in make_samples(12, begin=100)
    ]  # fmt: skip
    store.samples.add(collection, labelled, schema_number=1)
    requests = []

    def ask(n):
        if n == 2:
            requests.append(queue.request_suggestion(services, keys[0]))

    backend = between(services, model, ask)
    job = queue.start_evaluation(services, collection, model, "dev")

    interrupted = do(services, job, Stub(backend))
    do(services, requests[0])
    ended = do(services, job, Stub(backend))

    assert (interrupted.state, ended.state) == ("queued", "done")
    first, lost, *rest = backend.asked
    assert sorted(first + [name for part in rest for name in part]) == sorted(
        s.id for s in labelled
    )
    assert set(lost) == set(rest[0])
    (scored,) = store.models.evaluations(collection, model_id=model, split="dev")
    assert scored.samples == 12
