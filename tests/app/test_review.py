"""The review page without a browser: what the workbench is given, and what comes of its messages."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from core.errors import StorageError
from core.events import Argument, Event, span
from core.samples import Sample
from core.schema import EventType, Role, Schema
from pages._ui.workbench import KEY
from storage.samples import Samples
from storage.store import Store
from tests.app.inject import component_data, fire

APP = Path(__file__).resolve().parents[2] / "app.py"
TEXTS = {
    "zh": ("😀华为推出手机。", "推出", "华为"),
    "ru": ("Акме запустила сервис.", "запустила", "Акме"),
}
SCHEMA = Schema((EventType("launch", roles=(Role("agent", required=True, multiple=False),)),))


@pytest.fixture
def keys(store: Store) -> dict[str, int]:
    """A suggested sample a language, in the collection News."""
    store.collections.set_person("Ana")
    collection = store.collections.create("News", SCHEMA)
    store.models.add("scripted", title="Scripted", state="base", location="/nowhere")
    samples = [Sample(id=c, language=c, modality="text", text=t[0]) for c, t in TEXTS.items()]
    found = store.samples.add(collection.id, samples, schema_number=1)
    for key, (text, trigger, agent) in zip(found, TEXTS.values(), strict=True):
        at, by = text.index(trigger), text.index(agent)
        event = Event(
            "launch",
            span(text, at, at + len(trigger), confidence=0.9),
            (Argument("agent", span(text, by, by + len(agent), confidence=0.5)),),
        )
        store.samples.add_suggestion(
            key, [event], model_id="scripted", raw_reply="[]", prompt_version="full.v1",
            schema_number=1, decoding={}, seconds=0.1,
        )  # fmt: skip
    return dict(zip(TEXTS, found, strict=True))


def open_review(key: int | None = None, **params: str) -> AppTest:
    """The review page of the app, at a sample."""
    st.cache_resource.clear()
    at = AppTest.from_file(APP, default_timeout=30)
    at.run()
    at.switch_page("pages/review.py")
    for name, value in ({"sample": str(key)} if key else {} | params).items():
        at.query_params[name] = value
    return at.run()


def opened(at: AppTest) -> dict[str, Any]:
    """The document that the workbench was given for the open sample."""
    found: dict[str, Any] = component_data(at, KEY)["open"]["fresh"]
    return copy.deepcopy(found)


def message(document: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A message as the browser sends it."""
    return {"id": "m1", "document": document, "seconds": 3, "base": None, **more}


@pytest.mark.parametrize("language", TEXTS)
def test_the_workbench_gets_text_suggestion_schema_and_neighbours(
    keys: dict[str, int], language: str
) -> None:
    at = open_review(keys[language])
    data = component_data(at, KEY)
    event = data["open"]["fresh"]["events"][0]

    assert not at.exception
    assert data["open"]["text"] == TEXTS[language][0]
    assert (event["decision"], event["trigger"]["text"]) == ("open", TEXTS[language][1])
    assert event["arguments"][0]["confidence"] == 0.5
    assert [r["name"] for r in data["schema"][0]["roles"]] == ["agent"]
    assert data["next"]["key"] == keys["ru" if language == "zh" else "zh"]
    assert data["progress"] == {"reviewed": 0, "total": 2}


@pytest.mark.parametrize("language", TEXTS)
def test_a_draft_is_in_the_database_after_the_message_and_answered(
    keys: dict[str, int], store: Store, language: str
) -> None:
    at = open_review(keys[language])
    document = opened(at)
    document["events"][0]["decision"] = "accepted"

    fire(at, KEY, "draft", message(document, rev=1, undo=[{"events": {}}], redo=[]))
    draft = store.samples.draft(keys[language], "Ana")
    data = component_data(at, KEY)

    assert draft is not None
    assert (draft.rev, draft.document["document"]["events"][0]["decision"]) == (1, "accepted")
    assert draft.document["undo"] == [{"events": {}}]
    assert (data["done"], data["problems"], data["open"]["draft"]["rev"]) == (["m1"], [], 1)


@pytest.mark.parametrize("language", TEXTS)
def test_a_submit_stores_the_review_and_opens_the_sample_on_the_screen(
    keys: dict[str, int], store: Store, language: str
) -> None:
    at = open_review(keys[language])
    other = keys["ru" if language == "zh" else "zh"]

    fire(at, KEY, "submit", message(opened(at), at=other))
    (review,) = store.samples.reviews(keys[language])
    data = component_data(at, KEY)

    assert [m.text for m in review.events[0].mentions()] == list(TEXTS[language][1:])
    assert review.events[0].confidence is None
    assert (review.person, review.seconds, review.difference) == ("Ana", 3.0, [])
    assert (data["open"]["key"], data["next"]) == (other, None)
    assert data["progress"] == {"reviewed": 1, "total": 2}


def test_the_same_submit_twice_is_one_review(keys: dict[str, int], store: Store) -> None:
    at = open_review(keys["zh"])
    document = opened(at)

    for ident in ("m1", "m2"):
        draft = {"document": document, "rev": 3, "base": None, "id": f"d{ident}"}
        fire(at, KEY, "draft", draft)
        fire(at, KEY, "submit", message(document, at=keys["ru"]) | {"id": ident})

    assert len(store.samples.reviews(keys["zh"])) == 1
    assert store.samples.draft(keys["zh"], "Ana") is None
    assert component_data(at, KEY)["problems"] == []


def test_a_submit_that_comes_again_leads_nobody_away(keys: dict[str, int], store: Store) -> None:
    at = open_review(keys["zh"])
    document = opened(at)
    fire(at, KEY, "submit", message(document, at=keys["ru"]))

    fire(at, KEY, "submit", message(document, at=keys["zh"]) | {"id": "again"})

    data = component_data(at, KEY)
    assert (data["done"], data["open"]["key"]) == (["m1", "again"], keys["ru"])
    assert len(store.samples.reviews(keys["zh"])) == 1


