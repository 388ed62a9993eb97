"""Files made to do harm: each gives a clear message, asks nobody, and reads nothing but itself."""

import os
import socket
import struct
import threading

import ffmpeg
import psutil
import pytest

from core.errors import MediaError, SetupError
from core.frame_times import uniform_frames
from core.media import ffmpeg as started
from core.media.frame_index import read_frame_index
from core.media.frames import sample_frames
from core.media.overview import make_filmstrip
from core.media.probe import probe
from core.media.waveform import read_waveform
from tests.integration.media import made_clips as made


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    """A sound clip of four seconds."""
    return made.make_b_frames(tmp_path_factory.mktemp("clip") / "clip.mp4")


@pytest.fixture
def asked():
    """An address on this machine, and who came to it."""
    came = []
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()

        def answer():
            try:
                while True:
                    connection, who = server.accept()
                    came.append(who)
                    connection.close()
            except OSError:
                return

        threading.Thread(target=answer, daemon=True).start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}", came
        server.shutdown(socket.SHUT_RDWR)


def id3(size: int = 10) -> bytes:
    """A mark that players skip: what follows it is the file to them."""
    return b"ID3\x04\0\0" + bytes([0, 0, 0, size]) + b"\0" * size


@pytest.mark.parametrize("front", [b"", b"\xef\xbb\xbf", id3()])
@pytest.mark.parametrize("suffix", [".m3u8", ".mp4", ".mp3"])
def test_a_playlist_is_not_followed(tmp_path, clip, asked, front, suffix):
    address, came = asked
    path = tmp_path / f"clip{suffix}"
    for target in (f"{address}/a.ts", clip.as_uri(), str(clip), "/etc/passwd"):
        path.write_bytes(
            front
            + f"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n{target}\n#EXT-X-ENDLIST\n".encode()
        )

        with pytest.raises(MediaError, match=r"is a playlist|not the kind of file"):
            probe(path)

    assert came == []


@pytest.mark.parametrize(
    "text",
    [
        "ffconcat version 1.0\nfile {}\n",
        '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011"><BaseURL>{}</BaseURL></MPD>',
        "[playlist]\nFile1={}\n",
        '<asx version="3"><entry><ref href="{}"/></entry></asx>',
        "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\nm=video 9 RTP/AVP 96\r\na=control:{}\r\n",
        "[Reference]\r\nRef1={}\r\n",
    ],
)
def test_other_lists_and_descriptions_are_not_followed(tmp_path, clip, asked, text):
    address, came = asked
    for target in (f"{address}/a.mp4", str(clip)):
        (tmp_path / "list.mp4").write_text(text.format(target))

        with pytest.raises(MediaError):
            probe(tmp_path / "list.mp4")

    assert came == []


def test_a_film_whose_pictures_lie_in_another_file_is_not_followed(tmp_path, clip, asked):
    _, came = asked
    data = bytearray(clip.read_bytes())
    at = data.index(b"url \0\0\0\x01")  # "the data are in this file"
    data[at + 7] = 0
    data[at : at + 4] = b"alis"
    (tmp_path / "film.mov").write_bytes(data)

    try:
        facts = probe(tmp_path / "film.mov")
        list(sample_frames(tmp_path / "film.mov", facts, read_frame_index(tmp_path / "film.mov", facts), 2))  # fmt: skip
    except MediaError:
        pass

    assert came == []


@pytest.mark.parametrize("share", [0.01, 0.3, 0.6, 0.9, 0.999])
def test_a_truncated_clip_says_that_it_is_cut_off(tmp_path, clip, share):
    data = clip.read_bytes()
    (tmp_path / "cut.mp4").write_bytes(data[: int(len(data) * share)])

    with pytest.raises(MediaError, match=r"cut\.mp4 is cut off"):
        probe(tmp_path / "cut.mp4")


def test_an_empty_file_says_so(tmp_path):
    (tmp_path / "空.mp4").touch()

    with pytest.raises(MediaError, match=r"空\.mp4 is empty \(0 bytes\)"):
        probe(tmp_path / "空.mp4")


@pytest.mark.parametrize("box", [b"stsz", b"stts", b"ctts", b"stco", b"stsc", b"stss"])
def test_a_table_that_claims_four_billion_entries_is_survived(tmp_path, clip, box):
    data = bytearray(clip.read_bytes())
    at = data.index(box) + (12 if box == b"stsz" else 8)
    data[at : at + 4] = b"\xff\xff\xff\xff"
    path = tmp_path / "lie.mp4"
    path.write_bytes(data)

    try:
        facts = probe(path)
        list(sample_frames(path, facts, read_frame_index(path, facts), 2))
    except MediaError as problem:
        assert "lie.mp4" in str(problem)  # noqa: PT017  either way is fine, a crash is not


