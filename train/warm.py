"""The model that the worker holds warm."""

from __future__ import annotations

import logging
import os

import psutil

from core.errors import ModelUnreachable
from core.ports import Backend
from core.records import ModelRecord, RunRecord
from train.launch import PROFILES
from train.memory import estimate_memory, machine_memory, read_shape
from train.recipes import recipe_from_dict
from train.registry import model_in_use
from train.services import Services, open_backend

log = logging.getLogger(__name__)
_HALF = 2  # bytes of a weight of the suggestion model


class WarmModel:
    """Keeps the last model loaded, since loading takes seconds and asking does not. Between models on
    one base only the adapters change places."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._model_id: str | None = None
        self._backend: Backend | None = None

    def get(self, model: ModelRecord) -> Backend:
        """The backend of a model; another one that is loaded gives its memory back first.

        Raises `ModelUnreachable` while a training run needs the memory."""
        if model.kind == "weights":
            share_cores(self._services)
            if self._backend is None:
                check_room(self._services, model)
        if self._backend is None or self._model_id != model.id:
            instead, self._backend, self._model_id = self._backend, None, None
            self._backend = open_backend(self._services, model, instead=instead)
            self._model_id = model.id
        return self._backend

    def prepare(self) -> None:
        """Load the model that is most likely asked for, so that the first to ask need not wait."""
        collections = self._services.store.collections.all()
        if collections and self._backend is None:
            self.get(model_in_use(self._services, collections[-1].id))

    def make_room(self) -> None:
        """Give the memory back where the run that begins has too little beside it."""
        run = _next_run(self._services)
        if (
            self._backend is not None
            and run is not None
            and _free(run) < wanted_by(self._services, run)
        ):
            log.info("the suggestion model makes room for run %d", run.id)
            self.release()

    def release(self) -> None:
        """Give the memory back."""
        if self._backend is not None:
            self._backend.close()
        self._backend, self._model_id = None, None


def share_cores(services: Services) -> None:
    """Decode on every physical core, on one while a training run has the others. Threads that wait for
    a busy core at each small step lose far more than the core is worth. `OMP_NUM_THREADS` overrides."""
    import torch

    if "OMP_NUM_THREADS" in os.environ:
        return
    own = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    is_training = any(run.state == "running" for run in services.store.runs.open())
    cores = min(own, psutil.cpu_count(logical=False) or own)
    torch.set_num_threads(1 if is_training else cores)


def check_room(services: Services, model: ModelRecord) -> None:
    """Raise `ModelUnreachable` where a run that is under way leaves a model no room."""
    run = next((r for r in services.store.runs.open() if r.state == "running"), None)
    shape = read_shape(model.location)
    if run is None or shape is None:
        return
    weights = _HALF * (shape.linear + shape.embedded)
    if _free(run) < weights + wanted_by(services, run):
        raise ModelUnreachable(
            f"training run {run.id} needs the memory that {model.id} would take: suggestions come back "
            "when it has ended"
        )


def wanted_by(services: Services, run: RunRecord) -> int:
    """Bytes that a run will still take: all of its estimate before its first step, none after."""
    shape = read_shape(services.store.models.get(run.base_id).location)
    if run.step or shape is None:
        return 0
    recipe, on_gpu = recipe_from_dict(run.recipe), PROFILES[run.launch].gpus > 0
    parts = estimate_memory(
        shape, recipe, longest=recipe.max_tokens, on_gpu=on_gpu, free=_free(run)
    )
    return sum(parts.values())


def _next_run(services: Services) -> RunRecord | None:
    """The run that is under way, else the one that begins."""
    runs = services.store.runs.open()
    return next((r for state in ("running", "queued") for r in runs if r.state == state), None)


def _free(run: RunRecord) -> int:
    return machine_memory(on_gpu=PROFILES[run.launch].gpus > 0)[1]
