"""Files that are all there or not at all: written beside their place, then put into it."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable
from pathlib import Path

from core.errors import StorageError


def write_lines(path: Path, lines: Iterable[str]) -> int:
    """Write lines (their ends included) as UTF-8; returns how many.

    Whatever stops it, a file that was at `path` before stays as it was.
    """
    path = path.resolve()
    if path.exists() and not path.is_file() and not path.is_dir():  # a pipe, /dev/null
        return _write_through(path, lines)
    try:
        handle, name = tempfile.mkstemp(
            dir=path.parent, prefix=f".{path.name[:40]}.", suffix=".part"
        )
    except OSError as problem:
        raise _refused(path, problem) from problem
    part = Path(name)
    count = 0
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as out:
            for line in lines:
                out.write(line)
                count += 1
            out.flush()
            os.fsync(out.fileno())
        part.chmod(path.stat().st_mode & 0o777 if path.exists() else 0o666 & ~_umask())
        part.replace(path)
    except OSError as problem:
        raise _refused(path, problem) from problem
    finally:
        part.unlink(missing_ok=True)
    return count


def _write_through(path: Path, lines: Iterable[str]) -> int:
    count = 0
    try:
        with path.open("w", encoding="utf-8", newline="\n") as out:
            for line in lines:
                out.write(line)
                count += 1
    except OSError as problem:
        raise _refused(path, problem) from problem
    return count


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _refused(path: Path, problem: OSError) -> StorageError:
    remedy = "free some space, or choose another place"
    if isinstance(problem, PermissionError | FileNotFoundError | NotADirectoryError):
        remedy = "check that its folder exists and is yours"
    if isinstance(problem, IsADirectoryError):
        remedy = "it is a folder: name a file in it"
    kept = "; the file that was there is unchanged" if path.is_file() else ""
    return StorageError(f"{path} could not be written ({problem.strerror}){kept}: {remedy}")
