"""A run that cannot work is refused before it is written down, by a queue and a terminal alike."""

from __future__ import annotations

import pytest

import cli
from core.errors import TrainingError
from core.samples import Sample
from core.schema import EventType, Schema
from train.queue import start_run
from train.recipes import Recipe
from train.services import Services


@pytest.fixture
def services(home, store, monkeypatch) -> Services:
    """A collection with one training sample, a base, and a disk that is full."""
    monkeypatch.setattr("train.launch.count_gpus", lambda: 0)
    usage = type("Usage", (), {"free": 1_000_000})
    monkeypatch.setattr("train.forecast.shutil.disk_usage", lambda _: usage)
    record = store.collections.create("新闻", Schema((EventType("launch"),)))
    sample = Sample("один", "ru", "text", "Ракета стартовала.", split="train", events=())
    store.samples.add(record.id, [sample], schema_number=1)
    store.models.add("base", title="Base", state="base", location="/nowhere")
    return Services(home, store)


def test_a_run_that_cannot_work_is_not_queued(services):
    collection = services.store.collections.get("新闻").id

    with pytest.raises(TrainingError, match=r"GB are free at .*: free some space"):
        start_run(services, collection, Recipe.laptop())

    assert services.store.runs.all() == []


def test_an_unknown_launch_profile_is_named_with_those_there_are(services):
    collection = services.store.collections.get("新闻").id

    with pytest.raises(TrainingError, match="no launch profile 'облако': choose one of one_cpu"):
        start_run(services, collection, Recipe.laptop(), launch="облако")


def test_the_terminal_refuses_it_with_the_same_words(services, monkeypatch, capsys):
    monkeypatch.setattr(cli, "_services", lambda: services)

    code = cli.main(["train", "--collection", "新闻"])

    assert code == 1
    assert "free some space, delete old runs below" in capsys.readouterr().err
    assert services.store.runs.all() == []