def test_a_header_that_claims_four_gigabytes_or_136_years_is_refused(tmp_path, clip):
    data = bytearray(clip.read_bytes())
    at = data.index(b"mdat")
    long = bytearray(data)
    data[at - 4 : at] = b"\xff\xff\xff\xff"
    (tmp_path / "size.mp4").write_bytes(data)
    for header in (b"mvhd", b"mdhd"):
        at = long.index(header)
        long[at + 16 : at + 24] = struct.pack(">II", 1, 0xFFFFFFF0)
    (tmp_path / "time.mp4").write_bytes(long)
    sound = b"RIFF" + struct.pack("<I", 0xFFFFFFF0) + b"WAVEfmt " + struct.pack("<IHHIIHH", 16, 1, 1, 8000, 8000, 1, 8)  # fmt: skip
    (tmp_path / "sound.wav").write_bytes(sound + b"data\xf0\xff\xff\xff\0\0")

    with pytest.raises(MediaError, match=r"reaches to byte 4,29\d"):
        probe(tmp_path / "size.mp4")
    with pytest.raises(MediaError, match="lasts 1,193,046 hours"):
        probe(tmp_path / "time.mp4")
    with pytest.raises(MediaError, match="reaches to byte 4,294,967"):
        probe(tmp_path / "sound.wav")


def test_a_clip_that_is_also_an_archive_or_a_document_is_refused(tmp_path, clip):
    zip_end = b"PK\x05\x06" + b"\0" * 18
    (tmp_path / "zip.mp4").write_bytes(clip.read_bytes() + zip_end)
    pdf = struct.pack(">I4s", 24, b"free") + b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n\0"
    (tmp_path / "pdf.mp4").write_bytes(pdf + clip.read_bytes())

    with pytest.raises(MediaError, match="a clip and a ZIP archive at once"):
        probe(tmp_path / "zip.mp4")
    with pytest.raises(MediaError, match="a clip and a PDF document at once"):
        probe(tmp_path / "pdf.mp4")


def test_words_of_the_maker_stay_words_and_lead_nowhere(tmp_path, clip, asked):
    address, came = asked
    words = f"<script src='{address}/x.js'></script>\n|=标题;"
    path = tmp_path / "-i --help;$(touch x).mp4"
    made.ffmpeg("-i", clip, "-c", "copy", "-metadata", f"title={words}", tmp_path / "a.mp4")
    (tmp_path / "a.mp4").rename(path)

    facts = probe(path)

    assert facts.tags["title"] == words
    assert len(read_frame_index(path, facts)) == 100
    assert came == []
    assert os.listdir(tmp_path) == [path.name]  # noqa: PTH208


def test_three_silent_hours_are_read_without_being_held(tmp_path):
    made.ffmpeg("-f", "lavfi", "-i", "color=black:s=64x64:r=2:d=60", "-f", "lavfi", "-i",
                "anullsrc=r=8000:cl=mono:d=60", "-shortest", "-g", "40", tmp_path / "one.mp4")  # fmt: skip
    path = tmp_path / "three hours.mp4"
    made.ffmpeg("-stream_loop", "179", "-i", tmp_path / "one.mp4", "-c", "copy", path)

    facts = probe(path)
    index = read_frame_index(path, facts)
    wave = read_waveform(path, facts)
    taken = [frame.number for frame in sample_frames(path, facts, index, 8)]
    strip = make_filmstrip(path, facts, index, count=4)

    assert facts.duration == pytest.approx(3 * 3600, abs=60)
    assert taken == uniform_frames(len(index), 8)
    assert len(wave.high) <= 200_000
    assert not wave.high.any()
    assert len(strip.times) == 4


def drain(output, *, of, seconds):
    with started.running(output, of=of, seconds=seconds) as stdout:
        while stdout.read(1 << 20):
            pass


def test_a_clip_that_takes_too_long_is_given_up(clip):
    endless = ffmpeg.input(str(clip), stream_loop=-1).output("pipe:", f="rawvideo")

    with pytest.raises(MediaError, match=r"clip\.mp4 took longer than 1 s"):
        drain(endless, of=clip, seconds=1)


def test_a_clip_that_wants_too_much_memory_is_told_so(clip, monkeypatch):
    monkeypatch.setattr(started, "MEMORY", 500 * 2**20)
    large = ffmpeg.input(str(clip)).filter("scale", 16_000, 16_000).output("pipe:", f="rawvideo")

    with pytest.raises(MediaError, match="needs more than 500 MiB of memory"):
        drain(large, of=clip, seconds=60)


def test_a_reader_that_fails_ends_ffmpeg(clip):
    endless = ffmpeg.input(str(clip), stream_loop=-1).output("pipe:", f="rawvideo")

    def fail():
        with started.running(endless, of=clip, seconds=60) as stdout:
            stdout.read(10)
            raise ValueError("a reader's own mistake")

    with pytest.raises(ValueError, match="own mistake"):
        fail()

    assert [child.name() for child in psutil.Process().children()] == []


def test_an_answer_without_end_is_cut_short(clip):
    with (
        pytest.raises(MediaError, match="says more than 100 bytes about itself"),
        started.probing(clip, {"of": "json"}, seconds=60, show="format:stream") as stdout,
    ):
        started.read_all(stdout, of=clip, most=100)


def test_a_machine_without_ffmpeg_says_what_to_install(clip, monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")

    with pytest.raises(SetupError, match="apt-get install ffmpeg"):
        probe(clip)
