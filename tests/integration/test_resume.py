"""Kill -9 at random steps: a resumed run goes through the losses of an uninterrupted one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]


def kill_and_resume(
    model: Path, folder: Path, *settings: str, steps: int, kills: int = 10
) -> dict[str, Any]:
    done = subprocess.run(
        [
            sys.executable, "tests/integration/kill_and_resume.py", str(model), str(folder),
            str(kills), str(steps), *settings,
        ],
        cwd=ROOT, env=os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def check_same_course(seen: dict[str, Any], *, steps: int) -> None:
    assert list(seen["straight"]) == [str(n) for n in range(1, steps + 1)]
    assert sorted(map(int, seen["resumed"])) == list(range(1, steps + 1))
    for step, loss in seen["straight"].items():
        assert abs(seen["resumed"][step] - loss) < 1e-3, step
    assert seen["tried"]["resumed"] == seen["tried"]["straight"]
    assert seen["tried"]["straight"]


@pytest.mark.parametrize("kills", [4, pytest.param(10, marks=pytest.mark.slow)])
def test_kills_at_random_steps_change_nothing_of_the_loss_curve(tiny_model, tmp_path, kills):
    steps = 6 * kills

    seen = kill_and_resume(
        tiny_model, tmp_path, "rank=4", "alpha=8", "batch_size=2", "dropout=0.2",
        "learning_rate=0.01", "checkpoint_steps=3", "scored_samples=2", "evaluate_every=0.5",
        steps=steps, kills=kills,
    )  # fmt: skip

    check_same_course(seen, steps=steps)
    assert seen["again"] > 0  # some steps were lost with a kill, and done again


@pytest.mark.slow
def test_ten_kills_change_nothing_of_the_loss_curve_of_the_real_model(tmp_path):
    from core.models.embedded import convert
    from storage.home import CHECKOUT

    model = convert(CHECKOUT / "var" / "models")

    seen = kill_and_resume(
        model, tmp_path, "batch_size=2", "checkpoint_steps=1", "scored_samples=2", steps=24
    )

    check_same_course(seen, steps=24)
