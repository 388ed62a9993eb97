"""The workbench as a test uses it: verbs of a person, and what is on the screen."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Page

from core.events import Event, Mention, span
from core.samples import Sample
from storage.store import Store

# The place of one character (UTF-16) of the evidence: [left, right, middle].
POINT = """at => {
  const walk = document.createTreeWalker(document.querySelector('.argus-wb .evidence'), NodeFilter.SHOW_TEXT);
  for (let n = walk.nextNode(), o = 0; n; o += n.data.length, n = walk.nextNode()) {
    if (at >= o + n.data.length) continue;
    const range = document.createRange();
    range.setStart(n, at - o);
    range.setEnd(n, at - o + (n.data.codePointAt(at - o) > 0xffff ? 2 : 1));
    const box = range.getClientRects()[0];
    return [box.left, box.right, (box.top + box.bottom) / 2];
  }
}"""
# What will be stored, as the cards show it: [[type, [[role, words], …]], …].
SHOWN = """() => [...document.querySelectorAll('.argus-wb .card:not(.rejected)')].map(card => [
  card.querySelector('.head .type').textContent,
  [...card.querySelectorAll('.slot:not(.rejected):not(.empty)')].map(row =>
    [row.querySelector('.name').textContent, row.querySelector('.words bdi').textContent])])"""

FIXED_KEYS = """all => all.map(section => [section.querySelector('p').textContent,
  Object.fromEntries([...section.querySelectorAll('.help-row')].map(row =>
    [row.firstChild.textContent, [...row.querySelectorAll('kbd')].map(key => key.textContent)]))])"""


class Workbench:
    """The open review page."""

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        self.url = url

    def open(self, key: int) -> None:
        """Open a sample by its link and wait until its text stands there."""
        self.page.goto(f"{self.url}/review?sample={key}&all=1")
        self.wait_for(key)

    def wait_for(self, key: int) -> None:
        """Wait until the sample is the one on the screen, and the keys work."""
        self.page.locator(".argus-wb .facts .id", has_text=f"#{key}").wait_for(timeout=30_000)
        self.page.wait_for_function(
            "() => document.activeElement?.classList.contains('evidence')", timeout=10_000
        )

    def press(self, *keys: str) -> None:
        """Press keys one after another."""
        for key in keys:
            self.page.keyboard.press(key)

    def new_event(self, letters: str) -> None:
        """T, a few letters of the type, Enter."""
        self.press("t")
        self.page.keyboard.type(letters)
        self.press("Enter")

    def drag(self, words: str, *, occurrence: int = 0) -> None:
        """Select words with the mouse, from the first character to the last."""
        start, end = self._units(words, occurrence)
        left = self.page.evaluate(POINT, start)
        right = self.page.evaluate(POINT, end - 1)
        mouse = self.page.mouse
        mouse.move(left[0] + 1, left[2])
        mouse.down()
        mouse.move((left[0] + right[1]) / 2, (left[2] + right[2]) / 2)
        mouse.move(right[1] - 1, right[2])
        mouse.up()
        self.settle()

    def walk(self, words: str, *, occurrence: int = 0) -> None:
        """Select words with the arrow keys alone: from where the cursor is, by word or character."""
        start, end = self._units(words, occurrence)
        self.press("ArrowRight")
        for _ in range(400):
            picked = self.picked() or [0, 0]
            if picked[0] == start:
                break
            self.press("ArrowRight" if picked[0] < start else "ArrowLeft")
        for _ in range(400):
            if (self.picked() or [0, 0])[1] >= end:
                break
            self.press("Shift+ArrowRight")

    def picked(self) -> list[int] | None:
        """What is selected, in UTF-16 units."""
        found: list[int] | None = self.page.evaluate(
            """() => {
              const walk = document.createTreeWalker(document.querySelector('.argus-wb .evidence'), NodeFilter.SHOW_TEXT);
              let from = null, to = null;
              for (let n = walk.nextNode(), o = 0; n; o += n.data.length, n = walk.nextNode()) {
                if (!n.parentElement.classList.contains('picked')) continue;
                from ??= o; to = o + n.data.length;
              }
              return from === null ? null : [from, to];
            }"""
        )
        return found

    def shown(self) -> list[Any]:
        """The events that the cards show, without what is rejected."""
        found: list[Any] = self.page.evaluate(SHOWN)
        return found

    def wait_saved(self) -> None:
        """Wait until the server has the draft."""
        self.page.wait_for_function(
            "() => document.querySelector('.argus-wb .saved').textContent === 'draft saved'",
            timeout=20_000,
        )

    def fixed_keys(self) -> list[tuple[str, dict[str, list[str]]]]:
        """The sections of the sheet of keys that cannot be changed: (its heading, {what: keys})."""
        found: list[Any] = self.page.locator(".argus-wb .help-fixed").evaluate_all(FIXED_KEYS)
        return [(name.partition(".")[0], rows) for name, rows in found]

    def settle(self) -> None:
        """Let the page look at what the mouse did, which it does a turn later."""
        self.page.evaluate("() => new Promise((done) => setTimeout(done))")

    def wait_helped(self, key: int) -> None:
        """Wait until the examples beside the sample came: what the page asks for by itself is done."""
        self.page.locator(f".argus-wb .parallel[data-sample='{key}']").wait_for(
            state="attached", timeout=20_000
        )

    def _units(self, words: str, occurrence: int) -> tuple[int, int]:
        text: str = self.page.evaluate(
            "() => [...document.querySelectorAll('.argus-wb .block')].map(b => b.textContent).join('')"
        )
        at = -1
        for _ in range(occurrence + 1):
            at = text.index(words, at + 1)
        return len(text[:at].encode("utf-16-le")) // 2, len(
            text[: at + len(words)].encode("utf-16-le")
        ) // 2


def add_text(store: Store, ident: str, language: str, text: str) -> int:
    """A new sample of the collection; returns its key."""
    collection = store.collections.get("News").id
    sample = Sample(id=ident, language=language, modality="text", text=text)
    return store.samples.add(collection, [sample], schema_number=1)[0]


def suggest(store: Store, key: int, *events: Event) -> int:
    """A suggestion as the worker would store it."""
    return store.samples.add_suggestion(
        key, events, model_id="scripted", raw_reply="[]", prompt_version="full.v1",
        schema_number=1, decoding={}, seconds=0.1,
    )  # fmt: skip


def words_of(text: str, words: str, *, confidence: float | None = None) -> Mention:
    """The mention of the first place where `words` stand."""
    at = text.index(words)
    return span(text, at, at + len(words), confidence=confidence)


def wait_for_review(store: Store, key: int, page: Page, *, count: int = 1) -> tuple[Event, ...]:
    """The events of the newest review, once there are `count` of them."""
    for _ in range(200):
        reviews = store.samples.reviews(key)
        if len(reviews) >= count:
            assert len(reviews) == count
            return reviews[0].events
        page.wait_for_timeout(50)
    raise AssertionError(f"sample {key} was not reviewed")


def as_shown(events: tuple[Event, ...]) -> list[Any]:
    """Events in the form that `Workbench.shown` has, with the labels of the tests' schema."""
    return [
        [
            e.event_type.capitalize(),
            ([["trigger", e.trigger.text]] if e.trigger else [])
            + [[a.role.capitalize(), a.mention.text] for a in e.arguments],
        ]
        for e in events
    ]
