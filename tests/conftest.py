"""Fixtures every kind of test may use: a fresh home folder and the store in it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from storage.home import Home
from storage.store import Store, open_store


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    """An empty `ARGUS_HOME` of this test's own."""
    monkeypatch.setenv("ARGUS_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("ARGUS_DATABASE_URL", raising=False)
    return Home.from_environment()


@pytest.fixture
def store(home: Home) -> Iterator[Store]:
    """An empty store, closed at the end."""
    opened = open_store(home)
    yield opened
    opened.engine.dispose()
