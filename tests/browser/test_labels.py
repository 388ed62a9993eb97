"""Types and roles in the analyst's own language: the browser's at first, any that the schema has after."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, expect

from core.events import Argument, Event
from storage.store import Store
from tests.browser.conftest import RunningApp
from tests.browser.workbench import Workbench, add_text, suggest, wait_for_review, words_of

pytestmark = pytest.mark.browser

TEXT = "阿克米公司推出新手机。"


def test_labels_are_in_the_browsers_language_and_a_person_may_choose_another(
    app: RunningApp, store: Store, browser: Browser
) -> None:
    key = add_text(store, "labels-zh", "zh", TEXT)
    agent = Argument("agent", words_of(TEXT, "阿克米公司"))
    suggest(store, key, Event("launch", words_of(TEXT, "推出"), (agent,)))
    context = browser.new_context(viewport={"width": 1440, "height": 900}, locale="ru-RU")
    page = context.new_page()
    bench = Workbench(page, app.url)
    bench.open(key)

    words = [["Запуск", [["trigger", "推出"], ["Кто", "阿克米公司"]]]]
    assert bench.shown() == words
    page.get_by_role("button", name="Labels RU").click()
    assert bench.shown() == [["发布", [["trigger", "推出"], ["主体", "阿克米公司"]]]]
    page.reload()
    bench.wait_for(key)
    expect(page.get_by_role("button", name="Labels ZH")).to_be_visible()
    bench.press("Control+Enter")
    (event,) = wait_for_review(store, key, page)

    assert (event.event_type, event.arguments[0].role) == ("launch", "agent")
    context.close()
