"""A real HTTP server that speaks OpenAI's protocol from a list of answers, for the tests of the client."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Answer = Callable[["Handler", dict[str, Any]], None]


@dataclass
class Request:
    """What the server was asked."""

    path: str
    headers: dict[str, str]
    body: Any


@dataclass
class ModelServer:
    """Gives `answers` in turn, then `usual` for ever; keeps all that it was asked."""

    usual: Answer
    answers: list[Answer] = field(default_factory=list)
    models: list[dict[str, Any]] = field(default_factory=lambda: [{"id": "tiny"}])
    requests: list[Request] = field(default_factory=list)
    busy: int = 0
    busiest: int = 0

    def __enter__(self) -> ModelServer:
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._server.block_on_close = False
        self._server.owner = self  # type: ignore[attr-defined]
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def address(self) -> str:
        """What a person would register."""
        return f"http://127.0.0.1:{self.port}/v1"

    @property
    def asked(self) -> list[dict[str, Any]]:
        """The bodies of the requests for a suggestion."""
        return [r.body for r in self.requests if r.body is not None]

    def take(self, request: Request) -> Answer:
        """Note a request, and the answer that it gets."""
        with self._lock:
            self.requests.append(request)
            if request.path == "/v1/models":
                return say(200, {"object": "list", "data": self.models})
            if request.path != "/v1/chat/completions":
                return say(404, {"detail": "Not Found"})
            return self.answers.pop(0) if self.answers else self.usual

    def count(self, by: int) -> None:
        """How many requests are under way."""
        with self._lock:
            self.busy += by
            self.busiest = max(self.busy, self.busiest)


class Handler(BaseHTTPRequestHandler):
    """One connection to the server."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """A list."""
        self._answer(None)

    def do_POST(self) -> None:
        """A suggestion."""
        self._answer(json.loads(self.rfile.read(int(self.headers["content-length"]))))

    def log_message(self, *_: object) -> None:
        """Tests are quiet."""

    def _answer(self, body: Any) -> None:
        owner: ModelServer = self.server.owner  # type: ignore[attr-defined]
        answer = owner.take(Request(self.path, dict(self.headers), body))
        owner.count(1)
        try:
            answer(self, body)
        except (BrokenPipeError, ConnectionResetError):  # whoever asked has gone
            self.close_connection = True
        finally:
            owner.count(-1)


def give(
    handler: Handler,
    status: int,
    data: bytes,
    *,
    length: int | None = None,
    kind: str = "application/json",
    **headers: str,
) -> None:
    """Write an answer; `length` may say more than there is."""
    handler.send_response(status)
    handler.send_header("Content-Type", kind)
    handler.send_header("Content-Length", str(len(data) if length is None else length))
    for name, value in headers.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.end_headers()
    handler.wfile.write(data)
    handler.close_connection = length is not None


def say(status: int, data: Any, **headers: str) -> Answer:
    """An answer in JSON."""
    return lambda handler, _: give(handler, status, json.dumps(data).encode(), **headers)


def reply(content: Any, *, finish: str = "stop", logprobs: Any = None) -> Answer:
    """A suggestion: the content of a chat completion."""
    choice = {
        "index": 0, "message": {"role": "assistant", "content": content}, "finish_reason": finish,
        "logprobs": logprobs,
    }  # fmt: skip
    return say(200, {"object": "chat.completion", "choices": [choice]})
