"""The QLoRA loop: a base in NF4, an adapter on its linear layers, loss on the reply alone.

Knows nothing of databases: it takes examples, tells every step, writes checkpoints, and goes on
from the newest one there is.
"""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

from core.errors import TrainingError
from core.records import LossPoint
from train.adapter import manifest_of as manifest_of
from train.adapter import save_adapter as save_adapter
from train.checkpoint import newest_checkpoint, save_checkpoint
from train.engine import Engine, check_loss
from train.examples import Example
from train.loading import load_for_training as load_for_training
from train.order import order_steps, steps_an_epoch
from train.recipes import Recipe
from train.trial import Measured, Trial

BEST = "best"  # the adapter with the lowest eval loss, where the recipe has patience
PACE = 10  # steps over which the tokens a second are taken

# Go on, write a checkpoint and leave, or end here and keep what was learned.
Word = Literal["on", "pause", "stop"]
# Called by the leader after each step.
OnStep = Callable[[LossPoint], Word]


@dataclass(frozen=True, slots=True)
class Ended:
    """How a run ended: at `total_steps`, by a word, or because dev got no better."""

    step: int
    how: Literal["done", "paused", "stopped", "early"]
    best_step: int | None = None  # whose weights are kept, where that is not the last


@dataclass(frozen=True, slots=True)
class _Progress:
    """Where a run is. `stale` counts evaluations since the lowest eval loss."""

    step: int = 0
    tokens: int = 0
    seconds: float = 0.0
    best_loss: float | None = None
    best_step: int = 0
    stale: int = 0


def train(
    model: Any,
    examples: Sequence[Example],
    recipe: Recipe,
    *,
    total_steps: int,
    checkpoints: Path,
    on_step: OnStep,
    trial: Trial | None = None,
    facts: Mapping[str, Any] | None = None,
) -> Ended:
    """Train the adapter up to `total_steps`, from the newest of `checkpoints` on if there is one.

    `facts` are written into each checkpoint. On every process of an accelerate program the same.
    """
    found = newest_checkpoint(checkpoints)
    if found is None:
        check_loss(model, min(examples, key=len), recipe)
    engine = Engine(model, recipe)
    now = _Progress()
    if found is not None:
        engine.load(found.folder)
        now = _Progress(**found.facts["progress"])
    every = max(1, round(recipe.evaluate_every * steps_an_epoch(len(examples), recipe)))
    pace: deque[tuple[int, float]] = deque(maxlen=PACE)
    began, saved, word = time.monotonic() - now.seconds, time.monotonic(), "on"

    def keep() -> None:
        if engine.is_leader:
            known = {**(facts or {}), "progress": asdict(now), "total_steps": total_steps}
            save_checkpoint(checkpoints, now.step, engine.save, facts=known)

    for epoch, batch in order_steps(examples, recipe, first=now.step, last=total_steps):
        started, rate = time.monotonic(), learning_rate(recipe, now.step, total_steps)
        loss = engine.step(batch, number=now.step + 1, rate=rate)
        tokens = sum(map(len, batch))
        pace.append((tokens, time.monotonic() - started))
        now = replace(now, step=now.step + 1, tokens=now.tokens + tokens)
        tried = trial is not None and (now.step % every == 0 or now.step == total_steps)
        measured = trial.measure(engine) if trial is not None and tried else Measured()
        now = _look_for_best(now, measured, engine, recipe, checkpoints)
        now = replace(now, seconds=time.monotonic() - began)
        if engine.is_leader:
            word = on_step(
                LossPoint(
                    now.step, epoch, loss, rate, sum(n for n, _ in pace) / sum(s for _, s in pace),
                    now.seconds, engine.memory(), measured.eval_loss, measured.tr, measured.arg,
                )
            )  # fmt: skip
        word = engine.agree(word)
        is_early = tried and bool(recipe.patience) and now.stale >= recipe.patience
        is_last = word != "on" or is_early or now.step == total_steps
        is_due = recipe.checkpoint_steps and now.step % recipe.checkpoint_steps == 0
        if is_last or is_due or time.monotonic() - saved > recipe.checkpoint_minutes * 60:
            keep()
            saved = time.monotonic()
        if is_last:
            break
    if word == "pause" and now.step < total_steps:
        return Ended(now.step, "paused")
    best = _take_best(now, engine, recipe, checkpoints)
    if word == "stop" and now.step < total_steps:
        return Ended(now.step, "stopped", best)
    return Ended(now.step, "done" if now.step == total_steps else "early", best)


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


# ---------------------------------------------------------------- private


def _look_for_best(
    now: _Progress, measured: Measured, engine: Engine, recipe: Recipe, checkpoints: Path
) -> _Progress:
    """Keep the adapter where the recipe has patience and its eval loss is the lowest so far."""
    if not recipe.patience or measured.eval_loss is None:
        return now
    if now.best_loss is not None and measured.eval_loss >= now.best_loss:
        return replace(now, stale=now.stale + 1)
    if engine.is_leader:
        save_adapter(engine.model, checkpoints / BEST, facts={"step": now.step})
    return replace(now, best_loss=measured.eval_loss, best_step=now.step, stale=0)


def _take_best(now: _Progress, engine: Engine, recipe: Recipe, checkpoints: Path) -> int | None:
    """Put the best adapter's weights back where the last ones are not the best."""
    if not recipe.patience or now.best_loss is None or now.best_step == now.step:
        return None
    if not (checkpoints / BEST).exists():
        raise TrainingError(
            f"the best adapter, of step {now.best_step}, is gone from {checkpoints}: continue the run "
            "from its last checkpoint"
        )
    engine.load_weights(checkpoints / BEST)
    return now.best_step
