"""Reviewed samples written with their media: JSON lines, COCO boxes, Label Studio; crops and clips.

Media lie beside the file under the paths that the samples give, so that what is written imports again
without a difference.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from core.errors import MediaError, StorageError
from core.events import Event, Mention
from core.formats.argus_jsonl import write_line
from core.frame_times import FrameIndex
from core.media_facts import facts_from_dict
from core.media_records import MediaFile
from core.records import CollectionRecord, SampleFilter
from core.samples import PICTURE_KINDS, Media, Sample
from core.workflow import iterate
from storage.files import write_lines
from train.media import frame_index
from train.media_sources import place_of
from train.services import Services

Form = Literal["jsonl", "coco", "label-studio"]
FORMS: tuple[Form, ...] = ("jsonl", "coco", "label-studio")
_UNSAFE = re.compile(r"[^\w.-]+")


@dataclass(slots=True)
class Exported:
    """What was written, and what could not be, one sentence each."""

    samples: int = 0
    media: int = 0
    crops: int = 0
    left_out: list[str] = field(default_factory=list)


def export_samples(
    services: Services,
    collection: CollectionRecord,
    out: Path,
    *,
    form: Form = "jsonl",
    with_media: bool = False,
    with_crops: bool = False,
) -> Exported:
    """Write what is reviewed to `out`; with its media beside it, and with a folder of crops and clips
    of its mentions."""
    done = Exported()
    known = services.store.media.by_path(collection.id)
    folder = out.resolve().parent
    records = iterate(services.store.samples, collection.id, SampleFilter(states=["reviewed"]))
    samples: Iterator[Sample] = (record.sample for record in records)
    if with_media:
        samples = _with_media(services, samples, known, folder, done)
    if with_crops:
        crops = folder / f"{out.stem}-crops"
        samples = _with_crops(services, samples, known, crops, done)
    if form == "jsonl":
        done.samples = write_lines(out, (write_line(sample) + "\n" for sample in samples))
        return done
    whole = list(samples)
    done.samples = len(whole)
    if form == "coco":
        from core.formats.coco import write_coco

        sizes = {
            m.path: (file.width or 0, file.height or 0)
            for sample in whole
            for m, file in _files_of(sample, known)
            if file.width and file.height and file.medium in PICTURE_KINDS
        }
        coco = write_coco(whole, sizes=sizes)
        write_lines(out, [coco.data.decode()])
        done.left_out += coco.left_out
        return done
    from core.formats.label_studio_write import write_config, write_tasks

    clips = [(m.path, f) for s in whole for m, f in _files_of(s, known) if f.medium == "video"]
    rates = {path: f.rate for path, f in clips if f.rate}
    frames = {path: round((f.duration or 0) * f.rate) for path, f in clips if f.rate}
    tasks = write_tasks(whole, fps=rates, frames=frames)
    write_lines(out, [tasks.data.decode()])
    write_lines(out.with_suffix(".xml"), [write_config(whole)])
    done.left_out += tasks.left_out
    return done


# ---------------------------------------------------------------- media beside the file


def _files_of(
    sample: Sample, known: Mapping[str, Mapping[str, MediaFile]]
) -> Iterator[tuple[Media, MediaFile]]:
    for medium in sample.media:
        file = known.get(sample.id, {}).get(medium.path)
        if file is not None:
            yield medium, file


def _with_media(
    services: Services,
    samples: Iterator[Sample],
    known: Mapping[str, Mapping[str, MediaFile]],
    folder: Path,
    done: Exported,
) -> Iterator[Sample]:
    """The samples, each medium written beside them; where two have one path, the second gets one by
    its hash."""
    written: dict[str, str] = {}
    for sample in samples:
        media = []
        for medium in sample.media:
            file = known.get(sample.id, {}).get(medium.path)
            if file is None:
                done.left_out.append(f"{sample.id}: {medium.path} is not in the media store")
                media.append(medium)
                continue
            path = medium.path
            try:
                place = place_of(path, "")
            except MediaError:
                place = ""
            if not place or written.get(place, file.sha256) != file.sha256:
                suffix = (
                    Path(file.name).suffix
                    if re.fullmatch(r"\.\w{1,8}", Path(file.name).suffix)
                    else ""
                )
                place = path = f"media/{file.sha256[:16]}{suffix}"
                done.left_out.append(f"{sample.id}: {medium.path} is written as {path}")
            if place not in written:
                _write_file(services, file, folder, place)
                written[place] = file.sha256
                done.media += 1
            media.append(medium if path == medium.path else replace(medium, path=path))
        yield replace(sample, media=tuple(media))


def _write_file(services: Services, file: MediaFile, folder: Path, place: str) -> None:
    target = folder / place
    if not target.parent.resolve().is_relative_to(folder) or target.is_symlink():
        raise StorageError(f"{target} lies behind a link: choose an empty folder")
    if target.exists():
        with target.open("rb") as there:
            same = hashlib.file_digest(there, "sha256").hexdigest() == file.sha256
        if same:
            return
        raise StorageError(
            f"there is another file at {target} already: nothing was written over it. "
            "Choose an empty folder"
        )
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
    except OSError as problem:
        raise StorageError(
            f"{target.parent} cannot be made ({problem.strerror}): choose another folder"
        ) from problem
    services.store.media.files.copy_to(file.sha256, target)


# ---------------------------------------------------------------- crops and clips


def _with_crops(
    services: Services,
    samples: Iterator[Sample],
    known: Mapping[str, Mapping[str, MediaFile]],
    folder: Path,
    done: Exported,
) -> Iterator[Sample]:
    """The samples, and on the way a crop or a clip of each mention on a medium; `crops.jsonl` lists
    them."""
    lines: list[str] = []
    for sample in samples:
        files = {m.id: file for m, file in _files_of(sample, known)}
        for number, event in enumerate(sample.events or ()):
            for place, (role, mention) in enumerate(_placed(event)):
                file = files.get(mention.media or "")
                if file is None or (mention.box is None and mention.range is None):
                    continue
                stem = _UNSAFE.sub("_", f"{sample.id}-{number + 1}-{place + 1}-{role or 'trigger'}")
                folder.mkdir(parents=True, exist_ok=True)
                try:
                    name = _cut(services, file, mention, folder, stem[:120])
                except MediaError as problem:
                    done.left_out.append(f"{sample.id}: {problem}")
                    continue
                done.crops += 1
                lines.append(_told(sample, event, number, role, mention, name))
        yield sample
    if lines:
        write_lines(folder / "crops.jsonl", lines)


def _placed(event: Event) -> list[tuple[str | None, Mention]]:
    trigger = [(None, event.trigger)] if event.trigger else []
    return [*trigger, *((a.role, a.mention) for a in event.arguments)]


def _cut(services: Services, file: MediaFile, mention: Mention, folder: Path, stem: str) -> str:
    """Write a mention's crop or clip; returns its name."""
    files = services.store.media.files
    with files.local(file.sha256) as path:
        if file.medium in PICTURE_KINDS:
            from core.boxes import WHOLE
            from core.media.pictures import encode, read_view

            image = read_view(
                path, name=file.name, page=mention.page or 0, region=mention.box or WHOLE,
                longest=max(file.width or 0, file.height or 0, 1),
            )  # fmt: skip
            (folder / f"{stem}.jpg").write_bytes(encode(image, quality=92))
            return f"{stem}.jpg"
        from core.media.clips import cut_clip, suffix_of

        facts = facts_from_dict(file.facts)
        start, end = mention.range or (facts.start, facts.start + facts.duration)
        name = stem + suffix_of(facts)
        index: FrameIndex | None = None
        if facts.video:
            from core.media.frame_index import read_frame_index

            index = frame_index(files, file) or read_frame_index(path, facts)
        cut_clip(path, folder / name, facts, start, end, index=index)
        return name


def _told(
    sample: Sample, event: Event, number: int, role: str | None, mention: Mention, name: str
) -> str:
    said: dict[str, Any] = {
        "file": name, "sample": sample.id, "event": number, "event_type": event.event_type,
        "role": role, "text": mention.text, "media": mention.media, "page": mention.page,
        "box": mention.box, "range": mention.range,
    }  # fmt: skip
    kept = {key: value for key, value in said.items() if value is not None}
    return json.dumps(kept, ensure_ascii=False) + "\n"
