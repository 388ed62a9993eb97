"""A file is what its bytes say; what could be two things, or is none, is refused with a reason."""

import io
import tarfile
import zipfile

import pytest
from PIL import Image

from core.errors import MediaError
from core.media import kinds
from core.media.containers import demuxers_of
from core.media.kinds import kind_of_bytes, kind_of_file
from tests.unit.media.drawn import file_of, four_corners

PICTURE = four_corners()
MP3_FRAME = b"\xff\xfb\x90\x00" + b"\0" * 413  # 128 kbit/s at 44.1 kHz: 417 bytes
SUBTITLES = "1\n00:00:01,000 --> 00:00:02,500\nЗапуск состоялся\n\n"

TOLD = {
    "JPEG": file_of(PICTURE, "JPEG"),
    "PNG": file_of(PICTURE, "PNG"),
    "WebP": file_of(PICTURE, "WEBP"),
    "TIFF": file_of(PICTURE, "TIFF"),
    "GIF": file_of(PICTURE, "GIF"),
    "PDF": file_of(PICTURE, "PDF"),
    "MP4": b"\0\0\0\x20ftypisom\0\0\2\0" + b"\0" * 40,
    "MOV": b"\0\0\0\x14ftypqt  \0\0\2\0" + b"\0" * 40,
    "M4A": b"\0\0\0\x20ftypM4A \0\0\2\0" + b"\0" * 40,
    "WebM": b"\x1aE\xdf\xa3\x9fB\x86\x81\x01B\x82\x84webm" + b"\0" * 40,
    "MKV": b"\x1aE\xdf\xa3\xa3B\x86\x81\x01B\x82\x88matroska" + b"\0" * 40,
    "AVI": b"RIFF\x30\0\0\0AVI LIST" + b"\0" * 40,
    "MP3": MP3_FRAME * 3,
    "WAV": b"RIFF\x24\0\0\0WAVEfmt " + b"\0" * 40,
    "FLAC": b"fLaC\0\0\0\x22" + b"\0" * 40,
    "OGG": b"OggS\0\2" + b"\0" * 40,
    "SRT": SUBTITLES.encode(),
    "VTT": "WEBVTT\n\n00:01.000 --> 00:02.000\n发射成功\n".encode(),
}


@pytest.mark.parametrize(("name", "data"), TOLD.items())
def test_each_kind_is_told_by_its_bytes_whatever_the_file_is_called(name, data, tmp_path):
    path = tmp_path / "отчёт 报告.exe"
    path.write_bytes(data)

    assert kind_of_file(path).name == name


@pytest.mark.parametrize("name", [k.name for k in kinds.KINDS if k.medium in ("video", "audio")])
def test_what_is_taken_in_as_a_clip_or_sound_can_also_be_opened(name, tmp_path):
    data = TOLD[name]
    if name in ("MP4", "MOV", "M4A"):  # whole boxes: the head, the sound and pictures, their index
        data = data[: data[3]].ljust(data[3], b"\0")
        data += b"\0\0\0\x09mdatx" + b"\0\0\0\x09moovx"
    (tmp_path / "a.bin").write_bytes(data)

    assert demuxers_of(tmp_path / "a.bin")


@pytest.mark.parametrize(
    "data",
    [
        SUBTITLES.encode("utf-16"),
        ("\ufeff" + SUBTITLES).encode(),
        SUBTITLES.replace("\n", "\r\n").encode(),
    ],
)
def test_subtitles_are_told_with_any_mark_and_line_end(data):
    assert kind_of_bytes(data, name="a.srt") is kinds.SRT


def test_text_cut_in_the_middle_of_a_letter_is_still_text():
    data = (SUBTITLES + "发" * 2000).encode()
    assert kind_of_bytes(data[:4096], tail=data[-100:], name="a.srt") is kinds.SRT


def zip_of(name: str = "a.txt") -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(name, "hello")
    return out.getvalue()


