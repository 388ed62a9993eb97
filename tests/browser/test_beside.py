"""What lies beside a review: queues, notes, skipping, versions, examples, the outline."""

from __future__ import annotations

import numpy as np
import pytest
from playwright.sync_api import Page

from core.events import Argument, Event
from core.queues import Queue
from core.records import SampleFilter
from core.samples import Sample
from storage.store import Store
from tests.browser.conftest import RunningApp
from tests.browser.workbench import (
    Workbench,
    add_text,
    suggest,
    wait_for_review,
    words_of,
)

pytestmark = pytest.mark.browser

TEXTS = {
    "zh": ("😀华为在深圳推出手机。", "推出", "华为", "手机"),
    "ru": ("Акме запустила сервис в Мадриде.", "запустила", "Акме", "сервис"),
}


def launch(text: str, trigger: str, agent: str, *, confidence: float = 0.9) -> Event:
    return Event(
        "launch",
        words_of(text, trigger, confidence=confidence),
        (Argument("agent", words_of(text, agent, confidence=0.9)),),
        confidence=0.95,
    )


def review(store: Store, key: int, *events: Event, person: str = "Ana") -> int:
    return store.samples.add_review(key, events, person=person, schema_number=1)


def test_a_queue_is_walked_in_its_order_and_says_why(
    app: RunningApp, store: Store, page: Page
) -> None:
    text, trigger, agent, _ = TEXTS["ru"]
    keys = [add_text(store, f"queue-{n}", "uk", f"{n} {text}") for n in range(3)]
    for key, sure in zip(keys, (0.4, 0.2, 0.3), strict=True):
        said = store.samples.get(key).sample.text or ""
        suggest(store, key, launch(said, trigger, agent, confidence=sure))
    collection = store.collections.get("News").id
    wanted = SampleFilter(languages=["uk"], states=["new", "suggested"])
    queue = store.queues.save(Queue(collection, "uncertain", wanted, name="Ukrainian"))
    bench = Workbench(page, app.url)

    page.goto(f"{app.url}/review?queue={queue.link}")
    bench.wait_for(keys[1])
    why = page.locator(".argus-wb .why").inner_text()
    place = page.locator(".argus-wb .place").inner_text()
    bench.press("Control+Enter")
    bench.wait_for(keys[2])
    bench.press("k")
    bench.wait_for(keys[0])
    bench.press("Control+Enter")
    bench.wait_for(keys[2])

    assert (why, place) == ("model unsure of the trigger: 0.20", "1 / 3")
    wait_for_review(store, keys[1], page)
    assert store.notes.is_skipped(keys[2], person="Ana")


@pytest.mark.parametrize("language", TEXTS)
def test_a_flag_and_a_comment_with_a_mention_are_kept_shown_and_resolved(
    app: RunningApp, store: Store, page: Page, language: str
) -> None:
    text, trigger, agent, _ = TEXTS[language]
    key = add_text(store, f"note-{language}", language, text)
    suggest(store, key, launch(text, trigger, agent))
    bench = Workbench(page, app.url)
    bench.open(key)

    bench.press("f")
    page.keyboard.type("чей это? m")
    bench.press("Enter")
    bench.drag(agent)
    bench.press("m")
    page.keyboard.type("看这里")
    bench.press("Enter")
    page.locator(".argus-wb .note-row.comment[data-note]:not([data-note=''])").wait_for()
    flag, comment = store.notes.list(key)
    page.locator(".argus-wb .note-row.flag .tool").click()
    page.locator(".argus-wb .note-row.flag").wait_for(state="detached")
    page.locator(".argus-wb .notes .tool", has_text="1 resolved").wait_for()
    for _ in range(200):
        if store.notes.list(key)[0].resolved_by:
            break
        page.wait_for_timeout(50)

    assert (flag.kind, flag.text, flag.words, flag.person) == ("flag", "чей это? m", None, "Ana")
    assert (comment.kind, comment.text, comment.words) == ("comment", "看这里", agent)
    assert [n.resolved_by for n in store.notes.list(key)] == ["Ana", None]


