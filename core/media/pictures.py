"""Pictures and pages: opened safely, upright, in sRGB, as a thumbnail or as a view of a region.

A size that a header claims is checked before a pixel is decoded. What leaves this module is a
decoded picture or a new file made from one: no metadata of the original goes along.
"""

from __future__ import annotations

import io
import struct
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from PIL import Image, ImageFile, UnidentifiedImageError

from core.boxes import WHOLE, Box, pixel_edges
from core.errors import MediaError
from core.media import colours, kinds
from core.media.kinds import Kind, kind_of_file
from core.samples import PICTURE_KINDS

if TYPE_CHECKING:
    from pypdfium2 import PdfDocument

MAX_PIXELS = 150_000_000  # a sheet of A0 scanned at 300 dpi has 139 million
MAX_PAGES = 10_000
THUMBNAIL = 320
VIEW = 2_048  # the longest side that one view sends
POINTS_TO_PIXELS = 200 / 72  # a page's own size is its size at 200 dpi

Image.MAX_IMAGE_PIXELS = MAX_PIXELS  # Pillow's own limit is one for the whole process
# Pillow warns of odd metadata, which Argus does not use, and of sizes that Argus checks itself
warnings.filterwarnings("ignore", module=r"PIL\.")

_FORMATS = {kinds.JPEG: "JPEG", kinds.PNG: "PNG", kinds.WEBP: "WEBP", kinds.TIFF: "TIFF",
            kinds.GIF: "GIF"}  # fmt: skip
_ORIENTATION = 0x0112
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM, 5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270, 7: Image.Transpose.TRANSVERSE, 8: Image.Transpose.ROTATE_90,
}  # fmt: skip
# pdfium is not made for threads: one page at a time in a process
_PDFIUM = threading.Lock()


@dataclass(frozen=True, slots=True)
class PictureFacts:
    """What a picture is before it is decoded; the size is that of the upright picture, in pixels.

    For a document it is that of its first page at 200 dpi. `orientation` is EXIF's, 1 to 8.
    """

    kind: Kind
    width: int
    height: int
    pages: int = 1
    orientation: int = 1


def look_at(path: Path, *, name: str | None = None, page: int = 0) -> PictureFacts:
    """The facts of a picture or of one of its pages; raises `MediaError` if it cannot be used."""
    name = name or path.name
    kind = _picture_kind(path, name)
    if kind is kinds.PDF:
        with _open_pdf(path, name) as document:
            width, height = _page_size(document, page, name)
            return PictureFacts(kind, width, height, min(len(document), MAX_PAGES))
    with _open(path, kind, name, page) as image:
        orientation = _orientation(image)
        width, height = image.size
        if orientation >= 5 and kind is not kinds.TIFF:  # Pillow gives the upright size of these
            width, height = height, width
        return PictureFacts(kind, width, height, _pages(image, kind), orientation)


def read_view(
    path: Path,
    *,
    name: str | None = None,
    page: int = 0,
    region: Box = WHOLE,
    longest: int = VIEW,
) -> Image.Image:
    """A region of the upright picture, in sRGB, its longest side at most `longest` pixels.

    It is never made larger than the picture is; a page of a document is drawn as sharp as asked.
    """
    name = name or path.name
    kind = _picture_kind(path, name)
    if kind is kinds.PDF:
        with _open_pdf(path, name) as document:
            return _page_view(document, page, name, region, longest)
    with _open(path, kind, name, page) as image:
        orientation = _orientation(image)
        if kind is kinds.TIFF:  # Pillow turns these while it loads them
            orientation = 1
        region = _before_turn(region, orientation)
        if kind is kinds.JPEG:
            # decoded at a half, a quarter or an eighth: a large photograph costs little
            scale = longest / max(image.width * region[2], image.height * region[3])
            if scale < 1:
                image.draft(None, (int(image.width * scale) + 1, int(image.height * scale) + 1))
        _load(image, name)
        view = colours.to_srgb(_cut(image, region, longest))
        turn = _TURNS.get(orientation)
        return view.transpose(turn) if turn is not None else view


def read_picture(path: Path, *, name: str | None = None, page: int = 0) -> Image.Image:
    """The whole upright picture in sRGB, every pixel of it."""
    facts = look_at(path, name=name, page=page)
    return read_view(path, name=name, page=page, longest=max(facts.width, facts.height))