def tar_over(picture: bytes) -> bytes:
    """A TAR archive whose first member is named by the bytes of a picture."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.GNU_FORMAT) as archive:
        info = tarfile.TarInfo("x")
        info.size = 4
        archive.addfile(info, io.BytesIO(b"text"))
    return picture[:100].ljust(100, b"\0") + out.getvalue()[100:]


REFUSED = {
    "nothing at all": (b"", "0 bytes"),
    "an SVG with a script": (
        b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
        "SVG",
    ),
    "an SVG behind an XML head": ("\ufeff<?xml version='1.0'?>\n<svg/>".encode(), "SVG"),
    "a page": (b"  <!doctype html><title>x</title>", "HTML"),
    "an HLS playlist": (b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n", "playlist"),
    "an ffmpeg list": (b"ffconcat version 1.0\nfile /etc/passwd\n", "playlist"),
    "a PLS playlist": (b"[playlist]\nFile1=http://example.org/a.mp3\n", "playlist"),
    "an SDP file": (b"v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\n", "addresses"),
    "a DASH manifest": (b'<?xml version="1.0"?><MPD/>', "HTML or XML"),
    "a RIFF of another form": (b"RIFF\0\0\0\0RMID" + b"\0" * 20, "RIFF"),
    "a HEIC photograph": (b"\0\0\0\x18ftypheic" + b"\0" * 20, "HEIC"),
    "a program": (b"\x7fELF" + b"\0" * 60, "program"),
    "noise": (bytes(range(200, 256)) * 4, "no file that Argus reads"),
    "plain words": (b"hello", "no file that Argus reads"),
    "a PDF behind other bytes": (b"x" * 40 + b"%PDF-1.7\n", "before its PDF"),
    "a picture that is also a ZIP": (TOLD["JPEG"] + zip_of(), "ZIP archive"),
    "a ZIP with a long comment after a PNG": (TOLD["PNG"] + zip_of("книга.txt"), "ZIP archive"),
    "a PDF that is also a ZIP": (TOLD["PDF"] + zip_of(), "ZIP archive"),
    "a film that is also a ZIP": (TOLD["MP4"] + zip_of(), "ZIP archive"),
    "a GIF that is also a script": (
        b"GIF89a/*\x01\x00" + b"\0" * 40 + b"*/=1;alert(1)//",
        "script",
    ),
    "a PNG with a page behind it": (TOLD["PNG"] + b"<html><script>alert(1)</script>", "scripts"),
    "a JPEG with a PDF inside its head": (
        b"\xff\xd8\xff\xfe\0\x20%PDF-1.4\n" + TOLD["JPEG"][2:],
        "PDF",
    ),
    "a GIF that is also a TAR": (tar_over(TOLD["GIF"]), "TAR"),
    "a JPEG that is also an MP4": (b"\xff\xd8\xff\xe0ftypisom" + b"\0" * 60, "MP4"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_a_hostile_or_foreign_file_is_refused_with_its_name_and_the_reason(what):
    data, reason = REFUSED[what]

    with pytest.raises(MediaError, match=reason) as refused:
        kind_of_bytes(data, name="снимок.jpg")

    assert "снимок.jpg" in str(refused.value)


def test_metadata_with_markup_does_not_make_a_picture_a_page():
    exif = Image.Exif()
    exif[0x010E] = "<script>alert(1)</script>"
    comment = b"<html><script>alert(1)</script></html>"

    assert (
        kind_of_bytes(file_of(PICTURE, "JPEG", exif=exif, comment=comment), name="a") is kinds.JPEG
    )
    assert kind_of_bytes(file_of(PICTURE, "PNG", exif=exif), name="a") is kinds.PNG


def test_a_photograph_with_a_film_behind_it_is_a_photograph():
    moving = TOLD["JPEG"] + TOLD["MP4"]

    assert kind_of_bytes(moving, name="MVIMG.jpg") is kinds.JPEG


def test_every_kind_has_a_suffix_and_a_mime_type_of_its_own():
    assert (
        len({k.suffix for k in kinds.KINDS})
        == len({k.mime for k in kinds.KINDS})
        == len(kinds.KINDS)
    )
