"""Which kind of file a clip is, by its own bytes, before any library opens it.

A file is refused where it is no clip, names other files, is two kinds of file at once, or ends
before its own header says.
"""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

from core.errors import MediaError
from core.media.kinds import TAIL_BYTES, ends_in_zip

# The demuxers of ffmpeg that may open a file which begins so: (offset, bytes, names).
_KINDS: tuple[tuple[int, bytes, str], ...] = (
    *((4, box, "mov") for box in (b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide", b"styp")),
    (0, b"\x1a\x45\xdf\xa3", "matroska,webm"),
    (8, b"AVI ", "avi"),
    (8, b"WAVE", "wav"),
    (0, b"riff\x2e\x91\xcf\x11", "w64"),
    (0, b"OggS", "ogg"),
    (0, b"fLaC", "flac"),
    (0, b"ID3", "mp3,aac"),
    (0, b"FLV", "flv"),
    (0, b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "asf"),
    (0, b"\x00\x00\x01\xba", "mpeg"),
    (0, b"\x06\x0e\x2b\x34", "mxf"),
    (0, b"#!AMR", "amr"),
    (0, b"\x0b\x77", "ac3,eac3"),
    (8, b"AIFF", "aiff"),
    (8, b"AIFC", "aiff"),
    (0, b"caff", "caf"),
    (0, b".snd", "au"),
)
_LISTS = (b"#EXTM3U", b"ffconcat", b"<?xml", b"<MPD", b"<ASX", b"<asx", b"[playlist]", b"[Reference]", b"<smil", b"RTSP")  # fmt: skip
_PICTURES = (b"\xff\xd8\xff", b"\x89PNG", b"GIF8", b"BM", b"II*\x00", b"MM\x00*")
_PICTURE_BRANDS = (b"avif", b"heic", b"heix", b"mif1", b"avis")
_UNKNOWN_SIZES = (0, 0xFFFFFFFF, 0x7FFFFFFF)  # what a recorder writes that cannot go back


def demuxers_of(path: Path) -> str:
    """The names of ffmpeg's demuxers that may open this file; raises `MediaError` where none may."""
    if not path.is_file():
        raise MediaError(f"{path.name} is not a file: give the clip itself")
    size = path.stat().st_size
    if not size:
        raise MediaError(f"{path.name} is empty (0 bytes): copy or download it again")
    with path.open("rb") as file:
        head = file.read(1024)
        names = _names(head, name=path.name)
        _check_one_kind(file, head, size, name=path.name)
        if names == "mov":
            _check_boxes(file, size, name=path.name)
        elif head.startswith((b"RIFF", b"RF64")):
            stated = int.from_bytes(head[4:8], "little")
            _check_length(8 + stated if stated not in _UNKNOWN_SIZES else 0, size, "RIFF", path)
        elif names.startswith("matroska"):
            _check_length(_matroska_length(head), size, "segment", path)
    return names


# ---------------------------------------------------------------- private


def _names(head: bytes, *, name: str) -> str:
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n")
    if start.startswith(_LISTS):
        raise MediaError(
            f"{name} is a playlist (it begins {_beginning(start)}): it only names other files or "
            "addresses, which Argus does not follow. Import the clip itself"
        )
    picture = head[4:8] == b"ftyp" and head[8:12] in _PICTURE_BRANDS
    if picture or head.startswith(_PICTURES) or head[8:12] == b"WEBP":
        raise MediaError(f"{name} is a picture, not a clip or sound: import it as a picture")
    for offset, magic, names in _KINDS:
        if head[offset : offset + len(magic)] == magic:
            return names
    if head[0] == 0xFF and len(head) > 1 and head[1] & 0xE0 == 0xE0:
        return "mp3" if head[1] & 0x06 else "aac"
    if any(head[at : at + 1] == b"G" == head[at + step : at + step + 1] for at, step in ((0, 188), (4, 192))):  # fmt: skip
        return "mpegts"
    raise MediaError(
        f"{name} is no clip or sound that Argus knows (it begins {_beginning(head)}): "
        "save it as MP4, WebM, WAV or MP3"
    )


def _beginning(head: bytes) -> str:
    return repr(head[:16].decode("utf-8", "replace"))


def _check_one_kind(file: BinaryIO, head: bytes, size: int, *, name: str) -> None:
    """A PDF reader takes a file with its mark among the first 1024 bytes, a ZIP reader goes by the end."""
    file.seek(max(0, size - TAIL_BYTES))
    is_zip = ends_in_zip(file.read(TAIL_BYTES))
    other = "a PDF document" if b"%PDF-" in head else "a ZIP archive" if is_zip else None
    if other:
        raise MediaError(
            f"{name} is a clip and {other} at once, which is a way to smuggle files: "
            "save the clip anew with a video program"
        )


def _check_boxes(file: BinaryIO, size: int, *, name: str) -> None:
    """The boxes of an MP4 or QuickTime file lie one after another, each with its length."""
    at = 0
    seen: set[bytes] = set()
    while at + 8 <= size:
        file.seek(at)
        head = file.read(16)
        length, box = int.from_bytes(head[:4], "big"), head[4:8]
        if not box.isalnum() and seen >= {b"moov", b"mdat"}:
            return  # a few stray bytes at the end harm nobody
        if length == 1:
            length = int.from_bytes(head[8:], "big")
        elif length == 0:
            length = size - at
        if length < 8:
            raise MediaError(
                f"{name} is damaged: at byte {at:,} a part of it says that it has {length} bytes. "
                "Copy or download it again"
            )
        _check_length(at + length, size, box.decode("ascii", "replace"), Path(name))
        seen.add(box)
        at += length
    if b"moov" not in seen:
        raise MediaError(
            f"{name} is cut off: the index of its frames (moov) is missing. Copy or download it "
            "again, or repair it with the program that recorded it"
        )


def _matroska_length(head: bytes) -> int:
    """Where the segment ends, 0 where it does not say."""
    length, at = _vint(head, 4)
    at += length or 0
    if head[at : at + 4] != b"\x18\x53\x80\x67":
        return 0
    length, at = _vint(head, at + 4)
    return at + length if length is not None else 0


def _vint(data: bytes, at: int) -> tuple[int | None, int]:
    """A number of Matroska's, None where it means unknown, and where it ends."""
    width = 9 - data[at].bit_length() if at < len(data) and data[at] else 9
    if width > 8 or at + width > len(data):
        return None, at
    value = int.from_bytes(data[at : at + width], "big") & ((1 << 7 * width) - 1)
    return (None if value == (1 << 7 * width) - 1 else value), at + width


def _check_length(end: int, size: int, part: str, path: Path) -> None:
    if end > size + 1:  # a pad byte is often left out
        raise MediaError(
            f"{path.name} is cut off, or its header is wrong: the part {part!r} reaches to byte "
            f"{end:,}, the file has {size:,}. Copy or download it again"
        )
