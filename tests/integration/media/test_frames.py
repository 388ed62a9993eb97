"""Frames of real clips: their times are ffprobe's, their pixels are ffmpeg's, bit for bit."""

import random
from bisect import bisect_right
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from core.errors import CancelledError, MediaError
from core.frame_times import uniform_frames
from core.media.frame_index import read_frame_index
from core.media.frames import frame_at, read_frames, sample_frames
from core.media.overview import make_filmstrip, scene_changes
from core.media.probe import probe
from tests.integration.media import made_clips as made

KINDS = ("b-frames", "variable", "rotated", "cut", "open-gop", "transport", "webm", "program")


@pytest.fixture(scope="module")
def clips(tmp_path_factory):
    """One clip of each kind."""
    folder = tmp_path_factory.mktemp("клипы 视频")
    plain = made.make_b_frames(folder / "b.mp4")
    paths = {
        "b-frames": plain,
        "variable": made.make_uneven(folder / "vfr.mp4"),
        "rotated": made.make_rotated(folder / "phone.mp4", source=plain),
        "cut": folder / "cut.mp4",  # an edit list hides its first frames
        "open-gop": folder / "open.mp4",
        "transport": folder / "b.ts",  # begins at 1.48 s
        "webm": folder / "vfr.webm",  # counts milliseconds
        "program": folder / "b.mpg",  # packets without timestamps
        "old": folder / "b.avi",
    }
    made.ffmpeg("-ss", "1.3", "-i", plain, "-c", "copy", paths["cut"])
    made.ffmpeg("-i", plain, "-an", "-c:v", "libx264", "-preset", "ultrafast", "-x264-params",
                "open-gop=1:bframes=3:keyint=25", paths["open-gop"])  # fmt: skip
    made.ffmpeg("-i", plain, "-c", "copy", paths["transport"])
    made.ffmpeg("-i", paths["variable"], "-c:v", "libvpx", "-deadline", "realtime", paths["webm"])
    made.ffmpeg("-i", plain, "-c:v", "mpeg2video", "-bf", "2", paths["program"])
    made.ffmpeg("-i", plain, "-c:v", "mpeg4", "-bf", "2", "-an", paths["old"])
    return paths


@pytest.mark.parametrize("kind", KINDS[:-1])
def test_the_times_of_all_frames_are_those_that_ffprobe_gives(clips, kind):
    index = read_frame_index(clips[kind], probe(clips[kind]))

    assert index.pts.tolist() == made.frame_ticks(clips[kind])


@pytest.mark.parametrize("kind", [*KINDS, "old"])
def test_the_frame_at_a_time_is_bit_equal_to_ffmpegs_own(clips, kind):
    path = clips[kind]
    facts = probe(path)
    index = read_frame_index(path, facts)
    whole = made.decode_all(path, facts.video.width, facts.video.height)
    begin, end = index.time_of(0), index.end_of(len(index) - 1)
    times = [random.Random(7).uniform(begin, end) for _ in range(50)]
    seen = [index.time_of(n) for n in range(len(index))]
    wanted = [bisect_right(seen, time) - 1 for time in times]

    frames = list(read_frames(path, facts, index, [index.frame_at(time) for time in times]))

    assert len(whole) == len(index)
    assert [frame.number for frame in frames] == wanted
    assert [n for n, frame in zip(wanted, frames, strict=True) if not np.array_equal(frame.pixels, whole[n])] == []  # fmt: skip


@pytest.mark.parametrize("kind", ["b-frames", "variable", "rotated", "cut", "transport"])
def test_one_frame_alone_is_the_same_frame(clips, kind):
    path = clips[kind]
    facts = probe(path)
    index = read_frame_index(path, facts)
    whole = made.decode_all(path, facts.video.width, facts.video.height)

    for number in (0, 31, 32, 33, 34, len(index) - 1):  # some of which no other frame needs
        frame = frame_at(path, facts, index, index.time_of(number))

        assert (frame.number, frame.time) == (number, index.time_of(number))
        assert np.array_equal(frame.pixels, whole[number])


def test_a_frame_without_a_time_follows_on_the_one_before(clips):
    index = read_frame_index(clips["program"], probe(clips["program"]))
    told = made.frame_ticks(clips["program"])

    assert index.pts.tolist() == [*told, told[-1] + 3600]


def test_a_rotated_clip_is_upright(clips):
    lying, upright = probe(clips["b-frames"]).video, probe(clips["rotated"]).video

    assert (lying.width, lying.height) == (320, 180)
    assert (upright.width, upright.height) == (180, 320)


