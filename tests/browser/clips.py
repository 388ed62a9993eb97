"""Clips for the browser tests of the player, ready to be played, and the player as a test uses it."""

from __future__ import annotations

import json
import subprocess
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

from playwright.sync_api import Page

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
