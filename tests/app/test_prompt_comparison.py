"""The Models page says how a model is asked, compares other ways, and uses the best."""

from __future__ import annotations

import pytest

from core.prompts import EXAMPLES, NATIVE, ZERO_SHOT
from core.strategy import Strategy, strategy_to_dict
from tests.app.data import BASE, TEXTS, add_demo, make_sample
from train.comparison import strategies_to_compare
from train.strategies import choose_strategies, chosen_strategies

BEST = {"en": Strategy(EXAMPLES, 4), "zh": Strategy(NATIVE, 4), "es": Strategy(NATIVE, 4),
        "ru": Strategy(EXAMPLES, 2)}  # fmt: skip


def said(app) -> str:
    parts = [*app.markdown, *app.caption, *app.warning, *app.error, *app.info, *app.success]
    return "\n".join(str(element.value) for element in parts)


def part(value: float) -> dict[str, object]:
    triple = {"p": value, "r": value, "f1": value, "pred": 8, "gold": 8, "match": 4}
    return {
        "tri_i": triple, "tri_c": triple, "arg_i": triple, "arg_c": triple,
        "tr_accuracy": value, "tr_correct": 4, "tr_gold": 8,
        "arg_accuracy": value, "arg_correct": 4, "arg_gold": 8,
    }  # fmt: skip


@pytest.fixture
def collection(services):
    record = add_demo(services)
    dev = [make_sample(c, f"d{n}", split="dev", labelled=True) for c in TEXTS for n in range(2)]
    services.store.samples.add(record.id, dev, schema_number=1)
    return record.id


@pytest.fixture
def results(services, collection):
    """A comparison in which each language has a best way."""
    model = services.store.models.get(BASE)
    for strategy in strategies_to_compare(services, collection, model):
        by_language = {c: part(60.0 if BEST[c] == strategy else 20.0) for c in TEXTS}
        services.store.models.add_evaluation(
            collection_id=collection, model_id=BASE, split="dev", test_hash="x", samples=8,
            scores={"overall": part(25.0), "by_language": by_language}, outcomes=[], seconds=12.0,
            settings={
                "comparison": "job 1", "strategy": strategy_to_dict(strategy), "asked_twice": 3,
                "problems": {"missing_role": 1200} if strategy == Strategy(ZERO_SHOT) else {},
            },
        )  # fmt: skip
    return collection


def test_the_way_in_use_is_said_and_nothing_compared_yet_is_no_dead_end(open_page, collection):
    app = open_page("models")

    text = said(app)
    assert (
        "Instructions in English, 4 reviewed examples: English, Chinese, Spanish and Russian."
        in text
    )
    assert "This is the default." in text
    assert "were not compared yet" in text
    assert "6 ways on 8 samples of dev, about " in text


def test_without_reviewed_dev_samples_the_page_says_what_to_do(open_page, services):
    add_demo(services)

    app = open_page("models")

    assert "there are none yet: review some" in said(app)
    assert f"compare_{BASE}" not in {b.key for b in app.button}


def test_one_press_queues_the_comparison_and_it_can_be_cancelled(open_page, services, collection):
    app = open_page("models")

    app.button(key=f"compare_{BASE}").click().run()
    job = services.store.jobs.open("compare")[0]
    shown = [p.proto.text for p in app.get("progress")]
    app.button(key=f"cancel_job_{job.id}").click().run()

    assert not app.exception
    assert len(job.payload["strategies"]) == 6
    assert any(f"Comparing prompts of {BASE}" in text for text in shown)
    assert services.store.jobs.get(job.id).state == "cancelled"


def test_replies_without_a_grammar_are_compared_too_where_that_is_wanted(
    open_page, services, collection
):
    app = open_page("models")

    app.checkbox(key=f"with_free_{BASE}").check().run()
    told = said(app)
    app.button(key=f"compare_{BASE}").click().run()

    asked = services.store.jobs.open("compare")[0].payload["strategies"]
    assert "11 ways on 8 samples of dev" in told
    assert [strategy["is_free"] for strategy in asked].count(True) == 5
    assert not app.exception


def test_the_best_of_each_language_is_marked_and_used_at_a_press(open_page, services, results):
    app = open_page("models")
    table = next(t.value for t in app.table if "Way of asking" in t.value)

    app.button(key=f"use_best_{BASE}").click().run()

    rows = table.set_index("Way of asking")
    assert rows.loc["Instructions in English, 4 reviewed examples", "English"] == (
        "**60.0\u00a0/\u00a060.0** (60.0\u00a0/\u00a060.0)"
    )
    assert (
        rows.loc["Instructions with a made-up example", "Russian"]
        == "20.0\u00a0/\u00a020.0 (20.0\u00a0/\u00a020.0)"
    )
    assert rows.loc["Instructions with a made-up example", "Problems"] == "1,200"
    assert rows.loc["Instructions with a made-up example", "Seconds a sample"] == "1.5"
    assert not app.exception
    assert choose_strategies(services, results, services.store.models.get(BASE), TEXTS) == BEST
    assert "by Ana" in said(app)
    assert f"use_best_{BASE}" not in {b.key for b in app.button}


def test_one_press_goes_back_to_the_default(open_page, services, results):
    app = open_page("models")
    app.button(key=f"use_best_{BASE}").click().run()

    app.button(key=f"default_{BASE}").click().run()

    assert chosen_strategies(services, results, BASE) == {}
    assert "This is the default." in said(app)
    assert f"use_best_{BASE}" in {b.key for b in app.button}


def test_a_comparison_that_failed_says_why(open_page, services, results):
    job = services.store.jobs.add("compare", {"collection": results, "model": BASE})
    services.store.jobs.finish(job, "failed", "the folder /нет has no weights")

    app = open_page("models")

    assert any("/нет has no weights" in error.value for error in app.error)
    assert f"compare_{BASE}" in {b.key for b in app.button}
