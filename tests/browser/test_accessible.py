"""axe-core finds nothing serious on any page, in light and in dark, at 1440 and at 1024 wide; at 200 %
zoom and at 1024 nothing is cut and every page can be worked with."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from core.events import Argument, Event, Mention
from core.problems import Problem
from core.samples import Sample
from storage.store import Store
from tests.browser.conftest import RunningApp
from tests.browser.workbench import Workbench, suggest, words_of

pytestmark = pytest.mark.browser

PAGES = ("home", "queues", "samples", "schema", "training", "models", "overview")
ADDRESSES = {"home": ""}  # of those whose address is not their name
TEXTS = {
    "zh": ("😀华为在深圳推出手机。", "推出", "华为"),
    "ru": ("Акме запустила сервис в Мадриде.", "запустила", "Акме"),
}
PROBLEMS = [
    Problem("cut_reply"),
    Problem("short_trigger", {"type": "launch", "words": "запустила", "event": 0}),
]
# What is opened on Review, by the keys that do it and what then stands there.
OPENED = {
    "cards": ([], ".card"),
    "types": (["e"], ".list li"),
    "reasons": (["x"], ".list li"),
    "keys": (["?"], ".help-row"),
    "comment": (["m"], ".note-sheet"),
    "history": (["h"], ".versions li"),
    "opinions": (["o"], ".pair"),
    "examples": (["v"], "details[open]"),
}


# What a page is for: it must be in sight, or a scroll down away, and lie under nothing.
MAIN = {
    "home": ".st-key-next_step button",
    "queues": ".st-key-queue_open button",
    "samples": "[data-testid=stTab] >> nth=1",
    "schema": ".st-key-add_type button",
    "training": ".st-key-retrain button",
    "models": "[data-testid=stSelectbox] >> nth=1",
    "overview": ".st-key-radar_audit button",
}
# What lies outside the window, and words that are cut off. What scrolls by itself is not cut; a folded
# example shows only its beginning.
CUT = """() => {
  const wide = document.documentElement.clientWidth, found = new Set();
  const skipped = '[data-testid=stSidebar], [aria-hidden=true], svg, style, summary, .evidence, .stAppSkipLink, a[href="#stMain"]';
  const walk = (n) => (n && n !== document.body ? [n, ...walk(n.parentElement)] : []);
  const scrolls = (n) => walk(n).some((p) => ['auto', 'scroll'].includes(getComputedStyle(p).overflowX) && p.scrollWidth > p.clientWidth + 1);
  const hides = (p) => { const s = getComputedStyle(p); return s.display !== 'inline' && ['hidden', 'clip'].includes(s.overflowX) && p.clientWidth && p.scrollWidth > p.clientWidth + 1; };
  for (const n of document.querySelectorAll('body *')) {
    const box = n.getBoundingClientRect();
    const isSaid = [...n.childNodes].some((c) => c.nodeType === Node.TEXT_NODE && c.data.trim());
    if (!isSaid && !n.matches('button, a, input, select, textarea')) continue;
    if (box.width < 2 || box.height < 2 || getComputedStyle(n).visibility === 'hidden' || n.closest(skipped) || scrolls(n)) continue;
    const words = `${n.tagName} ${(n.getAttribute('aria-label') ?? n.textContent).trim().slice(0, 40)}`;
    if (box.left < -1 || box.right > wide + 1) found.add(`outside: ${words}`);
    else if (!n.matches('input') && walk(n).some(hides)) found.add(`cut: ${words}`);
  }
  const main = document.querySelector('[data-testid=stMain]');
  for (const n of [document.documentElement, main]) if (n.scrollWidth > n.clientWidth) found.add(`scrolls sideways: ${n.tagName}`);
  return [...found];
}"""


@pytest.fixture(scope="module")
def keys(store: Store) -> dict[str, int]:
    """A sample a language: two suggestions, two reviews of one, notes, a parallel."""
    collection = store.collections.get("News").id
    store.models.add("tuned", title="Tuned", state="candidate", location="/nowhere")
    found = store.samples.add(
        collection,
        [Sample(c, c, "text", t[0], parallel_group="story") for c, t in TEXTS.items()],
        schema_number=1,
    )
    keys = dict(zip(TEXTS, found, strict=True))
    for language, key in keys.items():
        text, trigger, agent = TEXTS[language]
        at = words_of(text, trigger, confidence=0.6)
        loose = Argument("product", Mention(text="nowhere", confidence=0.2))
        events = [
            Event("launch", at, (Argument("agent", words_of(text, agent, confidence=0.4)), loose)),
            Event("attack", None, (Argument("target", words_of(text, agent)),), confidence=0.3),
        ]
        suggest(store, key, *events)
        store.samples.add_suggestion(
            key, events[:1], model_id="tuned", raw_reply="", prompt_version="full.v1",
            schema_number=1, decoding={}, seconds=0.1, problems=PROBLEMS,
        )  # fmt: skip
    store.samples.add_review(keys["zh"], (), person="Bo", schema_number=1)
    store.samples.add_review(keys["zh"], events_of("zh"), person="Ana", schema_number=1)
    store.notes.add(keys["ru"], person="Ana", kind="flag", text="кто это?", start=0, end=4)
    return keys


def events_of(language: str) -> list[Event]:
    text, trigger, agent = TEXTS[language]
    return [
        Event("launch", words_of(text, trigger), (Argument("agent", words_of(text, agent)),)),
    ]


@pytest.fixture(params=["light", "dark"])
def themed(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Page]:
    """A page of a person who likes it light, or dark."""
    wide = 1440 if request.param == "light" else 1024
    context = browser.new_context(
        viewport={"width": wide, "height": 900}, color_scheme=request.param
    )
    yield context.new_page()
    context.close()


def serious(page: Page) -> list[str]:
    """The serious and critical findings, a line each."""
    response = Axe().run(page).response
    return [
        f"{v['impact']} {v['id']}: {node['target']} {node['html'][:160]} "
        f"{[c['message'] for c in node['any']][:1]}"
        for v in response["violations"]
        if v["impact"] in ("serious", "critical")
        for node in v["nodes"][:4]
    ]


def settle(page: Page) -> None:
    """Wait until Streamlit has run."""
    page.locator("[data-testid=stApp]").wait_for(timeout=30_000)
    page.wait_for_function(
        "() => !document.querySelector('[data-testid=stStatusWidget]')"
        " && document.querySelector('[data-test-script-state=notRunning]')",
        timeout=30_000,
    )
    page.wait_for_function(  # the style sheet of the frame comes in a request of its own
        "() => getComputedStyle(document.querySelector('.stApp')).fontVariantNumeric"
        " === 'tabular-nums'",
        timeout=10_000,
    )
    page.wait_for_timeout(700)


@pytest.mark.parametrize("name", PAGES)
def test_a_page_has_no_serious_issue(
    app: RunningApp, keys: dict[str, int], themed: Page, name: str
) -> None:
    themed.goto(f"{app.url}/{ADDRESSES.get(name, name)}")
    settle(themed)

    assert serious(themed) == []


@pytest.mark.parametrize("language", TEXTS)
def test_review_has_no_serious_issue_whatever_is_open(
    app: RunningApp, keys: dict[str, int], themed: Page, language: str
) -> None:
    bench = Workbench(themed, app.url)
    found: dict[str, list[str]] = {}

    for name, (presses, there) in OPENED.items():
        bench.open(keys[language])
        themed.locator(".argus-wb .parallel details").first.wait_for(timeout=15_000)
        bench.press(*presses)
        if name != "history" or language == "zh":
            themed.locator(f".argus-wb {there}").first.wait_for(timeout=10_000)
        found[name] = serious(themed)
        bench.press("Escape")

    assert {name: lines for name, lines in found.items() if lines} == {}


@pytest.fixture(params=[(720, 450, 2), (1024, 768, 1)], ids=["1440 at 200 %", "1024"])
def narrow(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Page]:
    """A window of 1440 by 900 at 200 % zoom, and one of 1024 as it is."""
    wide, high, zoom = request.param
    context = browser.new_context(
        viewport={"width": wide, "height": high}, device_scale_factor=zoom
    )
    yield context.new_page()
    context.close()


@pytest.mark.parametrize("name", PAGES)
def test_a_narrow_page_cuts_nothing_and_can_be_worked_with(
    app: RunningApp, keys: dict[str, int], narrow: Page, name: str
) -> None:
    narrow.goto(f"{app.url}/{ADDRESSES.get(name, name)}")
    settle(narrow)

    assert narrow.evaluate(CUT) == []
    narrow.locator(MAIN[name]).first.hover(trial=True, timeout=5_000)


@pytest.mark.parametrize("language", TEXTS)
def test_a_narrow_review_cuts_nothing_whatever_is_open(
    app: RunningApp, keys: dict[str, int], narrow: Page, language: str
) -> None:
    bench = Workbench(narrow, app.url)
    found: dict[str, list[str]] = {}

    for name, (presses, there) in OPENED.items():
        bench.open(keys[language])
        narrow.locator(".argus-wb .parallel details").first.wait_for(timeout=15_000)
        bench.press(*presses)
        if name != "history" or language == "zh":
            narrow.locator(f".argus-wb {there}").first.hover(trial=True, timeout=10_000)
        found[name] = narrow.evaluate(CUT)
        bench.press("Escape")
    for main in (".card .yes", ".card .no", ".after .plain", ".over .tool", ".submit"):
        narrow.locator(f".argus-wb {main}").first.hover(trial=True, timeout=5_000)

    assert {name: lines for name, lines in found.items() if lines} == {}


def test_the_pages_can_be_reached_at_200_percent(app: RunningApp, browser: Browser) -> None:
    page = browser.new_context(viewport={"width": 720, "height": 450}).new_page()
    page.goto(app.url)
    settle(page)

    page.locator("[data-testid=stExpandSidebarButton]").click()
    page.locator("[data-testid=stSidebarNavLink]", has_text="Queues").click()
    page.locator(".st-key-queue_open").wait_for()

    assert page.url.split("?")[0] == f"{app.url}/queues"
    page.context.close()
