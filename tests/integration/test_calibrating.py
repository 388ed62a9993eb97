"""Calibration in the store and in the worker: what is counted, and who sees the calibrated figures."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from sqlmodel import select

from core.bulk import BulkOrder
from core.calibration import ALL, Curve, Curves
from core.queue_work import run_bulk
from core.queues import Queue, default_queue
from core.records import SampleFilter
from core.reliability import Calibration
from core.samples import Media, Sample
from core.schema_change import RenameType
from storage.database import reading
from storage.tables import MentionRow
from tests.integration.queue_data import (
    ANA,
    SCHEMA,
    TEXTS,
    make_event,
    make_sample,
    make_store,
    review,
    suggest,
)
from train.calibrating import ENOUGH, gather_pairs, is_due, refit
from train.evaluate import evaluate_model
from train.jobs import handle_job
from train.queue import calibrate_due, calibrate_later
from train.register import register_model
from train.services import Services
from train.warm import WarmModel

HALF = Curves({(ALL, kind): Curve(0.5) for kind in ("type", "trigger", "role", "argument")})


@pytest.fixture
def services(home, store) -> Services:
    return Services(home, store)


@pytest.fixture
def collection(store):
    return make_store(store)


def add(store, collection, language: str, name: str, **more) -> int:
    return store.samples.add(collection, [make_sample(language, name, **more)], schema_number=1)[0]


def add_reviewed(
    store, collection, count: int, *, right: float = 0.4, model: str = "small", **more
) -> list[int]:
    """Samples in four languages with a suggestion that is very sure, kept as it is by a share of
    `right`, and replaced by another type's otherwise."""
    draw, keys = random.Random(3), []
    more = {"split": "train"} | more
    for number in range(count):
        language = list(TEXTS)[number % 4]
        key = add(store, collection, language, f"{model}-{number}", **more)
        sure = draw.uniform(0.85, 0.999)
        suggest(store, key, make_event(language, sure=sure, role="agent"), model=model)
        if draw.random() < right:
            review(store, key, make_event(language, sure=None, role="agent"))
        else:
            review(store, key)
        keys.append(key)
    return keys


def lowest(store, key: int) -> float | None:
    queue = default_queue(store.samples.get(key).collection_id, "oldest")
    table = store.queues.table(queue, person=ANA)
    return dict(zip(table["key"], table["confidence"], strict=True)).get(key)


@pytest.mark.parametrize("language", TEXTS)
def test_the_confidence_of_a_role_is_kept_beside_that_of_its_words(store, collection, language):
    key = add(store, collection, language, "s")
    said = make_event(language, sure=0.9, role="agent")
    said = replace(said, arguments=(replace(said.arguments[0], confidence=0.4),))

    suggest(store, key, said)

    kept = store.samples.suggestion(key).events
    assert kept == (said,)
    assert lowest(store, key) == pytest.approx(0.4)


@pytest.mark.parametrize("language", TEXTS)
def test_new_curves_hold_for_every_suggestion_there_is_and_the_models_own_stay(
    store, collection, language
):
    before, after = (add(store, collection, language, name) for name in ("a", "b"))
    said = make_event(language, sure=0.9, role="agent")
    suggest(store, before, said)

    store.calibrations.add(collection, "small", Calibration(HALF, (), 0, 0))
    suggest(store, after, said)

    for key in (before, after):
        assert store.samples.suggestion(key).events[0].confidence == pytest.approx(0.75)
        assert lowest(store, key) == pytest.approx(0.75)
    with reading(store.engine) as session:
        assert set(session.exec(select(MentionRow.confidence))) == {0.9}


def test_curves_are_of_one_model_and_one_collection(store, collection):
    other = store.collections.create("另一个", store.collections.schema(collection)).id
    mine, foreign = add(store, collection, "zh", "a"), add(store, other, "zh", "a")
    large = add(store, collection, "ru", "b")
    for key, model in ((mine, "small"), (foreign, "small"), (large, "large")):
        suggest(store, key, make_event("zh" if key != large else "ru", sure=0.9), model=model)

    store.calibrations.add(collection, "small", Calibration(HALF, (), 0, 0))

    found = [store.samples.suggestion(key).events[0].confidence for key in (mine, foreign, large)]
    assert found == pytest.approx([0.75, 0.9, 0.9])


