"""Exports of Label Studio over text, pictures, clips and sounds, read as samples.

An event is a trigger region with the relations that leave it: its type is the region's label, a role
the relation's label. A region without relations is an event of its own. A region that
cannot be used is a problem, and the others are read.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import parse_qs, urlsplit

from core.errors import FileError, LineError, MediaError, shown
from core.events import Argument, Event, Mention
from core.formats.json_lines import LineProblem
from core.formats.label_studio_regions import (
    box_of_value,
    range_of_frames,
    tracks_of_value,
)
from core.samples import PICTURE_KINDS, Media, MediaKind, Modality, Sample

NO_TRIGGER = "no trigger"  # said in the meta of a region that only holds an event's arguments
_SUFFIXES: dict[str, MediaKind] = {
    **dict.fromkeys((".jpg", ".jpeg", ".png", ".webp", ".gif", ".tif", ".tiff", ".bmp"), "image"),
    **dict.fromkeys((".mp4", ".mov", ".webm", ".mkv", ".avi"), "video"),
    **dict.fromkeys((".mp3", ".wav", ".ogg", ".m4a", ".flac"), "audio"),
    ".pdf": "document",
}
_WORDS: tuple[tuple[str, MediaKind], ...] = (
    ("image", "image"), ("img", "image"), ("picture", "image"), ("photo", "image"),
    ("video", "video"), ("clip", "video"), ("audio", "audio"), ("sound", "audio"), ("pdf", "document"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class ReadTasks:
    """Samples, and what is wrong with single tasks or regions; `line` is the task's place, from 1."""

    samples: list[Sample]
    problems: list[LineProblem]


@dataclass(slots=True)
class _Region:
    labels: list[str] = field(default_factory=list)
    mentions: list[Mention] = field(default_factory=list)
    without_trigger: bool = False


def read_tasks(
    data: bytes, *, name: str, language: str = "en", fps: float | None = None
) -> ReadTasks:
    """Read an export; `fps` is the frame rate of clips whose task does not say it."""
    tasks = _tasks(data, name)
    samples: dict[str, Sample] = {}
    problems: list[LineProblem] = []
    for number, task in enumerate(tasks, start=1):

        def say(what: str, number: int = number) -> None:
            problems.append(LineProblem(number, what))

        try:
            sample = _sample(task, number, language, fps, say)
        except (LineError, MediaError) as problem:
            say(str(problem))
            continue
        if sample.id in samples:
            say(f"the id {shown(sample.id)} is on another task already: give each one its own")
            continue
        samples[sample.id] = sample
    return ReadTasks(list(samples.values()), problems)


# ---------------------------------------------------------------- private


def _tasks(data: bytes, name: str) -> list[dict[str, Any]]:
    try:
        whole = json.loads(data)
    except (ValueError, RecursionError) as problem:
        raise FileError(f"{name} is not JSON ({problem}): export it as JSON again") from problem
    if isinstance(whole, dict) and "task" in whole and "annotation" in whole:
        task = dict(whole["task"])  # what a webhook or a model's backend gets
        task["annotations"] = [whole["annotation"]]
        whole = [task]
    tasks = whole if isinstance(whole, list) else [whole]
    if not tasks or not all(
        isinstance(t, dict) and ("data" in t or "annotations" in t) for t in tasks
    ):
        raise FileError(
            f"{name} is no export of Label Studio: export the project as JSON (not JSON_MIN)"
        )
    return tasks


def _sample(
    task: Mapping[str, Any], number: int, language: str, fps: float | None, say: Any
) -> Sample:
    data = task.get("data") if isinstance(task.get("data"), dict) else {}
    assert isinstance(data, dict)
    text = next((v for k, v in data.items() if k.lower() == "text" and isinstance(v, str)), None)
    media = _media(data)
    rate = data.get("fps") or fps
    if isinstance(rate, bool) or not isinstance(rate, int | float | None) or (rate or 1) <= 0:
        raise LineError(f"data.fps must be frames a second, not {shown(rate)}")
    events: tuple[Event, ...] | None = None
    result = _result(task)
    if result is not None:
        regions = _regions(result, text, media, rate, say)
        events = tuple(_events(regions, result, say))
    if text is None and not media:
        raise LineError("the task has neither a text nor media in its `data`: add one of them")
    told = data.get("lang") or data.get("language")
    return Sample(
        id=str(data.get("id") or task.get("id") or number),
        language=told if isinstance(told, str) and len(told) == 2 else language,
        modality=_modality(text, media),
        text=text,
        media=tuple(media.values()),
        events=events,
    )


def _media(data: Mapping[str, Any]) -> dict[str, Media]:
    found = {}
    for key, value in data.items():
        if not isinstance(value, str) or key.lower() in ("text", "id", "lang", "language"):
            continue
        path = _path(value)
        suffix = PurePosixPath(urlsplit(path).path).suffix.lower()
        kind = _SUFFIXES.get(suffix) or next((k for w, k in _WORDS if w in key.lower()), None)
        if kind is not None:
            found[key] = Media(key, kind, path)
    return found


def _path(value: str) -> str:
    """The file behind a link of Label Studio's own file server."""
    parts = urlsplit(value)
    told = parse_qs(parts.query).get("d")
    return told[0] if told and parts.path.endswith("/local-files/") else value


def _modality(text: str | None, media: Mapping[str, Media]) -> Modality:
    kinds = {m.kind for m in media.values()}
    if not kinds:
        return "text"
    if text is not None or len(kinds) > 1:
        return "mixed"
    kind = kinds.pop()
    return "image" if kind == "document" else kind


