"""What is handed out: an adapter in three forms, cards, and the words where it cannot be."""

from __future__ import annotations

import json
import shutil
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

import cli
from core.errors import ModelError, RefusedError, TrainingError
from core.samples import Sample
from tests.integration.sentences import SCHEMA, WORDS, labelled
from train.adapter import code_version
from train.artefacts import FORMS, export_folder, export_model, write_card
from train.fitting import DATA_CARD, run_folder
from train.jobs import handle_job
from train.queue import start_export
from train.recipes import Recipe
from train.register import register_model
from train.runs import add_run, execute_run
from train.services import Services, open_backend
from train.strategies import default_strategy
from train.warm import WarmModel

RECIPE = replace(
    Recipe.laptop(), rank=4, alpha=8, epochs=4, batch_size=4, dropout=0.0, warmup_steps=0,
    learning_rate=0.02, patience=0, balance="language",
)  # fmt: skip
LEAK = "Компания «Яндекс» во вторник открыла в Казани новый центр обработки данных{}"


@pytest.fixture
def services(home, store) -> Services:
    return Services(home, store)


@pytest.fixture
def trained(services, tiny_model, tmp_path):
    """An adapter on a copy of the tiny model, from a run with a rare language and a leak."""
    collection = services.store.collections.create("цепь 链", SCHEMA)
    counts = {"en": 4, "zh": 4, "ru": 2}
    samples = [labelled(WORDS, c, n, "train") for c, count in counts.items() for n in range(count)]
    samples += [
        Sample("ru-held", "ru", "text", LEAK.format("."), split="test", events=()),
        Sample("ru-copy", "ru", "text", LEAK.format("!"), split="train", events=()),
    ]
    services.store.samples.add(collection.id, samples, schema_number=1)
    base = shutil.copytree(tiny_model, tmp_path / "tiny-база")
    register_model(services, str(base), "Tiny")
    run = add_run(services, collection.id, RECIPE)
    told: list[str] = []
    execute_run(services, run, judge=False, say=lambda _r, _p, text: told.append(text))
    return services.store.models.get(services.store.runs.get(run).model_id), told


def replies(services, model) -> list[str]:
    backend = open_backend(services, model)
    samples = [replace(labelled(WORDS, c, 77, None), events=None) for c in WORDS]
    return [s.raw_reply for s in backend.suggest(samples, SCHEMA)]


def files_of(folder: Path) -> set[str]:
    return {p.name for p in folder.iterdir()}


def test_a_run_says_what_leaked_and_what_is_repeated_and_leaves_a_data_card(services, trained):
    model, told = trained

    run = services.store.runs.get(model.run_id)
    card = (run_folder(services.home, run.id) / DATA_CARD).read_text(encoding="utf-8")
    assert run.snapshot["leaks"] == 1
    assert run.snapshot["repeated"] == 2  # the two Russian ones, to be as many as the others
    assert any("1 samples repeat a dev or test sample: left out" in line for line in told)
    assert "# Data: цепь 链" in card
    assert "2 repetitions, so 12 are shown in an epoch" in card
    assert "| ru-copy | ru-held |" in card


@pytest.mark.parametrize(
    ("form", "name"), [("peft", "out"), ("merged", "模型"), ("gguf", "модель")]
)
def test_every_form_has_its_card_and_manifest_and_no_path_of_this_machine(
    services, trained, tmp_path, form, name
):
    model, _ = trained

    folder = export_model(services, model, tmp_path / name / form, form=form)

    has = {
        "peft": {"adapter_config.json", "adapter_model.safetensors"},
        "merged": {"config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"},
        "gguf": {"adapter.gguf"},
    }[form]
    facts = json.loads((folder / "argus.json").read_text(encoding="utf-8"))
    assert {*has, "README.md", "argus.json"} <= files_of(folder)
    assert (facts["form"], facts["base"]) == (form, model.base_id)
    assert facts["commit"] == code_version()
    assert set(facts["files"]) == files_of(folder) - {"argus.json"}
    assert f"# {model.title}" in (folder / "README.md").read_text(encoding="utf-8")
    whole = b"".join(p.read_bytes() for p in folder.iterdir())
    assert str(tmp_path).encode() not in whole
    assert files_of(tmp_path / name) == {form}


def test_the_peft_folder_loads_on_the_base_and_names_it(services, trained, tmp_path):
    import torch
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    model, _ = trained
    base = services.store.models.get(model.base_id)
    folder = export_model(services, model, tmp_path / "out", form="peft")

    def logits(adapter: str):
        loaded = AutoModelForCausalLM.from_pretrained(base.location)
        return PeftModel.from_pretrained(loaded, adapter)(torch.tensor([[2, 40, 80, 9]])).logits

    settings = json.loads((folder / "adapter_config.json").read_text(encoding="utf-8"))
    assert settings["base_model_name_or_path"] == model.base_id
    assert torch.equal(logits(str(folder)), logits(model.location))


def test_a_merged_model_is_registered_again_and_gives_the_same_replies(services, trained, tmp_path):
    model, _ = trained
    before = replies(services, model)

    folder = export_model(services, model, tmp_path / "слитая", form="merged")
    again = register_model(services, str(folder))

    base = services.store.models.get(model.base_id)
    collection = services.store.collections.all()[0].id
    assert again.is_base
    assert (again.title, again.manifest["prompt_version"]) == (model.title, "brief.v1")
    assert default_strategy(services, collection, again) == default_strategy(
        services, collection, model
    )
    assert replies(services, again) == before
    assert replies(services, base) != before
    assert f"adapter {model.id} merged into its base" in write_card(services, again)


