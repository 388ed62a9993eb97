"""Browser tests: the real app in a process of its own, driven through the machine's Chromium."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from core.schema import EventType, Role, Schema
from storage.home import Home
from storage.store import Store, open_store

ROOT = Path(__file__).resolve().parents[2]
SCHEMA = Schema(
    (
        EventType(
            "launch", {"en": "Launch", "ru": "Запуск", "zh": "发布"}, "",
            (
                Role("agent", {"en": "Agent", "ru": "Кто", "zh": "主体"}, required=True, multiple=False),
                Role("product", {"en": "Product"}),
                Role("place", {"en": "Place"}, multiple=False),
            ),
        ),
        EventType(
            "attack", {"en": "Attack"}, "",
            (Role("attacker", {"en": "Attacker"}), Role("target", {"en": "Target"}),
             Role("place", {"en": "Place"})),
        ),
    )
)  # fmt: skip


FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run",
    "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
]  # fmt: skip


def find_chromium() -> str:
    """The machine's own Chromium; the test is skipped where there is none."""
    names = ("chromium", "chromium-browser", "google-chrome")
    path = next((found for name in names if (found := shutil.which(name))), None)
    return path or pytest.skip("needs Chromium: install it with `apt-get install chromium`")


class RunningApp:
    """`streamlit run asgi.py` as `argus run` starts it, on a free port, with a home of its own. It can be killed and come back."""

    def __init__(self, home: Path) -> None:
        self.home = home
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port: int = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the server and wait until it answers."""
        command = [
            sys.executable, "-m", "streamlit", "run", "asgi.py", "--server.port", str(self.port),
            "--server.address", "127.0.0.1", "--server.headless", "true",
        ]  # fmt: skip
        environment = {k: v for k, v in os.environ.items() if k != "ARGUS_DATABASE_URL"}
        with (self.home / "app.log").open("ab") as log:
            self.process = subprocess.Popen(
                command, cwd=ROOT, env=environment | {"ARGUS_HOME": str(self.home)},
                stdout=log, stderr=log,
            )  # fmt: skip
        for _ in range(300):
            if self.answers():
                return
            time.sleep(0.2)
        raise AssertionError((self.home / "app.log").read_text())

    def answers(self) -> bool:
        """Whether the server answers."""
        try:
            with urllib.request.urlopen(f"{self.url}/_stcore/health", timeout=1):
                return True
        except (urllib.error.URLError, OSError):
            return False

    def kill(self) -> None:
        """End the server at once, as a power cut would."""
        if self.process is not None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait(10)


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningApp]:
    """The app over an empty home, one for all tests of a file."""
    running = RunningApp(tmp_path_factory.mktemp("home"))
    yield running
    running.kill()


def open_news(home: Path) -> Store:
    """The store of a home, with a collection, a person and a model."""
    opened = open_store(Home(home))
    opened.collections.set_person("Ana")
    opened.collections.create("News", SCHEMA)
    opened.models.add("scripted", title="Scripted", state="base", location="/nowhere")
    return opened


@pytest.fixture(scope="module")
def store(app: RunningApp) -> Iterator[Store]:
    """The store that the app works on, with a collection, a person and a model."""
    opened = open_news(app.home)
    app.start()
    yield opened
    opened.engine.dispose()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """The machine's own Chromium, without a window."""
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=find_chromium(), args=FLAGS)
        yield opened
        opened.close()


@pytest.fixture(scope="session")
def profile(browser: Browser) -> Iterator[BrowserContext]:
    """A browser profile: what it fetched is there for all tests, as a person's second visit has it."""
    opened = browser.new_context(viewport={"width": 1440, "height": 900}, locale="en-US")
    yield opened
    opened.close()


@pytest.fixture
def page(profile: BrowserContext) -> Iterator[Page]:
    """A page, 1440 wide, of a profile that remembers nothing else; an error in the page's own script
    fails the test."""
    opened = profile.new_page()
    errors: list[str] = []
    opened.on("pageerror", lambda error: errors.append(str(error)))
    yield opened
    for left in profile.pages:
        left.close()
    _forget(profile, opened.url)
    assert errors == []


def _forget(profile: BrowserContext, url: str) -> None:
    """Remove what a site's pages have put down in a profile."""
    profile.clear_cookies()
    empty = profile.new_page()
    parts = urlsplit(url)
    said = {"origin": f"{parts.scheme}://{parts.netloc}", "storageTypes": "all"}
    profile.new_cdp_session(empty).send("Storage.clearDataForOrigin", said)
    empty.close()
