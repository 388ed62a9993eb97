"""Media made ready for the screen: facts, small pictures, copies that every browser plays, words.

A look (facts and a thumbnail) costs little and comes first, for every file; what takes long follows.
Each part is kept as soon as it is made, so that a worker that is killed makes none of them twice.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from core.errors import MediaError, NotFoundError, SetupError, StorageError
from core.frame_times import FrameIndex, index_from_bytes, index_to_bytes
from core.media_facts import ClipFacts, facts_from_dict, facts_to_dict
from core.media_records import FileToPrepare, MediaFile
from core.placed_words import PlacedText, placed_from_dict, placed_to_dict
from core.ports import Step, share_step
from core.records import JobRecord
from core.samples import PICTURE_KINDS
from storage.media_files import Derived, MediaFiles
from train import media_parts as parts
from train.carrier import put_job
from train.services import Services
from train.watch import watch_job

MOST_VIEWS = 40  # pages of a document that are drawn before anybody asks
SCENE_SECONDS = 1_800  # of a clip whose scene changes are found to the frame; else among key frames


# ---------------------------------------------------------------- asking for it


def prepare_media(
    services: Services, collection_id: int, *, first: int | None = None
) -> int | None:
    """Let the worker make a collection's media ready; returns the job, the one under way if there is
    one, None where nothing waits. `first`: the sample that a person has open goes first."""
    media, jobs = services.store.media, services.store.jobs
    for job in jobs.open("media", collection_id=collection_id):
        if job.cancel_requested:
            continue
        if first is not None:
            asked = [key for key in job.payload.get("first", []) if key != first]
            jobs.change(job.id, {**job.payload, "first": [first, *asked][:20]})
        return job.id
    if not media.count_waiting(collection_id):
        return None
    payload = {"collection": collection_id, "first": [] if first is None else [first]}
    job_id = jobs.add("media", payload)
    put_job(services, job_id, "media")
    return job_id


def prepare_job(services: Services, _warm: object, job: JobRecord) -> str:
    """Make each waiting file of a collection ready; one that cannot be read is told, and the rest go
    on."""
    media, jobs = services.store.media, services.store.jobs
    collection_id = job.payload["collection"]
    worked = job.done + len(job.failures)
    jobs.expect(job.id, worked + media.count_waiting(collection_id))
    step = watch_job(services, job, gives_way=False, counts=True)
    media.files.tidy()
    # all are looked at before one is made ready: `waiting` gives those first
    while True:
        first = jobs.get(job.id).payload.get("first", [])
        batch = media.waiting(collection_id, first=first)
        if not batch:
            bad = len(jobs.get(job.id).failures)
            return f"{bad} could not be read" if bad else ""
        for waiting in batch:
            step(0.0)
            if jobs.get(job.id).payload.get("first", []) != first:
                break  # a person has opened another sample
            _prepare_one(services, waiting, job, step, in_full=waiting.sample_key in first)


def _prepare_one(
    services: Services, waiting: FileToPrepare, job: JobRecord, step: Step, *, in_full: bool
) -> None:
    """Look at a file, or make the rest of it, and keep what came of it."""
    media, file = services.store.media, waiting.file
    began = time.monotonic()
    try:
        if file.state == "new":
            file = look(media.files, file)
            if not in_full:
                media.keep(file)
                return
        file = make_parts(media.files, file, languages=waiting.languages, step=step)
        media.keep(file, job_id=job.id, seconds=time.monotonic() - began)
        return
    except (MediaError, NotFoundError) as problem:
        message = str(problem)
        _check_room(message)
    except (OSError, ValueError, MemoryError) as problem:  # a file that a library stumbles over
        _check_room(str(problem))
        message = (
            f"{file.name or file.sha256[:12]} cannot be read ({type(problem).__name__}: {problem})"
        )
    failure = {
        "sample": waiting.sample_key, "id": waiting.sample_id, "message": message,
        "file": file.sha256,
    }  # fmt: skip
    failed = replace(file, state="failed", problem=message)
    media.keep(failed, job_id=job.id, failure=failure, seconds=time.monotonic() - began)


def _check_room(message: str) -> None:
    """A full disk is no fault of a file: it ends the job, which goes on once there is room."""
    if "No space left" in message or "Disk quota" in message:
        raise StorageError(
            "the disk is full: what is ready is safe. Free some space, then prepare the media again"
        )


def remake_parts(services: Services, digest: str) -> None:
    """Let the worker make again what was deleted of a file's parts, or all of one that failed."""
    for collection_id in services.store.media.reset(digest):
        prepare_media(services, collection_id)


# ---------------------------------------------------------------- a look


