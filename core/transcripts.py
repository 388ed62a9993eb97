"""What is said in a clip, as the text of its sample: a span of it is also a range of the clip.

The times are kept in the sample's meta as `transcript`: {media, spans: [start, end, from, to]}, code
points and seconds, ends exclusive, so that they go along with the sample wherever it goes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from core.formats.subtitles import Cue, TimedSpan, Transcript, transcript_of
from core.samples import Sample


def with_transcript(sample: Sample, cues: Sequence[Cue], media: str) -> Sample:
    """The sample with the cues as its text, if it has none of its own."""
    if sample.text is not None or not cues:
        return sample
    made = transcript_of(cues)
    spans = [[s.start, s.end, s.from_time, s.to_time] for s in made.spans]
    meta = {**sample.meta, "transcript": {"media": media, "spans": spans}}
    return replace(sample, text=made.text, meta=meta)


def transcript_in(sample: Sample) -> tuple[str, Transcript] | None:
    """The medium and the transcript that a sample's text is, None where it is no transcript."""
    kept: Any = sample.meta.get("transcript")
    try:
        spans = tuple(TimedSpan(int(a), int(b), float(s), float(e)) for a, b, s, e in kept["spans"])
        media = str(kept["media"])
    except (TypeError, KeyError, ValueError):
        return None
    text = sample.text or ""
    if any(not 0 <= s.start < s.end <= len(text) for s in spans):
        return None
    return media, Transcript(text, spans)
