"""Training runs on a tiny model: paused, resumed, kept, continued, ended early, or ended by a fault."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from dataclasses import replace

import pytest

from core.errors import ModelError, RefusedError, TrainingError
from core.events import Event, span
from core.samples import Sample
from core.schema import EventType, Role, Schema
from storage.home import CHECKOUT
from train import qlora, registry, runs, steering
from train.fitting import checkpoints_of, run_folder
from train.launch import launch_command, launch_environment
from train.recipes import Recipe
from train.register import register_model
from train.services import Services, open_backend

RECIPE = replace(
    Recipe.laptop(), rank=4, alpha=8, dropout=0.1, batch_size=3, epochs=3, learning_rate=0.01,
    warmup_steps=0, checkpoint_steps=2, eval_samples=4, scored_samples=2,
)  # fmt: skip
STEPS = 12


@pytest.fixture
def tiny_copy(tiny_model, tmp_path):
    """The tiny model in a folder of this test's own, to be spoiled."""
    return shutil.copytree(tiny_model, tmp_path / "tiny")


@pytest.fixture
def services(home, store, tiny_copy):
    services = Services(home, store)
    made = store.collections.create("работа", Schema((EventType("启动", roles=(Role("кто"),)),)))
    texts = [("ru", f"Вега запустила чип {i}", 5, 14) for i in range(8)]
    texts += [("zh", f"华为发布芯片{i}号", 2, 4) for i in range(8)]
    samples = [
        Sample(f"s{i}", code, "text", text, split="dev" if i % 8 > 5 else "train",
               events=(Event("启动", span(text, start, end)),))
        for i, (code, text, start, end) in enumerate(texts)
    ]  # fmt: skip
    store.samples.add(made.id, samples, schema_number=1)
    register_model(services, str(tiny_copy), "Tiny")
    tiny = next(m.id for m in store.models.all() if m.location == str(tiny_copy))
    store.models.promote(made.id, tiny, previous_id=tiny, person=None, reason="", scores={})
    return services


@pytest.fixture
def collection(services):
    return services.store.collections.get("работа").id


def losses(services, run_id: int) -> dict[int, float]:
    return {p.step: p.loss for p in services.store.runs.losses(run_id)}


def execute(services, run_id: int, *, at: int | None = None, then=None) -> None:
    """Do a run without the scores after it; at a step something happens."""

    def say(_run, point, _text):
        if point is not None and point.step == at:
            then()

    runs.execute_run(services, run_id, say=say, judge=False)


@pytest.fixture
def straight(services, collection):
    """The losses of a run that nothing happened to."""
    run_id = runs.add_run(services, collection, RECIPE)
    execute(services, run_id)
    return losses(services, run_id)


def check_close(ours: dict[int, float], theirs: dict[int, float]) -> None:
    assert ours.keys() == theirs.keys()
    assert all(abs(ours[step] - theirs[step]) < 1e-3 for step in ours)


def test_a_run_writes_down_all_that_happened(services, collection):
    run_id = runs.add_run(services, collection, RECIPE)
    execute(services, run_id)

    run = services.store.runs.get(run_id)
    points = services.store.runs.losses(run_id)
    assert (run.state, run.step, run.total_steps) == ("done", STEPS, STEPS)
    assert [p.step for p in points] == list(range(1, STEPS + 1))
    assert all(p.memory > 0 and p.tokens_per_second > 0 for p in points)
    assert [p.step for p in points if p.eval_loss is not None] == [4, 8, 12]
    assert all(0 <= p.tr <= 100 for p in points if p.eval_loss is not None)
    manifest = services.store.models.get(run.model_id).manifest
    assert manifest["eval_loss"] == points[-1].eval_loss
    assert manifest["recipe"]["rank"] == 4
    assert len(manifest["base_sha256"]) == 64
    written = run_folder(services.home, run_id) / "adapter" / "argus.json"
    assert json.loads(written.read_text(encoding="utf-8"))["snapshot"] == run.snapshot["hash"]
    assert "loss" in runs.describe_step(run, points[-1])


