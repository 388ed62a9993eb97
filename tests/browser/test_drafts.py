"""Nothing is lost: a reload, a killed browser and a killed server in the middle of a review."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Page

from core.events import Argument, Event
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


def test_submitting_twice_stores_one_review(app: RunningApp, store: Store, page: Page) -> None:
    bench = Workbench(page, app.url)
    key = half_done(store, bench, "ru", "double")

    bench.press("Control+Enter", "Control+Enter")

    wait_for_review(store, key, page)
    page.wait_for_timeout(1500)
    assert len(store.samples.reviews(key)) == 1
