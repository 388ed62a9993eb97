"""What a browser has sent, kept as a file of this machine until it is imported."""

from __future__ import annotations

import hashlib
import re
import shutil
import time
from pathlib import Path, PurePosixPath

from core.errors import StorageError
from storage.home import Home
from storage.media_files import DAY

_UNSAFE = re.compile(r"[/\\\0-\x1f\x7f]+")


def keep_upload(home: Home, ident: str, name: str, data: bytes | memoryview) -> Path:
    """The file that was sent as `ident`, in a folder of its own; what is older than a day goes."""
    folder = _folder(home, ident)
    path = folder / _name(name)
    try:
        if path.exists() and path.stat().st_size == len(data):
            return path
        folder.mkdir(parents=True, exist_ok=True)
        _tidy(folder.parent)
        part = folder / ".part"
        part.write_bytes(data)
        part.replace(path)
    except OSError as problem:
        shutil.rmtree(folder, ignore_errors=True)
        raise StorageError(
            f"the file could not be kept ({problem.strerror}): free some space, then send it again"
        ) from problem
    return path


def drop_upload(home: Home, ident: str) -> None:
    """Forget what was sent."""
    shutil.rmtree(_folder(home, ident), ignore_errors=True)


def _folder(home: Home, ident: str) -> Path:
    return home.root / "uploads" / hashlib.sha256(ident.encode()).hexdigest()[:32]


def _name(name: str) -> str:
    """A name that stays in its folder: its last part, without what no name should have."""
    last = _UNSAFE.sub("_", PurePosixPath(name.replace("\\", "/")).name).lstrip(".") or "file"
    suffix = PurePosixPath(last).suffix[:12]
    stem = last.removesuffix(suffix).encode("utf-8", "ignore")[:180].decode("utf-8", "ignore")
    return stem + suffix


def _tidy(uploads: Path) -> None:
    for folder in uploads.iterdir():
        if time.time() - folder.stat().st_mtime > DAY:
            shutil.rmtree(folder, ignore_errors=True)
