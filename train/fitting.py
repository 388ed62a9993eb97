"""The training part of a run: freeze the reviews, load the base, train, and keep the adapter.

What a run is made of is frozen in its folder before the first step (samples, dev, schema), so that
it goes on with the same after a pause or a crash, and every process of it reads the same.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.errors import StorageError, TrainingError
from core.prompts import TUNED
from core.records import LossPoint, RunRecord
from core.samples import Sample, sample_to_dict
from core.schema import Schema, schema_from_dict, schema_to_dict
from storage.home import Home
from train.adapter import check_base, checksum_base, manifest_of
from train.cards import data_card
from train.checkpoint import newest_checkpoint
from train.examples import Example, make_examples
from train.leakage import check_leaks
from train.order import total_steps
from train.qlora import Ended, Word, save_adapter, train
from train.reading import as_text
from train.recipes import Recipe, recipe_from_dict
from train.services import Services, base_location
from train.snapshot import Snapshot, read_samples, reviewed, take_snapshot, write_snapshot
from train.trial import prepare_trial

DATA_CARD = "data-card.md"
Say = Callable[[RunRecord, LossPoint | None, str], None]


@dataclass(frozen=True, slots=True)
class Frozen:
    """What a run trains on and is tried on, as it was when the run began."""

    train: Sequence[Sample]
    dev: Sequence[Sample]
    schema: Schema
    facts: dict[str, Any]


def run_folder(home: Home, run_id: int) -> Path:
    """Where a run keeps its files."""
    return home.runs / str(run_id)


def checkpoints_of(home: Home, run_id: int) -> Path:
    """Where a run keeps its checkpoints."""
    return run_folder(home, run_id) / "checkpoints"


def fit_run(
    services: Services,
    run: RunRecord,
    *,
    say: Say,
    listen: Callable[[RunRecord], Word],
    is_leader: bool = True,
) -> Ended:
    """Train a run from its newest checkpoint on, and register the candidate unless it is paused.

    Of several processes the leader writes; the others take part in the computing. `listen`: what a
    person wants of the run, after each step.
    """
    runs = services.store.runs
    recipe = recipe_from_dict(run.recipe)
    if is_leader and not (run_folder(services.home, run.id) / "snapshot.json").exists():
        say(run, None, "freezing the reviews")
        leaks = len(freeze_run(services, run, recipe).leaks)
        if leaks:
            say(run, None, f"{leaks} samples repeat a dev or test sample: left out")
    _wait_for_leader()
    frozen = read_frozen(services.home, run.id)
    base = services.store.models.get(run.base_id)
    location = base_location(services, base)
    checksum = checksum_base(location)
    checkpoint = newest_checkpoint(checkpoints_of(services.home, run.id))
    if is_leader:
        runs.drop_losses(run.id, after=checkpoint.step if checkpoint else 0)
    if checkpoint is not None:
        check_base(location, checkpoint.facts.get("base_sha256"), of=f"run {run.id}")
        say(run, None, f"going on from step {checkpoint.step}")

    from train.loading import load_for_training

    if is_leader:
        say(run, None, "loading the base model")
    model, tokenizer = load_for_training(location, recipe)
    examples, left_out = make_examples(
        frozen.train, frozen.schema, tokenizer, max_tokens=recipe.max_tokens
    )
    if not examples:
        raise TrainingError(
            f"every sample is longer than max_tokens ({recipe.max_tokens}): raise it"
        )
    steps = total_steps(len(examples), recipe)
    if is_leader:
        run = _write_down(services, run, frozen, examples, left_out, steps=steps)
        if left_out:
            told = f"{len(left_out)} samples are longer than {recipe.max_tokens} tokens: left out"
            say(run, None, told)

    def on_step(point: LossPoint) -> Word:
        runs.add_losses(run.id, [point])
        say(run, point, "training")
        return listen(runs.update(run.id, step=point.step))

    ended = train(
        model, examples, recipe, total_steps=steps, on_step=on_step,
        checkpoints=checkpoints_of(services.home, run.id),
        trial=prepare_trial(frozen.dev, frozen.schema, tokenizer, recipe),
        facts={"base": base.id, "base_sha256": checksum, "snapshot": frozen.facts["hash"]},
    )  # fmt: skip
    if is_leader and ended.how != "paused":
        manifest = describe_adapter(services, run, ended.best_step or ended.step, frozen, checksum)
        folder = run_folder(services.home, run.id) / "adapter"
        save_adapter(model, folder, facts=manifest)
        register_candidate(services, run, folder, manifest)
    return ended


def freeze_run(services: Services, run: RunRecord, recipe: Recipe) -> Snapshot:
    """Write down the samples of a run with their card, the dev samples and the schema, the manifest
    last; returns the snapshot."""
    folder = run_folder(services.home, run.id)
    leaks = check_leaks(services, run.collection_id)
    snapshot = take_snapshot(services, run.collection_id, recipe, leaks=leaks.left_out)
    schema = services.store.collections.schema(run.collection_id)
    dev = as_text(services, run.collection_id, reviewed(services, run.collection_id, "dev"))
    lines = [json.dumps(sample_to_dict(s)) + "\n" for s in dev]
    name = next(c.name for c in services.store.collections.all() if c.id == run.collection_id)
    card = data_card(
        snapshot, collection=name, recipe=run.recipe,
        held_out={"dev": len(dev), "test": len(reviewed(services, run.collection_id, "test"))},
        leaks_kept=leaks.leaks_kept,
    )  # fmt: skip
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "dev.jsonl").write_text("".join(lines), encoding="utf-8")
        (folder / DATA_CARD).write_text(card, encoding="utf-8")
    except OSError as problem:
        raise StorageError(
            f"the dev samples could not be written to {folder} ({problem}): free some space and start "
            "again"
        ) from problem
    facts = {
        "collection": run.collection_id, "samples": len(snapshot.train),
        "schema": schema_to_dict(schema), "leaks_kept": leaks.leaks_kept,
    }  # fmt: skip
    write_snapshot(snapshot, folder, facts=facts)
    return snapshot


def read_frozen(home: Home, run_id: int) -> Frozen:
    """Read what `freeze_run` wrote."""
    folder = run_folder(home, run_id)
    try:
        facts = json.loads((folder / "snapshot.json").read_text(encoding="utf-8"))
        found = Frozen(
            read_samples(folder / "train.jsonl"), read_samples(folder / "dev.jsonl"),
            schema_from_dict(facts["schema"]), facts,
        )  # fmt: skip
    except (OSError, ValueError, KeyError) as problem:
        raise StorageError(
            f"the snapshot of run {run_id} in {folder} cannot be read ({problem}): start a new run"
        ) from problem
    return found


def describe_adapter(
    services: Services, run: RunRecord, step: int, frozen: Frozen, checksum: str | None
) -> dict[str, Any]:
    """The manifest of the adapter that a run had at a step."""
    at = next((p for p in services.store.runs.losses(run.id) if p.step == step), None)
    return manifest_of(
        recipe_from_dict(run.recipe), base=run.base_id, base_sha256=checksum, prompt_version=TUNED,
        snapshot=frozen.facts["hash"], collection=run.collection_id, run=run.id, steps=step,
        loss=at.loss if at else None, eval_loss=at.eval_loss if at else None,
        tr=at.tr if at else None, arg=at.arg if at else None,
    )  # fmt: skip


def register_candidate(
    services: Services, run: RunRecord, folder: Path, manifest: dict[str, Any]
) -> str:
    """Put the adapter in a folder on the list of models, as the run's candidate; returns its id."""
    base = services.store.models.get(run.base_id)
    candidate = f"{base.id}-run{run.id}"
    services.store.models.add(
        candidate, title=f"{base.title} + run {run.id}", state="candidate", base_id=base.id,
        collection_id=run.collection_id, location=str(folder), run_id=run.id, terms=base.terms,
        manifest=manifest,
    )  # fmt: skip
    services.store.runs.update(run.id, model_id=candidate)
    return candidate


# ---------------------------------------------------------------- private


def _write_down(
    services: Services,
    run: RunRecord,
    frozen: Frozen,
    examples: Sequence[Example],
    left_out: Sequence[str],
    *,
    steps: int,
) -> RunRecord:
    return services.store.runs.update(
        run.id,
        total_steps=steps,
        folder=str(run_folder(services.home, run.id)),
        snapshot={
            **run.snapshot, "hash": frozen.facts["hash"],
            "by_language": frozen.facts["by_language"], "samples": len(examples),
            "left_out": list(left_out), "leaks": len(frozen.facts.get("leaks", [])),
            "leaks_kept": frozen.facts.get("leaks_kept", 0),
            "repeated": len(examples) - len({e.sample_id for e in examples}),
        },
    )  # fmt: skip


def _wait_for_leader() -> None:
    import torch
    from accelerate import PartialState

    PartialState(cpu=not torch.cuda.is_available()).wait_for_everyone()
