"""One sample from a JSON object, short forms and all; the reverse of `core.samples.sample_to_dict`."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Mapping
from datetime import datetime
from typing import Any, cast

from core.errors import LineError, shown
from core.events import Event, events_from_list
from core.languages import CODES
from core.samples import (
    MEDIA_KINDS,
    MODALITIES,
    SPLITS,
    Media,
    MediaKind,
    Modality,
    Sample,
    Source,
    Split,
)

MAX_NAME = 120  # characters of an event type or role, as a schema file has it
MAX_ID = 500  # characters of an id, so that every database can index it
_KEYS = {
    "id", "language", "modality", "text", "media", "source", "licence", "parallel_group", "split",
    "meta", "events",
}  # fmt: skip
_SOURCE_KEYS = ("url", "name", "licence", "published")
_DATE = re.compile(r"\d{4}(-\d{2})?")


def sample_from_dict(data: Mapping[str, Any], *, check_words: bool = True) -> Sample:
    """Read one sample; raises `LineError` that names the value, what is wrong and the remedy."""
    ident, language = _id(data.get("id")), _language(data.get("language"))
    text = data.get("text")
    media = _media(data.get("media"), data.get("modality"))
    modality = _modality(data.get("modality"), has_media=bool(media))
    _check_text(text, modality, has_media=bool(media))
    source, rest = _source(data.get("source"), data.get("licence"))
    events: tuple[Event, ...] | None = None
    if data.get("events") is not None:
        names = [m.id for m in media]
        events = events_from_list(data["events"], text=text, media=names, check_words=check_words)
        if check_words:
            _check_names(events)
    return Sample(
        id=ident,
        language=language,
        modality=modality,
        text=text,
        media=media,
        source=source,
        parallel_group=_group(data.get("parallel_group")),
        split=_split(data.get("split")),
        meta=_meta(data, rest),
        events=events,
    )


# ---------------------------------------------------------------- private


def _id(value: object) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if value is None:
        raise LineError("there is no id: give each sample an id of its own")
    if not isinstance(value, str) or not value.strip():
        raise LineError(f"the id must be a name or a whole number, not {shown(value)}")
    if len(value) > MAX_ID:
        raise LineError(f"the id {shown(value)} has {len(value)} characters: use at most {MAX_ID}")
    return value


def _language(value: object) -> str:
    if isinstance(value, str) and value in CODES:
        return value
    remedy = "write its code of two small letters, such as en, zh, es, ru, ar or hi"
    if value is None:
        raise LineError(f"there is no language: {remedy}")
    if isinstance(value, str):
        code = re.split("[-_]", value.strip().lower())[0]
        if code in CODES:
            remedy = f"write {code!r}"
    raise LineError(f"the language {shown(value)} is not a code of ISO 639-1: {remedy}")


def _modality(value: object, *, has_media: bool) -> Modality:
    if value in MODALITIES:
        return value
    if value is None and not has_media:
        return "text"
    what = "there is no modality" if value is None else f"the modality {shown(value)} is unknown"
    raise LineError(f"{what}: write one of {', '.join(MODALITIES)}")


def _check_text(text: object, modality: Modality, *, has_media: bool) -> None:
    if text is None:
        if modality == "text":
            raise LineError("there is no text: a sample of the modality 'text' needs one")
        if not has_media:
            raise LineError(
                f"there is neither a text nor media, so a sample of the modality {modality!r} "
                "shows nothing: add one of them"
            )
        return
    if not isinstance(text, str):
        raise LineError(f"the text must be a string or null, not {shown(text)}")
    if not any(_is_visible(char) for char in text):
        remedy = "leave the line out" if modality == "text" else "write null where there is none"
        raise LineError(f"the text is empty ({shown(text)}): {remedy}")


def _is_visible(char: str) -> bool:
    return not char.isspace() and unicodedata.category(char) not in ("Cc", "Cf")


def _media(value: object, modality: object) -> tuple[Media, ...]:
    if value is None:
        return ()
    items = [value] if isinstance(value, dict) else value
    if not isinstance(items, list):
        raise LineError(f"media must be a list of objects, not {shown(value)}")
    media = [_medium(item, f"media[{i}]", i, modality) for i, item in enumerate(items)]
    ids = [m.id for m in media]
    twice = next((ident for ident in ids if ids.count(ident) > 1), None)
    if twice is not None:
        raise LineError(f"the media id {twice!r} is there twice: give each its own")
    return tuple(media)


def _medium(item: object, where: str, position: int, modality: object) -> Media:
    if not isinstance(item, dict):
        raise LineError(f"{where} must be an object, not {shown(item)}")
    ident = item.get("id", f"m{position + 1}")
    if not isinstance(ident, str) or not ident.strip():
        raise LineError(f"{where}.id must be a name such as 'm1', not {shown(ident)}")
    kind = item.get("kind", modality)  # an image sample's medium is an image unless it says so
    if kind not in MEDIA_KINDS:
        raise LineError(f"{where}.kind must be one of {', '.join(MEDIA_KINDS)}, not {shown(kind)}")
    path = item.get("path")
    if not isinstance(path, str) or not path.strip():
        raise LineError(f"{where}.path must be a relative path or a URL, not {shown(path)}")
    digest = item.get("sha256")
    if digest is not None and not (
        isinstance(digest, str) and re.fullmatch("[0-9a-fA-F]{64}", digest)
    ):
        raise LineError(
            f"{where}.sha256 must be 64 hexadecimal digits or null, not {shown(digest)}"
        )
    meta = {k: v for k, v in item.items() if k not in ("id", "kind", "path", "sha256")}
    return Media(ident, cast(MediaKind, kind), path, digest, meta)


def _source(value: object, licence: object) -> tuple[Source, dict[str, Any]]:
    """The source, and a top-level licence that says something else than the source's own."""
    if value is not None and not isinstance(value, dict | str):
        raise LineError(f"source must be an object or a string, not {shown(value)}")
    if licence is not None and not isinstance(licence, str):
        raise LineError(f"licence must be a string, not {shown(licence)}")
    if isinstance(value, str):
        is_address = re.match("https?://", value)
        value = {"url": value} if is_address else {"name": value}
    found: dict[str, Any] = dict(value or {})
    for key in _SOURCE_KEYS:
        if found.get(key) is not None and not isinstance(found[key], str):
            raise LineError(f"source.{key} must be a string or null, not {shown(found[key])}")
    published = found.get("published")
    if published is not None and not _is_date(published):
        raise LineError(
            f"source.published must be a date of ISO 8601 such as 2026-11-03, not {shown(published)}"
        )
    rest: dict[str, Any] = {}
    if licence is not None and found.get("licence") not in (None, licence):
        rest["licence"] = licence
    elif licence is not None:
        found["licence"] = licence
    known = {key: found.pop(key, None) for key in _SOURCE_KEYS}
    return Source(**known, meta=found), rest


