"""What there is to read in a sample's media for a model that reads only text: captions, words, speech.

The words of a picture that nobody has prepared yet are read here and kept, as the worker's preparation
would do it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from core.errors import ArgusError
from core.formats.subtitles import Cue, transcript_of
from core.media_records import TO_PREPARE, MediaFile, SampleMedia
from core.places import Surface
from core.problems import Problem
from core.reading import Part, Reading, join_parts, read_events
from core.samples import PICTURE_KINDS, Sample
from core.transcripts import transcript_in
from storage.media import languages_of
from train import media_parts as parts
from train.media import look, make_words, words_of
from train.services import Services

Reads = Sequence[str]
SHOWN_PAGES = 4  # of a document that a model is shown


@dataclass(frozen=True, slots=True)
class Found:
    """A sample as a model reads it, its media, those that the model sees itself, and what is to say."""

    reading: Reading
    media: tuple[SampleMedia, ...] = ()
    seen: tuple[Surface, ...] = ()
    problems: tuple[Problem, ...] = ()

    @property
    def is_blank(self) -> bool:
        """Whether there is nothing to read and nothing to see."""
        return self.reading.is_blank and not self.seen


def read_samples(
    services: Services,
    collection_id: int,
    samples: Sequence[Sample],
    reads: Reads,
    *,
    make: bool = True,
) -> list[Found]:
    """Each sample as a model that `reads` these modalities is given it, in order. `make`: what nobody
    has prepared yet is read now."""
    asked = [s.id for s in samples if s.media]
    known = services.store.media.of_samples(collection_id, asked) if asked else {}
    return [_read(services, s, known.get(s.id, []), reads, make) for s in samples]


def as_text(services: Services, collection_id: int, samples: Sequence[Sample]) -> list[Sample]:
    """Samples with what has been read in their media behind their text, and their mentions there: what
    a model that reads text learns from is what it will be given."""
    found = read_samples(services, collection_id, samples, ("text",), make=False)
    return [
        replace(f.reading.sample, events=read_events(s.events or (), f.reading)) if s.media else s
        for s, f in zip(samples, found, strict=True)
    ]


def transcript_file(services: Services, digest: str) -> list[Cue] | None:
    """What a model wrote down of a clip, None where none has."""
    files, made = services.store.media.files, parts.transcript().derived
    if made is None or not files.has_derived(digest, made):
        return None
    data = json.loads(files.read_derived(digest, made))
    return [
        Cue(c["start"], c["end"], c["text"], tuple((w[0], w[1], w[2], w[3]) for w in c["words"]))
        for c in data["cues"]
    ]


def looked_at(services: Services, file: MediaFile) -> MediaFile:
    """The file with its facts, found out now where nobody has looked at it, or with the problem."""
    if file.state != "new":
        return file
    try:
        file = look(services.store.media.files, file)
    except (ArgusError, OSError, ValueError) as problem:
        return replace(file, problem=str(problem))  # not kept: preparing it will say so
    services.store.media.keep(file)
    return file


# ---------------------------------------------------------------- private


def _read(
    services: Services, sample: Sample, media: Sequence[SampleMedia], reads: Reads, make: bool
) -> Found:
    found: list[Part] = []
    seen: list[Surface] = []
    problems: list[Problem] = []
    for one in media:
        caption = one.media.meta.get("caption")
        if isinstance(caption, str) and caption.strip():
            found.append(Part(one.media.id, "caption", caption))
        file = looked_at(services, one.file) if one.file and make else one.file
        why = file.problem if file else one.problem
        if file is None or why:
            problems.append(Problem("media_unread", {"media": one.media.id, "why": why}))
            continue
        if file.medium in PICTURE_KINDS and "image" in reads:
            placed = words_of(services.store.media.files, file, languages_of(sample))
            pages = min(file.pages or 1, SHOWN_PAGES) if file.medium == "document" else 1
            seen.append(Surface(one.media.id, one.media.kind, pages, words=placed))
        elif file.medium in PICTURE_KINDS:
            found += _words(services, sample, one, file, problems, make)
        else:
            if file.medium == "video" and "video" in reads:
                seen.append(Surface(one.media.id, "video", duration=file.duration))
            found += _speech(services, sample, one, file, problems)
    reading = join_parts(sample, found)
    if reading.parts:
        problems.insert(0, Problem("read_instead", {"what": reading.what}))
    return Found(reading, tuple(media), tuple(seen), tuple(problems))


def _words(
    services: Services,
    sample: Sample,
    one: SampleMedia,
    file: MediaFile,
    problems: list[Problem],
    make: bool,
) -> Iterator[Part]:
    files, languages = services.store.media.files, languages_of(sample)
    why = file.notes.get("words", "")
    placed = words_of(files, file, languages)
    if make and placed is None and languages and file.state in TO_PREPARE:
        try:
            why = make_words(files, file, languages=languages).get("words", "")
            placed = words_of(files, file, languages)
        except (ArgusError, OSError, ValueError) as problem:
            why = str(problem)
    if placed is not None and placed.text.strip():
        has_pages = one.media.kind == "document" or (file.pages or 1) > 1
        yield Part(one.media.id, "words", placed.text, placed=placed, has_pages=has_pages)
    elif why:
        problems.append(Problem("words_unread", {"media": one.media.id, "why": why}))


def _speech(
    services: Services,
    sample: Sample,
    one: SampleMedia,
    file: MediaFile,
    problems: list[Problem],
) -> Iterator[Part]:
    own = transcript_in(sample)
    if own is not None and own[0] == one.media.id:
        return  # it is the sample's text
    cues = transcript_file(services, file.sha256)
    if cues:
        made = transcript_of(cues)
        yield Part(one.media.id, "transcript", made.text, transcript=made)
    elif cues is None and file.facts.get("audio"):
        problems.append(Problem("no_transcript", {"media": one.media.id}))
