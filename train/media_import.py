"""Samples with their media brought in: from JSON lines, a folder, an archive, M2E2, COCO, Label Studio.

Files are taken into the media store first, samples and rows follow in one transaction; what was taken
in for nothing is removed. Missing files are listed, never guessed; a file that cannot be used is told,
and its sample comes in without it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from core.errors import FileError, MediaError
from core.formats.argus_jsonl import ReadFile, read_file
from core.formats.json_lines import LineProblem
from core.formats.subtitles import Cue, read_subtitles
from core.media.kinds import KINDS, kind_of_file
from core.media_records import MediaFile
from core.ports import Step
from core.samples import MEDIA_KINDS, Media, MediaKind, Sample
from core.transcripts import with_transcript
from core.workflow import ImportPreview, ImportResult, import_read, preview_read
from train.media import look_at_path, prepare_media
from train.media_parts import thumbnail
from train.media_sources import Source, open_source, place_of
from train.services import Services

THREADS = min(4, max(2, os.cpu_count() or 1))
_SUBTITLES = (".srt", ".vtt")
_ANY_SIZE = (1_000_000, 1_000_000)  # while a preview only counts boxes
_BY_SUFFIX: dict[str, MediaKind] = {
    **{k.suffix: k.medium for k in KINDS if k.medium in MEDIA_KINDS},
    ".jpeg": "image", ".tiff": "image", ".m4v": "video", ".oga": "audio",
}  # fmt: skip
_M2E2 = ("text_multimedia_event", "image_multimedia_event", "crossmedia_coref")


@dataclass(slots=True)
class _Taken:
    """Files that were taken in, by the name in their source."""

    files: dict[str, MediaFile] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    new: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Read:
    """What a source says: samples, and the file in the source for each path of a medium."""

    read: ReadFile
    places: Mapping[str, str]
    wrong: Mapping[str, str]  # paths that lead nowhere, with the reason


def preview_bundle(
    services: Services,
    path: Path,
    *,
    collection: str,
    name: str | None = None,
    language: str = "en",
) -> ImportPreview:
    """What an import would find, media counted and missing ones listed; changes nothing."""
    source = open_source(path, name=name)
    names = source.names()
    kinds = {n: _guess(n) for n in names}
    files = {n: MediaFile("", 0, medium=kinds[n] or "", width=1, height=1) for n in names}
    found = _read(source, name or path.name, language, files, is_preview=True)
    preview = preview_read(services.store, found.read, collection=collection)
    there = {p for p, place in found.places.items() if source.has(place)}
    missing = sorted(set(found.places) - there)
    return replace(
        preview, media=len(there), missing=missing, refused=sorted(set(found.wrong.values()))
    )


def import_bundle(
    services: Services,
    path: Path,
    *,
    collection: str,
    name: str | None = None,
    language: str = "en",
    extend_schema: bool = False,
    person: str | None = None,
    look: bool = True,
    on_step: Step | None = None,
) -> ImportResult:
    """Import a folder, an archive, or a file with what lies beside it.

    `look`: facts and thumbnails are made here, on several cores; without it the worker makes them.
    """
    source = open_source(path, name=name)
    name = name or path.name
    taken = _Taken()
    media = services.store.media
    try:
        found = _take(services, source, name, language, taken, look=look, on_step=on_step)
        files, problems = _by_path(found, taken)
        result = import_read(
            services.store, found.read, collection=collection, name=name, person=person,
            extend_schema=extend_schema, files=files, problems=problems,
        )  # fmt: skip
        record = services.store.collections.find(result.collection)
        if record is not None:
            later = {
                (sample.id, medium.path): files[medium.path]
                for _, sample in found.read.samples
                for medium in sample.media
                if medium.path in files
            }
            media.attach(record.id, later)
    finally:
        media.forget(taken.new)
    if record is not None and files:
        prepare_media(services, record.id)
    missing = sorted(
        p for p, place in found.places.items() if p in problems and not source.has(place)
    )
    refused = sorted({problems[p] for p in problems if p not in missing})
    return replace(result, media=len(files), missing=missing, refused=refused)


# ---------------------------------------------------------------- what a source says


def _take(
    services: Services,
    source: Source,
    name: str,
    language: str,
    taken: _Taken,
    *,
    look: bool,
    on_step: Step | None,
) -> _Read:
    """Read a source, and take in the files that it needs."""
    names = source.names()
    if _names_itself(names):
        found = _read(source, name, language, {})
        wanted = {place for place in found.places.values() if source.has(place)}
        _take_in(services, source, wanted, found, taken, look=look, on_step=on_step)
        return found
    # M2E2, or plain files: what they are decides on the samples
    wanted = {n for n in names if not _is_text(n)}
    _take_in(services, source, wanted, None, taken, look=look, on_step=on_step)
    return _read(source, name, language, taken.files, refused=taken.refused)


def _names_itself(names: Sequence[str]) -> bool:
    """Whether a file of the source says which media there are: JSON lines, COCO, Label Studio."""
    if _labels(names):
        return not _m2e2(names)
    return len(names) == 1 and not _guess(names[0])


def _labels(names: Iterable[str]) -> list[str]:
    return [n for n in names if n.lower().endswith((".jsonl", ".json"))]


def _m2e2(names: Iterable[str]) -> dict[str, str]:
    found = {}
    for name in names:
        last = PurePosixPath(name).name
        for part in _M2E2:
            if last.startswith(part):
                found[part] = name
    return found if "text_multimedia_event" in found or "image_multimedia_event" in found else {}


def _read(
    source: Source,
    name: str,
    language: str,
    files: Mapping[str, MediaFile],
    *,
    refused: Mapping[str, str] | None = None,
    is_preview: bool = False,
) -> _Read:
    """The samples of a source; `files` are those that are known, by name."""
    names = source.names()
    texts = source.texts()
    if _m2e2(names):
        return _read_m2e2(names, texts, files, is_preview=is_preview)
    if _names_itself(names):
        label = _one_label(names, name)
        data = texts.get(label)
        if data is None:  # JSON lines under another name
            data = b"".join(open_it().read() for _, open_it in source.each({label}))
        read = _read_labels(data, label, language)
        places, wrong = _places(read, str(PurePosixPath(label).parent))
        return _Read(_with_subtitles(read, places, source, texts), places, wrong)
    return _read_files(names, texts, files, refused or {}, language, source)


def _one_label(names: Sequence[str], name: str) -> str:
    labels = _labels(names) or list(names)
    lines = [n for n in labels if n.lower().endswith(".jsonl")]
    if len(lines) == 1:
        return lines[0]
    if len(labels) != 1:
        raise FileError(
            f"{name} holds {len(labels)} files of samples ({', '.join(sorted(labels)[:4])}): "
            "import them one at a time"
        )
    return labels[0]


def _read_labels(data: bytes, name: str, language: str) -> ReadFile:
    """JSON lines, a COCO file or an export of Label Studio, told by how they begin."""
    start = data.lstrip(b"\xef\xbb\xbf \t\r\n")[:1]
    if name.lower().endswith(".json") and start == b"[":
        from core.formats.label_studio import read_tasks

        tasks = read_tasks(data, name=name, language=language)
        return ReadFile(list(enumerate(tasks.samples, 1)), tasks.problems)
    if name.lower().endswith(".json") and b'"annotations"' in data and b'"images"' in data:
        from core.formats.coco import read_coco

        coco = read_coco(data, name=name, language=language)
        return ReadFile(list(enumerate(coco.samples, 1)), coco.problems)
    return read_file(data, name=name)


def _places(read: ReadFile, base: str) -> tuple[dict[str, str], dict[str, str]]:
    """Where each path of a medium leads, and those that may not."""
    places: dict[str, str] = {}
    wrong: dict[str, str] = {}
    for _, sample in read.samples:
        for medium in sample.media:
            try:
                places[medium.path] = place_of(medium.path, "" if base == "." else base)
            except MediaError as problem:
                wrong[medium.path] = str(problem)
    return places, wrong


def _with_subtitles(
    read: ReadFile, places: Mapping[str, str], source: Source, texts: Mapping[str, bytes]
) -> ReadFile:
    """The samples, a transcript that lies beside its clip as the text of one that has none."""
    samples = []
    problems = list(read.problems)
    for line, sample in read.samples:
        made = sample
        for medium in sample.media if sample.text is None else ():
            place = places.get(medium.path)
            if medium.kind not in ("video", "audio") or place is None:
                continue
            cues, wrong = _subtitles_beside(place, sample.language, source, texts)
            problems += [LineProblem(line, message) for message in wrong]
            made = with_transcript(made, cues, medium.id)
        samples.append((line, made))
    return ReadFile(samples, problems, read.repeated)


def _subtitles_beside(
    place: str, language: str, source: Source, texts: Mapping[str, bytes]
) -> tuple[list[Cue], list[str]]:
    stem = place.rsplit(".", 1)[0]
    for suffix in _SUBTITLES:
        for name in (f"{stem}.{language}{suffix}", f"{stem}{suffix}", f"{place}{suffix}"):
            data = texts.get(name)
            if data is None and source.has(name):
                data = b"".join(open_it().read() for _, open_it in source.each({name}))
            if data is None:
                continue
            try:
                cues, problems = read_subtitles(data, name=name)
            except FileError as problem:
                return [], [str(problem)]
            return cues, [f"{name}, line {p.line}: {p.message}" for p in problems]
    return [], []


def _read_m2e2(
    names: Sequence[str],
    texts: Mapping[str, bytes],
    files: Mapping[str, MediaFile],
    *,
    is_preview: bool,
) -> _Read:
    from core.formats.m2e2 import read_m2e2

    parts = _m2e2(names)
    by_name = {PurePosixPath(n).name: n for n in names}
    sizes = {
        last: _ANY_SIZE if is_preview else (file.width or 1, file.height or 1)
        for last, n in by_name.items()
        if (file := files.get(n)) is not None and file.medium == "image"
    }
    found = read_m2e2(
        text=texts.get(parts.get(_M2E2[0], "")), pictures=texts.get(parts.get(_M2E2[1], "")),
        coreference=texts.get(parts.get(_M2E2[2], "")), sizes=sizes,
    )  # fmt: skip
    samples: dict[str, Sample] = {}
    for sample in found.samples:  # a sentence and a picture of an article may have one name
        ident = sample.media[0].path if sample.id in samples and sample.media else sample.id
        samples.setdefault(ident, replace(sample, id=ident))
    paths = {m.path for s in found.samples for m in s.media} | set(found.missing)
    places = {path: by_name.get(path, path) for path in paths}
    return _Read(ReadFile(list(enumerate(samples.values(), 1)), found.problems), places, {})


def _read_files(
    names: Sequence[str],
    texts: Mapping[str, bytes],
    files: Mapping[str, MediaFile],
    refused: Mapping[str, str],
    language: str,
    source: Source,
) -> _Read:
    """A sample a file: its name is the sample's id, subtitles or a text beside it are its text."""
    samples: list[tuple[int, Sample]] = []
    problems: list[LineProblem] = []
    for number, name in enumerate((n for n in names if not _is_text(n)), 1):
        if name in refused:
            problems.append(LineProblem(number, refused[name]))
            continue
        medium = files[name].medium if name in files else ""
        if medium not in MEDIA_KINDS:
            problems.append(LineProblem(number, f"{name} is no picture, clip, sound or document"))
            continue
        kind: MediaKind = medium
        sample = Sample(
            name, language, "image" if kind == "document" else kind, None,
            (Media("m1", kind, name, files[name].sha256 or None),),
        )  # fmt: skip
        if kind in ("video", "audio"):
            cues, wrong = _subtitles_beside(name, language, source, texts)
            problems += [LineProblem(number, message) for message in wrong]
            sample = with_transcript(sample, cues, "m1")
        beside = texts.get(name.rsplit(".", 1)[0] + ".txt")
        if beside is not None and sample.text is None:
            text = beside.decode("utf-8-sig", "replace").strip()
            sample = replace(sample, text=text or None)
        samples.append((number, sample))
    places = {m.path: m.path for _, sample in samples for m in sample.media}
    return _Read(ReadFile(samples, problems), places, {})


