"""Two CPU processes (gloo) that train together do what one does with the same global batch."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest
from safetensors.torch import load_file

from train.launch import launch_command, launch_environment

ROOT = Path(__file__).resolve().parents[2]


def train_together(model: Path, out: Path, *, processes: int) -> tuple[dict, list[float]]:
    command = launch_command("many_cpus" if processes > 1 else "one_cpu", 0, processes=processes)
    program = [*command[: command.index("train.runs") - 1], "tests/integration/train_together.py"]
    done = subprocess.run(
        [*program, str(model), str(out)], cwd=ROOT, capture_output=True, text=True, check=False,
        env=os.environ | launch_environment("many_cpus", threads=2) | {"PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    return load_file(f"{out}.safetensors"), json.loads(out.with_suffix(".json").read_text())


@pytest.fixture(scope="module")
def alone(tiny_model, tmp_path_factory):
    return train_together(tiny_model, tmp_path_factory.mktemp("one") / "out", processes=1)


@pytest.mark.parametrize("processes", [2, pytest.param(4, marks=pytest.mark.slow)])
def test_processes_that_train_together_have_the_gradients_and_losses_of_one(
    tiny_model, tmp_path, alone, processes
):
    gradients, losses = train_together(tiny_model, tmp_path / "out", processes=processes)

    wanted, wanted_losses = alone
    assert gradients.keys() == wanted.keys()
    for name, gradient in wanted.items():
        assert gradient.norm() > 0, name
        assert (gradients[name] - gradient).norm() < 1e-5 * gradient.norm(), name
    assert len(losses) == 11
    for ours, theirs in zip(losses, wanted_losses, strict=True):
        assert abs(ours - theirs) < 1e-4