def make_thumbnail(
    path: Path, *, name: str | None = None, page: int = 0, longest: int = THUMBNAIL
) -> bytes:
    """A small JPEG of the picture or page, without the metadata of the original."""
    return encode(read_view(path, name=name, page=page, longest=longest), quality=80)


def encode(
    image: Image.Image, *, form: Literal["JPEG", "PNG", "WEBP"] = "JPEG", quality: int = 88
) -> bytes:
    """The bytes of a new file of a decoded picture, in sRGB and without metadata."""
    image = image if image.mode == "RGB" else colours.to_srgb(image)
    out = io.BytesIO()
    if image.info:  # Pillow would carry a comment and a profile over
        image = image.copy()
        image.info = {}
    image.save(out, form, quality=quality)
    return out.getvalue()


# ---------------------------------------------------------------- opening


def _picture_kind(path: Path, name: str) -> Kind:
    kind = kind_of_file(path, name=name)
    if kind.medium not in PICTURE_KINDS:
        raise MediaError(f"{name} is a {kind.name} file, not a picture: give a picture or a PDF")
    return kind


@contextmanager
def _open(path: Path, kind: Kind, name: str, page: int) -> Iterator[ImageFile.ImageFile]:
    """The undecoded picture at a page, its size checked."""
    with _readable(name), Image.open(path, formats=[_FORMATS[kind]]) as image:
        if page:
            _check_page(page, _pages(image, kind), name)
            image.seek(page)
        _check_size(image, kind, name, path.stat().st_size)
        yield image


def _check_size(image: Image.Image, kind: Kind, name: str, file_bytes: int) -> None:
    width, height = image.size
    if width * height > MAX_PIXELS:
        raise MediaError(
            f"{name} says it has {width} × {height} pixels, more than Argus decodes "
            f"({MAX_PIXELS // 1_000_000} million): save it smaller"
        )
    if width < 1 or height < 1:
        raise MediaError(f"{name} says it has {width} × {height} pixels: save it anew")
    # deflate packs at most 1032 to 1, so a header that claims more has no such pixels behind it
    smallest = 1 if image.mode == "1" else 2 if image.mode == "P" else 8
    if kind is kinds.PNG and width * height * smallest // 8 // 8 > file_bytes * 1_040:
        raise MediaError(
            f"{name} says it has {width} × {height} pixels, but its {file_bytes:,} bytes cannot "
            "hold them: the header lies, or the file was cut off. Save it anew"
        )


def _check_page(page: int, pages: int, name: str) -> None:
    if not 0 <= page < pages:
        raise MediaError(
            f"{name} has no page {page + 1}: it has {pages}" + (" page" if pages == 1 else " pages")
        )


def _pages(image: ImageFile.ImageFile, kind: Kind) -> int:
    """Pages of a TIFF, frames of a GIF or WebP; the small extra pictures in a JPEG are not pages."""
    if kind in (kinds.JPEG, kinds.PNG):
        return 1
    return min(int(getattr(image, "n_frames", 1)), MAX_PAGES)


def _orientation(image: Image.Image) -> int:
    """EXIF's orientation, 1 where there is none or none that can be read."""
    try:
        value = image.getexif().get(_ORIENTATION, 1)
    except (SyntaxError, ValueError, TypeError, KeyError, OSError, struct.error, OverflowError):
        return 1
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def _load(image: ImageFile.ImageFile, name: str) -> None:
    try:
        image.load()
    except MemoryError as problem:
        raise MediaError(f"{name} needs more memory than there is: save it smaller") from problem


@contextmanager
def _readable(name: str) -> Iterator[None]:
    try:
        yield
    except Image.DecompressionBombError as problem:
        raise MediaError(
            f"{name} says it has more pixels than Argus decodes "
            f"({MAX_PIXELS // 1_000_000} million): save it smaller"
        ) from problem
    except UnidentifiedImageError as problem:
        raise MediaError(
            f"{name} begins as a picture does, but has none behind it: save it anew"
        ) from problem
    except (
        OSError, SyntaxError, ValueError, TypeError, KeyError, IndexError, EOFError, struct.error,
        OverflowError, RuntimeError, AttributeError,
    ) as problem:  # fmt: skip
        raise MediaError(
            f"{name} is damaged and cannot be decoded ({problem}): open it in another program and "
            "save it anew"
        ) from problem


