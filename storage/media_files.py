"""The files of pictures, clips and sounds, each named by the SHA-256 of its bytes, each kept once.

What is made of a file (a thumbnail, a proxy) lies in a folder beside it, under a name that says by
what, of which version and with what settings it was made: it can be deleted, and made again. Nothing
appears under its name before it is whole.
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
import shutil
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Protocol, cast

from core.errors import MediaError, NotFoundError, StorageError

CHUNK = 1 << 20
DAY = 86_400
_DIGEST = re.compile(r"[0-9a-f]{64}")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._,=-]{0,120}")


@dataclass(frozen=True, slots=True)
class Kept:
    """A file as it was taken in; `is_new` where the store did not have it."""

    sha256: str
    bytes: int
    is_new: bool


@dataclass(frozen=True, slots=True)
class Derived:
    """What is made of a file: the part, by which version of its maker, with what settings.

    >>> Derived("thumbnail", 1, "320", ".jpg").name
    'thumbnail-1-320.jpg'
    """

    part: str
    version: int
    settings: str
    suffix: str

    @property
    def name(self) -> str:
        """The name that it is kept under."""
        settings = f"-{self.settings}" if self.settings else ""
        return f"{self.part}-{self.version}{settings}{self.suffix}"


class Place(Protocol):
    """Where the files lie: a folder of this machine, or a store that fsspec reaches. Keys are
    relative, with `/`."""

    def size(self, key: str) -> int | None:
        """The bytes of a file, None where there is none."""
        ...

    def open(self, key: str) -> BinaryIO:
        """A file to read, in pieces and from any place in it."""
        ...

    def take(self, source: Path, key: str) -> None:
        """Move a whole file of this machine to its key, at once."""
        ...

    def drop(self, key: str) -> None:
        """Remove a file, or a folder with all in it; what is not there is no error."""
        ...

    def names(self, key: str) -> list[str]:
        """The names in a folder."""
        ...

    def path(self, key: str) -> Path | None:
        """The file's path where it lies on this machine."""
        ...


