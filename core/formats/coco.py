"""COCO boxes: pictures, categories and annotations in pixels, from and to samples.

An event's type is the category of its trigger's box, `type.role` that of an argument's. A file that
Argus wrote says in each annotation's `argus` which event it belongs to, so boxes come back as they
were; in a file of others every box is an event of its category.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from core.boxes import box_of_edges
from core.errors import FileError, LineError, MediaError, shown
from core.events import Argument, Event, Mention
from core.formats.json_lines import LineProblem
from core.samples import Media, Sample

Size = tuple[int, int]
_KNOWN = {"id", "image_id", "category_id", "bbox", "argus"}


@dataclass(frozen=True, slots=True)
class ReadCoco:
    """Samples, one a picture, and what is wrong; a problem's `line` is the annotation's place."""

    samples: list[Sample]
    problems: list[LineProblem]


@dataclass(frozen=True, slots=True)
class WrittenCoco:
    """The file, and what COCO cannot say or what lacks its size, one sentence each."""

    data: bytes
    left_out: list[str]


def read_coco(data: bytes, *, name: str, language: str = "en") -> ReadCoco:
    """Read a COCO file; a box that cannot be used becomes a problem and the others are read."""
    whole = _parse(data, name)
    categories = {c.get("id"): str(c.get("name")) for c in _dicts(whole, "categories", name)}
    images = {i.get("id"): i for i in _dicts(whole, "images", name)}
    found: dict[Any, list[tuple[dict[str, Any], Mention, str]]] = {key: [] for key in images}
    problems = []
    for number, item in enumerate(_dicts(whole, "annotations", name), start=1):
        try:
            image = images.get(item.get("image_id"))
            category = categories.get(item.get("category_id"))
            if image is None or category is None:
                what = "image_id" if image is None else "category_id"
                raise LineError(
                    f"annotations[{number - 1}].{what} is {shown(item.get(what))}, which the file "
                    f"does not list: add it to {'images' if image is None else 'categories'}"
                )
            mention = _mention(item, image, number)
            found[item["image_id"]].append((item, mention, category))
        except (LineError, MediaError) as problem:
            problems.append(LineProblem(number, str(problem)))
    samples: dict[str, Sample] = {}
    for number, (key, image) in enumerate(images.items(), start=1):
        path = image.get("file_name")
        if not isinstance(path, str) or not path:
            problems.append(LineProblem(number, f"images[{number - 1}] has no file_name: add it"))
            continue
        sample = _sample(path, image, found[key], language)
        if sample.id in samples:
            problems.append(LineProblem(number, f"the picture {path} is listed twice: keep one"))
            continue
        samples[sample.id] = sample
    return ReadCoco(list(samples.values()), problems)


def write_coco(samples: Iterable[Sample], *, sizes: Mapping[str, Size]) -> WrittenCoco:
    """The boxes on pictures as one COCO file; `sizes` are the upright pictures', by media path."""
    images: dict[tuple[str, str, int | None], dict[str, Any]] = {}
    categories: dict[str, dict[str, Any]] = {}
    annotations: list[dict[str, Any]] = []
    left_out = []
    for sample in samples:
        media = {m.id: m for m in sample.media}
        for medium in sample.media:
            if medium.kind == "image" and medium.path in sizes:
                _image(images, sample, medium, None, sizes)
        for number, event in enumerate(sample.events or ()):
            for role, mention in _placed(event):
                medium_ = media.get(mention.media or "")
                if mention.box is None or mention.keyframes or mention.range or medium_ is None:
                    left_out.append(f"{sample.id}: {role or 'trigger'} is no box on a picture")
                    continue
                if medium_.path not in sizes:
                    left_out.append(f"{sample.id}: the size of {medium_.path} is not known")
                    continue
                image = _image(images, sample, medium_, mention.page, sizes)
                label = event.event_type + (f".{role}" if role else "")
                category = categories.setdefault(
                    label,
                    {"id": len(categories) + 1, "name": label, "supercategory": event.event_type},
                )
                width, height = sizes[medium_.path]
                x, y, w, h = mention.box
                bbox = [round(v, 6) for v in (x * width, y * height, w * width, h * height)]
                annotations.append(
                    {
                        "id": len(annotations) + 1, "image_id": image["id"],
                        "category_id": category["id"], "bbox": bbox,
                        "area": round(bbox[2] * bbox[3], 6), "iscrowd": 0, "segmentation": [],
                        "argus": {"event": number, "event_type": event.event_type, "role": role,
                                  "text": mention.text, "kind": mention.entity_kind},
                    }
                )  # fmt: skip
    whole = {
        "info": {"description": "Boxes of events, written by Argus"},
        "images": list(images.values()),
        "annotations": annotations,
        "categories": list(categories.values()),
    }
    return WrittenCoco(json.dumps(whole, ensure_ascii=False, indent=1).encode(), left_out)


