"""One model of several runs: the mean of their adapters, and what it is refused for."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

import cli
from core.errors import ModelError, NotFoundError, RefusedError
from tests.integration.sentences import SCHEMA, WORDS, labelled
from train.adapter import CONFIG, MANIFEST, WEIGHTS
from train.artefacts import export_model, write_card
from train.averaging import add_average, average_adapters
from train.fitting import run_folder
from train.queue import start_average
from train.recipes import Recipe
from train.register import register_model
from train.registry import delete_run
from train.runs import add_run, execute_run
from train.services import Services, open_backend
from train.steering import resume_run

RECIPE = replace(
    Recipe.laptop(), rank=4, alpha=8, epochs=2, batch_size=4, learning_rate=0.02, warmup_steps=0,
    evaluate_every=0,
)  # fmt: skip


@pytest.fixture
def services(home, store) -> Services:
    return Services(home, store)


@pytest.fixture
def collection(services, tiny_model) -> int:
    made = services.store.collections.create("работа 工作", SCHEMA)
    samples = [
        labelled(WORDS, code, n, "dev" if n > 2 else "train") for code in WORDS for n in range(4)
    ]
    services.store.samples.add(made.id, samples, schema_number=1)
    register_model(services, str(tiny_model), "Tiny")
    return made.id


def finished(services, collection: int, **settings) -> int:
    run_id = add_run(services, collection, replace(RECIPE, **settings))
    execute_run(services, run_id, judge=False)
    return run_id


@pytest.fixture
def two(services, collection) -> list[int]:
    """Two runs that differ in seed and rank."""
    return [finished(services, collection), finished(services, collection, seed=1, rank=8)]


def folder_of(services, run_id: int) -> Path:
    return run_folder(services.home, run_id) / "adapter"


def changes(folder: Path) -> dict[str, np.ndarray]:
    """What an adapter adds to the weights of each layer."""
    settings = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
    weights = load_file(folder / WEIGHTS)
    scale = settings["lora_alpha"] / settings["r"]
    return {
        name: scale * weights[name.replace("lora_A", "lora_B")] @ down
        for name, down in weights.items()
        if "lora_A" in name
    }


def test_the_mean_changes_each_layer_by_the_mean_of_the_changes(services, two):
    run_id = add_average(services, two)
    execute_run(services, run_id)

    mean = changes(folder_of(services, run_id))
    first, second = (changes(folder_of(services, i)) for i in two)
    assert len(mean) == len(first) > 0
    for name, change in mean.items():
        wanted = (first[name] + second[name]) / 2
        np.testing.assert_allclose(change, wanted, atol=1e-6)
        assert np.abs(first[name] - second[name]).max() > 1e-3


def test_the_mean_is_a_candidate_that_is_scored_and_asked_as_any_other(services, collection, two):
    run_id = start_average(services, two, person="Вера")
    execute_run(services, run_id)

    run = services.store.runs.get(run_id)
    model = services.store.models.get(run.model_id)
    names = [services.store.runs.get(i).model_id for i in two]
    assert (run.state, run.mean_of, model.state) == ("done", tuple(two), "candidate")
    assert run.snapshot["asked_by"] == "Вера"
    assert run.snapshot["by_language"] == dict.fromkeys(WORDS, 3)
    assert model.manifest["mean_of"] == names
    scored = services.store.models.evaluations(collection, model_id=model.id)
    assert [(e.split, e.samples) for e in scored] == [("dev", 4)]
    asked = [replace(labelled(WORDS, code, 77, None), events=None) for code in WORDS]
    for said in open_backend(services, model).suggest(asked, SCHEMA):
        json.loads(said.raw_reply)
    assert f"the mean of {', '.join(names)}" in write_card(services, model)


@pytest.mark.parametrize("form", ["peft", "merged"])
def test_the_mean_is_exported_as_any_adapter_is(services, two, tmp_path, form):
    execute_run(services, run_id := add_average(services, two), judge=False)
    model = services.store.models.get(services.store.runs.get(run_id).model_id)

    export_model(services, model, tmp_path / "out", form=form)

    assert (tmp_path / "out" / MANIFEST).exists()


def test_a_mean_needs_two_runs_with_models_of_one_collection_and_base(
    services, collection, two, tiny_model, tmp_path
):
    services.store.runs.cancel(ended := add_run(services, collection, RECIPE))
    other = services.store.collections.create("другая", SCHEMA).id
    services.store.samples.add(other, [labelled(WORDS, "zh", 0, "train")], schema_number=1)
    elsewhere = finished(services, other)
    copy = shutil.copytree(tiny_model, tmp_path / "копия")
    base = register_model(services, str(copy), "Copy").id
    on_copy = add_run(services, collection, RECIPE, base_id=base)
    execute_run(services, on_copy, judge=False)

    for runs, told in (
        ([two[0], two[0]], "at least two runs"),
        ([two[0], ended], f"run {ended} has no model \\(cancelled\\)"),
        ([two[0], elsewhere], f"run {elsewhere} has another collection"),
        ([two[0], on_copy], f"run {on_copy} has another base"),
    ):
        with pytest.raises(RefusedError, match=told):
            add_average(services, runs)
    with pytest.raises(NotFoundError, match="there is no run 999"):
        add_average(services, [two[0], 999])


def test_adapters_of_different_layers_have_no_mean(services, collection, two, tmp_path):
    narrow = finished(services, collection, target_modules=("q_proj",))

    run_id = add_average(services, [*two, narrow])
    with pytest.raises(RefusedError, match="the same target_modules"):
        execute_run(services, run_id)

    run = services.store.runs.get(run_id)
    assert (run.state, run.model_id) == ("failed", None)
    assert "adapts other layers" in run.reason
    assert not folder_of(services, run_id).exists()


def test_a_spoiled_member_ends_the_run_with_the_reason_and_it_goes_on_when_mended(services, two):
    weights = folder_of(services, two[1]) / WEIGHTS
    whole = weights.read_bytes()
    weights.write_bytes(b"half")
    run_id = add_average(services, two)
    with pytest.raises(ModelError, match="incomplete"):
        execute_run(services, run_id)
    assert services.store.runs.get(run_id).state == "failed"

    weights.write_bytes(whole)
    resume_run(services, run_id)
    execute_run(services, run_id, judge=False)

    assert services.store.runs.get(run_id).state == "done"


def test_a_mean_outlives_its_members_and_is_deleted_alone(services, two):
    execute_run(services, run_id := add_average(services, two), judge=False)
    for member in two:
        delete_run(services, member)
    model = services.store.models.get(services.store.runs.get(run_id).model_id)
    sample = replace(labelled(WORDS, "ru", 77, None), events=None)
    assert open_backend(services, model).suggest([sample], SCHEMA)

    assert delete_run(services, run_id) > 0
    assert services.store.models.get(model.id).state == "deleted"


def test_a_member_that_was_deleted_while_the_mean_waited_is_named(services, two):
    run_id = add_average(services, two)
    delete_run(services, two[1])

    with pytest.raises(NotFoundError, match=f"there is no run {two[1]}"):
        execute_run(services, run_id)

    assert services.store.runs.get(run_id).state == "failed"


def test_a_mean_waits_for_runs_and_says_which_has_no_model_yet(services, collection, two):
    paused = add_run(services, collection, replace(RECIPE, seed=2))
    run_id = add_average(services, [*two, paused])
    services.store.runs.pause(paused)
    with pytest.raises(RefusedError, match=f"run {paused} has no model \\(paused\\)"):
        execute_run(services, run_id)

    resume_run(services, paused)
    execute_run(services, paused, judge=False)
    resume_run(services, run_id)
    execute_run(services, run_id, judge=False)

    assert services.store.runs.get(run_id).state == "done"


def test_factors_of_different_ranks_and_scales_give_the_exact_mean(tmp_path):
    draw = np.random.default_rng(0)
    wanted = np.zeros((5, 6), np.float32)
    folders = []
    for rank, alpha in ((2, 8), (3, 3), (4, 2)):
        down, up = draw.normal(size=(rank, 6)), draw.normal(size=(5, rank))
        wanted += alpha / rank * up @ down / 3
        folders.append(tmp_path / str(rank))
        folders[-1].mkdir()
        weights = {"层.lora_A.weight": down, "层.lora_B.weight": up}
        save_file({k: v.astype(np.float32) for k, v in weights.items()}, folders[-1] / WEIGHTS)
        (folders[-1] / CONFIG).write_text(json.dumps({"r": rank, "lora_alpha": alpha}))
    (tmp_path / "mean").mkdir()

    average_adapters(folders, tmp_path / "mean")

    (found,) = changes(tmp_path / "mean").values()
    np.testing.assert_allclose(found, wanted, atol=1e-6)


def test_the_terminal_averages_runs(services, two, capsys, monkeypatch):
    monkeypatch.setenv("ARGUS_HOME", str(services.home.root))

    assert cli.main(["average", *map(str, two), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["state"] == "candidate"
    assert cli.main(["average", str(two[0])]) != 0
    assert "at least two runs" in capsys.readouterr().err
