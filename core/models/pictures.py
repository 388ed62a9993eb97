"""Pictures on their way to a model: what stands before each, and the form in which a server takes it."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence

from core.places import Surface
from core.ports import Shown


def data_url(picture: Shown) -> str:
    """The picture as a JPEG in a URL of its own."""
    from PIL import Image

    out = io.BytesIO()
    Image.fromarray(picture.pixels).save(out, "JPEG", quality=88)
    return "data:image/jpeg;base64," + base64.b64encode(out.getvalue()).decode("ascii")


def title(picture: Shown) -> str:
    """What stands before a picture, so that its place can be named: `m1`, `m1 p2`, `m2 12.4 s`."""
    said = picture.media
    if picture.page is not None:
        said += f" p{picture.page + 1}"
    return said + (f" {picture.time:.1f} s" if picture.time is not None else "") + ": "


def surfaces_of(pictures: Sequence[Shown]) -> list[Surface]:
    """The media that pictures are of, as far as they show what places there are."""
    found: dict[str, Surface] = {}
    for picture in pictures:
        if picture.time is not None:
            found[picture.media] = Surface(picture.media, "video")
        else:
            pages = 1 if picture.page is None else picture.page + 1
            found[picture.media] = Surface(
                picture.media, "document" if pages > 1 else "image", pages
            )
    return list(found.values())
