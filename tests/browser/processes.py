"""Processes that a test may kill: a Chromium with profiles of its own, and the worker."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import BrowserType, Page

from tests.browser.conftest import FLAGS, ROOT, find_chromium


class OwnBrowser:
    """Chromium in a process group of its own, with one of several profiles."""

    def __init__(self, kind: BrowserType, folder: Path) -> None:
        self.kind, self.folder = kind, folder
        self.process: subprocess.Popen[bytes] | None = None

    def open(self, profile: int) -> Page:
        """Start it and open a page."""
        home = self.folder / f"profile-{profile}"
        port = home / "DevToolsActivePort"
        port.unlink(missing_ok=True)
        (home / "SingletonLock").unlink(missing_ok=True)  # of the one that was killed
        command = [find_chromium(), *FLAGS, "--headless=new", "--remote-debugging-port=0"]
        self.process = subprocess.Popen(
            [*command, f"--user-data-dir={home}", "about:blank"], start_new_session=True,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        assert wait(lambda: port.exists() and "\n" in port.read_text(), seconds=60), "no Chromium"
        address = f"http://127.0.0.1:{port.read_text().splitlines()[0]}"
        page = self.kind.connect_over_cdp(address).contexts[0].new_page()
        page.set_viewport_size({"width": 1440, "height": 900})
        return page

    def is_alive(self) -> bool:
        """Whether it runs."""
        return self.process is not None and self.process.poll() is None

    def kill(self) -> None:
        """End all its processes at once."""
        if self.process is not None and self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait(10)


class RunningWorker:
    """`python -m train.worker` on the app's home."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it; it needs no model to look after its jobs."""
        environment = {k: v for k, v in os.environ.items() if k != "ARGUS_DATABASE_URL"}
        with (self.home / "worker.log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "train.worker"], cwd=ROOT, stdout=log, stderr=log,
                env=environment | {"ARGUS_HOME": str(self.home), "OMP_NUM_THREADS": "1"},
            )  # fmt: skip

    def kill(self) -> None:
        """End it at once."""
        if self.process is not None:
            self.process.kill()
            self.process.wait(10)


def wait(is_so: Callable[[], bool], *, seconds: float) -> bool:
    """Wait until something is so, at most so long."""
    end = time.monotonic() + seconds
    while not (found := is_so()) and time.monotonic() < end:
        time.sleep(0.05)
    return found