# ---------------------------------------------------------------- views


def _cut(image: Image.Image, region: Box, longest: int) -> Image.Image:
    """The region, scaled down to fit; the edges are whole pixels of the decoded picture."""
    left, top, right, bottom = pixel_edges(region, image.width, image.height)
    left, top = min(left, image.width - 1), min(top, image.height - 1)
    right, bottom = max(right, left + 1), max(bottom, top + 1)
    scale = min(1.0, longest / max(right - left, bottom - top))
    size = (max(1, round((right - left) * scale)), max(1, round((bottom - top) * scale)))
    if image.mode in ("P", "1", "PA") and scale < 1:
        image = _smooth(image)
    if (left, top, right, bottom) == (0, 0, *image.size) and scale == 1:
        return image.copy()
    if scale == 1:
        return image.crop((left, top, right, bottom))
    if image.mode.startswith(("I;16", "La", "RGBa")):
        image = colours.to_srgb(image)
    return image.resize(
        size, Image.Resampling.BICUBIC, box=(left, top, right, bottom), reducing_gap=2.0
    )


def _smooth(image: Image.Image) -> Image.Image:
    """Palette and bilevel pictures in tones that can be mixed."""
    if image.mode == "1":
        return image.convert("L")
    info = dict(image.info)
    clear = info.pop("transparency", None) is not None or image.mode == "PA"
    converted = image.convert("RGBA" if clear else "RGB")
    converted.info = info
    return converted


def _before_turn(region: Box, orientation: int) -> Box:
    """The region as it lies in the picture before it is turned upright."""
    x, y, w, h = region
    right, bottom = 1 - x - w, 1 - y - h
    return {
        2: (right, y, w, h), 3: (right, bottom, w, h), 4: (x, bottom, w, h), 5: (y, x, h, w),
        6: (y, right, h, w), 7: (bottom, right, h, w), 8: (bottom, x, h, w),
    }.get(orientation, region)  # fmt: skip


# ---------------------------------------------------------------- documents


@contextmanager
def _open_pdf(path: Path, name: str) -> Iterator[PdfDocument]:
    import pypdfium2

    with _PDFIUM:
        try:
            document = pypdfium2.PdfDocument(path)
        except pypdfium2.PdfiumError as problem:
            why = str(problem)
            if "assword" in why:
                raise MediaError(
                    f"{name} is locked with a password: save it without one"
                ) from problem
            raise MediaError(
                f"{name} is a damaged PDF and cannot be opened ({why}): print it to a new PDF"
            ) from problem
        try:
            yield document
        except pypdfium2.PdfiumError as problem:
            raise MediaError(
                f"{name} has a page that cannot be drawn ({problem}): print it to a new PDF"
            ) from problem
        finally:
            document.close()


def _page_size(document: PdfDocument, page: int, name: str) -> tuple[int, int]:
    """The upright page's pixels at 200 dpi, or as near to it as the limit of pixels allows."""
    _check_page(page, len(document), name)
    width, height = document.get_page_size(page)
    if not (0 < width < 1e6 and 0 < height < 1e6):
        raise MediaError(f"{name} has a page of {width:g} × {height:g} points: print it anew")
    scale = min(POINTS_TO_PIXELS, 14_000 / max(width, height))
    return max(1, round(width * scale)), max(1, round(height * scale))


def _page_view(
    document: PdfDocument, page: int, name: str, region: Box, longest: int
) -> Image.Image:
    full_width, full_height = _page_size(document, page, name)
    sheet = document[page]
    try:
        points = max(sheet.get_width(), sheet.get_height())
        largest = max(full_width * region[2], full_height * region[3])
        scale = max(full_width, full_height) * min(1.0, longest / largest) / points
        width, height = sheet.get_width() * scale, sheet.get_height() * scale
        left, top, right, bottom = pixel_edges(region, round(width), round(height))
        # pdfium crops in points of the page as it is drawn: left, bottom, right, top
        margins = [v / scale for v in (left, height - bottom, width - right, top)]
        bitmap = sheet.render(scale=scale, crop=tuple(max(0.0, m) for m in margins))
        view: Image.Image = bitmap.to_pil().convert("RGB")
        bitmap.close()
        return view
    finally:
        sheet.close()
