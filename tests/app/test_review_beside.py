"""What the review page does with messages about notes, skipping, queues and what lies beside."""

from __future__ import annotations

from typing import Any

import pytest

from pages._ui.workbench import KEY
from storage.store import Store
from tests.app import test_review
from tests.app.inject import component_data, fire
from tests.app.test_review import TEXTS, open_review

keys = test_review.keys  # the fixture: a suggested sample a language


def note(key: int, **values: Any) -> dict[str, Any]:
    return {
        "id": "m1", "sample": key, "act": "comment", "text": "", "start": None, "end": None,
        "note": None,
    } | values  # fmt: skip


@pytest.mark.parametrize("language", TEXTS)
def test_a_note_that_comes_twice_is_one_and_is_shown_with_the_sample(
    keys: dict[str, int],
    store: Store,
    language: str,
) -> None:
    key, at = keys[language], open_review(keys[language])

    for ident in ("m1", "m2"):
        fire(at, KEY, "note", note(key, id=ident, text="кто? 谁", start=0, end=2))
    data = component_data(at, KEY)
    (kept,) = data["open"]["notes"]
    fire(at, KEY, "note", note(key, id="m3", act="resolve", note=kept["id"]))

    assert (kept["text"], kept["words"], kept["person"]) == (
        "кто? 谁",
        TEXTS[language][0][:2],
        "Ana",
    )
    assert component_data(at, KEY)["open"]["notes"][0]["resolved_by"] == "Ana"
    assert store.notes.list(key, only_open=True) == []


def test_a_note_outside_the_text_is_refused_in_one_line(
    keys: dict[str, int],
    store: Store,
) -> None:
    at = open_review(keys["zh"])

    fire(at, KEY, "note", note(keys["zh"], text="x", start=3, end=900))

    assert "outside the text" in component_data(at, KEY)["problems"][0]["message"]
    assert store.notes.list(keys["zh"]) == []


def test_a_skipped_sample_goes_to_the_end_of_this_persons_queue(
    keys: dict[str, int],
    store: Store,
) -> None:
    at = open_review(keys["zh"])

    fire(at, KEY, "skip", {"id": "m1", "at": keys["ru"], "from": keys["zh"]})
    data = component_data(at, KEY)

    assert (data["open"]["key"], data["next"]["key"]) == (keys["ru"], keys["zh"])
    assert store.notes.is_skipped(keys["zh"], person="Ana")


def test_a_queue_by_its_link_has_an_order_a_place_and_a_reason(keys: dict[str, int]) -> None:
    at = open_review(queue="uncertain", language="ru")

    data = component_data(at, KEY)

    assert data["open"]["key"] == keys["ru"]
    assert (data["queue"]["number"], data["queue"]["total"]) == (1, 1)
    assert data["open"]["why"].startswith("model")
    assert data["filter"]["queue"] == "uncertain"


@pytest.mark.parametrize("link", ["999", "нет", "1; drop"])
def test_a_queue_that_is_gone_gives_way_to_the_filter(keys: dict[str, int], link: str) -> None:
    at = open_review(queue=link)

    data = component_data(at, KEY)

    assert not at.exception
    assert data["filter"]["queue"] == ""
    assert data["open"]["key"] == keys["zh"]
    assert any("no queue" in toast.value for toast in at.toast)


def test_help_history_and_opinions_come_when_they_are_asked_for(
    keys: dict[str, int],
    store: Store,
) -> None:
    at = open_review(keys["ru"])
    before = component_data(at, KEY)["side"]

    for number, act in enumerate(("help", "history", "opinions")):
        fire(at, KEY, "side", {"id": f"s{number}", "act": act, "at": keys["ru"]})
    side = component_data(at, KEY)["side"]

    assert before == {}
    assert side["sample"] == keys["ru"]
    assert side["help"] == {"parallel": [], "similar": []}
    assert side["history"] == {"versions": []}
    assert [c["label"] for c in side["opinions"]["choices"]] == ["Scripted"]
