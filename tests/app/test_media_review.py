"""The review page of samples with pictures, without a browser: what the workbench is given of them."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from starlette.applications import Starlette
from starlette.testclient import TestClient

from core.events import Event, Mention
from core.placed_words import PlacedText, PlacedWord, placed_to_dict
from core.review import document_from, document_to_dict
from core.schema import EventType, Role, Schema
from pages._ui import workbench_script
from pages._ui.workbench import KEY
from storage.home import Home
from storage.store import Store
from tests.app.inject import component_data, fire
from tests.app.test_review import message, open_review
from train import media_parts as parts
from train.jobs import handle_job
from train.media import prepare_media
from train.media_import import import_bundle
from train.media_links import read_link
from train.services import Services
from train.warm import WarmModel

SCHEMA = Schema((EventType("attack", roles=(Role("target"),)),))
TEXT = PlacedText(
    "Акме 😀\n袭击",
    (
        PlacedWord("Акме", 0, 4, (0.1, 0.1, 0.2, 0.1)),
        PlacedWord("😀", 5, 6, (0.4, 0.1, 0.1, 0.1)),
        PlacedWord("袭击", 7, 9, (0.1, 0.5, 0.2, 0.1), page=1),
    ),
)


@pytest.fixture
def key(store: Store, services: Services, tmp_path: Path) -> int:
    """A sample with two pages, and a picture whose file is not there."""
    store.collections.set_person("Ana")
    collection = store.collections.create("News", SCHEMA)
    store.models.add("scripted", title="Scripted", state="base", location="/nowhere")
    pages = [Image.new("RGB", (90, 60), colour) for colour in ("red", "blue")]
    pages[0].save(tmp_path / "pages.tif", save_all=True, append_images=pages[1:])
    media = [
        {"id": f"m{i}", "kind": "image", "path": path}
        for i, path in enumerate(("pages.tif", "gone.png"))
    ]
    line = {"id": "s", "language": "ru", "modality": "mixed", "text": "Акме.", "media": media}
    (tmp_path / "s.jsonl").write_text(json.dumps(line), "utf-8")
    import_bundle(services, tmp_path / "s.jsonl", collection="News")
    (record,) = store.samples.list(collection_id=collection.id)
    return record.key


@pytest.fixture
def services(store: Store) -> Services:
    """The services of the tests' home."""
    return Services(Home.from_environment(), store)


def prepare(services: Services, key: int) -> None:
    """Make the media ready as the worker does; the words are there already."""
    (file,) = [m.file for m in services.store.media.of(key) if m.file]
    words = parts.words(("ru",)).derived
    assert words is not None
    services.store.media.files.put_derived(
        file.sha256, words, json.dumps(placed_to_dict(TEXT)).encode()
    )
    collection = services.store.samples.get(key).collection_id
    while (job := prepare_media(services, collection)) is not None:
        handle_job(services, WarmModel(services), job)


def ask(key: int, **what: Any) -> dict[str, Any]:
    """What the side says after a question of the browser."""
    found: dict[str, Any] = component_data(
        fire(open_review(key), KEY, "side", {"id": "s1", "at": key, **what}), KEY
    )
    return found


def test_an_unprepared_picture_is_asked_for_and_a_missing_one_says_so(
    key: int, store: Store
) -> None:
    data = component_data(open_review(key), KEY)

    new, missing = data["open"]["media"]
    assert (new["state"], new["name"], missing["state"]) == ("new", "pages.tif", "missing")
    assert "gone.png" in missing["problem"]
    assert data["preparing"]["state"] in ("queued", "running")
    (job,) = store.jobs.open("media")
    assert job.payload["first"] == [key]


def test_a_ready_picture_has_links_for_the_person_alone(key: int, services: Services) -> None:
    prepare(services, key)

    data = component_data(open_review(key), KEY)

    ready = data["open"]["media"][0]
    assert (ready["state"], ready["width"], ready["height"], ready["pages"]) == ("ready", 90, 60, 2)
    assert data["preparing"] == {"state": "none"}
    token = ready["view"].removeprefix("/files/")
    assert read_link(services.home, token, person="Ana").part == "view:0"


def fail(services: Services, key: int, problem: str) -> None:
    """The picture as a worker leaves one that it could not make ready."""
    (file,) = [m.file for m in services.store.media.of(key) if m.file]
    services.store.media.keep(replace(file, state="failed", problem=problem))


