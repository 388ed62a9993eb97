"""Put a model on the list: a folder, a hub's id, a script, or one behind a server."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from core.errors import InputError, ModelError, ModelUnreachable
from core.prompts import versions
from core.records import ModelRecord
from train.adapter import MANIFEST
from train.services import Services
from train.transcribing import transcribe_later

QUANTISATIONS = ("none", "nf4")
Task = Literal["text", "vision", "speech"]
# What the manifest says of a model that does not only read text.
_TASKS: dict[Task, dict[str, Any]] = {
    "text": {},
    "vision": {"task": "vision", "reads": ["text", "image", "video"]},
    "speech": {"task": "speech", "reads": ["audio"]},
}
# What a merged model's manifest says that holds here too.
_TOLD = (
    "form", "title", "terms", "model", "base", "base_sha256", "snapshot", "steps", "prompt_version",
    "recipe", "versions",
)  # fmt: skip


def register_model(
    services: Services,
    location: str,
    title: str = "",
    *,
    quantisation: str = "none",
    task: Task = "text",
) -> ModelRecord:
    """Register a base model: a local folder or a script (*.json), checked now, or a hub's id, fetched
    at first use. `quantisation` is how its weights are loaded: "none" (bf16) or "nf4"; the same
    weights may be on the list both ways. `task` is what a hub's model is for; a folder says so itself
    (`core.models.local.check_folder`)."""
    location = location.strip()
    path = Path(location).expanduser()
    if not path.exists():
        if not re.fullmatch(r"[\w.-]+/[\w.-]+", location):
            raise InputError(
                f"{location!r} is neither a folder on this machine nor a hub's id (owner/name)"
            )
        return _hear(services, _add(
            services, location, title=title, location=location, is_remote=True,
            quantisation=quantisation, manifest=_TASKS[task],
        ))  # fmt: skip
    path = path.resolve()
    if path.suffix == ".json":
        from core.models.scripted import read_script

        read_script(path)
        return _add(
            services, path.stem, title=title, location=str(path), manifest={"kind": "scripted"}
        )
    from core.models.local import check_folder

    said = _TASKS[check_folder(path)] | _said_of(path)
    return _hear(services, _add(
        services, path.name, title=title or str(said.get("title", "")), location=str(path),
        terms=str(said.pop("terms", "")), manifest=said, quantisation=quantisation,
    ))  # fmt: skip


def register_server(
    services: Services,
    address: str,
    *,
    name: str = "",
    key_variable: str = "",
    context: int | None = None,
    title: str = "",
    reads_pictures: bool = False,
) -> ModelRecord:
    """Register a model behind an OpenAI-compatible server, which is asked now for what it has.

    `name` may be left out where the server has one model; `key_variable` names the environment
    variable with the key; `context` is how many tokens the model reads, prompt and reply included;
    `reads_pictures`: it is sent pictures and frames of clips too, which no server says of itself.
    """
    from core.models.server import CONTEXT
    from core.models.server_client import check_address, check_variable

    if context is not None and context < 1:
        raise InputError(f"the context must be a number of tokens from 1, not {context}")
    variable = check_variable(key_variable)
    address, models = _ask_server(check_address(address), variable)
    found = _chosen(models, name.strip(), address)
    manifest = {
        "kind": "server", "address": address, "name": found["id"], "key_variable": variable,
        "context": context or _context_of(found) or CONTEXT,
    } | (_TASKS["vision"] if reads_pictures else {})  # fmt: skip
    name = str(found["id"])
    return _add(services, Path(name).name or name, title=title, location=address, manifest=manifest)


# ---------------------------------------------------------------- private


def _hear(services: Services, model: ModelRecord) -> ModelRecord:
    """Where the model writes down speech, clips that wait for one are written down now."""
    if model.transcribes:
        for collection in services.store.collections.all():
            transcribe_later(services, collection.id)
    return model


def _said_of(folder: Path) -> dict[str, Any]:
    """What a merged model that Argus exported says of itself; nothing of any other folder."""
    path = folder / MANIFEST
    if not path.exists():
        return {}
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as problem:
        raise ModelError(f"{path} cannot be read ({problem}): export the model again") from problem
    if not isinstance(facts, dict) or facts.get("form") != "merged":
        return {}
    if facts.get("prompt_version") not in versions():
        raise ModelError(
            f"{folder} was trained on the prompt {facts.get('prompt_version')!r}, which this Argus "
            "does not have: update Argus, or export the model from this one"
        )
    return {name: facts[name] for name in _TOLD if name in facts}


def _ask_server(address: str, variable: str) -> tuple[str, list[dict[str, Any]]]:
    """The address at which a server answers, /v1 added where it was forgotten, and its models."""
    from core.models.server_client import Patience, Server, list_models

    hurried = Patience(tries=2, first_pause=0.2, longest_pause=2, connect=3, answer=10)
    try:
        return address, list_models(Server(address, variable, hurried))
    except ModelUnreachable:
        raise
    except ModelError:
        if address.endswith("/v1"):
            raise
        longer = f"{address}/v1"
        try:
            return longer, list_models(Server(longer, variable, hurried))
        except ModelError:  # what was said of the address as it was given is of more use
            pass
        raise


def _chosen(models: list[dict[str, Any]], name: str, address: str) -> dict[str, Any]:
    names = [str(m["id"]) for m in models]
    shown = ", ".join(names[:12]) + (f", and {len(names) - 12} more" if len(names) > 12 else "")
    if not names:
        raise ModelError(f"the server at {address} has no model: load one into it first")
    if not name and len(names) > 1:
        raise InputError(f"the server at {address} has several models, name one: {shown}")
    if name and name not in names:
        raise InputError(f"the server at {address} has no model {name!r} (it has: {shown})")
    return models[names.index(name)] if name else models[0]


def _context_of(found: Mapping[str, Any]) -> int | None:
    """How much a model reads, where the server says so, as vLLM does."""
    said = found.get("max_model_len")
    return said if isinstance(said, int) and not isinstance(said, bool) and said > 0 else None


def _add(
    services: Services,
    name: str,
    *,
    title: str,
    location: str,
    is_remote: bool = False,
    terms: str = "",
    manifest: Mapping[str, Any] | None = None,
    quantisation: str = "none",
) -> ModelRecord:
    """Put it on the list under an id made of its name; the same one again keeps its id."""
    if quantisation not in QUANTISATIONS:
        known_ways = ", ".join(QUANTISATIONS)
        raise InputError(f"weights are not loaded as {quantisation!r} (but as: {known_ways})")
    if quantisation != "none":
        name, manifest = (
            f"{name}-{quantisation}",
            {**(manifest or {}), "quantisation": quantisation},
        )
    name = re.sub(r"[^\w.-]+", "-", name).strip("-").lower() or "model"
    known = {m.id: m for m in services.store.models.all()}

    def is_another(ident: str) -> bool:
        other = known.get(ident)
        return other is not None and (other.location, other.manifest.get("name")) != (
            location, (manifest or {}).get("name"),
        )  # fmt: skip

    ident, number = name, 2
    while is_another(ident):
        ident, number = f"{name}-{number}", number + 1
    return services.store.models.add(
        ident, title=title.strip() or name, state="base", location=location, is_remote=is_remote,
        terms=terms, manifest=manifest,
    )  # fmt: skip
