"""A training run from snapshot to candidate: what the worker's child process and the terminal do.

Run as: python -m train.runs RUN_ID (in one process, or in each of several under a launcher)
"""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from core.errors import ArgusError, TrainingError
from core.records import LossPoint, ModelRecord, RunRecord
from storage.work import is_alive
from train.averaging import average_run
from train.evaluate import evaluate_model
from train.fitting import Say, fit_run
from train.launch import check_launch, default_launch, starts_here
from train.qlora import Ended, Word
from train.recipes import Recipe, recipe_to_dict
from train.registry import base_to_train, model_in_use
from train.services import Services, open_services
from train.snapshot import judged_split

log = logging.getLogger(__name__)
HEARTBEAT = 5.0  # seconds between two signs of life
TOLD_EVERY = 10  # steps between two lines of the log
TO_SCORE = "evaluate the model on the Models page"


def add_run(
    services: Services,
    collection_id: int,
    recipe: Recipe,
    *,
    base_id: str | None = None,
    sweep: str | None = None,
    continues: int | None = None,
    launch: str | None = None,
    by_hand: bool = False,
) -> int:
    """Write down a run on the base of the model in use, or on `base_id`; returns its id. `by_hand`: a
    person will start it, on a machine that has what its launch profile needs."""
    recipe.check()
    launch = launch or default_launch()
    check_launch(launch, recipe, by_hand=by_hand)
    base = services.store.models.get(base_id) if base_id else base_to_train(services, collection_id)
    if not base.is_base:
        raise TrainingError(f"{base.id} is an adapter: choose a base model to train on")
    if not base.can_be_trained:
        raise TrainingError(
            f"{base.id} cannot be trained, since its weights are not here ({base.location}): choose "
            "another base model"
        )
    return services.store.runs.add(
        collection_id, base_id=base.id, recipe=recipe_to_dict(recipe), sweep=sweep,
        continues=continues, launch=launch,
    )  # fmt: skip


def train_in_foreground(
    services: Services,
    collection_id: int,
    recipe: Recipe,
    *,
    base_id: str | None = None,
    say: Say = lambda _run, _point, _text: None,
) -> ModelRecord:
    """Train here, after a run that is under way; returns the candidate. Ctrl-C stops and keeps what
    was learned."""
    wait_for_device(
        services, say=lambda run: say(run, None, f"waiting for the end of run {run.id}")
    )
    run_id = add_run(services, collection_id, recipe, base_id=base_id)
    return execute_here(services, run_id, say=say)


def execute_here(
    services: Services, run_id: int, *, say: Say = lambda _run, _point, _text: None
) -> ModelRecord:
    """Do a run in this process, without the scores after it; returns the candidate. Raises
    `TrainingError` where it makes none."""
    execute_run(services, run_id, say=say, judge=False, when_stopped="stop")
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
    when_stopped: Word = "pause",
) -> None:
    """Do a run from its last checkpoint on: snapshot, train (or only average other runs), register
    the candidate, and (`judge`) score it, its base and the model in use. However it ends, the run's
    row says how, and the model in use is untouched.

    `when_stopped`: what SIGTERM and Ctrl-C mean. After "pause" the run waits in the queue.
    """
    runs = services.store.runs
    if runs.get(run_id).state != "queued":
        return  # cancelled or paused while it waited
    run = runs.update(
        run_id, state="running", reason="", started=runs.get(run_id).started or datetime.now(UTC)
    )

    def listen(now: RunRecord) -> Word:
        if now.cancel_requested and not now.pause_requested:
            return "stop"
        return "pause" if now.pause_requested else when_stopped if _Stop.asked else "on"

    unscored = ""
    try:
        with _alive(services, run_id):
            if run.mean_of:
                average_run(services, run, say=lambda text: say(run, None, text))
                ended = Ended(0, "done")
            else:
                ended = fit_run(services, run, say=say, listen=listen)
            if judge and ended.how in ("done", "early"):
                runs.update(run_id, state="evaluating")
                try:
                    _judge(services, runs.get(run_id), say)
                except _NotScored as problem:
                    unscored = str(problem)
        _write_end(services, runs.get(run_id), ended, unscored)
    except ArgusError as problem:
        end_broken_off(services, run_id, str(problem))
        raise
    except MemoryError as problem:
        reason = "this machine has too little memory for the run: lower max_tokens or the rank"
        end_broken_off(services, run_id, reason)
        raise TrainingError(reason) from problem
    except Exception as problem:
        end_broken_off(services, run_id, f"the run broke off: {type(problem).__name__}: {problem}")
        raise


def wait_for_device(
    services: Services,
    *,
    own: int | None = None,
    say: Callable[[RunRecord], None] = lambda _run: None,
    until: Callable[[], bool] = lambda: False,
) -> None:
    """Wait while another run than `own` trains on this machine: one at a time. `say` is told of each
    once; `until`: whether to wait no longer."""
    told: set[int] = set()
    while not until():
        others = [r for r in services.store.runs.open() if r.state == "running" and r.id != own]
        under_way = next((r for r in others if is_alive(r) and starts_here(r.launch)), None)
        if under_way is None:
            return
        if under_way.id not in told:
            say(under_way)
            told.add(under_way.id)
        time.sleep(1.0)


def follow_run(services: Services, run_id: int) -> None:
    """Take part in a run that another process leads: compute, and write nothing."""
    fit_run(
        services, services.store.runs.get(run_id), is_leader=False, say=lambda *_: None,
        listen=lambda _: "on",
    )  # fmt: skip


