"""ZIP and TAR archives, checked before a byte of them is used: names, kinds of member, sizes.

An archive with one hostile member is refused whole, so that nothing of it is half taken in. What an
archive says of its sizes is checked first, and what comes out is counted again while it is read.
"""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import re
import struct
import tarfile
import unicodedata
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, BinaryIO, cast

from core.errors import MediaError, shown
from core.media.kinds import BZIP2, GZIP, TAR, XZ, ZIP, Kind, kind_of_file

MAX_NAME_BYTES, MAX_DEPTH = 1_024, 32
_HEADER_BYTES = 8_000_000  # the longest single read: a header of a TAR member is far shorter
_DRIVE = re.compile(r"[A-Za-z]:")
_IGNORED = re.compile(r"(^|/)(__MACOSX/|\.DS_Store$|Thumbs\.db$|desktop\.ini$)")


@dataclass(frozen=True, slots=True)
class Limits:
    """How much may come out of an archive: members, bytes in all, and bytes out for a byte in."""

    members: int = 50_000
    total_bytes: int = 64 * 2**30
    ratio: int = 250


LIMITS = Limits()


@dataclass(frozen=True, slots=True)
class Member:
    """A file in an archive; `path` is relative, with `/`, and cannot leave its folder."""

    path: str
    size: int


def list_members(path: Path, *, name: str | None = None, limits: Limits = LIMITS) -> list[Member]:
    """The files in an archive, every one of them checked; raises `MediaError` for a hostile one."""
    name = name or path.name
    guard = _Guard(name, limits, path.stat().st_size)
    with _reading(name):
        if kind_of_file(path, name=name) is ZIP:
            with _open_zip(path, name, limits) as archive:
                return [member for member, _ in _zip_members(archive, guard)]
        with _open_tar(path, name, limits) as tar:
            return [member for member, _ in _tar_members(tar, guard)]


def open_members(
    path: Path, *, name: str | None = None, limits: Limits = LIMITS
) -> Iterator[tuple[Member, BinaryIO]]:
    """Each file with its bytes, to be read before the next one is asked for; all checked first."""
    name = name or path.name
    list_members(path, name=name, limits=limits)
    guard = _Guard(name, limits, path.stat().st_size)
    with _reading(name):
        if kind_of_file(path, name=name) is ZIP:
            with _open_zip(path, name, limits) as archive:
                for member, info in _zip_members(archive, guard):
                    with archive.open(info) as file:
                        yield member, cast(BinaryIO, _Whole(file, member, name))
            return
        with _open_tar(path, name, limits) as tar:
            for member, entry in _tar_members(tar, guard):
                found = tar.extractfile(entry)
                if found is not None:
                    yield member, cast(BinaryIO, _Whole(found, member, name))


# ---------------------------------------------------------------- what is checked


class _Guard:
    """Counts members and bytes of one archive, and says when it is too much."""

    def __init__(self, name: str, limits: Limits, packed: int) -> None:
        self.name, self.limits, self.packed = name, limits, packed
        self.count = self.total = 0
        self.seen: set[str] = set()

    def take(self, raw: str, size: int) -> Member | None:
        """The member, or None for one to be passed over; raises for one that is hostile."""
        self.count += 1
        self.total += size
        if self.count > self.limits.members:
            raise MediaError(
                f"{self.name} has more than {self.limits.members:,} members: split it into several"
            )
        check_total(self.name, self.total, self.packed, self.limits)
        path = checked_path(raw, archive=self.name)
        if _IGNORED.search(path):
            return None
        # two names that one file system takes for the same would overwrite each other
        folded = unicodedata.normalize("NFC", path).casefold()
        if folded in self.seen:
            raise MediaError(
                f"{self.name} holds {shown(raw)} twice: give each file in it a name of its own"
            )
        self.seen.add(folded)
        return Member(path, size)