def _result(task: Mapping[str, Any]) -> list[dict[str, Any]] | None:
    """The items of the annotation that counts: ground truth, or the newest that was not cancelled."""
    found = [
        a for a in task.get("annotations") or []
        if isinstance(a, dict) and not a.get("was_cancelled") and isinstance(a.get("result"), list)
    ]  # fmt: skip
    if not found:
        return None
    chosen = next((a for a in found if a.get("ground_truth")), found[-1])
    return [i for i in chosen["result"] if isinstance(i, dict)]


def _regions(
    result: list[dict[str, Any]],
    text: str | None,
    media: Mapping[str, Media],
    fps: float | None,
    say: Any,
) -> dict[str, _Region]:
    regions: dict[str, _Region] = {}
    for item in result:
        ident, value = item.get("id"), item.get("value")
        if not isinstance(value, dict) or not isinstance(ident, str):
            continue
        region = regions.setdefault(ident, _Region())
        for key, labels in value.items():
            if key.endswith("labels") and isinstance(labels, list) and labels:
                region.labels = [str(label) for label in labels]
        meta = item.get("meta")
        if isinstance(meta, dict) and NO_TRIGGER in (meta.get("text") or []):
            region.without_trigger = True
        if region.mentions:
            continue
        try:
            region.mentions = _mentions(item, value, text, media, fps)
        except (LineError, MediaError) as problem:
            say(f"region {ident}: {problem}")
    return {k: r for k, r in regions.items() if r.mentions}


def _mentions(
    item: Mapping[str, Any],
    value: Mapping[str, Any],
    text: str | None,
    media: Mapping[str, Media],
    fps: float | None,
) -> list[Mention]:
    if "sequence" in value:
        return tracks_of_value(value, fps=fps, medium=_medium(item, media, "video"))
    if "ranges" in value:
        medium = _medium(item, media, "video")
        if fps is None:
            raise LineError(
                "a timeline counts frames, and the frame rate is not known: put `fps` in the "
                "task's data, or give the frame rate of the clip"
            )
        ranges = [range_of_frames(r["start"], r["end"], fps) for r in value["ranges"]]
        return [Mention(media=medium, range=r) for r in ranges]
    if "width" in value and "height" in value:
        wide, high = item.get("original_width"), item.get("original_height")
        aspect = wide / high if isinstance(wide, int) and isinstance(high, int) and high else 1.0
        page = item.get("item_index")
        return [
            Mention(
                media=_medium(item, media, "image"),
                box=box_of_value(value, aspect=aspect),
                page=page if isinstance(page, int) else None,
            )
        ]
    start, end = value.get("start"), value.get("end")
    if isinstance(start, int | float) and isinstance(end, int | float):
        if "text" not in value and any(m.kind == "audio" for m in media.values()):
            return [Mention(media=_medium(item, media, "audio"), range=(float(start), float(end)))]
        return [_span(text, int(start), int(end), value.get("text"))]
    return []


def _span(text: str | None, start: int, end: int, words: Any) -> Mention:
    """A span by code points; where its words say so, offsets were counted as a browser counts."""
    if text is None:
        raise LineError("a text region on a task without a text")
    if 0 <= start < end <= len(text) and words in (None, text[start:end]):
        return Mention(text=text[start:end], start=start, end=end)
    units = text.encode("utf-16-le")
    if 0 <= start < end <= len(units) // 2:
        before = units[: start * 2].decode("utf-16-le", "ignore")
        inside = units[start * 2 : end * 2].decode("utf-16-le", "ignore")
        if inside == words:
            return Mention(text=inside, start=len(before), end=len(before) + len(inside))
    if isinstance(words, str) and words:
        return Mention(text=words)  # the words stay, their place is not known
    raise LineError(f"the span {start}–{end} is outside the text, which has {len(text)} characters")


def _medium(item: Mapping[str, Any], media: Mapping[str, Media], kind: MediaKind) -> str:
    for key in (item.get("to_name"), str(item.get("source", "")).removeprefix("$")):
        if key in media:
            return str(key)
    wanted = PICTURE_KINDS if kind == "image" else (kind,)
    found = [key for key, m in media.items() if m.kind in wanted]
    if not found:
        raise LineError(
            f"it lies on {shown(item.get('to_name'))}, and the task's data name no {kind}"
        )
    return found[0]


def _events(regions: Mapping[str, _Region], result: list[dict[str, Any]], say: Any) -> list[Event]:
    relations: dict[str, list[tuple[str, str]]] = {}
    targets = set()
    for item in result:
        if item.get("type") != "relation":
            continue
        start, end = str(item.get("from_id")), str(item.get("to_id"))
        if item.get("direction") == "left":
            start, end = end, start
        if start not in regions or end not in regions:
            say(f"a relation joins {start} and {end}, and one of them is no region that was read")
            continue
        labels = item.get("labels") or regions[end].labels
        relations.setdefault(start, []).append((str(labels[0]) if labels else "argument", end))
        targets.add(end)
    events = []
    for ident, region in regions.items():
        if ident in targets and ident not in relations:
            continue
        if not region.labels:
            say(f"region {ident} has no label, so its event has no type")
            continue
        arguments = tuple(
            Argument(role, mention)
            for role, end in relations.get(ident, ())
            for mention in regions[end].mentions
        )
        first, *others = region.mentions
        events.append(Event(region.labels[0], None if region.without_trigger else first, arguments))
        events += [Event(region.labels[0], mention) for mention in others]
    return events
