"""What the store knows of a media file and of its place in a sample, as plain values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from core.samples import Media

# "new": only its bytes are known; "looked": its facts and a thumbnail; "ready": all that is made of it
FileState = Literal["new", "looked", "ready", "failed"]
TO_PREPARE: tuple[FileState, ...] = ("new", "looked")


@dataclass(frozen=True, slots=True)
class MediaFile:
    """A file of the media store, by the SHA-256 of its bytes; sizes are of the upright picture.

    `form` is what its bytes say it is ("JPEG"), `rate` frames or samples a second, `facts` those of a
    clip (`core.media_facts`), `notes` why a part could not be made ({part: message}).
    """

    sha256: str
    bytes: int
    name: str = ""
    form: str = ""
    medium: str = ""
    mime: str = "application/octet-stream"
    width: int | None = None
    height: int | None = None
    pages: int | None = None
    duration: float | None = None
    rate: float | None = None
    rotation: int = 0
    facts: Mapping[str, Any] = field(default_factory=dict)
    state: FileState = "new"
    problem: str = ""
    notes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SampleMedia:
    """A medium of a sample and its file; where there is none, `problem` says why."""

    sample_key: int
    media: Media
    file: MediaFile | None
    problem: str = ""


@dataclass(frozen=True, slots=True)
class FileToPrepare:
    """A file that waits to be prepared, one sample that has it, and in what languages it may be."""

    file: MediaFile
    sample_key: int
    sample_id: str
    languages: tuple[str, ...]