def check_total(name: str, total: int, packed: int, limits: Limits) -> None:
    """Raise where an archive unpacks to too much, in all or for its size."""
    if total > limits.total_bytes:
        raise MediaError(
            f"{name} unpacks to more than {limits.total_bytes / 2**30:.0f} GiB: split it into several"
        )
    if total > 10_000_000 and total > packed * limits.ratio:
        raise MediaError(
            f"{name} has {packed:,} bytes and unpacks to {total:,} or more, over {limits.ratio} "
            "times as much, as a decompression bomb does: pack the files again without it"
        )


def checked_path(raw: str, *, archive: str) -> str:
    """The relative path of a member; raises `MediaError` for one that leads elsewhere."""
    parts = raw.split("/")
    wrong = None
    if not raw or "\0" in raw or any(unicodedata.category(c) in ("Cc", "Cs") for c in raw):
        wrong = "has no usable name"
    elif raw.startswith("/") or _DRIVE.match(raw):
        wrong = "is an absolute path"
    elif "\\" in raw:
        wrong = "has a backslash in its name"
    elif ".." in parts:
        wrong = "leads out of the archive's folder (..)"
    elif len(raw.encode()) > MAX_NAME_BYTES or len(parts) > MAX_DEPTH:
        wrong = "has too long a path"
    if wrong is None:
        kept = "/".join(p for p in parts if p not in ("", "."))
        if kept:
            return kept
        wrong = "has no usable name"
    raise MediaError(
        f"{archive} is refused: its member {shown(raw)} {wrong}. "
        "Pack the files again from inside their folder"
    )


# ---------------------------------------------------------------- ZIP


def _open_zip(path: Path, name: str, limits: Limits) -> zipfile.ZipFile:
    _check_directory(path, name, limits)
    return zipfile.ZipFile(path)


def _check_directory(path: Path, name: str, limits: Limits) -> None:
    """The number of members and the size of the directory, before the library reads all of it."""
    with path.open("rb") as file:
        size = file.seek(0, io.SEEK_END)
        file.seek(max(0, size - 66_000))
        tail = file.read()
    at = tail.rfind(b"PK\x05\x06")
    if at < 0 or len(tail) < at + 22:
        raise MediaError(f"{name} is a ZIP archive without its end: copy or download it again")
    count, directory = struct.unpack("<HI", tail[at + 10 : at + 16])
    wide = tail.rfind(b"PK\x06\x06", 0, at)
    if 0xFFFF in (count,) or directory == 0xFFFFFFFF:
        if wide < 0 or len(tail) < wide + 48:
            raise MediaError(f"{name} is a ZIP archive with a broken end: pack the files again")
        count, directory = struct.unpack("<QQ", tail[wide + 32 : wide + 48])
    if count > limits.members or directory > limits.members * (46 + MAX_NAME_BYTES):
        raise MediaError(
            f"{name} says it has {count:,} members, more than {limits.members:,}: "
            "split it into several"
        )


def _zip_members(
    archive: zipfile.ZipFile, guard: _Guard
) -> Iterator[tuple[Member, zipfile.ZipInfo]]:
    end = 0
    infos = archive.infolist()
    for info in sorted(infos, key=lambda i: i.header_offset):
        # members that share their bytes make a small archive endless
        if info.header_offset < end:
            raise MediaError(f"{guard.name} is refused: its members lie over each other")
        end = info.header_offset + 30 + info.compress_size
    for info in infos:
        mode = info.external_attr >> 16
        if mode & 0o170000 not in (0, 0o100000, 0o040000):
            raise _not_a_file(guard.name, info.filename, "a link or a device")
        if info.flag_bits & 1:
            raise MediaError(
                f"{guard.name} is locked with a password: pack the files again without one"
            )
        member = guard.take(_zip_name(info), info.file_size)
        if member and not info.is_dir():
            yield member, info


def _zip_name(info: zipfile.ZipInfo) -> str:
    """The name; archives of macOS hold UTF-8 without saying so."""
    if info.flag_bits & 0x800:
        return info.orig_filename
    try:
        return info.orig_filename.encode("cp437").decode("utf-8")
    except UnicodeError:
        return info.orig_filename


# ---------------------------------------------------------------- TAR


