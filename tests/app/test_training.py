"""Training: the plan before, the run while, the history after."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from core.records import LossPoint
from tests.app.data import BASE, SCHEMA, add_demo, add_run, add_score, make_sample
from train.recipes import Recipe, recipe_to_dict


def said(app) -> str:
    parts = [*app.markdown, *app.caption, *app.warning, *app.error, *app.info]
    return "\n".join(str(element.value) for element in parts)


def points(n: int) -> list[LossPoint]:
    return [LossPoint(i + 1, i / 10, 3 - i / 10, 1e-4, 100.0, 2.0 * (i + 1)) for i in range(n)]


def test_the_plan_is_said_in_words_before_anything_starts(open_page, services):
    add_demo(services)

    app = open_page("training")

    assert "**12 corrected samples**: English 3, Chinese 3, Spanish 3, Russian 3" in said(app)
    assert "Judged on the test split, 8 samples" in said(app)
    assert "Russian" in app.caption[0].value
    assert services.store.runs.all() == []


def test_both_presets_are_visible_editable_and_shown_as_a_command(open_page, services):
    add_demo(services)
    app = open_page("training")

    app.number_input(key="recipe_laptop_rank").set_value(8).run()
    laptop = app.code[0].value
    app.segmented_control(key="preset").set_value("paper").run()

    assert "--collection demo --preset laptop --set rank=8" in laptop
    assert app.number_input(key="recipe_paper_rank").value == 128
    assert app.number_input(key="recipe_paper_max_tokens").value == 9300
    assert app.number_input(key="recipe_paper_learning_rate").value == 1e-5


def test_a_setting_that_cannot_work_is_named_and_nothing_starts(open_page, services):
    add_demo(services)
    app = open_page("training")

    app.number_input(key="recipe_laptop_batch_size").set_value(0).run()

    assert "batch_size" in app.error[0].value
    assert app.button(key="retrain").disabled


def test_retrain_queues_one_run_under_the_persons_name(open_page, services):
    record = add_demo(services)
    app = open_page("training")

    app.number_input(key="recipe_laptop_epochs").set_value(1.0).run()
    app.button(key="retrain").click().run()

    runs = services.store.runs.all(record.id)
    assert not app.exception
    assert [(r.state, r.recipe["epochs"]) for r in runs] == [("queued", 1.0)]
    assert app.get("progress")[0].proto.text == "Run 1 waits for the worker"


def test_a_second_run_is_queued_behind_the_first_and_says_so(open_page, services):
    record = add_demo(services)
    first = add_run(services, record, state="running", step=3, total_steps=9)
    app = open_page("training")

    before = said(app)
    app.button(key="retrain").click().run()

    assert f"Starts after run {first}." in before
    assert [r.state for r in services.store.runs.all(record.id)] == ["queued", "running"]
    assert f"Starts after run {first + 1}." in said(app)
    assert not app.button(key="retrain").disabled


def test_a_running_run_shows_its_step_and_the_time_left(open_page, services):
    record = add_demo(services)
    run = add_run(
        services, record, state="running", step=30, total_steps=90, started=datetime.now(UTC)
    )
    services.store.runs.add_losses(run, points(30))

    app = open_page("training")

    bar = app.get("progress")[0].proto
    assert bar.value == 33
    assert bar.text == "Run 1: step 30 of 90, loss 0.100, about 2 min left"
    assert app.get("plotly_chart")


def test_a_failed_run_says_why(open_page, services):
    record = add_demo(services)
    run = add_run(services, record, state="running")
    services.store.runs.finish(
        run, "failed", "this machine has too little memory: use a smaller batch"
    )

    app = open_page("training")

    assert "too little memory" in app.error[0].value


def test_a_run_is_shown_with_its_scores_per_language_against_its_base(open_page, services):
    record = add_demo(services)
    add_score(services, record, BASE, 12.5)
    run = add_run(services, record)
    add_score(services, record, f"run-{run}", 50.0)

    app = open_page("training")

    table = next(e.value for e in app.table if "Triggers, accuracy" in e.value.index)
    assert table.loc["Triggers, accuracy", "Chinese"] == "12.5 → 50.0"
    assert table.loc["Arguments, F1 (Arg-C)", "All"] == "12.5 → 50.0"
    assert "test split, 8 samples" in said(app)


def test_scores_on_other_samples_are_not_put_before_a_runs_own(open_page, services):
    record = add_demo(services)
    add_score(services, record, BASE, 12.5)
    new = make_sample("zh", "later", split="test", labelled=True)
    services.store.samples.add(record.id, [new], schema_number=1)
    run = add_run(services, record)
    add_score(services, record, f"run-{run}", 50.0)

    app = open_page("training")

    table = next(e.value for e in app.table if "Triggers, accuracy" in e.value.index)
    assert table.loc["Triggers, accuracy", "Chinese"] == "50.0"
    assert "the base model, has no score on the same samples" in said(app)


def test_the_recipe_of_a_past_run_is_put_into_the_form(open_page, services):
    record = add_demo(services)
    run = add_run(services, record)
    recipe = recipe_to_dict(replace(Recipe.paper(), rank=16, per_language=2))
    services.store.runs.update(run, recipe=recipe)
    app = open_page("training")

    app.button(key=f"recipe_run_{run}").click().run()
    shown = app.code[0].value
    app.button(key="retrain").click().run()

    assert not app.exception
    assert app.segmented_control(key="preset").value == str(run)
    assert "--preset paper --set rank=16 --per-language 2" in shown
    assert services.store.runs.all(record.id)[0].recipe == recipe


def test_a_past_recipe_that_can_no_longer_be_used_says_why(open_page, services):
    record = add_demo(services)
    run = add_run(services, record)
    services.store.runs.update(run, recipe={"rank": 0})
    app = open_page("training")

    app.button(key=f"recipe_run_{run}").click().run()

    assert any("Rank must be from 1" in error.value for error in app.error)
    assert app.segmented_control(key="preset").value == "laptop"


def test_a_sweep_with_a_run_that_cannot_work_starts_none_of_them(open_page, services, monkeypatch):
    record = add_demo(services)
    app = open_page("training")
    usage = type("Usage", (), {"free": 1_000_000})
    monkeypatch.setattr("train.forecast.shutil.disk_usage", lambda _: usage)

    app.button(key="start_curve").click().run()

    assert sum("free some space" in error.value for error in app.error) == 2
    assert services.store.runs.all(record.id) == []


def test_deleting_a_run_names_what_it_frees(open_page, services):
    record = add_demo(services)
    run = add_run(services, record)
    folder = services.home.runs / str(run)
    folder.mkdir(parents=True)
    (folder / "adapter.safetensors").write_bytes(b"0" * 2_000_000)
    app = open_page("training")

    app.button(key=f"delete_run_{run}").click().run()
    named = said(app)
    app.button(key=f"delete_run_{run}_yes").click().run()

    assert "frees 2 MB" in named
    assert not folder.exists()
    assert services.store.runs.all() == []


def test_nothing_to_train_on_leads_to_review(open_page, services):
    services.store.collections.create("空", SCHEMA)
    services.store.models.add(BASE, title="Tiny", state="base", location="/nowhere")

    app = open_page("training")

    assert not app.exception
    assert app.button(key="retrain").disabled
    assert "nothing to train on" in said(app)


def outcomes(right: set[str]) -> list[dict]:
    """The eight test samples of the demo, those in `right` without an error."""
    return [
        {"id": f"{code}-test-{i}", "group": f"{code}{i}", "language": code, "modality": "text",
         "tri_c": [1, 1, int(code in right)], "arg_c": [1, 1, 1]}
        for code in ("en", "zh", "es", "ru") for i in range(2)
    ]  # fmt: skip


def test_two_runs_stand_beside_each_other_with_what_differs(open_page, services):
    record = add_demo(services)
    for value, right, seed in ((40.0, {"zh", "en"}, 0), (55.0, {"zh", "ru"}, 7)):
        run = add_run(services, record, snapshot={"hash": "abc", "samples": 12})
        recipe = services.store.runs.get(run).recipe | {"seed": seed}
        services.store.runs.update(run, recipe=recipe)
        services.store.runs.add_losses(run, points(12))
        add_score(services, record, f"run-{run}", value, outcomes=outcomes(right))

    app = open_page("training")

    assert not app.exception
    recipe = next(e.value for e in app.table if "Setting" in e.value.columns)
    assert recipe.to_dict("records") == [{"Setting": "Seed", "Run 1": "0", "Run 2": "7"}]
    assert "**2 samples won**" in said(app)
    assert "**2 samples lost**" in said(app)
    assert "+0.0 points, 95 % of 2,000 draws" in said(app)


def test_one_run_alone_says_what_a_second_one_will_bring(open_page, services):
    record = add_demo(services)
    add_run(services, record)

    app = open_page("training")

    assert "With a second one" in said(app)


def test_the_mean_of_two_runs_is_queued_and_says_of_which(open_page, services):
    record = add_demo(services)
    first, second = add_run(services, record), add_run(services, record)
    app = open_page("training")
    assert app.button(key="average_do").disabled

    app.multiselect(key="average_runs").set_value(services.store.runs.all(record.id)).run()
    app.button(key="average_do").click().run()

    run = services.store.runs.all(record.id)[0]
    assert not app.exception
    assert (run.state, set(run.mean_of)) == ("queued", {first, second})
    services.store.runs.update(run.id, state="running")
    bar = app.run().get("progress")[0].proto
    assert bar.text == f"Run {run.id}: averaging other runs"
    services.store.runs.finish(run.id, "done")
    app.run().selectbox(key="compare_this").select_index(0).run()
    assert f"mean of runs {first}, {second}" in said(app)
    recipe = next(e.value for e in app.table if "Setting" in e.value.columns)
    assert ["Mean of runs", "–", f"{first}, {second}"] in recipe.to_numpy().tolist()


def test_means_are_offered_where_two_runs_have_a_model(open_page, services):
    record = add_demo(services)
    add_run(services, record)

    app = open_page("training")

    assert not [b for b in app.button if b.key == "average_do"]


def test_a_sweep_is_queued_from_the_page_and_read_as_one_table(open_page, services):
    record = add_demo(services)
    app = open_page("training")

    app.text_input(key="sweep_values_0_rank").set_value("8 16; 32").run()
    app.button(key="start_sweep").click().run()

    runs = services.store.runs.all(record.id)
    assert not app.exception
    assert [(r.recipe["rank"], r.recipe["alpha"]) for r in runs[::-1]] == [
        (8, 16),
        (16, 32),
        (32, 64),
    ]
    table = next(e.value for e in app.table if "LoRA rank" in e.value.columns)
    assert list(table["LoRA rank"]) == ["8", "16", "32"]
    assert "0 of 3 runs have ended" in said(app)


def test_several_seeds_and_their_mean_are_one_click(open_page, services):
    record = add_demo(services)
    app = open_page("training")

    app.number_input(key="seeds_count").set_value(2).run()
    app.button(key="start_seeds").click().run()

    *_, mean = runs = services.store.runs.all(record.id)[::-1]
    assert not app.exception
    assert [r.recipe["seed"] for r in runs] == [0, 1, 0]
    assert mean.mean_of == (runs[0].id, runs[1].id)
    table = next(e.value for e in app.table if "Seed" in e.value.columns)
    assert list(table["Seed"]) == ["0", "1", "mean"]


def test_a_value_that_cannot_be_swept_is_named_and_nothing_starts(open_page, services):
    record = add_demo(services)
    app = open_page("training")

    app.text_input(key="sweep_values_0_rank").set_value("8 много").run()

    assert "'много'" in app.error[0].value
    assert services.store.runs.all(record.id) == []


def test_a_learning_curve_is_one_click_and_the_advice_says_that_it_is_missing(open_page, services):
    record = add_demo(services)
    app = open_page("training")

    unknown = said(app)
    app.button(key="start_curve").click().run()

    assert "A learning curve answers it" in unknown
    sizes = [r.recipe["per_language"] for r in services.store.runs.all(record.id)[::-1]]
    assert sizes == [1, 2, None]
