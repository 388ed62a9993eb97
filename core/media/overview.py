"""What a clip looks like as a whole: where its scenes change, and a filmstrip."""

from __future__ import annotations

import re
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image

from core.frame_times import FrameIndex, uniform_frames
from core.media.ffmpeg import opened, running, time_for
from core.media.frames import pictures_of, read_frames
from core.media_facts import ClipFacts
from core.ports import Step

_SCENE_HEIGHT = 144
_SCENE = re.compile(rb"pts:\s*(-?\d+)|scene_score=([\d.]+)|YDIF=([\d.]+)")


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


def scene_changes(
    path: Path,
    facts: ClipFacts,
    *,
    threshold: float = 0.3,
    by_key_frames: bool = False,
    on_step: Step | None = None,
) -> list[SceneChange]:
    """Where the picture changes at once. Decodes the whole clip, small: work for a job.

    `by_key_frames` costs a small part of that: only the frames that decoding can begin at are
    looked at, and told where they differ much from the one before.
    """
    video = pictures_of(path, facts)
    read = {"copyts": None, **({"skip_frame": "nokey"} if by_key_frames else {})}
    stream = opened(path, **read)[str(video.stream)].filter("scale", -2, _SCENE_HEIGHT)
    if by_key_frames:
        # the scene score takes off what the change before had: between key frames that is as much
        stream = stream.filter("format", "yuv420p").filter("signalstats")
        stream = stream.filter("metadata", "print", key="lavfi.signalstats.YDIF", file="-")
    else:
        stream = stream.filter("select", f"gt(scene,{threshold})+not(mod(n,250))")
        stream = stream.filter("metadata", "print", file="-")
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
            elif said:
                score = float(said[2]) if said[2] else min(1.0, float(said[3]) / 100)
                if score > threshold:
                    found.append(SceneChange(seconds, score))
    return found


def make_filmstrip(
    path: Path, facts: ClipFacts, index: FrameIndex, *, count: int = 20, height: int = 72
) -> Filmstrip:
    """`count` small pictures spread over the clip; in a long clip the key frames nearest to that."""
    video = pictures_of(path, facts)
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


# ---------------------------------------------------------------- private


def _cheap(index: FrameIndex, number: int, *, within: int) -> int:
    """The key frame that decoding of a frame begins at, where it is not too far away."""
    key = index.key_before(number)
    at = number if key is None else int(np.searchsorted(index.pts, key))
    return at if number - at <= within else number
