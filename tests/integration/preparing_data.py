"""Samples in four languages and a script that answers them, for the tests of work ahead."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from sqlmodel import col, select

from core.preparing import Preparation
from core.records import SampleFilter
from core.samples import Sample
from core.schema import EventType, Role, Schema
from storage.database import reading
from storage.store import Store
from storage.tables import SuggestionRow
from train.jobs import handle_job
from train.register import register_model
from train.services import Services
from train.warm import WarmModel

ROOT = Path(__file__).resolve().parents[2]
SCHEMA = Schema((EventType("启动", roles=(Role("кто", required=True),)), EventType("сбой")))
TEXTS = {
    "en": "Nortia launched a modem, number {}.",
    "zh": "晨星周二发布了第{}款芯片。",
    "es": "Nortia lanzó el módem número {}.",
    "ru": "Вега запустила чип номер {}.",
}
WORDS = {"en": "launched", "zh": "发布", "es": "lanzó", "ru": "запустила"}
WHO = {"en": "Nortia", "zh": "晨星", "es": "Nortia", "ru": "Вега"}
RULES = [{"text": WORDS[c], "reply": [["启动", WORDS[c], [["кто", WHO[c]]]]]} for c in TEXTS]
BROKEN = {"text": "сломан|坏", "reply": [["启动", "\\9", []]]}  # a group that the pattern lacks


def make_samples(count: int, *, begin: int = 0) -> list[Sample]:
    """Unlabelled samples, the languages by turns."""
    codes = list(TEXTS)
    return [
        Sample(f"s{i}", code, "text", TEXTS[code].format(i))
        for i in range(begin, begin + count)
        for code in (codes[i % len(codes)],)
    ]


def add_script(services: Services, name: str, rules: Sequence[object] = (BROKEN, *RULES)) -> str:
    """Register a scripted model; returns its id."""
    path = services.home.root / f"{name}.json"
    path.write_text(json.dumps({"rules": list(rules), "confidence": 0.8}), encoding="utf-8")
    return register_model(services, str(path), name).id


def use(store: Store, collection: int, model: str) -> None:
    """Put a model in use, without asking whether it is better."""
    store.models.promote(collection, model, previous_id=model, person=None, reason="", scores={})


def order_for(collection: int, model: str, **more: object) -> Preparation:
    """An order for all that waits."""
    return Preparation(collection, model, more.pop("wanted", SampleFilter()), **more)  # type: ignore[arg-type]


def told(store: Store, job_id: int) -> list[int]:
    """The samples that a job has suggested for, each as often as it did."""
    with reading(store.engine) as session:
        query = select(SuggestionRow.sample_id).where(SuggestionRow.job_id == job_id)
        return list(session.exec(query.order_by(col(SuggestionRow.sample_id))))


def start_worker(services: Services) -> subprocess.Popen[bytes]:
    """The real worker, as a process of its own."""
    env = os.environ | {"ARGUS_HOME": str(services.home.root), "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        [sys.executable, "-m", "train.worker"], cwd=ROOT, env=env, stderr=subprocess.DEVNULL
    )


def wait_for(condition: Callable[[], bool], *, seconds: float = 120) -> None:
    """Wait until something is so."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.02)


class Stub:
    """A warm model that is a given backend."""

    def __init__(self, backend) -> None:
        self.backend = backend

    def get(self, _model):
        return self.backend


class Between:
    """A backend that does something before each time it is asked."""

    def __init__(self, backend, act) -> None:
        self.backend, self.act, self.asked = backend, act, []
        self.model_id, self.decoding = backend.model_id, backend.decoding
        self.reads = backend.reads
        self.prompting, self.fits, self.close = backend.prompting, backend.fits, backend.close

    def suggest(self, samples, schema, **more):
        self.asked.append([sample.id for sample in samples])
        self.act(len(self.asked))
        return self.backend.suggest(samples, schema, **more)


def between(services, model, act) -> Between:
    backend = WarmModel(services).get(services.store.models.get(model))
    return Between(backend, act)


def do(services, job, warm=None):
    handle_job(services, warm or WarmModel(services), job)
    return services.store.jobs.get(job)
