"""Copies of a clip that any browser plays: a proxy of the whole, and a cut of a range.

Both are H.264 and AAC in an MP4 whose index stands first, or AAC in an M4A for sound alone. The copy
begins at 0, and each of its frames appears exactly when the clip's does. ffmpeg reads and writes in
a stream, so that two hours take no more memory than a minute.
"""

from __future__ import annotations

import re
from fractions import Fraction
from pathlib import Path
from typing import Any

import ffmpeg

from core.errors import MediaError
from core.frame_times import FrameIndex
from core.media.ffmpeg import THREADS, opened, running, time_for
from core.media_facts import ClipFacts, VideoFacts
from core.ports import Step

PROXY_HEIGHT = 720
_PROGRESS = re.compile(rb"out_time_(?:us|ms)=(-?\d+)")  # both are millionths
_ENCODING = {
    "c:v": "libx264", "preset": "veryfast", "crf": 23, "pix_fmt": "yuv420p", "bf": 0,
    "force_key_frames": "expr:gte(t,n_forced)",  # one a second: a click is answered at once
    "fps_mode": "passthrough", "enc_time_base": -1,
}  # fmt: skip
_SOUND = {"c:a": "aac", "b:a": "128k", "ac": 2, "ar": 48_000}
_MOST_TICKS = 1_000_000  # ticks a second that an MP4 is given


def suffix_of(facts: ClipFacts) -> str:
    """How the name of a copy ends."""
    return ".mp4" if facts.video else ".m4a"


def make_proxy(
    path: Path,
    target: Path,
    facts: ClipFacts,
    *,
    height: int = PROXY_HEIGHT,
    on_step: Step | None = None,
) -> None:
    """Write a copy of the whole clip that a browser plays; its time 0 is `facts.start`.

    `on_step` is called with the share done, and stops the work by raising. `target` appears only
    when it is whole.
    """
    source = opened(path, threads=THREADS)
    streams = []
    if facts.video:
        streams.append(_scaled(source[str(facts.video.stream)], facts.video, height))
    if facts.audio:
        streams.append(source[str(facts.audio.stream)])
    _write(path, target, streams, facts, length=facts.duration, on_step=on_step)


def cut_clip(
    path: Path,
    target: Path,
    facts: ClipFacts,
    start: float,
    end: float,
    *,
    index: FrameIndex | None = None,
    height: int = PROXY_HEIGHT,
    on_step: Step | None = None,
) -> None:
    """Write a copy of what is seen and heard from `start` to `end`, in seconds of the clip.

    With pictures the range is that of the frames seen in it, and needs the clip's `index`.
    """
    if not start < end:
        raise MediaError(f"a clip cannot be cut from {start:.3f} s to {end:.3f} s: end it later")
    options: dict[str, Any] = {"copyts": None, "threads": THREADS}
    video, streams, seek = facts.video, [], start
    if video:
        if index is None:
            raise MediaError(f"{path.name}: its frames have not been read yet. Read them first")
        first, last = index.frames_of(start, end)
        start, end = index.range_of(first, last)
        key = index.key_before(first)
        seek = facts.start if key is None else float((key + Fraction(1, 2)) * video.time_base)
    # sound is found by its own clock, and may lie before the key frame
    early = 1.0 if facts.audio or facts.container not in ("mov", "matroska") else 0.0
    if index is None or index.can_seek:
        options |= {"ss": f"{seek - early:.6f}", "seek_timestamp": 1, "noaccurate_seek": None}
    source = opened(path, **options)
    if video and index is not None:
        begin, stop = int(index.pts[first]), int(index.pts[last]) + 1
        kept = source[str(video.stream)].filter("trim", start_pts=begin, end_pts=stop)
        streams.append(_scaled(kept.filter("setpts", f"PTS-{begin}"), video, height))
    if facts.audio:
        heard = source[str(facts.audio.stream)].filter("atrim", start=start, end=end)
        streams.append(heard.filter("asetpts", f"PTS-{start}/TB"))
    _write(path, target, streams, facts, length=end - start, on_step=on_step)


# ---------------------------------------------------------------- private


def _scaled(stream: Any, video: VideoFacts, height: int) -> Any:
    """Upright, with square pixels, no higher than `height` (the shorter side of it counts)."""
    wide = float(video.width * video.pixel_aspect)
    share = min(1.0, height / min(wide, video.height))
    even = [max(2, 2 * round(side * share / 2)) for side in (wide, video.height)]
    return stream.filter("scale", *even).filter("setsar", 1)


def _write(
    path: Path,
    target: Path,
    streams: list[Any],
    facts: ClipFacts,
    *,
    length: float,
    on_step: Step | None,
) -> None:
    options: dict[str, Any] = {
        "f": "mp4", "movflags": "+faststart", "map_metadata": -1, "map_chapters": -1,
        "progress": "pipe:1", "threads": THREADS, "max_muxing_queue_size": 4096,
    }  # fmt: skip
    if facts.video:
        options |= _ENCODING
        ticks = facts.video.time_base.denominator
        if ticks <= _MOST_TICKS:
            options |= {"video_track_timescale": ticks, "movie_timescale": max(1000, ticks)}
    if facts.audio:
        options |= _SOUND
    unfinished = target.with_name(target.name + ".unfinished")
    output = ffmpeg.output(*streams, f"file:{unfinished.absolute()}", **options)
    try:
        with running(output, of=path, seconds=time_for(facts)) as stdout:
            for line in iter(lambda: stdout.readline(4096), b""):
                done = _PROGRESS.match(line)
                if done and on_step and length:
                    on_step(min(1.0, max(0.0, int(done[1]) / 1e6 / length)))
        if not unfinished.stat().st_size:
            raise MediaError(f"{path.name}: nothing of it can be played. It is damaged")
        unfinished.replace(target)
    finally:
        unfinished.unlink(missing_ok=True)
