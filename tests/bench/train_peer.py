"""Trains on given batches, a few steps whenever it is told to: Argus's trainer or TRL's SFTTrainer.

Run as: python train_peer.py argus|trl JOB.json   (trl with the python that has it)
Reads lines "go N" and "end"; writes "ready", then a line {"seconds", "losses", "memory"} each time.
"""

from __future__ import annotations

import json
import resource
import sys
import time
import warnings
from pathlib import Path
from typing import Any

warnings.filterwarnings("ignore")
MODULES = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]


def tell(value: object) -> None:
    """Write a line for the one who drives."""
    sys.__stdout__.write(json.dumps(value) + "\n")
    sys.__stdout__.flush()


def quota() -> int:
    """How many steps to do next; 0 at the end."""
    words = sys.stdin.readline().split()
    return int(words[1]) if words and words[0] == "go" else 0


def report(began: float, losses: list[float]) -> None:
    """What the last steps took and gave."""
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    tell({"seconds": time.perf_counter() - began, "losses": losses, "memory": memory})


def run_argus(job: dict[str, Any]) -> None:
    """Argus's engine, step by step."""
    from dataclasses import replace

    from train.engine import Engine
    from train.examples import Example
    from train.loading import load_for_training
    from train.recipes import Recipe

    recipe = replace(
        Recipe.laptop(), rank=job["rank"], alpha=job["alpha"], dropout=0.0,
        batch_size=job["batch_size"], max_tokens=job["max_tokens"],
    )  # fmt: skip
    model, _ = load_for_training(job["model"], recipe)
    model.save_pretrained(job["adapter"])
    engine = Engine(model, recipe)
    batches = [[Example("", "", tuple(p), tuple(r)) for p, r in b] for b in job["batches"]]
    tell("ready")
    done = 0
    while count := quota():
        began, losses = time.perf_counter(), []
        for batch in batches[done : done + count]:
            done += 1
            losses.append(engine.step(batch, number=done, rate=job["rate"]))
        report(began, losses)


def run_trl(job: dict[str, Any]) -> None:
    """TRL's SFTTrainer, which a callback holds up between two blocks of steps."""
    import torch
    from datasets import Dataset
    from peft import PeftModel
    from torch.utils.data import SequentialSampler
    from transformers import (
        AutoModelForCausalLM,
        AutoTokenizer,
        BitsAndBytesConfig,
        TrainerCallback,
    )
    from trl import SFTConfig, SFTTrainer

    class Turns(TrainerCallback):
        """Stops at the end of each block until the next is asked for."""

        left, began, losses = 0, 0.0, []

        def wait(self) -> None:
            self.left, self.losses = quota(), []
            self.began = time.perf_counter()

        def on_train_begin(self, *_: Any, **__: Any) -> None:
            tell("ready")
            self.wait()

        def on_log(self, _args: Any, _state: Any, _control: Any, logs: Any, **__: Any) -> None:
            if "loss" not in logs:
                return
            self.losses.append(float(logs["loss"]))
            self.left -= 1
            if self.left == 0:
                report(self.began, self.losses)
                self.wait()

    class Sequential(SFTTrainer):
        """The batches in the order given."""

        def _get_train_sampler(self, *_: Any, **__: Any) -> Any:
            return SequentialSampler(self.train_dataset)

    rows = [
        {"input_ids": p + r, "completion_mask": [0] * len(p) + [1] * len(r)}
        for batch in job["batches"]
        for p, r in batch
    ]
    packed = BitsAndBytesConfig(
        load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=torch.bfloat16,
    )  # fmt: skip
    base = AutoModelForCausalLM.from_pretrained(
        job["model"], dtype=torch.bfloat16, quantization_config=packed
    )
    model = PeftModel.from_pretrained(base, job["adapter"], is_trainable=True)
    config = SFTConfig(
        output_dir=job["out"], per_device_train_batch_size=job["batch_size"], num_train_epochs=1,
        learning_rate=job["rate"], lr_scheduler_type="constant", warmup_steps=0, weight_decay=0.0,
        max_grad_norm=1.0, optim="adamw_torch", logging_steps=1, completion_only_loss=True,
        report_to=[], save_strategy="no", bf16=True, use_cpu=True, gradient_checkpointing=False,
        max_length=job["max_tokens"], disable_tqdm=True,
    )  # fmt: skip
    Sequential(
        model=model, args=config, train_dataset=Dataset.from_list(rows), callbacks=[Turns()],
        processing_class=AutoTokenizer.from_pretrained(job["model"]),
    ).train()  # fmt: skip


if __name__ == "__main__":
    found = json.loads(Path(sys.argv[2]).read_text(encoding="utf-8"))
    {"argus": run_argus, "trl": run_trl}[sys.argv[1]](found)
