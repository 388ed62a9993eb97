"""Correcting a suggestion by keyboard, and what SQLite holds after the submit."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page

from core.events import Argument, Event, Mention
from core.review import REASONS
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

# language, text, the suggested product (too short), the right one's keys, another trigger that is wrong
CASES = [
    ("zh", "😀阿克米公司周二在马德里推出5G手机服务，随后股价袭击般下跌。", "5G手机", 2, "5G手机服务", "袭击"),
    ("ru", "Во вторник Акме запустила в Мадриде сервис доставки и атаковала рынок.", "сервис", 1, "сервис доставки", "атаковала"),
    ("es", "El martes Acme lanzó en Madrid un servicio nuevo y atacó el mercado.", "un servicio", 1, "un servicio nuevo", "atacó"),
    ("en", "On Tuesday Acme launched a phone service in Madrid and attacked the market.", "a phone", 1, "a phone service", "attacked"),
]  # fmt: skip
TRIGGERS = {"zh": "推出", "ru": "запустила", "es": "lanzó", "en": "launched"}
AGENTS = {"zh": "阿克米公司", "ru": "Акме", "es": "Acme", "en": "Acme"}
PLACES = {"zh": "马德里", "ru": "Мадриде", "es": "Madrid", "en": "Madrid"}


def suggested(language: str, text: str, product: str, wrong: str) -> list[Event]:
    """A launch with its product too short and the place as an agent, and an attack that is none."""
    at = words_of(text, TRIGGERS[language], confidence=0.9)
    arguments = (
        Argument("agent", words_of(text, AGENTS[language], confidence=0.8)),
        Argument("product", words_of(text, product, confidence=0.4)),
    )
    return [
        Event("launch", at, arguments, confidence=0.9),
        Event("attack", words_of(text, wrong, confidence=0.2), (), confidence=0.2),
    ]


@pytest.mark.parametrize(
    ("language", "text", "short", "steps", "right", "wrong"), CASES, ids=[c[0] for c in CASES]
)
def test_what_is_on_the_screen_is_what_sqlite_holds(
    app: RunningApp, store: Store, page: Page,
    language: str, text: str, short: str, steps: int, right: str, wrong: str,
) -> None:  # fmt: skip
    key = add_text(store, f"correct-{language}", language, text)
    suggest(store, key, *suggested(language, text, short, wrong))
    bench = Workbench(page, app.url)
    bench.open(key)

    bench.press("n", "n", "n", *["'"] * steps)
    bench.drag(PLACES[language])
    bench.press("3")
    bench.press("ArrowUp", "a", "x", "4")
    shown = bench.shown()
    bench.press("Control+Enter")
    (event,) = wait_for_review(store, key, page)
    difference = store.samples.reviews(key)[0].difference

    assert as_shown((event,)) == shown
    assert [m.text for m in event.mentions()] == [
        TRIGGERS[language], AGENTS[language], right, PLACES[language],
    ]  # fmt: skip
    assert all(m.start is not None and text[m.start : m.end] == m.text for m in event.mentions())
    assert [(d["kind"], d.get("role"), d.get("reason")) for d in difference] == [
        ("argument_moved", "product", "boundary"),
        ("argument_added", "place", None),
        ("event_removed", None, REASONS[3]),
    ]
    assert store.samples.get(key).state == "reviewed"
    assert store.samples.draft(key, "Ana") is None


@pytest.mark.parametrize(
    ("language", "text", "short", "steps", "right", "wrong"), CASES, ids=[c[0] for c in CASES]
)
def test_keyboard_alone_and_mouse_alone_give_equal_rows(
    app: RunningApp, store: Store, page: Page,
    language: str, text: str, short: str, steps: int, right: str, wrong: str,
) -> None:  # fmt: skip
    keys = [add_text(store, f"{hand}-{language}", language, text) for hand in ("keys", "mouse")]
    for key in keys:
        suggest(store, key, *suggested(language, text, short, wrong))
    bench = Workbench(page, app.url)

    bench.open(keys[0])
    bench.press("n", "n", "n", *["'"] * steps, "Escape")
    bench.walk(PLACES[language])
    bench.press("3", "ArrowUp", "a", "x", "4", "Control+Enter")
    by_keys = wait_for_review(store, keys[0], page)
    bench.open(keys[1])
    page.locator(".argus-wb .row.slot", has_text=short).first.click()
    bench.drag(right)
    page.locator(".argus-wb .hint .strong").click()
    bench.drag(PLACES[language])
    page.locator(".argus-wb .card.focused [data-role=place]").click()
    page.locator(".argus-wb .card.focused .head .yes").click()
    page.locator(".argus-wb .card").nth(1).locator(".head .no").click()
    page.locator(".argus-wb .list li").nth(3).click()
    page.locator(".argus-wb .submit").click()
    by_mouse = wait_for_review(store, keys[1], page)

    assert by_keys == by_mouse
    assert [m.text for m in by_keys[0].mentions()][2] == right
    assert (
        store.samples.reviews(keys[0])[0].difference == store.samples.reviews(keys[1])[0].difference
    )


def test_a_good_suggestion_takes_two_keys(app: RunningApp, store: Store, page: Page) -> None:
    text = "Во вторник Акме запустила сервис."
    key = add_text(store, "good", "ru", text)
    event = Event(
        "launch",
        words_of(text, "запустила", confidence=0.9),
        (Argument("agent", words_of(text, "Акме", confidence=0.7)),),
    )
    suggest(store, key, event)
    bench = Workbench(page, app.url)
    bench.open(key)

    bench.press("a", "Control+Enter")
    stored = wait_for_review(store, key, page)

    assert as_shown(stored) == [["Launch", [["trigger", "запустила"], ["Agent", "Акме"]]]]
    assert store.samples.reviews(key)[0].difference == []


def test_a_type_and_a_role_are_changed_by_typing_letters(
    app: RunningApp, store: Store, page: Page
) -> None:
    text = "黑客袭击了银行。"
    key = add_text(store, "types", "zh", text)
    wrong = Argument("product", words_of(text, "银行"))
    suggest(store, key, Event("launch", words_of(text, "袭击"), (wrong,)))
    bench = Workbench(page, app.url)
    bench.open(key)

    bench.press("e")
    page.keyboard.type("att")
    bench.press("Enter", "n", "n", "e")
    page.keyboard.type("tar")
    bench.press("Enter", "Control+Enter")
    (event,) = wait_for_review(store, key, page)
    difference = store.samples.reviews(key)[0].difference

    assert (event.event_type, [a.role for a in event.arguments]) == ("attack", ["target"])
    assert [(d["kind"], d["from"], d["to"], d["reason"]) for d in difference] == [
        ("type_changed", "launch", "attack", "type"),
        ("role_changed", "product", "target", "role"),
    ]


def test_a_missing_required_role_needs_a_written_reason(
    app: RunningApp, store: Store, page: Page
) -> None:
    key = add_text(store, "reason", "en", "It was launched in Oslo.")
    bench = Workbench(page, app.url)
    bench.open(key)
    bench.drag("launched")
    bench.new_event("lau")

    bench.press("Control+Enter")
    page.locator(".argus-wb .override textarea").fill("the text does not say who")
    bench.press("Control+Enter")
    (event,) = wait_for_review(store, key, page)

    assert event.arguments == ()
    assert store.samples.reviews(key)[0].difference == [
        {
            "kind": "override",
            "reason": "the text does not say who",
            "violations": [{"kind": "missing_role", "event": 0, "role": "agent"}],
        }
    ]


def test_no_event_is_an_answer_of_its_own(app: RunningApp, store: Store, page: Page) -> None:
    key = add_text(store, "none", "es", "No pasó nada.")
    bench = Workbench(page, app.url)
    bench.open(key)

    bench.press("Control+Enter")
    page.locator(".argus-wb .hint.problem").wait_for()
    bench.press("g", "Control+Enter")

    assert wait_for_review(store, key, page) == ()


def test_words_that_were_not_found_are_listed_and_found(
    app: RunningApp, store: Store, page: Page
) -> None:
    text = "Акме запустила сервис доставки еды в Малаге."
    key = add_text(store, "loose", "ru", text)
    loose = Argument("product", Mention(text="сервиса доставки еды", confidence=0.3))
    agent = Argument("agent", words_of(text, "Акме"))
    suggest(store, key, Event("launch", words_of(text, "запустила"), (agent, loose)))
    bench = Workbench(page, app.url)
    bench.open(key)

    page.locator(".argus-wb .find").click()
    bench.press("1", "Control+Enter")
    (event,) = wait_for_review(store, key, page)

    assert event.arguments[1].mention.text == "сервис доставки еды"
    assert event.arguments[1].mention.start == text.index("сервис")


def test_submit_shows_the_next_sample_and_skips_nothing(
    app: RunningApp, store: Store, page: Page
) -> None:
    text = "华为推出手机。"
    keys = [add_text(store, f"row-{n}", "zh", f"{n}：{text}") for n in range(4)]
    for key in keys:
        said = store.samples.get(key).sample.text or ""
        agent = Argument("agent", words_of(said, "华为"))
        suggest(store, key, Event("launch", words_of(said, "推出"), (agent,)))
    bench = Workbench(page, app.url)
    page.goto(f"{app.url}/review?sample={keys[0]}&language=zh")
    bench.wait_for(keys[0])

    for key in keys[:3]:
        bench.wait_for(key)
        bench.press("a", "Control+Enter")
    bench.wait_for(keys[3])

    for key in keys[:3]:
        wait_for_review(store, key, page)
    assert store.samples.reviews(keys[3]) == []


def test_no_letter_acts_while_someone_types(app: RunningApp, store: Store, page: Page) -> None:
    key = add_text(store, "typing", "en", "Acme launched it.")
    bench = Workbench(page, app.url)
    bench.open(key)
    bench.drag("launched")
    bench.press("t")

    page.keyboard.type("zgxa")
    typed = page.locator(".argus-wb .field").input_value()
    bench.press("Escape", "g")

    assert typed == "zgxa"
    assert page.locator(".argus-wb .plain.on", has_text="No event here").count() == 1


def test_keys_work_on_a_russian_keyboard(app: RunningApp, store: Store, page: Page) -> None:
    text = "Акме запустила сервис."
    key = add_text(store, "layout", "ru", text)
    suggest(store, key, Event("launch", words_of(text, "запустила"), ()))
    bench = Workbench(page, app.url)
    bench.open(key)

    page.evaluate(
        """() => document.querySelector('.argus-wb .evidence').dispatchEvent(new KeyboardEvent(
             'keydown', {key: 'ч', code: 'KeyX', bubbles: true, cancelable: true}))"""
    )

    assert page.locator(".argus-wb .card.rejected").count() == 1


def test_a_suggestion_that_comes_late_is_offered_and_disturbs_nothing(
    app: RunningApp, store: Store, page: Page
) -> None:
    text = "На Акме напали, а Болт запустил сервис."
    key = add_text(store, "late", "ru", text)
    bench = Workbench(page, app.url)
    bench.open(key)
    page.locator(".argus-wb .waiting").wait_for()
    bench.drag("напали")
    bench.new_event("att")
    bench.wait_saved()

    suggest(
        store,
        key,
        Event("launch", words_of(text, "запустил"), (Argument("agent", words_of(text, "Болт")),)),
    )
    page.locator(".argus-wb .offer").wait_for(timeout=15_000)
    before: Any = bench.shown()
    page.locator(".argus-wb .offer .strong").click()
    bench.press("Control+Enter")
    events = wait_for_review(store, key, page)

    assert [e[0] for e in before] == ["Attack"]
    assert [e.event_type for e in events] == ["attack", "launch"]
    assert store.samples.reviews(key)[0].suggestion_id is not None


def test_a_key_can_be_changed_and_stays_so(app: RunningApp, store: Store, page: Page) -> None:
    text = "华为推出手机。"
    key = add_text(store, "rebind", "zh", text)
    agent = (Argument("agent", words_of(text, "华为")),)
    suggest(store, key, Event("launch", words_of(text, "推出"), agent))
    bench = Workbench(page, app.url)
    bench.open(key)

    bench.press("?")
    page.get_by_role("button", name="A: change the key of: Accept what is focused").click()
    bench.press("b", "Escape")
    page.reload()
    bench.wait_for(key)
    bench.press("a")
    before = page.locator(".argus-wb .head.accepted").count()
    bench.press("b")

    assert before == 0
    assert page.locator(".argus-wb .head.accepted").count() == 1
