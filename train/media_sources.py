"""Where files of an import come from: a folder, an archive, or what lies beside a file.

A name in a file leads to a file inside its own folder and nowhere else; what is a link is not followed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path, PurePosixPath
from typing import BinaryIO, Protocol

from core.errors import FileError, MediaError, shown
from core.media.archives import LIMITS, list_members, open_members

TEXTS = (".jsonl", ".json", ".srt", ".vtt", ".txt")
MOST_TEXT = 1 << 30  # bytes of one text file that are read at once
_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")


class Source(Protocol):
    """Files by their path inside a folder or an archive, with `/`."""

    def names(self) -> list[str]:
        """All files, those that begin with a point left out."""
        ...

    def has(self, name: str) -> bool:
        """Whether there is such a file."""
        ...

    def texts(self) -> dict[str, bytes]:
        """The bytes of the text files."""
        ...

    def each(self, wanted: set[str]) -> Iterator[tuple[str, Callable[[], BinaryIO]]]:
        """Those of the files that are there; each to be read before the next one is asked for,
        unless `at_once`."""
        ...

    at_once: bool  # whether several can be read at a time


class FolderSource:
    """A folder of this machine. `listed` off: only files that are asked for by name are looked at."""

    at_once = True

    def __init__(self, folder: Path, *, only: str | None = None, listed: bool = True) -> None:
        self._folder = folder.resolve()
        self._only, self._listed = only, listed

    def names(self) -> list[str]:
        """All files of the folder and the folders in it; links are left out."""
        if not self._listed:
            return [self._only] if self._only else []
        found = []
        for path in sorted(self._folder.rglob("*")):
            name = path.relative_to(self._folder).as_posix()
            hidden = any(part.startswith(".") for part in PurePosixPath(name).parts)
            if not hidden and path.is_file() and self._inside(path):
                found.append(name)
            if len(found) > LIMITS.members:
                raise FileError(
                    f"{self._folder.name} holds more than {LIMITS.members:,} files: import it in parts"
                )
        return found

    def has(self, name: str) -> bool:
        """Whether the file is there, itself and not by a link that leads out."""
        try:
            path = self._folder / name
            return path.is_file() and self._inside(path)
        except (OSError, ValueError):  # a name too long for the disk, or with a zero byte
            return False

    def texts(self) -> dict[str, bytes]:
        """The text files."""
        return {n: self._read(n) for n in self.names() if n.lower().endswith(TEXTS)}

    def each(self, wanted: set[str]) -> Iterator[tuple[str, Callable[[], BinaryIO]]]:
        """The files, in order of their names."""
        for name in sorted(wanted):
            if self.has(name):
                yield name, _opener(self._folder / name)

    def _inside(self, path: Path) -> bool:
        return path.resolve().is_relative_to(self._folder)

    def _read(self, name: str) -> bytes:
        path = self._folder / name
        try:
            if path.stat().st_size > MOST_TEXT:
                raise FileError(f"{name} has more than 1 GiB: cut it into several files")
            return path.read_bytes()
        except OSError as problem:
            raise FileError(
                f"{name} cannot be read ({problem.strerror}): check its name and that it is yours"
            ) from problem


class ArchiveSource:
    """A ZIP or TAR archive, every member of it checked before one is used."""

    at_once = False

    def __init__(self, path: Path, name: str) -> None:
        self._path, self._name = path, name
        self._members = {m.path: m.size for m in list_members(path, name=name)}

    def names(self) -> list[str]:
        """All members."""
        return sorted(
            name for name in self._members
            if not any(part.startswith(".") for part in PurePosixPath(name).parts)
        )  # fmt: skip

    def has(self, name: str) -> bool:
        """Whether there is such a member."""
        return name in self._members

    def texts(self) -> dict[str, bytes]:
        """The text files."""
        wanted = {n for n in self.names() if n.lower().endswith(TEXTS)}
        large = next((n for n in wanted if self._members[n] > MOST_TEXT), None)
        if large is not None:
            raise FileError(f"{large} has more than 1 GiB: cut it into several files")
        found = {}
        for name, open_it in self.each(wanted):
            found[name] = open_it().read()
        return found

    def each(self, wanted: set[str]) -> Iterator[tuple[str, Callable[[], BinaryIO]]]:
        """The members, in their order in the archive."""
        if not wanted:
            return
        for member, file in open_members(self._path, name=self._name):
            if member.path in wanted:
                yield member.path, lambda file=file: file  # type: ignore[misc]


class BytesSource:
    """One file without anything beside it: standard input, or what was sent alone."""

    at_once = True

    def __init__(self, name: str, data: bytes) -> None:
        self._name, self._data = name, data

    def names(self) -> list[str]:
        """The file."""
        return [self._name]

    def has(self, name: str) -> bool:
        """Whether it is the file."""
        return name == self._name

    def texts(self) -> dict[str, bytes]:
        """The file, whatever its name."""
        return {self._name: self._data}

    def each(self, wanted: set[str]) -> Iterator[tuple[str, Callable[[], BinaryIO]]]:
        """The file."""
        if self._name in wanted:
            yield self._name, lambda: BytesIO(self._data)


def open_source(path: Path, *, name: str | None = None) -> Source:
    """What an import reads: a folder, an archive, or a file with what lies beside it."""
    from core.media.kinds import kind_of_file

    name = name or path.name
    if path.is_dir():
        return FolderSource(path)
    if not path.exists():
        raise FileError(f"{path} cannot be read (No such file or directory): check its name")
    if path.suffix.lower() in (".jsonl", ".json"):
        return FolderSource(path.parent, only=path.name, listed=False)
    try:
        kind = kind_of_file(path, name=name)
    except MediaError:
        # not a medium: perhaps JSON lines under another name, which the reader judges
        return FolderSource(path.parent, only=path.name, listed=False)
    if kind.medium == "archive":
        return ArchiveSource(path, name)
    return FolderSource(path.parent, only=path.name, listed=False)


def place_of(path: str, base: str) -> str:
    """The file that a name in a file leads to, its folder being `base`; raises `MediaError` for one
    that leads anywhere else."""
    wrong = None
    parts = path.split("/")
    if "\\" in path or "\0" in path:
        wrong = "is not written with / as a path in a file"
    elif _ADDRESS.match(path):
        wrong = "is an address: Argus fetches nothing while it imports"
    elif path.startswith("/") or ".." in parts:
        wrong = "leads out of the file's folder"
    if wrong:
        raise MediaError(
            f"{shown(path)} {wrong}. Put the file beside, and name it relative to that"
        )
    kept = [part for part in parts if part not in ("", ".")]
    return "/".join(([base] if base else []) + kept)


def _opener(path: Path) -> Callable[[], BinaryIO]:
    return lambda: path.open("rb")
