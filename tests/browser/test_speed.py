"""How fast the workbench feels; prints figures and asserts none. Run with `make bench`."""

from __future__ import annotations

import os
import random
from itertools import islice
from statistics import median
from time import perf_counter

import pytest
from playwright.sync_api import Page

from core.events import Argument, Event, span
from core.samples import Sample
from storage.store import Store
from tests.browser.conftest import RunningApp
from tests.browser.workbench import Workbench, add_text, suggest, words_of

pytestmark = [pytest.mark.browser, pytest.mark.bench]

SAMPLES = 100_000
TEXT = "Во вторник Акме запустила в Мадриде новый сервис доставки, сообщает газета. "
SENTENCE = (
    "On Tuesday Acme launched a phone service in Madrid and attacked the market of the city. "
)


def painted(page: Page) -> list[float]:
    """Milliseconds from key to paint since the last call."""
    found: list[float] = page.evaluate(
        """() => { const all = performance.getEntriesByName('argus-key').map(e => e.duration);
                   performance.clearMeasures('argus-key'); return all; }"""
    )
    return sorted(found)


def wait_painted(page: Page) -> None:
    """Wait until something was painted since `painted` was asked last."""
    page.wait_for_function("() => performance.getEntriesByName('argus-key').length > 0")


@pytest.fixture(scope="module")
def many(store: Store) -> list[int]:
    """100,000 samples in the database; returns their keys."""
    collection = store.collections.get("News").id
    languages = ("ru", "zh", "es", "en")
    made = (Sample(f"n{i}", languages[i % 4], "text", f"{i} {TEXT}") for i in range(SAMPLES))
    keys: list[int] = []
    while part := list(islice(made, 10_000)):
        keys += store.samples.add(collection, part, schema_number=1)
    return keys


def shown(title: str, values: list[float]) -> str:
    """`title: p50 … p95 …`."""
    values = sorted(values)
    high = values[int(len(values) * 0.95)]
    return f"{title}: p50 {median(values):.0f} ms, p95 {high:.0f} ms (n {len(values)})\n"


def load() -> str:
    """How busy the machine is beside this."""
    return f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"


def work(bench: Workbench, rounds: int) -> None:
    """A mix of what analysts press."""
    for _ in range(rounds):
        for key in (
            "ArrowRight",
            "Shift+ArrowRight",
            "n",
            "'",
            ";",
            "ArrowDown",
            "z",
            "ArrowUp",
            "Escape",
        ):
            bench.press(key)
            bench.page.wait_for_timeout(40)


def test_keys_in_a_short_and_in_a_long_text(
    app: RunningApp, store: Store, many: list[int], page: Page, capfd: pytest.CaptureFixture[str]
) -> None:
    short = add_text(store, "short", "ru", TEXT)
    agent = (Argument("agent", words_of(TEXT, "Акме")),)
    suggest(store, short, Event("launch", words_of(TEXT, "запустила"), agent))
    text = "\n\n".join(SENTENCE * 4 for _ in range(142))
    long = add_text(store, "long", "en", text)
    rng = random.Random(1)
    starts = [i for i, c in enumerate(text) if c == " "]
    places = [span(text, i + 1, text.find(" ", i + 1)) for i in rng.sample(starts[:-9], 400)]
    events = [
        Event("attack", places[i], tuple(Argument("target", p) for p in places[i + 1 : i + 4]))
        for i in range(0, 400, 4)
    ]
    suggest(store, long, *events)
    bench = Workbench(page, app.url)
    figures = []

    for name, key in (("200 characters", short), (f"{len(text):,} characters, 400 spans", long)):
        bench.open(key)
        page.wait_for_timeout(1500)
        painted(page)
        work(bench, 8)
        page.wait_for_timeout(300)
        figures.append(shown(f"key press to paint, {name}", painted(page)))

    with capfd.disabled():
        print(f"\n{SAMPLES:,} samples, {load()}\n" + "".join(figures))  # noqa: T201  what this is for


def test_submit_to_next_with_many_samples(
    app: RunningApp, store: Store, many: list[int], page: Page, capfd: pytest.CaptureFixture[str]
) -> None:
    keys = many[50_000:50_030]
    for key in keys:
        text = store.samples.get(key).sample.text or ""
        agent = (Argument("agent", words_of(text, "Акме")),)
        suggest(store, key, Event("launch", words_of(text, "запустила"), agent))
    bench = Workbench(page, app.url)
    page.goto(f"{app.url}/review?sample={keys[0]}")
    bench.wait_for(keys[0])
    page.wait_for_timeout(3000)
    painted(page)
    next_painted, stored, acknowledged = [], [], []

    for key in keys[:25]:
        bench.wait_for(key)
        bench.press("n", "'")
        acknowledged.append(
            page.evaluate(
                """() => new Promise(done => { const began = performance.now(); const look = () =>
                     document.querySelector('.argus-wb .saved').textContent === 'draft saved'
                       ? done(performance.now() - began) : setTimeout(look, 2); look(); })"""
            )
        )
        painted(page)
        bench.press("Control+Enter")
        began = perf_counter()
        wait_painted(page)
        next_painted += painted(page)
        waited = (perf_counter() - began) * 1000
        stored.append(
            waited
            + page.evaluate(
                """() => new Promise(done => { const began = performance.now(); const look = () =>
                     document.querySelector('.argus-wb .saved').textContent === ''
                       ? done(performance.now() - began) : setTimeout(look, 2); look(); })"""
            )
        )

    with capfd.disabled():
        print(  # noqa: T201  the figures are what this is for
            f"\n{SAMPLES:,} samples, {load()}\n" + shown("submit to next painted", next_painted)
            + shown("submit to stored and answered", stored)
            + shown("change to draft saved and answered", acknowledged)
        )  # fmt: skip
