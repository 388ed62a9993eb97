"""Trains on the four-language set with the laptop recipe, scores its dev samples, and prints both.

Run as: ARGUS_BENCH_SEEDS=0,1,2 make bench ARGS="tests/bench/test_quality.py". A seed takes 20 to 40
minutes on two cores. `ARGUS_BENCH_RECIPE` has other settings ("epochs=3 rank=16"), `ARGUS_QUAD` the
folder of train.jsonl and dev.jsonl.
"""

from __future__ import annotations

import json
import os
import resource
import time
from dataclasses import replace
from pathlib import Path
from statistics import mean, stdev

import pytest

from core.formats.argus_sample import sample_from_dict
from core.metrics import score
from core.models.embedded import convert
from core.models.local import LocalBackend, load_model
from core.ports import Decoding
from core.prompts import TUNED, ZERO_SHOT
from core.records import LossPoint
from core.samples import Sample
from core.schema import Schema, extend, missing_parts
from storage.home import CHECKOUT
from train.examples import make_examples
from train.loading import load_for_training
from train.order import total_steps
from train.qlora import Word, save_adapter, train
from train.recipes import Recipe, with_settings

pytestmark = pytest.mark.bench

QUAD = Path(os.environ.get("ARGUS_QUAD", CHECKOUT.parent / "shared" / "data" / "quad"))
SEEDS = [int(seed) for seed in os.environ.get("ARGUS_BENCH_SEEDS", "0").split(",")]
SETTINGS = os.environ.get("ARGUS_BENCH_RECIPE", "").split()
Parts = dict[str, list[float]]  # {language or "all": [Tr, Arg, Tri-C F1]}, per cent


def read(name: str) -> list[Sample]:
    lines = (QUAD / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
    return [sample_from_dict(json.loads(line)) for line in lines]


@pytest.fixture(scope="module")
def data() -> tuple[list[Sample], list[Sample], Schema]:
    if not QUAD.exists():
        pytest.skip(f"the samples are not there ({QUAD}): name their folder in ARGUS_QUAD")
    samples, dev = read("train"), read("dev")
    events = [e for s in (*samples, *dev) for e in s.events or ()]
    return samples, dev, extend(Schema(), missing_parts(Schema(), events))


@pytest.fixture(scope="module")
def base() -> str:
    return str(convert(CHECKOUT / "var" / "models"))


def score_model(base: str, adapter: Path | None, dev: list[Sample], schema: Schema) -> Parts:
    """Greedy with an adapter; the base with the paper's settings."""
    model, tokenizer = load_model(base, adapter=adapter)
    backend = LocalBackend(
        "bench", model, tokenizer, prompt_version=TUNED if adapter else ZERO_SHOT,
        is_tuned=adapter is not None, decoding=Decoding.greedy() if adapter else Decoding(),
    )  # fmt: skip
    said = backend.suggest(dev, schema)
    found = score(dev, [replace(s, events=x.events) for s, x in zip(dev, said, strict=True)])
    parts = {"all": found["overall"], **found["by_language"]}
    return {
        code: [s["tr_accuracy"], s["arg_accuracy"], s["tri_c"]["f1"]] for code, s in parts.items()
    }


def show(name: str, parts: Parts) -> None:
    figures = "  ".join(f"{c} " + "/".join(f"{v:.1f}" for v in p) for c, p in parts.items())
    print(f"\n  {name}: {figures}", end="", flush=True)  # noqa: T201


def test_quality_of_the_laptop_recipe(data, base, tmp_path):
    samples, dev, schema = data
    show("zero-shot, Tr/Arg/Tri-C", score_model(base, None, dev, schema))
    every = []

    for seed in SEEDS:
        recipe = with_settings(Recipe.laptop(), [*SETTINGS, f"seed={seed}"])
        began = time.monotonic()
        model, tokenizer = load_for_training(base, recipe)
        examples, left_out = make_examples(samples, schema, tokenizer, max_tokens=recipe.max_tokens)
        assert not left_out

        def on_step(point: LossPoint) -> Word:
            if point.step % 100 == 0:
                told = f"step {point.step}, loss {point.loss:.3f}"
                print(f"\n  {told}", end="", flush=True)  # noqa: T201
            return "on"

        folder = tmp_path / str(seed)
        train(
            model, examples, recipe, total_steps=total_steps(len(examples), recipe),
            checkpoints=folder / "checkpoints", on_step=on_step,
        )  # fmt: skip
        save_adapter(model, folder / "adapter", facts={})
        del model
        minutes = (time.monotonic() - began) / 60
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
        every.append(score_model(base, folder / "adapter", dev, schema))
        show(f"seed {seed}, {minutes:.0f} minutes, {peak:.1f} GiB", every[-1])

    if len(every) > 1:
        figures = {c: [mean(p[c][i] for p in every) for i in range(3)] for c in every[0]}
        show("mean", figures)
        show("deviation", {c: [stdev(p[c][i] for p in every) for i in range(3)] for c in every[0]})
