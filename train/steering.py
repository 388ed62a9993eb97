"""What a person wants of a run that is there already: pause, resume, keep, continue, cancel."""

from __future__ import annotations

import shutil
from pathlib import Path

from core.errors import RefusedError, TrainingError
from train.adapter import MANIFEST
from train.carrier import put_run
from train.checkpoint import Checkpoint, newest_checkpoint, save_checkpoint, write_whole
from train.engine import MOMENTS
from train.fitting import (
    DATA_CARD,
    checkpoints_of,
    describe_adapter,
    read_frozen,
    register_candidate,
    run_folder,
)
from train.order import total_steps
from train.qlora import BEST
from train.recipes import Recipe
from train.runs import add_run
from train.services import Services

# What a run cannot change on its way: the adapter's shape, and which sample comes when.
FIXED = (
    "rank", "alpha", "target_modules", "quantisation", "double_quantisation", "batch_size",
    "accumulation", "seed", "max_tokens", "per_language", "balance",
)  # fmt: skip


def pause_run(services: Services, run_id: int) -> None:
    """Ask a run to write a checkpoint and give the machine back; `resume_run` goes on from there."""
    services.store.runs.pause(run_id)


def resume_run(services: Services, run_id: int) -> None:
    """Let a paused or broken-off run go on from its last checkpoint, or from the start without one.

    Raises `RefusedError` where it is under way, or has ended with a model.
    """
    run = services.store.runs.get(run_id)
    if run.state in ("queued", "running", "evaluating"):
        raise RefusedError(f"run {run_id} is under way already")
    if run.model_id is not None:
        raise RefusedError(
            f"run {run_id} has ended, with {run.model_id}: continue it with more epochs instead"
        )
    services.store.runs.update(
        run_id, state="queued", reason="", finished=None, cancel_requested=False,
        pause_requested=False,
    )  # fmt: skip
    put_run(services, run_id)


def cancel_run(services: Services, run_id: int, *, keep: bool = True) -> None:
    """Ask for the end of a run. What was learned until then is kept as a candidate, of a run that
    waits too if it has a checkpoint; without `keep` nothing is made of it, and its last checkpoint
    stays, to go on from."""
    run = services.store.runs.get(run_id)
    waits = run.state in ("queued", "paused")
    services.store.runs.cancel(run_id, keep=keep)
    if keep and waits and newest_checkpoint(checkpoints_of(services.home, run_id)):
        keep_run(services, run_id)


def keep_run(services: Services, run_id: int) -> str:
    """Make a candidate of the last checkpoint of a run that was paused, cancelled or broke off;
    returns its id. Raises `RefusedError` where there is none, or the run has its model."""
    run = services.store.runs.get(run_id)
    if run.model_id is not None:
        raise RefusedError(f"run {run_id} has its model already: {run.model_id}")
    if run.state in ("running", "evaluating"):
        raise RefusedError(f"run {run_id} is under way: cancel it to keep what it has learned")
    checkpoint = _checkpoint(services, run_id)
    step, source = _best_of(services, run_id, checkpoint)
    frozen = read_frozen(services.home, run_id)
    checksum = checkpoint.facts.get("base_sha256")
    manifest = describe_adapter(services, run, step, frozen, checksum)
    folder = run_folder(services.home, run_id) / "adapter"
    write_whole(folder, lambda work: _copy_adapter(source, work), manifest=MANIFEST, facts=manifest)
    candidate = register_candidate(services, run, folder, manifest)
    services.store.runs.finish(
        run_id, "cancelled",
        f"ended at step {checkpoint.step:,} of {run.total_steps:,}, its last checkpoint; what was "
        f"learned until step {step:,} is kept as a candidate",
    )  # fmt: skip
    return candidate


