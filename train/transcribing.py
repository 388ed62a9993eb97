"""What is said in clips, written down by a Whisper model where one is registered.

A transcript is kept beside its clip as cues with the times of their words, once for all samples.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.errors import MediaError, ModelError
from core.formats.subtitles import cues_of_words
from core.media_facts import facts_from_dict
from core.media_records import MediaFile
from core.ports import Step, share_step
from core.records import JobRecord, ModelRecord, SampleFilter
from core.samples import PICTURE_KINDS
from core.transcripts import transcript_in
from train import media_parts as parts
from train.carrier import put_job
from train.reading import looked_at
from train.services import Services, base_location
from train.watch import watch_job

if TYPE_CHECKING:
    from core.models.whisper import Transcriber, Word


_AT_ONCE = 200  # samples looked up at once


@dataclass(frozen=True, slots=True)
class Unheard:
    """A clip that nobody has written down yet, in one of its samples."""

    sample_key: int
    sample_id: str
    language: str
    file: MediaFile


def transcriber(services: Services) -> ModelRecord | None:
    """The model that writes down speech, the one that was registered last; None where there is none."""
    known = [m for m in services.store.models.all() if m.transcribes and m.state != "deleted"]
    return max(known, key=lambda m: m.created, default=None)


def transcribe_later(services: Services, collection_id: int) -> int | None:
    """Let the worker write down a collection's clips; returns the job, the one under way if there is
    one, None where no model hears or nothing waits."""
    if transcriber(services) is None:
        return None
    for job in services.store.jobs.open("transcribe", collection_id=collection_id):
        if not job.cancel_requested:
            return job.id
    if next(_unheard(services, collection_id), None) is None:
        return None
    job_id = services.store.jobs.add("transcribe", {"collection": collection_id})
    put_job(services, job_id, "transcribe")
    return job_id


def transcribe_job(services: Services, _warm: object, job: JobRecord) -> str:
    """Write down each clip of a collection; one that cannot be heard is told, and the rest go on."""
    from core.models.whisper import load_whisper

    model = transcriber(services)
    if model is None:
        raise ModelError("no model that writes down speech is registered: add a Whisper on Models")
    step = watch_job(services, job)
    waiting = list(_unheard(services, job.payload["collection"]))
    if not waiting:
        return ""
    hearing = load_whisper(base_location(services, model))
    failures = []
    for number, one in enumerate(waiting):
        part = share_step(step, number, 1, len(waiting)) or step
        try:
            _write_down(services, one, hearing, model.id, part)
        except (MediaError, OSError) as problem:
            failures.append(f"{one.sample_id}: {problem}")
    done = f"{len(waiting) - len(failures)} of {len(waiting)} clips written down by {model.id}"
    return "; ".join([done, *failures[:5]])


# ---------------------------------------------------------------- private

# What was heard of a clip before its job gave way: up to which second, and the words.
_HALF: dict[tuple[str, str], tuple[float, list[Word]]] = {}


def _write_down(
    services: Services, one: Unheard, hearing: Transcriber, model_id: str, step: Step
) -> None:
    """Hear a clip and keep its transcript; what gave way to other work goes on where it was."""
    from core.media.sound import reading_sound
    from core.models.whisper import RATE

    files, facts = services.store.media.files, facts_from_dict(one.file.facts)
    since, words = _HALF.pop((model_id, one.file.sha256), (0.0, []))
    until = since
    with files.local(one.file.sha256) as path, reading_sound(path, facts, rate=RATE) as read:
        for at in range(0, round(since * RATE), RATE):
            read(min(RATE, round(since * RATE) - at))  # heard before
        try:
            for reach, heard in hearing.transcribe(read, one.language):
                words += [(w, since + start, since + end) for w, start, end in heard]
                until = since + reach
                step(min(1.0, until / facts.duration) if facts.duration else 0.0)
        except BaseException:
            _HALF[model_id, one.file.sha256] = (until, words)
            raise
    cues = [
        {"start": c.start, "end": c.end, "text": c.text, "words": [list(w) for w in c.words]}
        for c in cues_of_words(words)
        if c.text.strip()
    ]
    made = parts.transcript().derived
    if made is not None:
        data = json.dumps({"engine": model_id, "cues": cues}, ensure_ascii=False).encode()
        files.put_derived(one.file.sha256, made, data)


def _unheard(services: Services, collection_id: int) -> Iterator[Unheard]:
    """The clips of a collection with a sound that have no transcript, each once."""
    store, made, seen = services.store, parts.transcript().derived, set()
    clips = [
        ident
        for ident, files in store.media.by_path(collection_id).items()
        if any(
            file.state != "failed" and file.medium not in PICTURE_KINDS for file in files.values()
        )
    ]
    for at in range(0, len(clips), _AT_ONCE):
        wanted = SampleFilter(ids=clips[at : at + _AT_ONCE])
        for record in store.samples.list(wanted, collection_id=collection_id):
            own = transcript_in(record.sample)
            for one in store.media.of(record.key):
                file = one.file
                if file is None or file.sha256 in seen or (own and own[0] == one.media.id):
                    continue
                seen.add(file.sha256)
                if made is None or store.media.files.has_derived(file.sha256, made):
                    continue
                file = looked_at(services, file)
                if file.state not in ("failed", "new") and file.facts.get("audio"):
                    yield Unheard(record.key, record.sample.id, record.sample.language, file)
