"""How sure the model was of an argument: the lower of role and words is shown and counts, both are told."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from core.calibration import ALL, Curve, Curves
from core.events import Argument, Event
from core.reliability import Calibration
from storage.store import Store
from tests.browser.conftest import RunningApp
from tests.browser.workbench import Workbench, add_text, suggest, wait_for_review, words_of

pytestmark = pytest.mark.browser

CASES = [
    ("zh", "🚀阿克米公司推出新手机。", "推出", "阿克米公司", "新手机"),
    ("ru", "Акме запустила новый сервис.", "запустила", "Акме", "новый сервис"),
]


def launch(text: str, trigger: str, agent: str, product: str) -> Event:
    """An agent whose role is less sure than its words, and a product the other way round."""
    arguments = (
        Argument("agent", words_of(text, agent, confidence=0.8), 0.3),
        Argument("product", words_of(text, product, confidence=0.6), 0.95),
    )
    return Event("launch", words_of(text, trigger, confidence=0.9), arguments, 0.9)


@pytest.mark.parametrize(("language", "text", "trigger", "agent", "product"), CASES)
def test_the_lower_one_is_shown_and_decides_what_accept_all_takes(
    app: RunningApp, store: Store, page: Page, language: str, text: str, trigger: str, agent: str,
    product: str,
) -> None:  # fmt: skip
    key = add_text(store, f"sure-{language}", language, text)
    suggest(store, key, launch(text, trigger, agent, product))
    bench = Workbench(page, app.url)
    bench.open(key)

    page.locator(".argus-wb select.threshold").select_option("0.5")
    page.locator(".argus-wb").get_by_role("button", name="Accept all").click()

    rows = page.locator(".argus-wb .row.slot")
    expect(rows.nth(1).locator(".sure")).to_have_attribute(
        "title", "confidence 0.30 of the role, 0.80 of the words"
    )
    expect(rows.nth(0).locator(".sure")).to_have_attribute("title", "confidence 0.90")
    assert rows.locator(".sure .figure").all_text_contents() == ["0.90", "0.30", "0.60"]
    decided = ["accepted" in (row.get_attribute("class") or "") for row in rows.all()]
    assert decided == [True, False, True]


@pytest.mark.parametrize(("language", "text", "trigger", "agent", "product"), CASES)
def test_what_is_shown_is_calibrated_and_a_review_keeps_none_of_it(
    app: RunningApp, store: Store, page: Page, language: str, text: str, trigger: str, agent: str,
    product: str,
) -> None:  # fmt: skip
    key = add_text(store, f"calibrated-{language}", language, text)
    suggest(store, key, launch(text, trigger, agent, product))
    record, said = store.samples.get(key), store.samples.suggestion(key)
    curves = Curves({(ALL, "role"): Curve(knots=((0.0, 0.1), (1.0, 0.1)))})
    store.calibrations.add(record.collection_id, said.model_id, Calibration(curves, (), 0, 0))
    bench = Workbench(page, app.url)
    bench.open(key)

    shown = page.locator(".argus-wb .row.slot .sure .figure").all_text_contents()
    bench.press("Control+Enter")
    (event,) = wait_for_review(store, key, page)

    assert shown == ["0.90", "0.10", "0.10"]
    assert {a.confidence for a in event.arguments} == {None}
    assert {m.confidence for m in event.mentions()} == {None}
    store.calibrations.add(record.collection_id, said.model_id, Calibration(Curves(), (), 0, 0))
