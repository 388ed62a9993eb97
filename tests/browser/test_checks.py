"""What is wrong with a suggestion, in the browser: a list above the events, a mark at each place."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from core.checks import check_events
from core.events import Argument, Event, Mention
from core.samples import Sample
from storage.store import Store
from tests.browser.conftest import SCHEMA, RunningApp
from tests.browser.workbench import Workbench, add_text, words_of

pytestmark = pytest.mark.browser

TEXTS = {
    "zh": ("😀华为周二在深圳正式发布新款折叠手机。", "华为周二在深圳正式", "华为"),
    "ru": ("😀Акме запустила сервис в Мадриде и в Риме.", "и", "Акме"),
}


def add_bad(store: Store, language: str) -> int:
    """A sample whose suggestion has an odd trigger, foreign words and too many agents."""
    text, trigger, agent = TEXTS[language]
    key = add_text(store, f"bad-{language}-{store.samples.count()}", language, text)
    who = words_of(text, agent)
    arguments = (
        Argument("agent", who), Argument("agent", words_of(text, text[4:6])),
        Argument("product", Mention("the new phone")),
    )  # fmt: skip
    events = [Event("launch", words_of(text, trigger), arguments), Event("attack", None)]
    problems = check_events(events, Sample("x", language, "text", text), SCHEMA)
    store.samples.add_suggestion(
        key, events, model_id="scripted", raw_reply="[]", prompt_version="full.v1", schema_number=1,
        decoding={}, problems=problems, seconds=0.1,
    )  # fmt: skip
    return key


@pytest.mark.parametrize("language", TEXTS)
def test_the_list_leads_to_each_place_and_empties_as_the_person_decides(
    app: RunningApp, store: Store, page: Page, language: str
) -> None:
    key = add_bad(store, language)
    bench = Workbench(page, app.url)
    bench.open(key)
    checks = page.locator(".argus-wb .checks li")

    expect(checks).to_have_count(3)
    said = [" ".join(text.split()) for text in checks.all_inner_texts()]
    assert "Launch takes one Agent 1" in said
    assert any("“the new phone” is not" in text for text in said)
    assert page.locator(".argus-wb .check-mark").count() == 2

    checks.filter(has_text="the new phone").get_by_role("button").click()
    focused = page.locator(".argus-wb .card .row.at")
    assert "the new phone" in focused.inner_text()
    bench.press("x", "Enter")
    expect(checks).to_have_count(2)

    checks.filter(has_text="for a trigger").get_by_role("button").click()
    assert focused.get_attribute("data-part") == "t"
    bench.press("a")
    expect(page.locator(".argus-wb .check-mark")).to_have_count(0)


def test_more_than_three_problems_are_behind_a_button(
    app: RunningApp, store: Store, page: Page
) -> None:
    text = "Акме запустила сервис. 华为周二发布手机。"
    key = add_text(store, "many", "ru", text)
    loose = [Event("attack", Mention(f"phone {n}")) for n in range(5)]
    problems = check_events(loose, Sample("x", "ru", "text", text), SCHEMA)
    store.samples.add_suggestion(
        key, loose, model_id="scripted", raw_reply="[]", prompt_version="full.v1", schema_number=1,
        decoding={}, problems=problems, seconds=0.1,
    )  # fmt: skip
    bench = Workbench(page, app.url)
    bench.open(key)
    checks = page.locator(".argus-wb .checks li")

    expect(checks).to_have_count(3)
    page.get_by_role("button", name="and 2 more").press("Enter")
    expect(checks).to_have_count(5)
    page.get_by_role("button", name="fewer").press("Enter")
    expect(checks).to_have_count(3)
