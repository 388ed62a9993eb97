"""The recipe of a training run: one dataclass, saved with all that a run makes, and its presets."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal

from core.errors import TrainingError
from train.balance import BALANCES

# The linear layers of the language models that transformers has; the embedding is never adapted.
LINEAR = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")


@dataclass(frozen=True, slots=True)
class Recipe:
    """Every setting of a QLoRA run. `per_language`: at most so many samples a language, None is all.

    `balance`: what rare samples are repeated for. `schedule`: the learning rate after `warmup_steps`. `quantisation`: how the base is held.
    """

    preset: str = "laptop"
    rank: int = 32
    alpha: int = 64
    dropout: float = 0.05
    target_modules: tuple[str, ...] = LINEAR
    max_tokens: int = 1024
    epochs: float = 5
    batch_size: int = 4
    accumulation: int = 1
    learning_rate: float = 3e-4
    schedule: Literal["linear", "cosine", "constant"] = "linear"
    warmup_steps: int = 10
    weight_decay: float = 0.0
    max_grad_norm: float = 1.0
    quantisation: Literal["nf4", "none"] = "nf4"
    double_quantisation: bool = True
    seed: int = 0
    per_language: int | None = None
    balance: Literal["none", "language", "type", "modality"] = "none"

    @classmethod
    def laptop(cls) -> Recipe:
        """For two cores and 8 GiB."""
        return cls()

    @classmethod
    def paper(cls) -> Recipe:
        """The paper's, for 7B models on two A100-40GB."""
        return cls(
            preset="paper", rank=128, alpha=256, max_tokens=9300, epochs=3, batch_size=2,
            learning_rate=1e-5, warmup_steps=0,
        )  # fmt: skip

    @classmethod
    def named(cls, preset: str) -> Recipe:
        """The preset of this name; raises `TrainingError` that names those there are."""
        if preset not in PRESETS:
            raise TrainingError(f"there is no preset {preset!r} (there are: {', '.join(PRESETS)})")
        made: Recipe = getattr(cls, preset)()
        return made

    def check(self) -> None:
        """Raise `TrainingError` naming the first setting that cannot work, and what would."""
        limits: dict[str, tuple[float, float]] = {
            "rank": (1, 1024), "alpha": (1, 4096), "dropout": (0, 0.9), "max_tokens": (16, 131072),
            "epochs": (0.01, 100), "batch_size": (1, 1024), "accumulation": (1, 1024),
            "learning_rate": (1e-8, 0.1), "warmup_steps": (0, 100000), "weight_decay": (0, 1),
            "max_grad_norm": (0.001, 1000),
        }  # fmt: skip
        for name, (low, high) in limits.items():
            value = getattr(self, name)
            if not low <= value <= high:
                raise TrainingError(f"{name} must be from {low:g} to {high:g}, not {value!r}")
        if self.per_language is not None and self.per_language < 1:
            raise TrainingError(
                f"per_language must be 1 or more (or nothing for all), not {self.per_language}"
            )
        if not self.target_modules:
            raise TrainingError("target_modules is empty: name at least one linear layer")
        for name, allowed in (
            ("schedule", ("linear", "cosine", "constant")),
            ("quantisation", ("nf4", "none")),
            ("balance", BALANCES),
        ):
            if getattr(self, name) not in allowed:
                raise TrainingError(
                    f"{name} must be one of {', '.join(allowed)}, not {getattr(self, name)!r}"
                )


PRESETS = ("laptop", "paper")


def recipe_to_dict(recipe: Recipe) -> dict[str, Any]:
    """The recipe as JSON has it."""
    return asdict(recipe) | {"target_modules": list(recipe.target_modules)}


def recipe_from_dict(data: Mapping[str, Any]) -> Recipe:
    """Read and check a recipe; raises `TrainingError` naming the field and the value."""
    known = {f.name: f for f in fields(Recipe)}
    for name in data:
        if name not in known:
            raise TrainingError(f"a recipe has no setting {name!r} (it has: {', '.join(known)})")
    whole = {"rank", "alpha", "max_tokens", "batch_size", "accumulation", "warmup_steps", "seed"}
    for name in whole & data.keys():
        if not isinstance(data[name], int) or isinstance(data[name], bool):
            raise TrainingError(f"{name} must be a whole number, not {data[name]!r}")
    for name in ("dropout", "epochs", "learning_rate", "weight_decay", "max_grad_norm"):
        value = data.get(name, 0)
        if not isinstance(value, int | float) or isinstance(value, bool):
            raise TrainingError(f"{name} must be a number, not {value!r}")
    values = dict(data)
    if "target_modules" in values:
        values["target_modules"] = tuple(values["target_modules"])
    recipe = Recipe(**values)
    recipe.check()
    return recipe


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
        if not sign or name not in values:
            raise TrainingError(f"{setting!r} is not NAME=VALUE with a name of {', '.join(values)}")
        values[name] = _read(text, values[name], name)
    return recipe_from_dict(values)


def _read(text: str, usual: object, name: str) -> object:
    try:
        if isinstance(usual, bool):
            return {"true": True, "false": False}[text.lower()]
        if isinstance(usual, list):
            return [part for part in text.split(",") if part]
        if name in ("epochs", "dropout", "learning_rate", "weight_decay", "max_grad_norm"):
            return float(text)
        if isinstance(usual, int) or usual is None:
            return int(text)
    except (ValueError, KeyError) as problem:
        raise TrainingError(f"{name} cannot be {text!r} (usual: {usual!r})") from problem
    return text
