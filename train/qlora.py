"""The QLoRA loop: a base in NF4, an adapter on its linear layers, loss on the reply alone.

Knows nothing of databases: it takes examples, tells every step, and writes checkpoints.
"""

from __future__ import annotations

import json
import logging
import math
import random
import shutil
import time
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from core.errors import ModelError, TrainingError
from core.records import LossPoint
from train.examples import Example, collate
from train.loss import frozen_head_loss
from train.recipes import Recipe, recipe_to_dict

MANIFEST = "argus.json"  # written last: an adapter without it is unfinished
CHECKPOINT_SECONDS = 120
PART_TOKENS = 1024  # padded tokens that go through the model at a time: about 2 GB of activations

# Called after each optimiser step; returns False to stop there and keep what was learned.
OnStep = Callable[[LossPoint], bool]


def load_for_training(location: str, recipe: Recipe) -> tuple[Any, Any]:
    """(model with a fresh adapter, tokenizer); the base in 4 bits where the recipe says so."""
    # bitsandbytes looks for a kernel on a hub and falls back, peft asks transformers by an old name:
    # neither is anything that a person could do something about.
    logging.getLogger("bitsandbytes").setLevel(logging.ERROR)
    warnings.filterwarnings("ignore", message=".*is_gradient_checkpointing.*")
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM, AutoTokenizer, BitsAndBytesConfig
    from transformers.utils import logging as quiet

    quiet.disable_progress_bar()  # type: ignore[no-untyped-call]
    torch.manual_seed(recipe.seed)
    options: dict[str, Any] = {"dtype": torch.bfloat16, "use_safetensors": True}
    if recipe.quantisation == "nf4":
        options["quantization_config"] = BitsAndBytesConfig(  # type: ignore[no-untyped-call]
            load_in_4bit=True,
            bnb_4bit_quant_type="nf4",
            bnb_4bit_use_double_quant=recipe.double_quantisation,
            bnb_4bit_compute_dtype=torch.bfloat16,
        )
    try:
        tokenizer = AutoTokenizer.from_pretrained(location)
        base = AutoModelForCausalLM.from_pretrained(location, **options)
    except (OSError, ValueError, RuntimeError) as problem:
        raise ModelError(f"the base model {location} could not be loaded: {problem}") from problem
    for parameter in base.parameters():
        parameter.requires_grad = False
    config = LoraConfig(
        r=recipe.rank, lora_alpha=recipe.alpha, lora_dropout=recipe.dropout,
        target_modules=list(recipe.target_modules), task_type="CAUSAL_LM",
    )  # fmt: skip
    try:
        model = get_peft_model(base, config)
    except ValueError as problem:
        raise TrainingError(
            f"the recipe's target_modules do not fit {location}: {problem}"
        ) from problem
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            parameter.data = parameter.data.float()
            if not name.count("lora_"):
                raise TrainingError(f"{name} would be trained, and is no part of the adapter")
    return model, tokenizer


def train(
    model: Any,
    examples: Sequence[Example],
    recipe: Recipe,
    *,
    total_steps: int,
    checkpoints: Path,
    on_step: OnStep,
) -> int:
    """Train the adapter; returns the number of steps done, fewer than asked where stopped.

    The loss of a step is the mean over all labelled tokens of its global batch.
    """
    import torch
    from accelerate import Accelerator

    accelerator = Accelerator(mixed_precision="bf16", cpu=not torch.cuda.is_available())
    weights = [p for p in model.parameters() if p.requires_grad]
    optimiser = torch.optim.AdamW(
        weights, lr=recipe.learning_rate, weight_decay=recipe.weight_decay
    )
    model, optimiser = accelerator.prepare(model, optimiser)
    model.train()
    pad = getattr(model.config, "pad_token_id", None) or 0
    began, saved, tokens, step = time.monotonic(), time.monotonic(), 0, 0
    for epoch, batches in _epochs(examples, recipe, total_steps):
        rate = learning_rate(recipe, step, total_steps)
        for group in optimiser.param_groups:
            group["lr"] = rate
        labelled = sum(len(e.reply) for batch in batches for e in batch)
        loss_sum = 0.0
        for batch in (part for whole in batches for part in _parts(whole)):
            data = {k: v.to(accelerator.device) for k, v in collate(batch, pad=pad).items()}
            with accelerator.autocast():
                loss = _loss_sum(model, data) / labelled
            accelerator.backward(loss)
            loss_sum += float(loss.detach())
            tokens += int(data["attention_mask"].sum())
        if not math.isfinite(loss_sum):
            raise TrainingError(
                f"the loss is not a number at step {step + 1} (learning rate {rate:g}): "
                "start again with a lower learning rate. The model in use is untouched"
            )
        accelerator.clip_grad_norm_(weights, recipe.max_grad_norm)
        optimiser.step()
        optimiser.zero_grad()
        step += 1
        seconds = time.monotonic() - began
        point = LossPoint(step, epoch, loss_sum, rate, tokens / seconds, seconds)
        if not on_step(point):
            break
        if time.monotonic() - saved > CHECKPOINT_SECONDS:
            save_adapter(accelerator.unwrap_model(model), checkpoints, facts={"step": step})
            saved = time.monotonic()
    return step


