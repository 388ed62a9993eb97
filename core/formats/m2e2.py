"""M2E2: sentences and pictures of news with one event over both, from three files of the corpus.

The sentences give trigger and arguments by tokens, the pictures give arguments as pixel boxes, and
a table says which sentence and picture tell one event. A picture whose size is not known (its file
is not there) is listed as missing: its boxes are left out, never guessed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from core.boxes import box_of_edges
from core.errors import FileError, LineError, MediaError, shown
from core.events import Argument, Event, Mention
from core.formats.json_lines import LineProblem
from core.samples import Media, Sample

Size = tuple[int, int]


@dataclass(frozen=True, slots=True)
class ReadM2E2:
    """Samples, the pictures that are not there, and what is wrong with single entries."""

    samples: list[Sample]
    missing: list[str]
    problems: list[LineProblem]


def read_m2e2(
    *,
    text: bytes | None = None,
    pictures: bytes | None = None,
    coreference: bytes | None = None,
    sizes: Mapping[str, Size],
) -> ReadM2E2:
    """Read what is given of the corpus; `sizes` are those of the upright pictures that are there.

    A sentence is a sample with the pictures of its article. A picture that tells a sentence's event
    gives it its boxes; one that tells no sentence's event is a sample of its own.
    """
    sentences = _json(text, "the M2E2 text file", list) if text is not None else []
    events = _json(pictures, "the M2E2 picture file", dict) if pictures is not None else {}
    told = _pairs(coreference) if coreference is not None else {}
    problems: list[LineProblem] = []
    missing: dict[str, None] = {}
    samples, used = [], set()
    for number, item in enumerate(sentences, start=1):
        try:
            sample = _sentence(item)
        except LineError as problem:
            problems.append(LineProblem(number, str(problem)))
            continue
        missing |= dict.fromkeys(m.path for m in sample.media if m.path not in sizes)
        for picture, event_type in told.get(sample.id, ()):
            stem = picture.rsplit(".", 1)[0]
            if stem not in events:
                continue
            used.add(stem)
            try:
                sample = _with_picture(sample, picture, event_type, events[stem], sizes)
            except (LineError, MediaError) as problem:
                problems.append(LineProblem(number, f"{sample.id}: {problem}"))
        samples.append(sample)
    for number, (stem, item) in enumerate(events.items(), start=1):
        path = f"{stem}.jpg"
        if path not in sizes:
            missing[path] = None
        elif stem not in used:
            try:
                samples.append(_picture(stem, path, item, sizes[path]))
            except (LineError, MediaError) as problem:
                problems.append(LineProblem(number, f"{path}: {problem}"))
    return ReadM2E2(samples, sorted(missing), problems)


# ---------------------------------------------------------------- sentences


def _sentence(item: Any) -> Sample:
    if not isinstance(item, dict):
        raise LineError(f"a sentence must be an object, not {shown(item)}")
    ident, text, words = item.get("sentence_id"), item.get("sentence"), item.get("words")
    if not (isinstance(ident, str) and isinstance(text, str) and isinstance(words, list)):
        raise LineError("a sentence must have sentence_id, sentence and words")
    places = token_places(text, words)
    kinds = {
        (e.get("start"), e.get("end")): e.get("entity-type")
        for e in item.get("golden-entity-mentions", [])
    }
    events = []
    for event in item.get("golden-event-mentions", []):
        arguments = tuple(
            Argument(str(a.get("role")), _mention(text, a, places, kinds))
            for a in event.get("arguments", [])
        )
        trigger = _mention(text, event["trigger"], places, {})
        events.append(Event(str(event.get("event_type")), trigger, arguments))
    names = [str(n) for n in item.get("image", [])]
    return Sample(
        id=ident,
        language="en",
        modality="mixed" if names else "text",
        text=text,
        media=tuple(Media(f"m{i}", "image", n) for i, n in enumerate(names, start=1)),
        parallel_group=ident.rsplit("_", 1)[0],
        events=tuple(events),
    )


def token_places(text: str, words: Sequence[str]) -> list[tuple[int, int] | None]:
    """Where each token lies in the sentence, in order; None for one that it does not have."""
    places: list[tuple[int, int] | None] = []
    at = 0
    for word in words:
        start = text.find(str(word), at)
        if start < 0:
            places.append(None)
            continue
        at = start + len(str(word))
        places.append((start, at))
    return places


def _mention(
    text: str,
    item: Mapping[str, Any],
    places: Sequence[tuple[int, int] | None],
    kinds: Mapping[Any, Any],
) -> Mention:
    first, last = item.get("start"), item.get("end")
    if not (isinstance(first, int) and isinstance(last, int) and 0 <= first < last <= len(places)):
        raise LineError(
            f"the tokens {shown(first)} to {shown(last)} are outside the sentence, which has "
            f"{len(places)}: correct them"
        )
    kind = kinds.get((first, last))
    begin, end = places[first], places[last - 1]
    if begin is None or end is None:
        return Mention(text=str(item.get("text")), entity_kind=kind)
    return Mention(text=text[begin[0] : end[1]], start=begin[0], end=end[1], entity_kind=kind)


# ---------------------------------------------------------------- pictures


def _picture(stem: str, path: str, item: Any, size: Size) -> Sample:
    event_type = item.get("event_type") if isinstance(item, dict) else None
    if not isinstance(event_type, str):
        raise LineError(f"the picture has no event_type but {shown(event_type)}: correct it")
    return Sample(
        id=stem,
        language="en",
        modality="image",
        text=None,
        media=(Media("m1", "image", path),),
        parallel_group=stem.rsplit("_", 1)[0],
        events=(Event(event_type, None, _boxes(item, "m1", size)),),
    )


def _with_picture(
    sample: Sample, path: str, event_type: str, item: Any, sizes: Mapping[str, Size]
) -> Sample:
    """The sentence with the boxes of a picture in the event that both tell."""
    medium = next((m for m in sample.media if m.path == path), None)
    if medium is None or path not in sizes:
        return sample
    events = list(sample.events or ())
    at = next((i for i, e in enumerate(events) if e.event_type == event_type), None)
    if at is None:
        raise LineError(f"the picture {path} tells {event_type}, which the sentence does not")
    arguments = events[at].arguments + _boxes(item, medium.id, sizes[path])
    events[at] = replace(events[at], arguments=arguments)
    return replace(sample, events=tuple(events))


def _boxes(item: Mapping[str, Any], medium: str, size: Size) -> tuple[Argument, ...]:
    found = []
    for role, boxes in dict(item.get("role") or {}).items():
        for box in boxes:
            right = isinstance(box, list) and len(box) == 5
            if not right or not all(isinstance(v, int | float) for v in box[1:]):
                raise LineError(
                    f"the box of {role} must be [flag, x1, y1, x2, y2], not {shown(box)}"
                )
            # the flag is "0" on a crowd that has one box together
            meta = {"m2e2_flag": box[0]} if box[0] != "1" else {}
            x0, y0, x1, y1 = map(float, box[1:])
            place = box_of_edges(x0, y0, x1, y1, *size)
            found.append(Argument(str(role), Mention(media=medium, box=place, meta=meta)))
    return tuple(found)


# ---------------------------------------------------------------- private


def _json(data: bytes, what: str, kind: type) -> Any:
    try:
        value = json.loads(data)
    except (ValueError, RecursionError) as problem:
        raise FileError(
            f"{what} is not JSON ({problem}): take it from the corpus again"
        ) from problem
    if not isinstance(value, kind):
        raise FileError(f"{what} must be a JSON {'array' if kind is list else 'object'}")
    return value


def _pairs(data: bytes) -> dict[str, list[tuple[str, str]]]:
    """Sentence → pictures with the type of the event that both tell."""
    found: dict[str, list[tuple[str, str]]] = {}
    for line in data.decode("utf-8", "replace").splitlines():
        parts = line.split("\t")
        if len(parts) == 3:
            found.setdefault(parts[0], []).append((parts[1], parts[2].strip()))
    return found