# ---------------------------------------------------------------- reading


def _parse(data: bytes, name: str) -> dict[str, Any]:
    try:
        whole = json.loads(data)
    except (ValueError, RecursionError) as problem:
        raise FileError(f"{name} is not JSON ({problem}): export it as COCO again") from problem
    if not isinstance(whole, dict) or not isinstance(whole.get("images"), list):
        raise FileError(
            f"{name} is not a COCO file: it must be one object with images, annotations, categories"
        )
    return whole


def _dicts(whole: Mapping[str, Any], key: str, name: str) -> list[dict[str, Any]]:
    items = whole.get(key, [])
    if not isinstance(items, list) or not all(isinstance(i, dict) for i in items):
        raise FileError(f"{name} is not a COCO file: its `{key}` must be a list of objects")
    return items


def _mention(item: Mapping[str, Any], image: Mapping[str, Any], number: int) -> Mention:
    width, height = image.get("width"), image.get("height")
    if not (isinstance(width, int) and isinstance(height, int) and width > 0 and height > 0):
        raise LineError(
            f"the picture {shown(image.get('file_name'))} has no width and height, so the boxes on "
            "it have no place: add its size in pixels"
        )
    bbox = item.get("bbox")
    right = isinstance(bbox, list) and len(bbox) == 4
    if not right or any(isinstance(v, bool) or not isinstance(v, int | float) for v in bbox or ()):
        raise LineError(
            f"annotations[{number - 1}].bbox must be [x, y, width, height] in pixels, "
            f"not {shown(bbox)}"
        )
    x, y, w, h = map(float, bbox or ())
    told = _argus(item)
    return Mention(
        text=told.get("text"),
        media="m1",
        page=_argus(image).get("page"),
        box=box_of_edges(x, y, x + w, y + h, width, height),
        entity_kind=told.get("kind"),
    )


def _sample(
    path: str,
    image: Mapping[str, Any],
    found: list[tuple[dict[str, Any], Mention, str]],
    language: str,
) -> Sample:
    events: list[Event] = []
    own: dict[int, Event] = {}
    for item, mention, category in found:
        told = _argus(item)
        number, role = told.get("event"), told.get("role")
        if not isinstance(number, int):
            rest = {k: v for k, v in item.items() if k not in _KNOWN}
            events.append(Event(category, mention, meta={"coco": rest} if rest else {}))
            continue
        event = own.setdefault(number, Event(str(told.get("event_type") or category), None))
        if role is None:
            own[number] = Event(event.event_type, mention, event.arguments)
        else:
            arguments = (*event.arguments, Argument(str(role), mention))
            own[number] = Event(event.event_type, event.trigger, arguments)
    told = _argus(image)
    page = told.get("page")
    stem = str(told.get("sample") or PurePosixPath(path.replace("\\", "/")))
    return Sample(
        id=stem if page is None else f"{stem}#{page}",
        language=str(told.get("language") or language),
        modality="image",
        text=None,
        media=(Media("m1", "image", path.replace("\\", "/")),),
        events=(*(own[n] for n in sorted(own)), *events),
    )


def _argus(item: Mapping[str, Any]) -> Mapping[str, Any]:
    told = item.get("argus")
    return told if isinstance(told, dict) else {}


# ---------------------------------------------------------------- writing


def _placed(event: Event) -> list[tuple[str | None, Mention]]:
    found: list[tuple[str | None, Mention]] = [(a.role, a.mention) for a in event.arguments]
    return [(None, event.trigger), *found] if event.trigger else found


def _image(
    images: dict[tuple[str, str, int | None], dict[str, Any]],
    sample: Sample,
    medium: Media,
    page: int | None,
    sizes: Mapping[str, Size],
) -> dict[str, Any]:
    width, height = sizes[medium.path]
    single = len(sample.media) == 1
    return images.setdefault(
        (sample.id, medium.id, page),
        {
            "id": len(images) + 1, "file_name": medium.path, "width": width, "height": height,
            "argus": {"sample": sample.id if single else f"{sample.id}/{medium.id}", "page": page,
                      "language": sample.language},
        },
    )  # fmt: skip
