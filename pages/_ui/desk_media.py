"""A sample's media as the workbench is given them: what each is, how far it is, links to its parts.

What is large comes later and only for what is on the screen: pages, tiles and words, by `side_data`.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Protocol

from core.errors import InputError
from core.media_records import TO_PREPARE, MediaFile, SampleMedia
from core.records import JobRecord
from core.samples import MEDIA_KINDS, PICTURE_KINDS
from pages._ui.catalogue import t
from pages._ui.desk_clips import clip_data
from storage.home import Home
from storage.media import languages_of
from storage.store import Store
from train import media_parts as parts
from train.media import MOST_VIEWS, prepare_media, remake_parts, words_of
from train.media_links import link_to
from train.queue import worker_is_alive
from train.services import Services

_Json = dict[str, Any]


def media_data(home: Home | None, store: Store, key: int, *, person: str) -> list[_Json]:
    """The media of a sample in their order; without a `home` nobody can sign links, and none are there."""
    return [medium_data(home, store, one, person=person) for one in store.media.of(key)]


def medium_data(home: Home | None, store: Store, medium: SampleMedia, *, person: str) -> _Json:
    """One medium: `state` is ready, new, failed or missing; the last two have a `problem`."""
    file, media = medium.file, medium.media
    name = media.path.rsplit("/", 1)[-1] or media.id
    found: _Json = {"id": media.id, "kind": media.kind, "name": name}
    if file is None:
        return found | {"state": "missing", "problem": medium.problem}
    if file.medium in MEDIA_KINDS:
        found["kind"] = file.medium
    state = file.state if file.state in ("ready", "failed") else "new"
    found |= {
        "state": state, "problem": file.problem, "notes": dict(file.notes),
        "width": file.width, "height": file.height, "pages": file.pages,
    }  # fmt: skip
    if home is None or state == "failed":
        return found
    if file.medium in PICTURE_KINDS:
        return found | _picture_links(home, file, person)
    return found | clip_data(home, store.media.files, file, person=person)


def preparing_data(services: Services, collection_id: int, key: int) -> _Json:
    """How the open sample's media are getting ready; what waits is asked for, this sample first.

    `state` is none, queued, running, failed or cancelled."""
    files = [one.file for one in services.store.media.of(key) if one.file]
    if not any(file.state in TO_PREPARE for file in files):
        return {"state": "none"}
    job_id = prepare_media(services, collection_id, first=key)
    if job_id is None:
        return {"state": "none"}
    found = _job_data(services, services.store.jobs.get(job_id))
    return found | {"stand": [file.state for file in files]}


class Asked(Protocol):
    """What is asked for of a medium: a page or the words on it, or tiles (level, column, row)."""

    act: Any
    media: str
    page: int
    tiles: list[tuple[int, int, int]]


def part_data(services: Services, key: int, asked: Asked, *, person: str) -> _Json:
    """A page's link, its words, or the links of tiles; raises `InputError` for no medium of the sample."""
    file = _file_of(services, key, asked.media)
    if asked.act == "tiles":
        links = [
            [*tile, link_to(services.home, person, file.sha256, parts.tile(0, *tile).key)]
            for tile in asked.tiles
            if min(tile) >= 0
        ]
        return {"media": asked.media, "links": links}
    about = {"media": asked.media, "page": asked.page}
    if asked.act == "page" and asked.page >= MOST_VIEWS:
        return about | {"link": None, "problem": t("media.error.page", n=MOST_VIEWS)}
    if asked.act == "page":
        link = link_to(services.home, person, file.sha256, parts.view(asked.page).key)
        return about | {"link": link}
    return about | _page_words(services, key, file, asked.page)


def try_again(services: Services, key: int, medium: str) -> None:
    """Let the worker make a medium of the sample ready that failed; raises `InputError` for none."""
    file = _file_of(services, key, medium)
    if file.state == "failed":
        remake_parts(services, file.sha256)


# ---------------------------------------------------------------- private


def _file_of(services: Services, key: int, medium: str) -> MediaFile:
    found = next((m for m in services.store.media.of(key) if m.media.id == medium), None)
    if found is None or found.file is None:
        raise InputError(t("media.error.none", media=medium))
    return found.file


def _page_words(services: Services, key: int, file: MediaFile, page: int) -> _Json:
    """The words of a page and the piece of the text that they stand in; `from` is where it begins."""
    languages = languages_of(services.store.samples.get(key).sample)
    placed = words_of(services.store.media.files, file, languages)
    words = [word for word in placed.words if word.page == page] if placed else []
    if placed is None or not words:
        return {"from": 0, "text": "", "words": [], "note": file.notes.get("words", "")}
    begin, end = min(w.start for w in words), max(w.end for w in words)
    return {
        "from": begin, "text": placed.text[begin:end], "note": "",
        "words": [[w.start, w.end, *w.box] for w in words],
    }  # fmt: skip


def _picture_links(home: Home, file: MediaFile, person: str) -> _Json:
    """The thumbnail and the first page; the level that has every pixel where tiles were cut."""
    if file.state == "new":
        return {}
    found: _Json = {"thumbnail": link_to(home, person, file.sha256, parts.thumbnail().key)}
    if file.state == "ready":
        found["view"] = link_to(home, person, file.sha256, parts.view(0).key)
        found["tiled"] = (
            file.medium == "image" and max(file.width or 0, file.height or 0) > parts.VIEW_PIXELS
        )
    return found


def _job_data(services: Services, job: JobRecord) -> _Json:
    elapsed = (datetime.now(job.created.tzinfo) - job.created).total_seconds()
    return {
        "state": job.state, "job": job.id, "done": job.done, "total": job.total,
        "worker": worker_is_alive(services), "elapsed": elapsed, "message": job.message,
    }  # fmt: skip