def test_a_paused_run_goes_on_where_it_was(services, collection, straight):
    run_id = runs.add_run(services, collection, RECIPE)
    execute(services, run_id, at=5, then=lambda: steering.pause_run(services, run_id))
    paused = services.store.runs.get(run_id)

    steering.resume_run(services, run_id)
    execute(services, run_id)

    assert (paused.state, paused.step, paused.model_id) == ("paused", 5, None)
    assert "paused at step 5 of 12" in paused.reason
    run = services.store.runs.get(run_id)
    assert (run.state, run.reason) == ("done", "")
    check_close(losses(services, run_id), straight)


def test_a_run_keeps_to_the_reviews_that_it_began_with(services, collection, straight):
    run_id = runs.add_run(services, collection, RECIPE)
    execute(services, run_id, at=5, then=lambda: steering.pause_run(services, run_id))
    text = "Орбита открыла завод"
    late = Sample("поздний", "ru", "text", text, split="train", events=())
    services.store.samples.add(collection, [late], schema_number=1)

    steering.resume_run(services, run_id)
    execute(services, run_id)

    check_close(losses(services, run_id), straight)


def test_a_run_that_is_interrupted_by_a_shutdown_waits_in_the_queue(
    services, collection, straight, monkeypatch
):
    run_id = runs.add_run(services, collection, RECIPE)
    stop = runs._Stop
    execute(services, run_id, at=4, then=lambda: monkeypatch.setattr(stop, "asked", True))
    waiting = services.store.runs.get(run_id)
    monkeypatch.setattr(stop, "asked", False)

    execute(services, run_id)

    assert (waiting.state, waiting.model_id) == ("queued", None)
    assert services.store.runs.get(run_id).state == "done"
    check_close(losses(services, run_id), straight)


def test_a_cancelled_run_keeps_what_it_learned_and_cannot_be_resumed(services, collection):
    run_id = runs.add_run(services, collection, RECIPE)
    execute(services, run_id, at=5, then=lambda: steering.cancel_run(services, run_id))

    run = services.store.runs.get(run_id)
    assert (run.state, run.step) == ("cancelled", 5)
    assert services.store.models.get(run.model_id).state == "candidate"
    with pytest.raises(RefusedError, match="continue it with more epochs"):
        steering.resume_run(services, run_id)


def test_a_paused_run_that_is_cancelled_becomes_a_candidate_that_works(services, collection):
    run_id = runs.add_run(services, collection, RECIPE)
    execute(services, run_id, at=5, then=lambda: steering.pause_run(services, run_id))

    steering.cancel_run(services, run_id)

    run = services.store.runs.get(run_id)
    model = services.store.models.get(run.model_id)
    assert (run.state, model.state, model.manifest["steps"]) == ("cancelled", "candidate", 5)
    backend = open_backend(services, model)
    schema = services.store.collections.schema(collection)
    said = backend.suggest([Sample("a", "zh", "text", "华为发布芯片")], schema)
    assert len(said) == 1


def test_a_cancelled_run_makes_no_model_and_can_still_go_on(services, collection, straight):
    run_id = runs.add_run(services, collection, RECIPE)

    execute(services, run_id, at=5, then=lambda: steering.cancel_run(services, run_id, keep=False))
    ended = services.store.runs.get(run_id)
    steering.resume_run(services, run_id)
    execute(services, run_id)

    assert (ended.state, ended.step, ended.model_id) == ("cancelled", 5, None)
    assert "no model was made of it" in ended.reason
    assert services.store.runs.get(run_id).state == "done"
    check_close(losses(services, run_id), straight)


