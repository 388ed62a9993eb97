"""Nothing is lost: a reload, a killed browser and a killed server in the middle of a review."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from core.events import Argument, Event
from core.review import events_of_document, read_document
from storage.store import Store
from tests.browser.conftest import RunningApp
from tests.browser.workbench import (
    Workbench,
    add_text,
    as_shown,
    suggest,
    wait_for_review,
    words_of,
)

pytestmark = pytest.mark.browser

TEXTS = {
    "zh": ("😀华为在深圳推出手机服务。", "推出", "华为", "手机", "深圳"),
    "ru": ("Акме запустила сервис доставки в Малаге.", "запустила", "Акме", "сервис", "Малаге"),
}


def half_done(store: Store, bench: Workbench, language: str, name: str) -> int:
    """A suggested sample in the middle of its correction; returns its key."""
    text, trigger, agent, product, place = TEXTS[language]
    key = add_text(store, f"{name}-{language}", language, text)
    arguments = (
        Argument("agent", words_of(text, agent)),
        Argument("product", words_of(text, product)),
    )
    suggest(store, key, Event("launch", words_of(text, trigger), arguments))
    bench.open(key)
    bench.press("n", "n", "n", "'")
    bench.drag(place)
    bench.press("3")
    return key


def saved_events(store: Store, key: int) -> list[Any]:
    """The events of the draft that is stored, as the cards would show them."""
    draft = store.samples.draft(key, "Ana")
    assert draft is not None
    document = read_document(draft.document["document"])
    return as_shown(events_of_document(document, text=store.samples.get(key).sample.text))


@pytest.mark.parametrize("language", TEXTS)
def test_a_reload_keeps_the_draft_and_undo_goes_back_behind_it(
    app: RunningApp, store: Store, page: Page, language: str
) -> None:
    bench = Workbench(page, app.url)
    key = half_done(store, bench, language, "reload")
    bench.wait_saved()
    before = bench.shown()

    page.reload()
    bench.wait_for(key)
    after = bench.shown()
    bench.press("z")
    one_back = bench.shown()
    bench.press("z")
    two_back = bench.shown()
    bench.press("Shift+Z", "Shift+Z")

    assert after == before
    assert bench.shown() == before
    assert len(one_back[0][1]) == len(before[0][1]) - 1
    assert two_back[0][1][2] == ["Product", TEXTS[language][3]]


@pytest.mark.parametrize("language", TEXTS)
def test_a_reload_before_the_server_answered_keeps_the_last_key(
    app: RunningApp, store: Store, page: Page, language: str
) -> None:
    bench = Workbench(page, app.url)
    key = half_done(store, bench, language, "early")
    before = bench.shown()

    page.reload()
    bench.wait_for(key)

    assert bench.shown() == before


@pytest.mark.parametrize("language", TEXTS)
def test_a_killed_server_loses_nothing_before_or_while_it_is_down(
    app: RunningApp, store: Store, page: Page, language: str
) -> None:
    bench = Workbench(page, app.url)
    key = half_done(store, bench, language, "killed")
    bench.wait_saved()

    app.kill()
    bench.press("ArrowUp", "a")
    before = bench.shown()
    app.start()
    bench.wait_saved()
    draft = store.samples.draft(key, "Ana")
    page.reload()
    bench.wait_for(key)
    after = bench.shown()
    bench.press("Control+Enter")
    events = wait_for_review(store, key, page)

    assert draft is not None
    assert draft.document["document"]["events"][0]["decision"] == "accepted"
    assert after == before
    assert as_shown(events) == before


@pytest.mark.parametrize("language", TEXTS)
def test_a_review_submitted_while_the_server_is_down_is_stored_when_it_is_back(
    app: RunningApp, store: Store, page: Page, language: str
) -> None:
    bench = Workbench(page, app.url)
    key = half_done(store, bench, language, "down")
    bench.wait_saved()
    shown = bench.shown()

    app.kill()
    bench.press("Control+Enter")
    app.start()
    events = wait_for_review(store, key, page)

    assert as_shown(events) == shown


def test_a_browser_without_room_does_not_say_that_it_keeps_what_is_not_stored(
    app: RunningApp, store: Store, page: Page
) -> None:
    page.add_init_script("Storage.prototype.setItem = () => { throw new Error('full'); }")
    bench = Workbench(page, app.url)
    half_done(store, bench, "ru", "no-room")
    bench.wait_saved()

    app.kill()
    bench.press("ArrowUp", "a")
    said = page.locator(".argus-wb .saved.late")
    said.wait_for(timeout=20_000)
    words = said.text_content()
    app.start()
    bench.wait_saved()

    assert words is not None
    assert "no room to keep it" in words


def test_a_killed_browser_leaves_the_draft_with_the_server(
    app: RunningApp, store: Store, browser: Browser
) -> None:
    first = browser.new_context(viewport={"width": 1440, "height": 900})
    bench = Workbench(first.new_page(), app.url)
    key = half_done(store, bench, "zh", "browser")
    bench.wait_saved()
    before = bench.shown()

    first.close()
    second = browser.new_context(viewport={"width": 1440, "height": 900})
    other = Workbench(second.new_page(), app.url)
    other.open(key)

    assert other.shown() == before
    second.close()


def test_unsent_changes_of_one_browser_do_not_replace_what_another_was_shown_as_saved(
    app: RunningApp, store: Store, browser: Browser, page: Page
) -> None:
    away = browser.new_context(viewport={"width": 1440, "height": 900})
    first, second = Workbench(away.new_page(), app.url), Workbench(page, app.url)
    key = half_done(store, first, "ru", "two-browsers")
    first.wait_saved()
    app.kill()
    first.press("ArrowUp", "d", "d", "d")
    first.page.close()
    app.start()

    second.open(key)
    second.press("ArrowUp", "ArrowUp", "d")
    second.wait_saved()
    again = Workbench(away.new_page(), app.url)
    again.open(key)

    assert again.shown() == second.shown()
    assert saved_events(store, key) == second.shown()
    away.close()


def test_of_two_windows_on_a_sample_the_one_that_saved_first_stays(
    app: RunningApp, store: Store, page: Page
) -> None:
    first, second = Workbench(page, app.url), Workbench(page.context.new_page(), app.url)
    key = half_done(store, first, "zh", "two-windows")
    first.wait_saved()
    second.open(key)
    second.wait_helped(key)
    first.page.bring_to_front()
    first.press("ArrowUp", "d")
    first.wait_saved()
    kept = first.shown()

    second.page.bring_to_front()
    second.press("ArrowUp", "ArrowUp", "x")
    second.page.get_by_text("in another window").wait_for()

    assert second.shown() == kept
    assert saved_events(store, key) == kept


@pytest.mark.parametrize("language", TEXTS)
def test_a_review_finished_after_a_draft_is_shown_and_undo_brings_the_draft_back(
    app: RunningApp, store: Store, page: Page, language: str
) -> None:
    bench = Workbench(page, app.url)
    key = half_done(store, bench, language, "behind")
    bench.wait_saved()
    mine = bench.shown()
    text, trigger, *_ = TEXTS[language]
    theirs = (Event("launch", words_of(text, trigger), ()),)
    store.samples.add_review(key, theirs, person="Ben", schema_number=1, difference=[])

    bench.open(key)
    page.get_by_text("Ben reviewed this sample after your draft").wait_for()
    shown = bench.shown()
    bench.press("z")

    assert shown == as_shown(theirs)
    assert bench.shown() == mine


def test_a_review_finished_by_another_person_meanwhile_is_not_replaced_unseen(
    app: RunningApp, store: Store, page: Page
) -> None:
    bench = Workbench(page, app.url)
    key = half_done(store, bench, "zh", "meanwhile")
    store.samples.add_review(key, (), person="Ben", schema_number=1, difference=[])
    bench.press("ArrowUp", "d")
    bench.wait_saved()
    mine = bench.shown()

    bench.press("Control+Enter")
    page.get_by_text("Ben reviewed this sample while you had it open").wait_for()

    assert bench.shown() == mine
    assert [r.person for r in store.samples.reviews(key)] == ["Ben"]
    bench.press("Control+Enter")
    wait_for_review(store, key, page, count=2)


def test_submitting_twice_stores_one_review(app: RunningApp, store: Store, page: Page) -> None:
    bench = Workbench(page, app.url)
    key = half_done(store, bench, "ru", "double")

    bench.press("Control+Enter", "Control+Enter")

    wait_for_review(store, key, page)
    page.wait_for_timeout(1500)
    assert len(store.samples.reviews(key)) == 1
