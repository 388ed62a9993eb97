"""Boxes as fractions of the upright picture: pixels at a zoom, overlap, turning, keyframes.

A box is (x, y, width, height), 0 to 1. Edges are rounded, never sizes, so that a box drawn at any
zoom lies within half a screen pixel of where it is.
"""

from __future__ import annotations

import bisect
import math
from collections.abc import Sequence

from core.errors import MediaError

Box = tuple[float, float, float, float]
Keyframe = tuple[float, float, float, float, float]  # time in seconds, x, y, width, height
Edges = tuple[int, int, int, int]  # left, top, right, bottom in pixels

WHOLE: Box = (0.0, 0.0, 1.0, 1.0)
_DIGITS = 9  # of a fraction: a hundredth of a pixel of a picture 10 million pixels wide


def pixel_edges(box: Box, width: int, height: int, *, zoom: float = 1.0) -> Edges:
    """Left, top, right and bottom in whole screen pixels of a picture shown at `zoom`.

    >>> pixel_edges((0.25, 0.5, 0.5, 0.25), 101, 100, zoom=2)
    (51, 100, 152, 150)
    """
    x, y, w, h = box
    across, down = width * zoom, height * zoom
    return (_round(x * across), _round(y * down), _round((x + w) * across), _round((y + h) * down))


def box_of_edges(
    left: float,
    top: float,
    right: float,
    bottom: float,
    width: int,
    height: int,
    *,
    zoom: float = 1,
) -> Box:
    """The box between two corners in screen pixels, in whichever order they were drawn, clipped.

    Raises `MediaError` for a box without an area, or wholly outside the picture.
    """
    across, down = width * zoom, height * zoom
    numbers = (left, top, right, bottom, across, down)
    if not all(map(math.isfinite, numbers)) or across <= 0 or down <= 0:
        raise MediaError(
            f"a box of {(left, top, right, bottom)} on {width} × {height} has no place"
        )
    x0, x1 = sorted((left / across, right / across))
    y0, y1 = sorted((top / down, bottom / down))
    found = clip((x0, y0, x1 - x0, y1 - y0))
    if found is None:
        raise MediaError(
            f"the box {left:g}, {top:g} to {right:g}, {bottom:g} has no area on the picture of "
            f"{width} × {height} pixels: draw it inside"
        )
    return found


def clip(box: Box, within: Box = WHOLE) -> Box | None:
    """The part of a box inside another, None where nothing of it is."""
    x0, y0 = max(box[0], within[0]), max(box[1], within[1])
    x1 = min(box[0] + box[2], within[0] + within[2])
    y1 = min(box[1] + box[3], within[1] + within[3])
    found = tidy((x0, y0, x1 - x0, y1 - y0))
    return found if found[2] > 0 and found[3] > 0 else None


def tidy(box: Box) -> Box:
    """The box without the noise of arithmetic, nowhere past the edge of the picture."""
    x, y, w, h = (round(v, _DIGITS) + 0.0 for v in box)
    return (x, y, min(w, 1 - x) if x + w > 1 else w, min(h, 1 - y) if y + h > 1 else h)


def area(box: Box) -> float:
    """The share of the picture that the box covers."""
    return box[2] * box[3]


def iou(one: Box, other: Box) -> float:
    """Intersection over union, 0 to 1.

    >>> iou((0, 0, 0.5, 1), (0.25, 0, 0.5, 1))
    0.3333333333333333
    """
    shared = clip(one, other)
    if shared is None:
        return 0.0
    return area(shared) / (area(one) + area(other) - area(shared))


def around(boxes: Sequence[Box]) -> Box:
    """The smallest box that holds them all; at least one."""
    x0, y0 = min(b[0] for b in boxes), min(b[1] for b in boxes)
    x1, y1 = max(b[0] + b[2] for b in boxes), max(b[1] + b[3] for b in boxes)
    return tidy((x0, y0, x1 - x0, y1 - y0))


def turn(box: Box, degrees: int) -> Box:
    """Where a box lies after its picture is turned clockwise by a multiple of 90 degrees.

    >>> turn((0, 0, 0.2, 0.1), 90)
    (0.9, 0.0, 0.1, 0.2)
    """
    if degrees % 90:
        raise MediaError(f"a picture is turned by 0, 90, 180 or 270 degrees, not by {degrees}")
    for _ in range(degrees // 90 % 4):
        x, y, w, h = box
        box = (1 - y - h, x, h, w)
    return tidy(box)


def inside(box: Box, region: Box) -> Box | None:
    """A box as fractions of a region of the picture, such as a crop; None where it is not in it."""
    cut = clip(box, region)
    if cut is None:
        return None
    x, y, w, h = region
    return tidy(((cut[0] - x) / w, (cut[1] - y) / h, cut[2] / w, cut[3] / h))


def outside(box: Box, region: Box) -> Box:
    """The reverse of `inside`: a box on a crop as fractions of the whole picture."""
    x, y, w, h = region
    return tidy((x + box[0] * w, y + box[1] * h, box[2] * w, box[3] * h))


# ---------------------------------------------------------------- boxes in a range


def box_at(keyframes: Sequence[Keyframe], time: float) -> Box | None:
    """The box at a time: straight between two keyframes, still before the first and after the last.

    >>> box_at([(0, 0, 0, 0.2, 0.2), (2, 0.4, 0, 0.2, 0.4)], 1)
    (0.2, 0.0, 0.2, 0.3)
    """
    frames = sorted(keyframes)
    if not frames:
        return None
    after = bisect.bisect_left(frames, time, key=lambda k: k[0])
    if after == 0:
        return tidy(frames[0][1:])
    if after == len(frames):
        return tidy(frames[-1][1:])
    before, next_ = frames[after - 1], frames[after]
    share = (time - before[0]) / (next_[0] - before[0])
    x, y, w, h = (a + (b - a) * share for a, b in zip(before[1:], next_[1:], strict=True))
    return tidy((x, y, w, h))


def set_keyframe(keyframes: Sequence[Keyframe], time: float, box: Box) -> tuple[Keyframe, ...]:
    """The keyframes with one more, in order of time; one at the same time is replaced."""
    kept = [k for k in keyframes if k[0] != time]
    return tuple(sorted([*kept, (time, *tidy(box))]))


def remove_keyframe(keyframes: Sequence[Keyframe], time: float) -> tuple[Keyframe, ...]:
    """The keyframes without the one nearest to a time."""
    if not keyframes:
        return ()
    nearest = min(keyframes, key=lambda k: abs(k[0] - time))
    return tuple(k for k in sorted(keyframes) if k != nearest)


def needed_keyframes(
    keyframes: Sequence[Keyframe], *, tolerance: float = 0.001
) -> tuple[Keyframe, ...]:
    """Only the keyframes that the others do not already say, within `tolerance` of the picture."""
    frames = sorted(keyframes)
    if len(frames) < 3:
        return tuple(frames)
    keep, stack = {0, len(frames) - 1}, [(0, len(frames) - 1)]
    while stack:
        first, last = stack.pop()
        worst, at = 0.0, None
        for i in range(first + 1, last):
            drawn = box_at((frames[first], frames[last]), frames[i][0]) or WHOLE
            off = max(abs(a - b) for a, b in zip(drawn, frames[i][1:], strict=True))
            if off > worst:
                worst, at = off, i
        if at is not None and worst > tolerance:
            keep.add(at)
            stack += [(first, at), (at, last)]
    return tuple(frames[i] for i in sorted(keep))


# ---------------------------------------------------------------- private


def _round(value: float) -> int:
    """Halves upward, as a browser rounds, and not to the even number."""
    return math.floor(value + 0.5)