def test_a_run_that_broke_off_can_be_kept_or_resumed(services, collection, straight):
    run_id = runs.add_run(services, collection, RECIPE)

    def break_off() -> None:
        raise ZeroDivisionError("сбой")

    with pytest.raises(ZeroDivisionError):
        execute(services, run_id, at=7, then=break_off)
    broken = services.store.runs.get(run_id)
    steering.resume_run(services, run_id)
    execute(services, run_id)

    assert broken.state == "failed"
    assert broken.step in (6, 7)  # the step in which it broke may not be written down
    assert "the run broke off: ZeroDivisionError: сбой" in broken.reason
    check_close(losses(services, run_id), straight)


def test_a_run_that_broke_off_before_its_first_checkpoint_begins_again_with_each_loss_once(
    services, collection, straight
):
    run_id = runs.add_run(services, collection, replace(RECIPE, checkpoint_steps=0))

    def break_off() -> None:
        raise ZeroDivisionError("сбой")

    with pytest.raises(ZeroDivisionError):
        execute(services, run_id, at=3, then=break_off)
    steering.resume_run(services, run_id)
    execute(services, run_id)

    assert [p.step for p in services.store.runs.losses(run_id)] == list(range(1, STEPS + 1))
    check_close(losses(services, run_id), straight)


def test_the_number_of_a_deleted_run_and_its_models_name_are_not_given_again(services, collection):
    first = runs.add_run(services, collection, RECIPE)
    execute(services, first)
    old = services.store.runs.get(first)
    registry.delete_run(services, first)

    second = runs.add_run(services, collection, RECIPE)
    execute(services, second)

    new = services.store.runs.get(second)
    assert second > first
    assert new.model_id != old.model_id
    assert not run_folder(services.home, first).exists()


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        (ModelError("нет памяти"), r"trained, but not scored \(нет памяти\)"),
        (ZeroDivisionError("сбой"), r"not scored \(the run broke off: ZeroDivisionError: сбой\)"),
    ],
)
def test_a_run_that_breaks_off_while_it_is_scored_has_its_model(
    services, collection, monkeypatch, fault, told
):
    def fail(*_arguments, **_more):
        raise fault

    monkeypatch.setattr(runs, "evaluate_model", fail)
    run_id = runs.add_run(services, collection, RECIPE)

    with pytest.raises(type(fault)):
        runs.execute_run(services, run_id)

    run = services.store.runs.get(run_id)
    assert run.state == "done"
    assert re.search(told + ".*evaluate the model on the Models page", run.reason)
    assert services.store.models.get(run.model_id).state == "candidate"


@pytest.mark.parametrize("who", ["a person", "Argus"])
def test_scoring_can_be_ended_and_the_model_stays(services, collection, monkeypatch, who):
    scored = []

    def score(*_arguments, model, on_step, **_more):
        scored.append(model.id)
        if who == "a person":
            steering.cancel_run(services, run_id)
        else:
            monkeypatch.setattr(runs._Stop, "asked", True)
        on_step(0.5)

    monkeypatch.setattr(runs, "evaluate_model", score)
    run_id = runs.add_run(services, collection, RECIPE)

    runs.execute_run(services, run_id)

    run = services.store.runs.get(run_id)
    assert (run.state, scored) == ("done", [run.model_id])
    assert f"its scoring did not end, since {who}" in run.reason


def test_a_run_that_ended_early_is_continued_with_its_patience_anew(services, collection):
    recipe = replace(RECIPE, epochs=20, learning_rate=0.05, patience=2)
    run_id = runs.add_run(services, collection, recipe)
    execute(services, run_id)
    ended = services.store.runs.get(run_id)

    new = steering.continue_run(services, run_id, replace(recipe, epochs=30))
    execute(services, new)

    assert ended.step < ended.total_steps
    assert services.store.runs.get(new).step >= ended.step + 2 * 4  # two more looks at dev


