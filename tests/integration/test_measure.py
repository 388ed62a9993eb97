"""A short measurement before a run: real steps in a process of their own, and words where it fails."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core.samples import Sample
from core.schema import EventType, Role, Schema
from tests.integration.sentences import labelled
from train.forecast import foresee
from train.jobs import handle_job
from train.queue import request_suggestion, start_measurement
from train.recipes import Recipe
from train.register import register_model
from train.services import Services
from train.warm import WarmModel

SCHEMA = Schema((EventType("launch", roles=(Role("agent"),)),))
RECIPE = replace(Recipe.laptop(), rank=2, alpha=4, batch_size=2)
WORDS = {
    "zh": ("🚀华为星期二在深圳发布新芯片{}号", "发布", "华为"),
    "ru": ("Вега выпустила новый чип {} в Казани", "выпустила", "Вега"),
}


@pytest.fixture
def services(home, store, tiny_model, monkeypatch) -> Services:
    services = Services(home, store)
    monkeypatch.setattr("train.launch.count_gpus", lambda: 0)
    collection = store.collections.create("замер 测量", SCHEMA)
    samples = [labelled(WORDS, code, n, "train") for code in WORDS for n in range(3)]
    store.samples.add(collection.id, samples, schema_number=1)
    register_model(services, str(tiny_model), "Tiny")
    tiny = next(m.id for m in store.models.all() if m.location == str(tiny_model))
    store.models.promote(collection.id, tiny, previous_id=tiny, person=None, reason="", scores={})
    return services


def test_a_measurement_is_what_the_next_forecast_is_made_of(services):
    collection = services.store.collections.get("замер 测量").id
    before = foresee(services, collection, RECIPE, launch="one_cpu")

    job = start_measurement(services, collection, RECIPE)
    handle_job(services, WarmModel(services), job)

    done = services.store.jobs.get(job)
    after = foresee(services, collection, RECIPE, launch="one_cpu")
    assert (done.state, before.pace.source, after.pace.source) == ("done", "rule", "measured")
    assert after.pace.tokens_per_second == done.payload["tokens_per_second"] > 0
    assert done.payload["memory"] > 50_000_000
    assert services.store.runs.all() == []


def test_a_measurement_gives_way_to_a_person_and_is_made_afterwards(services):
    collection = services.store.collections.get("замер 测量").id
    job = start_measurement(services, collection, RECIPE)
    key = services.store.samples.add(
        collection, [Sample("к-1", "ru", "text", "Вега выпустила чип.")], schema_number=1
    )[0]
    asked = request_suggestion(services, key)

    handle_job(services, WarmModel(services), job)

    assert services.store.jobs.get(job).state == "queued"
    services.store.jobs.cancel(asked)
    handle_job(services, WarmModel(services), job)
    assert services.store.jobs.get(job).state == "done"


def test_a_measurement_that_cannot_be_made_says_why(services):
    collection = services.store.collections.get("замер 测量").id

    job = start_measurement(services, collection, replace(RECIPE, max_tokens=16))
    handle_job(services, WarmModel(services), job)

    done = services.store.jobs.get(job)
    assert done.state == "failed"
    assert "every sample is longer than max_tokens (16)" in done.message
