"""The sound of a clip as numbers, in a stream, for a model that hears."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.errors import MediaError
from core.media.ffmpeg import opened, running, time_for
from core.media_facts import ClipFacts

Sound = NDArray[np.float32]


@contextmanager
def reading_sound(path: Path, facts: ClipFacts, *, rate: int) -> Iterator[Callable[[int], Sound]]:
    """A function that gives the next so many samples, all channels as one, -1 to 1; fewer at the end.

    The first is at the clip's time 0, as a player counts: silence before the sound begins is silence.
    """
    if facts.audio is None:
        raise MediaError(f"{path.name} has no sound: there is nothing to write down")
    stream = (
        opened(path, copyts=None)[str(facts.audio.stream)]
        .filter("asetpts", f"PTS-{facts.start}/TB")
        .filter("aresample", rate, **{"async": 1, "first_pts": 0})
    )
    output = stream.output("pipe:", f="s16le", ac=1)
    # a model hears slower than ffmpeg reads: the time is the model's
    with running(output, of=path, seconds=time_for(facts) + 20 * facts.duration) as stdout:

        def read(count: int) -> Sound:
            data = stdout.read(2 * count)
            whole = np.frombuffer(data[: len(data) // 2 * 2], dtype="<i2")
            return (whole / 32_768).astype(np.float32)

        yield read
