"""Training: what a person does with a run, what is refused before one starts, and where it runs."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from core.records import LossPoint
from tests.app.data import BASE, add_demo, add_run
from train import launch
from train.carrier import open_queue
from train.checkpoint import save_checkpoint
from train.fitting import checkpoints_of, freeze_run, run_folder
from train.recipes import Recipe, recipe_to_dict
from train.run_log import log_file


def said(app) -> str:
    parts = [*app.markdown, *app.caption, *app.warning, *app.error, *app.info]
    return "\n".join(str(element.value) for element in parts)


def labels(app) -> list[str]:
    return [button.label for button in app.button]


def points(n: int) -> list[LossPoint]:
    return [
        LossPoint(
            i + 1, i / 10, 3 - i / 10, 1e-4, 100.0, 2.0 * (i + 1), 2 << 30,
            *((2.5, 40.0, 30.0) if i % 5 == 4 else ()),
        )
        for i in range(n)
    ]  # fmt: skip


@pytest.fixture
def no_cards(monkeypatch) -> None:
    """A machine without an NVIDIA card, whatever this one has."""
    monkeypatch.setattr(launch, "count_gpus", lambda: 0)


@pytest.fixture
def record(services):
    return add_demo(services)


@pytest.fixture
def running(services, record) -> int:
    run = add_run(
        services, record, state="running", step=30, total_steps=90, started=datetime.now(UTC)
    )
    services.store.runs.add_losses(run, points(30))
    return run


def add_checkpoint(services, run_id: int, *, step: int = 20) -> None:
    """What a run has written when it was cut short: its frozen reviews and one checkpoint."""
    run = services.store.runs.get(run_id)

    def write(work: Path) -> None:
        for name in ("adapter_config.json", "adapter_model.safetensors", "optimiser.safetensors"):
            (work / name).write_bytes(b"{}")

    freeze_run(services, run, Recipe.from_run(run))
    progress = {"step": step, "best_loss": None, "best_step": 0, "stale": 0}
    facts = {"base_sha256": None, "progress": progress}
    save_checkpoint(checkpoints_of(services.home, run_id), step, write, facts=facts)


def queued_numbers(services) -> int:
    huey, _ = open_queue(services.home, "runs")
    return len(huey.pending())


# ---------------------------------------------------------------- a run under way


def test_the_scoring_of_a_trained_run_can_be_ended(open_page, services, running):
    services.store.runs.update(running, state="evaluating")
    app = open_page("training")

    app.button(key=f"skip_run_{running}").click().run()

    assert services.store.runs.get(running).cancel_requested
    assert "The scoring is ending" in "\n".join(c.value for c in app.caption)


@pytest.mark.parametrize(
    ("button", "cancelled", "paused", "told"),
    [
        ("pause", False, True, "Pausing"),
        ("keep", True, False, "what is learned until then is kept as a candidate"),
        ("cancel", True, True, "no model is made of it"),
    ],
)
def test_each_button_of_a_running_run_asks_for_its_end_and_says_so(
    open_page, services, running, button, cancelled, paused, told
):
    app = open_page("training")

    app.button(key=f"{button}_run_{running}").click().run()

    run = services.store.runs.get(running)
    assert not app.exception
    assert (run.cancel_requested, run.pause_requested) == (cancelled, paused)
    assert told in said(app)
    assert f"pause_run_{running}" not in [b.key for b in app.button]


def test_a_second_browser_sees_the_same_run_and_what_was_asked_of_it(
    open_page, services, running, newcomer
):
    app = open_page("training")
    app.button(key=f"pause_run_{running}").click().run()

    from streamlit.testing.v1 import AppTest

    other = AppTest.from_file(newcomer._script_path, default_timeout=30)
    other.run()
    other.switch_page("pages/training.py").run()

    assert "Pausing" in said(other)
    assert other.get("progress")[0].proto.text == app.get("progress")[0].proto.text


def test_a_paused_run_is_under_way_and_goes_on_where_it_was(open_page, services, record):
    run = add_run(services, record, state="paused", step=30, total_steps=90)
    app = open_page("training")

    shown = app.get("progress")[0].proto.text
    free = not app.button(key="retrain").disabled
    app.button(key=f"resume_run_{run}").click().run()

    assert shown == "Run 1 is paused at step 30 of 90"
    assert free  # a paused run does not have the machine
    assert services.store.runs.get(run).state == "queued"
    assert queued_numbers(services) == 1
    assert f"Starts after run {run}." in said(app)


def test_a_paused_run_is_kept_as_a_candidate(open_page, services, record):
    run = add_run(services, record, state="paused", step=20, total_steps=90)
    add_checkpoint(services, run)
    app = open_page("training")

    app.button(key=f"keep_run_{run}").click().run()

    kept = services.store.runs.get(run)
    assert not app.exception
    assert kept.model_id == f"{BASE}-run{run}"
    assert "its last checkpoint; what was learned until" in said(app)


def test_a_paused_run_that_is_cancelled_makes_no_model_and_can_be_resumed(
    open_page, services, record
):
    run = add_run(services, record, state="paused", step=20, total_steps=90)
    add_checkpoint(services, run)
    app = open_page("training")

    app.button(key=f"cancel_run_{run}").click().run()
    ended = services.store.runs.get(run)
    app.button(key=f"resume_run_{run}").click().run()

    assert (ended.state, ended.model_id) == ("cancelled", None)
    again = services.store.runs.get(run)
    assert (again.state, again.cancel_requested, again.pause_requested) == ("queued", False, False)


# ---------------------------------------------------------------- a run that has ended


def test_a_finished_run_is_continued_with_more_epochs(open_page, services, record):
    run = add_run(services, record, step=15, total_steps=15, snapshot={"samples": 12})
    add_checkpoint(services, run, step=15)
    app = open_page("training")

    app.number_input(key=f"more_epochs_{run}").set_value(2.0).run()
    app.button(key=f"continue_run_{run}_do").click().run()

    new = services.store.runs.all(record.id)[0]
    assert not app.exception
    assert (new.continues, new.state, new.step) == (run, "queued", 15)
    assert new.recipe["epochs"] == 7
    assert new.total_steps == 21
    assert queued_numbers(services) == 1


def test_a_run_that_broke_off_offers_to_go_on_or_to_keep_what_it_learned(
    open_page, services, record
):
    run = add_run(services, record, state="running", step=20, total_steps=90)
    add_checkpoint(services, run)
    services.store.runs.finish(run, "failed", "the process ended without a word")
    app = open_page("training")

    app.button(key=f"keep_run_{run}").click().run()

    assert services.store.runs.get(run).model_id == f"{BASE}-run{run}"
    assert f"resume_run_{run}" not in [b.key for b in app.button]


def test_what_cannot_be_done_with_a_run_is_said_at_its_place(open_page, services, record):
    run = add_run(services, record, step=15, total_steps=15, snapshot={"samples": 12})
    add_checkpoint(services, run, step=15)
    (run_folder(services.home, run) / "train.jsonl").unlink()
    app = open_page("training")

    app.button(key=f"continue_run_{run}_do").click().run()

    assert "could not be copied" in app.error[0].value
    assert len(services.store.runs.all(record.id)) == 1


def test_the_log_shows_its_newest_lines_and_is_handed_out_whole(open_page, services, running):
    path = log_file(services.home, running)
    path.parent.mkdir(parents=True)
    lines = [f"step {n} of 90, loss 1.2, модель 模型" for n in range(100)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")

    app = open_page("training")

    shown = next(c.value for c in app.code if "step 99 of 90" in c.value)
    assert "step 99 of 90, loss 1.2, модель 模型" in shown
    assert "step 10 of 90" not in shown
    assert "Download the whole log" in [d.proto.label for d in app.get("download_button")]


def test_all_curves_are_there_for_who_asks(open_page, services, running):
    app = open_page("training")
    before = len(app.get("plotly_chart"))

    app.session_state[f"curves_{running}"] = True
    app.run()

    assert before == 1
    drawn = app.get("plotly_chart")[1].proto.spec
    for title in ("Learning rate", "Tokens a second", "Memory, GiB", "Tr and Arg"):
        assert title in drawn


# ---------------------------------------------------------------- before the start


def test_samples_are_counted_by_type_and_language_and_the_paper_stands_beside(open_page, services):
    add_demo(services)

    app = open_page("training")

    table = next(e.value for e in app.table if "Samples with" in e.value.columns)
    assert table.to_dict("records") == [
        {"Samples with": "launch", "English": "3", "Chinese": "3", "Spanish": "3", "Russian": "3",
         "All": "12"},
    ]  # fmt: skip
    assert "Memory 4 × 1,024 × 4 bits = 16,384 bits" in said(app)
    assert "Steps 5 × 12 / 4 = 15" in said(app)


def test_samples_that_are_too_long_are_counted_and_named_by_language(open_page, real_base):
    app = open_page("training")
    whole = said(app)

    app.number_input(key="recipe_laptop_max_tokens").set_value(140).run()
    cut = said(app)

    assert "so none is cut or left out" in whole
    assert "3 longer than 140 tokens, left out: Russian 3." in cut
    assert "3 are longer than 140 and are left out whole: Russian 3." in cut
    assert not app.button(key="retrain").disabled


def test_a_limit_below_every_sample_is_refused_with_one_that_would_do(open_page, real_base):
    app = open_page("training")

    app.number_input(key="recipe_laptop_max_tokens").set_value(16).run()

    assert "Every sample is longer than max_tokens (16): raise it to 128" in app.error[0].value
    assert app.button(key="retrain").disabled


def test_memory_beyond_the_machine_is_refused_with_what_would_fit(
    open_page, real_base, monkeypatch
):
    monkeypatch.setattr("train.forecast.machine_memory", lambda **_: (1 << 30, 1 << 29))

    app = open_page("training")

    assert "GiB of memory is needed, and this machine has 1.0" in app.error[0].value
    assert app.button(key="retrain").disabled


def test_a_disk_that_is_too_full_is_refused(open_page, real_base, monkeypatch):
    usage = type("Usage", (), {"free": 1_000_000})
    monkeypatch.setattr("train.forecast.shutil.disk_usage", lambda _: usage)

    app = open_page("training")

    assert "free some space, delete old runs below" in app.error[0].value
    assert app.button(key="retrain").disabled


def test_the_time_is_that_of_the_last_run_with_its_date(open_page, services, real_base):
    run = add_run(services, real_base)
    services.store.runs.add_losses(run, points(10))

    app = open_page("training")

    assert "at 100 tokens a second, as run 1 went, " in said(app)
    assert "The last one took 2.0." in said(app)


def test_a_measurement_is_queued_once_and_its_figure_is_used(open_page, services, real_base):
    app = open_page("training")
    first = said(app)

    app.button(key="measure").click().run()
    job = services.store.jobs.open("measure")[0]
    services.store.jobs.change(
        job.id, {**job.payload, "base": BASE, "launch": "one_cpu", "tokens_per_second": 321.0,
                 "memory": 3 << 30},
    )  # fmt: skip
    services.store.jobs.finish(job.id, "done")
    app.run()

    assert "a rule of thumb for one core" in first
    assert job.payload["recipe"] == recipe_to_dict(Recipe.laptop())
    assert "at 321 tokens a second, as measured here" in said(app)


# ---------------------------------------------------------------- where it runs


@pytest.mark.parametrize(
    ("name", "command", "told"),
    [
        ("one_gpu", "-m train.runs RUN", "needs 1 NVIDIA card, and there is no NVIDIA card"),
        ("many_gpus", "many_gpus.yaml", "needs 2 NVIDIA cards"),
        ("sharded_gpus", "sharded_gpus.yaml", "No run was made with it yet"),
        ("many_machines", "--machine_rank 1", "A command on each machine"),
    ],
)
def test_a_profile_that_this_machine_has_not_is_a_command_and_no_button(
    open_page, record, no_cards, name, command, told
):
    app = open_page("training")

    app.selectbox(key="launch_profile").set_value(name).run()

    assert not app.exception
    assert any(command in code.value for code in app.code)
    assert told in said(app)
    assert app.button(key="retrain").disabled


def test_a_prepared_run_waits_for_its_command_and_leaves_the_button_free(
    open_page, services, record, no_cards
):
    app = open_page("training")
    app.selectbox(key="launch_profile").set_value("many_machines").run()

    app.button(key="prepare_run").click().run()
    app.selectbox(key="launch_profile").set_value("one_cpu").run()

    run = services.store.runs.all(record.id)[0]
    assert (run.launch, run.state) == ("many_machines", "queued")
    assert "waits for its command" in app.get("progress")[0].proto.text
    assert any(f"-m train.runs {run.id}" in code.value for code in app.code)
    assert not app.button(key="retrain").disabled


def test_two_cpu_processes_are_started_by_the_button(open_page, services, record, no_cards):
    app = open_page("training")

    app.selectbox(key="launch_profile").set_value("many_cpus").run()
    app.button(key="retrain").click().run()

    assert services.store.runs.all(record.id)[0].launch == "many_cpus"
    assert any("--nproc_per_node 2 -m train.runs RUN" in code.value for code in app.code)
    assert not any("argus train" in code.value for code in app.code)  # that runs one process


def test_8_bits_cannot_be_shared_between_cards(open_page, record, no_cards):
    app = open_page("training")

    app.selectbox(key="launch_profile").set_value("sharded_gpus").run()
    app.selectbox(key="recipe_laptop_quantisation").set_value("int8").run()

    assert "set quantisation to nf4" in said(app)
    assert app.button(key="prepare_run").disabled
