"""What a file is, told by its bytes and never by its name; what could be two things is refused.

A kind is told by the signature at the start. A file that another program would read as something
else as well (a picture that ends in a ZIP archive, a GIF that is also a script) is a polyglot.
"""

from __future__ import annotations

import os
import re
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from core.errors import MediaError, shown

Medium = Literal["image", "document", "video", "audio", "subtitles", "archive"]

HEAD_BYTES = 4_096
TAIL_BYTES = 66_000  # an end record of a ZIP archive with the longest comment, and a little more
ACCEPTED = "JPEG, PNG, WebP, TIFF, GIF, PDF, MP4, MOV, WebM, MKV, AVI, MP3, M4A, WAV, FLAC, OGG, SRT and VTT"


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of file: its name, what it is to Argus, the suffix and MIME type it is kept under.

    The medium of a container for pictures and sound (MP4, WebM, OGG) is what it mostly holds;
    a probe knows better.
    """

    name: str
    medium: Medium
    suffix: str
    mime: str


JPEG = Kind("JPEG", "image", ".jpg", "image/jpeg")
PNG = Kind("PNG", "image", ".png", "image/png")
WEBP = Kind("WebP", "image", ".webp", "image/webp")
TIFF = Kind("TIFF", "image", ".tif", "image/tiff")
GIF = Kind("GIF", "image", ".gif", "image/gif")
PDF = Kind("PDF", "document", ".pdf", "application/pdf")
MP4 = Kind("MP4", "video", ".mp4", "video/mp4")
MOV = Kind("MOV", "video", ".mov", "video/quicktime")
WEBM = Kind("WebM", "video", ".webm", "video/webm")
MKV = Kind("MKV", "video", ".mkv", "video/x-matroska")
AVI = Kind("AVI", "video", ".avi", "video/x-msvideo")
MP3 = Kind("MP3", "audio", ".mp3", "audio/mpeg")
M4A = Kind("M4A", "audio", ".m4a", "audio/mp4")
WAV = Kind("WAV", "audio", ".wav", "audio/wav")
FLAC = Kind("FLAC", "audio", ".flac", "audio/flac")
OGG = Kind("OGG", "audio", ".ogg", "audio/ogg")
SRT = Kind("SRT", "subtitles", ".srt", "application/x-subrip")
VTT = Kind("VTT", "subtitles", ".vtt", "text/vtt")
ZIP = Kind("ZIP", "archive", ".zip", "application/zip")
TAR = Kind("TAR", "archive", ".tar", "application/x-tar")
GZIP = Kind("gzip", "archive", ".gz", "application/gzip")
BZIP2 = Kind("bzip2", "archive", ".bz2", "application/x-bzip2")
XZ = Kind("xz", "archive", ".xz", "application/x-xz")
KINDS = (
    JPEG, PNG, WEBP, TIFF, GIF, PDF, MP4, MOV, WEBM, MKV, AVI, MP3, M4A, WAV, FLAC, OGG, SRT, VTT,
    ZIP, TAR, GZIP, BZIP2, XZ,
)  # fmt: skip

_SIGNATURES = (
    (b"\xff\xd8\xff", JPEG), (b"\x89PNG\r\n\x1a\n", PNG), (b"GIF87a", GIF), (b"GIF89a", GIF),
    (b"II*\0", TIFF), (b"MM\0*", TIFF), (b"II+\0", TIFF), (b"MM\0+", TIFF), (b"%PDF-", PDF),
    (b"fLaC", FLAC), (b"OggS", OGG), (b"PK\x03\x04", ZIP), (b"PK\x05\x06", ZIP),
    (b"\x1f\x8b", GZIP), (b"BZh", BZIP2), (b"\xfd7zXZ\0", XZ),
)  # fmt: skip
_REFUSED = (
    (b"\x7fELF", "a program"), (b"MZ", "a program"), (b"#!", "a script"), (b"7z\xbc\xaf", "a 7z archive"),
    (b"Rar!", "a RAR archive"), (b"BM", "a BMP picture"), (b"8BPS", "a Photoshop file"),
    (b"\0\0\x01\0", "an icon"), (b"\x30\x26\xb2\x75", "a Windows Media file"),
    (b"FLV", "a Flash video"), (b"#EXTM3U", "a playlist, which names other files"),
    (b"ffconcat", "a playlist, which names other files"),
    (b"[playlist]", "a playlist, which names other files"),
    (b"v=0\r", "a session description, which names addresses"),
    (b"v=0\n", "a session description, which names addresses"),
    (b"%!PS", "a PostScript program"), (b"SQLite format 3", "an SQLite database"),
    (b"version https://git-lfs", "a pointer of Git LFS, not the file itself"),
)  # fmt: skip
_M4A_BRANDS = (b"M4A ", b"M4B ", b"M4P ")
_STILL_BRANDS = (b"heic", b"heix", b"heim", b"hevc", b"mif1", b"msf1", b"avif", b"avis")
_QUICKTIME_ATOMS = (b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot")
_SCRIPT = re.compile(rb"<\s*(?:script|html|svg|iframe|body|!doctype\s+html|\?php)", re.IGNORECASE)
_SRT = re.compile(r"\s*\d+[ \t]*\r?\n[ \t]*\d+:\d\d:\d\d[,.]\d+[ \t]*-->")


def kind_of_file(path: Path, *, name: str | None = None) -> Kind:
    """The kind of a file; raises `MediaError` for what Argus does not read, or not safely."""
    name = name or path.name
    try:
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            head = file.read(HEAD_BYTES)
            file.seek(max(0, size - TAIL_BYTES))
            tail = file.read(TAIL_BYTES)
    except OSError as problem:
        raise MediaError(
            f"{name} cannot be read ({problem.strerror}): choose it again"
        ) from problem
    return kind_of_bytes(head, tail=tail, name=name)


def kind_of_bytes(head: bytes, *, name: str, tail: bytes | None = None) -> Kind:
    """The kind of a file from its first 4,096 bytes and its last 66,000; `tail` None: all is head."""
    tail = head if tail is None else tail
    if not head:
        raise MediaError(f"{name} is empty (0 bytes): choose the file again, or save it anew")
    kind = _signed(head, name) or _text_kind(head, name)
    if kind is None:
        start = head[:16]
        raise MediaError(
            f"{name} is no file that Argus reads (it begins {shown(start)}): use {ACCEPTED}"
        )
    other = _also(kind, head, tail)
    if other:
        raise MediaError(
            f"{name} is a {kind.name} file and {other} at once, as an attack would be: "
            f"open it in a program for {kind.name} files and save it anew"
        )
    return kind


def is_text(head: bytes) -> bool:
    """Whether the bytes can be text: UTF-8, or UTF-16 with its mark."""
    return _as_text(head) is not None


# ---------------------------------------------------------------- by signature


def _signed(head: bytes, name: str) -> Kind | None:
    for magic, kind in _SIGNATURES:
        if head.startswith(magic):
            return kind
    if head[:4] in (b"RIFF", b"RF64"):
        return _riff(head, name)
    if head[4:8] == b"ftyp" or head[4:8] in _QUICKTIME_ATOMS:
        return _base_media(head, name)
    if head.startswith(b"\x1aE\xdf\xa3"):
        if b"webm" in head[:64]:
            return WEBM
        return MKV if b"matroska" in head[:64] else None
    if head[257:262] == b"ustar":
        return TAR
    if head.startswith(b"ID3") or _is_mp3_frame(head):
        return MP3
    for magic, what in _REFUSED:
        if head.startswith(magic):
            raise MediaError(f"{name} is {what}, which Argus does not read: use {ACCEPTED}")
    if b"%PDF-" in head[:1024]:
        raise MediaError(
            f"{name} has other bytes before its PDF begins, as an attack would have: "
            "print it to a new PDF"
        )
    return None


def _riff(head: bytes, name: str) -> Kind:
    form = head[8:12]
    if form == b"WAVE":
        return WAV
    if form == b"AVI " and head.startswith(b"RIFF"):
        return AVI
    if form == b"WEBP" and head.startswith(b"RIFF"):
        return WEBP
    raise MediaError(
        f"{name} is a RIFF file of the form {shown(form)}, which Argus does not read: use {ACCEPTED}"
    )


def _base_media(head: bytes, name: str) -> Kind:
    if head[4:8] != b"ftyp":
        return MOV
    brand = head[8:12]
    if brand in _STILL_BRANDS:
        raise MediaError(
            f"{name} is a HEIC or AVIF picture, which Argus does not read: save it as JPEG or PNG"
        )
    if brand in _M4A_BRANDS:
        return M4A
    return MOV if brand == b"qt  " else MP4


def _is_mp3_frame(head: bytes) -> bool:
    """Whether an MPEG audio frame of layer 3 begins here, and another one after it."""
    length = _mp3_frame_length(head)
    return length > 0 and _mp3_frame_length(head[length:]) > 0


def _mp3_frame_length(data: bytes) -> int:
    if len(data) < 4 or data[0] != 0xFF or data[1] & 0xE6 != 0xE2:
        return 0
    version, rate, sampling = (data[1] >> 3) & 3, data[2] >> 4, (data[2] >> 2) & 3
    if version == 1 or rate in (0, 15) or sampling == 3:
        return 0
    newest = version == 3
    kilobits = (
        (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
        if newest
        else (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)
    )[rate - 1]
    hertz = (44_100, 48_000, 32_000)[sampling] >> {3: 0, 2: 1, 0: 2}[version]
    return (144 if newest else 72) * kilobits * 1000 // hertz + ((data[2] >> 1) & 1)


# ---------------------------------------------------------------- text


def _text_kind(head: bytes, name: str) -> Kind | None:
    text = _as_text(head)
    if text is None:
        return None
    begin = text.lstrip("\ufeff \t\r\n")
    if begin.startswith("WEBVTT"):
        return VTT
    if _SRT.match(text.lstrip("\ufeff")):
        return SRT
    if begin.startswith("<"):
        what = "an SVG drawing" if "<svg" in text.lower() else "HTML or XML"
        raise MediaError(
            f"{name} is {what}, which can carry scripts and links, and Argus does not read it: "
            "export it as PNG"
        )
    if begin.startswith(("#EXT", "http://", "https://", "file:", "rtmp:", "rtsp:")):
        raise MediaError(
            f"{name} is a playlist, which names other files or addresses: give the files themselves"
        )
    return None


def _as_text(head: bytes) -> str | None:
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return head[: len(head) // 2 * 2].decode("utf-16", "replace")
    for cut in range(4):  # the last character may be cut off
        try:
            text = head[: len(head) - cut].decode("utf-8")
        except UnicodeDecodeError:
            continue
        return None if "\0" in text else text
    return None


# ---------------------------------------------------------------- polyglots


def _also(kind: Kind, head: bytes, tail: bytes) -> str | None:
    """What else a program would take the file for, or None."""
    if kind.medium in ("archive", "subtitles"):
        return None
    if ends_in_zip(tail):
        return "a ZIP archive"
    if kind is not PDF and b"%PDF-" in head[:1024]:
        return "a PDF document"
    if kind is not PDF and head[257:262] == b"ustar" and head[262:263] in (b"\0", b" "):
        return "a TAR archive"
    if kind in (JPEG, PNG, GIF, TIFF) and head[4:8] == b"ftyp":
        return "an MP4 file"
    if kind is GIF and head[6:8] in (b"/*", b"=1", b"='", b'="', b"=`"):
        return "a script"
    after = _after_the_end(kind, tail)
    if after and (_SCRIPT.search(after) or after.lstrip(b"\0 \r\n").startswith(b"*/")):
        return "a page with scripts"
    if after and after.lstrip(b"\0").startswith((b"Rar!", b"7z\xbc\xaf", b"MZ\x90", b"\x7fELF")):
        return "an archive or a program"
    return None


def _after_the_end(kind: Kind, tail: bytes) -> bytes:
    """What follows the last end mark of a picture, as far as the tail reaches."""
    mark = {JPEG: b"\xff\xd9", PNG: b"IEND\xaeB`\x82", GIF: b"\0;"}.get(kind)
    if mark is None:
        return b""
    at = tail.rfind(mark)
    return tail[at + len(mark) :] if at >= 0 else tail


def ends_in_zip(tail: bytes) -> bool:
    """Whether a ZIP archive ends here: its end record, whose directory begins where it says."""
    at = tail.rfind(b"PK\x05\x06")
    while at >= 0:
        record = tail[at : at + 22]
        if len(record) == 22:
            count, size, comment = (
                struct.unpack("<H", record[10:12])[0],
                *struct.unpack("<I4xH", record[12:22]),
            )
            begins = at - size
            fits = at + 22 + comment <= len(tail)
            if fits and (begins < 0 or count == 0 or tail[begins : begins + 4] == b"PK\x01\x02"):
                return True
        at = tail.rfind(b"PK\x05\x06", 0, at)
    return False
