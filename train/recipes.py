"""The recipe of a training run: one dataclass, saved with all that a run makes, and its presets."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal

from core.errors import TrainingError, shown
from core.records import RunRecord
from train.balance import BALANCES

# The linear layers of the language models that transformers has; the embedding is never adapted.
LINEAR = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")

# From and to, both allowed, and what is usual where another value was wrong.
LIMITS: dict[str, tuple[float, float, str]] = {
    "rank": (1, 1024, "8 to 128 is usual"),
    "alpha": (1, 4096, "twice the rank is usual"),
    "dropout": (0, 0.9, "0 to 0.1 is usual"),
    "max_tokens": (16, 131072, "1024 holds a news story"),
    "epochs": (0.01, 100, "3 to 5 is usual"),
    "batch_size": (1, 1024, "2 to 16 is usual"),
    "accumulation": (1, 1024, "1 is usual"),
    "learning_rate": (1e-8, 0.1, "1e-5 to 5e-4 is usual"),
    "warmup_steps": (0, 100000, "10 is usual"),
    "weight_decay": (0, 1, "0 is usual"),
    "adam_beta1": (0, 0.9999, "0.9 is usual"),
    "adam_beta2": (0, 0.99999, "0.999 is usual"),
    "adam_epsilon": (1e-12, 0.01, "1e-8 is usual"),
    "max_grad_norm": (0.001, 1000, "1 is usual"),
    "seed": (0, 2**31 - 1, "any whole number will do"),
    "per_language": (1, 10_000_000, "leave it out for all samples"),
    "checkpoint_minutes": (0.05, 600, "2 is usual"),
    "checkpoint_steps": (0, 1_000_000, "0 is by time alone"),
    "evaluate_every": (0, 100, "1 is once an epoch, 0 is never"),
    "eval_samples": (0, 100_000, "80 is usual"),
    "scored_samples": (0, 10_000, "16 is usual"),
    "patience": (0, 1000, "0 is to train to the end"),
}
CHOICES: dict[str, tuple[str, ...]] = {
    "schedule": ("linear", "cosine", "constant"),
    "quantisation": ("nf4", "fp4", "int8", "none"),
    "compute_dtype": ("bfloat16", "float32"),
    "balance": BALANCES,
}


@dataclass(frozen=True, slots=True)
class Recipe:
    """Every setting of a QLoRA run. `per_language`: at most so many samples a language, None is all.

    `balance`: what rare samples are repeated for. `accumulation`: batches that make one step.
    `schedule`: the learning rate after `warmup_steps`. `quantisation`: how the base is held, "none"
    in `compute_dtype`. `gradient_checkpointing`: compute again instead of remembering, where memory
    is short.

    A checkpoint is written every `checkpoint_minutes`, and every `checkpoint_steps` too where that
    is not 0. Every `evaluate_every` epochs (0: never) `eval_samples` of dev give an eval loss and
    `scored_samples` of them Tr and Arg; after `patience` evaluations without a lower eval loss the
    run ends and the best is kept (0: never).
    """

    preset: str = "laptop"
    rank: int = 32
    alpha: int = 64
    dropout: float = 0.1
    target_modules: tuple[str, ...] = LINEAR
    max_tokens: int = 1024
    epochs: float = 5
    batch_size: int = 4
    accumulation: int = 1
    learning_rate: float = 5e-4
    schedule: Literal["linear", "cosine", "constant"] = "linear"
    warmup_steps: int = 10
    weight_decay: float = 0.0
    adam_beta1: float = 0.9
    adam_beta2: float = 0.999
    adam_epsilon: float = 1e-8
    max_grad_norm: float = 1.0
    quantisation: Literal["nf4", "fp4", "int8", "none"] = "nf4"
    double_quantisation: bool = True
    compute_dtype: Literal["bfloat16", "float32"] = "bfloat16"
    gradient_checkpointing: bool = False
    seed: int = 0
    per_language: int | None = None
    balance: Literal["none", "language", "type", "modality"] = "none"
    checkpoint_minutes: float = 2.0
    checkpoint_steps: int = 0
    evaluate_every: float = 1.0
    eval_samples: int = 80
    scored_samples: int = 16
    patience: int = 0

    @classmethod
    def laptop(cls) -> Recipe:
        """For the embedded model on two cores and 8 GiB."""
        return cls()

    @classmethod
    def single_gpu(cls) -> Recipe:
        """For a model of 7B parameters on one card of 24 GB."""
        return cls(
            preset="single_gpu", rank=64, alpha=128, dropout=0.05, max_tokens=4096, epochs=3, batch_size=4,
            accumulation=4, learning_rate=1e-4, schedule="cosine", warmup_steps=20,
            gradient_checkpointing=True, checkpoint_minutes=10,
        )  # fmt: skip

    @classmethod
    def paper(cls) -> Recipe:
        """The paper's, for 7B models on two A100-40GB."""
        return cls(
            preset="paper", rank=128, alpha=256, dropout=0.05, max_tokens=9300, epochs=3, batch_size=2,
            learning_rate=1e-5, warmup_steps=0, gradient_checkpointing=True, checkpoint_minutes=10,
        )  # fmt: skip

    @classmethod
    def named(cls, preset: str) -> Recipe:
        """The preset of this name (single-gpu is single_gpu); raises `TrainingError` that names those
        there are."""
        preset = preset.replace("-", "_")
        if preset not in PRESETS:
            raise TrainingError(
                f"there is no preset {preset!r}: choose one of {', '.join(PRESETS)}"
            )
        made: Recipe = getattr(cls, preset)()
        return made

    @classmethod
    def from_run(cls, run: RunRecord) -> Recipe:
        """The recipe of a past run, to start another one with; what it did not know is as usual."""
        known = {f.name for f in fields(cls)}
        return recipe_from_dict({k: v for k, v in run.recipe.items() if k in known})

    def check(self) -> None:
        """Raise `TrainingError` naming the first setting that cannot work, and what would."""
        for name, (low, high, usual) in LIMITS.items():
            value = getattr(self, name)
            if value is not None and not low <= value <= high:
                raise TrainingError(
                    f"{name} must be from {low:.9g} to {high:.9g}, not {value!r}: {usual}"
                )
        if not self.target_modules:
            raise TrainingError(
                f"target_modules is empty: name at least one linear layer, such as {LINEAR[0]}"
            )
        for name, allowed in CHOICES.items():
            if getattr(self, name) not in allowed:
                raise TrainingError(
                    f"{name} must be one of {', '.join(allowed)}, not {getattr(self, name)!r}: "
                    f"{getattr(Recipe(), name)} is usual"
                )
        if self.patience and not (self.evaluate_every and self.eval_samples):
            raise TrainingError(
                f"patience is {self.patience}, and evaluate_every or eval_samples is 0, so there is "
                "nothing to stop by: evaluate once an epoch (evaluate_every 1, eval_samples 80), or "
                "set patience to 0"
            )


