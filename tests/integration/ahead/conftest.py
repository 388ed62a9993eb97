"""Forty samples that wait, and a scripted model in use, for the tests of work ahead."""

from __future__ import annotations

import pytest

from tests.integration.preparing_data import SCHEMA, add_script, make_samples, use
from train.services import Services


@pytest.fixture
def services(home, store, monkeypatch) -> Services:
    monkeypatch.setattr("train.watch.LOOK", 0.0)  # a script is quicker than the worker looks up
    return Services(home, store)


@pytest.fixture
def collection(store) -> int:
    made = store.collections.create("работа", SCHEMA).id
    store.samples.add(made, make_samples(40), schema_number=1)
    return made


@pytest.fixture
def model(services, collection) -> str:
    name = add_script(services, "script")
    use(services.store, collection, name)
    return name


@pytest.fixture
def keys(store, collection, model) -> list[int]:
    return store.samples.keys(collection_id=collection)
