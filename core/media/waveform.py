"""The outline of a sound, for drawing: how far it swings in each small piece of time."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.errors import MediaError
from core.media.ffmpeg import opened, running, time_for
from core.media_facts import ClipFacts
from core.ports import Step

_RATE = 8000  # samples a second are enough for an outline
_MOST_PEAKS = 200_000
_CHUNK_SECONDS = 10


@dataclass(frozen=True, slots=True, eq=False)
class Waveform:
    """The lowest and the highest swing of each piece, -127 to 127; the first begins at `start`."""

    per_second: int
    low: NDArray[np.int8]
    high: NDArray[np.int8]
    start: float = 0.0


def read_waveform(
    path: Path, facts: ClipFacts, *, per_second: int = 50, on_step: Step | None = None
) -> Waveform:
    """The outline of a clip's sound, all channels as one; long clips get fewer pieces a second.

    The sound is read in a stream. Silence before it begins, and gaps in it, are drawn as silence.
    """
    if facts.audio is None:
        raise MediaError(f"{path.name} has no sound: there is no waveform to draw")
    rates = [rate for rate in (50, 40, 25, 20, 10, 8, 5, 4, 2, 1) if rate <= per_second]
    fits = [rate for rate in rates if rate * facts.duration <= _MOST_PEAKS]
    each = _RATE // (fits or [1])[0]  # every rate divides the samples of a second
    stream = (
        opened(path, copyts=None)[str(facts.audio.stream)]
        .filter("asetpts", f"PTS-{facts.start}/TB")
        .filter("aresample", _RATE, **{"async": 1, "first_pts": 0})
    )
    output = stream.output("pipe:", f="s16le", ac=1)
    lows, highs = [], []
    done = 0
    with running(output, of=path, seconds=time_for(facts)) as stdout:
        while data := stdout.read(2 * _RATE * _CHUNK_SECONDS):
            samples = np.frombuffer(data[: len(data) // 2 * 2], dtype="<i2")
            short = -len(samples) % each
            pieces = np.pad(samples, (0, short)).reshape(-1, each) // 258
            lows.append(pieces.min(axis=1).astype(np.int8))
            highs.append(pieces.max(axis=1).astype(np.int8))
            done += _CHUNK_SECONDS
            if on_step and facts.duration:
                on_step(min(1.0, done / facts.duration))
    none = [np.zeros(0, dtype=np.int8)]
    return Waveform(
        _RATE // each, np.concatenate(lows or none), np.concatenate(highs or none), facts.start
    )
