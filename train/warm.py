"""The model that the worker holds warm."""

from __future__ import annotations

import os

import psutil

from core.ports import Backend
from core.records import ModelRecord
from train.registry import model_in_use
from train.services import Services, open_backend


class WarmModel:
    """Keeps the last model loaded, since loading takes seconds and asking does not. Between models on
    one base only the adapters change places."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._model_id: str | None = None
        self._backend: Backend | None = None

    def get(self, model: ModelRecord) -> Backend:
        """The backend of a model; another one that is loaded gives its memory back first."""
        if model.kind == "weights":
            share_cores(self._services)
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
