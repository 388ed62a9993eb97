"""When each frame of a clip is shown, as ffprobe says, from its packets where they tell it exactly.

Reading packets decodes nothing: two hours take seconds. Where packets do not tell (no timestamps,
pictures that cannot be decoded at the beginning, two packets a frame), the frames are decoded.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from core.errors import MediaError
from core.frame_times import FrameIndex, Ticks
from core.media.ffmpeg import probing
from core.media_facts import ClipFacts, VideoFacts

MOST_LINES = 40_000_000  # 48 hours at 115 frames a second, with side data
_ONE_FRAME_A_PACKET = ("mov", "matroska")
_TRIED = 60  # packets decoded at the beginning, to see whether each is one frame
_PACKET_SECONDS, _TRY_SECONDS, _DECODE_SECONDS = 1200, 120, 6 * 3600


def read_frame_index(path: Path, facts: ClipFacts) -> FrameIndex:
    """The timestamps of every frame of a clip; raises `MediaError` where there are none."""
    video = facts.video
    if video is None:
        raise MediaError(
            f"{path.name} has no pictures, only sound: it has no frames to step through"
        )
    packets = _Packets(path, video)
    if packets.are_distinct and (
        (facts.container in _ONE_FRAME_A_PACKET and packets.open_cleanly)
        or packets.agree_with([pts for pts, _ in _decoded(path, video, most=_TRIED)])
    ):
        return _index(video, packets.shown, packets.keys, packets.end, places=packets.places)
    frames = sorted(_decoded(path, video))
    if not frames:
        raise MediaError(
            f"{path.name}: not one frame of it can be decoded. It is damaged: copy it again"
        )
    pts = np.unique(np.array([pts for pts, _ in frames], dtype=np.int64))
    end = sum(frames[-1])
    return _index(video, pts, packets.keys, end, can_seek=packets.have_times)


# ---------------------------------------------------------------- private


def _index(
    video: VideoFacts,
    pts: Ticks,
    keys: Ticks,
    end: int,
    *,
    can_seek: bool = True,
    places: Ticks | None = None,
) -> FrameIndex:
    if end <= pts[-1]:  # the last frame does not say how long it stays: as long as most do
        usual = 1 / (video.rate * video.time_base) if video.rate else 1
        end = int(pts[-1]) + max(1, int(np.median(np.diff(pts))) if len(pts) > 1 else round(usual))
    none = np.zeros(0, np.int64)
    return FrameIndex(video.time_base, pts, keys, end, can_seek, none if places is None else places)


class _Packets:
    """The packets of a clip's pictures, in the order of the file: when each is shown, and how."""

    def __init__(self, path: Path, video: VideoFacts) -> None:
        times, places = array("q"), array("q")
        shown, key = bytearray(), bytearray()
        self.have_times, self.end = True, 0
        show = "packet=pts,duration,pos,flags"
        for row in _rows(path, video, show=show, seconds=_PACKET_SECONDS):
            if not _is_number(row[0]):
                self.have_times = False
                continue
            times.append(int(row[0]))
            places.append(int(row[2]) if _is_number(row[2]) else -1)
            shown.append("D" not in row[3])  # cut away by an edit list
            key.append("K" in row[3])
            if shown[-1] and _is_number(row[1]):
                self.end = max(self.end, times[-1] + int(row[1]))
        every = np.array(times, dtype=np.int64)
        is_key = np.frombuffer(key, dtype=np.bool_)
        seen = np.frombuffer(shown, dtype=np.bool_)
        order = np.argsort(every[seen], kind="stable")
        self.shown: Ticks = every[seen][order]
        self.places: Ticks = np.array(places, dtype=np.int64)[seen][order]
        self.keys: Ticks = np.sort(every[is_key])
        # pictures shown before the first key frame may need one that the file does not have
        self.open_cleanly = bool(len(every) and is_key[0] and every.min() == every[0])

    @property
    def are_distinct(self) -> bool:
        """Whether each packet has a time of its own."""
        return self.have_times and len(self.shown) > 0 and bool((np.diff(self.shown) > 0).all())

    def agree_with(self, decoded: list[int]) -> bool:
        """Whether the first frames decoded are those of the packets.

        Pictures before the first one that can be decoded are not shown, and leave `shown`.
        """
        first = int(np.searchsorted(self.shown, decoded[0])) if decoded else _TRIED
        if first >= _TRIED or self.shown[first : first + len(decoded)].tolist() != decoded:
            return False
        self.shown, self.places = self.shown[first:], self.places[first:]
        return True


def _decoded(
    path: Path, video: VideoFacts, *, most: int | None = None
) -> Iterator[tuple[int, int]]:
    """Timestamp and duration of each frame as the decoder gives it, or of `most` packets' frames."""
    show = "frame=key_frame,best_effort_timestamp,pkt_duration,duration"
    limit = _DECODE_SECONDS if most is None else _TRY_SECONDS
    interval = {} if most is None else {"read_intervals": f"%+#{most}"}
    after: int | None = None
    for row in _rows(path, video, show=show, seconds=limit, **interval):
        # a frame without a time follows on the one before, as ffmpeg has it
        pts = int(row[1]) if _is_number(row[1]) else after
        if pts is not None:
            length = next((int(text) for text in row[2:] if _is_number(text)), 0)
            after = pts + length
            yield pts, length


def _rows(
    path: Path, video: VideoFacts, *, show: str, seconds: float, **options: str
) -> Iterator[list[str]]:
    """The rows of ffprobe's answer; side data leaves blank lines and a comma at the end."""
    options |= {"select_streams": str(video.stream), "of": "csv=p=0"}
    with probing(path, options, seconds=seconds, show=show) as stdout:
        for count, line in enumerate(iter(lambda: stdout.readline(4096), b"")):
            if count > MOST_LINES:
                raise MediaError(f"{path.name} has too many frames: cut it into shorter clips")
            fields = line.decode("ascii", "replace").strip().split(",")
            if len(fields) >= 3:
                yield fields


def _is_number(text: str) -> bool:
    return text.lstrip("-").isdigit()