def test_the_queue_of_the_unsure_and_accept_above_go_by_calibrated_confidences(store, collection):
    sure, unsure = add(store, collection, "ru", "a"), add(store, collection, "zh", "b")
    suggest(store, sure, make_event("ru", sure=0.95), model="large")
    suggest(store, unsure, make_event("zh", sure=0.97), model="small")
    queue = default_queue(collection, "uncertain")
    before = store.queues.next_key(queue, person=ANA)

    store.calibrations.add(collection, "small", Calibration(HALF, (), 0, 0))
    result = run_bulk(store, BulkOrder(queue, "accept", threshold=0.9), person=ANA)

    assert before == sure
    assert store.queues.next_key(queue, person=ANA) == unsure
    assert result.done == 1
    assert store.samples.get(sure).state == "reviewed"
    assert store.samples.get(unsure).state == "suggested"


def test_an_overconfident_model_is_fitted_from_what_people_kept(services, collection):
    add_reviewed(services.store, collection, 80)

    found = refit(services, collection, "small")

    assert (found.samples, found.pairs) == (80, 240)
    assert services.store.calibrations.newest(collection, "small").curves == found.curves
    key = add(services.store, collection, "es", "new")
    suggest(services.store, key, make_event("es", sure=0.95))
    assert lowest(services.store, key) == pytest.approx(0.4, abs=0.15)


def test_too_few_reviews_leave_the_confidences_and_are_written_down(services, collection):
    add_reviewed(services.store, collection, 8)

    found = refit(services, collection, "small")

    assert (found.curves.known, found.samples) == ({}, 8)
    assert services.store.calibrations.newest(collection, "small").pairs == 24


def test_the_test_split_and_what_was_accepted_unseen_are_never_counted(services, collection):
    store = services.store
    add_reviewed(store, collection, 12, split="test")
    key = add(store, collection, "zh", "bulk", split="train")
    suggest(store, key, make_event("zh", sure=0.99))
    queue = Queue(collection, "oldest", SampleFilter(states=("suggested",)))
    run_bulk(store, BulkOrder(queue, "accept", threshold=0.5), person=ANA)

    pairs, samples = gather_pairs(services, collection, store.models.get("small"))

    assert (pairs, samples) == ([], 0)
    review(store, key, make_event("zh", sure=None))
    assert gather_pairs(services, collection, store.models.get("small"))[1] == 1


def test_what_an_adapter_may_have_learned_from_is_not_counted_for_it(services, collection):
    store = services.store
    learned = add(store, collection, "ru", "train", event_type="launch", split="train")
    held = add(store, collection, "zh", "dev", event_type="launch", split="dev")
    store.models.add("run-1", title="Run 1", state="candidate", location="x", base_id="small",
                     collection_id=collection)  # fmt: skip
    news = add(store, collection, "es", "news", split="train")
    for key, language in ((learned, "ru"), (held, "zh"), (news, "es")):
        for model in ("run-1", "small"):
            suggest(store, key, make_event(language, sure=0.9), model=model)
    review(store, news, make_event("es", sure=None))
    review(store, learned, make_event("ru", sure=None))

    adapter, _ = gather_pairs(services, collection, store.models.get("run-1"))
    base, _ = gather_pairs(services, collection, store.models.get("small"))

    assert {p.language for p in adapter} == {"zh", "es"}
    assert {p.language for p in base} == {"zh", "es", "ru"}


def test_the_newest_review_and_the_newest_suggestion_count(services, collection):
    key = add(services.store, collection, "ru", "s", split="train")
    suggest(services.store, key, make_event("ru", sure=0.5))
    suggest(services.store, key, make_event("ru", sure=0.9))
    review(services.store, key)
    review(services.store, key, make_event("ru", sure=None))

    pairs, _ = gather_pairs(services, collection, services.store.models.get("small"))

    assert [(p.kind, p.confidence, p.is_right) for p in pairs] == [
        ("type", 0.9, True), ("trigger", 0.9, True),
    ]  # fmt: skip


