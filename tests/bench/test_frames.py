"""Sixteen frames of a ten-minute 1080p clip beside PyAV, in turns, and the ratio.

Run as: ARGUS_PYAV_PYTHON=…/bin/python make bench ARGS="tests/bench/test_frames.py", where that Python
has `av` and `numpy`. PyAV seeks to the key frame before each frame, once with the threads it has by
default and once with all. Argus is timed from the bare file (facts, index, frames) and with the index
that it keeps. Asserts nothing about time.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections import defaultdict
from pathlib import Path
from statistics import median
from time import perf_counter

import pytest

from core.frame_times import uniform_frames
from core.media.frame_index import read_frame_index
from core.media.frames import sample_frames
from core.media.probe import probe
from tests.integration.media.made_clips import ffmpeg

pytestmark = pytest.mark.bench

VARIABLE = "ARGUS_PYAV_PYTHON"
ROUNDS = int(os.environ.get("ARGUS_BENCH_ROUNDS", "5"))
FRAMES = 16
PEER = Path(__file__).with_name("pyav_peer.py")


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten minutes of 1080p in H.264 as x264 makes it by default: ten seconds, sixty times."""
    folder = tmp_path_factory.mktemp("clip")
    ffmpeg(
        "-f", "lavfi", "-i", "testsrc2=s=1920x1080:r=25:d=10", "-vf", "noise=alls=3:allf=t",
        "-c:v", "libx264", "-preset", "veryfast", "-pix_fmt", "yuv420p", folder / "short.mp4",
    )  # fmt: skip
    ffmpeg("-stream_loop", "59", "-i", folder / "short.mp4", "-c", "copy", folder / "long.mp4")
    return folder / "long.mp4"


def test_sixteen_frames_beside_pyav(clip: Path, capfd: pytest.CaptureFixture[str]) -> None:
    python = os.environ.get(VARIABLE)
    if not python:
        pytest.skip(f"{VARIABLE} names no Python with PyAV: pip install av numpy into one")
    facts = probe(clip)
    index = read_frame_index(clip, facts)
    numbers = uniform_frames(len(index), FRAMES)
    times: dict[str, list[float]] = defaultdict(list)
    means: dict[str, list[float]] = {}

    with subprocess.Popen(
        [python, str(PEER)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as peer:
        assert peer.stdin
        assert peer.stdout
        for _ in range(ROUNDS):
            for threads in ("SLICE", "AUTO"):
                peer.stdin.write(f"{clip}|{json.dumps(numbers)}|{threads}\n")
                peer.stdin.flush()
                said = json.loads(peer.stdout.readline())
                times[f"PyAV, threads {threads}"].append(said["seconds"])
                means["PyAV"] = said["means"]

            began = perf_counter()
            frames = list(sample_frames(clip, facts, index, FRAMES))
            times["Argus, index kept"].append(perf_counter() - began)
            means["Argus"] = [float(frame.pixels.mean()) for frame in frames]

            began = perf_counter()
            fresh = probe(clip)
            list(sample_frames(clip, fresh, read_frame_index(clip, fresh), FRAMES))
            times["Argus, bare file"].append(perf_counter() - began)
        peer.stdin.close()

    assert [frame.number for frame in frames] == numbers
    assert means["Argus"] == pytest.approx(means["PyAV"], abs=1.0)
    with capfd.disabled():
        print(report(times))  # noqa: T201  the figures are what this is for


def report(times: dict[str, list[float]]) -> str:
    """Frames a second of each, and how many times as fast as PyAV Argus is."""
    lines = [f"\n{FRAMES} frames of ten minutes of 1080p, {ROUNDS} rounds in turns"]
    for name, values in times.items():
        lines.append(f"  {name}: {FRAMES / median(values):.2f} frames a second")
    for threads in ("SLICE", "AUTO"):
        for ours in ("index kept", "bare file"):
            pairs = zip(times[f"PyAV, threads {threads}"], times[f"Argus, {ours}"], strict=True)
            ratio = median(theirs / mine for theirs, mine in pairs)
            lines.append(f"  Argus ({ours}) against PyAV ({threads}): {ratio:.2f} times as fast")
    return "\n".join(lines)
