"""The facts of a clip, read by ffprobe and checked: what it says of itself is never trusted."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

from core.errors import MediaError
from core.media.ffmpeg import probing, read_all
from core.media_facts import AudioFacts, ClipFacts, VideoFacts

MOST_HOURS = 48
MOST_PIXELS = 40_000_000  # 8K has 33 million
MOST_STREAMS = 64
MOST_TAG = 2000  # characters
_SECONDS = 120
_SHOW = (
    "format=format_name,start_time,duration:format_tags"
    ":stream=index,codec_type,codec_name,width,height,time_base,r_frame_rate,avg_frame_rate,"
    "sample_aspect_ratio,field_order,sample_rate,channels,start_time,duration:stream_tags"
    ":stream_disposition=attached_pic,default:stream_side_data=rotation"
    ":packet=stream_index,pts,flags"
)
_LOOKED_AT = 600  # packets, to see whether frames come evenly: a header may say so and be wrong
_REORDERED = 20  # the last of them may wait for frames that were not read


def probe(path: Path) -> ClipFacts:
    """What a clip or a sound is; raises `MediaError` where it is neither, or not sound in itself."""
    options = {"of": "json", "read_intervals": f"%+#{_LOOKED_AT}"}
    with probing(path, options, seconds=_SECONDS, show=_SHOW) as stdout:
        said = read_all(stdout, of=path, most=4 * 2**20)
    try:
        data = json.loads(said)
    except ValueError as problem:
        raise MediaError(
            f"{path.name}: ffprobe's answer cannot be read ({problem}). Update ffmpeg"
        ) from problem
    return facts_of(data, name=path.name)


def facts_of(data: Mapping[str, Any], *, name: str) -> ClipFacts:
    """The facts in ffprobe's answer; pure, so that a lying header can be tried without a file."""
    form, streams = data.get("format", {}), data.get("streams", [])
    if len(streams) > MOST_STREAMS:
        raise MediaError(
            f"{name} has {len(streams)} streams, more than the {MOST_STREAMS} that Argus reads: "
            "keep one of pictures and one of sound"
        )
    video = _first(streams, "video")
    audio = _first(streams, "audio")
    if video is None and audio is None:
        raise MediaError(f"{name} holds neither pictures nor sound: import another file")
    lengths = [_seconds(part.get("duration")) for part in (form, video or {}, audio or {})]
    duration = next((length for length in lengths if length), 0.0)
    if max(lengths) > MOST_HOURS * 3600:
        raise MediaError(
            f"{name} says that it lasts {max(lengths) / 3600:,.0f} hours; Argus takes up to "
            f"{MOST_HOURS}. Its header is wrong, or it must be cut into shorter clips"
        )
    tags = {**form.get("tags", {}), **(video or audio or {}).get("tags", {})}
    return ClipFacts(
        container=str(form.get("format_name", "")).split(",")[0],
        duration=duration,
        start=_seconds(form.get("start_time")),
        video=_video(video, data.get("packets", []), name) if video else None,
        audio=_audio(audio, name) if audio else None,
        tags={str(key)[:100]: str(value)[:MOST_TAG] for key, value in list(tags.items())[:100]},
    )


# ---------------------------------------------------------------- private


def _first(streams: list[dict[str, Any]], kind: str) -> dict[str, Any] | None:
    """The default stream of a kind, else the first; the cover of a record is not a clip's picture."""
    fit = [
        s for s in streams
        if s.get("codec_type") == kind and not s.get("disposition", {}).get("attached_pic")
    ]  # fmt: skip
    return next(
        (s for s in fit if s.get("disposition", {}).get("default")), fit[0] if fit else None
    )


def _video(stream: Mapping[str, Any], packets: list[dict[str, Any]], name: str) -> VideoFacts:
    width, height = int(stream.get("width", 0)), int(stream.get("height", 0))
    if width < 1 or height < 1:
        raise MediaError(f"{name}: its pictures have no size. It is damaged: copy it again")
    if width * height > MOST_PIXELS:
        raise MediaError(
            f"{name} says that its pictures have {width:,} × {height:,} pixels; Argus takes up to "
            f"{MOST_PIXELS:,} in all. Its header is wrong, or it must be made smaller"
        )
    turned = _rotation(stream)
    aspect = _fraction(stream.get("sample_aspect_ratio"), "1:1") or Fraction(1)
    if turned in (90, 270):
        width, height, aspect = height, width, 1 / aspect
    base, average = _fraction(stream.get("time_base")), _fraction(stream.get("avg_frame_rate"))
    if not base:
        raise MediaError(f"{name}: its pictures have no times. It is damaged: copy it again")
    finest = _fraction(stream.get("r_frame_rate"))
    return VideoFacts(
        stream=int(stream["index"]),
        codec=str(stream.get("codec_name", "unknown")),
        width=width,
        height=height,
        time_base=base,
        rate=average or finest,
        rotation=turned,
        pixel_aspect=aspect,
        # a constant rate is the average; containers that count milliseconds round a little
        is_variable=bool(average and finest and abs(average / finest - 1) > Fraction(1, 200))
        or _come_unevenly(packets, int(stream["index"])),
        is_interlaced=stream.get("field_order", "unknown") not in ("progressive", "unknown"),
        start=_seconds(stream.get("start_time")),
    )


def _come_unevenly(packets: list[dict[str, Any]], stream: int) -> bool:
    times = sorted(
        int(p["pts"])
        for p in packets
        if p.get("stream_index") == stream and "pts" in p and "D" not in p.get("flags", "")
    )
    if len(packets) >= _LOOKED_AT:
        times = times[:-_REORDERED]
    steps = [after - before for before, after in pairwise(times)]
    return bool(steps) and max(steps) - min(steps) > 2


def _audio(stream: Mapping[str, Any], name: str) -> AudioFacts:
    rate, channels = int(stream.get("sample_rate", 0)), int(stream.get("channels", 0))
    if not 0 < rate <= 768_000 or not 0 < channels <= 64:
        raise MediaError(
            f"{name} says that its sound has {rate:,} samples a second on {channels} channels, "
            "which cannot be: it is damaged, copy it again"
        )
    return AudioFacts(
        stream=int(stream["index"]),
        codec=str(stream.get("codec_name", "unknown")),
        rate=rate,
        channels=channels,
        start=_seconds(stream.get("start_time")),
    )


def _rotation(stream: Mapping[str, Any]) -> int:
    """Degrees clockwise, from a display matrix (which turns the other way) or an old tag."""
    for part in stream.get("side_data_list", []):
        if "rotation" in part:
            return round(-float(part["rotation"])) % 360
    try:
        return round(float(stream.get("tags", {}).get("rotate", 0))) % 360
    except ValueError:
        return 0


def _fraction(value: object, default: str = "0/1") -> Fraction:
    try:
        return Fraction(str(value or default).replace(":", "/"))
    except (ValueError, ZeroDivisionError):
        return Fraction(0)


def _seconds(value: object) -> float:
    try:
        seconds = float(str(value))
    except ValueError:
        return 0.0  # N/A: not said
    return seconds if math.isfinite(seconds) else 0.0
