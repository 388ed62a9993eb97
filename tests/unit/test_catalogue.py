"""Every text that a page asks for is in the catalogue, and its values have their places."""

import re
from pathlib import Path

import pytest

from pages._ui.catalogue import TEXTS, t, tn

ROOT = Path(__file__).resolve().parents[2]
SOURCES = [
    ROOT / "app.py",
    *sorted(p for p in (ROOT / "pages").rglob("*.py") if not p.name.startswith("catalogue")),
]
LITERAL = re.compile(r"\bt\(\s*\"([\w.]+)\"")
COUNTED = re.compile(r"\btn\(\s*\"([\w.]+)\"")


@pytest.mark.parametrize("source", SOURCES, ids=lambda p: p.name)
def test_each_text_that_a_page_asks_for_is_there(source):
    code = source.read_text(encoding="utf-8")

    missing = [key for key in LITERAL.findall(code) if key not in TEXTS["en"]]
    missing += [
        f"{key}.{form}"
        for key in COUNTED.findall(code)
        for form in ("one", "other")
        if f"{key}.{form}" not in TEXTS["en"]
    ]

    assert missing == []


def test_one_and_many_are_told_apart():
    assert tn("count.sample", 1) == "1 sample"
    assert tn("count.sample", 1200) == "1,200 samples"


def test_a_language_without_a_text_falls_back_to_english(monkeypatch):
    monkeypatch.setitem(TEXTS, "ru", {"page.home": "Главная"})
    monkeypatch.setattr("pages._ui.catalogue.LANGUAGE", "ru")

    assert t("page.home") == "Главная"
    assert t("page.samples") == "Samples"
