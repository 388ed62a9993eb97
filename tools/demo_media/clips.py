"""The clips of the demo: frames drawn one by one, and where each thing is at each time."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image

from core.boxes import Box, Keyframe, needed_keyframes, tidy
from tools.demo_media.pictures import rocket
from tools.demo_media.sheet import AMBER, BLUE, INK, MUTED, RED, TEAL, Sheet

WIDTH, HEIGHT, FPS, SECONDS = 480, 270, 12, 6
FRAMES = FPS * SECONDS


@dataclass(frozen=True)
class Clip:
    """The frames of a clip, its tracks and ranges; times are those at which a frame is shown."""

    frames: list[Image.Image]
    tracks: dict[str, tuple[Keyframe, ...]]
    ranges: dict[str, tuple[float, float]]


def draw_liftoff(language: str, words: dict[str, Any], *, start: float, x: float) -> Clip:
    """A rocket that stands, lights its engine at `start`, and leaves the frame."""
    frames, track = [], []
    left_at = SECONDS
    for number in range(FRAMES):
        time = number / FPS
        since = max(0.0, time - start)
        rise = 14 * since**2 + 6 * since
        foot = 212 - rise
        sheet = Sheet(language, width=WIDTH, height=HEIGHT, ground="#f2c9a1")
        sheet.box(0, 0, WIDTH, 90, fill="#e9b48f")
        sheet.circle(392, 120, 26, fill="#fbe7c0")
        sheet.shape(
            [
                (0, 214),
                (90, 170),
                (170, 206),
                (270, 160),
                (390, 208),
                (480, 180),
                (480, 270),
                (0, 270),
            ],
            fill="#7a6a72",
        )
        sheet.box(0, 212, WIDTH, HEIGHT, fill="#4d4a52")
        sheet.box(x - 62, 96, x - 48, 212, fill="#6d2f2b")
        for i in range(6):
            sheet.line([(x - 62, 106 + 18 * i), (x - 48, 122 + 18 * i)], colour="#b0645c", width=2)
        if since:
            for i in range(7):
                spread = (i - 3) * min(since, 2.2) * 15
                sheet.circle(
                    x + spread, 214 - abs(i % 2) * 7, 9 + min(since, 2.5) * 7, fill="#ece6e1"
                )
        flame = 0.8 + 0.3 * (number % 3) if since else 0.0
        rocket(sheet, x, foot, 0.72, flame=flame)
        sheet.box(16, 226, 30 + 15 * len(words["sign"]), 254, fill=BLUE, radius=4)
        sheet.say(
            words["sign"],
            23 + 7.5 * len(words["sign"]),
            240,
            15,
            colour="#ffffff",
            bold=True,
            anchor="mm",
        )
        frames.append(sheet.finished())
        top, bottom = foot - 111, foot + 3
        if bottom <= 6 and left_at == SECONDS:
            left_at = time
        if time <= left_at:
            track.append((time, *_box(x - 24, max(0, top), x + 24, max(8, bottom))))
    begin = -(-start * FPS // 1) / FPS  # the first frame that shows the engine lit
    return Clip(frames, {"rocket": _kept(track)}, {"liftoff": (begin, left_at)})


def draw_robot(language: str, words: dict[str, Any], *, speed: float, stop: float) -> Clip:
    """A delivery robot that drives, sees a ball roll in, and stops before it."""
    frames, robots, balls = [], [], []
    stands = None
    for number in range(FRAMES):
        time = number / FPS
        ball_x = max(stop + 132, 500 - 40 * time)
        x = min(20 + speed * time, stop)
        if x >= stop and stands is None:
            stands = time
        sheet = Sheet(language, width=WIDTH, height=HEIGHT, ground="#e4edf0")
        sheet.box(0, 30, WIDTH, 150, fill="#cbd9dd")
        for i in range(5):
            sheet.box(24 + 96 * i, 56, 92 + 96 * i, 122, fill="#b3c7cd", radius=3)
        sheet.box(150, 8, 330, 42, fill=INK, radius=6)
        sheet.say(words["sign"], 240, 25, 17, colour="#ffffff", bold=True, anchor="mm")
        sheet.box(0, 200, WIDTH, HEIGHT, fill="#8b9298")
        for i in range(7):
            sheet.box(20 + 70 * i, 234, 56 + 70 * i, 239, fill="#f3f1e6")
        sheet.box(x, 132, x + 78, 192, fill="#ffffff", edge=MUTED, radius=12, width=2)
        sheet.box(x + 46, 142, x + 70, 158, fill=TEAL, radius=4)
        sheet.box(x + 10, 144, x + 38, 180, fill=AMBER, radius=3)
        sheet.line([(x + 16, 132), (x + 16, 108)], colour=MUTED, width=2.5)
        sheet.circle(x + 16, 106, 5, fill=RED if stands is not None else TEAL)
        for wheel in (18, 60):
            sheet.circle(x + wheel, 194, 12, fill=INK)
            sheet.circle(x + wheel, 194, 4, fill="#cfd6dc")
        sheet.circle(ball_x, 194, 12, fill=RED)
        sheet.arc(
            ball_x,
            194,
            7,
            10 - 4 * (500 - ball_x),
            150 - 4 * (500 - ball_x),
            colour="#ffffff",
            width=3,
        )
        frames.append(sheet.finished())
        robots.append((time, *_box(x, 101, x + 78, 206)))
        if ball_x - 12 < WIDTH:
            balls.append((time, *_box(ball_x - 12, 182, min(WIDTH, ball_x + 12), 206)))
    assert stands is not None
    tracks = {"robot": _kept(robots), "ball": _kept(balls)}
    return Clip(frames, tracks, {"stands": (stands, float(SECONDS))})


def write_clip(clip: Clip, path: Path) -> None:
    """The clip as H.264 in MP4 or VP9 in WebM, small and without a date in it."""
    coder = {
        ".mp4": ["-c:v", "libx264", "-preset", "veryslow", "-crf", "27", "-movflags", "+faststart"],
        ".webm": ["-c:v", "libvpx-vp9", "-b:v", "0", "-crf", "36", "-deadline", "good", "-cpu-used", "1"],
    }[path.suffix]  # fmt: skip
    subprocess.run(
        ["ffmpeg", "-v", "error", "-nostdin", "-y", "-f", "rawvideo", "-pix_fmt", "rgb24", "-s",
         f"{WIDTH}x{HEIGHT}", "-r", str(FPS), "-i", "pipe:0", *coder, "-pix_fmt", "yuv420p",
         "-map_metadata", "-1", "-fflags", "+bitexact", "-flags:v", "+bitexact", str(path)],
        input=b"".join(_bytes(clip)), check=True,
    )  # fmt: skip


# ---------------------------------------------------------------- private


def _bytes(clip: Clip) -> Iterator[bytes]:
    return (frame.tobytes() for frame in clip.frames)


def _box(left: float, top: float, right: float, bottom: float) -> Box:
    x, y, w, h = left / WIDTH, top / HEIGHT, (right - left) / WIDTH, (bottom - top) / HEIGHT
    return tidy((round(x, 5), round(y, 5), round(w, 5), round(h, 5)))


def _kept(track: list[Keyframe]) -> tuple[Keyframe, ...]:
    """Few keyframes that say all, within a pixel of the frame; times to the millionth."""
    kept = needed_keyframes(track, tolerance=1 / WIDTH)
    return tuple((round(k[0], 6), *k[1:]) for k in kept)
