"""Pictures for the browser tests, made ready with their words, and the picture pane as a test uses it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw

from core.events import Event
from core.placed_words import PlacedText, PlacedWord, placed_to_dict
from storage.home import Home
from storage.store import Store
from tests.browser.workbench import Workbench
from train import media_parts as parts
from train.jobs import handle_job
from train.media import prepare_media
from train.media_import import import_bundle
from train.services import Services
from train.warm import WarmModel

WIDTH, HEIGHT = 1200, 800
# The words of the chart: text, and left, top, right, bottom in pixels; a line of text is a row here.
LINES = [
    [("Acme", 100, 60, 260, 110), ("launched", 280, 60, 600, 110), ("😀", 620, 60, 680, 110)],
    [("in", 100, 300, 150, 340), ("Madrid", 170, 300, 420, 340), ("сегодня", 440, 300, 700, 340)],
]
# The place of the picture's corner on the page, and how large it is shown, in screen pixels.
_SHEET = """() => { const b = document.querySelector('.argus-wb .paper').getBoundingClientRect();
  return [b.left, b.top, b.width, b.height]; }"""
# For each box arm a role by its number, then press, move and let go as the mouse does.
_DRAW = """([role, boxes]) => {
  const view = document.querySelector('.argus-wb .view-in');
  const send = (type, x, y) => view.dispatchEvent(new PointerEvent(type, { bubbles: true, pointerId: 7, button: 0, clientX: x, clientY: y }));
  for (const [x0, y0, x1, y1] of boxes) {
    view.dispatchEvent(new KeyboardEvent('keydown', { key: role, bubbles: true }));
    send('pointerdown', x0, y0); send('pointermove', (x0 + x1) / 2, (y0 + y1) / 2); send('pointermove', x1, y1); send('pointerup', x1, y1);
  }
}"""


def placed() -> PlacedText:
    """The words of the chart with their offsets."""
    text, words = "", []
    for line in LINES:
        text += "\n" if text else ""
        for i, (word, left, top, right, bottom) in enumerate(line):
            text += " " if i else ""
            box = (left / WIDTH, top / HEIGHT, (right - left) / WIDTH, (bottom - top) / HEIGHT)
            words.append(PlacedWord(word, len(text), len(text) + len(word), box))
            text += word
    return PlacedText(text, tuple(words), "by hand")


def make_pictures(folder: Path) -> None:
    """A chart, a picture that a view does not show whole, three pages."""
    chart = Image.new("RGB", (WIDTH, HEIGHT), "white")
    draw = ImageDraw.Draw(chart)
    for line in LINES:
        for word, *edges in line:
            draw.rectangle(edges, "#dde")
            draw.text((edges[0] + 4, edges[1] + 4), word.encode("ascii", "ignore"), "black")
    chart.save(folder / "chart.png")
    large = Image.linear_gradient("L").resize((5000, 3000))
    large.save(folder / "large.png")
    pages = [
        Image.new("RGB", (600, 400 + 200 * n), c) for n, c in enumerate(["red", "green", "blue"])
    ]
    pages[0].save(folder / "pages.tif", save_all=True, append_images=pages[1:])


def bring_in(home: Path, store: Store, folder: Path) -> dict[str, int]:
    """Samples with pictures, made ready by the worker's own code; their keys by name."""
    make_pictures(folder)
    services = Services(Home(home), store)
    many = [
        {"id": f"m{i}", "kind": "image", "path": p}
        for i, p in enumerate(("chart.png", "pages.tif"))
    ]
    lines: list[dict[str, Any]] = [
        {"id": f"chart{n}", "text": None, "media": many[:1]} for n in range(9)
    ] + [
        {"id": "both", "text": "Acme launched in Madrid.", "media": many},
        {"id": "gallery", "text": None, "media": many},
        *({"id": f"opinions-{side}", "text": None, "media": many} for side in ("left", "right")),
        {"id": "large", "text": None, "media": [{"id": "m0", "kind": "image", "path": "large.png"}], "meta": {"ocr": []}},
        {"id": "gone", "text": "Acme.", "media": [{"id": "m0", "kind": "image", "path": "gone.png"}]},
    ]  # fmt: skip
    path = folder / "pictures.jsonl"
    path.write_text("\n".join(json.dumps({"language": "en", "modality": "mixed", **line}) for line in lines), "utf-8")  # fmt: skip
    import_bundle(services, path, collection="News")
    collection = store.collections.get("News").id
    keys = {record.sample.id: record.key for record in store.samples.list(collection_id=collection)}
    words = parts.words(("en",)).derived
    data = json.dumps(placed_to_dict(placed()), ensure_ascii=False).encode()
    for media in store.media.of(keys["both"]):
        if media.file is not None and words is not None:
            store.media.files.put_derived(media.file.sha256, words, data)
    while (job := prepare_media(services, collection)) is not None:
        handle_job(services, WarmModel(services), job)
    return keys


