"""A sheet to draw on that remembers where each thing lies, as fractions of the whole."""

from __future__ import annotations

import math
from collections.abc import Sequence

from PIL import Image, ImageDraw, ImageFont

from core.boxes import Box, tidy

WIDTH, HEIGHT = 960, 640
SCALE = 2  # drawn at twice the size and made smaller, so that every edge is smooth

INK, MUTED, LINE, PAPER = "#1d2733", "#5d6b7a", "#d5dce4", "#fbfbf8"
BLUE, TEAL, AMBER, RED, GREEN, SKY = (
    "#2458a6",
    "#1f8a80",
    "#e2a32b",
    "#c2413a",
    "#4d8b3f",
    "#dbe8f4",
)

_LATIN = "/usr/share/fonts/truetype/liberation/LiberationSans-{}.ttf"
_CHINESE = "/usr/share/fonts/opentype/noto/NotoSansCJK-{}.ttc"
_SIMPLIFIED = 2  # the face of a collection with the forms of mainland China


def font(language: str, size: float, *, bold: bool = False) -> ImageFont.FreeTypeFont:
    """The letters for a language at a size in pixels of the sheet."""
    weight = "Bold" if bold else "Regular"
    pixels = round(size * SCALE)
    if language == "zh":
        return ImageFont.truetype(_CHINESE.format(weight), pixels, index=_SIMPLIFIED)
    return ImageFont.truetype(_LATIN.format(weight), pixels)


class Sheet:
    """A picture being drawn; places are pixels of a sheet of 960 by 640."""

    def __init__(
        self, language: str, *, width: int = WIDTH, height: int = HEIGHT, ground: str = PAPER
    ) -> None:
        self.language, self.width, self.height = language, width, height
        self.image = Image.new("RGB", (width * SCALE, height * SCALE), ground)
        self.pen = ImageDraw.Draw(self.image)
        self.boxes: dict[str, Box] = {}
        self.words: dict[str, str] = {}

    def say(
        self, text: str, x: float, y: float, size: float, *, colour: str = INK, bold: bool = False,
        anchor: str = "la", **parts: str,
    ) -> Box:  # fmt: skip
        """Write a line; each of `parts` is a piece of it whose box is kept under that name."""
        letters = font(self.language, size, bold=bold)
        place = (x * SCALE, y * SCALE)
        left, top, right, bottom = self.pen.textbbox(place, text, font=letters, anchor=anchor)
        self.pen.text(place, text, font=letters, fill=colour, anchor=anchor)
        for name, part in parts.items():
            at = text.index(part)
            start = left + letters.getlength(text[:at])
            end = left + letters.getlength(text[: at + len(part)])
            self.keep(name, start / SCALE, top / SCALE, end / SCALE, bottom / SCALE, part)
        return (left / SCALE, top / SCALE, right / SCALE, bottom / SCALE)

    def keep(
        self, name: str, left: float, top: float, right: float, bottom: float, words: str | None = None,
        *, room: float = 2,
    ) -> None:  # fmt: skip
        """Remember where a thing lies, with a little room around it."""
        x0, y0 = max(0.0, left - room), max(0.0, top - room)
        x1, y1 = min(float(self.width), right + room), min(float(self.height), bottom + room)
        w, h = self.width, self.height
        self.boxes[name] = tidy(
            tuple(round(v, 5) for v in (x0 / w, y0 / h, (x1 - x0) / w, (y1 - y0) / h))  # type: ignore[arg-type]
        )
        if words is not None:
            self.words[name] = words

    def box(
        self, left: float, top: float, right: float, bottom: float, *, fill: str | None = None,
        edge: str | None = None, radius: float = 0, width: float = 1.5,
    ) -> None:  # fmt: skip
        """A rectangle, its corners rounded where a radius is given."""
        self.pen.rounded_rectangle(
            [v * SCALE for v in (left, top, right, bottom)], radius=radius * SCALE, fill=fill,
            outline=edge, width=round(width * SCALE) if edge else 0,
        )  # fmt: skip

    def circle(
        self,
        x: float,
        y: float,
        radius: float,
        *,
        fill: str | None = None,
        edge: str | None = None,
        width: float = 1.5,
    ) -> None:
        """A circle about a point."""
        places = [v * SCALE for v in (x - radius, y - radius, x + radius, y + radius)]
        self.pen.ellipse(places, fill=fill, outline=edge, width=round(width * SCALE) if edge else 0)

    def shape(self, points: Sequence[tuple[float, float]], *, fill: str) -> None:
        """A filled polygon."""
        self.pen.polygon([(x * SCALE, y * SCALE) for x, y in points], fill=fill)

    def line(
        self, points: Sequence[tuple[float, float]], *, colour: str = LINE, width: float = 1.5
    ) -> None:
        """Straight lines from point to point."""
        scaled = [(x * SCALE, y * SCALE) for x, y in points]
        self.pen.line(scaled, fill=colour, width=round(width * SCALE), joint="curve")

    def arc(
        self,
        x: float,
        y: float,
        radius: float,
        start: float,
        end: float,
        *,
        colour: str,
        width: float,
    ) -> None:
        """A part of a circle, from one angle to another in degrees, clockwise from the right."""
        places = [v * SCALE for v in (x - radius, y - radius, x + radius, y + radius)]
        self.pen.arc(places, start, end, fill=colour, width=round(width * SCALE))

    def star(self, x: float, y: float, radius: float, *, fill: str, points: int = 5) -> None:
        """A star about a point."""
        corners = []
        for i in range(points * 2):
            far = radius if i % 2 == 0 else radius * 0.45
            angle = math.pi * i / points - math.pi / 2
            corners.append((x + far * math.cos(angle), y + far * math.sin(angle)))
        self.shape(corners, fill=fill)

    def finished(self) -> Image.Image:
        """The sheet at its own size."""
        return self.image.resize((self.width, self.height), Image.Resampling.LANCZOS)
