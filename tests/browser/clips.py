"""Clips for the browser tests of the player, ready to be played, and the player as a test uses it."""

from __future__ import annotations

import json
import subprocess
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

from storage.home import Home
from storage.store import Store
from tests.browser.workbench import Workbench
from tests.integration.media.made_clips import (
    ffmpeg,
    frame_ticks,
    make_b_frames,
    make_rotated,
    make_uneven,
)
from train.jobs import handle_job
from train.media import prepare_media
from train.media_import import import_bundle
from train.media_parts import transcript
from train.services import Services
from train.warm import WarmModel

SUBTITLES = """1
00:00:00,500 --> 00:00:02,000
Акме запустила телефон

2
00:00:02,500 --> 00:00:05,000
в Мадриде во вторник
"""

SAID = {
    "engine": "test",
    "cues": [
        {"start": 0.0, "end": 1.5, "text": "😀 Акме запустила", "words": [[0.1, 0.5, 2, 6], [0.6, 1.4, 7, 16]]},
        {"start": 1.5, "end": 3.0, "text": "телефон в Мадриде", "words": [[1.6, 2.0, 0, 7], [2.1, 2.2, 8, 9], [2.2, 2.9, 10, 17]]},
    ],
}  # fmt: skip


def make_clips(folder: Path) -> dict[str, Path]:
    """A variable frame rate, B-frames, a clip turned by its phone, a sound with what is said in it."""
    paths = {kind: folder / f"{kind}.mp4" for kind in ("uneven", "b-frames", "rotated")}
    make_uneven(paths["uneven"])
    make_b_frames(paths["b-frames"])
    make_rotated(paths["rotated"], source=paths["b-frames"])
    (folder / "sound").mkdir()
    ffmpeg("-f", "lavfi", "-i", "aevalsrc='sin(2*PI*440*t)*lt(mod(t,1),0.5)':d=6:s=22050", folder / "sound" / "речь.wav")  # fmt: skip
    (folder / "sound" / "речь.srt").write_text(SUBTITLES, "utf-8")
    return paths


def bring_in(home: Path, store: Store, folder: Path, kinds: list[str]) -> dict[str, int]:
    """A sample a clip, made ready by the worker's own code; and one that nobody has looked at, one
    that is broken, and one whose file is not there. The keys of the samples."""
    services = Services(Home(home), store)
    lines = [
        {"id": k, "language": "ru", "modality": "video", "text": None, "media": [{"id": "m1", "kind": "video", "path": f"{k}.mp4"}]}
        for k in kinds
    ]  # fmt: skip
    lines.append({**lines[-1], "id": "opinions"})
    _bring(services, folder, "ready", lines)
    import_bundle(services, folder / "sound", collection="News", language="ru")
    collection = store.collections.get("News").id
    while (job := prepare_media(services, collection)) is not None:
        handle_job(services, WarmModel(services), job)
    write_down(store, collection)
    for name in ("broken", "new"):
        make_b_frames(folder / f"{name}.mp4", "-t", "0.4", "-metadata", f"title={name}")
    (folder / "cut.mp4").write_bytes((folder / "new.mp4").read_bytes()[:3_000])
    other = [
        {"id": k, "language": "ru", "modality": "mixed", "text": "Акме.", "media": [{"id": "m1", "kind": "video", "path": f"{k}.mp4"}]}
        for k in ("missing", "cut", "broken", "new")
    ]  # fmt: skip
    _bring(services, folder, "other", other)
    keys = {s.sample.id: s.key for s in store.samples.list(collection_id=collection)}
    (one,) = store.media.of(keys["broken"])
    assert one.file is not None
    store.media.keep(replace(one.file, state="failed", problem="its pictures cannot be decoded"))
    return keys


def write_down(store: Store, collection: int) -> None:
    """What a speech model would have written down of the clip with B-frames."""
    samples = store.samples.list(collection_id=collection)
    (key,) = [s.key for s in samples if s.sample.id == "b-frames"]
    (one,) = store.media.of(key)
    made = transcript().derived
    assert one.file is not None
    assert made is not None
    data = json.dumps(SAID, ensure_ascii=False).encode()
    store.media.files.put_derived(one.file.sha256, made, data)


def _bring(services: Services, folder: Path, name: str, lines: list[dict[str, Any]]) -> None:
    path = folder / f"{name}.jsonl"
    path.write_text("\n".join(json.dumps(line, ensure_ascii=False) for line in lines), "utf-8")
    import_bundle(services, path, collection="News")


def times_of(path: Path) -> list[float]:
    """When each frame is shown, by ffprobe alone: its ticks times the length of one."""
    line = ["ffprobe", "-v", "error", "-select_streams", "v:0", "-show_entries", "stream=time_base",
            "-of", "csv=p=0", str(path)]  # fmt: skip
    said = subprocess.run(line, check=True, capture_output=True, text=True, timeout=60).stdout
    return [float(ticks * Fraction(said.strip().strip(","))) for ticks in frame_ticks(path)]


class PlayerPage(Workbench):
    """The player of the open sample."""

    def open_clip(self, key: int) -> None:
        """Open a sample and wait until its clip can be stepped through; the keyboard is in the player."""
        self.page.goto(f"{self.url}/review?sample={key}&all=1")
        self.page.locator(".argus-wb .facts .id", has_text=f"#{key}").wait_for(timeout=60_000)
        self.page.locator(".player[data-frame]").wait_for(timeout=30_000)
        self.page.locator(".player").focus()

    @property
    def frame(self) -> int:
        """The frame that was asked for."""
        return int(self.page.locator(".player").get_attribute("data-frame") or -1)

    def go(self, frame: int) -> None:
        """Step to a frame with the arrow keys."""
        by = frame - self.frame
        self.press(*["ArrowRight" if by > 0 else "ArrowLeft"] * abs(by))

    def wait_shown(self, frame: int) -> None:
        """Wait until the browser itself says that this is the frame on the screen."""
        self.page.wait_for_function(
            "n => document.querySelector('.player').dataset.shown === String(n)",
            arg=frame, timeout=10_000,
        )  # fmt: skip

    def x_of(self, time: float, whole: tuple[float, float]) -> float:
        """Where a time lies on the timeline, which shows the whole clip."""
        box = self.page.locator(".timeline .drawing").bounding_box()
        assert box is not None
        return box["x"] + (time - whole[0]) / (whole[1] - whole[0]) * box["width"]

    def drag_range(self, begin: float, end: float, whole: tuple[float, float]) -> None:
        """Drag over the filmstrip from one time to another."""
        box = self.page.locator(".timeline .drawing").bounding_box()
        assert box is not None
        y = box["y"] + 40
        mouse = self.page.mouse
        mouse.move(self.x_of(begin, whole), y)
        mouse.down()
        mouse.move(self.x_of((begin + end) / 2, whole), y + 2)
        mouse.move(self.x_of(end, whole), y + 1)
        mouse.up()

    def draw_box(self, x: float, y: float, w: float, h: float) -> tuple[float, float, float, float]:
        """Drag a box over the picture, in fractions of it; where the picture is, and how large, in
        pixels."""
        box = self.page.locator(".player .track").bounding_box()
        assert box is not None
        mouse = self.page.mouse
        mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"])
        mouse.down()
        mouse.move(box["x"] + (x + w / 2) * box["width"], box["y"] + (y + h) * box["height"])
        mouse.move(box["x"] + (x + w) * box["width"], box["y"] + (y + h) * box["height"])
        mouse.up()
        return box["x"], box["y"], box["width"], box["height"]
