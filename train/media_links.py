"""Links to media: signed, for one person, one part of one file, and for a time.

A token says who may see which part of which file until when, and a signature that only this Argus can
make. What it says is looked up; nothing in it is ever used as a path.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import re
import secrets
import time
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from core.errors import ArgusError, StorageError
from storage.home import Home
from train.media_parts import part_of

HOURS, ROUND = 12, 3600  # a link lasts at least so long; within a round it stays the same
PREFIX = "/files/"
_TOKEN = re.compile(r"[A-Za-z0-9_-]{1,2000}\.[A-Za-z0-9_-]{43}")
_DIGEST = re.compile(r"[0-9a-f]{64}")


class LinkRefused(ArgusError):
    """A link that this Argus did not make, or not for this person."""


class LinkExpired(ArgusError):
    """A link whose time is over."""


@dataclass(frozen=True, slots=True)
class Link:
    """What a link is for: a part (`train.media_parts`) of a file, for a person, until a time."""

    person: str
    file: str
    part: str
    expires: int


def link_to(
    home: Home, person: str, file: str, part: str = "original", *, now: float | None = None
) -> str:
    """The address of a part of a file; the same one for an hour, so that a browser keeps what it has."""
    part_of(part)
    begun = int((time.time() if now is None else now) // ROUND * ROUND)
    link = Link(person, file, part, begun + ROUND + HOURS * 3600)
    said = json.dumps([link.person, link.file, link.part, link.expires], ensure_ascii=False)
    body = _to_text(said.encode("utf-8", "surrogatepass"))
    return f"{PREFIX}{body}.{_sign(home, body)}"


def read_link(home: Home, token: str, *, person: str | None, now: float | None = None) -> Link:
    """What a token is for; raises `LinkRefused` or `LinkExpired`. `person` is who asks."""
    refused = LinkRefused("this link was not made by this Argus, or not for you: reload the page")
    if not _TOKEN.fullmatch(token):
        raise refused
    body, signature = token.split(".")
    if not hmac.compare_digest(signature, _sign(home, body)):
        raise refused
    try:
        link = Link(*json.loads(_from_text(body)))
        part_of(link.part)
    except (ValueError, TypeError, ArgusError) as problem:
        raise refused from problem
    if not _DIGEST.fullmatch(link.file) or person is None or link.person != person:
        raise refused
    if link.expires <= (time.time() if now is None else now):
        raise LinkExpired("this link has expired: reload the page")
    return link


# ---------------------------------------------------------------- private


def _sign(home: Home, body: str) -> str:
    return _to_text(hmac.new(_secret(home.secret), body.encode("ascii"), hashlib.sha256).digest())


@lru_cache(maxsize=8)
def _secret(path: Path) -> bytes:
    """The secret of this home, made at the first need; for its owner's eyes only."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
        handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as out:
            out.write(secrets.token_bytes(32))
        try:
            path.hardlink_to(part)  # only if there is none yet
        except FileExistsError:
            path.chmod(0o600)
        finally:
            part.unlink()
        found = path.read_bytes()
    except OSError as problem:
        raise StorageError(
            f"the secret that links are signed with cannot be kept ({problem}): check that "
            f"{path.parent} is yours"
        ) from problem
    if len(found) < 32:
        raise StorageError(f"{path} is damaged: delete it, and reload the pages that are open")
    return found


def _to_text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode("ascii").rstrip("=")


def _from_text(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
