"""Pictures of a clip: the frame at a time, frames spread over it, scene changes, a filmstrip.

A frame is decoded from the key frame before it, so that it costs the same anywhere in a clip, and it
is bit-equal to what ffmpeg gives when it decodes the whole clip. Pictures are upright.
"""

from __future__ import annotations

import os
import re
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from fractions import Fraction
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from core.errors import MediaError
from core.frame_times import FrameIndex, uniform_frames
from core.media.ffmpeg import opened, running
from core.media_facts import ClipFacts, VideoFacts
from core.ports import Step

Pixels = NDArray[np.uint8]

WORKERS = min(4, os.cpu_count() or 1)
_TOGETHER = 24  # a new ffmpeg costs about as much as decoding so many frames
_MOST_TOGETHER = 60  # frames asked of one ffmpeg,
_MOST_BYTES = 48 * 2**20  # and what they may fill
_SECONDS = 600  # from one key frame, or from the beginning of a clip that cannot be searched
_SCENE_HEIGHT = 144
_SCENE = re.compile(rb"pts:\s*(-?\d+)|scene_score=([\d.]+)")


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """A frame of a clip: which one, when it appears, and its pixels (height, width, RGB)."""

    number: int
    time: float
    pixels: Pixels


@dataclass(frozen=True, slots=True)
class SceneChange:
    """A frame that differs much from the one before; `score` is 0 to 1."""

    time: float
    score: float


@dataclass(frozen=True, slots=True)
class Filmstrip:
    """Small pictures side by side in one JPEG; `times` are those of the frames shown."""

    jpeg: bytes
    times: tuple[float, ...]
    tile: tuple[int, int]


def frame_at(path: Path, facts: ClipFacts, index: FrameIndex, seconds: float) -> Frame:
    """The frame seen at a time."""
    return next(read_frames(path, facts, index, [index.frame_at(seconds)]))


