"""Measures training against TRL's SFTTrainer in alternating blocks of steps, and prints both.

The same base in NF4, LoRA, batches, token for token, and order; loss on the reply alone. TRL lives in
a virtual environment apart from Argus's; `ARGUS_TRL_PYTHON` names that one's python.
Run as: make bench ARGS="-s tests/bench/test_training.py". Asserts nothing about time.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from core.models.embedded import convert
from core.records import SampleFilter
from storage.home import CHECKOUT
from train.demo import NAME, load_demo
from train.examples import make_examples
from train.order import order_steps
from train.recipes import Recipe
from train.services import Services

pytestmark = pytest.mark.bench

PYTHON = os.environ.get("ARGUS_TRL_PYTHON", "")
STEPS = int(os.environ.get("ARGUS_BENCH_STEPS", "30"))
BLOCK = 5  # steps in turn
PEER = CHECKOUT / "tests" / "bench" / "train_peer.py"
RECIPE = replace(Recipe.laptop(), dropout=0.0, batch_size=8, learning_rate=3e-4)


class Peer:
    """One of the two trainers, in a process of its own."""

    def __init__(self, python: str, name: str, job: Path) -> None:
        self.seconds, self.losses, self.memory = 0.0, list[float](), 0.0
        self._process = subprocess.Popen(
            [python, str(PEER), name, str(job)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, text=True, cwd=CHECKOUT,
            env=os.environ | {"PYTHONPATH": str(CHECKOUT), "PYTHONWARNINGS": "ignore"},
        )  # fmt: skip
        assert self._hear() == "ready"

    def go(self, steps: int) -> None:
        """Do the next steps."""
        self._say(f"go {steps}")
        done: Any = self._hear()
        self.seconds += done["seconds"]
        self.losses += done["losses"]
        self.memory = done["memory"]

    def end(self) -> None:
        """Let it go."""
        self._process.kill()
        self._process.wait()

    def _say(self, line: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()

    def _hear(self) -> object:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if line.startswith(('{"', '"')):
                return json.loads(line)
        raise AssertionError(f"it ended with code {self._process.wait()}")


@pytest.fixture
def job(home, store, tmp_path):
    from transformers import AutoTokenizer

    services = Services(home, store)
    load_demo(services)
    collection = store.collections.get(NAME)
    reviewed = SampleFilter(states=["reviewed"])
    samples = [r.sample for r in store.samples.list(reviewed, collection_id=collection.id)]
    location = str(convert(CHECKOUT / "var" / "models"))
    tokenizer = AutoTokenizer.from_pretrained(location)
    schema = store.collections.schema(collection.id)
    examples, _ = make_examples(samples, schema, tokenizer, max_tokens=RECIPE.max_tokens)
    whole = [b for _, b in order_steps(examples, RECIPE, first=0, last=2 * STEPS) if len(b) == 8]
    file = tmp_path / "job.json"
    facts = {
        "model": location, "adapter": str(tmp_path / "adapter"), "out": str(tmp_path / "out"),
        "rank": RECIPE.rank, "alpha": RECIPE.alpha, "rate": RECIPE.learning_rate,
        "batch_size": 8, "max_tokens": RECIPE.max_tokens,
        "batches": [[(e.prompt, e.reply) for e in b] for b in whole[:STEPS]],
    }  # fmt: skip
    file.write_text(json.dumps(facts), encoding="utf-8")
    return file, sum(len(e) for b in whole[:STEPS] for e in b)


@pytest.mark.skipif(
    not PYTHON,
    reason="set ARGUS_TRL_PYTHON to the python of a virtual environment with trl==1.16.0",
)
def test_training_against_trl(job, capsys):
    file, tokens = job
    argus = Peer(sys.executable, "argus", file)
    trl = Peer(PYTHON, "trl", file)
    try:
        for _ in range(STEPS // BLOCK):
            trl.go(BLOCK)
            argus.go(BLOCK)
    finally:
        argus.end()
        trl.end()

    with capsys.disabled():
        for name, peer in (("TRL", trl), ("Argus", argus)):
            print(  # noqa: T201
                f"\n  {name}: {tokens / peer.seconds:.0f} tokens/s, {peer.memory:.2f} GiB at most, "
                f"loss {peer.losses[-1]:.4f} after {len(peer.losses)} steps",
                end="",
            )
        print(f"\n  ratio: {trl.seconds / argus.seconds:.2f}")  # noqa: T201
    ours, theirs = sum(argus.losses), sum(trl.losses)
    assert abs(ours - theirs) < 0.01 * theirs
    assert abs(argus.losses[-1] - trl.losses[-1]) < 0.01 * trl.losses[-1]
    assert argus.memory < trl.memory
