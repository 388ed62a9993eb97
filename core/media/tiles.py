"""A large picture cut once into tiles at halving sizes, so that a screen asks for what it shows.

Level 0 is the whole picture in one tile; each next level is twice as large; the last one has every
pixel. A tile is named by its level, column and row.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from PIL import Image

from core.media.pictures import encode

TILE = 512


@dataclass(frozen=True, slots=True)
class Level:
    """One size of the picture, in pixels, and how many tiles it has."""

    number: int
    width: int
    height: int
    columns: int
    rows: int


@dataclass(frozen=True, slots=True)
class Tile:
    """A tile's place and its bytes, a JPEG of at most `TILE` by `TILE` pixels."""

    level: int
    column: int
    row: int
    data: bytes


def plan_levels(width: int, height: int, *, tile: int = TILE) -> tuple[Level, ...]:
    """The levels of a picture of this size, the smallest first.

    >>> [(level.width, level.columns) for level in plan_levels(2000, 1000)]
    [(500, 1), (1000, 2), (2000, 4)]
    """
    steps = max(0, math.ceil(math.log2(max(width, height) / tile)))
    levels = []
    for number in range(steps + 1):
        by = 2 ** (steps - number)
        wide, high = math.ceil(width / by), math.ceil(height / by)
        levels.append(Level(number, wide, high, math.ceil(wide / tile), math.ceil(high / tile)))
    return tuple(levels)


def cut_tiles(image: Image.Image, *, tile: int = TILE) -> Iterator[Tile]:
    """Every tile of a decoded picture, the largest level first; each level is made of the one before."""
    for level in reversed(plan_levels(image.width, image.height, tile=tile)):
        if image.size != (level.width, level.height):
            image = image.resize(
                (level.width, level.height), Image.Resampling.BOX, reducing_gap=None
            )
        for row in range(level.rows):
            for column in range(level.columns):
                left, top = column * tile, row * tile
                right, bottom = min(left + tile, level.width), min(top + tile, level.height)
                part = image.crop((left, top, right, bottom))
                yield Tile(level.number, column, row, encode(part, quality=85))