def test_a_finished_run_is_continued_with_more_epochs_as_a_run_of_its_own(services, collection):
    long = replace(RECIPE, schedule="constant")
    whole = runs.add_run(services, collection, long)
    execute(services, whole)
    short = runs.add_run(services, collection, replace(long, epochs=2))
    execute(services, short)

    more = steering.continue_run(services, short, long)
    execute(services, more)

    run = services.store.runs.get(more)
    assert (run.state, run.continues, run.step) == ("done", short, STEPS)
    assert services.store.runs.get(short).state == "done"
    assert run.model_id != services.store.runs.get(short).model_id
    check_close(losses(services, more), losses(services, whole))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"rank": 8}, r"another rank \(8, it had 4\)"),
        ({"seed": 7}, "another seed"),
        ({"epochs": 1}, "epochs is 1, and run 1 has done 3 already: set more"),
    ],
)
def test_what_cannot_be_continued_is_refused(services, collection, straight, change, told):
    with pytest.raises(TrainingError, match=told):
        steering.continue_run(services, 1, replace(RECIPE, **change))


def test_a_run_without_a_checkpoint_cannot_be_continued(services, collection):
    run_id = runs.add_run(services, collection, RECIPE)
    steering.cancel_run(services, run_id)

    with pytest.raises(RefusedError, match="has no checkpoint"):
        steering.continue_run(services, run_id, replace(RECIPE, epochs=9))


def test_a_run_ends_early_where_dev_gets_no_better_and_the_best_is_kept(services, collection):
    wild = replace(RECIPE, learning_rate=0.1, epochs=30, patience=2, evaluate_every=0.25)
    run_id = runs.add_run(services, collection, wild)
    execute(services, run_id)

    run = services.store.runs.get(run_id)
    points = services.store.runs.losses(run_id)
    best = min(points, key=lambda p: p.eval_loss)
    assert (run.state, run.step) == ("done", best.step + 2)
    assert f"the adapter of step {best.step} is kept" in run.reason
    assert services.store.models.get(run.model_id).manifest["steps"] == best.step


def test_a_base_that_changed_on_disk_ends_with_a_reason(services, collection, tiny_copy):
    run_id = runs.add_run(services, collection, RECIPE)
    execute(services, run_id, at=5, then=lambda: steering.pause_run(services, run_id))
    steering.resume_run(services, run_id)
    weights = tiny_copy / "model.safetensors"
    data = bytearray(weights.read_bytes())
    data[-1] ^= 1
    weights.write_bytes(data)

    with pytest.raises(ModelError, match="run 1 was trained on another base"):
        execute(services, run_id)

    run = services.store.runs.get(run_id)
    assert run.state == "failed"
    assert "its files have changed since" in run.reason
    assert services.store.models.in_use(collection) == run.base_id


def test_an_adapter_of_another_base_is_refused(services, collection, straight):
    model = services.store.models.get(services.store.runs.get(1).model_id)
    written = run_folder(services.home, 1) / "adapter" / "argus.json"
    facts = json.loads(written.read_text(encoding="utf-8"))
    written.write_text(json.dumps(facts | {"base_sha256": "0" * 64}), encoding="utf-8")

    with pytest.raises(ModelError, match="tiny-run1 was trained on another base"):
        open_backend(services, model)


def test_a_checkpoint_of_another_shape_is_refused(services, collection, straight, tiny_model):
    model, _ = qlora.load_for_training(str(tiny_model), replace(RECIPE, rank=8))
    engine = qlora.Engine(model, replace(RECIPE, rank=8))
    checkpoint = max(checkpoints_of(services.home, 1).iterdir())

    with pytest.raises(TrainingError, match="not one of this base and recipe"):
        engine.load(checkpoint)


def test_no_reviews_end_a_run_with_a_reason_and_the_model_in_use_stays(services):
    empty = services.store.collections.create("空的", Schema((EventType("启动"),)))
    run_id = runs.add_run(services, empty.id, RECIPE)

    with pytest.raises(TrainingError, match="nothing to train on"):
        execute(services, run_id)

    run = services.store.runs.get(run_id)
    assert (run.state, run.model_id) == ("failed", None)
    assert "no reviewed sample is in the train split" in run.reason