@contextmanager
def _open_tar(path: Path, name: str, limits: Limits) -> Iterator[tarfile.TarFile]:
    kind = kind_of_file(path, name=name)
    if kind not in (TAR, GZIP, BZIP2, XZ):
        raise MediaError(f"{name} is a {kind.name} file, not an archive: give a ZIP or a TAR")
    with path.open("rb") as packed:
        measured = _Measured(_unpacked(packed, kind), name, path.stat().st_size, limits)
        with tarfile.open(fileobj=cast(IO[bytes], measured), mode="r:") as tar:
            yield tar


def _unpacked(packed: BinaryIO, kind: Kind) -> BinaryIO:
    if kind is GZIP:
        return cast(BinaryIO, gzip.GzipFile(fileobj=packed))
    if kind is BZIP2:
        return cast(BinaryIO, bz2.BZ2File(packed))
    return cast(BinaryIO, lzma.LZMAFile(packed)) if kind is XZ else packed


def _tar_members(tar: tarfile.TarFile, guard: _Guard) -> Iterator[tuple[Member, tarfile.TarInfo]]:
    for entry in tar:
        if entry.isdir():
            guard.take(entry.name, 0)
            continue
        if not entry.isreg() or entry.issparse():
            what = (
                "a symbolic link" if entry.issym()
                else "a hard link" if entry.islnk()
                else "a file with holes" if entry.isreg()
                else "a device or a pipe"
            )  # fmt: skip
            raise _not_a_file(guard.name, entry.name, what)
        member = guard.take(entry.name, entry.size)
        if member:
            yield member, entry


class _Measured(io.RawIOBase):
    """What comes out of a packed stream, counted; no single read without bound."""

    def __init__(self, file: BinaryIO, name: str, packed: int, limits: Limits) -> None:
        self.file, self.name, self.packed, self.limits = file, name, packed, limits

    def read(self, size: int = -1) -> bytes:
        if not 0 <= size <= _HEADER_BYTES:
            raise MediaError(
                f"{self.name} is refused: a header in it claims {size:,} bytes, as a lie would"
            )
        data = self.file.read(size)
        check_total(self.name, self.file.tell(), self.packed, self.limits)
        return data

    def seek(self, offset: int, whence: int = 0) -> int:
        if whence == 0 and offset < self.file.tell():
            return self.file.seek(offset)
        while whence == 0 and self.file.tell() < offset:
            if not self.read(min(1 << 20, offset - self.file.tell())):
                break
        return self.file.tell()

    def tell(self) -> int:
        return self.file.tell()


# ---------------------------------------------------------------- private


class _Whole(io.RawIOBase):
    """A member's bytes, no more and no fewer than its header says."""

    def __init__(self, file: IO[bytes], member: Member, archive: str) -> None:
        self.file, self.member, self.archive, self.left = file, member, archive, member.size

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        wanted = min(self.left, 1 << 20) if size < 0 else min(self.left, size)
        parts = []
        while True:
            try:
                data = self.file.read(wanted) if wanted else b""
            except (zipfile.BadZipFile, zlib.error, EOFError, OSError) as problem:
                raise self._broken(str(problem)) from problem
            self.left -= len(data)
            parts.append(data)
            if wanted and not data:
                raise self._broken("it ends early")
            if size >= 0 or not self.left:
                return b"".join(parts)
            wanted = min(self.left, 1 << 20)

    def _broken(self, why: str) -> MediaError:
        return MediaError(
            f"{self.member.path} in {self.archive} cannot be unpacked ({why}): pack it again"
        )


def _not_a_file(archive: str, member: str, what: str) -> MediaError:
    return MediaError(
        f"{archive} is refused: its member {shown(member)} is {what}, not a file. "
        "Pack the files themselves (tar -h, zip without -y)"
    )


@contextmanager
def _reading(name: str) -> Iterator[None]:
    try:
        yield
    except (
        zipfile.BadZipFile, tarfile.TarError, zlib.error, lzma.LZMAError, EOFError, OSError,
        NotImplementedError, UnicodeError, struct.error, OverflowError, RuntimeError,
    ) as problem:  # fmt: skip
        raise MediaError(
            f"{name} is a damaged or unusual archive ({problem}): pack the files again"
        ) from problem
