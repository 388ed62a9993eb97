"""Selecting spans with the mouse and with the keyboard, in every language, overlaps included."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page

from storage.store import Store
from tests.browser.conftest import RunningApp
from tests.browser.workbench import Workbench, add_text, as_shown, wait_for_review

pytestmark = pytest.mark.browser

# language, text, trigger, agent, product, place (inside or across the product)
CASES = [
    ("zh", "😀昨天，𠮷田电信在马德里推出了5G服务。𠮷田先生说。", "推出", "𠮷田电信", "马德里推出了5G服务", "马德里"),
    ("zh", "👩‍👩‍👧 华为公司周二在深圳发布新手机，股价上涨。", "发布", "华为公司", "新手机", "深圳发布新手机"),
    ("ru", "😀 Во вторник «Яндекс» запустил в Москве новый сервис доставки.", "запустил", "Яндекс", "новый сервис", "Москве новый"),
    ("es", "El martes Telefónica lanzó un servicio 5G en Málaga, según el niño.", "lanzó", "Telefónica", "un servicio 5G en Málaga", "Málaga"),
    ("en", "On Tuesday Acme launched a 5G service in New York, its third.", "launched", "Acme", "5G service in New York", "New York"),
    ("ar", "أطلقت شركة أكمي خدمة جديدة في مدريد يوم الثلاثاء.", "أطلقت", "شركة أكمي", "خدمة جديدة في مدريد", "مدريد"),
    ("en", "A\r\nsecond\tline: cafe\u0301 Acme \U0001d49c launched\r\nBolt\u200d2 in Oslo.", "launched", "Acme", "Bolt\u200d2 in Oslo", "Oslo"),
    ("hi", "मंगलवार को एक्मे ने दिल्ली में नई सेवा शुरू की।", "शुरू", "एक्मे", "नई सेवा", "दिल्ली में नई सेवा"),
]  # fmt: skip


@pytest.mark.parametrize("way", ["mouse", "keyboard"])
@pytest.mark.parametrize(
    ("language", "text", "trigger", "agent", "product", "place"),
    CASES,
    ids=[f"{case[0]}{number}" for number, case in enumerate(CASES)],
)
def test_the_stored_spans_are_the_selected_ones(
    app: RunningApp, store: Store, page: Page, way: str,
    language: str, text: str, trigger: str, agent: str, product: str, place: str,
) -> None:  # fmt: skip
    key = add_text(store, f"{way}-{text[:12]}", language, text)
    bench = Workbench(page, app.url)
    bench.open(key)
    select = bench.drag if way == "mouse" else bench.walk

    select(trigger)
    bench.new_event("lau")
    bench.press("1")
    select(agent)
    if way == "keyboard":
        bench.press("Enter")
    select(product)
    bench.press("2")
    select(place)
    bench.press("3")
    shown = bench.shown()
    bench.press("Control+Enter")
    (event,) = wait_for_review(store, key, page)

    assert as_shown((event,)) == shown
    assert event.trigger is not None
    assert [m.text for m in event.mentions()] == [trigger, agent, product, place]
    assert [text[m.start : m.end] for m in event.mentions()] == [trigger, agent, product, place]
    assert [a.role for a in event.arguments] == ["agent", "product", "place"]


def test_a_half_selected_word_is_taken_whole_and_a_character_is_when_asked(
    app: RunningApp, store: Store, page: Page
) -> None:
    text = "Вчера повстанцы атаковали базу."
    key = add_text(store, "half", "ru", text)
    bench = Workbench(page, app.url)
    bench.open(key)

    bench.drag("атако")
    bench.new_event("att")
    bench.press("w")
    bench.drag("баз")
    bench.press("2")
    bench.press("Control+Enter")
    (event,) = wait_for_review(store, key, page)

    assert [m.text for m in event.mentions()] == ["атаковали", "баз"]


def test_the_same_words_twice_two_events_on_one_trigger_and_pieces_are_kept_apart(
    app: RunningApp, store: Store, page: Page
) -> None:
    text = "袭击之后又是袭击，北京和上海都受影响。"
    key = add_text(store, "twice", "zh", text)
    bench = Workbench(page, app.url)
    bench.open(key)

    bench.drag("袭击", occurrence=1)
    bench.new_event("att")
    bench.drag("北京")
    bench.press("3")
    bench.drag("上海")
    bench.press("p")
    bench.press("ArrowUp")
    bench.press("d")
    bench.press("Control+Enter")
    first, second = wait_for_review(store, key, page)

    assert first == second
    assert (first.trigger and first.trigger.start) == text.rindex("袭击")
    assert first.arguments[0].mention.fragments == ((9, 11), (12, 14))