class PicturePage(Workbench):
    """The picture of the open sample."""

    def open_picture(self, key: int) -> None:
        """Open a sample and wait until its picture and the words in it are there."""
        self.page.goto(f"{self.url}/review?sample={key}&all=1")
        self.page.locator(".argus-wb .facts .id", has_text=f"#{key}").wait_for(timeout=60_000)
        self.page.wait_for_function(
            "() => document.querySelector('.argus-wb .paper .whole')?.naturalWidth > 0"
        )
        self.page.locator(".argus-wb .view-in").focus()

    def wait_words(self) -> None:
        """Wait until the words of the page are there."""
        self.page.locator(".argus-wb .read [data-word]").first.wait_for(state="attached")

    @property
    def sheet(self) -> list[float]:
        """Left, top, width and height of the picture on the page."""
        found: list[float] = self.page.evaluate(_SHEET)
        return found

    def zoom(self, times: int) -> None:
        """So many notches of the wheel over the middle of the view."""
        box = self.page.locator(".argus-wb .view-in").bounding_box()
        assert box is not None
        self.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        for _ in range(abs(times)):
            self.page.mouse.wheel(0, -240 if times > 0 else 240)
        self.page.wait_for_timeout(100)

    def draw_by_script(self, role: str, boxes: Sequence[tuple[float, ...]]) -> None:
        """Boxes between two points of the page each, into the role with that number, without a mouse."""
        self.page.evaluate(_DRAW, [role, boxes])

    def draw(self, x0: float, y0: float, x1: float, y1: float) -> None:
        """A box between two points of the page, with the mouse."""
        mouse = self.page.mouse
        mouse.move(x0, y0)
        mouse.down()
        mouse.move((x0 + x1) / 2, (y0 + y1) / 2)
        mouse.move(x1, y1)
        mouse.up()

    def middle(self, word: str) -> tuple[float, float]:
        """The middle of a word of the chart, on the page."""
        left, top, width, height = self.sheet
        found = next(w for w in placed().words if w.text == word)
        x, y, w, h = found.box
        return left + (x + w / 2) * width, top + (y + h / 2) * height

    def submit(self, store: Store, key: int) -> tuple[Event, ...]:
        """Submit the sample; the events that are stored, once the browser knows of it too."""
        before = len(store.samples.reviews(key))
        self.press("Control+Enter")
        self.page.wait_for_function(
            "() => !Object.keys(localStorage).some(k => k.startsWith('argus.out'))", timeout=60_000
        )
        reviews = store.samples.reviews(key)
        assert len(reviews) == before + 1
        return reviews[0].events

    def boxes(self) -> list[list[float]]:
        """The boxes on the screen: left, top, right, bottom on the page."""
        found: list[list[float]] = self.page.evaluate(
            """() => [...document.querySelectorAll('.argus-wb .box')].map(n => n.getBoundingClientRect())
                 .map(b => [b.left, b.top, b.right, b.bottom])"""
        )
        return found