def end_broken_off(services: Services, run_id: int, reason: str) -> None:
    """End a run that broke off: failed, or done and not scored where its model was made already."""
    runs = services.store.runs
    if runs.get(run_id).model_id is None:
        runs.finish(run_id, "failed", reason)
    else:
        runs.finish(run_id, "done", f"trained, but not scored ({reason}): {TO_SCORE}")


def _write_end(services: Services, run: RunRecord, ended: Ended, unscored: str) -> None:
    runs = services.store.runs
    at = f"at step {ended.step:,} of {run.total_steps:,}"
    if ended.how == "paused" and run.cancel_requested:
        reason = f"cancelled by a person {at}; no model was made of it, and its checkpoint stays"
        runs.finish(run.id, "cancelled", reason)
    elif ended.how == "paused" and not run.pause_requested:
        way = "it goes on by itself" if starts_here(run.launch) else "start its command again"
        runs.update(run.id, state="queued", reason=f"interrupted {at}; {way}")
    elif ended.how == "paused":
        reason = f"paused {at}; resume it and it goes on from there"
        runs.update(run.id, state="paused", pause_requested=False, reason=reason)
    elif ended.how == "stopped":
        kept = "what was learned until then is kept as a candidate"
        runs.finish(run.id, "cancelled", f"stopped by a person {at}; {kept}")
    elif ended.how == "early":
        best = f"the adapter of step {ended.best_step or ended.step:,} is kept"
        reason = f"ended {at}, since dev got no better; {best}"
        runs.finish(run.id, "done", f"{reason}; {unscored}" if unscored else reason)
    else:
        runs.finish(run.id, "done", unscored)


class _NotScored(Exception):
    """The scoring was ended before its end; says why."""


def _judge(services: Services, run: RunRecord, say: Say) -> None:
    """Score the candidate, its base and the model in use on the split that models are judged on."""
    split = judged_split(services, run.collection_id)
    if split == "none":
        return
    models = services.store.models
    wanted = [run.model_id, run.base_id, model_in_use(services, run.collection_id).id]
    for ident in dict.fromkeys(i for i in wanted if i):

        def beat(share: float, ident: str = ident) -> None:
            now = services.store.runs.get(run.id)
            if now.cancel_requested or now.pause_requested or _Stop.asked:
                who = "Argus was stopped" if _Stop.asked else "a person ended it"
                raise _NotScored(f"its scoring did not end, since {who}: {TO_SCORE}")
            say(now, None, f"scoring {ident} on the {split} split, {share:.0%}")

        evaluate_model(
            services, run.collection_id, split=split, model=models.get(ident), reuse=True,
            on_step=throttled(beat),
        )  # fmt: skip


def throttled(step: Callable[[float], None], *, seconds: float = 1.0) -> Callable[[float], None]:
    """`step`, but at most once in `seconds`: a step of decoding is quicker than a database write."""
    last = [0.0]

    def limited(share: float) -> None:
        if time.monotonic() - last[0] >= seconds:
            last[0] = time.monotonic()
            step(share)

    return limited


@contextmanager
def _alive(services: Services, run_id: int) -> Iterator[None]:
    """Give a sign of life every few seconds, however long a step takes."""
    ended = threading.Event()

    def beat() -> None:
        while not ended.wait(HEARTBEAT):
            try:
                services.store.runs.update(run_id)
            except ArgusError as problem:  # a locked database: the next beat will do
                log.warning("no sign of life could be written: %s", problem)

    thread = threading.Thread(target=beat, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


# ---------------------------------------------------------------- the process


class _Stop:
    """Whether this process was asked to end: the step under way is finished and kept."""

    asked = False


def _ask_to_stop(_signal: int, _frame: object) -> None:
    _Stop.asked = True


def stop_gently() -> None:
    """Let SIGTERM and Ctrl-C end a run at the next step, with what was learned kept."""
    signal.signal(signal.SIGTERM, _ask_to_stop)
    signal.signal(signal.SIGINT, _ask_to_stop)


def describe_step(run: RunRecord, point: LossPoint) -> str:
    """A step as a line of the log has it."""
    parts = [
        f"step {point.step:,} of {run.total_steps:,}", f"epoch {point.epoch:.2f}",
        f"loss {point.loss:.3f}", f"learning rate {point.learning_rate:.1e}",
        f"{point.tokens_per_second:.0f} tokens/s",
    ]  # fmt: skip
    if point.memory is not None:
        parts.append(f"{point.memory / 1024**3:.1f} GiB")
    if point.eval_loss is not None:
        parts.append(f"eval loss {point.eval_loss:.3f}")
    if point.tr is not None and point.arg is not None:
        parts.append(f"Tr {point.tr:.0f} %, Arg {point.arg:.0f} % on dev")
    return ", ".join(parts)


def main() -> int:
    """One process of one run; the first one leads."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    stop_gently()
    run_id = int(sys.argv[1])

    def say(run: RunRecord, point: LossPoint | None, text: str) -> None:
        if point is None:
            log.info("%s", text)
        elif point.step % TOLD_EVERY == 0 or point.eval_loss is not None:
            log.info("%s", describe_step(run, point))

    try:
        if int(os.environ.get("RANK", "0")):
            follow_run(open_services(), run_id)
        else:
            execute_run(open_services(), run_id, say=say)
            log.info("run %d: %s", run_id, "ended")
    except ArgusError as problem:
        log.error("%s", problem)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
