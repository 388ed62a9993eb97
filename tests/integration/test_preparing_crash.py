"""A worker that is killed while it prepares suggestions repeats none and loses none."""

from __future__ import annotations

import random
import time

import pytest

from core.records import SampleFilter
from tests.integration.preparing_data import (
    SCHEMA,
    add_script,
    make_samples,
    order_for,
    start_worker,
    told,
    use,
    wait_for,
)
from train.preparing import start_preparation
from train.services import Services


@pytest.mark.parametrize(
    ("count", "kills", "seed"),
    [
        (800, 4, 1),
        pytest.param(10_000, 8, 3, marks=pytest.mark.slow),
        pytest.param(10_000, 8, 4, marks=pytest.mark.slow),
    ],
)
def test_a_killed_worker_repeats_no_suggestion_and_loses_none(home, store, count, kills, seed):
    services, chance = Services(home, store), random.Random(seed)
    collection = store.collections.create("работа", SCHEMA).id
    keys = store.samples.add(collection, make_samples(count), schema_number=1)
    model = add_script(services, "script")
    use(store, collection, model)
    job = start_preparation(services, order_for(collection, model), person="Анна")

    stops = sorted(chance.sample(range(1, count - 100), kills))
    left_at = []
    for stop in stops:
        worker = start_worker(services)
        wait_for(lambda stop=stop: store.jobs.get(job).done >= stop)
        time.sleep(chance.random() / 20)  # anywhere in a batch, or between two
        worker.kill()
        worker.wait()
        left_at.append(store.jobs.get(job).done)
        assert len(told(store, job)) == left_at[-1]
    worker = start_worker(services)
    wait_for(lambda: store.jobs.get(job).state == "done")
    worker.kill()
    worker.wait()

    assert left_at[0] < count
    assert told(store, job) == sorted(keys)
    assert store.jobs.get(job).done == count
    assert all(store.samples.suggestion(key).events for key in keys[:8])
    assert store.samples.count(SampleFilter(states=["suggested"])) == count
