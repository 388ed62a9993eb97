"""Start the app and one worker, start again whichever falls, and stop both together."""

from __future__ import annotations

import errno
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable

from core.errors import SetupError
from storage.home import CHECKOUT, Home

PAUSE = 0.3
RESTARTS = 5  # falls within a minute, after which something is wrong that a restart cannot mend


def run(home: Home, *, port: int = 8501, say: Callable[[str], None]) -> int:
    """Run until Ctrl-C or SIGTERM; returns the exit code."""
    check_port(port)
    environment = os.environ | {"ARGUS_HOME": str(home.root), "PYTHONUNBUFFERED": "1"}
    commands = {
        "app": [
            sys.executable, "-m", "streamlit", "run", str(CHECKOUT / "asgi.py"),
            "--server.port", str(port), "--server.address", "127.0.0.1", "--server.headless", "true",
        ],
        "worker": [sys.executable, "-m", "train.worker"],
    }  # fmt: skip
    stopping: list[int] = []
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopping.append(1))
    children = {name: _start(command, environment) for name, command in commands.items()}
    say(f"Argus is at http://127.0.0.1:{port} — Ctrl-C stops it")
    falls: list[float] = []
    code = 0
    while not stopping:
        time.sleep(PAUSE)
        for name, child in children.items():
            if child.poll() is None or stopping:
                continue
            falls = [t for t in falls if time.monotonic() - t < 60] + [time.monotonic()]
            if len(falls) > RESTARTS:
                say(f"the {name} fell {len(falls)} times in a minute: see {home.logs}")
                stopping.append(1)
                code = 1
                break
            say(f"the {name} ended (code {child.returncode}): starting it again")
            children[name] = _start(commands[name], environment)
    say("stopping")
    for child in children.values():
        child.terminate()
    for child in children.values():
        try:
            child.wait(timeout=60)
        except subprocess.TimeoutExpired:
            child.kill()
    return code


def check_port(port: int) -> None:
    """Raise `SetupError` if something listens on the port, or it may not be opened."""
    other = port + 1 if port < 65535 else port - 1
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as problem:
            if problem.errno == errno.EADDRINUSE:
                raise SetupError(
                    f"port {port} is taken ({problem.strerror}): stop what uses it, or choose another "
                    f"with `argus run --port {other}` (`make run PORT={other}`)"
                ) from problem
            if problem.errno == errno.EACCES:
                other = 8501  # beside a port that is not ours lie others that are not
            raise SetupError(
                f"port {port} cannot be opened ({problem.strerror}): choose another "
                f"with `argus run --port {other}` (`make run PORT={other}`)"
            ) from problem


def _start(command: list[str], environment: dict[str, str]) -> subprocess.Popen[bytes]:
    # A session of its own: Ctrl-C reaches this process alone, which then stops both in order.
    return subprocess.Popen(command, cwd=CHECKOUT, env=environment, start_new_session=True)
