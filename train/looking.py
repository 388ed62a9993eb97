"""Pictures for a model that sees: those of a sample, and frames spread over its clips.

They are read when the model comes to the sample, so that only those of one sample are in memory.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from core.errors import ArgusError
from core.media_facts import facts_from_dict
from core.media_records import MediaFile
from core.ports import Shown
from core.problems import Problem
from train.media import frame_index
from train.reading import SHOWN_PAGES, Found
from train.services import Services

PIXELS, FRAME_PIXELS, FRAMES = 1_024, 512, 8  # the longest side of a picture, of a frame; frames


class Looking:
    """Gives the pictures of samples by their ids; what could not be shown is in `problems`."""

    def __init__(self, services: Services, found: Mapping[str, Found]) -> None:
        self.problems: dict[str, list[Problem]] = {}
        self._services, self._found = services, found

    def look(self, ident: str) -> list[Shown]:
        """The pictures of a sample, in the order of its media; none of a sample that is not known."""
        found, shown = self._found.get(ident), []
        if found is None:
            return []
        self.problems[ident] = []
        seen = {surface.media for surface in found.seen}
        for one in found.media:
            if one.file is None or one.media.id not in seen:
                continue
            try:
                shown += self._read(one.media.id, self._services.store.media.file(one.file.sha256))
            except (ArgusError, OSError, ValueError) as problem:
                values = {"media": one.media.id, "why": str(problem)}
                self.problems[ident].append(Problem("not_shown", values))
        return shown

    def _read(self, media: str, file: MediaFile) -> list[Shown]:
        files = self._services.store.media.files
        with files.local(file.sha256) as path:
            if file.medium != "video":
                from core.media.pictures import read_view

                count = min(file.pages or 1, SHOWN_PAGES) if file.medium == "document" else 1
                return [
                    Shown(
                        media, np.asarray(read_view(path, name=file.name, page=page, longest=PIXELS)),
                        page=page if count > 1 else None,
                    )
                    for page in range(count)
                ]  # fmt: skip
            from core.media.frame_index import read_frame_index
            from core.media.frames import pictures_of, sample_frames

            facts = facts_from_dict(file.facts)
            index = frame_index(files, file) or read_frame_index(path, facts)
            video = pictures_of(path, facts)
            by = min(1.0, FRAME_PIXELS / max(video.width, video.height))
            size = (max(2, round(video.width * by)), max(2, round(video.height * by)))
            frames = sample_frames(path, facts, index, min(FRAMES, len(index)), size=size)
            return [Shown(media, frame.pixels, time=frame.time) for frame in frames]
