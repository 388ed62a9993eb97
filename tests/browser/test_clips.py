"""Clips and sounds on Review: ranges on frames, boxes that move, what is said; and what cannot be played."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Browser, Page

from core.boxes import box_at
from core.events import Argument, Event, Mention
from core.formats.argus_jsonl import read_file, write_line
from core.frame_times import FrameIndex, index_to_bytes
from storage.store import Store
from tests.browser.clips import PlayerPage, bring_in, make_clips, times_of
from tests.browser.conftest import RunningApp
from tests.browser.test_accessible import serious
from tests.browser.workbench import POINT, wait_for_review

pytestmark = pytest.mark.browser
KINDS = ["uneven", "b-frames", "rotated"]


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return make_clips(tmp_path_factory.mktemp("clips"))


@pytest.fixture(scope="module")
def keys(app: RunningApp, store: Store, files: dict[str, Path]) -> dict[str, int]:
    return bring_in(app.home, store, files["uneven"].parent, KINDS)


def new_attack(player: PlayerPage) -> None:
    """An event without a trigger, whose roles are all optional."""
    player.press("t")
    player.page.keyboard.type("attack")
    player.press("Enter", "Escape")


@pytest.mark.parametrize("kind", KINDS)
def test_ranges_by_keyboard_and_by_mouse_lie_on_the_frames_that_ffprobe_gives(
    app: RunningApp, store: Store, page: Page, files: dict[str, Path], keys: dict[str, int], kind: str,
) -> None:  # fmt: skip
    times = times_of(files[kind])
    whole = (times[0], times[-1] + (times[-1] - times[-2]))
    player = PlayerPage(page, app.url)
    player.open_clip(keys[kind])
    new_attack(player)
    last = len(times) - 2  # the end of the very last frame is the clip's, and no timestamp
    step = last / 11

    wanted = []
    for n in range(10):  # by keyboard: marks first, or the role first
        first, end = round(n * step), round(n * step + 1 + n % 3 * step)
        wanted.append((times[first], times[end + 1]))
        player.go(first)
        player.press(*(["i"] if n % 2 else ["2", "i"]))
        player.go(end)
        player.press(*(["o", "2"] if n % 2 else ["o", "Enter"]))
        if n % 3 == 0:
            player.wait_shown(end)
    width = page.locator(".timeline .drawing").bounding_box()["width"]  # type: ignore[index]
    half = 2 * (whole[1] - whole[0]) / width
    for n in range(10):  # by mouse: from inside one frame to inside another
        first, end = round(n * step) + 1, round(n * step + 2 + n % 2 * step)
        wanted.append((times[first], times[end + 1]))
        player.press("2")
        player.drag_range(times[first] + half, times[end + 1] - half, whole)
    page.locator(".argus-wb .row.slot").nth(20).wait_for(timeout=10_000)
    player.press("Control+Enter")
    (event,) = wait_for_review(store, keys[kind], page)

    assert [a.mention.range for a in event.arguments] == wanted
    assert {a.mention.media for a in event.arguments} == {"m1"}


def test_edges_are_moved_by_the_frame_and_each_move_is_undone(
    app: RunningApp, store: Store, page: Page, files: dict[str, Path], keys: dict[str, int]
) -> None:
    times = times_of(files["uneven"])
    whole = (times[0], times[-1] + (times[-1] - times[-2]))
    player = PlayerPage(page, app.url)
    player.open_clip(keys["uneven"])
    store_key = keys["uneven"]
    draft = _start_afresh(player, store, store_key)

    player.go(8)
    player.press("2", "i")
    player.go(20)
    player.press("o", "Enter")
    player.press("'", "'", ";", ".", ".", ",", "'")
    player.wait_saved()
    by_keys = draft()
    bar = page.locator(".timeline .bar").last.bounding_box()
    assert bar is not None
    page.mouse.move(bar["x"] + bar["width"] - 2, bar["y"] + 8)
    page.mouse.down()
    page.mouse.move(player.x_of(times[31], whole), bar["y"] + 9, steps=3)
    page.mouse.up()
    player.wait_saved()
    by_mouse = draft()
    player.press("z")
    player.wait_saved()

    assert by_keys["range"] == [times[9], times[23]]
    assert by_mouse["range"] == [times[9], times[31]]
    assert draft()["range"] == [times[9], times[23]]


def test_a_box_moves_between_keyframes_and_survives_export_and_import(
    app: RunningApp, store: Store, page: Page, files: dict[str, Path], keys: dict[str, int]
) -> None:
    times = times_of(files["b-frames"])
    player = PlayerPage(page, app.url)
    player.open_clip(keys["b-frames"])
    draft = _start_afresh(player, store, keys["b-frames"])

    player.press("2", "i")
    player.go(40)
    player.press("o", "Enter")
    player.go(4)
    place = player.draw_box(0.1, 0.2, 0.3, 0.25)
    player.go(24)
    page.mouse.move(place[0] + 0.2 * place[2], place[1] + 0.3 * place[3])
    page.mouse.down()
    page.mouse.move(place[0] + 0.4 * place[2], place[1] + 0.35 * place[3])
    page.mouse.move(place[0] + 0.6 * place[2], place[1] + 0.4 * place[3])
    page.mouse.up()
    player.go(14)
    player.wait_shown(14)
    spot = page.locator(".track .spot.mine").bounding_box()
    player.wait_saved()
    kept = draft()
    player.go(24)
    player.press("Delete")
    player.wait_saved()
    fewer = draft()
    before = len(store.samples.reviews(keys["b-frames"]))
    player.press("z", "Control+Enter")
    event = wait_for_review(store, keys["b-frames"], page, count=before + 1)[-1]
    sample = store.samples.get(keys["b-frames"]).sample
    again = read_file(write_line(sample).encode(), name="a.jsonl").samples

    frames = [tuple(k) for k in kept["keyframes"]]
    assert [k[0] for k in frames] == [times[4], times[24]]
    within = 0.5001 / min(place[2], place[3])
    assert frames[0][1:] == pytest.approx((0.1, 0.2, 0.3, 0.25), abs=within)
    assert frames[1][1:] == pytest.approx((0.5, 0.3, 0.3, 0.25), abs=within)
    between = box_at(frames, times[14])
    assert between is not None
    assert spot is not None
    drawn = [(spot["x"] - place[0]) / place[2], (spot["y"] - place[1]) / place[3],
             spot["width"] / place[2], spot["height"] / place[3]]  # fmt: skip
    assert drawn == pytest.approx(between, abs=within)
    assert fewer["keyframes"] == [kept["keyframes"][0]]
    assert event.arguments[0].mention.keyframes == tuple(frames)
    assert [s.events for _, s in again] == [sample.events]


def test_a_clip_is_streamed_and_a_card_leads_to_its_range(
    app: RunningApp, store: Store, page: Page, files: dict[str, Path], keys: dict[str, int]
) -> None:
    statuses: list[int] = []
    page.on(
        "response",
        lambda r: statuses.append(r.status) if r.request.resource_type == "media" else None,
    )
    times = times_of(files["rotated"])
    player = PlayerPage(page, app.url)
    player.open_clip(keys["rotated"])
    _start_afresh(player, store, keys["rotated"])

    player.go(30)
    player.press("2", "i")
    player.go(35)
    player.press("o", "Enter", "Home")
    where = page.locator(".argus-wb .card .place .where").last
    said = where.inner_text()
    page.locator(".argus-wb .card .place").last.click()
    page.wait_for_function(
        "() => ['30', '31', '32', '33', '34', '35'].includes(document.querySelector('.player').dataset.shown)",
        timeout=10_000,
    )
    page.wait_for_function(
        "() => document.querySelector('.player').dataset.frame === '35'", timeout=15_000
    )

    assert statuses
    assert set(statuses) == {206}
    assert said == f"0:0{times[30]:.1f}–0:0{times[36]:.1f}"
    size = page.locator(".player .track").bounding_box()
    assert size is not None
    assert size["height"] > size["width"]


def test_what_is_said_and_when_lead_to_each_other(
    app: RunningApp, store: Store, page: Page, keys: dict[str, int]
) -> None:
    player = PlayerPage(page, app.url)
    player.open_clip(keys["речь.wav"])
    draft = _start_afresh(player, store, keys["речь.wav"])

    player.drag("Мадриде")
    lit = page.locator(".timeline .lit")
    is_lit = lit.is_visible()
    left, right, middle = page.evaluate(POINT, len("Акме запустила телефон в Мад"))
    page.mouse.click((left + right) / 2, middle)
    player.settle()
    went_to = player.frame
    page.locator(".player").focus()
    player.press("Home")
    player.press("Shift+ArrowRight", "i", *["Shift+ArrowRight"] * 2, "o", "2")
    said = page.evaluate("() => [...(CSS.highlights.get('argus-said') ?? [])].map(String)")
    player.wait_saved()

    assert is_lit
    assert went_to == 250  # hundredths of a second: where its line begins to be said
    assert said == ["в Мадриде во вторник"]
    assert draft()["range"] == [1.0, 3.01]


def test_words_that_a_model_wrote_down_are_a_place_in_the_clip(
    app: RunningApp, store: Store, page: Page, keys: dict[str, int]
) -> None:
    player = PlayerPage(page, app.url)
    player.open_clip(keys["b-frames"])
    draft = _start_afresh(player, store, keys["b-frames"])
    words = page.locator(".spoken [data-i]")
    first, last = words.nth(1).bounding_box(), words.nth(4).bounding_box()
    assert first is not None
    assert last is not None

    player.press("2")
    page.mouse.move(first["x"] + 3, first["y"] + 9)
    page.mouse.down()
    page.mouse.move(last["x"] + last["width"] - 2, last["y"] + 9, steps=3)
    page.mouse.up()
    page.locator(".spoken .said").first.wait_for(timeout=10_000)
    player.wait_saved()
    by_mouse = draft()
    page.locator(".spoken").focus()
    player.press("ArrowLeft", "Shift+ArrowLeft", "2")
    player.wait_saved()
    by_keys = draft()

    where = ("media", "start", "end", "text", "range")
    assert [by_mouse[k] for k in where] == ["m1", 7, 34, "запустила\nтелефон в Мадриде", [0.6, 2.9]]
    assert [by_keys[k] for k in where] == ["m1", 17, 26, "телефон в", [1.6, 2.2]]


def test_a_clip_that_cannot_be_played_says_why(
    app: RunningApp, store: Store, page: Page, keys: dict[str, int]
) -> None:
    said = {}
    for name in ("missing", "cut", "broken", "new"):
        page.goto(f"{app.url}/review?sample={keys[name]}&all=1")
        line = page.locator(".argus-wb .not-yet .line")
        line.wait_for(timeout=30_000)
        said[name] = line.inner_text()

    assert said["missing"].startswith("missing.mp4 is not there")
    assert said["cut"].startswith("cut.mp4 is not there")
    assert "cut off" in said["cut"]
    assert said["broken"] == "broken.mp4 cannot be shown: its pictures cannot be decoded"
    assert "worker" in said["new"]


@pytest.fixture(params=["light", "dark"])
def themed(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Page]:
    wide = 1440 if request.param == "light" else 1024
    context = browser.new_context(
        viewport={"width": wide, "height": 900}, color_scheme=request.param
    )
    yield context.new_page()
    context.close()


def test_the_page_with_a_clip_has_no_serious_issue(
    app: RunningApp, store: Store, themed: Page, keys: dict[str, int]
) -> None:
    player = PlayerPage(themed, app.url)
    player.open_clip(keys["b-frames"])
    _start_afresh(player, store, keys["b-frames"])
    player.press("2", "i", "ArrowRight", "o", "Enter", "b", "i")
    themed.wait_for_timeout(300)

    assert serious(themed) == []


def test_the_browser_counts_frames_as_the_core_does(page: Page) -> None:
    rng = random.Random(6)
    pts = np.cumsum([rng.choice((400, 512, 1024, 3000)) for _ in range(300)]).astype(np.int64)
    index = FrameIndex(Fraction(1, 12800), pts, pts[:1], int(pts[-1]) + 512)
    moments = [rng.uniform(-1, float(index.end / 12800) + 1) for _ in range(200)]
    moments += [index.time_of(n) for n in range(0, 300, 7)]
    pairs = list(zip(moments, [m + rng.uniform(0, 2) for m in moments], strict=True))
    script = Path("pages/_ui/workbench_js/frames.js").read_text("utf-8")
    found: dict[str, Any] = page.evaluate(
        """([script, bytes, pairs]) => {
          const frames = new Function(script + '; return readFrames')()(Uint8Array.from(bytes).buffer);
          return { times: Array.from({ length: frames.count }, (_, n) => [frames.timeOf(n), frames.endOf(n)]),
            at: pairs.map(([a]) => frames.frameAt(a)), of: pairs.map(([a, b]) => frames.framesOf(a, b)), to: pairs.map(([a, b]) => frames.snapped(a, b)) };
        }""",
        [script, list(index_to_bytes(index)), pairs],
    )

    assert found["times"] == [[index.time_of(n), index.end_of(n)] for n in range(len(index))]
    assert found["at"] == [index.frame_at(a) for a, _ in pairs]
    assert found["of"] == [list(index.frames_of(a, b)) for a, b in pairs]
    assert found["to"] == [list(index.snapped(a, b)) for a, b in pairs]


def test_two_opinions_on_a_clip_differ_in_their_ranges_and_in_the_boxes_of_one(
    app: RunningApp, store: Store, page: Page, keys: dict[str, int]
) -> None:
    def moving(to: float) -> Argument:
        frames = ((0.4, 0.1, 0.1, 0.2, 0.2), (1.2, to, 0.1, 0.2, 0.2))
        return Argument("target", Mention(media="m1", range=(0.4, 1.6), keyframes=frames))

    place = Argument("place", Mention(media="m1", range=(0.0, 2.0)))
    bo = Event("attack", Mention(media="m1", range=(0.4, 1.0)), (moving(0.5), place))
    ana = Event("attack", Mention(media="m1", range=(0.44, 1.0)), (moving(0.6), place))
    for person, event in (("Bo", bo), ("Ana", ana)):
        store.samples.add_review(keys["opinions"], [event], person=person, schema_number=1)
    player = PlayerPage(page, app.url)
    player.open_clip(keys["opinions"])

    page.get_by_role("button", name="Compare").click()
    page.locator(".argus-wb .pair.at").wait_for()
    differing = page.locator(".argus-wb .opinion .line.differs [dir]").all_inner_texts()
    crops = page.locator(".argus-wb .opinion .film-crop").count()
    player.press("1", "Escape", "Control+Enter")
    (stored,) = wait_for_review(store, keys["opinions"], page, count=3)

    assert differing == [
        "0:00.400–0:01.000", "0:00.400–0:01.600, keyframes: 2",
        "0:00.440–0:01.000", "0:00.400–0:01.600, keyframes: 2",
    ]  # fmt: skip
    assert crops == 6
    assert stored == bo


def test_the_sheet_of_keys_has_those_of_the_player_and_of_boxes_in_a_clip(
    app: RunningApp, page: Page, keys: dict[str, int]
) -> None:
    player = PlayerPage(page, app.url)
    player.open_clip(keys["uneven"])

    player.press("?")
    told = player.fixed_keys()

    assert [name for name, _ in told] == ["In the player", "Boxes in a clip"]
    assert told[0][1]["One frame back, on"] == ["←", "→"]
    assert [told[0][1][f"The range {what} here"] for what in ("begins", "ends")] == [["I"], ["O"]]
    assert told[0][1]["Slower, faster"] == ["[", "]"]
    assert told[0][1]["Play the range over and over"] == ["L"]
    assert told[1][1]["Box at this frame"] == ["B"]


# ---------------------------------------------------------------- what the tests share


def _start_afresh(player: PlayerPage, store: Store, key: int) -> Any:
    """An attack of its own; what is kept of its newest argument is what the returned function tells."""
    new_attack(player)

    def newest() -> dict[str, Any]:
        draft = store.samples.draft(key, "Ana")
        assert draft is not None
        event = json.loads(json.dumps(draft.document))["document"]["events"][-1]
        found: dict[str, Any] = event["arguments"][-1]
        return found

    return newest
