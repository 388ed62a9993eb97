"""What is handed out of Argus: a model's card, and an adapter as peft has it, merged, or for llama.cpp."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, get_args

from core.errors import ModelError, RefusedError
from core.ports import Step
from core.records import ModelRecord
from storage.home import Home
from train.adapter import CONFIG, MANIFEST, WEIGHTS, check_adapter
from train.cards import model_card
from train.checkpoint import write_whole
from train.services import Services, base_location, base_of
from train.strategies import asked_now

Form = Literal["peft", "merged", "gguf"]
FORMS: tuple[Form, ...] = get_args(Form)
CARD = "README.md"
_USE: dict[Form, str] = {
    "peft": "A peft adapter: load it on the base model `{base}` with "
    "`PeftModel.from_pretrained(base, FOLDER)`.",
    "merged": "A full model, the adapter merged in: load it with "
    "`AutoModelForCausalLM.from_pretrained(FOLDER)`, or register the folder in Argus.",
    "gguf": "An adapter for llama.cpp: `llama-server -m BASE.gguf --lora adapter.gguf`, with the base "
    "model `{base}` as GGUF.",
}


def export_folder(home: Home, model_id: str, form: Form) -> Path:
    """Where the worker puts an export."""
    return home.exports / f"{model_id}-{form}"


def export_model(
    services: Services,
    model: ModelRecord,
    target: Path,
    *,
    form: Form,
    replace: bool = False,
    on_step: Step = lambda _: None,
) -> Path:
    """Write an adapter into the folder `target`, with its card, the manifest last; returns the folder.

    The folder must be new or empty, unless `replace`. It is there as a whole or not at all. Raises
    `RefusedError` for a model that is no adapter, `ModelError` where the adapter is incomplete or
    its base is not the one that it was trained on, and `TrainingError` where the disk is full.
    """
    on_step(0.0)
    _check_target(target, replace=replace)
    facts, location = check_model(services, model)
    base = base_of(services, model)
    name = base.location if base.is_remote else base.id
    card = f"{write_card(services, model)}\n## Use\n\n{_USE[form].format(base=name)}\n"

    def write(work: Path) -> None:
        _WRITERS[form](Path(model.location), location, work, name)
        (work / CARD).write_text(card, encoding="utf-8")
        on_step(0.9)

    on_step(0.1)
    told = {"form": form, "model": model.id, "title": model.title, "terms": model.terms}
    write_whole(target, write, manifest=MANIFEST, facts=facts | told)
    return target


def write_card(services: Services, model: ModelRecord, *, collection_id: int | None = None) -> str:
    """A model's card in Markdown, with its scores in the collection it was trained on (a base's in
    the given one, else in every one)."""
    store, own = services.store, model.collection_id or collection_id
    collections = [own] if own is not None else [c.id for c in store.collections.all()]
    scored = [e for c in collections for e in asked_now(services, c, store.models.evaluations(c))]
    return model_card(model, base_of(services, model), sorted(scored, key=lambda e: -e.id))


def check_model(services: Services, model: ModelRecord) -> tuple[dict[str, Any], str]:
    """What an adapter's manifest says, and where its base is, both seen to be as they should.

    Raises `RefusedError` for a model that is no adapter, `ModelError` where it is incomplete or its
    base is another one.
    """
    if model.state == "deleted":
        raise ModelError(f"the model {model.id} was deleted: its files are gone")
    if model.is_base:
        raise RefusedError(
            f"{model.id} is a base model, and an adapter is what can be exported: "
            f"the base is as it was found, in {model.location}"
        )
    folder, location = Path(model.location), base_location(services, base_of(services, model))
    check_adapter(folder, location, of=model.id)
    facts: dict[str, Any] = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    sizes: dict[str, int] = facts.pop("files", {})
    for name in (CONFIG, WEIGHTS):
        path = folder / name
        if not path.is_file() or path.stat().st_size != sizes.get(name, path.stat().st_size):
            raise ModelError(
                f"the adapter {model.id} is incomplete ({path} is missing or was changed): train it "
                "again"
            )
    if facts.get("base") not in (None, model.base_id):
        raise ModelError(
            f"the adapter in {folder} was trained on {facts['base']}, not on {model.base_id}: put "
            "the right files back, or train again"
        )
    return facts, location


# ---------------------------------------------------------------- private


def _check_target(target: Path, *, replace: bool) -> None:
    is_taken = target.exists() and (not target.is_dir() or any(target.iterdir()))
    if is_taken and not replace:
        raise RefusedError(f"{target} is there already and not empty: give a new folder")


def _write_peft(adapter: Path, _location: str, work: Path, base: str) -> None:
    """The adapter as it is, but for the path of this machine in its settings."""
    settings = json.loads((adapter / CONFIG).read_text(encoding="utf-8"))
    settings["base_model_name_or_path"] = base
    (work / CONFIG).write_text(json.dumps(settings, indent=2) + "\n", encoding="utf-8")
    shutil.copyfile(adapter / WEIGHTS, work / WEIGHTS)


def _write_merged(adapter: Path, location: str, work: Path, _base: str) -> None:
    from core.models.local import load_model

    model, tokenizer = load_model(location, adapter=adapter)
    model.save_pretrained(str(work), safe_serialization=True)
    tokenizer.save_pretrained(str(work))


def _write_gguf(adapter: Path, location: str, work: Path, _base: str) -> None:
    from transformers import PretrainedConfig

    from core.models.gguf_adapter import write_gguf_adapter

    try:
        config, _ = PretrainedConfig.get_config_dict(location)
    except (OSError, ValueError) as problem:
        raise ModelError(
            f"the settings of the base model {location} cannot be read: {problem}"
        ) from problem
    write_gguf_adapter(adapter, config, work / "adapter.gguf")


_WRITERS: dict[Form, Callable[[Path, str, Path, str], None]] = {
    "peft": _write_peft, "merged": _write_merged, "gguf": _write_gguf,
}  # fmt: skip
