"""A clip or sound as the workbench is given it: its times, links to its parts, what is said when."""

from __future__ import annotations

from typing import Any

from core.media_records import MediaFile
from core.samples import Sample
from core.transcripts import transcript_in
from storage.home import Home
from storage.media_files import MediaFiles
from train import media_parts as parts
from train.media_links import link_to


def clip_data(home: Home, files: MediaFiles, file: MediaFile, *, person: str) -> dict[str, Any]:
    """Duration, start and rate in seconds and a second, whether there is sound, and the links that are
    there already. The player's time plus `start` is a time of the clip, as mentions have it."""
    has_sound = bool(file.facts.get("audio"))
    found: dict[str, Any] = {
        "duration": file.duration, "rate": file.rate, "start": file.facts.get("start") or 0.0,
        "sounds": has_sound,
    }  # fmt: skip
    names = ["thumbnail"] if file.medium == "video" and file.state == "looked" else []
    if file.state == "ready":
        names = ["sound"]
        if file.medium == "video":
            names = ["proxy", "thumbnail", "filmstrip", "filmstriptimes", "frames", "scenes"]
        names += ["waveform"] if has_sound else []
        said = parts.transcript().derived
        if has_sound and said and files.has_derived(file.sha256, said):
            names.append("transcript")
    return found | {
        name: link_to(home, person, file.sha256, parts.part_of(name).key) for name in names
    }


def transcript_data(sample: Sample) -> dict[str, Any] | None:
    """When the words of a sample's text are said, where the text is a transcript: {media, spans} with
    spans as [start, end, from, to] in code points and seconds."""
    found = transcript_in(sample)
    if found is None:
        return None
    media, transcript = found
    spans = [[s.start, s.end, s.from_time, s.to_time] for s in transcript.spans]
    return {"media": media, "spans": spans}
