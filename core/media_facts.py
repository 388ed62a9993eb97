"""What is known of a clip or a sound: plain values, without ffmpeg.

Times are seconds as ffprobe gives them. A clip need not begin at 0: `start` is where its player is
at 0, so that a player's time plus `start` is a time of the clip.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from fractions import Fraction
from typing import Any


@dataclass(frozen=True, slots=True)
class VideoFacts:
    """The pictures of a clip; `width` and `height` are of the upright picture, in pixels.

    `rotation` is how far a player turns the stored picture, in degrees clockwise. A pixel may be
    wider than high: `pixel_aspect` is width over height. `rate` is the average of frames a second.
    """

    stream: int
    codec: str
    width: int
    height: int
    time_base: Fraction
    rate: Fraction
    rotation: int = 0
    pixel_aspect: Fraction = Fraction(1)
    is_variable: bool = False
    is_interlaced: bool = False
    start: float = 0.0


@dataclass(frozen=True, slots=True)
class AudioFacts:
    """The sound of a clip; `rate` in samples a second."""

    stream: int
    codec: str
    rate: int
    channels: int
    start: float = 0.0


@dataclass(frozen=True, slots=True)
class ClipFacts:
    """A clip has pictures, sound, or both. `tags` are the words of its maker: data, never markup."""

    container: str
    duration: float
    start: float = 0.0
    video: VideoFacts | None = None
    audio: AudioFacts | None = None
    tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def kind(self) -> str:
        """`video` or `audio`, as `core.samples` calls it."""
        return "video" if self.video else "audio"


def facts_to_dict(facts: ClipFacts) -> dict[str, Any]:
    """The facts as JSON can carry them; fractions become `30000/1001`."""

    def plain(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: plain(inner) for key, inner in value.items()}
        return str(value) if isinstance(value, Fraction) else value

    made: dict[str, Any] = plain(asdict(facts) | {"tags": dict(facts.tags)})
    return made


def facts_from_dict(data: Mapping[str, Any]) -> ClipFacts:
    """What `facts_to_dict` wrote."""
    video, audio = data["video"], data["audio"]
    fractions = ("time_base", "rate", "pixel_aspect")
    return ClipFacts(
        **{
            **data,
            "video": video
            and VideoFacts(**{**video, **{key: Fraction(video[key]) for key in fractions}}),
            "audio": audio and AudioFacts(**audio),
        }
    )