def _is_text(name: str) -> bool:
    return name.lower().endswith((*_SUBTITLES, ".txt", ".json", ".jsonl"))


def _guess(name: str) -> MediaKind | None:
    return _BY_SUFFIX.get(PurePosixPath(name).suffix.lower())


# ---------------------------------------------------------------- files into the store


def _take_in(
    services: Services,
    source: Source,
    wanted: set[str],
    found: _Read | None,
    taken: _Taken,
    *,
    look: bool,
    on_step: Step | None,
) -> None:
    """Take files in, and look at each on one of several threads."""
    expected: dict[str, str] = {}
    for _, sample in found.read.samples if found else ():
        for medium in sample.media:
            if medium.sha256 and found and medium.path in found.places:
                expected[found.places[medium.path]] = medium.sha256
    waiting: list[tuple[str, Future[tuple[MediaFile, bool]]]] = []
    store = services.store.media

    def one(name: str, open_it: Callable[[], BinaryIO]) -> tuple[MediaFile, bool]:
        with open_it() as file:
            kept = store.files.put(file, expected=expected.get(name))
        return MediaFile(kept.sha256, kept.bytes, name=PurePosixPath(name).name), kept.is_new

    def looked(file: MediaFile) -> MediaFile:
        known = store.known([file.sha256]).get(file.sha256)
        if known is not None and known.state != "new":
            return known
        with store.files.local(file.sha256) as path:
            if not look:
                kind = kind_of_file(path, name=file.name)
                if kind.medium not in MEDIA_KINDS:
                    raise MediaError(f"{file.name} is {kind.medium}, which no sample can show")
                return replace(file, form=kind.name, medium=kind.medium, mime=kind.mime)
            made = thumbnail().derived
            assert made is not None
            return look_at_path(
                path, file, keep=lambda data: store.files.put_derived(file.sha256, made, data)
            )

    def both(name: str, open_it: Callable[[], BinaryIO]) -> tuple[MediaFile, bool]:
        file, is_new = one(name, open_it)
        if is_new:
            taken.new.append(file.sha256)
        return looked(file), is_new

    with ThreadPoolExecutor(THREADS) as pool:
        try:
            for name, open_it in source.each(wanted):
                if source.at_once:
                    waiting.append((name, pool.submit(both, name, open_it)))
                    continue
                try:
                    file, is_new = one(name, open_it)
                except MediaError as problem:
                    taken.refused[name] = str(problem)
                    continue
                if is_new:
                    taken.new.append(file.sha256)
                waiting.append(
                    (name, pool.submit(lambda f=file, n=is_new: (looked(f), n)))  # type: ignore[misc]
                )
            for done, (name, future) in enumerate(waiting, 1):
                try:
                    taken.files[name] = future.result()[0]
                except MediaError as problem:
                    taken.refused[name] = str(problem)
                if on_step:
                    on_step(done / len(waiting))
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def _by_path(found: _Read, taken: _Taken) -> tuple[dict[str, MediaFile], dict[str, str]]:
    """Files and problems by the path that samples give."""
    files: dict[str, MediaFile] = {}
    problems = dict(found.wrong)
    for path, place in found.places.items():
        if place in taken.files:
            files[path] = taken.files[place]
        elif place in taken.refused:
            problems[path] = taken.refused[place]
        else:
            problems[path] = (
                f"the file {path} was not there when this was imported: import it again with its media"
            )
    return files, problems
