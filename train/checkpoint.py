"""Checkpoints: all that a run needs to go on exactly where it was.

Each is a folder `step-N` with a manifest that names every file and its size. It is written beside
its place, flushed to the disk, and moved there as a whole; the two newest are kept. A folder that is
not whole is ignored.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.errors import TrainingError

MANIFEST = "checkpoint.json"
KEPT = 2


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A whole checkpoint; `facts` is what was written down with it."""

    folder: Path
    step: int
    facts: Mapping[str, Any]


def save_checkpoint(
    folder: Path, step: int, write: Callable[[Path], None], *, facts: Mapping[str, Any]
) -> Checkpoint:
    """Write a checkpoint into `folder`, and drop all but the newest two.

    `write` fills an empty folder. Raises `TrainingError` where the disk would not take it; the
    checkpoints before are as they were.
    """
    target = folder / f"step-{step:07d}"
    write_whole(target, write, manifest=MANIFEST, facts={"step": step, **facts})
    for old in _whole(folder)[KEPT:]:
        shutil.rmtree(old.folder, ignore_errors=True)
    return Checkpoint(target, step, facts)


def newest_checkpoint(folder: Path) -> Checkpoint | None:
    """The newest whole checkpoint, or None."""
    found = _whole(folder)
    return found[0] if found else None


def write_whole(
    target: Path, write: Callable[[Path], None], *, manifest: str, facts: Mapping[str, Any]
) -> None:
    """Write a folder that is either there as a whole or not at all, its manifest last.

    An older folder of this name stays until the new one is whole. Raises `TrainingError` where the
    disk would not take it.
    """
    from safetensors import SafetensorError

    work = target.with_name(f".{target.name}.unfinished")
    _remove(work)
    try:
        work.mkdir(parents=True)
        write(work)
        sizes = {p.name: p.stat().st_size for p in sorted(work.iterdir())}
        text = json.dumps({**facts, "files": sizes}, ensure_ascii=False, indent=2) + "\n"
        (work / manifest).write_text(text, encoding="utf-8")
        for path in [*work.iterdir(), work]:
            _flush(path)
        old = target.with_name(f".{target.name}.old")
        _remove(old)
        if target.exists():
            target.rename(old)
        work.rename(target)
        _flush(target.parent)
        _remove(old)
    except (OSError, SafetensorError) as problem:
        raise TrainingError(
            f"{target.name} could not be written to {target.parent} ({problem}): free some space, "
            "then go on. What was written before is whole, and the model in use is untouched"
        ) from problem
    finally:
        _remove(work)


# ---------------------------------------------------------------- private


def _whole(folder: Path) -> list[Checkpoint]:
    """The whole checkpoints in a folder, newest first."""
    found = []
    for path in folder.glob("step-*"):
        with suppress(OSError, ValueError, KeyError):  # a broken one counts as none
            facts = json.loads((path / MANIFEST).read_text(encoding="utf-8"))
            if all((path / n).stat().st_size == size for n, size in facts["files"].items()):
                found.append(Checkpoint(path, int(facts["step"]), facts))
    return sorted(found, key=lambda c: -c.step)


def _flush(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _remove(path: Path) -> None:
    if path.exists():
        shutil.rmtree(path, ignore_errors=True)
