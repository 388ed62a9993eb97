"""A clip is known by its bytes; what is no clip, two things at once or cut off is refused."""

import struct

import pytest

from core.errors import MediaError
from core.media.containers import demuxers_of


def box(kind: bytes, body: bytes = b"", length: int | None = None) -> bytes:
    return struct.pack(">I", 8 + len(body) if length is None else length) + kind + body


MP4 = box(b"ftyp", b"isom\0\0\0\0") + box(b"mdat", b"x" * 50) + box(b"moov", b"y" * 20)
WAV = b"RIFF" + struct.pack("<I", 36) + b"WAVEfmt " + b"\0" * 28
EBML = b"\x1a\x45\xdf\xa3\x84abcd\x18\x53\x80\x67"
ZIP_END = b"PK\x05\x06" + b"\0" * 18


@pytest.mark.parametrize(
    ("data", "names"),
    [
        (MP4, "mov"),
        (MP4 + b"\0" * 20, "mov"),  # stray bytes at the end
        (box(b"moov", b"y") + struct.pack(">I4sQ", 1, b"mdat", 20) + b"1234", "mov"),
        (box(b"moov") + box(b"mdat", b"to the end", length=0), "mov"),
        (WAV, "wav"),
        (b"RIFF\xff\xff\xff\xffWAVE" + b"\0" * 30, "wav"),  # written to a pipe
        (EBML + b"\x84abcd", "matroska,webm"),
        (EBML + b"\x01" + b"\xff" * 7 + b"any", "matroska,webm"),  # a live recording
        (b"OggS" + b"\0" * 60, "ogg"),
        (b"ID3\x04" + b"\0" * 60, "mp3,aac"),
        (b"\xff\xfb\x90\x64", "mp3"),
        (b"\xff\xf1\x50\x80", "aac"),
        ((b"G" + b"\0" * 187) * 2, "mpegts"),
        (b"\0\0\x01\xba" + b"\0" * 20, "mpeg"),
    ],
)
def test_a_clip_is_opened_as_what_its_bytes_say(tmp_path, data, names):
    (tmp_path / "клип.bin").write_bytes(data)

    assert demuxers_of(tmp_path / "клип.bin") == names


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "is empty"),
        (b"#EXTM3U\n#EXTINF:1,\nhttp://example.org/a.ts\n", "is a playlist"),
        (b"\xef\xbb\xbf\r\n#EXTM3U\n/etc/passwd", "is a playlist"),
        (b"ffconcat version 1.0\nfile /etc/passwd", "is a playlist"),
        (b"<?xml version='1.0'?><MPD/>", "is a playlist"),
        (b"[playlist]\nFile1=http://example.org", "is a playlist"),
        (b"GIF89a", "is a picture"),
        (b"\x89PNG\r\n\x1a\n", "is a picture"),
        (box(b"ftyp", b"heic"), "is a picture"),
        ("视频".encode() * 30, "is no clip or sound that Argus knows"),
        (b"MZ\x90\0" * 20, "is no clip or sound that Argus knows"),
        (MP4 + ZIP_END, "a ZIP archive at once"),
        (MP4 + ZIP_END[:-2] + b"\x03\0abc", "a ZIP archive at once"),
        (WAV[:36] + b"%PDF-1.7", "a PDF document at once"),
        (MP4[:-5], "'moov' reaches to byte 102, the file has 97"),
        (MP4[:74], "moov\\) is missing"),
        (MP4[:40], "is cut off"),
        (box(b"ftyp") + box(b"mdat", b"x", length=0xFFFFFFFF), "reaches to byte 4,294,967,303"),
        (box(b"ftyp") + struct.pack(">I4sQ", 1, b"mdat", 2**62), "reaches to byte 4,611,686"),
        (box(b"ftyp") + box(b"moov", length=3), "says that it has 3 bytes"),
        (b"RIFF" + struct.pack("<I", 0xFFFFFF00) + b"WAVE" + b"\0" * 20, "'RIFF' reaches to byte"),
        (EBML + b"\x08\xff\xff\xff\xff", "'segment' reaches to byte 4,294,967,313"),
    ],
)
def test_a_file_that_is_no_honest_clip_is_refused(tmp_path, data, message):
    (tmp_path / "clip.mp4").write_bytes(data)

    with pytest.raises(MediaError, match=message):
        demuxers_of(tmp_path / "clip.mp4")


def test_a_folder_or_a_name_of_nothing_is_refused(tmp_path):
    for path in (tmp_path, tmp_path / "нет.mp4"):
        with pytest.raises(MediaError, match="is not a file"):
            demuxers_of(path)
