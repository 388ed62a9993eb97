"""A Label Studio of its own for a comparison: a server on this machine, a project, its two calls.

It lives in a virtual environment apart from Argus's; `ARGUS_LABEL_STUDIO` names that one's python.
"""

from __future__ import annotations

import json
import os
import secrets
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

VARIABLE = "ARGUS_LABEL_STUDIO"
HOW_TO = (
    f"needs Label Studio: python3 -m venv LS && LS/bin/pip install label-studio==1.23.2, then "
    f"{VARIABLE}=LS/bin/python make bench"
)
STARTS_WITHIN = 400  # seconds: the first start builds its database
_CONFIG = """<View><Labels name="part" toName="text"><Label value="launch"/><Label value="agent"/>
</Labels><Relations><Relation value="agent"/></Relations><Text name="text" value="$text"/></View>"""
_QUIET = {
    "COLLECT_ANALYTICS": "false", "LATEST_VERSION_CHECK": "false", "LOG_LEVEL": "ERROR",
    "SENTRY_DSN": "", "FRONTEND_SENTRY_DSN": "", "LABEL_STUDIO_ENABLE_LEGACY_API_TOKEN": "true",
}  # fmt: skip


class LabelStudio:
    """A server with one project, asked over one connection that stays open."""

    def __init__(self, python: str, folder: Path, *, port: int) -> None:
        self._token = secrets.token_hex(20)
        self._log = folder / "label-studio.log"
        command = [
            str(Path(python).with_name("label-studio")), "start", "--no-browser",
            "--internal-host", "127.0.0.1", "--port", str(port), "--data-dir", str(folder),
            "--username", "ana@example.org", "--password", secrets.token_hex(12),
            "--user-token", self._token,
        ]  # fmt: skip
        settings = _QUIET | {"LABEL_STUDIO_BASE_DATA_DIR": str(folder)}
        with self._log.open("wb") as log:
            self._server = subprocess.Popen(
                command, env=os.environ | settings, stdout=log, stderr=log, start_new_session=True
            )
        self._connection = HTTPConnection("127.0.0.1", port, timeout=600)
        self._project = 0

    def open_project(self, texts: Sequence[str]) -> None:
        """Wait for the server, make a project, and import the texts."""
        self._wait()
        asked = {"title": "Argus beside it", "label_config": _CONFIG}
        self._project = self._ask("POST", "/api/projects", asked)["id"]
        tasks = [{"text": text} for text in texts]
        self._ask("POST", f"/api/projects/{self._project}/import", tasks)

    def next_task(self) -> dict[str, Any]:
        """The next task that waits: its id and its text under `data`."""
        found: dict[str, Any] = self._ask("GET", f"/api/projects/{self._project}/next")
        return found

    def submit(self, task: Mapping[str, Any], spans: Mapping[str, tuple[int, int]]) -> None:
        """Submit an annotation: labelled spans, and that the agent belongs to the launch."""
        text = task["data"]["text"]
        result: list[dict[str, Any]] = [
            {
                "id": label, "type": "labels", "from_name": "part", "to_name": "text",
                "value": {"start": start, "end": end, "text": text[start:end], "labels": [label]},
            }
            for label, (start, end) in spans.items()
        ]  # fmt: skip
        result.append(
            {"type": "relation", "from_id": "launch", "to_id": "agent", "labels": ["agent"]}
        )
        self._ask(
            "POST", f"/api/tasks/{task['id']}/annotations/", {"result": result, "lead_time": 3.0}
        )

    def stop(self) -> None:
        """End the server and what it started."""
        self._connection.close()
        os.killpg(self._server.pid, signal.SIGKILL)
        self._server.wait(30)

    def _wait(self) -> None:
        ends = time.monotonic() + STARTS_WITHIN
        while time.monotonic() < ends and self._server.poll() is None:
            try:
                self._ask("GET", "/api/version")
                return
            except (OSError, AssertionError):
                self._connection.close()
                time.sleep(1)
        raise AssertionError(f"Label Studio did not start:\n{self._log.read_text()[-3000:]}")

    def _ask(self, method: str, path: str, body: object = None) -> Any:
        sent = None if body is None else json.dumps(body).encode()
        headers = {"Authorization": f"Token {self._token}", "Content-Type": "application/json"}
        self._connection.request(method, path, body=sent, headers=headers)
        answer = self._connection.getresponse()
        said = answer.read()
        assert answer.status < 400, f"{method} {path}: {answer.status} {said[:400]!r}"
        return json.loads(said)
