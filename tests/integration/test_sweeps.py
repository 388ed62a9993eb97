"""Sweeps: recipes of a grid, the queue of their runs, and the advice read from them."""

from __future__ import annotations

import pytest

from core.errors import TrainingError
from core.events import Event, Mention
from core.samples import Sample
from core.schema import EventType, Schema
from train.evaluate import split_hash
from train.recipes import Recipe
from train.services import Services
from train.sweeps import (
    advise,
    cancel_sweep,
    curve_sizes,
    plan_sweep,
    start_seeds,
    start_sweep,
    sweep_runs,
    swept,
)

WORDS = {"zh": "发布", "ru": "запуск"}
N = 80


@pytest.fixture
def services(home, store) -> Services:
    return Services(home, store)


@pytest.fixture
def collection(services) -> int:
    """Two languages with 80 training and 40 test samples each, on a base model."""
    record = services.store.collections.create("новости 新闻", Schema((EventType("launch"),)))
    samples = [
        Sample(
            f"{code}-{split}-{i}", code, "text", f"{word} {split} {i}", split=split,
            events=(Event("launch", Mention(word, 0, len(word))),),
        )
        for code, word in WORDS.items()
        for split, n in (("train", N), ("test", 40))
        for i in range(n)
    ]  # fmt: skip
    services.store.samples.add(record.id, samples, schema_number=1)
    services.store.models.add("base", title="Base", state="base", location="/nowhere")
    return record.id


def test_a_grid_gives_every_combination_and_alpha_keeps_its_ratio():
    made = plan_sweep(Recipe.laptop(), {"rank": [8, 64], "learning_rate": [1e-4, 3e-4]})

    assert [(r.rank, r.alpha, r.learning_rate) for r in made] == [
        (8, 16, 1e-4), (8, 16, 3e-4), (64, 128, 1e-4), (64, 128, 3e-4),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("grid", "message"),
    [
        ({"rank": [8]}, "at least two values"),
        ({"colour": [1, 2]}, "'?colour'? cannot be swept"),
        ({"rank": list(range(1, 30))}, "29 runs are more"),
        ({"rank": [8, 0]}, "rank must be from 1"),
    ],
)
def test_a_grid_that_cannot_work_is_refused_with_the_reason(grid, message):
    with pytest.raises(TrainingError, match=message):
        plan_sweep(Recipe.laptop(), grid)


def test_a_sweep_is_a_queue_of_runs_that_can_be_cancelled_together(services, collection):
    recipes = plan_sweep(Recipe.laptop(), {"rank": [8, 16], "quantisation": ["nf4", "none"]})

    name = start_sweep(services, collection, recipes, person="Вера")

    runs = sweep_runs(services, collection, name)
    assert [r.state for r in runs] == ["queued"] * 4
    assert swept(runs) == ["rank", "quantisation"]
    assert "rank" in name
    cancel_sweep(services, collection, name)
    assert {r.state for r in sweep_runs(services, collection, name)} == {"cancelled"}


def test_seeds_are_trained_one_after_another_and_their_mean_at_the_end(services, collection):
    name = start_seeds(services, collection, Recipe(seed=5), 3, person="Вера")

    runs = sweep_runs(services, collection, name)
    assert [(r.recipe["seed"], r.mean_of) for r in runs] == [
        (5, ()), (6, ()), (7, ()), (5, tuple(r.id for r in runs[:3])),
    ]  # fmt: skip
    assert swept(runs) == ["seed"]
    cancel_sweep(services, collection, name)
    assert {r.state for r in sweep_runs(services, collection, name)} == {"cancelled"}


def add_scored_run(services: Services, collection: int, size: int | None, shares: dict) -> None:
    """A finished run on `size` samples a language whose model finds a share of the test events."""
    recipe = plan_sweep(Recipe.laptop(), {"per_language": [size, 1]})[0]
    name = start_sweep(services, collection, [recipe], name="sizes")
    run = sweep_runs(services, collection, name)[-1]
    model = f"run-{run.id}"
    services.store.models.add(
        model, title=model, state="candidate", base_id="base", location="/x", run_id=run.id,
        collection_id=collection,
    )  # fmt: skip
    n = size or N
    services.store.runs.update(
        run.id, model_id=model, snapshot={"by_language": dict.fromkeys(shares, n)}
    )
    services.store.runs.finish(run.id, "done")
    counts = {
        code: [[1, 1, int(i < share * 40)] for i in range(40)] for code, share in shares.items()
    }
    services.store.models.add_evaluation(
        collection_id=collection, model_id=model, split="test", samples=80,
        test_hash=split_hash(services, collection, "test"), scores={}, settings={}, seconds=1,
        outcomes=[
            {"id": f"{code}{i}", "group": f"{code}{i}", "language": code, "modality": "text",
             "tri_c": row, "arg_c": row, "types": {"launch": row}}
            for code, rows in counts.items() for i, row in enumerate(rows)
        ],
    )  # fmt: skip


def test_the_advice_sends_people_where_the_curve_still_rises(services, collection):
    for size, zh in ((20, 0.2), (40, 0.35), (None, 0.5)):
        add_scored_run(services, collection, size, {"zh": zh, "ru": 0.6})

    advice = {(a.kind, a.name): a.forecast for a in advise(services, collection)}

    assert list(advice) == [("language", "zh"), ("language", "ru"), ("type", "launch")]
    assert advice["language", "zh"].gain > 5 > advice["language", "ru"].gain
    assert advice["language", "zh"].n == N
    assert advice["type", "launch"].n == 2 * N


def test_a_mean_of_runs_is_no_point_of_a_learning_curve(services, collection):
    for size in (20, None):
        add_scored_run(services, collection, size, {"zh": 0.2, "ru": 0.2})
    before = advise(services, collection)
    add_scored_run(services, collection, None, {"zh": 0.9, "ru": 0.9})
    mean = services.store.runs.all(collection)[0].id
    assert advise(services, collection) != before

    services.store.runs.update(mean, mean_of=[1, 2])

    assert advise(services, collection) == before


def test_one_size_gives_no_advice_and_the_sizes_to_try_are_shares_of_what_there_is(
    services, collection
):
    add_scored_run(services, collection, None, {"zh": 0.5, "ru": 0.5})

    assert advise(services, collection) == []
    assert curve_sizes(services, collection) == [20, 40, None]
