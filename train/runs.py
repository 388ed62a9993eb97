"""A training run from snapshot to candidate: what the worker's child process and the terminal do.

Run as: python -m train.runs RUN_ID
"""

from __future__ import annotations

import logging
import signal
import sys
from collections.abc import Callable
from datetime import UTC, datetime

from core.errors import ArgusError, TrainingError
from core.prompts import TUNED
from core.records import LossPoint, ModelRecord, RunRecord
from train.evaluate import evaluate_model
from train.examples import make_examples
from train.recipes import Recipe, recipe_from_dict, recipe_to_dict
from train.registry import model_in_use
from train.services import Services, base_location, base_of, open_services
from train.snapshot import judged_split, take_snapshot, total_steps, write_snapshot

log = logging.getLogger(__name__)
Say = Callable[[RunRecord, LossPoint | None, str], None]


def add_run(
    services: Services, collection_id: int, recipe: Recipe, *, base_id: str | None = None
) -> int:
    """Write down a run on the base of the model in use, or on `base_id`; returns its id."""
    recipe.check()
    base = (
        services.store.models.get(base_id)
        if base_id
        else base_of(services, model_in_use(services, collection_id))
    )
    if not base.is_base:
        raise TrainingError(f"{base.id} is an adapter: choose a base model to train on")
    return services.store.runs.add(collection_id, base_id=base.id, recipe=recipe_to_dict(recipe))


def train_in_foreground(
    services: Services,
    collection_id: int,
    recipe: Recipe,
    *,
    base_id: str | None = None,
    say: Say = lambda _run, _point, _text: None,
) -> ModelRecord:
    """Train here and now; returns the candidate. Ctrl-C stops and keeps what was learned."""
    run_id = add_run(services, collection_id, recipe, base_id=base_id)
    execute_run(services, run_id, say=say, judge=False)
    run = services.store.runs.get(run_id)
    if run.model_id is None:
        raise TrainingError(f"run {run_id} made no model: {run.reason}")
    return services.store.models.get(run.model_id)


def execute_run(
    services: Services,
    run_id: int,
    *,
    say: Say = lambda _run, _point, _text: None,
    judge: bool = True,
) -> None:
    """Do a run: snapshot, train, register the candidate, and (`judge`) score it, its base and the
    model in use. However it ends, the run's row says how, and the model in use is untouched."""
    runs = services.store.runs
    if runs.get(run_id).state != "queued":
        return  # cancelled while it waited
    run = runs.update(run_id, state="running", started=datetime.now(UTC))
    try:
        done = _train(services, run, say)
        if judge and done == "done":
            runs.update(run_id, state="evaluating")
            _judge(services, runs.get(run_id), say)
        if done == "stopped":
            reached = runs.get(run_id)
            runs.finish(
                run_id, "cancelled",
                f"stopped by a person at step {reached.step} of {reached.total_steps}; "
                "what was learned until then is kept as a candidate",
            )  # fmt: skip
        else:
            runs.finish(run_id, "done")
    except ArgusError as problem:
        runs.finish(run_id, "failed", str(problem))
        raise
    except MemoryError as problem:
        reason = "this machine has too little memory for the run: use a smaller batch or max_tokens"
        runs.finish(run_id, "failed", reason)
        raise TrainingError(reason) from problem
    except Exception as problem:
        runs.finish(run_id, "failed", f"the run broke off: {type(problem).__name__}: {problem}")
        raise