def look(files: MediaFiles, file: MediaFile) -> MediaFile:
    """The facts of a file, and its thumbnail kept; raises `MediaError` where it cannot be used."""
    with files.local(file.sha256) as path:
        return look_at_path(path, file, keep=lambda data: files.put_derived(
            file.sha256, _derived(parts.thumbnail()), data
        ))  # fmt: skip


def look_at_path(path: Path, file: MediaFile, *, keep: Callable[[bytes], None]) -> MediaFile:
    """The same of a file of this machine; `keep` takes the thumbnail's bytes, where there is one."""
    from core.media.kinds import kind_of_file

    name = file.name or path.name
    kind = kind_of_file(path, name=name)
    file = replace(file, form=kind.name, medium=kind.medium, mime=kind.mime, state="looked")
    if kind.medium in PICTURE_KINDS:
        from core.media.pictures import look_at, make_thumbnail

        facts = look_at(path, name=name)
        keep(make_thumbnail(path, name=name, longest=parts.THUMBNAIL_PIXELS))
        return replace(file, width=facts.width, height=facts.height, pages=facts.pages)
    if kind.medium not in ("video", "audio"):
        raise MediaError(
            f"{name} is {kind.medium}, neither a picture nor a clip, a sound or a document: "
            "give the sample's medium another file"
        )
    from core.media.probe import probe

    with _named(path, name):
        clip = probe(path)
    video, audio = clip.video, clip.audio
    mime = kind.mime if clip.kind == kind.medium else kind.mime.replace(kind.medium, clip.kind)
    return replace(
        file, medium=clip.kind, mime=mime, facts=facts_to_dict(clip), duration=clip.duration,
        width=video.width if video else None, height=video.height if video else None,
        rate=float(video.rate) if video else float(audio.rate) if audio else None,
        rotation=video.rotation if video else 0,
    )  # fmt: skip


# ---------------------------------------------------------------- the rest


def make_parts(
    files: MediaFiles, file: MediaFile, *, languages: tuple[str, ...], step: Step | None = None
) -> MediaFile:
    """Make all parts of a file that are not there yet; what one part lacks (a program, a language)
    is a note and no failure."""
    with files.local(file.sha256) as path, _named(path, file.name):
        if file.medium in PICTURE_KINDS:
            notes = _make_pictures(files, file, path, languages, step)
        else:
            notes = _make_clip(files, file, path, step)
    return replace(file, state="ready", problem="", notes=notes)


def make_words(files: MediaFiles, file: MediaFile, *, languages: tuple[str, ...]) -> dict[str, str]:
    """Read the words of a picture or document, unless they are there; notes as `make_parts` has
    them."""
    with files.local(file.sha256) as path, _named(path, file.name):
        return _make_words(files, file, path, languages, None)


def _make_pictures(
    files: MediaFiles,
    file: MediaFile,
    path: Path,
    languages: tuple[str, ...],
    step: Step | None,
) -> dict[str, str]:
    for page in range(min(file.pages or 1, MOST_VIEWS)):
        make_view(files, file, path, page)
        if step:
            step(0.0)
    if file.medium == "image":
        _make_tiles(files, file, path, step)
    return _make_words(files, file, path, languages, step)


def make_view(files: MediaFiles, file: MediaFile, path: Path, page: int) -> None:
    """Draw a page for the screen, unless that is there."""
    from core.media.pictures import encode, read_view

    made = _derived(parts.view(page))
    if not files.has_derived(file.sha256, made):
        image = read_view(path, name=file.name or path.name, page=page, longest=parts.VIEW_PIXELS)
        files.put_derived(file.sha256, made, encode(image))


def _make_tiles(files: MediaFiles, file: MediaFile, path: Path, step: Step | None) -> None:
    """The tiles of the first page of a picture that a view does not show whole."""
    from core.media.pictures import read_picture
    from core.media.tiles import cut_tiles

    if max(file.width or 0, file.height or 0) <= parts.VIEW_PIXELS:
        return
    # the smallest level is cut last: where it is there, all are
    if files.has_derived(file.sha256, _derived(parts.tile(0, 0, 0, 0))):
        return
    for tile in cut_tiles(read_picture(path, name=file.name or path.name)):
        made = _derived(parts.tile(0, tile.level, tile.column, tile.row))
        files.put_derived(file.sha256, made, tile.data)
        if step:
            step(0.0)


def _make_words(
    files: MediaFiles,
    file: MediaFile,
    path: Path,
    languages: tuple[str, ...],
    step: Step | None,
) -> dict[str, str]:
    from core.media.ocr import check_engine, read_words
    from core.placed_words import join_pages

    if not languages:
        return {}
    made = _derived(parts.words(languages))
    if files.has_derived(file.sha256, made):
        return {}
    try:
        check_engine(languages)
    except (SetupError, MediaError) as problem:
        return {"words": str(problem)}
    read = []
    pages = range(min(file.pages or 1, MOST_VIEWS)) if file.form not in ("GIF", "WebP") else [0]
    for page in pages:
        name = file.name or path.name
        try:
            read.append(read_words(path, languages=languages, name=name, page=page))
        except MediaError as problem:  # what is not read can still be looked at
            _check_room(str(problem))
            return {"words": str(problem)}
        if step:
            step(0.0)
    data = json.dumps(placed_to_dict(join_pages(read)), ensure_ascii=False).encode()
    files.put_derived(file.sha256, made, data)
    return {}


