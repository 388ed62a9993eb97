"""Pictures that the tests draw for themselves, as the bytes of a file."""

from __future__ import annotations

import io
import struct
import zlib

from PIL import Image, ImageDraw


def four_corners(width: int = 80, height: int = 60) -> Image.Image:
    """Red, green, blue and yellow quarters: whichever way it is turned, one can tell."""
    image = Image.new("RGB", (width, height))
    draw = ImageDraw.Draw(image)
    x, y = width // 2, height // 2
    draw.rectangle((0, 0, x - 1, y - 1), fill="red")
    draw.rectangle((x, 0, width, y - 1), fill="lime")
    draw.rectangle((0, y, x - 1, height), fill="blue")
    draw.rectangle((x, y, width, height), fill="yellow")
    return image


def file_of(image: Image.Image, form: str, **options: object) -> bytes:
    """The bytes of a picture file."""
    out = io.BytesIO()
    image.save(out, form, **options)
    return out.getvalue()


def png_claiming(width: int, height: int) -> bytes:
    """A PNG whose header claims a size, with next to nothing behind it."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        check = struct.pack(">I", zlib.crc32(kind + data))
        return struct.pack(">I", len(data)) + kind + data + check

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = zlib.compress(b"\0" * 10_000)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")
    )