def continue_run(
    services: Services, run_id: int, recipe: Recipe, *, person: str | None = None
) -> int:
    """Queue a new run that goes on where an ended one stopped, on the same frozen reviews, up to the
    recipe's epochs; returns its id.

    Learning rate, schedule, dropout and evaluation may change; the adapter's shape and the order of
    the samples may not.
    """
    old = services.store.runs.get(run_id)
    if old.state in ("queued", "running", "evaluating"):
        raise RefusedError(f"run {run_id} is under way: it can be continued when it has ended")
    before = Recipe.from_run(old)
    for name in FIXED:
        if getattr(recipe, name) != getattr(before, name):
            raise TrainingError(
                f"a run cannot be continued with another {name} ({getattr(recipe, name)!r}, it had "
                f"{getattr(before, name)!r}): keep it, or start a new run"
            )
    checkpoint = _checkpoint(services, run_id)
    steps = total_steps(old.snapshot.get("samples", 0), recipe)
    if steps <= checkpoint.step:
        done = before.epochs * checkpoint.step / max(1, old.total_steps)
        raise TrainingError(
            f"epochs is {recipe.epochs:g}, and run {run_id} has done {done:.2g} already: set more"
        )
    new = add_run(
        services, old.collection_id, recipe, base_id=old.base_id, continues=run_id,
        launch=old.launch,
    )  # fmt: skip
    try:
        _hand_over(services, run_id, new, checkpoint)
    except TrainingError:
        services.store.runs.delete(new)
        shutil.rmtree(run_folder(services.home, new), ignore_errors=True)
        raise
    asked = {"asked_by": person} if person else {}
    services.store.runs.update(new, step=checkpoint.step, total_steps=steps, snapshot=asked)
    put_run(services, new)
    return new


def last_step(services: Services, run_id: int) -> int | None:
    """The step of a run's last checkpoint, None without one."""
    found = newest_checkpoint(checkpoints_of(services.home, run_id))
    return found.step if found else None


# ---------------------------------------------------------------- private


def _checkpoint(services: Services, run_id: int) -> Checkpoint:
    found = newest_checkpoint(checkpoints_of(services.home, run_id))
    if found is None:
        raise RefusedError(
            f"run {run_id} has no checkpoint (it ended before its first): start a new run"
        )
    return found


def _best_of(services: Services, run_id: int, last: Checkpoint) -> tuple[int, Path]:
    """(step, folder) of what a run keeps: where it looked for its best, that, else its last."""
    best = checkpoints_of(services.home, run_id) / BEST
    step = last.facts["progress"]["best_step"]
    return (step, best) if step and best.exists() else (last.step, last.folder)


def _copy_adapter(source: Path, target: Path) -> None:
    for path in source.iterdir():
        if path.name.startswith("adapter_"):
            shutil.copy2(path, target / path.name)


def _hand_over(services: Services, old: int, new: int, checkpoint: Checkpoint) -> None:
    """Copy the frozen reviews, the last checkpoint and the losses of a run into another."""
    source, target = (run_folder(services.home, run_id) for run_id in (old, new))
    facts = {k: v for k, v in checkpoint.facts.items() if k not in ("files", "step")}
    facts["progress"] = {**facts["progress"], "stale": 0}  # its patience begins anew

    def copy(work: Path) -> None:
        _copy_adapter(checkpoint.folder, work)
        shutil.copy2(checkpoint.folder / MOMENTS, work / MOMENTS)

    try:
        target.mkdir(parents=True, exist_ok=True)
        for name in ("train.jsonl", "dev.jsonl", DATA_CARD, "snapshot.json"):
            shutil.copy2(source / name, target / name)
        best = checkpoints_of(services.home, old) / BEST
        if best.exists():
            shutil.copytree(best, checkpoints_of(services.home, new) / BEST)
    except OSError as problem:
        raise TrainingError(
            f"run {old} could not be copied to {target} ({problem}): free some space, and look "
            "whether its files are there"
        ) from problem
    save_checkpoint(checkpoints_of(services.home, new), checkpoint.step, copy, facts=facts)
    services.store.runs.copy_losses(old, to=new, until=checkpoint.step)