def _train(services: Services, run: RunRecord, say: Say) -> str:
    """Train and register the candidate; "done", "stopped", or "nothing" where no step was made."""
    from train import qlora

    runs, models = services.store.runs, services.store.models
    recipe = recipe_from_dict(run.recipe)
    folder = services.home.runs / str(run.id)
    say(run, None, "freezing the reviews")
    snapshot = take_snapshot(services, run.collection_id, recipe)
    facts = {"collection": run.collection_id, "samples": len(snapshot.train)}
    write_snapshot(snapshot, folder, facts=facts)

    say(run, None, "loading the base model")
    base = models.get(run.base_id)
    model, tokenizer = qlora.load_for_training(base_location(services, base), recipe)
    schema = services.store.collections.schema(run.collection_id)
    examples, left_out = make_examples(
        snapshot.train, schema, tokenizer, max_tokens=recipe.max_tokens
    )
    if not examples:
        raise TrainingError(
            f"every sample is longer than max_tokens ({recipe.max_tokens}): raise it"
        )
    steps = total_steps(len(examples), recipe)
    run = runs.update(
        run.id,
        total_steps=steps,
        folder=str(folder),
        snapshot={
            "hash": snapshot.hash, "by_language": snapshot.by_language,
            "samples": len(examples), "left_out": left_out,
        },
    )  # fmt: skip
    if left_out:
        say(
            run,
            None,
            f"{len(left_out)} samples are longer than {recipe.max_tokens} tokens: left out",
        )

    last: list[LossPoint] = []

    def on_step(point: LossPoint) -> bool:
        now = runs.update(run.id, step=point.step)
        runs.add_losses(run.id, [point])
        say(now, point, "training")
        last[:] = [point]
        return not now.cancel_requested and not _Stop.asked

    reached = qlora.train(
        model,
        examples,
        recipe,
        total_steps=steps,
        checkpoints=folder / "checkpoint",
        on_step=on_step,
    )
    candidate = f"{base.id}-run{run.id}"
    manifest = qlora.manifest_of(
        recipe, base=base.id, base_sha256=base.manifest.get("sha256"), prompt_version=TUNED,
        snapshot=snapshot.hash, collection=run.collection_id, run=run.id, steps=reached,
        loss=last[0].loss if last else None,
    )  # fmt: skip
    qlora.save_adapter(model, folder / "adapter", facts=manifest)
    models.add(
        candidate, title=f"{base.title} + run {run.id}", state="candidate", base_id=base.id,
        collection_id=run.collection_id, location=str(folder / "adapter"), run_id=run.id,
        terms=base.terms, manifest=manifest,
    )  # fmt: skip
    runs.update(run.id, model_id=candidate)
    return "done" if reached == steps else "stopped"


def _judge(services: Services, run: RunRecord, say: Say) -> None:
    """Score the candidate, its base and the model in use on the split that models are judged on."""
    split = judged_split(services, run.collection_id)
    if split == "none":
        return
    models = services.store.models
    wanted = [run.model_id, run.base_id, model_in_use(services, run.collection_id).id]
    for ident in dict.fromkeys(i for i in wanted if i):

        def beat(share: float, ident: str = ident) -> None:
            now = services.store.runs.update(run.id)
            say(now, None, f"scoring {ident} on the {split} split, {share:.0%}")

        evaluate_model(
            services, run.collection_id, split=split, model=models.get(ident), reuse=True,
            on_step=throttled(beat),
        )  # fmt: skip


def throttled(step: Callable[[float], None], *, seconds: float = 1.0) -> Callable[[float], None]:
    """`step`, but at most once in `seconds`: a step of decoding is quicker than a database write."""
    import time

    last = [0.0]

    def limited(share: float) -> None:
        if time.monotonic() - last[0] >= seconds:
            last[0] = time.monotonic()
            step(share)

    return limited


class _Stop:
    """Whether this process was asked to end: the step under way is finished and kept."""

    asked = False


def _ask_to_stop(_signal: int, _frame: object) -> None:
    _Stop.asked = True


def stop_gently() -> None:
    """Let SIGTERM and Ctrl-C end a run at the next step, with what was learned kept."""
    signal.signal(signal.SIGTERM, _ask_to_stop)
    signal.signal(signal.SIGINT, _ask_to_stop)


def main() -> int:
    """The worker's child process for one run."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    stop_gently()
    run_id = int(sys.argv[1])

    def say(run: RunRecord, point: LossPoint | None, text: str) -> None:
        if point is None:
            log.info("%s", text)
        elif point.step % 10 == 0:
            log.info("step %d of %d, loss %.3f", point.step, run.total_steps, point.loss)

    try:
        execute_run(open_services(), run_id, say=say)
    except ArgusError as problem:
        log.error("%s", problem)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
