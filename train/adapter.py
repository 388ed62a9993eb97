"""Adapters on the disk: a peft folder with a manifest, bound to the very base it was trained on."""

from __future__ import annotations

import hashlib
import json
import subprocess
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from core.errors import ModelError, StorageError
from storage.home import CHECKOUT
from train.checkpoint import write_whole
from train.recipes import Recipe, recipe_to_dict

CONFIG, WEIGHTS = "adapter_config.json", "adapter_model.safetensors"
MANIFEST = "argus.json"  # written last: an adapter without it is unfinished
_PIECE = 1 << 22  # bytes that are hashed at a time


def save_adapter(model: Any, folder: Path, *, facts: Mapping[str, Any]) -> None:
    """Write the adapter as safetensors beside `folder`, its manifest last, then move it there."""
    write_whole(
        folder, lambda work: model.save_pretrained(str(work), safe_serialization=True),
        manifest=MANIFEST, facts=facts,
    )  # fmt: skip


def manifest_of(recipe: Recipe, **facts: Any) -> dict[str, Any]:
    """What an adapter says of itself: recipe, versions, and the facts given."""
    from importlib.metadata import version

    libraries = ("torch", "transformers", "peft", "bitsandbytes", "accelerate")
    return {
        "recipe": recipe_to_dict(recipe),
        "versions": {name: version(name) for name in ("argus", *libraries)},
        "commit": code_version(),
        **facts,
    }


def code_version() -> str | None:
    """The commit that this code is of, with `-dirty` where files differ from it; None outside git."""
    command = ["git", "-C", str(CHECKOUT), "describe", "--always", "--dirty", "--abbrev=12"]
    try:
        told = subprocess.run(command, capture_output=True, text=True, timeout=10, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return told.stdout.strip() or None


def checksum_base(location: str) -> str | None:
    """SHA-256 over a base's configuration and weights; None for a hub's id, whose files are not here.

    A folder that has not changed since it was last read in this process is not read again.
    """
    folder = Path(location)
    if not folder.is_dir():
        return None
    files = sorted([folder / "config.json", *folder.glob("*.safetensors")])
    try:
        state = tuple((str(p), p.stat().st_size, p.stat().st_mtime_ns) for p in files)
    except OSError as problem:
        raise ModelError(
            f"the base model in {folder} cannot be read ({problem}): put its files back"
        ) from problem
    return _digest(state)


def check_base(location: str, wanted: str | None, *, of: str) -> None:
    """Raise `ModelError` where the base is not the one whose checksum is `wanted` (None: unknown).

    `of`: what was made on that base, as a message names it.
    """
    found = checksum_base(location)
    if wanted and found and found != wanted:
        raise ModelError(
            f"{of} was trained on another base than the one in {location}: its files have changed "
            f"since (SHA-256 {wanted[:12]}… then, {found[:12]}… now). Put the old files back, or train "
            "again on the new ones"
        )


def check_adapter(folder: Path, location: str, *, of: str) -> None:
    """Raise `ModelError` unless the adapter in a folder is whole, and of the base in `location`."""
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError) as problem:
        raise ModelError(
            f"the adapter {of} is unfinished or gone ({folder}): train it again"
        ) from problem
    check_base(location, manifest.get("base_sha256"), of=of)


@cache
def _digest(state: tuple[tuple[str, int, int], ...]) -> str:
    whole = hashlib.sha256()
    try:
        for name, size, _ in state:
            whole.update(f"{Path(name).name}:{size}\n".encode())
            with Path(name).open("rb") as file:
                while piece := file.read(_PIECE):
                    whole.update(piece)
    except OSError as problem:
        raise StorageError(f"{name} cannot be read ({problem}): look at the disk") from problem
    return whole.hexdigest()
