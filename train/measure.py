"""A short real measurement: how fast a few steps of a recipe are on this machine, and what they take.

Run as: python -m train.measure COLLECTION RECIPE (as JSON); prints one line of JSON.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from core.errors import ArgusError, TrainingError
from core.ports import Step
from storage.home import CHECKOUT
from train.examples import make_examples
from train.launch import default_launch, launch_environment, threads_to_use
from train.order import order_steps
from train.recipes import Recipe, recipe_from_dict
from train.registry import base_to_train
from train.services import Services, base_location, open_services
from train.snapshot import take_snapshot

STEPS = 5  # the first of them is not counted: the libraries find their ways in it
LOOK = 0.2  # seconds between two looks whether somebody wants it to end


@dataclass(frozen=True, slots=True)
class Measurement:
    """What a few steps took. `memory`: bytes at the peak."""

    base: str
    launch: str
    tokens_per_second: float
    memory: int


def measure_steps(services: Services, collection_id: int, recipe: Recipe) -> Measurement:
    """Train a fresh adapter for a few steps, the longest sample among them, and forget it."""
    from train.engine import Engine
    from train.loading import load_for_training

    base = base_to_train(services, collection_id)
    schema = services.store.collections.schema(collection_id)
    snapshot = take_snapshot(services, collection_id, recipe)
    model, tokenizer = load_for_training(base_location(services, base), recipe)
    examples, _ = make_examples(snapshot.train, schema, tokenizer, max_tokens=recipe.max_tokens)
    if not examples:
        raise TrainingError(
            f"every sample is longer than max_tokens ({recipe.max_tokens}): raise it"
        )
    engine = Engine(model, recipe)
    by_length = sorted(examples, key=len)
    longest = by_length[-recipe.batch_size * recipe.accumulation :]
    batches = [batch for _, batch in order_steps(examples, recipe, first=0, last=STEPS)]
    tokens, seconds = 0, 0.0
    for number, batch in enumerate([longest, *batches], start=1):
        began = time.monotonic()
        engine.step(batch, number=number, rate=recipe.learning_rate)
        if number > 1:
            tokens, seconds = tokens + sum(map(len, batch)), seconds + time.monotonic() - began
    return Measurement(base.id, default_launch(), tokens / seconds, _peak(engine))


def measure_apart(
    services: Services, collection_id: int, recipe: Mapping[str, Any], *, step: Step
) -> dict[str, Any]:
    """`measure_steps` in a process of its own, as a run has one; returns the measurement as a dict."""
    launch = default_launch()
    child = subprocess.Popen(
        [sys.executable, "-m", "train.measure", str(collection_id), json.dumps(dict(recipe))],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True,
        cwd=CHECKOUT,
        env=os.environ
        | {"ARGUS_HOME": str(services.home.root)}
        | launch_environment(launch, threads=threads_to_use()),
    )  # fmt: skip
    said: list[tuple[str, str]] = []
    reader = threading.Thread(target=lambda: said.append(child.communicate()))
    reader.start()
    try:
        while reader.is_alive():
            step(0.5)
            reader.join(LOOK)
    finally:
        if child.poll() is None:
            child.kill()
        reader.join()
    out, told = said[0]
    if child.returncode:
        last = (told.strip().splitlines() or ["it was killed, most often for lack of memory"])[-1]
        raise TrainingError(f"the measurement ended with code {child.returncode}: {last}")
    found: dict[str, Any] = json.loads(out.splitlines()[-1])
    return found


def _peak(engine: Any) -> int:
    """The bytes that this process held at most."""
    import resource

    kilobyte = 1 if sys.platform == "darwin" else 1024
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * kilobyte
    return max(int(engine.memory()), most) if default_launch() == "one_cpu" else engine.memory()


def main() -> int:
    """One measurement of one recipe."""
    try:
        recipe = recipe_from_dict(json.loads(sys.argv[2]))
        found = measure_steps(open_services(), int(sys.argv[1]), recipe)
    except ArgusError as problem:
        sys.stderr.write(f"{problem}\n")
        return 1
    sys.stdout.write(json.dumps(asdict(found)) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
