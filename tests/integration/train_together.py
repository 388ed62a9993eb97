"""One process of several that train together: the gradients of the first step, and ten losses.

Run as: python train_together.py MODEL OUT, alone or under torch's launcher. The first process writes
OUT.safetensors (gradients by name) and OUT.json (losses).
"""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

from tests.integration.kill_and_resume import SCHEMA, make_samples
from train.engine import Engine
from train.examples import make_examples
from train.loading import load_for_training
from train.order import order_steps
from train.recipes import Recipe

RECIPE = replace(
    Recipe.laptop(), rank=4, alpha=8, dropout=0.0, batch_size=5, learning_rate=0.01, warmup_steps=0,
    quantisation="none", compute_dtype="float32",
)  # fmt: skip
STEPS = 10


def main() -> None:
    """Work it out, and write it down where this is the first process."""
    import torch
    from safetensors.torch import save_file

    model, tokenizer = load_for_training(sys.argv[1], RECIPE)
    torch.manual_seed(1)
    for name, weight in model.named_parameters():
        if "lora_B" in name:  # zero at first, which would leave lora_A without a gradient
            torch.nn.init.normal_(weight, std=0.1)
    examples, _ = make_examples(make_samples(7), SCHEMA, tokenizer, max_tokens=512)
    steps = [batch for _, batch in order_steps(examples, RECIPE, first=0, last=STEPS)]
    engine = Engine(model, RECIPE)
    engine.gradients(steps[0])
    gradients = {name: weight.grad.clone() for name, weight in engine.weights.items()}
    model.zero_grad()
    losses = [engine.step(batch, number=i + 1, rate=0.01) for i, batch in enumerate(steps)]
    losses.append(engine.loss(examples))
    if engine.is_leader:
        out = Path(sys.argv[2])
        save_file(gradients, f"{out}.safetensors")
        out.with_suffix(".json").write_text(json.dumps(losses), encoding="utf-8")


if __name__ == "__main__":
    main()