def test_a_merged_model_of_a_prompt_that_is_not_here_is_not_registered(services, trained, tmp_path):
    model, _ = trained
    folder = export_model(services, model, tmp_path / "out", form="merged")
    facts = json.loads((folder / "argus.json").read_text(encoding="utf-8"))
    (folder / "argus.json").write_text(json.dumps(facts | {"prompt_version": "新.v9"}))

    with pytest.raises(ModelError, match=r"'新\.v9'.*update Argus"):
        register_model(services, str(folder))


@pytest.mark.parametrize(
    ("case", "said"),
    [
        ("gone", "unfinished or gone"),
        ("half", "incomplete"),
        ("changed", "trained on another base"),
        ("other", "was trained on иная, not on"),
        ("deleted", "was deleted"),
        ("taken", "already and not empty"),
    ],
)
def test_what_cannot_be_exported_says_why_and_leaves_nothing(
    services, trained, tmp_path, case, said
):
    model, _ = trained
    adapter, target = Path(model.location), tmp_path / "out" / "новая"
    if case == "gone":
        shutil.rmtree(adapter)
    if case == "half":
        (adapter / "adapter_model.safetensors").write_bytes(b"half")
    if case == "changed":
        base = Path(services.store.models.get(model.base_id).location)
        config = json.loads((base / "config.json").read_text())
        (base / "config.json").write_text(json.dumps(config | {"rope_theta": 1.0}))
    if case == "other":
        facts = json.loads((adapter / "argus.json").read_text())
        (adapter / "argus.json").write_text(json.dumps(facts | {"base": "иная"}))
    if case == "deleted":
        model = replace(model, state="deleted")
    if case == "taken":
        target.mkdir(parents=True)
        (target / "моё.txt").write_text("моё")

    for form in FORMS:
        with pytest.raises((ModelError, RefusedError), match=said):
            export_model(services, model, target, form=form)

    left = [p.name for p in (tmp_path / "out").rglob("*")] if target.parent.exists() else []
    assert left == (["новая", "моё.txt"] if case == "taken" else [])


def test_a_base_model_is_no_adapter(services, trained, tmp_path):
    base = services.store.models.get(trained[0].base_id)

    with pytest.raises(RefusedError, match="is a base model"):
        export_model(services, base, tmp_path / "out", form="peft")


@pytest.mark.parametrize("form", FORMS)
def test_a_full_disk_leaves_the_export_before_it(services, trained, full_disk, tmp_path, form):
    model, _ = trained
    target = export_model(services, model, tmp_path / "out" / "旧", form=form)
    before = {p.name: p.read_bytes() for p in target.iterdir()}

    disk, said = ExitStack(), r"旧 could not be written.*free some space"

    def fill(share: float) -> None:  # from when it begins to write
        if share:
            disk.enter_context(full_disk(8192))

    with pytest.raises(TrainingError, match=said), disk:
        export_model(services, model, target, form=form, replace=True, on_step=fill)

    assert {p.name: p.read_bytes() for p in target.iterdir()} == before
    assert files_of(target.parent) == {"旧"}


def test_the_worker_exports_into_the_home_and_replaces_what_was_there(services, trained):
    model, _ = trained
    collection = services.store.collections.all()[0].id
    warm = WarmModel(services)

    jobs = []
    for _ in range(2):
        jobs.append(start_export(services, collection, model.id, "merged"))
        handle_job(services, warm, jobs[-1])

    folder = export_folder(services.home, model.id, "merged")
    done = services.store.jobs.get(jobs[-1])
    assert (done.state, done.message) == ("done", str(folder))
    assert files_of(services.home.exports) == {f"{model.id}-merged"}
    assert (folder / "model.safetensors").exists()


def test_a_failed_export_ends_its_job_with_the_reason(services, trained):
    model, _ = trained
    collection = services.store.collections.all()[0].id
    shutil.rmtree(model.location)

    job = start_export(services, collection, model.id, "gguf")
    handle_job(services, WarmModel(services), job)

    done = services.store.jobs.get(job)
    assert done.state == "failed"
    assert "unfinished or gone" in done.message
    assert not export_folder(services.home, model.id, "gguf").exists()


def test_the_terminal_exports_and_prints_the_card(services, trained, tmp_path, capsys, monkeypatch):
    model, _ = trained
    monkeypatch.setattr("train.services.register_embedded", lambda _: None)
    target = tmp_path / "выдача"

    codes = [
        cli.main(["export-model", model.id, str(target), "--form", "gguf", "--json"]),
        cli.main(["export-model", model.id, str(target), "--form", "gguf"]),
        cli.main(["card", model.id]),
        cli.main(["card", "нет"]),
    ]

    out, err = capsys.readouterr()
    assert codes == [0, 1, 0, 1]
    assert json.loads(out.splitlines()[0]) == {
        "model": model.id, "form": "gguf", "folder": str(target),
    }  # fmt: skip
    assert f"# {model.title}" in out
    assert "not empty" in err
    assert "there is no model 'нет'" in err
