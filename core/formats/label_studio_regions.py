"""Label Studio's regions and Argus's mentions: percent and fractions, frames and seconds.

Boxes there are percent of the picture and may be rotated; frames of a timeline count from 1 and
both ends belong to it; a track's keyframes can switch the box off. Knows nothing of tasks or events.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from core.boxes import Box, Keyframe, box_of_edges
from core.errors import LineError, shown
from core.events import Mention

# A rectangle there is percent of its picture: the same arithmetic on a picture of 100 by 100.
_PERCENT = 100


def box_of_value(value: Mapping[str, Any], *, aspect: float = 1.0) -> Box:
    """The upright box around a rectangle; `aspect` is the picture's width over its height."""
    x, y, w, h = (_number(value, key) for key in ("x", "y", "width", "height"))
    angle = math.radians(float(value.get("rotation") or 0))
    if not angle:
        return box_of_edges(x, y, x + w, y + h, _PERCENT, _PERCENT)
    # it turns clockwise about its first corner, in the picture's own proportions
    corners = [(0.0, 0.0), (w, 0.0), (0.0, h), (w, h)]
    xs = [x + a * math.cos(angle) - b / aspect * math.sin(angle) for a, b in corners]
    ys = [y + a * aspect * math.sin(angle) + b * math.cos(angle) for a, b in corners]
    return box_of_edges(min(xs), min(ys), max(xs), max(ys), _PERCENT, _PERCENT)


def value_of_box(box: Box) -> dict[str, float]:
    """A box as Label Studio writes it.

    >>> value_of_box((0.25, 0.5, 0.1, 0.2))
    {'x': 25.0, 'y': 50.0, 'width': 10.0, 'height': 20.0, 'rotation': 0}
    """
    x, y, w, h = (round(v * 100, 7) for v in box)
    return {"x": x, "y": y, "width": w, "height": h, "rotation": 0}


def range_of_frames(start: int, end: int, fps: float) -> tuple[float, float]:
    """Seconds of the frames from `start` to `end`, both counted from 1 and both shown.

    >>> range_of_frames(1, 25, 25)
    (0.0, 1.0)
    """
    if not 1 <= start <= end:
        raise LineError(f"a timeline must run forward from frame 1, not from {start} to {end}")
    return (start - 1) / fps, end / fps


def frames_of_range(start: float, end: float, fps: float) -> tuple[int, int]:
    """The reverse: the frame shown at `start`, and the last one shown before `end`."""
    first = math.floor(start * fps + 1e-6) + 1
    return first, max(first, math.ceil(end * fps - 1e-6))


def tracks_of_value(value: Mapping[str, Any], *, fps: float | None, medium: str) -> list[Mention]:
    """A track as mentions, one for each stretch in which its box is on.

    Where `fps` is None it is taken from a keyframe that has both its frame and its time.
    """
    sequence = value.get("sequence")
    if not isinstance(sequence, list) or not sequence:
        raise LineError(
            f"a videorectangle must have a sequence of keyframes, not {shown(sequence)}"
        )
    fps = fps or _told_fps(sequence)
    if fps is None:
        raise LineError(
            "a videorectangle counts frames, and the frame rate is not known: put `fps` in the "
            "task's data, or give the frame rate of the clip"
        )
    last_frame = value.get("framesCount")
    found: list[Mention] = []
    frames: list[Keyframe] = []
    for number, key in enumerate(sorted(sequence, key=lambda k: k.get("frame", 0)), start=1):
        frame = key.get("frame")
        if not isinstance(frame, int) or frame < 1:
            raise LineError(f"the frame of a keyframe must be a whole number from 1, not {frame!r}")
        frames.append(((frame - 1) / fps, *box_of_value(key)))
        if key.get("enabled", True) and number < len(sequence):
            continue
        end = frames[-1][0]
        if key.get("enabled", True) and isinstance(last_frame, int) and last_frame >= frame:
            end = last_frame / fps  # on until the clip ends
        found.append(Mention(media=medium, range=(frames[0][0], end), keyframes=tuple(frames)))
        frames = []
    return found


def value_of_track(mention: Mention, *, fps: float, frames: int | None) -> dict[str, Any]:
    """A box in a range as a track: its keyframes, and one that switches it off at its end."""
    sequence = []
    keys = [(k[0], k[1:]) for k in mention.keyframes]
    end = mention.range[1] if mention.range else keys[-1][0]
    last = max(frames_of_range(0, end, fps)[1], math.floor(keys[-1][0] * fps + 1e-6) + 1)
    if mention.range and end > keys[-1][0] and (frames is None or last < frames):
        keys.append(((last - 1) / fps, keys[-1][1]))
    for time, (x, y, w, h) in keys:
        frame = math.floor(time * fps + 1e-6) + 1
        shape = value_of_box((x, y, w, h))
        sequence.append({"frame": frame, "time": frame / fps, "enabled": True, **shape})
    if frames is None or sequence[-1]["frame"] < frames:
        sequence[-1]["enabled"] = False
    value: dict[str, Any] = {"sequence": sequence}
    if frames is not None:
        value |= {"framesCount": frames, "duration": frames / fps}
    return value


# ---------------------------------------------------------------- private


def _number(value: Mapping[str, Any], key: str) -> float:
    found = value.get(key)
    if isinstance(found, bool) or not isinstance(found, int | float) or not math.isfinite(found):
        raise LineError(f"a rectangle's {key} must be a number in percent, not {shown(found)}")
    return float(found)


def _told_fps(sequence: Sequence[Mapping[str, Any]]) -> float | None:
    for key in reversed(sequence):
        frame, time = key.get("frame"), key.get("time")
        if isinstance(frame, int) and isinstance(time, int | float) and time > 0:
            return round(frame / time, 6)
    return None
