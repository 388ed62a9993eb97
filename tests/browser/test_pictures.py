"""Pictures on Review: boxes and words placed by mouse, by script and by keys alone come back exact."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image
from playwright.sync_api import Browser, Page

from core.boxes import around
from core.errors import MediaError
from core.events import Argument, Event, Mention
from storage.home import Home
from storage.store import Store
from tests.browser.conftest import RunningApp
from tests.browser.pictures import HEIGHT, WIDTH, PicturePage, bring_in, placed
from tests.browser.workbench import suggest
from train.jobs import handle_job
from train.media import prepare_media
from train.media_import import import_bundle
from train.services import Services
from train.warm import WarmModel

pytestmark = pytest.mark.browser
LIMIT = 100_000  # bytes over the websocket in one rerun


@pytest.fixture(scope="module")
def keys(app: RunningApp, store: Store, tmp_path_factory: pytest.TempPathFactory) -> dict[str, int]:
    """Samples with pictures, ready to be worked on."""
    return bring_in(app.home, store, tmp_path_factory.mktemp("pictures"))


def wait_for_job(store: Store, page: Page) -> int:
    """The job that the page asked the worker for."""
    for _ in range(200):
        if jobs := store.jobs.open("media"):
            return jobs[0].id
        page.wait_for_timeout(50)
    raise AssertionError("no media were asked for")


def say_two_opinions(store: Store, key: int) -> dict[str, tuple[Event, ...]]:
    """Bo and Ana on one sample: a box moved and one left out, one more event the same."""
    box, moved = ((x, 0.1, 0.2, 0.2) for x in (0.1, 0.12))
    third = Argument("target", Mention(media="m1", page=2, box=(0.25, 0.25, 0.5, 0.125)))
    word = placed().words[0]
    named = Mention(word.text, word.start, word.end, media="m0", box=word.box)
    same = Event(
        "attack", None, (Argument("place", Mention(media="m0", box=(0.5, 0.5, 0.1, 0.1))),)
    )
    said = {
        "left": (Event("attack", Mention(media="m0", box=box), (third, Argument("target", named))), same),
        "right": (Event("attack", Mention(media="m0", box=moved), (third,)), same),
    }  # fmt: skip
    for person, events in zip(("Bo", "Ana"), said.values(), strict=True):
        store.samples.add_review(key, events, person=person, schema_number=1)
    return said


def said_in(page: Page, place: str) -> list[str]:
    """What stands in the lines at a place of the window, with plain spaces."""
    said = page.locator(f".argus-wb {place} [dir]").all_inner_texts()
    return [words.replace("\u00a0", " ") for words in said]


def taken(page: Page) -> list[str]:
    """The sides that the draft says."""
    found: list[str] = page.locator(".argus-wb .opinion.taken").evaluate_all(
        "all => all.map(o => o.dataset.side)"
    )
    return found


@pytest.mark.parametrize("events_a_zoom", [2, pytest.param(9, marks=pytest.mark.slow)])
def test_boxes_drawn_at_three_zooms_come_back_within_half_a_pixel(
    app: RunningApp, store: Store, page: Page, keys: dict[str, int], events_a_zoom: int
) -> None:
    key = keys["chart0" if events_a_zoom == 2 else "chart8"]
    drawn: list[tuple[float, ...]] = []
    chance = random.Random(6)
    bench = PicturePage(page, app.url)
    bench.open_picture(key)

    for notches in (0, 3, 3):
        bench.zoom(notches)
        left, top, width, height = bench.sheet
        view = page.locator(".argus-wb .view-in").bounding_box()
        assert view is not None
        x_range = max(left, view["x"]), min(left + width, view["x"] + view["width"])
        y_range = max(top, view["y"]), min(top + height, view["y"] + view["height"])
        for _ in range(events_a_zoom):
            # eight boxes an event, one by the mouse, the others by script
            wanted = []
            for n in range(8):
                x0, x1 = sorted(chance.sample(range(int(x_range[0]) + 2, int(x_range[1]) - 9), 2))
                y0, y1 = sorted(chance.sample(range(int(y_range[0]) + 2, int(y_range[1]) - 9), 2))
                part = chance.random() if n else 0.0  # a pen's places are no whole pixels
                wanted.append((x0 + part, y0 + part, x1 + 4 + part, y1 + 4 + part))
            bench.new_event("att")
            bench.press("2")
            bench.draw(*wanted[0])
            bench.draw_by_script("2", wanted[1:])
            drawn += [
                (x0 - left, y0 - top, x1 - left, y1 - top, width, height)
                for x0, y0, x1, y1 in wanted
            ]
    events = bench.submit(store, key)

    boxes = [argument.mention.box for event in events for argument in event.arguments]
    assert len(boxes) == len(drawn) == 3 * 8 * events_a_zoom
    for box, (x0, y0, x1, y1, width, height) in zip(boxes, drawn, strict=True):
        assert box is not None
        x, y, w, h = box
        shown = (x * width, y * height, (x + w) * width, (y + h) * height)
        assert max(abs(a - b) for a, b in zip(shown, (x0, y0, x1, y1), strict=True)) <= 0.5


def test_what_is_painted_lies_where_it_was_drawn(
    app: RunningApp, page: Page, keys: dict[str, int]
) -> None:
    bench = PicturePage(page, app.url)
    bench.open_picture(keys["chart1"])
    bench.new_event("att")
    bench.press("Escape")
    found = []

    for notches in (0, 2, -4):
        bench.zoom(notches)
        left, top, width, height = bench.sheet
        middle = (left + width / 2, top + height / 2)
        wanted = [middle[0] - 31, middle[1] - 22, middle[0] + 43, middle[1] + 57]
        bench.press("2")
        bench.draw(*wanted)
        found.append((bench.boxes()[-1], wanted))

    for shown, wanted in found:
        assert max(abs(a - b) for a, b in zip(shown, wanted, strict=True)) <= 0.51


def test_words_clicked_and_dragged_over_are_text_and_box(
    app: RunningApp, store: Store, page: Page, keys: dict[str, int]
) -> None:
    spans = [("launched", "launched"), ("Acme", "😀"), ("Madrid", "сегодня")]
    words = {word.text: word for word in placed().words}
    bench = PicturePage(page, app.url)
    bench.open_picture(keys["chart2"])
    bench.wait_words()
    bench.new_event("att")

    page.mouse.click(*bench.middle("launched"))
    bench.press("r")
    for first, last in spans[1:]:
        bench.press("2")
        bench.draw(*bench.middle(first), *bench.middle(last))
    (event,) = bench.submit(store, keys["chart2"])

    mentions = [event.trigger, *(a.mention for a in event.arguments)]
    for mention, (first, last) in zip(mentions, spans, strict=True):
        one, other = words[first], words[last]
        inside = [w for w in placed().words if one.start <= w.start and w.end <= other.end]
        assert mention is not None
        assert (mention.start, mention.end) == (one.start, other.end)
        assert mention.text == placed().text[one.start : other.end]
        assert mention.box == pytest.approx(around([w.box for w in inside]), abs=2e-9)
        assert (mention.media, mention.page) == ("m0", None)


def test_a_box_is_made_moved_resized_and_deleted_by_keys_alone(
    app: RunningApp, store: Store, page: Page, keys: dict[str, int]
) -> None:
    bench = PicturePage(page, app.url)
    bench.open_picture(keys["chart3"])

    bench.press("b", "w", *["ArrowRight"] * 12, "ArrowUp", *["Shift+ArrowLeft"] * 30, "t")
    page.keyboard.type("att")
    bench.press("Enter")
    bench.press("2", "b", "n", "b", "ArrowDown", "2")
    before = page.locator(".argus-wb .box:not(.held)").count()
    bench.press("b", "Delete")
    held = page.locator(".argus-wb .box.held").count()
    bench.press("Shift+n", "n", "Delete", "z")
    after = page.locator(".argus-wb .box:not(.held)").count()
    (event,) = bench.submit(store, keys["chart3"])

    assert event.trigger is not None
    assert event.trigger.box == pytest.approx(
        (0.375 + 12 / WIDTH, 0.375 - 1 / HEIGHT, 0.25 - 30 / WIDTH, 0.25), abs=0.002
    )
    assert (before, held, after) == (3, 0, 3)
    assert [a.role for a in event.arguments] == ["target", "target"]


def test_handles_move_one_edge_and_overlaps_are_all_reached(
    app: RunningApp, store: Store, page: Page, keys: dict[str, int]
) -> None:
    box = (0.25, 0.25, 0.5, 0.5)
    inner = (0.4, 0.4, 0.1, 0.1)
    arguments = [Argument("target", Mention(media="m0", box=b)) for b in (box, inner)]
    suggest(store, keys["chart4"], Event("attack", None, tuple(arguments)))
    bench = PicturePage(page, app.url)
    bench.open_picture(keys["chart4"])
    left, top, width, height = bench.sheet
    point = (left + 0.45 * width, top + 0.45 * height)

    dashed = page.locator(".argus-wb .box.open").count()
    reached = []
    for _ in range(3):
        page.mouse.click(*point)
        reached.append(page.locator(".argus-wb .slot.at").get_attribute("data-part"))
    handle = page.locator('.argus-wb [data-handle="e"]').bounding_box()
    page.mouse.click(*point)
    handle = page.locator('.argus-wb [data-handle="e"]').bounding_box()
    assert handle is not None
    start = (handle["x"] + handle["width"] / 2, handle["y"] + handle["height"] / 2)
    bench.draw(*start, start[0] + 40, start[1])
    bench.press("Shift+a")
    (event,) = bench.submit(store, keys["chart4"])

    assert dashed == 2
    assert reached == ["a:s0.a1", "a:s0.a0", "a:s0.a1"]
    first, second = (a.mention.box for a in event.arguments)
    assert first is not None
    assert first[:2] + first[3:] == box[:2] + box[3:]
    assert first[2] == pytest.approx(0.5 + 40 / width, abs=0.5 / width)
    assert second == inner
    kinds = [c["kind"] for c in store.samples.reviews(keys["chart4"])[0].difference]
    assert kinds == ["argument_moved"]


def test_a_box_lives_through_undo_reload_submit_history_and_comparison(
    app: RunningApp, store: Store, page: Page, keys: dict[str, int]
) -> None:
    key = keys["both"]
    bench = PicturePage(page, app.url)
    bench.open_picture(key)
    bench.wait_words()
    bench.new_event("att")
    bench.press("2")
    left, top, *_ = bench.sheet
    bench.draw(left + 50, top + 50, left + 150, top + 120)
    drawn = page.locator(".argus-wb .box").count()
    bench.press("z")
    undone = page.locator(".argus-wb .box").count()
    bench.press("Shift+z")
    bench.wait_saved()

    bench.open_picture(key)
    reloaded = page.locator(".argus-wb .box").count()
    crops = page.locator(".argus-wb .crop").count()
    (first,) = bench.submit(store, key)
    bench.open_picture(key)
    bench.press("x", "Escape", "g")
    bench.submit(store, key)
    bench.open_picture(key)
    bench.press("h")
    page.locator(".argus-wb .change.event_removed").wait_for()
    bench.press("ArrowDown")
    oldest = store.samples.reviews(key)[-1].id
    page.locator(f'.argus-wb .versions li.at[data-version="{oldest}"]').wait_for()
    bench.press("Enter")
    restored = page.locator(".argus-wb .box").count()
    (again,) = bench.submit(store, key)

    assert (drawn, undone, reloaded, restored, crops) == (1, 0, 1, 1, 1)
    assert again == first


def test_pages_are_turned_and_a_box_knows_its_page(
    app: RunningApp, store: Store, page: Page, keys: dict[str, int]
) -> None:
    mention = Mention(media="m1", page=2, box=(0.1, 0.1, 0.3, 0.3))
    store.samples.add_review(
        keys["both"], [Event("attack", mention)], person="Bo", schema_number=1,
    )  # fmt: skip
    bench = PicturePage(page, app.url)
    bench.open_picture(keys["both"])

    page.locator(".argus-wb .card .head").first.click()
    page.locator(".argus-wb .tools", has_text="page 3 of 3").wait_for()
    page.locator(".argus-wb .box.trigger").wait_for()
    page.locator(".argus-wb .view-in").focus()
    bench.press("PageUp")
    page.wait_for_function(
        "() => document.querySelector('.argus-wb .paper .whole')?.naturalWidth === 600"
    )
    bench.press("Escape", "2", "b")
    (event,) = bench.submit(store, keys["both"])
    assert event.trigger == mention
    assert event.arguments[0].mention.page == 1
    assert event.arguments[0].mention.box == pytest.approx((0.375, 0.375, 0.25, 0.25), abs=0.002)


def test_a_large_picture_is_never_sent_whole(
    app: RunningApp, page: Page, keys: dict[str, int]
) -> None:
    sizes: list[int] = []
    page.on("response", lambda r: sizes.append(int(r.headers.get("content-length", 0))) if "/files/" in r.url else None)  # fmt: skip
    bench = PicturePage(page, app.url)
    bench.open_picture(keys["large"])
    before = page.locator(".argus-wb .tiles img").count()

    bench.zoom(7)
    page.locator(".argus-wb .tiles img").first.wait_for(state="attached", timeout=15_000)
    page.wait_for_function(
        "() => [...document.querySelectorAll('.argus-wb .tiles img')].every(i => i.complete && i.naturalWidth)"
    )
    inside = page.evaluate("() => [...document.querySelectorAll('.argus-wb .tiles img')].map(i => i.naturalWidth)")  # fmt: skip

    assert before == 0
    assert max(inside) <= 512
    assert len(inside) <= 24
    assert max(sizes) < 600_000


def test_a_rerun_with_a_picture_is_under_a_hundred_kilobytes(
    app: RunningApp, page: Page, keys: dict[str, int]
) -> None:
    runs = [0]
    page.on("websocket", lambda ws: ws.on("framereceived", lambda data: runs.append(len(data))))
    bench = PicturePage(page, app.url)
    bench.open_picture(keys["chart5"])
    bench.wait_words()

    bench.new_event("att")
    bench.press("2", "b", "b")
    bench.wait_saved()

    assert max(runs) > 0
    assert all(a + b < LIMIT for a, b in pairwise(runs))


def test_a_picture_appears_by_itself_once_it_is_ready(
    app: RunningApp, store: Store, page: Page, keys: dict[str, int], tmp_path: Path
) -> None:
    services = Services(Home(app.home), store)
    Image.new("RGB", (300, 200), "teal").save(tmp_path / "поздно.png")
    line = {"id": "late", "language": "ru", "modality": "image", "text": None,
            "media": [{"id": "m0", "kind": "image", "path": "поздно.png"}]}  # fmt: skip
    (tmp_path / "late.jsonl").write_text(json.dumps(line, ensure_ascii=False), "utf-8")
    import_bundle(services, tmp_path / "late.jsonl", collection="News")
    collection = store.collections.get("News").id
    key = next(r.key for r in store.samples.list(collection_id=collection) if r.sample.id == "late")

    page.goto(f"{app.url}/review?sample={key}&all=1")
    page.locator(".argus-wb .not-yet .line", has_text="поздно.png").wait_for(timeout=30_000)
    job = prepare_media(services, collection)
    assert job is not None
    handle_job(services, WarmModel(services), job)

    page.wait_for_function(
        "() => document.querySelector('.argus-wb .paper .whole')?.naturalWidth === 300"
    )


def test_a_gallery_shows_the_medium_that_a_slot_points_into(
    app: RunningApp, store: Store, page: Page, keys: dict[str, int]
) -> None:
    chart, pages = Mention(media="m0", box=(0.1, 0.1, 0.2, 0.2)), Mention(media="m1", page=1, box=(0.2, 0.2, 0.3, 0.3))  # fmt: skip
    suggest(store, keys["gallery"], Event("attack", chart, (Argument("target", pages),)))
    bench = PicturePage(page, app.url)
    bench.open_picture(keys["gallery"])
    shown = page.locator(".argus-wb .thumb[aria-selected=true]")

    chosen = [shown.get_attribute("data-medium")]
    bench.press("n", "n")
    page.locator(".argus-wb .tools", has_text="page 2 of 3").wait_for()
    chosen.append(shown.get_attribute("data-medium"))
    page.locator(".argus-wb .view-in").focus()
    bench.press("[")
    chosen.append(shown.get_attribute("data-medium"))
    page.locator(".argus-wb .thumb").nth(1).click()
    chosen.append(shown.get_attribute("data-medium"))

    assert chosen == ["m0", "m1", "m0", "m1"]


def test_a_picture_that_is_not_there_says_so(
    app: RunningApp, page: Page, keys: dict[str, int]
) -> None:
    page.goto(f"{app.url}/review?sample={keys['gone']}&all=1")

    said = page.locator(".argus-wb .not-yet.problem").inner_text(timeout=30_000)

    assert "gone.png" in said


def test_the_sheet_of_keys_has_those_of_a_picture_which_cannot_be_changed(
    app: RunningApp, page: Page, keys: dict[str, int]
) -> None:
    bench = PicturePage(page, app.url)
    bench.open_picture(keys["chart7"])

    bench.press("?")
    ((section, told),) = bench.fixed_keys()
    changed = [page.locator(s).count() for s in (".help-fixed button", ".help-row .keycap")]

    assert section == "In a picture or document"
    assert told["Box in the middle of the view"] == ["B"]
    assert told["Resize the box"] == ["Shift", "←", "→", "↑", "↓"]
    assert told["Hold it and drag: move the picture"] == ["Space"]
    assert changed[0] == 0
    assert changed[1] > 30


@pytest.mark.parametrize("by", ["mouse", "keys"])
def test_a_picture_that_failed_is_tried_again_and_appears_by_itself(
    app: RunningApp, store: Store, page: Page, keys: dict[str, int], by: str
) -> None:
    services = Services(Home(app.home), store)
    (one,) = store.media.of(keys["large"])
    assert one.file is not None
    store.media.keep(replace(one.file, state="failed", problem="the worker had too little memory"))
    page.goto(f"{app.url}/review?sample={keys['large']}&all=1")
    said = page.locator(".argus-wb .not-yet.problem")
    said.filter(has_text="too little memory").wait_for(timeout=30_000)

    button = said.get_by_role("button", name="Try again")
    if by == "mouse":
        button.click()
    else:
        button.focus()
        page.keyboard.press("Enter")
    page.locator(".argus-wb .not-yet progress").wait_for()
    page.wait_for_function("() => !document.querySelector('.argus-wb .not-yet.problem')")
    job = wait_for_job(store, page)
    handle_job(services, WarmModel(services), job)

    page.wait_for_function(
        "() => document.querySelector('.argus-wb .paper .whole')?.naturalWidth > 0"
    )


def test_a_picture_that_fails_again_says_why_and_can_be_tried_once_more(
    app: RunningApp, store: Store, page: Page, keys: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise MediaError("large.png is still too large")

    services = Services(Home(app.home), store)
    (one,) = store.media.of(keys["large"])
    assert one.file is not None
    store.media.keep(replace(one.file, state="failed", problem="large.png is too large"))
    monkeypatch.setattr("train.media.look", fail)
    page.goto(f"{app.url}/review?sample={keys['large']}&all=1")
    said = page.locator(".argus-wb .not-yet.problem")

    said.get_by_role("button", name="Try again").click(timeout=30_000)
    handle_job(services, WarmModel(services), wait_for_job(store, page))

    said.filter(has_text="still too large").wait_for(timeout=15_000)
    assert said.get_by_role("button", name="Try again").is_enabled()


def test_two_opinions_on_a_picture_differ_where_their_boxes_do(
    app: RunningApp, store: Store, page: Page, keys: dict[str, int]
) -> None:
    say_two_opinions(store, keys["opinions-left"])
    bench = PicturePage(page, app.url)
    bench.open_picture(keys["opinions-left"])

    bench.press("o")
    page.locator(".argus-wb .pair.at").wait_for()
    page.wait_for_function(
        "() => document.querySelectorAll('.argus-wb .opinion .crop').length === 5"
    )
    sides = [said_in(page, f".opinion[data-side={side}] .line") for side in ("left", "right")]
    differing = said_in(page, ".opinion .line.differs")

    third = "pages.tif, page 3, box at 25 %, 25 %, 50 × 12.5 % large"
    assert page.locator(".argus-wb .pair[role=group]").count() == 1
    assert sides == [
        ["chart.png, box at 10 %, 10 %, 20 × 20 % large", third,
         "Acme · chart.png, box at 8.3 %, 7.5 %, 13.3 × 6.3 % large"],
        ["chart.png, box at 12 %, 10 %, 20 × 20 % large", third],
    ]  # fmt: skip
    assert differing == [sides[0][0], sides[0][2], sides[1][0]]


@pytest.mark.parametrize(("side", "key"), [("left", "1"), ("right", "2")])
def test_of_two_opinions_on_a_picture_either_is_taken_unchanged(
    app: RunningApp, store: Store, page: Page, keys: dict[str, int], side: str, key: str
) -> None:
    said = say_two_opinions(store, keys[f"opinions-{side}"])
    bench = PicturePage(page, app.url)
    bench.open_picture(keys[f"opinions-{side}"])

    bench.press("o")
    page.locator(".argus-wb .pair.at").wait_for()
    before = taken(page)
    bench.press(key)
    after = taken(page)
    bench.press("Escape")
    events = bench.submit(store, keys[f"opinions-{side}"])

    assert (before, after) == (["right"], [side])
    assert events == said[side]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_review_with_a_picture_has_no_serious_issue(
    app: RunningApp, browser: Browser, store: Store, keys: dict[str, int], scheme: str
) -> None:
    mentions = [Mention(media="m0", box=(0.1 * n, 0.2, 0.15, 0.2)) for n in range(1, 4)]
    if store.samples.suggestion(keys["chart6"]) is None:
        suggest(store, keys["chart6"], *(Event("attack", m) for m in mentions))
    wide = 1440 if scheme == "light" else 1024
    context = browser.new_context(viewport={"width": wide, "height": 900}, color_scheme=scheme)  # type: ignore[arg-type]
    page = context.new_page()
    bench = PicturePage(page, app.url)
    bench.open_picture(keys["chart6"])
    bench.wait_words()
    page.locator(".argus-wb .reading summary").click()

    response = Axe().run(page).response
    context.close()

    assert [
        (v["id"], node["html"][:120])
        for v in response["violations"]
        if v["impact"] in ("serious", "critical")
        for node in v["nodes"]
    ] == []
