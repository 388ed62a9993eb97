"""Proxies, cuts and waveforms of real clips: the same frames at the same times, and the same sound."""

import numpy as np
import pytest

from core.errors import CancelledError, MediaError
from core.media.clips import cut_clip, make_proxy, suffix_of
from core.media.frame_index import read_frame_index
from core.media.frames import frame_at
from core.media.probe import probe
from core.media.waveform import read_waveform
from tests.integration.media import made_clips as made


@pytest.fixture(scope="module")
def clips(tmp_path_factory):
    """Clips with what a browser may not play or may show at another time."""
    folder = tmp_path_factory.mktemp("clips")
    plain = made.make_b_frames(folder / "b.mp4", "-metadata", "title=<img src=x onerror=alert(1)>")
    paths = {
        "b-frames": plain,
        "variable": made.make_uneven(folder / "vfr.mp4"),
        "rotated": made.make_rotated(folder / "phone.mp4", source=plain),
        "transport": folder / "b.ts",
        "sound": folder / "звук.wav",
        "wide-pixels": folder / "wide.mkv",
    }
    made.ffmpeg("-i", plain, "-c", "copy", paths["transport"])
    made.ffmpeg("-f", "lavfi", "-i", "aevalsrc='if(between(t,1,1.5),sin(2*PI*440*t),0)':d=3:s=44100",
                paths["sound"])  # fmt: skip
    made.ffmpeg("-f", "lavfi", "-i", "testsrc2=s=1440x1080:r=5:d=1", "-vf", "setsar=4/3",
                "-c:v", "ffv1", paths["wide-pixels"])  # fmt: skip
    return paths


@pytest.mark.parametrize("kind", ["b-frames", "variable", "rotated", "transport"])
def test_a_proxy_shows_each_frame_when_the_clip_does(clips, tmp_path, kind):
    facts = probe(clips[kind])
    index = read_frame_index(clips[kind], facts)
    shares = []

    make_proxy(clips[kind], tmp_path / "proxy.mp4", facts, on_step=shares.append)

    proxy = probe(tmp_path / "proxy.mp4")
    copied = read_frame_index(tmp_path / "proxy.mp4", proxy)
    assert [copied.time_of(n) for n in range(len(copied))] == pytest.approx(
        [index.time_of(n) - facts.start for n in range(len(index))], abs=2e-6
    )
    assert (proxy.video.codec, proxy.video.rotation) == ("h264", 0)
    assert (proxy.video.width, proxy.video.height) == (facts.video.width, facts.video.height)
    assert proxy.audio is None if facts.audio is None else proxy.audio.codec == "aac"
    assert shares == sorted(shares)
    assert list(tmp_path.iterdir()) == [tmp_path / "proxy.mp4"]


def test_the_index_of_a_proxy_stands_first_and_no_words_of_the_maker_are_copied(clips, tmp_path):
    make_proxy(clips["b-frames"], tmp_path / "proxy.mp4", probe(clips["b-frames"]))

    data = (tmp_path / "proxy.mp4").read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")
    assert b"onerror" not in data


def test_a_proxy_of_a_large_clip_is_smaller_with_square_pixels(clips, tmp_path):
    make_proxy(clips["wide-pixels"], tmp_path / "proxy.mp4", probe(clips["wide-pixels"]))

    video = probe(tmp_path / "proxy.mp4").video
    assert (video.width, video.height, video.pixel_aspect) == (1280, 720, 1)


def test_a_sound_becomes_an_m4a(clips, tmp_path):
    facts = probe(clips["sound"])

    make_proxy(clips["sound"], tmp_path / "proxy.m4a", facts)

    proxy = probe(tmp_path / "proxy.m4a")
    assert (suffix_of(facts), proxy.kind, proxy.audio.codec) == (".m4a", "audio", "aac")
    assert proxy.duration == pytest.approx(3.0, abs=0.05)


def test_a_proxy_that_a_person_stops_leaves_nothing_behind(clips, tmp_path):
    def stop(_: float) -> None:
        raise CancelledError("stopped")

    with pytest.raises(CancelledError):
        make_proxy(clips["b-frames"], tmp_path / "p.mp4", probe(clips["b-frames"]), on_step=stop)

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("kind", ["b-frames", "variable", "rotated", "transport"])
def test_a_cut_has_exactly_the_frames_of_its_range(clips, tmp_path, kind):
    path, target = clips[kind], tmp_path / "cut.mp4"
    facts = probe(path)
    index = read_frame_index(path, facts)

    cut_clip(path, target, facts, *index.range_of(37, 48), index=index)

    cut = probe(target)
    copied = read_frame_index(target, cut)
    assert [copied.time_of(n) for n in range(len(copied))] == pytest.approx(
        [index.time_of(n) - index.time_of(37) for n in range(37, 49)], abs=2e-6
    )
    ours = frame_at(target, cut, copied, 0.0).pixels.astype(int)
    theirs = frame_at(path, facts, index, index.time_of(37)).pixels.astype(int)
    before = frame_at(path, facts, index, index.time_of(36)).pixels.astype(int)
    assert np.abs(ours - theirs).mean() < np.abs(ours - before).mean()


def test_a_cut_of_a_sound_is_what_is_heard_then(clips, tmp_path):
    cut_clip(clips["sound"], tmp_path / "cut.m4a", probe(clips["sound"]), 0.75, 1.25)

    facts = probe(tmp_path / "cut.m4a")
    wave = read_waveform(tmp_path / "cut.m4a", facts)
    loud = np.flatnonzero(wave.high > 60) / wave.per_second
    assert facts.duration == pytest.approx(0.5, abs=0.05)
    assert loud[0] == pytest.approx(0.25, abs=0.03)


def test_a_range_that_runs_backwards_is_refused(clips, tmp_path):
    with pytest.raises(MediaError, match=r"cannot be cut from 2\.000 s to 1\.000 s"):
        cut_clip(clips["sound"], tmp_path / "cut.m4a", probe(clips["sound"]), 2.0, 1.0)


def test_a_waveform_shows_where_it_is_loud(clips):
    wave = read_waveform(clips["sound"], probe(clips["sound"]))

    loud = np.flatnonzero(wave.high > 60)
    assert (wave.per_second, len(wave.high)) == (50, 150)
    assert (loud[0], loud[-1]) == (50, 74)
    assert wave.low.min() < -60
    assert not wave.high[:45].any()


def test_a_waveform_begins_with_the_clip_even_where_its_sound_begins_later(tmp_path):
    path = tmp_path / "late.mkv"
    made.ffmpeg("-f", "lavfi", "-i", "testsrc2=s=64x64:d=2", "-itsoffset", "1", "-f", "lavfi",
                "-i", "sine=d=1", "-c:a", "flac", path)  # fmt: skip

    wave = read_waveform(path, probe(path))

    assert np.flatnonzero(wave.high)[0] == pytest.approx(50, abs=1)


def test_a_clip_without_sound_has_no_waveform(clips):
    with pytest.raises(MediaError, match="has no sound"):
        read_waveform(clips["variable"], probe(clips["variable"]))
