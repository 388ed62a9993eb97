"""The one place that picks adapters: which store, which backend for which model."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.errors import ModelError
from core.ports import Backend, Decoding
from core.prompts import TUNED, ZERO_SHOT
from core.records import ModelRecord
from storage.home import Home
from storage.store import Store, open_store
from train.adapter import check_adapter

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Services:
    """What pages, the command line and the worker work with."""

    home: Home
    store: Store


def open_services(home: Home | None = None) -> Services:
    """Open the store of `home`, bring its database to this version, and register the base model."""
    home = home or Home.from_environment()
    services = Services(home, open_store(home))
    register_embedded(services)
    return services


def register_embedded(services: Services) -> None:
    """Put the embedded model on the list of models, if its package or its files are there."""
    from core.models import embedded

    known = {m.id: m for m in services.store.models.all()}
    location = str(services.home.models / embedded.NAME)
    if embedded.NAME in known and known[embedded.NAME].location == location:
        return
    if embedded.is_installed() or embedded.is_converted(services.home.models):
        services.store.models.add(
            embedded.NAME,
            title=embedded.TITLE,
            state="base",
            location=location,
            terms=embedded.TERMS,
            manifest={"package": embedded.PACKAGE, "sha256": embedded.checksum()},
        )


def base_of(services: Services, model: ModelRecord) -> ModelRecord:
    """The base model of an adapter; a base is its own."""
    return model if model.base_id is None else services.store.models.get(model.base_id)


def own_prompt(model: ModelRecord) -> str | None:
    """The prompt that a model was trained on; None for one that never was here."""
    found = model.manifest.get("prompt_version", None if model.is_base else TUNED)
    return None if found is None else str(found)


def base_location(services: Services, base: ModelRecord) -> str:
    """Where transformers finds a base model; the embedded one is converted first where it must."""
    from core.models import embedded

    if base.kind != "weights":
        raise ModelError(
            f"{base.id} has no weights here ({base.location}): choose a model that has"
        )
    if base.id == embedded.NAME:
        return str(embedded.convert(services.home.models))
    if base.is_remote:
        return base.location
    from core.models.local import check_folder

    check_folder(Path(base.location))
    return base.location


def open_backend(
    services: Services, model: ModelRecord, *, instead: Backend | None = None
) -> Backend:
    """Load a model. This takes seconds and a gigabyte: the worker keeps one, the app never does.

    `instead`: one that is not needed any more. If it stands on the same base, that stays in memory
    and only the adapters change places; else its memory is given back first.
    """
    if model.state == "deleted":
        raise ModelError(f"the model {model.id} was deleted: choose another on the Models page")
    if instead is not None and model.kind != "weights":
        instead.close()
    if model.transcribes:
        raise ModelError(
            f"{model.id} writes down speech and suggests no events: choose another on the Models page"
        )
    if model.kind == "server":
        return _open_server(model)
    if model.kind == "scripted":
        from core.models.scripted import ScriptedBackend, read_script

        return ScriptedBackend(model.id, read_script(Path(model.location)))
    if "image" in model.reads:
        return _open_vision(services, model, instead)
    from core.models.local import LocalBackend, load_model

    base = base_of(services, model)
    location, adapter = base_location(services, base), None
    if model.base_id is not None:
        adapter = Path(model.location)
        check_adapter(adapter, location, of=model.id)
    quantisation = str(base.manifest.get("quantisation", "none"))
    prompt = own_prompt(model)
    own: dict[str, Any] = {
        "adapter": adapter, "is_tuned": prompt is not None, "prompt_version": prompt or ZERO_SHOT,
        "decoding": Decoding.greedy() if prompt else Decoding(),
    }  # fmt: skip
    if isinstance(instead, LocalBackend) and instead.stands_on(location, quantisation):
        return instead.beside(model.id, **own)
    if instead is not None:
        instead.close()
    backend = LocalBackend(model.id, *load_model(location, quantisation=quantisation), **own)
    log.info("%s is in memory: %s", base.id, backend.describe())
    return backend


def _open_vision(services: Services, model: ModelRecord, instead: Backend | None) -> Backend:
    from core.models.vision import VisionBackend, load_vision_model

    if instead is not None:
        instead.close()
    quantisation = str(model.manifest.get("quantisation", "none"))
    location = base_location(services, model)
    return VisionBackend(model.id, *load_vision_model(location, quantisation=quantisation))


def _open_server(model: ModelRecord) -> Backend:
    from core.models.server import ServerBackend
    from core.models.server_client import Server

    facts = model.manifest
    return ServerBackend(
        model.id,
        Server(model.location, facts["key_variable"]),
        facts["name"],
        context=facts["context"],
        reads=model.reads,
    )
