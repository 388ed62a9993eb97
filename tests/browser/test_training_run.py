"""A training run in the browser: paused, found again after a reload and a restart, resumed, cancelled."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

import pytest
from playwright.sync_api import Browser, Page, expect

from core.events import Event, span
from core.samples import Sample
from storage.home import Home
from tests.browser.conftest import RunningApp
from tests.browser.processes import RunningWorker, wait
from train import queue
from train.recipes import Recipe
from train.register import register_model
from train.services import Services

pytestmark = pytest.mark.browser

LONG = replace(
    Recipe.laptop(), rank=2, alpha=4, epochs=100, batch_size=1, dropout=0.0, warmup_steps=0,
    evaluate_every=0,
)  # fmt: skip
PATIENCE = 120_000  # milliseconds: a process starts, loads torch and freezes the reviews meanwhile


@pytest.fixture
def services(app, store, tiny_model) -> Services:
    """Twenty-four reviewed samples and the tiny model in use."""
    opened = Services(Home(app.home), store)
    collection = store.collections.get("News").id
    texts = [("ru", f"Вега запустила чип {i}", 5, 14) for i in range(12)]
    texts += [("zh", f"华为发布芯片{i}号", 2, 4) for i in range(12)]
    samples = [
        Sample(f"s{i}", code, "text", text, split="train",
               events=(Event("launch", span(text, start, end)),))
        for i, (code, text, start, end) in enumerate(texts)
    ]  # fmt: skip
    store.samples.add(collection, samples, schema_number=1)
    register_model(opened, str(tiny_model), "Tiny")
    tiny = next(m.id for m in store.models.all() if m.location == str(tiny_model))
    store.models.promote(collection, tiny, previous_id=tiny, person=None, reason="", scores={})
    return opened


@pytest.fixture
def worker(app) -> Iterator[RunningWorker]:
    running = RunningWorker(app.home)
    running.start()
    yield running
    assert running.process is not None
    running.process.terminate()  # it lets its run write a checkpoint and end: no process is left
    running.process.wait(PATIENCE / 1000)


def bar(page: Page):
    return page.locator(".st-key-open_run_1 [data-testid='stProgress']")


def press(page: Page, button: str) -> None:
    run = page.locator(".st-key-open_run_1")
    run.get_by_role("button", name=button, exact=True).click(timeout=PATIENCE)


def test_a_run_is_paused_found_again_resumed_and_cancelled(
    services: Services, worker: RunningWorker, app: RunningApp, page: Page, browser: Browser
):
    runs = services.store.runs
    run_id = queue.start_run(services, services.store.collections.get("News").id, LONG)
    page.goto(f"{app.url}/training")
    expect(bar(page)).to_contain_text("of 2,400, loss", timeout=PATIENCE)

    press(page, "Pause")
    expect(bar(page)).to_contain_text("Run 1 is paused at step", timeout=PATIENCE)
    paused = runs.get(run_id).step
    page.reload(timeout=PATIENCE)
    expect(bar(page)).to_contain_text(f"paused at step {paused:,} of 2,400", timeout=PATIENCE)
    app.kill()
    app.start()
    page.goto(f"{app.url}/training", timeout=PATIENCE)
    expect(bar(page)).to_contain_text(f"paused at step {paused:,} of 2,400", timeout=PATIENCE)

    press(page, "Resume")
    expect(bar(page)).to_contain_text("loss", timeout=PATIENCE)
    assert wait(lambda: runs.get(run_id).step > paused, seconds=PATIENCE / 1000)
    steps = [point.step for point in runs.losses(run_id)]
    assert steps == list(range(1, len(steps) + 1))  # none twice, none left out

    other = browser.new_context().new_page()
    other.goto(f"{app.url}/training", timeout=PATIENCE)
    expect(bar(other)).to_contain_text(re.compile(r"Run 1: step [\d,]+ of 2,400"), timeout=PATIENCE)
    press(other, "Cancel")
    ended = page.get_by_text(re.compile("Cancelled by a person at step .* no model was made of it"))
    expect(ended).to_be_visible(timeout=PATIENCE)  # in the first browser, by itself
    assert runs.get(run_id).model_id is None
    other.context.close()