def test_a_draft_that_comes_again_after_its_review_is_not_kept_but_other_changes_are(
    keys: dict[str, int], store: Store
) -> None:
    at = open_review(keys["zh"])
    document = opened(at)
    fire(at, KEY, "submit", message(document, at=keys["ru"]))

    fire(at, KEY, "draft", {"document": document, "rev": 3, "base": None, "id": "again"})
    again = store.samples.draft(keys["zh"], "Ana")
    drop_required(document)
    fire(at, KEY, "draft", {"document": document, "rev": 4, "base": None, "id": "other"})
    other = store.samples.draft(keys["zh"], "Ana")

    assert again is None
    assert other is not None
    assert other.rev == 4
    assert component_data(at, KEY)["problems"] == []


def change_offset(document: dict[str, Any]) -> None:
    document["events"][0]["trigger"].update(start=90, end=95)


def change_words(document: dict[str, Any]) -> None:
    document["events"][0]["trigger"].update(start=0, end=1)


def change_type(document: dict[str, Any]) -> None:
    document["events"][0]["event_type"] = "взрыв"


def change_role(document: dict[str, Any]) -> None:
    document["events"][0]["arguments"][0]["role"] = "地点"


def drop_required(document: dict[str, Any]) -> None:
    document["events"][0]["arguments"][0]["decision"] = "rejected"


def add_unknown_key(document: dict[str, Any]) -> None:
    document["events"][0]["surprise"] = 1


def reject_all(document: dict[str, Any]) -> None:
    document["events"][0]["decision"] = "rejected"


@pytest.mark.parametrize(
    ("break_it", "said"),
    [
        (change_offset, "outside the text"),
        (change_words, "the text at 0–1"),
        (change_type, "'взрыв' is not in the schema"),
        (change_role, "no role '地点'"),
        (drop_required, "needs 'agent'"),
        (add_unknown_key, "surprise"),
        (reject_all, "no event"),
    ],
)
def test_a_wrong_review_is_refused_in_one_line_and_nothing_is_stored(
    keys: dict[str, int], store: Store, break_it: Any, said: str
) -> None:
    at = open_review(keys["ru"])
    document = opened(at)
    break_it(document)

    fire(at, KEY, "submit", message(document, at=keys["zh"]))
    data = component_data(at, KEY)

    assert said in data["problems"][0]["message"]
    assert data["problems"][0] | {"message": ""} == {"id": "m1", "message": "", "retry": False}
    assert store.samples.reviews(keys["ru"]) == []


def test_a_database_that_refuses_leaves_the_message_unanswered_so_that_it_comes_again(
    keys: dict[str, int], store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = open_review(keys["ru"])
    document = opened(at)

    def refuse(*_: object, **__: object) -> int:
        raise StorageError("the disk is full: this step was not saved")

    with monkeypatch.context() as broken:
        broken.setattr(Samples, "save_draft", refuse)
        fire(at, KEY, "draft", message(document, rev=1))
    told = component_data(at, KEY)
    fire(at, KEY, "draft", message(document, rev=1))
    after = component_data(at, KEY)

    assert (told["done"], told["problems"][0]["retry"]) == ([], True)
    assert "disk is full" in told["problems"][0]["message"]
    assert (after["done"], after["problems"]) == (["m1"], [])


def test_what_nobody_expected_is_told_logged_and_answered_so_that_it_does_not_come_for_ever(
    keys: dict[str, int],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    at = open_review(keys["ru"])
    document = opened(at)

    def fall(*_: object, **__: object) -> int:
        raise RuntimeError("наоборот")

    with monkeypatch.context() as broken:
        broken.setattr(Samples, "save_draft", fall)
        fire(at, KEY, "draft", message(document, rev=1))
    told = component_data(at, KEY)

    assert not at.exception
    assert (told["done"], told["problems"][0]["retry"]) == (["m1"], False)
    assert "RuntimeError: наоборот" in told["problems"][0]["message"]
    assert "RuntimeError: наоборот" in caplog.text


def test_a_skipped_sample_leads_to_the_next_one(keys: dict[str, int], store: Store) -> None:
    at = open_review(keys["zh"])

    fire(at, KEY, "skip", {"id": "m1", "from": keys["zh"]})
    data = component_data(at, KEY)

    assert data["open"]["key"] == keys["ru"]
    assert store.notes.is_skipped(keys["zh"], person="Ana")


def test_the_filter_chooses_language_and_state(keys: dict[str, int]) -> None:
    at = open_review(keys["zh"])

    fire(at, KEY, "filter", {"id": "m1", "language": "ru", "unreviewed": True, "at": keys["zh"]})
    data = component_data(at, KEY)

    assert data["open"]["key"] == keys["ru"]
    assert data["filter"]["language"] == "ru"
    assert [(x["code"], x["waiting"]) for x in data["filter"]["languages"]] == [
        ("zh", 1),
        ("ru", 1),
    ]
    assert at.query_params["language"] in ("ru", ["ru"])


def test_a_sample_that_is_gone_leads_to_the_next_one(keys: dict[str, int]) -> None:
    at = open_review(98765)

    assert not at.exception
    assert component_data(at, KEY)["open"]["key"] == keys["zh"]


def test_an_empty_collection_leads_to_the_import(store: Store) -> None:
    store.collections.set_person("Ana")
    store.collections.create("空", SCHEMA)

    at = open_review()

    assert not at.exception
    assert at.get("bidi_component") == []
    assert any(b.label == "Bring in samples" for b in at.button)
