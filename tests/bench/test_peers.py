"""Argus beside Label Studio on this machine: the same 10,000 texts in both, in turns, and the ratio.

Run as: ARGUS_LABEL_STUDIO=…/bin/python make bench ARGS="tests/bench/test_peers.py". Label Studio's two
calls are measured without its pages, Argus as a person sees it: from the key to the next sample on
the screen, with a suggestion. Asserts nothing about time.
"""

from __future__ import annotations

import os
import random
import socket
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from time import perf_counter

import pytest
from playwright.sync_api import Page, sync_playwright

from core.events import Argument, Event
from core.review import document_from, document_to_dict
from core.samples import Sample
from pages._ui import desk, desk_data, desk_queue
from storage.store import Store
from tests.bench.label_studio import HOW_TO, VARIABLE, LabelStudio
from tests.browser.conftest import FLAGS, RunningApp, find_chromium, open_news
from tests.browser.test_speed import load, painted, wait_painted
from tests.browser.workbench import Workbench, suggest, words_of

pytestmark = [pytest.mark.bench, pytest.mark.browser]

TASKS = 10_000
ROUNDS = 100
PATTERNS = {  # a text with what happens, and who does it
    "en": ("On {day} {who} launched a phone service in Madrid, number {n}.", "launched"),
    "zh": ("{who}星期{day}在马德里推出了第{n}项电话服务。🚀", "推出"),
    "es": ("El {day} {who} lanzó en Madrid el servicio número {n}.", "lanzó"),
    "ru": ("В {day} {who} запустила в Мадриде услугу номер {n}.", "запустила"),
}
WHO = ("Acme", "Нортия", "晨星", "Verbena")
SAVED = """() => new Promise(done => { const look = () =>
  document.querySelector('.argus-wb .saved').textContent === '' ? done() : setTimeout(look, 2); look(); })"""
Times = dict[str, list[float]]


def make_texts() -> list[Sample]:
    """The texts, the same at every run."""
    chance = random.Random(7)
    made = []
    for i in range(TASKS):
        language = ("en", "zh", "es", "ru")[i % 4]
        pattern, _ = PATTERNS[language]
        text = pattern.format(day=chance.choice("123456"), who=chance.choice(WHO), n=i)
        made.append(Sample(f"s{i}", language, "text", text))
    return made


def launch(language: str, text: str) -> Event:
    agent = next(who for who in WHO if who in text)
    trigger = words_of(text, PATTERNS[language][1], confidence=0.9)
    return Event(
        "launch", trigger, (Argument("agent", words_of(text, agent, confidence=0.8)),), 0.9
    )


@contextmanager
def timed(into: list[float]) -> Iterator[None]:
    began = perf_counter()
    yield
    into.append((perf_counter() - began) * 1000)


@pytest.fixture
def peer(tmp_path: Path) -> Iterator[LabelStudio]:
    """A Label Studio with a project; the test is skipped where there is none."""
    python = os.environ.get(VARIABLE)
    if not python or not Path(python).with_name("label-studio").exists():
        pytest.skip(HOW_TO)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    folder = tmp_path / "label-studio"
    folder.mkdir()
    server = LabelStudio(python, folder, port=port)
    yield server
    server.stop()


@pytest.fixture
def ours(tmp_path: Path) -> Iterator[tuple[RunningApp, Store]]:
    """The app on a free port, and its store."""
    running = RunningApp(tmp_path)
    store = open_news(tmp_path)
    running.start()
    yield running, store
    running.kill()
    store.engine.dispose()


def test_the_next_task_and_a_submit_beside_label_studio(
    peer: LabelStudio, ours: tuple[RunningApp, Store], capfd: pytest.CaptureFixture[str]
) -> None:
    app, store = ours
    samples = make_texts()
    keys = store.samples.add(store.collections.get("News").id, samples, schema_number=1)
    half = TASKS // 2
    for i in (*range(ROUNDS + 3), *range(half, half + ROUNDS)):
        suggest(store, keys[i], launch(samples[i].language, samples[i].text or ""))
    peer.open_project([s.text or "" for s in samples])
    language = {s.text: s.language for s in samples}
    times: Times = defaultdict(list)

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=find_chromium(), args=FLAGS)
        page = chromium.new_page(viewport={"width": 1440, "height": 900})
        bench = Workbench(page, app.url)
        page.goto(f"{app.url}/review")
        for i in range(ROUNDS):
            ask_peer(peer, language, times)
            submit_in_browser(bench, page, keys[i], times)
            serve(store, keys[half + i], times)
        chromium.close()

    assert len(store.samples.reviews(keys[ROUNDS - 1])) == 1
    with capfd.disabled():
        print(report(times))  # noqa: T201  the figures are what this is for


def ask_peer(peer: LabelStudio, language: dict[str | None, str], times: Times) -> None:
    """Label Studio's turn: the next task, and an annotation for it."""
    with timed(times["Label Studio, next task"]):
        task = peer.next_task()
    text = task["data"]["text"]
    event = launch(language[text], text)
    spans = {
        label: (mention.start or 0, mention.end or 0)
        for label, mention in zip(("launch", "agent"), event.mentions(), strict=True)
    }
    with timed(times["Label Studio, submit"]):
        peer.submit(task, spans)


def submit_in_browser(bench: Workbench, page: Page, key: int, times: Times) -> None:
    """Argus's turn: Ctrl+Enter, the next sample on the screen, the review stored and answered."""
    bench.wait_for(key)
    page.evaluate(SAVED)
    painted(page)
    with timed(times["Argus, submit stored and answered"]):
        bench.press("Control+Enter")
        wait_painted(page)
        times["Argus, submit to next sample painted"] += painted(page)
        page.evaluate(SAVED)


def serve(store: Store, key: int, times: Times) -> None:
    """What Argus's server does for the two, without the browser."""
    record = store.samples.get(key)
    document = document_from(record, store.samples.suggestion(key))
    with timed(times["Argus's server, submit"]):
        desk.submit_review(store, {"document": document_to_dict(document)}, person="Bo")
    with timed(times["Argus's server, next sample"]):
        queue = desk_queue.queue_of(store, record.collection_id, desk.FilterMessage())
        place = desk_queue.find_place(store, queue, key=key, person="Bo")
        desk_data.sample_data(store, place.next or key, person="Bo")


def report(times: Times) -> str:
    """Each figure, and how many times as long Label Studio takes for the same."""
    lines = [f"\n{TASKS:,} texts, {ROUNDS} in turns, {load()}"]
    for name, values in times.items():
        ordered = sorted(values)
        high = ordered[int(len(ordered) * 0.95)]
        lines.append(f"  {name}: p50 {median(ordered):.0f} ms, p95 {high:.0f} ms")
    theirs = [a + b for a, b in zip(*(times[f"Label Studio, {w}"] for w in ("submit", "next task")), strict=True)]  # fmt: skip
    for what, slow, fast in (
        ("submit and next task, against the next sample painted", theirs, times["Argus, submit to next sample painted"]),
        ("submit and next task, against stored and answered", theirs, times["Argus, submit stored and answered"]),
        ("submit, against the server's", times["Label Studio, submit"], times["Argus's server, submit"]),
        ("next task, against the server's", times["Label Studio, next task"], times["Argus's server, next sample"]),
    ):  # fmt: skip
        lines.append(f"  ratio of p50, Label Studio's {what}: {median(slow) / median(fast):.1f}")
    return "\n".join(lines)
