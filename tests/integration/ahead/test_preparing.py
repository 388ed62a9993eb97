"""Suggestions prepared for a filter: what is done, paused, cancelled, interrupted and waited for."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from core.errors import InputError, ModelUnreachable, NotFoundError
from core.preparing import seconds_left
from core.records import PRIORITY, SampleFilter
from core.samples import Sample
from tests.integration.preparing_data import (
    BROKEN,
    Stub,
    add_script,
    between,
    do,
    order_for,
    told,
)
from train import queue
from train.jobs import queue_due
from train.preparing import (
    estimate_preparation,
    pause_job,
    resume_job,
    start_preparation,
)
from train.warm import WarmModel

ANA, BO = "Ana", "Бо"


# ---------------------------------------------------------------- for a filter


def test_a_preparation_suggests_for_what_the_filter_matches_and_for_nothing_else(
    services, store, collection, model, keys
):
    wanted = SampleFilter(languages=["zh", "ru"], text="芯片")
    reviewed = next(k for k in keys if store.samples.get(k).sample.language == "zh")
    store.samples.add_review(reviewed, (), person=ANA, schema_number=1)

    order = order_for(collection, model, wanted=wanted)
    estimate = estimate_preparation(services, order)
    ended = do(services, start_preparation(services, order, person=ANA))

    found = [store.samples.get(key).sample for key in told(store, ended.id)]
    assert (ended.state, ended.done, ended.total, ended.progress) == ("done", 9, 9, 1.0)
    assert estimate.count == 9
    assert {s.language for s in found} == {"zh"}
    assert reviewed not in told(store, ended.id)
    assert ended.payload["person"] == ANA


def test_reviewed_samples_are_suggested_for_where_the_filter_asks_for_them(
    services, store, collection, model, keys
):
    store.samples.add_review(keys[3], (), person=ANA, schema_number=1)
    order = order_for(collection, model, wanted=SampleFilter(states=["reviewed"]))

    ended = do(services, start_preparation(services, order))

    assert told(store, ended.id) == [keys[3]]
    assert store.samples.get(keys[3]).state == "reviewed"


def test_what_the_model_has_looked_at_already_is_left_out_unless_asked_for(
    services, store, collection, model, keys
):
    first = do(services, start_preparation(services, order_for(collection, model, limit=7)))
    order = order_for(collection, model)

    assert told(store, first.id) == keys[:7]
    assert estimate_preparation(services, order).count == 33
    again = do(services, start_preparation(services, replace(order, again=True)))
    assert told(store, again.id) == keys


def test_a_sample_that_fails_is_told_and_the_others_go_on(services, store, collection, model):
    bad = [
        Sample("плохой", "ru", "text", "Всё сломан, сломан."), Sample("坏的", "zh", "text", "全坏了。")
    ]  # fmt: skip
    store.samples.add(collection, bad, schema_number=1)

    ended = do(services, start_preparation(services, order_for(collection, model)))

    assert (ended.state, ended.done, ended.total) == ("done", 40, 42)
    assert sorted(f["id"] for f in ended.failures) == sorted(s.id for s in bad)
    assert all("the pattern has" in f["message"] for f in ended.failures)
    assert [store.samples.get(f["sample"]).state for f in ended.failures] == ["new", "new"]


def test_a_model_that_can_do_nothing_ends_the_job_with_its_reason(services, store, collection):
    broken = add_script(services, "broken", [BROKEN, {**BROKEN, "text": "."}])

    ended = do(services, start_preparation(services, order_for(collection, broken)))

    assert ended.state == "failed"
    assert "samples in a row failed" in ended.message
    assert (ended.done, len(ended.failures) < 40) == (0, True)


def test_a_limit_or_a_model_that_makes_no_sense_is_refused(services, collection, model):
    with pytest.raises(InputError, match="from 1, not 0"):
        start_preparation(services, order_for(collection, model, limit=0))
    with pytest.raises(NotFoundError, match="there is no model 'нет'"):
        start_preparation(services, order_for(collection, "нет"))


def test_the_time_a_job_takes_is_told_by_what_the_model_took_and_then_by_its_own_pace(
    services, store, collection, model, keys
):
    assert estimate_preparation(services, order_for(collection, model)).seconds is None
    for key in keys[:4]:
        store.samples.add_suggestion(
            key, (), model_id=model, raw_reply="[]", prompt_version="1", schema_number=1,
            decoding={}, seconds=2.0,
        )  # fmt: skip

    found = estimate_preparation(services, order_for(collection, model, limit=10))
    job = store.jobs.get(start_preparation(services, order_for(collection, model, limit=10)))

    assert (found.count, found.seconds) == (10, 20.0)
    assert seconds_left(replace(job, total=10), 2.0) == 20.0
    assert seconds_left(replace(job, total=10, done=8, seconds=4.0), 2.0) == 1.0
    assert seconds_left(replace(job, total=10)) is None


# ---------------------------------------------------------------- pause, cancel, give way


def test_a_paused_job_keeps_what_it_has_and_goes_on_where_it_was(
    services, store, collection, model, keys
):
    job = start_preparation(services, order_for(collection, model))
    backend = between(services, model, lambda n: pause_job(services, job) if n == 3 else None)

    paused = do(services, job, Stub(backend))
    ignored = do(services, job)
    resume_job(services, job)
    ended = do(services, job)

    assert (paused.state, ignored.state, ended.state) == ("paused", "paused", "done")
    assert 0 < paused.done < 40
    assert told(store, job) == keys
    assert ended.done == 40


@pytest.mark.parametrize("state", ["queued", "paused"])
def test_a_job_that_nobody_works_on_is_cancelled_at_once(services, store, collection, model, state):
    job = start_preparation(services, order_for(collection, model))
    if state == "paused":
        pause_job(services, job)

    queue.cancel_job(services, job)
    resume_job(services, job)

    assert do(services, job).state == "cancelled"
    assert told(store, job) == []


def test_a_job_cancelled_in_the_middle_keeps_its_suggestions(services, store, collection, model):
    job = start_preparation(services, order_for(collection, model))
    cancel = lambda n: queue.cancel_job(services, job) if n == 2 else None  # noqa: E731

    ended = do(services, job, Stub(between(services, model, cancel)))

    assert ended.state == "cancelled"
    assert len(told(store, job)) == ended.done == 2


def test_a_request_of_a_person_interrupts_a_batch_and_is_done_first(
    services, store, collection, model, keys
):
    job = start_preparation(services, order_for(collection, model))
    asked = []

    def ask(n):
        if n == 2:
            asked.append(queue.request_suggestion(services, keys[-1]))

    interrupted = do(services, job, Stub(between(services, model, ask)))
    do(services, asked[0])
    ended = do(services, job)

    assert (interrupted.state, interrupted.done) == ("queued", 2)
    assert store.samples.suggestion(keys[-1]).model_id == model
    assert told(store, job) == keys[:-1]
    assert ended.state == "done"


def test_what_is_asked_for_goes_first_and_what_a_promotion_renews_goes_last():
    order = ["suggest", "evaluate", "annotate", "prepare", "audit", "renew"]

    assert sorted(order, key=lambda kind: -PRIORITY[kind]) == order
    assert PRIORITY["renew"] == min(PRIORITY.values())


# ---------------------------------------------------------------- a server that is away


class Away:
    """A backend whose server does not answer until it is back."""

    def __init__(self, backend) -> None:
        self.backend, self.is_back = backend, False
        self.model_id, self.decoding = backend.model_id, backend.decoding
        self.reads = backend.reads
        self.prompting, self.fits = backend.prompting, backend.fits

    def suggest(self, samples, schema, **more):
        if not self.is_back:
            raise ModelUnreachable("the server http://127.0.0.1:1 does not answer")
        return self.backend.suggest(samples, schema, **more)


def test_a_job_waits_for_a_server_ever_longer_and_goes_on_when_it_is_back(
    services, store, collection, model, keys
):
    away = Away(WarmModel(services).get(store.models.get(model)))
    job = start_preparation(services, order_for(collection, model))
    waits = []

    for _ in range(8):
        before = datetime.now(UTC)
        waiting = do(services, job, Stub(away))
        assert waiting.state == "waiting"
        waits.append((waiting.again - before).total_seconds())
        queue_due(services)  # not yet
        assert store.jobs.get(job).state == "waiting"
        resume_job(services, job)
    do(services, job, Stub(away))
    store.jobs.wait(job, waiting.message, until=datetime.now(UTC) - timedelta(seconds=1))
    queue_due(services)
    away.is_back = True
    ended = do(services, job, Stub(away))

    planned = [5, 10, 20, 40, 80, 160, 300, 300]
    assert all(least <= waited < 2 * least for least, waited in zip(planned, waits, strict=True))
    assert "does not answer" in waiting.message
    assert (ended.state, ended.tries, ended.message) == ("done", 0, "")
    assert told(store, job) == keys


def test_a_person_who_waits_is_told_at_once_that_a_server_is_away(services, store, model, keys):
    away = Away(WarmModel(services).get(store.models.get(model)))

    ended = do(services, queue.request_suggestion(services, keys[0]), Stub(away))

    assert (ended.state, "does not answer" in ended.message) == ("failed", True)