def test_samples_that_are_all_too_long_end_a_run_with_the_remedy(services, collection):
    run_id = runs.add_run(services, collection, replace(RECIPE, max_tokens=16))

    with pytest.raises(TrainingError, match=r"longer than max_tokens \(16\): raise it"):
        execute(services, run_id)


def test_samples_that_are_cut_at_max_tokens_are_counted(services, collection):
    run_id = runs.add_run(services, collection, replace(RECIPE, max_tokens=66))
    said = []
    runs.execute_run(
        services, run_id, judge=False, say=lambda _r, p, text: said.append(text) if not p else None
    )

    run = services.store.runs.get(run_id)
    left_out = run.snapshot["left_out"]
    assert 0 < len(left_out) < 12
    assert run.snapshot["samples"] == 12 - len(left_out)
    assert f"{len(left_out)} samples are longer than 66 tokens: left out" in said


def test_too_little_memory_ends_with_what_would_help(services, collection, monkeypatch):
    def run_out(*_arguments, **_more):
        raise RuntimeError("[enforce fail at alloc_cpu.cpp:127] can't allocate memory: 8589934592")

    monkeypatch.setattr("train.engine.collate", run_out)
    run_id = runs.add_run(services, collection, RECIPE)

    with pytest.raises(TrainingError, match="too little memory for samples of up to 1024 tokens"):
        execute(services, run_id)

    assert (
        "lower max_tokens, turn gradient_checkpointing on" in services.store.runs.get(run_id).reason
    )


@pytest.fixture
def small_disk(services, tmp_path):
    """The folder of runs on a file system of two megabytes."""
    place = services.home.runs
    place.mkdir(parents=True)
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(place)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if mounted.returncode:
        pytest.skip(f"no file system may be mounted here: {mounted.stderr.strip()}")
    yield place
    subprocess.run(["umount", str(place)], check=True)


def test_a_full_disk_ends_a_run_with_a_reason_and_it_goes_on_when_there_is_room(
    services, collection, small_disk
):
    run_id = runs.add_run(services, collection, RECIPE)
    filler = small_disk / "полно"

    def fill() -> None:
        room = shutil.disk_usage(small_disk).free
        filler.write_bytes(b"0" * (room - 4096))

    with pytest.raises(TrainingError, match="free some space"):
        execute(services, run_id, at=5, then=fill)
    broken = services.store.runs.get(run_id)
    kept = steering.last_step(services, run_id)
    filler.unlink()
    steering.resume_run(services, run_id)
    execute(services, run_id)

    assert broken.state == "failed"
    assert "No space left" in broken.reason
    assert kept == 4
    assert services.store.runs.get(run_id).state == "done"
    assert services.store.models.in_use(collection) == broken.base_id


def test_two_processes_do_a_run_together_and_one_of_them_writes(services, collection):
    recipe = replace(RECIPE, dropout=0.0)
    run_id = runs.add_run(services, collection, recipe, launch="many_cpus")
    command = launch_command("many_cpus", run_id, processes=2)

    done = subprocess.run(
        command, cwd=CHECKOUT, capture_output=True, text=True, check=False,
        env=os.environ | launch_environment("many_cpus", threads=2),
    )  # fmt: skip

    assert done.returncode == 0, done.stderr[-2000:]
    run = services.store.runs.get(run_id)
    assert (run.state, run.step) == ("done", STEPS)
    alone = runs.add_run(services, collection, recipe)
    execute(services, alone)
    ours, theirs = losses(services, run_id), losses(services, alone)
    assert ours.keys() == theirs.keys()
    assert all(abs(ours[s] - theirs[s]) < 0.05 for s in ours)  # bf16 rounds by the batch's shape
    backend = open_backend(services, registry.model_in_use(services, collection))
    backend.close()
