"""The route that serves media: `/files/TOKEN`, in pieces, with HTTP ranges.

What is sent is never taken for a page or a script: its type is what Argus found, the browser may not
guess another, and it runs in a sandbox without rights.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable
from typing import BinaryIO

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from core.errors import ArgusError, NotFoundError
from core.media_records import MediaFile
from storage.media_files import Derived
from train.media import remake_parts
from train.media_links import PREFIX, Link, LinkExpired, LinkRefused, read_link
from train.media_parts import part_of
from train.services import Services

PIECE = 256 * 1024
_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})", re.ASCII)
_GUARDS = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "sandbox; default-src 'none'; style-src 'unsafe-inline'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
}
# what a browser shows by itself; anything else is only ever a download
_SHOWN = re.compile(r"image/(jpeg|png|webp|gif)|video/.+|audio/.+|application/json")


def media_route(services: Callable[[], Services]) -> Route:
    """The route; `services` opens them at the first request."""

    async def serve(request: Request) -> Response:
        try:
            return await run_in_threadpool(_answer, services(), request)
        except LinkRefused as problem:
            return _refusal(403, problem)
        except LinkExpired as problem:
            return _refusal(410, problem)
        except NotFoundError as problem:
            return _refusal(404, problem)
        except ArgusError as problem:
            return _refusal(503, problem)

    return Route(PREFIX + "{token}", serve, methods=["GET", "HEAD"])


def _answer(services: Services, request: Request) -> Response:
    if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        raise LinkRefused("this link works only on the pages of Argus")
    viewer = services.store.collections.person()
    link = read_link(services.home, request.path_params["token"], person=viewer)
    file = services.store.media.file(link.file)
    if file.state == "failed":
        raise NotFoundError(file.problem)
    part = part_of(link.part)
    mime = part.mime or file.mime
    size = _size(services, file, part.derived)
    etag = f'"{link.file[:32]}-{link.part}"'
    headers = _GUARDS | {
        "Accept-Ranges": "bytes", "ETag": etag, "Cache-Control": "private, max-age=3600",
        "Content-Type": mime,
        "Content-Disposition": "inline" if _SHOWN.fullmatch(mime) else "attachment",
    }  # fmt: skip
    if _matches(request.headers.get("if-none-match"), etag):
        return Response(status_code=304, headers=headers)
    asked = request.headers.get("range")
    if asked and request.headers.get("if-range", etag) != etag:
        asked = None  # the browser has a part of something else
    span = _span(asked, size)
    if span is None:
        return PlainTextResponse(
            f"the file has {size:,} bytes", 416,
            headers=_GUARDS | {"Content-Range": f"bytes */{size}", "Accept-Ranges": "bytes"},
        )  # fmt: skip
    first, last, is_part = span
    headers["Content-Length"] = str(last - first + 1)
    if is_part:
        headers["Content-Range"] = f"bytes {first}-{last}/{size}"
    status = 206 if is_part else 200
    if request.method == "HEAD":
        return Response(status_code=status, headers=headers)
    opened = _open(services, link, part.derived)
    return StreamingResponse(_pieces(opened, first, last), status, headers=headers)


def _size(services: Services, file: MediaFile, derived: Derived | None) -> int:
    files = services.store.media.files
    size = files.size(file.sha256) if derived is None else files.derived_size(file.sha256, derived)
    if size is not None:
        return size
    if derived is not None and file.state == "ready":
        remake_parts(services, file.sha256)  # it was deleted to make room
    raise NotFoundError("this part of the file is not there yet: the worker makes it")


def _open(services: Services, link: Link, derived: Derived | None) -> BinaryIO:
    files = services.store.media.files
    return files.open(link.file) if derived is None else files.open_derived(link.file, derived)


async def _pieces(file: BinaryIO, first: int, last: int) -> AsyncIterator[bytes]:
    """The bytes from `first` to `last`, never more than a piece of them at a time."""
    try:
        await run_in_threadpool(file.seek, first)
        left = last - first + 1
        while left > 0:
            data = await run_in_threadpool(file.read, min(PIECE, left))
            if not data:
                return
            left -= len(data)
            yield data
    finally:
        file.close()


def _span(asked: str | None, size: int) -> tuple[int, int, bool] | None:
    """First and last byte and whether that is a part; None where there are no such bytes. What is
    not one plain range of bytes is answered with everything."""
    found = _RANGE.fullmatch(asked.replace(" ", "")) if asked else None
    if found is None or not (found[1] or found[2]):
        return 0, size - 1, False
    if not found[1]:
        length = min(int(found[2]), size)
        return (size - length, size - 1, True) if length else None
    first = int(found[1])
    last = min(int(found[2]), size - 1) if found[2] else size - 1
    if found[2] and int(found[2]) < first:
        return 0, size - 1, False
    return (first, last, True) if first < size else None


def _matches(header: str | None, etag: str) -> bool:
    return header is not None and (header.strip() == "*" or etag in header)


def _refusal(status: int, problem: ArgusError) -> Response:
    return PlainTextResponse(str(problem), status, headers=_GUARDS | {"Cache-Control": "no-store"})