def learning_rate(recipe: Recipe, step: int, total_steps: int) -> float:
    """The learning rate of a step, counted from 0: linear warm-up, then the recipe's schedule.

    >>> learning_rate(Recipe(learning_rate=1.0, warmup_steps=2, schedule="linear"), 0, 10)
    0.5
    """
    if step < recipe.warmup_steps:
        return recipe.learning_rate * (step + 1) / recipe.warmup_steps
    left = 1 - (step - recipe.warmup_steps) / max(1, total_steps - recipe.warmup_steps)
    share = {
        "constant": 1.0,
        "linear": left,
        "cosine": 0.5 * (1 + math.cos(math.pi * (1 - left))),
    }[recipe.schedule]
    return recipe.learning_rate * share


def save_adapter(model: Any, folder: Path, *, facts: dict[str, Any]) -> None:
    """Write the adapter as safetensors beside `folder`, its manifest last, then move it there."""
    work = folder.with_name(folder.name + ".unfinished")
    shutil.rmtree(work, ignore_errors=True)
    try:
        work.mkdir(parents=True)
        model.save_pretrained(str(work), safe_serialization=True)
        (work / MANIFEST).write_text(
            json.dumps(facts, ensure_ascii=False, indent=2) + "\n", encoding="utf-8"
        )
        shutil.rmtree(folder, ignore_errors=True)
        work.rename(folder)
    except OSError as problem:
        shutil.rmtree(work, ignore_errors=True)
        raise TrainingError(
            f"the adapter could not be written to {folder} ({problem}): free some space, then start "
            "again. The model in use is untouched"
        ) from problem


def manifest_of(recipe: Recipe, **facts: Any) -> dict[str, Any]:
    """What an adapter says of itself: recipe, versions, and the facts given."""
    from importlib.metadata import version

    libraries = ("torch", "transformers", "peft", "bitsandbytes", "accelerate")
    return {
        "recipe": recipe_to_dict(recipe),
        "versions": {name: version(name) for name in libraries},
        **facts,
    }


# ---------------------------------------------------------------- private


def _loss_sum(model: Any, data: dict[str, Any]) -> Any:
    """Summed cross-entropy at the labelled positions, the only ones whose logits are computed."""
    base = model.get_base_model()
    hidden = base.get_decoder()(
        input_ids=data["input_ids"], attention_mask=data["attention_mask"], use_cache=False
    ).last_hidden_state[:, :-1]
    wanted = data["labels"][:, 1:]
    at = wanted != -100
    return frozen_head_loss(
        hidden[at], base.get_output_embeddings().weight, wanted[at],
        softcap=getattr(base.config, "final_logit_softcapping", None),
    )  # fmt: skip


def _parts(batch: Sequence[Example]) -> list[list[Example]]:
    """A batch in parts whose activations fit a small machine; their gradients add up to the whole's."""
    parts: list[list[Example]] = [[]]
    for example in sorted(batch, key=len, reverse=True):
        width = len(parts[-1][0]) if parts[-1] else len(example)
        if parts[-1] and width * (len(parts[-1]) + 1) > PART_TOKENS:
            parts.append([])
        parts[-1].append(example)
    return parts


def _epochs(examples: Sequence[Example], recipe: Recipe, total_steps: int) -> Any:
    """(epochs begun as a fraction, the batches of one step), until `total_steps` are given.

    Batches hold examples of about one length, in an order drawn by the seed.
    """
    draw = random.Random(recipe.seed)
    step = 0
    epoch = 0
    while step < total_steps:
        near = sorted(examples, key=lambda e: len(e) + draw.random() * 24)
        batches = [near[i : i + recipe.batch_size] for i in range(0, len(near), recipe.batch_size)]
        draw.shuffle(batches)
        groups = [
            batches[i : i + recipe.accumulation]
            for i in range(0, len(batches), recipe.accumulation)
        ]
        for at, group in enumerate(groups):
            if step == total_steps:
                return
            step += 1
            yield epoch + (at + 1) / len(groups), group
        epoch += 1
