"""Loads a base as its recipe holds it, and puts a fresh adapter on its linear layers."""

from __future__ import annotations

import os
from typing import Any

from core.errors import ModelError, TrainingError
from core.models.quiet import silence_adapters
from train.lora import fuse_adapter
from train.recipes import Recipe

SHORT = 1024  # up to this many tokens plain attention is the quicker one on a CPU


def load_for_training(location: str, recipe: Recipe) -> tuple[Any, Any]:
    """(model with a fresh adapter, tokenizer); only the adapter trains, in float32.

    On a CPU with memory to spare the 4-bit weights are unpacked once, their values unchanged.
    """
    _keep_quiet()
    # oneDNN keeps what it prepared for each of a thousand shapes, half a gigabyte of it; batches
    # seldom have the same shape again.
    os.environ.setdefault("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "32")
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM, AutoTokenizer

    torch.manual_seed(recipe.seed)
    try:
        tokenizer = AutoTokenizer.from_pretrained(location)
        base = AutoModelForCausalLM.from_pretrained(location, **_options(recipe))
    except (OSError, ValueError, RuntimeError, ImportError) as problem:
        raise ModelError(f"the base model {location} could not be loaded: {problem}") from problem
    if recipe.quantisation in ("nf4", "fp4") and _has_room(base):
        base = base.dequantize()  # type: ignore[no-untyped-call]
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
    fuse_adapter(model)
    if recipe.gradient_checkpointing:
        base.activation_checkpointing_enable({"use_reentrant": False})
    return model, tokenizer


def set_training(model: Any, is_training: bool) -> None:
    """Dropout and all that on or off, but for bitsandbytes' layers: on a CPU they repack their
    weights the first time they are used off training, and pass no gradient from then on."""
    for module in model.modules():
        if not type(module).__name__.startswith("Linear4bit"):
            module.training = is_training


# ---------------------------------------------------------------- private


def _options(recipe: Recipe) -> dict[str, Any]:
    import torch
    from transformers import BitsAndBytesConfig

    dtype = getattr(torch, recipe.compute_dtype)
    options: dict[str, Any] = {"dtype": dtype, "use_safetensors": True}
    if torch.cuda.is_available():
        options["device_map"] = {"": int(os.environ.get("LOCAL_RANK", 0))}
    elif recipe.max_tokens <= SHORT:
        options["attn_implementation"] = "eager"
    if recipe.quantisation in ("nf4", "fp4"):
        options["quantization_config"] = BitsAndBytesConfig(  # type: ignore[no-untyped-call]
            load_in_4bit=True,
            bnb_4bit_quant_type=recipe.quantisation,
            bnb_4bit_use_double_quant=recipe.double_quantisation,
            bnb_4bit_compute_dtype=dtype,
            # Fully sharded, the packed weights travel as numbers of the adapter's kind.
            bnb_4bit_quant_storage=dtype if _is_sharded() else torch.uint8,
        )
    if recipe.quantisation == "int8":
        options["quantization_config"] = BitsAndBytesConfig(  # type: ignore[no-untyped-call]
            load_in_8bit=True
        )
    if _is_sharded():
        options.pop("device_map", None)
    return options


def _is_sharded() -> bool:
    return os.environ.get("ACCELERATE_USE_FSDP", "").lower() == "true"


def _has_room(base: Any) -> bool:
    """Whether the base's weights fit unpacked with plenty to spare, on a CPU."""
    import psutil

    unpacked = 2 * sum(
        p.numel() * (2 if hasattr(p, "quant_state") else 1) for p in base.parameters()
    )
    on_cpu = next(base.parameters()).device.type == "cpu"
    return on_cpu and unpacked < psutil.virtual_memory().available / 8 and not _is_sharded()


def _keep_quiet() -> None:
    """Silence what nobody could do something about."""
    silence_adapters()
    from transformers.utils import logging as quiet

    quiet.disable_progress_bar()  # type: ignore[no-untyped-call]
    quiet.set_verbosity_error()  # type: ignore[no-untyped-call]
