"""Samples as tasks of Label Studio, with the configuration that takes them in.

An event is its trigger's region and a relation to each argument's, the role its label. What Label
Studio cannot hold is left out and said.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any
from xml.sax.saxutils import quoteattr

from core.errors import LineError
from core.events import Event, Mention
from core.formats.label_studio import NO_TRIGGER
from core.formats.label_studio_regions import frames_of_range, value_of_box, value_of_track
from core.samples import PICTURE_KINDS, Media, MediaKind, Sample

_TAGS = {"image": "Image", "document": "Image", "video": "Video", "audio": "Audio"}


@dataclass(frozen=True, slots=True)
class WrittenTasks:
    """The file, and what Label Studio cannot hold, one sentence each."""

    data: bytes
    left_out: list[str]


def write_tasks(
    samples: Iterable[Sample],
    *,
    fps: Mapping[str, float] | None = None,
    frames: Mapping[str, int] | None = None,
) -> WrittenTasks:
    """Tasks with annotations; `fps` and `frames` of clips by media path, for those with ranges."""
    left_out: list[str] = []
    tasks = []
    for sample in samples:
        data: dict[str, Any] = {"id": sample.id, "lang": sample.language}
        if sample.text is not None:
            data["text"] = sample.text
        data |= {m.id: m.path for m in sample.media}
        rates = [(fps or {})[m.path] for m in sample.media if m.path in (fps or {})]
        if rates:
            data["fps"] = rates[0]
        task: dict[str, Any] = {"data": data}
        if sample.events is not None:
            items = []
            for number, event in enumerate(sample.events):
                items += _items(sample, number, event, fps or {}, frames or {}, left_out)
            task["annotations"] = [{"result": items, "ground_truth": False, "was_cancelled": False}]
        tasks.append(task)
    return WrittenTasks(json.dumps(tasks, ensure_ascii=False, indent=1).encode(), left_out)


def write_config(samples: Iterable[Sample]) -> str:
    """The labelling configuration that Label Studio needs before it takes these tasks in."""
    kinds: dict[str, MediaKind] = {}
    labels: dict[str, None] = {}
    roles: dict[str, None] = {}
    has_text = False
    for sample in samples:
        has_text = has_text or sample.text is not None
        kinds |= {m.id: m.kind for m in sample.media}
        for event in sample.events or ():
            labels[event.event_type] = None
            roles |= dict.fromkeys(a.role for a in event.arguments)
    inner = "".join(f"<Label value={quoteattr(v)}/>" for v in [*labels, *roles])
    parts = ["<View>"]
    if has_text:
        parts.append(f'<Labels name="span" toName="text">{inner}</Labels>')
        parts.append('<Text name="text" value="$text" granularity="symbol"/>')
    for medium, kind in kinds.items():
        if kind in PICTURE_KINDS:
            tag = "RectangleLabels"
            parts.append(f'<{tag} name="box-{medium}" toName="{medium}">{inner}</{tag}>')
        elif kind == "video":
            parts.append(
                f'<TimelineLabels name="time-{medium}" toName="{medium}">{inner}</TimelineLabels>'
            )
            parts.append(f'<Labels name="label-{medium}" toName="{medium}">{inner}</Labels>')
            parts.append(f'<VideoRectangle name="track-{medium}" toName="{medium}"/>')
        else:
            parts.append(f'<Labels name="time-{medium}" toName="{medium}">{inner}</Labels>')
        rate = ' framerate="$fps"' if kind == "video" else ""
        parts.append(f'<{_TAGS[kind]} name="{medium}" value="${medium}"{rate}/>')
    relations = "".join(f"<Relation value={quoteattr(r)}/>" for r in roles)
    return "\n".join([*parts, f"<Relations>{relations}</Relations>", "</View>"])


# ---------------------------------------------------------------- private


def _items(
    sample: Sample,
    number: int,
    event: Event,
    fps: Mapping[str, float],
    frames: Mapping[str, int],
    left_out: list[str],
) -> list[dict[str, Any]]:
    media = {m.id: m for m in sample.media}

    def region(ident: str, mention: Mention, label: str) -> list[dict[str, Any]]:
        try:
            return _region_items(ident, mention, label, media, fps, frames)
        except LineError as problem:
            left_out.append(f"{sample.id}: {label}: {problem}")
            return []

    trigger = event.trigger
    first = f"e{number}"
    items = region(first, trigger, event.event_type) if trigger else []
    if not items:
        items = _stand_in(sample, first, event.event_type)
        if not items:
            left_out.append(f"{sample.id}: {event.event_type} has no trigger that can be shown")
            return []
    for place, argument in enumerate(event.arguments):
        ident = f"{first}a{place}"
        found = region(ident, argument.mention, argument.role)
        if found:
            items += found
            items.append(
                {"type": "relation", "from_id": first, "to_id": ident, "direction": "right",
                 "labels": [argument.role]}
            )  # fmt: skip
    return items


def _stand_in(sample: Sample, ident: str, label: str) -> list[dict[str, Any]]:
    """A region for an event without a trigger: the whole picture, or the whole text."""
    whole = next((m for m in sample.media if m.kind in PICTURE_KINDS), None)
    if whole is not None:
        mention = Mention(media=whole.id, box=(0, 0, 1, 1))
    elif sample.text:
        mention = Mention(text=sample.text, start=0, end=len(sample.text))
    else:
        return []
    media = {m.id: m for m in sample.media}
    return [
        item | {"meta": {"text": [NO_TRIGGER]}}
        for item in _region_items(ident, mention, label, media, {}, {})
    ]


def _region_items(
    ident: str,
    mention: Mention,
    label: str,
    media: Mapping[str, Media],
    fps: Mapping[str, float],
    frames: Mapping[str, int],
) -> list[dict[str, Any]]:
    base: dict[str, Any] = {"id": ident, "origin": "manual"}
    medium = media.get(mention.media or "")
    if mention.start is not None and medium is None:
        value: dict[str, Any] = {
            "start": mention.start, "end": mention.end, "text": mention.text, "labels": [label],
        }  # fmt: skip
        return [base | {"from_name": "span", "to_name": "text", "type": "labels", "value": value}]
    if medium is None or (mention.box is None and mention.range is None):
        raise LineError("its words have no place that Label Studio can show")
    base["to_name"] = medium.id
    if mention.box is not None and mention.range is None:
        value = {**value_of_box(mention.box), "rectanglelabels": [label]}
        item = base | {"from_name": f"box-{medium.id}", "type": "rectanglelabels", "value": value}
        return [item if mention.page is None else item | {"item_index": mention.page}]
    assert mention.range is not None
    if medium.kind == "audio":
        value = {
            "start": mention.range[0],
            "end": mention.range[1],
            "channel": 0,
            "labels": [label],
        }
        return [base | {"from_name": f"time-{medium.id}", "type": "labels", "value": value}]
    rate = fps.get(medium.path)
    if rate is None:
        raise LineError(f"the frame rate of {medium.path} is not known")
    if mention.box is not None and not mention.keyframes:
        mention = replace(mention, keyframes=((mention.range[0], *mention.box),))
    if mention.keyframes:
        value = value_of_track(mention, fps=rate, frames=frames.get(medium.path))
        value["labels"] = [label]
        return [
            base | {"from_name": f"track-{medium.id}", "type": "videorectangle", "value": value}
        ]
    assert mention.range is not None
    begin, finish = mention.range
    start, end = frames_of_range(begin, finish, rate)
    value = {"ranges": [{"start": start, "end": end}], "timelinelabels": [label]}
    return [base | {"from_name": f"time-{medium.id}", "type": "timelinelabels", "value": value}]
