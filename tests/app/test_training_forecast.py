"""Training: what is said before a run holds for what is there now, and counts what is really shown."""

from __future__ import annotations

import json

import pytest

from tests.app.data import BASE, SCHEMA, TEXTS, add_demo, add_run, make_sample
from train.forecast import foresee
from train.recipes import Recipe

GIB = 1 << 30


def said(app) -> str:
    parts = [*app.markdown, *app.caption, *app.warning, *app.error, *app.info]
    return "\n".join(str(element.value) for element in parts)


@pytest.fixture
def full_disk(monkeypatch):
    """A disk whose free bytes a test sets."""
    usage = type("Usage", (), {"free": 1_000_000})
    monkeypatch.setattr("train.forecast.shutil.disk_usage", lambda _: usage)
    return usage


def test_space_that_was_freed_is_seen_at_the_next_look(open_page, real_base, full_disk):
    app = open_page("training")
    before = app.button(key="retrain").disabled

    full_disk.free = 10**12
    app.run()

    assert before
    assert not app.error
    assert not app.button(key="retrain").disabled


def test_another_base_makes_another_forecast(open_page, services, real_base, tiny_model):
    app = open_page("training")
    services.store.models.add("второй", title="Second", state="base", location=str(tiny_model))

    services.store.models.promote(
        real_base.id, "второй", previous_id=BASE, person=None, reason="", scores={}
    )
    app.run()

    assert "on второй." in said(app)


def test_the_plan_counts_what_is_shown_and_not_what_is_too_long(open_page, real_base):
    app = open_page("training")

    app.number_input(key="recipe_laptop_max_tokens").set_value(140).run()

    assert "**3 corrected samples**: Chinese 3" in said(app)
    assert "Steps 5 × 3 / 4 = 4" in said(app)


def test_repetitions_are_those_of_the_samples_that_are_shown(services, real_base):
    extra = [make_sample("zh", f"t{i}", split="train", labelled=True) for i in range(3)]
    services.store.samples.add(real_base.id, extra, schema_number=1)
    values = {"balance": "language", "max_tokens": 140}

    plan = foresee(services, real_base.id, Recipe(**values), launch="one_cpu").plan

    assert (plan.samples, plan.repeated, plan.by_language) == (6, 0, {"zh": 6})


def test_what_the_last_run_left_out_as_a_leak_is_not_counted(open_page, services, real_base):
    run = add_run(services, real_base)
    folder = services.home.runs / str(run)
    folder.mkdir(parents=True)
    leaks = [{"sample": name, "held_out": "x", "score": 0.99} for name in ("s0-ru", "gone")]
    (folder / "snapshot.json").write_text(json.dumps({"leaks": leaks}), encoding="utf-8")

    app = open_page("training")

    assert "**5 corrected samples**: Chinese 3, Russian 2" in said(app)
    assert "1 nearly repeat a dev or test sample and are left out" in said(app)


def test_the_time_says_that_the_scoring_comes_on_top(open_page, services, real_base):
    test = [make_sample(code, "t", split="test", labelled=True) for code in TEXTS]
    services.store.samples.add(real_base.id, test, schema_number=1)

    app = open_page("training")

    assert " without the scoring after it" in said(app)


def test_short_memory_is_answered_with_settings_that_would_fit(open_page, real_base, monkeypatch):
    monkeypatch.setattr("train.forecast.machine_memory", lambda **_: (64 * GIB, GIB))
    monkeypatch.setattr("train.forecast.estimate_memory", lambda *_, **__: {"weights": 2 * GIB})
    monkeypatch.setattr(
        "train.forecast.smaller_recipe", lambda *_, **__: {"gradient_checkpointing": True}
    )

    app = open_page("training")

    assert "close something; gradient" in said(app).replace("\\", "")
    assert "batch size" not in said(app).split("close something")[1].splitlines()[0]
    assert not app.button(key="retrain").disabled


def test_a_collection_without_samples_has_nothing_to_foresee(open_page, services):
    services.store.collections.create("空", SCHEMA)
    services.store.models.add(BASE, title="Tiny", state="base", location="/nowhere")

    app = open_page("training")

    assert "nothing to train on yet" in said(app)


def test_leaks_that_stayed_are_told_with_what_they_mean(open_page, services):
    record = add_demo(services)
    add_run(services, record, snapshot={"samples": 12, "leaks_kept": 7})

    app = open_page("training")

    assert "7 of its samples nearly repeat a held-out one" in app.warning[-1].value
    assert "scores flatter" in app.warning[-1].value