class MediaFiles:
    """Files by the hash of their bytes; `scratch` is a folder of this machine for unfinished ones."""

    def __init__(self, place: Place, scratch: Path) -> None:
        self._place = place
        self._scratch = scratch

    # ------------------------------------------------------------ originals

    def put(self, source: BinaryIO, *, expected: str | None = None) -> Kept:
        """Take a file in; raises `MediaError` where its bytes are not the `expected` ones."""
        hashed, size = hashlib.sha256(), 0
        with self._unfinished() as part:
            with _told(part), part.open("wb") as out:
                while data := source.read(CHUNK):
                    hashed.update(data)
                    out.write(data)
                    size += len(data)
                out.flush()
                os.fsync(out.fileno())
            digest = hashed.hexdigest()
            if expected is not None and digest != expected.lower():
                raise MediaError(
                    f"the file has other bytes than its sha256 says ({digest[:12]}…, not "
                    f"{expected[:12].lower()}…): find the right file, or correct the sha256"
                )
            is_new = self.size(digest) is None
            if is_new:
                with _told(part):
                    self._place.take(part, _original(digest))
        return Kept(digest, size, is_new)

    def put_path(self, source: Path, *, expected: str | None = None) -> Kept:
        """Take in a file of this machine."""
        try:
            with source.open("rb") as file:
                return self.put(file, expected=expected)
        except OSError as problem:
            raise MediaError(
                f"{source.name} cannot be read ({problem.strerror}): check that it is yours"
            ) from problem

    def size(self, digest: str) -> int | None:
        """The bytes of a file, None where the store has none of that hash."""
        return self._place.size(_original(digest))

    def has(self, digest: str) -> bool:
        """Whether the store has a file."""
        return self.size(digest) is not None

    def open(self, digest: str) -> BinaryIO:
        """A file to read in pieces; its bytes are not checked."""
        return self._open(_original(digest))

    def read(self, digest: str) -> bytes:
        """The whole file, checked against its hash."""
        with self.open(digest) as file:
            data = file.read()
        _check(hashlib.sha256(data).hexdigest(), digest)
        return data

    def copy_to(self, digest: str, target: Path) -> None:
        """Write a copy, checked against its hash; it appears when it is whole."""
        part = target.with_name(f".{target.name[:40]}.{uuid.uuid4().hex[:8]}.part")
        hashed = hashlib.sha256()
        try:
            with _told(target), self.open(digest) as file, part.open("wb") as out:
                while data := file.read(CHUNK):
                    hashed.update(data)
                    out.write(data)
            _check(hashed.hexdigest(), digest)
            part.replace(target)
        finally:
            part.unlink(missing_ok=True)

    @contextmanager
    def local(self, digest: str) -> Iterator[Path]:
        """The file on this machine, for as long as the block lasts; not to be written to."""
        path = self._place.path(_original(digest))
        if path is not None:
            if not path.is_file():
                raise _gone(digest)
            yield path
            return
        with self._unfinished() as copy:
            self.copy_to(digest, copy)
            yield copy

    def delete(self, digest: str) -> None:
        """Remove a file with all that was made of it."""
        self._place.drop(_derived(digest))
        self._place.drop(_original(digest))

    # ------------------------------------------------------------ what is made of them

    def has_derived(self, digest: str, made: Derived) -> bool:
        """Whether this part is there."""
        return self.derived_size(digest, made) is not None

    def derived_size(self, digest: str, made: Derived) -> int | None:
        """The bytes of a part, None where it is not there."""
        return self._place.size(_derived(digest, made.name))

    def open_derived(self, digest: str, made: Derived) -> BinaryIO:
        """A part to read in pieces."""
        return self._open(_derived(digest, made.name))

    def read_derived(self, digest: str, made: Derived) -> bytes:
        """A whole part."""
        with self.open_derived(digest, made) as file:
            return file.read()

    def put_derived(self, digest: str, made: Derived, data: bytes) -> None:
        """Keep a part that was made."""
        with self.making(digest, made) as part, _told(part):
            part.write_bytes(data)

    @contextmanager
    def making(self, digest: str, made: Derived) -> Iterator[Path]:
        """A path to write a part to; it is kept at the end of the block, unless that raises."""
        with self._unfinished() as part:
            yield part
            with _told(part):
                self._place.take(part, _derived(digest, made.name))

    def derived_names(self, digest: str) -> list[str]:
        """The names of all parts of a file."""
        return sorted(self._place.names(_derived(digest)))

    def drop_derived(self, digest: str) -> None:
        """Remove all that was made of a file."""
        self._place.drop(_derived(digest))

    def tidy(self) -> None:
        """Remove what a program that was killed has left unfinished, a day ago or longer."""
        if not self._scratch.is_dir():
            return
        for path in self._scratch.iterdir():
            if time.time() - path.stat().st_mtime > DAY:
                path.unlink(missing_ok=True)

    # ------------------------------------------------------------ private

    def _open(self, key: str) -> BinaryIO:
        try:
            return self._place.open(key)
        except FileNotFoundError as problem:
            raise _gone(key.rsplit("/", 1)[-1]) from problem
        except OSError as problem:
            raise StorageError(
                f"the media store could not give a file ({problem}): check that it is reachable "
                "and yours"
            ) from problem

    @contextmanager
    def _unfinished(self) -> Iterator[Path]:
        """A file beside the finished ones: on one disk, so that it can be moved at once."""
        with _told(self._scratch):
            self._scratch.mkdir(parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(dir=self._scratch, suffix=".part")
            os.close(handle)
        part = Path(name)
        try:
            yield part
        finally:
            part.unlink(missing_ok=True)


def open_files(root: Path, url: str | None = None) -> MediaFiles:
    """The media store at `url` (any that fsspec knows), without one the folder `root`."""
    if not url:
        return MediaFiles(Folder(root), root / "unfinished")
    if "://" not in url:
        folder = Path(url).expanduser().absolute()
        return MediaFiles(Folder(folder), folder / "unfinished")
    return MediaFiles(Remote(url), root / "unfinished")


class Folder:
    """A folder of this machine."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def size(self, key: str) -> int | None:
        """The bytes of a file, None where there is none."""
        try:
            return (self._root / key).stat().st_size
        except (FileNotFoundError, NotADirectoryError):
            return None

    def open(self, key: str) -> BinaryIO:
        """A file to read."""
        return (self._root / key).open("rb")

    def take(self, source: Path, key: str) -> None:
        """Move a file to its key."""
        target = self._root / key
        target.parent.mkdir(parents=True, exist_ok=True)
        source.replace(target)

    def drop(self, key: str) -> None:
        """Remove a file or a folder."""
        target = self._root / key
        if target.is_dir():
            shutil.rmtree(target, ignore_errors=True)
        else:
            target.unlink(missing_ok=True)

    def names(self, key: str) -> list[str]:
        """The names in a folder."""
        folder = self._root / key
        return [path.name for path in folder.iterdir()] if folder.is_dir() else []

    def path(self, key: str) -> Path | None:
        """Its path."""
        return self._root / key


class Remote:
    """A store that fsspec reaches by its URL, such as `s3://bucket/folder`."""

    def __init__(self, url: str) -> None:
        import fsspec

        try:
            self._system, root = fsspec.core.url_to_fs(url)
        except (ImportError, ValueError) as problem:
            raise StorageError(
                f"the media store {url.split('://')[0]}:// cannot be opened ({problem}): "
                "install what it needs, or correct ARGUS_MEDIA_URL"
            ) from problem
        self._root = root.rstrip("/")

    def size(self, key: str) -> int | None:
        """The bytes of a file, None where there is none."""
        try:
            found = self._system.info(self._at(key))
        except FileNotFoundError:
            return None
        return int(found["size"]) if found["type"] == "file" else None

    def open(self, key: str) -> BinaryIO:
        """A file to read."""
        return cast(BinaryIO, self._system.open(self._at(key), "rb"))

    def take(self, source: Path, key: str) -> None:
        """Send a file under another name, then give it its own."""
        target = self._at(key)
        part = f"{target}.{uuid.uuid4().hex[:8]}.part"
        self._system.makedirs(target.rsplit("/", 1)[0], exist_ok=True)
        try:
            self._system.put_file(str(source), part)
            self._system.mv(part, target)
        finally:
            if self._system.exists(part):
                self._system.rm_file(part)

    def drop(self, key: str) -> None:
        """Remove a file or a folder."""
        if self._system.exists(self._at(key)):
            self._system.rm(self._at(key), recursive=True)

    def names(self, key: str) -> list[str]:
        """The names in a folder."""
        if not self._system.isdir(self._at(key)):
            return []
        found: list[Any] = self._system.ls(self._at(key), detail=False)
        return [str(name).rstrip("/").rsplit("/", 1)[-1] for name in found]

    def path(self, key: str) -> Path | None:
        """Nowhere on this machine."""
        return None

    def _at(self, key: str) -> str:
        return f"{self._root}/{key}"


# ---------------------------------------------------------------- private


def _original(digest: str) -> str:
    return f"files/{_checked(digest)[:2]}/{digest}"


def _derived(digest: str, name: str | None = None) -> str:
    folder = f"made/{_checked(digest)[:2]}/{digest}"
    if name is None:
        return folder
    if not _NAME.fullmatch(name) or ".." in name:
        raise NotFoundError(f"there is no part {name!r} of a file")
    return f"{folder}/{name}"


def _checked(digest: str) -> str:
    if not _DIGEST.fullmatch(digest):
        raise NotFoundError(f"a file is named by 64 hexadecimal digits, not {digest[:80]!r}")
    return digest


def _check(found: str, digest: str) -> None:
    if found != digest:
        raise StorageError(
            f"the file {digest[:12]}… of the media store has changed on the disk (it reads as "
            f"{found[:12]}… now): bring it back from a backup, or import the original again"
        )


def _gone(what: str) -> NotFoundError:
    return NotFoundError(
        f"the file {what[:12]}… is not in the media store: import it again, or check ARGUS_MEDIA_URL"
    )


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """A disk that refuses, in words."""
    try:
        yield
    except OSError as problem:
        if problem.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise StorageError(
                f"the disk is full ({path.parent}): the file was not taken in, everything before it "
                "is safe. Free some space, then try again"
            ) from problem
        raise StorageError(
            f"the media store cannot be written ({problem.strerror or problem}): check that "
            f"{path.parent} exists and is yours, or choose another with ARGUS_MEDIA_URL"
        ) from problem
