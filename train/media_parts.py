"""What is made of media files: the parts, the settings that they are made with, and their MIME types.

A link names a part by its `Part.key`, such as `view` or `view:3`; only what is listed here is served.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from core.errors import NotFoundError
from storage.media_files import Derived

VIEW_PIXELS, THUMBNAIL_PIXELS, PROXY_HEIGHT, FILMSTRIP_FRAMES = 2_048, 320, 720, 20
_KEY = re.compile(r"([a-z]+)(?::(\d{1,6}(?:,\d{1,6}){0,3}))?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a file; `mime` None: that of the file itself, which is `derived` None."""

    key: str
    derived: Derived | None
    mime: str | None


def original() -> Part:
    """The file as it came in."""
    return Part("original", None, None)


def thumbnail() -> Part:
    """A small picture of the first page, or of the first frame of a clip."""
    return _part("thumbnail", Derived("thumbnail", 1, str(THUMBNAIL_PIXELS), ".jpg"), "image/jpeg")


def view(page: int = 0) -> Part:
    """A page as a picture for the screen."""
    name = Derived("view", 1, f"{VIEW_PIXELS}-p{page}", ".jpg")
    return _part("view", name, "image/jpeg", page)


def tile(page: int, level: int, column: int, row: int) -> Part:
    """A tile of a large picture (`core.media.tiles`)."""
    name = Derived("tile", 1, f"512-p{page}-{level}-{column}-{row}", ".jpg")
    return _part("tile", name, "image/jpeg", page, level, column, row)


def proxy(*, has_pictures: bool) -> Part:
    """A copy of a clip (`proxy`) or a sound (`sound`) that every browser plays."""
    if has_pictures:
        return _part("proxy", Derived("proxy", 1, f"{PROXY_HEIGHT}p", ".mp4"), "video/mp4")
    return _part("sound", Derived("proxy", 1, "sound", ".m4a"), "audio/mp4")


def filmstrip() -> Part:
    """Small frames of a clip side by side; `filmstrip_times` says which."""
    name = Derived("filmstrip", 1, str(FILMSTRIP_FRAMES), ".jpg")
    return _part("filmstrip", name, "image/jpeg")


def filmstrip_times() -> Part:
    """The times of the filmstrip's frames and the size of one, as JSON."""
    name = Derived("filmstrip", 1, str(FILMSTRIP_FRAMES), ".json")
    return _part("filmstriptimes", name, "application/json")


def waveform() -> Part:
    """The outline of a sound, as JSON: {per_second, start, low, high}."""
    return _part("waveform", Derived("waveform", 1, "50", ".json"), "application/json")


def frame_times() -> Part:
    """When each frame of a clip is shown (`core.frame_times.index_to_bytes`)."""
    return _part("frames", Derived("frames", 1, "", ".bin"), "application/octet-stream")


def scenes() -> Part:
    """The times at which the picture of a clip changes at once, as a JSON list."""
    return _part("scenes", Derived("scenes", 1, "30", ".json"), "application/json")


def words(languages: tuple[str, ...]) -> Part:
    """The words of a picture or document with their places (`core.placed_words`), as JSON."""
    name = Derived("words", 1, "+".join(sorted(set(languages))).replace("+", "_"), ".json")
    return Part("words", name, "application/json")


def transcript() -> Part:
    """What is said in a clip, made by a model, as JSON: {engine, cues} (`train.transcribing`)."""
    return _part("transcript", Derived("transcript", 1, "", ".json"), "application/json")


def part_of(key: str) -> Part:
    """The part that a link names; raises `NotFoundError` for anything else."""
    found = _KEY.fullmatch(key)
    numbers = tuple(map(int, found[2].split(","))) if found and found[2] else ()
    simple: dict[str, Callable[[], Part]] = {
        "original": original, "thumbnail": thumbnail, "filmstrip": filmstrip,
        "filmstriptimes": filmstrip_times, "waveform": waveform, "frames": frame_times,
        "transcript": transcript, "scenes": scenes,
        "proxy": lambda: proxy(has_pictures=True), "sound": lambda: proxy(has_pictures=False),
    }  # fmt: skip
    name = found[1] if found else ""
    if name in simple and not numbers:
        return simple[name]()
    if name == "view" and len(numbers) <= 1:
        return view(*numbers)
    if name == "tile" and len(numbers) == 4:
        return tile(*numbers)
    raise NotFoundError(f"there is no part {key[:40]!r} of a media file")


def _part(key: str, derived: Derived, mime: str, *numbers: int) -> Part:
    return Part(key + (":" + ",".join(map(str, numbers)) if numbers else ""), derived, mime)
