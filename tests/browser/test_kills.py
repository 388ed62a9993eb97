"""Kill -9 of app, worker and browser while a reviewer works: nothing shown as stored is lost."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Error

from core.events import Argument, Event, span
from core.review import events_of_document, read_document
from storage.store import Store
from tests.browser.conftest import RunningApp, open_news
from tests.browser.processes import OwnBrowser, RunningWorker, wait
from tests.browser.workbench import SHOWN, add_text, as_shown, suggest, words_of

pytestmark = pytest.mark.browser

# language, text, trigger, agent, the suggested product (too short), the right one, its first step
TEXTS = [
    ("zh", "😀{n}号：阿克米周二在马德里推出5G手机服务。", "推出", "阿克米", "5G手", "5G手机", "5"),
    ("ru", "№ {n}: Акме запустила в Мадриде сервис доставки.", "запустила", "Акме", "сервис", "сервис доставки", "сервис"),
    ("es", "{n}. El martes Acme lanzó en Madrid un servicio nuevo.", "lanzó", "Acme", "un servicio", "un servicio nuevo", "un"),
    ("en", "{n}. Acme launched a phone service in Madrid.", "launched", "Acme", "a phone", "a phone service", "a"),
]  # fmt: skip
_HOME = ["Escape", "Escape", "ArrowUp", "ArrowUp", "ArrowUp"]  # the first event, wherever one was
# Three changes: the product one step longer, its first step a place too, the event a second time.
CHANGES = [
    [*_HOME, "n", "n", "n", "'"],
    [*_HOME, "n", "n", "n", "ArrowRight", "3"],
    [*_HOME, "d"],
]
_LOOK = f"""() => {{
  const text = (name) => document.querySelector('.argus-wb ' + name)?.textContent ?? null;
  return {{ key: Number((text('.facts .id') ?? '#0').slice(1)), sign: text('.saved'), shown: ({SHOWN})(), url: location.href }};
}}"""


def states_of(text: str, *words: str) -> list[tuple[Event, ...]]:
    """The suggestion, and what it has become after each of the changes."""
    trigger, agent, short, right, place = words

    def event(product: str, *more: Argument) -> Event:
        arguments = (Argument("agent", words_of(text, agent)), Argument("product", words_of(text, product)))  # fmt: skip
        return Event("launch", words_of(text, trigger), (*arguments, *more))

    at = text.index(right)
    whole = event(right, Argument("place", span(text, at, at + len(place))))
    return [(event(short),), (event(right),), (whole,), (whole, whole)]


class Reviewer:
    """Works through samples and notes what the page showed as stored; three victims are killed at
    random moments of it."""

    def __init__(
        self, store: Store, app: RunningApp, worker: RunningWorker, browser: OwnBrowser, seed: int
    ) -> None:
        self.store, self.app, self.worker, self.browser = store, app, worker, browser
        self.rng = random.Random(seed)
        self.states: dict[int, list[tuple[Event, ...]]] = {}
        self.saved: Counter[int] = Counter()  # the last change of a sample shown as saved
        self.pending: set[int] = set()  # submitted, not yet shown as stored
        self.stored: set[int] = set()  # shown as stored
        self.unsure: set[int] = set()  # not shown as stored when the browser was killed
        self.left: set[int] = set()  # submitted, or left half done
        self.plan: list[tuple[int, str, float, float]] = []  # key presses, victim, delay, time down
        self.pressed = 0
        self.threads: list[threading.Thread] = []
        self.failures: list[BaseException] = []
        self.locks = {"app": threading.Lock(), "worker": threading.Lock()}
        self.profiles = [0]

    def add_samples(self, count: int) -> None:
        """Texts with suggestions, the languages in turn."""
        for n in range(count):
            language, text, *words = TEXTS[n % len(TEXTS)]
            text = text.format(n=n)
            key = add_text(self.store, f"{language}{n}", language, text)
            self.states[key] = states_of(text, *words)
            suggest(self.store, key, *self.states[key][0])

    def plan_kills(self, each: int) -> None:
        """Each victim `each` times, at random key presses, a little later than those."""
        presses = len(self.states) * (sum(map(len, CHANGES)) + 1) * 9 // 10
        victims = ["app", "worker", "browser"] * each
        for moment in sorted(self.rng.sample(range(10, presses), len(victims))):
            victim = victims.pop(self.rng.randrange(len(victims)))
            self.plan.append((moment, victim, self.rng.uniform(0, 0.4), self.rng.uniform(0, 3)))

    def work(self) -> None:
        """Review every sample; a browser that is gone is opened again at its address."""
        self.open_browser(self.app.url + f"/review?sample={min(self.states)}&all=1")
        while len(self.left) < len(self.states) or self.pending:
            try:
                if not self.browser.is_alive():
                    self.come_back()
                unfinished = [key for key in self.states if key not in self.left]
                if unfinished:
                    self.review(unfinished[0])
                else:
                    self.until(lambda: not self.pending, "the last reviews are stored")
            except Error:  # the browser was killed, or the app is away while a page is opened
                time.sleep(0.3)
        for thread in self.threads:
            thread.join()

    def review(self, key: int) -> None:
        """Go on with a sample where it is, and submit it; every fifth is left after two changes."""
        half = key % 5 == 0
        if not wait(lambda: self.look()["key"] == key, seconds=5):  # the next one comes by itself
            self.page.goto(f"{self.app.url}/review?sample={key}&all=1")
        self.until(lambda: self.look()["key"] == key, f"sample {key} is shown")
        level = self.level(key)
        assert level >= self.saved[key], f"sample {key} came back older than it was shown as saved"
        for change in CHANGES[level : 2 if half else None]:
            self.press(*change)
            level += 1
            assert self.level(key) == level
            if self.rng.random() < 0.5:
                self.until(lambda now=level: self.saved[key] == now, f"{key} is saved")  # type: ignore[misc]
        self.press("Control+ArrowDown" if half else "Control+Enter")
        self.left.add(key)
        if not half:
            self.pending.add(key)
            if self.rng.random() < 0.5:
                self.until(lambda: not self.pending, f"{key} is stored")

    def press(self, *keys: str) -> None:
        """Press keys; when its moment has come, a kill strikes a little later."""
        for key in keys:
            while self.plan and self.plan[0][0] <= self.pressed:
                _, *how = self.plan.pop(0)
                self.threads.append(threading.Thread(target=self.kill, args=how))
                self.threads[-1].start()
            self.page.keyboard.press(key)
            self.pressed += 1

    def look(self) -> dict[str, Any]:
        """What the page shows now; what it shows as stored counts from here on."""
        seen: dict[str, Any] = self.page.evaluate(_LOOK)
        if seen["sign"] is not None:
            self.address = seen["url"]
        if seen["sign"] in ("", "draft saved"):
            self.stored |= self.pending
            self.pending.clear()
        shown = [as_shown(s) for s in self.states.get(seen["key"], [])]
        if seen["sign"] == "draft saved" and seen["shown"] in shown:
            level = shown.index(seen["shown"])
            self.saved[seen["key"]] = max(level, self.saved[seen["key"]])
        return seen

    def level(self, key: int) -> int:
        """How many of the changes of an open sample the page shows."""
        return [as_shown(s) for s in self.states[key]].index(self.look()["shown"])

    def until(self, is_so: Callable[[], bool], what: str) -> None:
        """Look until something is so."""

        def seen() -> bool:
            self.last = self.look()
            return is_so()

        assert wait(seen, seconds=120), (
            f"not after two minutes: {what}; {self.last}; {self.failures}"
        )

    # ------------------------------------------------------------ kills

    def kill(self, victim: str, delay: float, down: float) -> None:
        """Kill, compare what was shown as stored with the database, and start again."""
        try:
            time.sleep(delay)
            if victim == "browser":
                self.browser.kill()
                return
            process = self.app if victim == "app" else self.worker
            with self.locks[victim]:
                saved, stored = dict(self.saved), set(self.stored)
                process.kill()
                for key in list(saved)[-5:]:
                    self.check(key, saved[key], key in stored)
                time.sleep(down)
                process.start()
        except BaseException as problem:  # noqa: BLE001  told by the test, not by its thread
            self.failures.append(problem)

    def come_back(self) -> None:
        """Open the address again, with one of the old profiles or a new one."""
        self.unsure |= self.pending
        self.pending.clear()
        self.open_browser(self.address)
        self.until(lambda: self.look()["sign"] in ("", "draft saved"), "the workbench is back")
        self.left -= {key for key in self.unsure if not self.store.samples.reviews(key)}
        self.unsure.clear()

    def open_browser(self, address: str) -> None:
        profile = self.rng.choice([*self.profiles, len(self.profiles)])
        self.profiles = sorted({*self.profiles, profile})
        self.page = self.browser.open(profile)
        assert wait(self.app.answers, seconds=120), self.failures
        self.page.goto(address)

    # ------------------------------------------------------------ what the database holds

    def check(self, key: int, saved: int, stored: bool) -> None:
        """At most one review, with the exact events; a draft as new as the last one shown as saved."""
        reviews = self.store.samples.reviews(key)
        draft = self.store.samples.draft(key, "Ana")
        assert len(reviews) == 1 or not (stored or reviews), f"sample {key}: {len(reviews)} reviews"
        if reviews:
            assert reviews[0].events == self.states[key][-1]
            assert draft is None, f"sample {key} is stored, and has a draft still"
        elif saved:
            assert draft is not None, f"sample {key} was shown as saved at {saved}: no draft"
            document = read_document(draft.document["document"])
            events = events_of_document(document, text=self.store.samples.get(key).sample.text)
            assert self.states[key].index(events) >= saved


@pytest.mark.parametrize(
    ("count", "each", "seed"),
    [(40, 3, 1), *(pytest.param(200, 12, n, marks=pytest.mark.slow) for n in (2, 3, 4))],
)
def test_kills_at_random_moments_lose_nothing_that_was_shown_as_stored(
    browser: Browser, tmp_path: Path, capfd: pytest.CaptureFixture[str],
    count: int, each: int, seed: int,
) -> None:  # fmt: skip
    app, worker = RunningApp(tmp_path), RunningWorker(tmp_path)
    own = OwnBrowser(browser.browser_type, tmp_path)
    store = open_news(tmp_path)
    reviewer = Reviewer(store, app, worker, own, seed)
    reviewer.add_samples(count)
    reviewer.plan_kills(each)
    app.start()
    worker.start()

    try:
        reviewer.work()
    finally:
        for process in (own, app, worker):
            process.kill()

    assert reviewer.failures == []
    assert reviewer.plan == []
    for key in reviewer.states:
        reviewer.check(key, reviewer.saved[key], key in reviewer.stored)
        assert (store.samples.reviews(key) == []) == (key % 5 == 0)
    store.engine.dispose()
    with capfd.disabled():
        print(f"\n{3 * each} kills, {count} samples, {len(reviewer.stored)} shown as stored")  # noqa: T201
