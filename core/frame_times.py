"""When each frame of a clip is shown: arithmetic on presentation timestamps, without ffmpeg."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

# Browsers and ffprobe write times in millionths of a second.
ROUNDING = 2e-6

Ticks = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class FrameIndex:
    """The presentation timestamps of every frame, ascending, in ticks of `time_base` seconds.

    `keys` are the timestamps at which decoding can begin; a key frame may itself be cut away by an
    edit list. `end` is when the last frame goes. `can_seek` is False where only decoding from the
    first frame gives these timestamps. `places` are the bytes of the file at which the frames lie,
    empty where that is not known.
    """

    time_base: Fraction
    pts: Ticks
    keys: Ticks
    end: int
    can_seek: bool = True
    places: Ticks = field(default_factory=lambda: np.zeros(0, np.int64))

    def __len__(self) -> int:
        return len(self.pts)

    @property
    def is_variable(self) -> bool:
        """Whether frames stay for different times, rounding to a tick aside."""
        steps = np.diff(self.pts)
        return bool(len(steps) and steps.max() - steps.min() > 2)

    def time_of(self, frame: int) -> float:
        """When a frame appears, in seconds; frames count from 0."""
        return float(int(self.pts[self._checked(frame)]) * self.time_base)

    def end_of(self, frame: int) -> float:
        """When a frame goes: the next one's time, or the end of the clip."""
        after = self._checked(frame) + 1
        ticks = int(self.pts[after]) if after < len(self) else self.end
        return float(ticks * self.time_base)

    def frame_at(self, seconds: float) -> int:
        """The frame that is seen at a time; before the first frame the first, after the last the last."""
        ticks = (seconds + ROUNDING) / float(self.time_base)
        return max(0, int(np.searchsorted(self.pts, ticks, side="right")) - 1)

    def range_of(self, first: int, last: int) -> tuple[float, float]:
        """The time range in which the frames `first` to `last`, both included, are seen."""
        return self.time_of(first), self.end_of(last)

    def frames_of(self, start: float, end: float) -> tuple[int, int]:
        """The first and the last frame seen in a range; `range_of` is its inverse.

        A frame that appears at `end` is not in the range, unless the range is a moment.
        """
        first = self.frame_at(start)
        ticks = (end - ROUNDING) / float(self.time_base)
        return first, max(first, int(np.searchsorted(self.pts, ticks, side="left")) - 1)

    def snapped(self, start: float, end: float) -> tuple[float, float]:
        """The range moved to the borders of the frames seen in it."""
        return self.range_of(*self.frames_of(start, end))

    def key_before(self, frame: int) -> int | None:
        """The timestamp of the key frame that decoding of a frame begins at, None for the first."""
        at = int(np.searchsorted(self.keys, self.pts[self._checked(frame)], side="right")) - 1
        return int(self.keys[at]) if self.can_seek and at >= 0 else None

    def _checked(self, frame: int) -> int:
        if not 0 <= frame < len(self):
            raise IndexError(f"frame {frame} is not one of the {len(self)} frames")
        return frame


def uniform_frames(total: int, count: int, *, first: int = 0) -> list[int]:
    """The frames that VideoLLaMA2 takes of `total`, beginning at `first`: the middles of segments.

    A clip with fewer frames than asked for repeats some.

    >>> uniform_frames(100, 8)
    [6, 19, 31, 43, 56, 68, 80, 93]
    """
    if total < 1 or count < 1:
        return []
    segment = float(total - 1) / count
    middles = [(segment * i + segment * (i + 1)) / 2 for i in range(count)]
    # rounded half to even after 1e-6, as numpy does it there
    return [first + int(at) for at in np.round(np.array(middles) + 1e-6)]


def index_to_bytes(index: FrameIndex) -> bytes:
    """The index as one small file: a head of text, then its lists as 64-bit numbers."""
    head = (
        f"argus-frames 1 {index.time_base} {index.end} {int(index.can_seek)} "
        f"{len(index.pts)} {len(index.keys)} {len(index.places)}\n"
    )
    lists = (index.pts, index.keys, index.places)
    return head.encode() + b"".join(numbers.astype("<i8").tobytes() for numbers in lists)


def index_from_bytes(data: bytes) -> FrameIndex:
    """What `index_to_bytes` wrote; raises `ValueError` on anything else."""
    head, _, body = data.partition(b"\n")
    name, version, base, end, seek, *lengths = head.decode("ascii", "replace").split(" ")
    frames, keys, places = map(int, lengths)
    if (name, version) != ("argus-frames", "1") or len(body) != 8 * (frames + keys + places):
        raise ValueError("not a frame index of this version")
    numbers = np.frombuffer(body, dtype="<i8").astype(np.int64)
    lists = np.split(numbers, [frames, frames + keys])
    return FrameIndex(Fraction(base), lists[0], lists[1], int(end), seek == "1", lists[2])