def read_frames(
    path: Path,
    facts: ClipFacts,
    index: FrameIndex,
    numbers: Sequence[int],
    *,
    size: tuple[int, int] | None = None,
) -> Iterator[Frame]:
    """The frames of these numbers in their order, repeated where a number is.

    `size` (width, height) scales them; without it they are as they are stored. Few are held at a
    time, so that any number may be asked for.
    """
    video = _video(path, facts)
    width, height = size or (video.width, video.height)
    most = max(1, min(_MOST_TOGETHER, _MOST_BYTES // (3 * width * height)))
    groups = deque(_groups(index, sorted(set(numbers)), most=most))
    threads = WORKERS if len(groups) == 1 else 1
    decoded: dict[int, Pixels] = {}
    left = {number: numbers.count(number) for number in set(numbers)}
    with ThreadPoolExecutor(max_workers=WORKERS) as pool:
        waiting: deque[Future[dict[int, Pixels]]] = deque()

        def begin() -> None:
            while groups and len(waiting) < WORKERS:
                group = groups.popleft()
                waiting.append(
                    pool.submit(_decode, path, facts, index, group, size=size, threads=threads)
                )

        begin()
        try:
            for number in numbers:
                while number not in decoded:
                    decoded |= waiting.popleft().result()
                    begin()
                left[number] -= 1
                pixels = decoded[number] if left[number] else decoded.pop(number)
                yield Frame(number, index.time_of(number), pixels)
        finally:
            for future in waiting:
                future.cancel()


def sample_frames(
    path: Path,
    facts: ClipFacts,
    index: FrameIndex,
    count: int,
    *,
    within: tuple[float, float] | None = None,
    size: tuple[int, int] | None = None,
) -> Iterator[Frame]:
    """`count` frames spread over the clip, or over a range of it, as VideoLLaMA2 takes them."""
    first, last = index.frames_of(*within) if within else (0, len(index) - 1)
    numbers = uniform_frames(last - first + 1, count, first=first)
    return read_frames(path, facts, index, numbers, size=size)


def scene_changes(
    path: Path, facts: ClipFacts, *, threshold: float = 0.3, on_step: Step | None = None
) -> list[SceneChange]:
    """Where the picture changes at once. Decodes the whole clip, small: work for a job."""
    video = _video(path, facts)
    stream = (
        opened(path, copyts=None)[str(video.stream)]
        .filter("scale", -2, _SCENE_HEIGHT)
        .filter("select", f"gt(scene,{threshold})+not(mod(n,250))")
        .filter("metadata", "print", file="-")
    )
    output = stream.output("-", f="null", fps_mode="passthrough")
    found: list[SceneChange] = []
    with running(output, of=path, seconds=time_for(facts)) as stdout:
        seconds = facts.start
        for line in iter(lambda: stdout.readline(4096), b""):
            said = _SCENE.search(line)
            if said and said[1]:
                seconds = float(int(said[1]) * video.time_base)
                if on_step and facts.duration:
                    on_step(min(1.0, max(0.0, (seconds - facts.start) / facts.duration)))
            elif said and float(said[2]) > threshold:
                found.append(SceneChange(seconds, float(said[2])))
    return found


def make_filmstrip(
    path: Path, facts: ClipFacts, index: FrameIndex, *, count: int = 20, height: int = 72
) -> Filmstrip:
    """`count` small pictures spread over the clip; in a long clip the key frames nearest to that."""
    video = _video(path, facts)
    width = max(1, round(height * video.width * video.pixel_aspect / video.height))
    numbers = [_cheap(index, n, within=len(index) // (2 * count)) for n in uniform_frames(len(index), count)]  # fmt: skip
    strip = Image.new("RGB", (width * count, height))
    times = []
    for place, frame in enumerate(read_frames(path, facts, index, numbers, size=(width, height))):
        strip.paste(Image.fromarray(frame.pixels), (place * width, 0))
        times.append(frame.time)
    kept = BytesIO()
    strip.save(kept, "JPEG", quality=80)
    return Filmstrip(kept.getvalue(), tuple(times), (width, height))


def time_for(facts: ClipFacts) -> float:
    """How many seconds decoding or coding the whole clip may take before it is given up."""
    return 600 + 6 * facts.duration


# ---------------------------------------------------------------- private


def _video(path: Path, facts: ClipFacts) -> VideoFacts:
    if facts.video is None:
        raise MediaError(f"{path.name} has no pictures, only sound: there is no frame to show")
    return facts.video


def _cheap(index: FrameIndex, number: int, *, within: int) -> int:
    """The key frame that decoding of a frame begins at, where it is not too far away."""
    key = index.key_before(number)
    at = number if key is None else int(np.searchsorted(index.pts, key))
    return at if number - at <= within else number


def _groups(index: FrameIndex, numbers: list[int], *, most: int) -> list[list[int]]:
    """Frames that one ffmpeg decodes: those behind one key frame, and those that follow closely."""
    groups: list[list[int]] = []
    for number in numbers:
        last = groups[-1] if groups else None
        near = last and (
            number - last[-1] <= _TOGETHER or index.key_before(number) == index.key_before(last[0])
        )
        if last and near and len(last) < most:
            last.append(number)
        else:
            groups.append([number])
    return groups


def _decode(
    path: Path,
    facts: ClipFacts,
    index: FrameIndex,
    numbers: list[int],
    *,
    size: tuple[int, int] | None,
    threads: int,
) -> dict[int, Pixels]:
    """Decode some frames in one go, once more from the beginning where the search went too far."""
    key = index.key_before(numbers[0])
    made = _run(path, facts, index, numbers, seek_to=key, size=size, threads=threads)
    if len(made) < len(numbers) and key is not None:
        made = _run(path, facts, index, numbers, seek_to=None, size=size, threads=WORKERS)
    if len(made) < len(numbers):
        raise MediaError(
            f"{path.name}: the frame at {index.time_of(numbers[len(made)]):.3f} s cannot be decoded. "
            "The clip is damaged there: make it anew with a video program"
        )
    return dict(zip(numbers, made, strict=True))


def _run(
    path: Path,
    facts: ClipFacts,
    index: FrameIndex,
    numbers: list[int],
    *,
    seek_to: int | None,
    size: tuple[int, int] | None,
    threads: int,
) -> list[Pixels]:
    video = _video(path, facts)
    options: dict[str, Any] = {"copyts": None, "threads": threads}
    if seek_to is not None:
        options |= {
            "ss": _seek_time(seek_to, facts, index), "seek_timestamp": 1, "noaccurate_seek": None,
        }  # fmt: skip
    wanted = [int(index.pts[number]) for number in numbers]
    stream = (
        opened(path, **options)[str(video.stream)]
        .filter("trim", end_pts=wanted[-1] + 1)
        .filter("select", "+".join(f"eq(pts,{pts})" for pts in wanted))
    )
    width, height = size or (video.width, video.height)
    if size:
        stream = stream.filter("scale", width, height)
    output = stream.output(
        "pipe:", f="rawvideo", pix_fmt="rgb24", fps_mode="passthrough", vframes=len(wanted)
    )
    length, frames = width * height * 3, []
    with running(output, of=path, seconds=_SECONDS if index.can_seek else time_for(facts)) as out:
        while len(data := out.read(length)) == length:
            frames.append(np.frombuffer(data, dtype=np.uint8).reshape(height, width, 3))
    if data:
        raise MediaError(
            f"{path.name}: its pictures change their size, and Argus takes one size a clip. "
            "Make it anew with a video program"
        )
    return frames


def _seek_time(key: int, facts: ClipFacts, index: FrameIndex) -> str:
    """Where ffmpeg is sent for a key frame: half a tick later, since it rounds to millionths."""
    seconds = float((key + Fraction(1, 2)) * index.time_base)
    # others search by position and may land behind the key frame
    early = 0.0 if facts.container in ("mov", "matroska") else 1.0
    return f"{seconds - early:.6f}"
