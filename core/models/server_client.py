"""The line to a server that speaks OpenAI's protocol: its address, its key, patience, and plain words
for what goes wrong.

Knows nothing of samples. The key is read from the environment at each use and is never kept, logged
or told; a redirect is never followed, so that key and texts go to the registered address only.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

import httpx2

from core.errors import InputError, ModelError, ModelUnreachable

LARGEST = 8_000_000  # bytes of an answer; a reply with its probabilities takes some 100,000
_BUSY = (408, 425, 429, 500, 502, 503, 504)  # may be better in a moment


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to try, in seconds. The pause between two tries doubles; a server may ask for more.

    `answer` is for a whole answer, its time in the queue of a server that does one after another too.
    """

    tries: int = 5
    first_pause: float = 0.5
    longest_pause: float = 60.0
    connect: float = 5.0
    answer: float = 600.0


@dataclass(frozen=True, slots=True)
class Server:
    """Where a server is. `key_variable`: the environment variable with its key, if it wants one."""

    address: str
    key_variable: str = ""
    patience: Patience = field(default_factory=Patience)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server said. `words`: its own account of an error, on one line and short."""

    status: int
    data: Any
    words: str


def check_address(address: str) -> str:
    """The address without what is not needed; raises `InputError` where it cannot be one.

    >>> check_address(" http://127.0.0.1:8080/v1/ ")
    'http://127.0.0.1:8080/v1'
    """
    address = address.strip()
    try:
        parts = urlsplit(address)
        _ = parts.port
    except ValueError as problem:
        raise InputError(f"this is not an address ({problem}): {_EXAMPLE}") from problem
    if parts.username is not None or parts.password is not None or parts.query or parts.fragment:
        # Not repeated here: it may hold a secret.
        raise InputError(
            f"the address must be without a name, key or password in it: {_EXAMPLE}. Put the key in an "
            "environment variable, and name that variable"
        )
    if parts.scheme not in ("http", "https") or not parts.hostname or re.search(r"\s", address):
        raise InputError(f"{address!r} is not the address of a server: {_EXAMPLE}")
    return address.rstrip("/").removesuffix("/chat/completions")


def check_variable(name: str) -> str:
    """The name of an environment variable; raises `InputError` where it looks like the key itself."""
    name = name.strip()
    if name and not re.fullmatch(r"[A-Z][A-Z0-9_]{0,63}", name):
        raise InputError(
            "what stands for the key must be the name of an environment variable, in capitals, such "
            "as MODEL_KEY: the key itself is never kept"
        )
    return name


def list_models(server: Server) -> list[dict[str, Any]]:
    """The models that a server says it has; raises `ModelError` or `ModelUnreachable`."""

    async def ask() -> Answer:
        async with open_client(server) as client:
            return await send(client, server, "GET", "/models")

    answer = asyncio.run(ask())
    data = answer.data.get("data") if isinstance(answer.data, dict) else None
    if answer.status != 200:
        raise ModelError(refusal(server, answer))
    if not isinstance(data, list):
        raise ModelError(f"the server at {server.address} has no list of models: {_FORM}")
    return [m for m in data if isinstance(m, dict) and isinstance(m.get("id"), str)]


def open_client(server: Server) -> httpx2.AsyncClient:
    """A client for requests to one server."""
    logging.getLogger("httpx2").setLevel(logging.WARNING)
    headers = {"Accept-Encoding": "identity", "User-Agent": "argus"}
    key = _read_key(server.key_variable)
    if key:
        headers["Authorization"] = f"Bearer {key}"
    # trust_env off: no key from .netrc, no detour through a proxy that nobody registered.
    return httpx2.AsyncClient(
        headers=headers, follow_redirects=False, trust_env=False,
        timeout=httpx2.Timeout(None, connect=server.patience.connect),  # `send` limits the rest
    )  # fmt: skip


async def send(
    client: httpx2.AsyncClient,
    server: Server,
    method: str,
    path: str,
    body: Mapping[str, Any] | None = None,
    *,
    final: Sequence[str] = (),
) -> Answer:
    """Ask until there is an answer; raises `ModelUnreachable` where there is none in the end.

    `final`: an error that names one of these words is an answer, and not worth another try.
    """
    patience, reason, waits = server.patience, "", 0.0
    for number in range(patience.tries):
        if number:
            pause = patience.first_pause * 2 ** (number - 1) * random.uniform(0.75, 1.25)
            await asyncio.sleep(max(waits, min(pause, patience.longest_pause)))
        try:
            async with asyncio.timeout(patience.answer):
                answer, waits = await _send_once(client, server, method, path, body)
        except TimeoutError:
            reason = f"no answer within {patience.answer:g} seconds"
            break  # to ask once more would only lengthen its queue
        except httpx2.RequestError as problem:
            reason, waits = _tell(problem), 0.0
        else:
            if answer.status not in _BUSY or any(word in answer.words for word in final):
                return answer
            reason = f"it is busy or broken ({answer.status}{_said(answer)})"
            if waits > patience.longest_pause:
                reason += f", and asks to wait {waits:,.0f} seconds"
                break
    raise ModelUnreachable(
        f"the server at {server.address} cannot be used now: {reason}. Start it, or correct its address "
        "on the Models page. Nothing is lost: work that waits for it goes on when it is back"
    )


def refusal(server: Server, answer: Answer, *, name: str = "") -> str:
    """What a person needs to know of an answer that is an error."""
    where, said = f"the server at {server.address}", _said(answer)
    if answer.status in (401, 403):
        key = (
            f"the key in {server.key_variable}" if server.key_variable else "a request without key"
        )
        return (
            f"{where} refuses {key} ({answer.status}{said}): set the environment variable with a key "
            "that holds, start Argus again, and see that the model on the Models page names the variable"
        )
    if 300 <= answer.status < 400:
        return (
            f"{where} sends its callers elsewhere ({answer.status}), which Argus does not follow: "
            "register the address where it really is"
        )
    if answer.status == 404:
        what = f"does not know the model {name!r}" if name else "has no list of models"
        return f"{where} {what} ({answer.status}{said}): {_FORM}"
    if answer.status == 200:
        return f"{where} gave an answer that is none of a model{said}: {_FORM}"
    return f"{where} refuses the request ({answer.status}{said})"


# ---------------------------------------------------------------- private

_EXAMPLE = "it looks like http://127.0.0.1:8080/v1"
_FORM = "register the address of an OpenAI-compatible server, which most often ends in /v1"


async def _send_once(
    client: httpx2.AsyncClient,
    server: Server,
    method: str,
    path: str,
    body: Mapping[str, Any] | None,
) -> tuple[Answer, float]:
    """An answer, and the seconds that the server asks to wait before the next try."""
    async with client.stream(method, server.address + path, json=body) as response:
        raw = bytearray()
        async for chunk in response.aiter_bytes():
            raw += chunk
            if len(raw) > LARGEST:
                raise ModelError(
                    f"the server at {server.address} gave an answer of more than {LARGEST:,} bytes, "
                    f"which was not read to its end: {_FORM}"
                )
        text = raw.decode("utf-8", "replace")
        data = _load(text)
        if data is None and response.status_code == 200:
            if "json" in response.headers.get("content-type", ""):
                raise httpx2.ReadError("the answer breaks off")
            return Answer(200, None, _clip(text, server)), 0.0
        words = _clip(text if data is None else _message(data), server)
        return Answer(response.status_code, data, words), _asked_pause(response.headers)


def _load(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _message(data: Any) -> str:
    """The words of an error, in any of the forms in which servers put them."""
    found = data.get("error", data) if isinstance(data, dict) else data
    if isinstance(found, dict):
        found = found.get("message") or found.get("detail") or found
    return found if isinstance(found, str) else json.dumps(found, ensure_ascii=False)


def _clip(text: str, server: Server) -> str:
    """On one line, short, and without the key, which some servers repeat."""
    key = os.environ.get(server.key_variable, "").strip() if server.key_variable else ""
    if key:
        text = text.replace(key, "…")
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return line if len(line) <= 300 else line[:299] + "…"


def _said(answer: Answer) -> str:
    return f", it says: {answer.words}" if answer.words else ""


def _tell(problem: httpx2.RequestError) -> str:
    """A failed connection in plain words."""
    if isinstance(problem, httpx2.ConnectTimeout):
        return "it does not pick up"
    what = (
        "no connection" if isinstance(problem, httpx2.ConnectError) else "the connection broke off"
    )
    return f"{what} ({str(problem) or type(problem).__name__})"


def _asked_pause(headers: httpx2.Headers) -> float:
    """The seconds of a Retry-After, which gives them or a date; 0 where there is none to be read."""
    said = headers.get("retry-after", "").strip()
    if said.isdecimal():
        return float(said[:9])
    try:
        until = parsedate_to_datetime(said)
    except (ValueError, TypeError):
        return 0.0
    until = until if until.tzinfo else until.replace(tzinfo=UTC)
    return max(0.0, (until - datetime.now(UTC)).total_seconds())


def _read_key(variable: str) -> str:
    """The key in an environment variable, "" where none is wanted."""
    if not variable:
        return ""
    key = os.environ.get(variable, "").strip()
    if not key:
        raise ModelError(
            f"the environment variable {variable} holds no key: set it, and start Argus again"
        )
    if not (key.isascii() and key.isprintable()):
        raise ModelError(
            f"the key in the environment variable {variable} has signs that no key has: set it anew"
        )
    return key