PRESETS = ("laptop", "single_gpu", "paper")
FRACTIONS = {f.name for f in fields(Recipe) if f.type == "float"}  # the others are whole numbers


def recipe_to_dict(recipe: Recipe) -> dict[str, Any]:
    """The recipe as JSON has it."""
    return asdict(recipe) | {"target_modules": list(recipe.target_modules)}


def recipe_from_dict(data: Mapping[str, Any]) -> Recipe:
    """Read and check a recipe; raises `TrainingError` naming the field and the value."""
    usual = recipe_to_dict(Recipe())
    for name, value in data.items():
        if name not in usual:
            raise TrainingError(
                f"a recipe has no setting {name!r}: take it out (it has: {', '.join(usual)})"
            )
        _check_kind(name, value, usual[name])
    values = dict(data)
    if "target_modules" in values:
        values["target_modules"] = tuple(values["target_modules"])
    recipe = Recipe(**values)
    recipe.check()
    return recipe


def _check_kind(name: str, value: object, usual: object) -> None:
    """Raise `TrainingError` unless the value is of the kind that the usual one is."""
    if name == "per_language" and value is None:
        return
    if name in FRACTIONS:
        usual = float(usual)  # type: ignore[arg-type]
    kinds: tuple[tuple[type, Any, str], ...] = (
        (bool, bool, "true or false"), (int, int, "a whole number"), (float, int | float, "a number"),
        (str, str, "a word"), (list, list | tuple, "a list of layers"), (type(None), int, "a whole number"),
    )  # fmt: skip
    allowed, told = next((a, t) for kind, a, t in kinds if isinstance(usual, kind))
    if not isinstance(value, allowed) or (isinstance(value, bool) and allowed is not bool):
        raise TrainingError(f"{name} must be {told}, not {value!r}: {usual!r} is usual")


def command_line(recipe: Recipe, collection: str) -> str:
    """The command that starts the same run from a terminal."""
    parts = ["argus", "train", "--collection", collection, "--preset", recipe.preset]
    usual = recipe_to_dict(Recipe.named(recipe.preset))
    for name, value in recipe_to_dict(recipe).items():
        if value == usual[name] or name == "preset":
            continue
        if name in ("per_language", "seed"):
            parts += ["--" + name.replace("_", "-"), str(value)]
        else:
            shown = ",".join(value) if isinstance(value, list) else str(value)
            parts += ["--set", f"{name}={shown}"]
    return shlex.join(parts)


def with_settings(recipe: Recipe, settings: list[str]) -> Recipe:
    """The recipe with `NAME=VALUE` settings from a command line."""
    values = recipe_to_dict(recipe)
    for setting in settings:
        name, sign, text = setting.partition("=")
        if not sign:
            raise TrainingError(f"{shown(setting)} is not NAME=VALUE, such as epochs=3")
        if name not in values:
            raise TrainingError(f"there is no setting {shown(name)}: use {', '.join(values)}")
        values[name] = _read(text, values[name], name)
    return recipe_from_dict(values)


def _read(text: str, usual: object, name: str) -> object:
    try:
        if isinstance(usual, bool):
            return {"true": True, "false": False}[text.lower()]
        if isinstance(usual, list):
            return [part for part in text.split(",") if part]
        if name in FRACTIONS:
            return float(text)
        if isinstance(usual, int) or usual is None:
            return int(text)
    except (ValueError, KeyError) as problem:
        raise TrainingError(f"{name} cannot be {text!r} (usual: {usual!r})") from problem
    return text
