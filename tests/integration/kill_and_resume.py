"""Trains in a child process that is killed at random steps and started again, and says what it saw.

Run as: python kill_and_resume.py MODEL FOLDER KILLS STEPS SETTING…
Prints {"straight": {step: loss}, "resumed": {step: loss}, "again": steps done more than once,
"tried": {step: [eval loss, Tr, Arg]} of both}.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import time
from pathlib import Path
from typing import Any

from core.events import Argument, Event, span
from core.samples import Sample
from core.schema import EventType, Role, Schema
from train import qlora
from train.examples import make_examples
from train.recipes import Recipe, with_settings
from train.trial import prepare_trial

SCHEMA = Schema((EventType("launch", roles=(Role("agent"),)), EventType("离职")))
WORDS = {
    "en": ("Intel launched chip {} in May", "launched", "Intel"),
    "zh": ("🚀华为发布第{}款芯片", "发布", "华为"),
    "es": ("José lanzó el coche {} ayer", "lanzó", "José"),
    "ru": ("«Вега» запустила спутник {}", "запустила", "Вега"),
}


def make_samples(each: int) -> list[Sample]:
    """The same samples every time, of uneven length."""
    samples = []
    for i in range(each):
        for code, (text, trigger, agent) in WORDS.items():
            text = text.format(i) + "。" * (i % 5)
            at, by = text.index(trigger), text.index(agent)
            argument = Argument("agent", span(text, by, by + len(agent)))
            event = Event("launch", span(text, at, at + len(trigger)), (argument,))
            samples.append(Sample(f"{code}{i}", code, "text", text, events=(event,)))
    return samples


def fit(model: str, folder: Path, steps: int, recipe: Recipe) -> None:
    """Train from the newest checkpoint on, a line a step."""
    loaded, tokenizer = qlora.load_for_training(model, recipe)
    examples, _ = make_examples(make_samples(6), SCHEMA, tokenizer, max_tokens=512)
    trial = prepare_trial(make_samples(1), SCHEMA, tokenizer, recipe)
    with (folder / "losses.jsonl").open("a", encoding="utf-8") as log:

        def on_step(point: Any) -> qlora.Word:
            tried = [point.eval_loss, point.tr, point.arg]
            log.write(json.dumps([point.step, point.loss, tried]) + "\n")
            log.flush()
            return "on"

        qlora.train(
            loaded, examples, recipe, total_steps=steps, checkpoints=folder / "checkpoints",
            on_step=on_step, trial=trial,
        )  # fmt: skip


def in_child(work: Any, *, kill_after: int | None = None, log: Path) -> bool:
    """Do the work in a forked process, killed when it has written so many more lines; whether it
    came to its end."""
    pid = os.fork()
    if pid == 0:
        work()
        os._exit(0)
    before = count_lines(log)
    while os.waitpid(pid, os.WNOHANG) == (0, 0):
        if kill_after is not None and count_lines(log) - before >= kill_after:
            time.sleep(random.random() * 0.05)  # somewhere in the step, or in a checkpoint
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            return False
        time.sleep(0.002)
    return True


def count_lines(log: Path) -> int:
    """How many lines a log has."""
    return log.read_bytes().count(b"\n") if log.exists() else 0


def main() -> None:
    """One run straight through, one killed again and again."""
    import accelerate  # noqa: F401  (once, not in each child)

    model, root, kills, steps = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
    recipe = with_settings(Recipe.laptop(), sys.argv[5:])
    seen: dict[str, Any] = {"tried": {}}
    for name in ("straight", "resumed"):
        folder = root / name
        folder.mkdir(parents=True)
        log = folder / "losses.jsonl"

        def work(folder: Path = folder) -> None:
            fit(model, folder, steps, recipe)

        left = kills if name == "resumed" else 0
        while left:
            left -= 1
            most = max(1, steps // kills)
            if in_child(work, kill_after=random.randint(1, most), log=log):
                raise SystemExit("the run ended before all kills: give it more steps")
        in_child(work, log=log)
        lines = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
        seen[name] = {step: loss for step, loss, _ in lines}
        seen["tried"][name] = {step: tried for step, _, tried in lines if tried[0] is not None}
        seen["again"] = len(lines) - len(seen[name])
    sys.stdout.write(json.dumps(seen) + "\n")


if __name__ == "__main__":
    main()
