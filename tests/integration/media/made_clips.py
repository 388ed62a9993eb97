"""Clips that the tests make with ffmpeg, and what ffmpeg and ffprobe say of them by themselves."""

import subprocess
from pathlib import Path

import numpy as np

MOVING = "testsrc2=s=320x180:r=25:d=4"
UNEVEN = "select='not(mod(n,7))+gt(mod(n,5),1)'"
B_FRAMES = ("-c:v", "libx264", "-bf", "3", "-g", "30", "-preset", "ultrafast", "-pix_fmt", "yuv420p")  # fmt: skip


def ffmpeg(*arguments: str | Path) -> None:
    line = ["ffmpeg", "-nostdin", "-v", "error", "-y", "-threads", "2", *map(str, arguments)]
    subprocess.run(line, check=True, timeout=600)


def make_b_frames(path: Path, *more: str) -> Path:
    """Four seconds with B-frames and a tone."""
    ffmpeg("-f", "lavfi", "-i", MOVING, "-f", "lavfi", "-i", "sine=d=4", *B_FRAMES,
           "-c:a", "aac", *more, path)  # fmt: skip
    return path


def make_uneven(path: Path) -> Path:
    """A variable frame rate, with B-frames."""
    ffmpeg("-f", "lavfi", "-i", MOVING, "-vf", UNEVEN, "-fps_mode", "passthrough",
           "-enc_time_base", "-1", *B_FRAMES, path)  # fmt: skip
    return path


def make_rotated(path: Path, *, source: Path) -> Path:
    """As a phone held upright records: stored lying, with a note to turn it."""
    try:
        ffmpeg("-display_rotation", "-90", "-i", source, "-c", "copy", path)
    except subprocess.CalledProcessError:  # ffmpeg 5 and older
        ffmpeg("-i", source, "-c", "copy", "-metadata:s:v", "rotate=90", path)
    return path


def decode_all(path: Path, width: int, height: int) -> np.ndarray:
    """Every frame as ffmpeg itself decodes the clip from its beginning."""
    line = ["ffmpeg", "-nostdin", "-v", "error", "-i", path, "-map", "0:v:0", "-fps_mode",
            "passthrough", "-f", "rawvideo", "-pix_fmt", "rgb24", "-"]  # fmt: skip
    data = subprocess.run(line, check=True, capture_output=True, timeout=100).stdout
    return np.frombuffer(data, np.uint8).reshape(-1, height, width, 3)


def frame_ticks(path: Path) -> list[int]:
    """Every frame's timestamp as ffprobe gives it when it decodes the clip."""
    line = ["ffprobe", "-v", "error", "-select_streams", "v:0", "-show_entries",
            "frame=best_effort_timestamp", "-of", "csv=p=0", path]  # fmt: skip
    said = subprocess.run(line, check=True, capture_output=True, text=True, timeout=100).stdout
    return [int(row.strip(",")) for row in said.split() if row.strip(",").lstrip("-").isdigit()]