def test_a_variable_rate_is_told(clips):
    told = {kind: probe(clips[kind]).video.is_variable for kind in ("b-frames", "variable", "webm")}
    exact = {kind: read_frame_index(clips[kind], probe(clips[kind])).is_variable for kind in told}

    assert told == exact == {"b-frames": False, "variable": True, "webm": True}


@pytest.mark.parametrize("count", [8, 16])
def test_frames_are_sampled_as_videollama2_does(clips, count):
    path = clips["b-frames"]
    facts = probe(path)
    index = read_frame_index(path, facts)

    taken = [frame.number for frame in sample_frames(path, facts, index, count)]
    inside = [f.number for f in sample_frames(path, facts, index, 4, within=(1.0, 2.0))]

    assert taken == uniform_frames(100, count)
    assert inside == [n + 25 for n in uniform_frames(25, 4)]


def test_a_clip_shorter_than_the_sample_repeats_frames(tmp_path):
    path = tmp_path / "3.mp4"
    made.ffmpeg("-f", "lavfi", "-i", "testsrc2=s=64x64:r=25", "-frames:v", "3", path)
    facts = probe(path)

    taken = list(sample_frames(path, facts, read_frame_index(path, facts), 8))

    assert [frame.number for frame in taken] == [0, 0, 1, 1, 1, 1, 2, 2]


def test_scene_changes_are_found_on_their_frame(tmp_path):
    path = tmp_path / "scenes.mp4"
    made.ffmpeg("-f", "lavfi", "-i", "color=red:s=320x180:r=25:d=1", "-f", "lavfi", "-i",
                "testsrc=s=320x180:r=25:d=1", "-filter_complex", "concat=n=2", path)  # fmt: skip
    shares = []

    found = scene_changes(path, probe(path), on_step=shares.append)

    assert [change.time for change in found] == [1.0]
    assert shares == sorted(shares)


@pytest.mark.parametrize("pixels", ["yuv420p", "yuv420p10le"])
def test_every_scene_of_a_long_clip_is_found_by_its_key_frames(tmp_path, pixels):
    path = tmp_path / "scenes.mp4"
    colours = ("black", "white", "black", "white")
    inputs = [w for c in colours for w in ("-f", "lavfi", "-i", f"color={c}:s=320x180:r=25:d=1")]
    keys = ("-force_key_frames", "0.6,1,2,2.4,3", "-pix_fmt", pixels)
    made.ffmpeg(*inputs, "-filter_complex", "concat=n=4", "-c:v", "libx264", *keys, path)
    shares = []

    found = scene_changes(path, probe(path), by_key_frames=True, on_step=shares.append)

    assert [change.time for change in found] == [1.0, 2.0, 3.0]
    assert all(0.3 < change.score <= 1 for change in found)
    assert shares == sorted(shares)


def test_a_change_between_key_frames_is_told_at_the_next(tmp_path):
    path = tmp_path / "late.mp4"
    made.ffmpeg("-f", "lavfi", "-i", "color=black:s=320x180:r=25:d=1", "-f", "lavfi", "-i",
                "color=white:s=320x180:r=25:d=1", "-filter_complex", "concat=n=2",
                "-c:v", "libx264", "-sc_threshold", "0", "-g", "20", path)  # fmt: skip

    found = scene_changes(path, probe(path), by_key_frames=True)

    assert [change.time for change in found] == [1.6]


def test_a_filmstrip_is_one_small_picture(clips):
    facts = probe(clips["rotated"])
    index = read_frame_index(clips["rotated"], facts)

    strip = make_filmstrip(clips["rotated"], facts, index, count=5, height=72)

    assert Image.open(BytesIO(strip.jpeg)).size == (5 * 40, 72)
    assert len(strip.times) == 5
    assert list(strip.times) == sorted(strip.times)


def test_work_that_a_person_stops_ends(clips):
    def stop(_: float) -> None:
        raise CancelledError("stopped")

    with pytest.raises(CancelledError):
        scene_changes(clips["b-frames"], probe(clips["b-frames"]), on_step=stop)


def test_a_sound_has_no_frames(tmp_path):
    made.ffmpeg("-f", "lavfi", "-i", "sine=d=1", tmp_path / "a.wav")
    facts = probe(tmp_path / "a.wav")

    with pytest.raises(MediaError, match="has no pictures"):
        read_frame_index(tmp_path / "a.wav", facts)
