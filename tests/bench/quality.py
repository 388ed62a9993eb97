"""Trains on the four-language set and scores its dev samples: what the training bench runs, one run a
process.

Arguments: a folder for the run, then settings of the laptop recipe (`seed=1 epochs=5`). Prints a
line a step or so, and last one JSON line with the scores, the minutes and the memory.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from core.formats.argus_sample import sample_from_dict
from core.metrics import score
from core.models.local import LocalBackend, load_model
from core.ports import Decoding
from core.prompts import TUNED, ZERO_SHOT
from core.records import LossPoint
from core.samples import Sample
from core.schema import Schema, extend, missing_parts
from storage.home import CHECKOUT
from train.examples import make_examples
from train.order import total_steps
from train.qlora import Word, save_adapter, train
from train.recipes import Recipe, with_settings

QUAD = Path(os.environ.get("ARGUS_QUAD", CHECKOUT.parent / "shared" / "data" / "quad"))
BASE = CHECKOUT / "var" / "models" / "gemma3-270m"


def read(name: str) -> list[Sample]:
    """The samples of a part of the set."""
    lines = (QUAD / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
    return [sample_from_dict(json.loads(line)) for line in lines]


def schema_of(samples: list[Sample]) -> Schema:
    """The types and roles that the samples use."""
    return extend(Schema(), missing_parts(Schema(), [e for s in samples for e in s.events or ()]))


def scores(adapter: Path | None, dev: list[Sample], schema: Schema) -> dict[str, Any]:
    """Tr, Arg and Tri-C F1 in per cent, of all and a language: greedy with an adapter, the paper's
    settings for the base."""
    model, tokenizer = load_model(str(BASE), adapter=adapter)
    backend = LocalBackend(
        "bench", model, tokenizer, prompt_version=TUNED if adapter else ZERO_SHOT,
        is_tuned=adapter is not None, decoding=Decoding.greedy() if adapter else Decoding(),
    )  # fmt: skip
    said = backend.suggest(dev, schema)
    found = score(dev, [replace(s, events=x.events) for s, x in zip(dev, said, strict=True)])
    parts = {"all": found["overall"], **found["by_language"]}
    return {
        code: [round(s["tr_accuracy"], 1), round(s["arg_accuracy"], 1), round(s["tri_c"]["f1"], 1)]
        for code, s in parts.items()
    }


def run(folder: Path, settings: list[str]) -> dict[str, Any]:
    """Train and score."""
    from train.loading import load_for_training

    recipe = with_settings(Recipe.laptop(), settings)
    samples, dev = read("train"), read("dev")
    schema = schema_of([*samples, *dev])
    began = time.monotonic()
    model, tokenizer = load_for_training(str(BASE), recipe)
    examples, left_out = make_examples(samples, schema, tokenizer, max_tokens=recipe.max_tokens)
    steps = total_steps(len(examples), recipe)
    print(f"{len(examples)} samples, {len(left_out)} too long, {steps} steps", flush=True)

    def on_step(point: LossPoint) -> Word:
        if point.step % 50 == 0:
            print(f"{point.step} loss {point.loss:.3f} {point.tokens_per_second:.0f} tokens/s "
                  f"{point.seconds:.0f} s", flush=True)  # fmt: skip
        return "on"

    train(model, examples, recipe, total_steps=steps, checkpoints=folder / "ck", on_step=on_step)
    save_adapter(model, folder / "adapter", facts={})
    minutes = (time.monotonic() - began) / 60
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    del model
    return {
        "settings": settings, "scores": scores(folder / "adapter", dev, schema),
        "minutes": round(minutes, 1), "peak_gib": round(peak, 1),
    }  # fmt: skip


if __name__ == "__main__":
    if sys.argv[1] == "zero-shot":
        everything = [*read("train"), *read("dev")]
        print(json.dumps({"scores": scores(None, read("dev"), schema_of(everything))}))
    else:
        print(json.dumps(run(Path(sys.argv[1]), sys.argv[2:])))
