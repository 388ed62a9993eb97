"""Checkpoints: whole or not there, two kept, and a full disk loses nothing."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from core.errors import TrainingError
from train.checkpoint import newest_checkpoint, save_checkpoint, write_whole

ROOT = Path(__file__).resolve().parents[2]
TEXT = "веса 权重"


def fill(folder: Path) -> None:
    (folder / "weights").write_text(TEXT, encoding="utf-8")


def test_the_newest_two_are_kept(tmp_path):
    for step in (3, 12, 7):
        save_checkpoint(tmp_path, step, fill, facts={})

    assert sorted(p.name for p in tmp_path.iterdir()) == ["step-0000007", "step-0000012"]
    assert newest_checkpoint(tmp_path).step == 12


def test_what_was_written_down_comes_back(tmp_path):
    save_checkpoint(tmp_path, 3, fill, facts={"base": "模型", "progress": {"tokens": 7}})

    found = newest_checkpoint(tmp_path)

    assert (found.facts["base"], found.facts["progress"]["tokens"]) == ("模型", 7)
    assert (found.folder / "weights").read_text(encoding="utf-8") == TEXT


@pytest.mark.parametrize(
    "spoil",
    [
        lambda folder: (folder / "checkpoint.json").unlink(),
        lambda folder: (folder / "checkpoint.json").write_text('{"step": 9'),
        lambda folder: (folder / "checkpoint.json").write_text('{"step": 9}'),
        lambda folder: (folder / "weights").unlink(),
        lambda folder: (folder / "weights").write_text("cut"),
    ],
    ids=["no manifest", "half a manifest", "no sizes", "a file gone", "a file cut"],
)
def test_one_that_is_not_whole_is_passed_over(tmp_path, spoil):
    save_checkpoint(tmp_path, 3, fill, facts={})
    save_checkpoint(tmp_path, 9, fill, facts={})
    spoil(tmp_path / "step-0000009")

    assert newest_checkpoint(tmp_path).step == 3


def test_there_is_none_where_nothing_was_written(tmp_path):
    assert newest_checkpoint(tmp_path / "нет") is None


def test_a_write_that_breaks_off_leaves_the_old_folder_and_nothing_else(tmp_path):
    write_whole(tmp_path / "adapter", fill, manifest="argus.json", facts={"run": 1})

    def run_out(folder: Path) -> None:
        fill(folder)
        raise OSError(28, "No space left on device")

    with pytest.raises(TrainingError, match=r"adapter could not be written.*free some space"):
        write_whole(tmp_path / "adapter", run_out, manifest="argus.json", facts={"run": 2})

    assert [p.name for p in tmp_path.iterdir()] == ["adapter"]
    assert json.loads((tmp_path / "adapter" / "argus.json").read_text())["run"] == 1


FULL = """
import resource, sys
from pathlib import Path
import torch
from safetensors.torch import save_file
from core.errors import TrainingError
from train.checkpoint import save_checkpoint

def write(folder):
    save_file({"a": torch.zeros(int(sys.argv[2]))}, str(folder / "adapter_model.safetensors"))

folder = Path(sys.argv[1])
save_checkpoint(folder, 1, write, facts={})
if sys.argv[3] == "limit":
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
sys.argv[2] = "400000"
try:
    save_checkpoint(folder, 2, write, facts={})
except TrainingError as problem:
    print(problem)
"""


def fill_disk(folder: Path, way: str) -> str:
    """Write a checkpoint, then one that the disk does not take, in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-c", FULL, str(folder), "1000", way],
        env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


def check_refusal(folder: Path, said: str) -> None:
    assert "step-0000002 could not be written" in said
    assert "free some space" in said
    assert "the model in use is untouched" in said
    assert [p.name for p in folder.iterdir()] == ["step-0000001"]
    assert newest_checkpoint(folder).step == 1


def test_a_file_that_may_not_grow_ends_with_a_reason_and_the_last_checkpoint_is_whole(tmp_path):
    said = fill_disk(tmp_path, "limit")

    check_refusal(tmp_path, said)


@pytest.fixture
def small_disk(tmp_path):
    """A file system of half a megabyte."""
    place = tmp_path / "диск"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=512k", "tmpfs", str(place)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if mounted.returncode:
        pytest.skip(f"no file system may be mounted here: {mounted.stderr.strip()}")
    yield place
    subprocess.run(["umount", str(place)], check=True)


def test_a_full_disk_ends_with_a_reason_and_the_last_checkpoint_is_whole(small_disk):
    said = fill_disk(small_disk, "disk")

    assert "No space left" in said
    check_refusal(small_disk, said)