def _is_date(text: str) -> bool:
    if _DATE.fullmatch(text):
        return True
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


def _group(value: object) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    raise LineError(f"parallel_group must be a name or null, not {shown(value)}")


def _split(value: object) -> Split | None:
    if value is None or value in SPLITS:
        return value
    raise LineError(f"the split {shown(value)} is unknown: write train, dev, test or null")


def _meta(data: Mapping[str, Any], rest: Mapping[str, Any]) -> dict[str, Any]:
    """`meta` with the unknown keys of the top; one that is in both, and differs, keeps both."""
    value = data.get("meta")
    if value is not None and not isinstance(value, dict):
        raise LineError(f"meta must be an object or null, not {shown(value)}")
    meta = dict(value or {})
    unknown = {k: v for k, v in data.items() if k not in _KEYS} | dict(rest)
    for key, item in unknown.items():
        free = key
        while free in meta and not is_same(meta[free], item):
            free += " (top)"
        meta[free] = item
    return meta


def is_same(a: object, b: object) -> bool:
    """Whether two JSON values are one; 1, 1.0 and true are three."""
    return json.dumps(a, sort_keys=True) == json.dumps(b, sort_keys=True)


def _check_names(events: tuple[Event, ...]) -> None:
    for i, event in enumerate(events):
        names = [("event_type", event.event_type)]
        names += [(f"arguments[{j}].role", a.role) for j, a in enumerate(event.arguments)]
        for where, name in names:
            if name != name.strip():
                raise LineError(
                    f"events[{i}].{where} {shown(name)} begins or ends with a blank: remove it"
                )
            if len(name) > MAX_NAME:
                raise LineError(
                    f"events[{i}].{where} {shown(name)} has {len(name)} characters: "
                    f"use at most {MAX_NAME}"
                )