def test_calibration_is_due_after_enough_new_reviews_and_not_again(services, collection):
    add_reviewed(services.store, collection, ENOUGH - 1)
    early = is_due(services, collection, "small")
    add_reviewed(services.store, collection, 2, model="large")
    key = add(services.store, collection, "zh", "one more", split="train")
    suggest(services.store, key, make_event("zh"))
    review(services.store, key)

    jobs = calibrate_due(services)
    handle_job(services, WarmModel(services), jobs[0])

    assert (early, len(jobs)) == (False, 1)
    assert services.store.jobs.get(jobs[0]).state == "done"
    assert services.store.calibrations.newest(collection, "small").samples == ENOUGH
    assert calibrate_due(services) == []


def test_one_job_a_model_is_enough(services, collection):
    first = calibrate_later(services, collection, "small")

    assert calibrate_later(services, collection, "small") == first
    assert calibrate_later(services, collection, "large") != first


def test_a_failed_calibration_is_not_tried_again_at_once(services, collection):
    add_reviewed(services.store, collection, ENOUGH)
    (job,) = calibrate_due(services)
    services.store.jobs.finish(job, "failed", "no weights")

    assert calibrate_due(services) == []


def test_a_model_with_weights_is_asked_about_dev_and_never_about_test(services, tiny_model):
    model = register_model(services, str(tiny_model), "Tiny")
    store = services.store
    made = store.collections.create("новости", SCHEMA)
    for split in ("dev", "test"):
        for number in range(3):
            for language in TEXTS:
                add(store, made.id, language, f"{split}-{number}-{language}", event_type="launch",
                    split=split)  # fmt: skip
    (job,) = calibrate_due(services)

    handle_job(services, WarmModel(services), job)

    assert store.jobs.get(job).state == "done"
    scored = store.models.evaluations(made.id, model_id=model.id)
    assert [e.split for e in scored] == ["dev"]
    pairs, samples = gather_pairs(services, made.id, model)
    judged = [part for outcome in scored[0].outcomes for part in outcome["parts"]]
    assert judged
    assert (len(pairs), samples) == (len(judged), 12)
    assert store.calibrations.newest(made.id, model.id).pairs == len(judged)
    on_test = evaluate_model(services, made.id, split="test", model=model)
    assert all("parts" not in outcome for outcome in on_test.outcomes)
    assert calibrate_due(services) == []


def test_a_dev_split_without_a_text_is_nothing_to_ask_about(services, tiny_model):
    model, store = register_model(services, str(tiny_model), "Tiny"), services.store
    made = store.collections.create("图片 картинки", SCHEMA)
    picture = Sample(
        "п-1", "ru", "image", None, (Media("m1", "image", "а.png"),), split="dev", events=()
    )
    store.samples.add(made.id, [picture], schema_number=1)
    store.models.promote(made.id, model.id, previous_id=model.id, person=None, reason="", scores={})

    assert calibrate_due(services) == []


def test_deleting_a_collection_takes_its_curves_along(services, collection):
    services.store.calibrations.add(collection, "small", Calibration(HALF, (), 0, 0))

    services.store.collections.delete(collection)

    assert services.store.calibrations.newest(collection, "small") is None


def test_a_change_of_the_schema_between_suggestion_and_review_leaves_the_sample_out(
    services, collection
):
    store = services.store
    for name, late in (("a", False), ("b", True)):
        key = add(store, collection, "zh", name, split="train")
        suggest(store, key, make_event("zh", sure=0.9))
        if not late:
            review(store, key, make_event("zh", sure=None))
    store.schema_changes.apply(collection, RenameType("launch", "release"), person=ANA)
    newest = store.schema_changes.since(collection, 1)[0].number_after
    store.samples.add_review(
        key, [make_event("zh", "release", sure=None)], person=ANA, schema_number=newest
    )

    pairs, samples = gather_pairs(services, collection, store.models.get("small"))

    assert samples == 2  # the second was suggested again under the new name
    assert all(p.is_right for p in pairs)