def test_an_older_version_is_compared_and_restored_as_a_change(
    app: RunningApp, store: Store, page: Page
) -> None:
    text, trigger, agent, product = TEXTS["zh"]
    key = add_text(store, "versions", "zh", text)
    first = launch(text, trigger, agent)
    second = Event("attack", first.trigger, (Argument("target", words_of(text, product)),))
    review(store, key, first)
    review(store, key, second, person="Bo")
    bench = Workbench(page, app.url)
    bench.open(key)

    bench.press("h")
    page.locator(".argus-wb .versions li").nth(1).wait_for()
    newest = page.locator(".argus-wb .versions li").first.inner_text()
    told = page.locator(".argus-wb .change").all_inner_texts()
    bench.press("ArrowDown")
    page.locator(".argus-wb .versions li.at", has_text="Version 1").wait_for()
    page.wait_for_function("() => document.querySelector('.argus-wb .drawer .help-end')")
    bench.wait_helped(key)
    bench.press("Enter")
    restored = bench.shown()
    bench.press("z")
    undone = bench.shown()
    bench.press("Shift+z", "Control+Enter")
    events = wait_for_review(store, key, page, count=3)

    assert "events: 1, changed: 3" in newest
    assert any("type Launch → Attack" in line for line in told)
    assert (restored[0][0], undone[0][0]) == ("Launch", "Attack")
    assert [m.text for m in events[0].mentions()] == [trigger, agent]


def test_parallel_and_similar_samples_come_after_the_paint_with_their_events_marked(
    app: RunningApp, store: Store, page: Page
) -> None:
    collection = store.collections.get("News").id
    text, trigger, agent, _ = TEXTS["zh"]
    samples = [
        Sample("par-zh", "zh", "text", text, parallel_group="story"),
        Sample("par-ru", "ru", "text", TEXTS["ru"][0], parallel_group="story"),
        Sample("like-zh", "zh", "text", "😀" + text),
    ]
    key, other, like = store.samples.add(collection, samples, schema_number=1)
    suggest(store, key, launch(text, trigger, agent))
    review(store, other, launch(*TEXTS["ru"][:3]))
    review(store, like, launch("😀" + text, trigger, agent))
    store.vectors.add("nano", [key, like], np.eye(2, 8, dtype=np.float32))
    store.vectors.set_neighbours([(key, [(like, 0.81)])])
    bench = Workbench(page, app.url)
    bench.open(key)

    page.locator(".argus-wb .parallel details").nth(1).wait_for(timeout=15_000)
    bench.press("v")
    page.locator(".argus-wb .parallel details:nth-child(2) .em").first.wait_for()
    marked = page.locator(".argus-wb .parallel details").evaluate_all(
        "all => all.map(d => [...d.querySelectorAll('.em')].map(e => e.textContent))"
    )
    summary = page.locator(".argus-wb .parallel .code").all_inner_texts()

    assert marked == [["Акме", "запустила"], ["华为", "推出"]]
    assert ["parallel" in summary[0], "0.81" in summary[1]] == [True, True]


def test_a_long_text_has_an_outline_to_jump_by(app: RunningApp, store: Store, page: Page) -> None:
    line = "Во вторник ничего не произошло, и никто этого не заметил.\n"
    text = line * 120 + "Акме запустила сервис.\n" + line * 40
    key = add_text(store, "long", "ru", text)
    suggest(store, key, launch(text, "запустила", "Акме"))
    bench = Workbench(page, app.url)
    bench.open(key)

    ticks = page.locator(".argus-wb .outline .tick").count()
    bench.press("l")
    item = page.locator(".argus-wb .list li").first.inner_text()
    bench.press("Enter")
    page.wait_for_timeout(200)
    box = page.locator(".argus-wb .evidence .chip").first.bounding_box()

    assert ticks == 1
    assert "запустила" in item
    assert "75 %" in item
    assert box is not None
    assert 60 < box["y"] < 840
