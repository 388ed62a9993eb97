"""Pictures of a clip: the frame at a time, and frames spread over it.

A frame is decoded from the key frame before it, so that it costs the same anywhere in a clip, and it
is bit-equal to what ffmpeg gives when it decodes the whole clip. Pictures are upright.
"""

from __future__ import annotations

import os
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.errors import MediaError
from core.frame_times import FrameIndex, uniform_frames
from core.media.ffmpeg import opened, running, time_for
from core.media_facts import ClipFacts, VideoFacts

Pixels = NDArray[np.uint8]

WORKERS = min(4, os.cpu_count() or 1)
_TOGETHER = 24  # a new ffmpeg costs about as much as decoding so many frames
_MOST_TOGETHER = 60  # frames asked of one ffmpeg,
_MOST_BYTES = 48 * 2**20  # and what they may fill
_SECONDS = 600  # from one key frame, or from the beginning of a clip that cannot be searched


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """A frame of a clip: which one, when it appears, and its pixels (height, width, RGB)."""

    number: int
    time: float
    pixels: Pixels


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
    video = pictures_of(path, facts)
    width, height = size or (video.width, video.height)
    most = max(1, min(_MOST_TOGETHER, _MOST_BYTES // (3 * width * height)))
    groups = deque(_groups(index, sorted(set(numbers)), most=most))
    threads = WORKERS if len(groups) == 1 else 1
    decoded: dict[int, Pixels] = {}
    left = Counter(numbers)
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


def pictures_of(path: Path, facts: ClipFacts) -> VideoFacts:
    """The facts of a clip's pictures; raises `MediaError` for a sound."""
    if facts.video is None:
        raise MediaError(f"{path.name} has no pictures, only sound: there is no frame to show")
    return facts.video


# ---------------------------------------------------------------- private


def _groups(index: FrameIndex, numbers: list[int], *, most: int) -> list[list[int]]:
    """Frames that one ffmpeg decodes: those behind one key frame, and those that follow closely."""
    groups: list[list[int]] = []
    for number in numbers:
        last = groups[-1] if groups else None
        near = last and (
            number - last[-1] <= _TOGETHER or index.key_before(number) == index.key_before(last[-1])
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
    made: list[Pixels] = []
    if key is not None and all(_others_need_it(path, facts, index, n) for n in numbers):
        # none of them is among the frames that no other frame needs: these are passed over
        made = _run(path, facts, index, numbers, seek_to=key, size=size, threads=threads, skip=True)
    if len(made) < len(numbers):
        made = _run(path, facts, index, numbers, seek_to=key, size=size, threads=threads)
    if len(made) < len(numbers) and key is not None:
        made = _run(path, facts, index, numbers, seek_to=None, size=size, threads=WORKERS)
    if len(made) < len(numbers):
        raise MediaError(
            f"{path.name}: the frame at {index.time_of(numbers[len(made)]):.3f} s cannot be decoded. "
            "The clip is damaged there: make it anew with a video program"
        )
    return dict(zip(numbers, made, strict=True))


def _others_need_it(path: Path, facts: ClipFacts, index: FrameIndex, number: int) -> bool:
    """Whether a frame of H.264 in an MP4 says that others are decoded from it; False if in doubt.

    Only a hint: the decoder itself passes over the frames, and one that is missed is decoded anew.
    """
    video = facts.video
    if not video or (video.codec, facts.container) != ("h264", "mov") or video.is_interlaced:
        return False
    at = int(index.places[number]) if len(index.places) else -1
    if at < 0:
        return False
    with path.open("rb") as file:
        for _ in range(20):  # a frame's units: each its length, then a byte of importance and kind
            file.seek(at)
            head = file.read(5)
            if len(head) < 5:
                return False
            if 1 <= head[4] & 0x1F <= 5:
                return bool(head[4] & 0x60)
            at += 4 + int.from_bytes(head[:4], "big")
    return False


def _run(
    path: Path,
    facts: ClipFacts,
    index: FrameIndex,
    numbers: list[int],
    *,
    seek_to: int | None,
    size: tuple[int, int] | None,
    threads: int,
    skip: bool = False,
) -> list[Pixels]:
    video = pictures_of(path, facts)
    options: dict[str, Any] = {"copyts": None, "threads": threads}
    if skip:
        options["skip_frame"] = "noref"
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
