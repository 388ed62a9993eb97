"""Run the real app, headless, on a fresh home; the data is put there through the store."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from core.records import CollectionRecord
from storage.home import Home
from tests.app.data import BASE, SCHEMA, make_sample
from train.services import Services, open_services

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def services(home: Home, monkeypatch: pytest.MonkeyPatch) -> Iterator[Services]:
    """The services of a fresh home, with the person's name given and no model but the test's own."""
    monkeypatch.setattr("train.services.register_embedded", lambda _: None)
    opened = open_services(home)
    opened.store.collections.set_person("Ana")
    yield opened
    opened.store.engine.dispose()


@pytest.fixture
def real_base(services: Services, tiny_model: Path) -> CollectionRecord:
    """Three Chinese and three Russian samples, and a base with its files."""
    record = services.store.collections.create("新闻", SCHEMA)
    samples = [
        make_sample(code, f"s{i}", split="train", labelled=True)
        for code in ("zh", "ru") for i in range(3)
    ]  # fmt: skip
    services.store.samples.add(record.id, samples, schema_number=1)
    services.store.models.add(BASE, title="Tiny", state="base", location=str(tiny_model))
    return record


@pytest.fixture
def newcomer(home: Home) -> Iterator[AppTest]:
    """The app as it is on the first visit, not yet run."""
    st.cache_resource.clear()
    yield AppTest.from_file(str(ROOT / "app.py"), default_timeout=30)
    st.cache_resource.clear()


@pytest.fixture
def app(newcomer: AppTest, services: Services) -> AppTest:
    """The app of a person whose name is known, not yet run."""
    return newcomer


@pytest.fixture
def open_page(app: AppTest) -> Callable[..., AppTest]:
    """Open a page by its name, as the address would: `open_page("samples", language="ru")`."""

    def go(name: str, **query: str) -> AppTest:
        app.query_params.update(query)
        app.run()
        app.switch_page(f"pages/{name}.py")
        app.query_params.update(query)
        return app.run()

    return go
