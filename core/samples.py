"""A sample: one thing to be reviewed, with its text, media, source and groups."""

from __future__ import annotations

import hashlib
import json
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from core.events import Event, event_to_dict

Modality = Literal["text", "image", "video", "audio", "mixed"]
MODALITIES: tuple[Modality, ...] = ("text", "image", "video", "audio", "mixed")
MediaKind = Literal["image", "video", "audio", "document"]
MEDIA_KINDS: tuple[MediaKind, ...] = ("image", "video", "audio", "document")
PICTURE_KINDS: tuple[MediaKind, ...] = ("image", "document")  # looked at, not played
Split = Literal["train", "dev", "test"]
SPLITS: tuple[Split, ...] = ("train", "dev", "test")
State = Literal["new", "suggested", "reviewed"]
STATES: tuple[State, ...] = ("new", "suggested", "reviewed")


@dataclass(frozen=True, slots=True)
class Media:
    """A picture, clip, sound or document of a sample; `path` is relative or a URL."""

    id: str
    kind: MediaKind
    path: str
    sha256: str | None = None
    meta: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Source:
    """Where a sample comes from; `published` is an ISO 8601 date."""

    url: str | None = None
    name: str | None = None
    licence: str | None = None
    published: str | None = None
    meta: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Sample:
    """One sample as Argus JSONL has it. `events` is None where nobody has labelled it yet."""

    id: str
    language: str
    modality: Modality
    text: str | None
    media: tuple[Media, ...] = ()
    source: Source = Source()
    parallel_group: str | None = None
    split: Split | None = None
    meta: Mapping[str, Any] = field(default_factory=dict)
    events: tuple[Event, ...] | None = None

    @property
    def content_hash(self) -> str:
        """SHA-256 over everything the sample says, labels and split included."""
        return _digest(sample_to_dict(self))

    @property
    def group(self) -> str:
        """What must stay on one side of a split: the story, or all copies of one text."""
        if self.parallel_group:
            return f"story:{self.parallel_group}"
        seen = " ".join(unicodedata.normalize("NFC", self.text or "").casefold().split())
        return "text:" + _digest([seen, [m.sha256 or m.path for m in self.media]])


def split_of(group: str) -> Split:
    """Train, dev or test for a group, 80/10/10 by its hash: the same answer for ever.

    >>> split_of("story:chips-01") == split_of("story:chips-01")
    True
    """
    bucket = int(hashlib.sha256(group.encode("utf-8", "surrogatepass")).hexdigest()[:8], 16) % 100
    return "train" if bucket < 80 else "dev" if bucket < 90 else "test"


def sample_to_dict(sample: Sample) -> dict[str, Any]:
    """The sample as one line of Argus JSONL; empty parts are left out, `events` where unlabelled."""
    out: dict[str, Any] = {
        "id": sample.id,
        "language": sample.language,
        "modality": sample.modality,
        "text": sample.text,
    }
    if sample.media:
        out["media"] = [
            {**m.meta, "id": m.id, "kind": m.kind, "path": m.path, "sha256": m.sha256}
            for m in sample.media
        ]
    source = {
        "url": sample.source.url,
        "name": sample.source.name,
        "licence": sample.source.licence,
        "published": sample.source.published,
    }
    source = {k: v for k, v in source.items() if v is not None} | dict(sample.source.meta)
    if source:
        out["source"] = source
    for key in ("parallel_group", "split"):
        if getattr(sample, key) is not None:
            out[key] = getattr(sample, key)
    if sample.meta:
        out["meta"] = dict(sample.meta)
    if sample.events is not None:
        out["events"] = [event_to_dict(e) for e in sample.events]
    return out


def _digest(value: object) -> str:
    text = json.dumps(value, ensure_ascii=True, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
