"""A clip or sound as the workbench is given it: its times, and links to what the player needs."""

from __future__ import annotations

from typing import Any

from core.media_records import MediaFile
from storage.home import Home
from train import media_parts as parts
from train.media_links import link_to


def clip_data(home: Home, file: MediaFile, *, person: str) -> dict[str, Any]:
    """Duration, start and rate in seconds and a second, and the links that are there already."""
    found: dict[str, Any] = {
        "duration": file.duration, "rate": file.rate, "start": file.facts.get("start") or 0.0,
    }  # fmt: skip
    if file.state != "ready":
        return found
    names = ["sound", "waveform"]
    if file.medium == "video":
        names = ["proxy", "thumbnail", "filmstrip", "filmstriptimes", "frames"]
        names += ["waveform"] if file.facts.get("audio") else []
    return found | {
        name: link_to(home, person, file.sha256, parts.part_of(name).key) for name in names
    }