def test_a_picture_that_failed_is_made_again_when_a_person_asks(
    key: int, services: Services
) -> None:
    fail(services, key, "the decoder was not there")
    at = open_review(key)
    before = component_data(at, KEY)

    asked = component_data(
        fire(at, KEY, "ask", {"id": "a1", "at": key, "act": "prepare", "media": "m0"}), KEY
    )
    prepare(services, key)
    after = component_data(at.run(), KEY)["open"]["media"][0]

    assert before["open"]["media"][0]["problem"] == "the decoder was not there"
    assert before["preparing"] == {"state": "none"}
    assert (asked["open"]["media"][0]["state"], asked["done"]) == ("new", ["a1"])
    assert asked["preparing"]["state"] in ("queued", "running")
    assert (after["state"], after["problem"]) == ("ready", "")


def test_a_picture_that_is_ready_before_the_page_is_painted_is_shown(
    key: int, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    def at_once(_: Services, collection_id: int, *, first: int | None = None) -> int | None:
        job = prepare_media(services, collection_id, first=first)
        prepare(services, key)
        return job

    monkeypatch.setattr("pages._ui.desk_media.prepare_media", at_once)

    data = component_data(open_review(key), KEY)

    assert data["preparing"]["state"] == "done"
    assert data["open"]["media"][0]["state"] == "ready"


def test_asking_again_for_a_picture_that_is_ready_makes_nothing(
    key: int, services: Services, store: Store
) -> None:
    prepare(services, key)

    fire(open_review(key), KEY, "ask", {"id": "a1", "at": key, "act": "prepare", "media": "m0"})

    assert [m.file.state for m in store.media.of(key) if m.file] == ["ready"]
    assert store.jobs.open("media") == []


def test_pages_words_and_tiles_come_when_they_are_asked_for(key: int, services: Services) -> None:
    prepare(services, key)

    words = ask(key, act="words", media="m0", page=1)["side"]["words"]
    page = ask(key, act="page", media="m0", page=1)["side"]["page"]
    tiles = ask(key, act="tiles", media="m0", tiles=[[1, 0, 2]])["side"]["tiles"]

    assert (words["from"], words["text"]) == (7, "袭击")
    assert words["words"] == [[7, 9, 0.1, 0.5, 0.2, 0.1]]
    token = page["link"].removeprefix("/files/")
    assert read_link(services.home, token, person="Ana").part == "view:1"
    (tile,) = tiles["links"]
    token = tile[3].removeprefix("/files/")
    assert (tile[:3], read_link(services.home, token, person="Ana").part) == (
        [1, 0, 2], "tile:0,1,0,2",
    )  # fmt: skip


@pytest.mark.parametrize("media", ["m1", "m9", "../m0"])
def test_what_is_asked_of_no_medium_is_refused_with_a_message(key: int, media: str) -> None:
    data = ask(key, act="page", media=media, page=0)
    again = component_data(
        fire(
            open_review(key), KEY, "ask", {"id": "a1", "at": key, "act": "prepare", "media": media}
        ),
        KEY,
    )

    assert media in data["problems"][0]["message"]
    assert media in again["problems"][0]["message"]


def test_what_the_browser_has_travels_only_once(key: int, services: Services, store: Store) -> None:
    prepare(services, key)
    at = fire(
        open_review(key), KEY, "side",
        {"id": "s1", "at": key, "act": "words", "media": "m0", "page": 0},
    )  # fmt: skip
    document = document_to_dict(document_from(store.samples.get(key), None))

    after = fire(at, KEY, "draft", message(document, rev=1))

    assert "words" not in component_data(after, KEY)["side"]


def test_a_suggested_box_knows_what_was_suggested(key: int, store: Store) -> None:
    mention = Mention(text="Акме", media="m0", page=1, box=(0.1, 0.2, 0.3, 0.4))
    store.samples.add_suggestion(
        key, [Event("attack", mention)], model_id="scripted", raw_reply="[]",
        prompt_version="full.v1", schema_number=1, decoding={}, seconds=0.1,
    )  # fmt: skip

    (event,) = component_data(open_review(key), KEY)["open"]["fresh"]["events"]

    assert event["trigger"]["suggested"]["box"] == [0.1, 0.2, 0.3, 0.4]
    assert event["trigger"]["suggested"]["page"] == 1


def test_the_workbenchs_code_is_served_under_its_hash_and_no_other_name() -> None:
    client = TestClient(Starlette(routes=[workbench_script.workbench_route()]))

    found = client.get(workbench_script.bundle_address())
    other = client.get("/workbench/0123456789abcdef0123.js")

    assert (found.status_code, other.status_code) == (200, 404)
    assert found.headers["content-type"].startswith("text/javascript")
    assert "immutable" in found.headers["cache-control"]
    assert workbench_script.bundle_address().rpartition("/")[2] in workbench_script.read_loader()