def _make_clip(files: MediaFiles, file: MediaFile, path: Path, step: Step | None) -> dict[str, str]:
    from core.media.clips import make_proxy
    from core.media.waveform import read_waveform

    facts = facts_from_dict(file.facts)
    if facts.video:
        _make_frames(files, file, path, facts)
    if step:
        step(0.1)
    made = _derived(parts.waveform())
    if facts.audio and not files.has_derived(file.sha256, made):
        wave = read_waveform(path, facts, on_step=share_step(step, 1, 2, 10))
        outline = {
            "per_second": wave.per_second, "start": wave.start, "low": wave.low.tolist(),
            "high": wave.high.tolist(),
        }  # fmt: skip
        files.put_derived(file.sha256, made, json.dumps(outline).encode())
    made = _derived(parts.proxy(has_pictures=facts.video is not None))
    if not files.has_derived(file.sha256, made):
        with files.making(file.sha256, made) as part:
            make_proxy(
                path, part, facts, height=parts.PROXY_HEIGHT, on_step=share_step(step, 3, 7, 10)
            )
    _make_scenes(files, file, path, facts)
    return {}


def _make_frames(files: MediaFiles, file: MediaFile, path: Path, facts: ClipFacts) -> None:
    """When each frame is shown, the filmstrip, and the first frame as a thumbnail."""
    from PIL import Image

    from core.media.frame_index import read_frame_index
    from core.media.frames import frame_at
    from core.media.overview import make_filmstrip
    from core.media.pictures import encode

    index = frame_index(files, file)
    if index is None:
        index = read_frame_index(path, facts)
        files.put_derived(file.sha256, _derived(parts.frame_times()), index_to_bytes(index))
    if not files.has_derived(file.sha256, _derived(parts.thumbnail())):
        image = Image.fromarray(frame_at(path, facts, index, index.time_of(0)).pixels)
        image.thumbnail((parts.THUMBNAIL_PIXELS, parts.THUMBNAIL_PIXELS))
        files.put_derived(file.sha256, _derived(parts.thumbnail()), encode(image, quality=80))
    if not files.has_derived(file.sha256, _derived(parts.filmstrip_times())):
        strip = make_filmstrip(path, facts, index, count=parts.FILMSTRIP_FRAMES)
        files.put_derived(file.sha256, _derived(parts.filmstrip()), strip.jpeg)
        told = {"times": list(strip.times), "tile": list(strip.tile)}
        files.put_derived(file.sha256, _derived(parts.filmstrip_times()), json.dumps(told).encode())


def _make_scenes(files: MediaFiles, file: MediaFile, path: Path, facts: ClipFacts) -> None:
    """Where the picture changes at once; in a long clip only the key frames are looked at."""
    from core.media.overview import scene_changes

    made = _derived(parts.scenes())
    if facts.video is None or files.has_derived(file.sha256, made):
        return
    changes = scene_changes(path, facts, by_key_frames=facts.duration > SCENE_SECONDS)
    times = json.dumps([change.time for change in changes])
    files.put_derived(file.sha256, made, times.encode())


# ---------------------------------------------------------------- reading what was made


def words_of(files: MediaFiles, file: MediaFile, languages: tuple[str, ...]) -> PlacedText | None:
    """The words in a picture or document, each with its offsets and its box; None before they are
    read."""
    made = _derived(parts.words(languages))
    if not languages or not files.has_derived(file.sha256, made):
        return None
    return placed_from_dict(json.loads(files.read_derived(file.sha256, made)))


def frame_index(files: MediaFiles, file: MediaFile) -> FrameIndex | None:
    """When each frame of a clip is shown; None before that is read."""
    made = _derived(parts.frame_times())
    if not files.has_derived(file.sha256, made):
        return None
    return index_from_bytes(files.read_derived(file.sha256, made))


# ---------------------------------------------------------------- private


def _derived(part: parts.Part) -> Derived:
    if part.derived is None:
        raise NotFoundError("the original is not made of anything")
    return part.derived


@contextmanager
def _named(path: Path, name: str) -> Iterator[None]:
    """Messages call the file by the name that a person knows, not by its hash."""
    try:
        yield
    except MediaError as problem:
        raise MediaError(str(problem).replace(path.name, name or path.name)) from problem
