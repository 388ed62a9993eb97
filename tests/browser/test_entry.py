"""Coming in: the gate on the first visit, a page by its address, nothing fetched from the net."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.browser


def test_the_first_page_that_a_server_opens_by_its_address_goes_through_the_gate(app, page):
    app.start()
    page.goto(f"{app.url}/schema")

    page.get_by_label("What is your name?").fill("Мария")
    page.get_by_role("button", name="Start working").click()

    page.get_by_role("heading", name="Schema").wait_for()
    assert page.get_by_test_id("stTopNav").is_visible()
    app.kill()


def test_no_page_asks_another_machine_for_anything(store, app, page):
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))

    for name in ("", "samples", "schema", "training", "models", "overview"):
        page.goto(f"{app.url}/{name}")
        page.get_by_role("heading").first.wait_for()

    outside = [url for url in asked if not url.startswith((app.url, "data:", "blob:"))]
    assert outside == []


def test_the_collection_chosen_stays_after_a_reload(store, app, page):
    store.collections.create("新闻", store.collections.schema(1))
    page.goto(f"{app.url}/schema")
    page.get_by_label("Collection").click()
    page.get_by_role("option", name="新闻").click()
    page.wait_for_url("**collection=%E6%96%B0%E9%97%BB*")

    page.reload()

    page.get_by_role("heading", name="Schema").wait_for()
    assert "%E6%96%B0%E9%97%BB" in page.url
    assert page.get_by_label("Collection").input_value() == "新闻"


def test_tabs_that_come_back_at_once_after_a_restart_all_open(store, app, page):
    app.kill()
    app.start()
    tabs = [page, *(page.context.new_page() for _ in range(3))]

    for tab in tabs:
        tab.goto(f"{app.url}/schema", wait_until="commit")

    for tab in tabs:
        tab.get_by_role("heading", name="Schema").wait_for()
        assert tab.get_by_test_id("stTopNav").is_visible()
