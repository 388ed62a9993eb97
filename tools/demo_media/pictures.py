"""The seven pictures of the demo, each drawn in four languages with the same layout."""

from __future__ import annotations

import math
import random
from typing import Any

from tools.demo_media.sheet import AMBER, BLUE, GREEN, INK, LINE, MUTED, RED, SKY, TEAL, Sheet

WHITE = "#ffffff"


def draw_product(language: str, words: dict[str, Any]) -> Sheet:
    """A data sheet: the device on the left, its name and facts on the right."""
    sheet = Sheet(language)
    sheet.box(0, 0, 960, 72, fill=BLUE)
    sheet.say("HALDEN", 48, 36, 30, colour=WHITE, bold=True, anchor="lm")
    sheet.say(words["head"], 912, 36, 22, colour=SKY, anchor="rm")
    sheet.box(48, 116, 424, 560, fill=SKY, radius=18)
    sheet.box(112, 190, 360, 486, fill="#c4cfda", radius=38)
    sheet.box(112, 184, 360, 478, fill=WHITE, edge="#b9c4cf", radius=38, width=2)
    sheet.circle(236, 300, 78, fill="#eef4f2", edge=TEAL, width=9)
    sheet.arc(236, 300, 78, 150, 390, colour=TEAL, width=9)
    sheet.say("412", 236, 292, 46, bold=True, anchor="mm")
    sheet.say("ppm", 236, 330, 19, colour=MUTED, anchor="mm")
    for i in range(5):
        for j in range(3):
            sheet.circle(188 + 24 * i, 412 + 20 * j, 4, fill="#c4cfda")
    sheet.circle(330, 216, 7, fill=GREEN)
    sheet.say(words["unit"], 236, 522, 20, colour=TEAL, bold=True, anchor="mm")
    sheet.keep("drawing", 112, 184, 360, 486)
    sheet.say(words["name"], 472, 116, 62, bold=True, name=words["name"])
    sheet.say(words["what"], 474, 200, 28, colour=MUTED)
    for i, (what, value) in enumerate(words["facts"]):
        y = 268 + 66 * i
        sheet.line([(474, y), (912, y)])
        sheet.say(what, 474, y + 33, 23, colour=MUTED, anchor="lm")
        sheet.say(value, 912, y + 33, 23, bold=True, anchor="rm")
    sheet.line([(474, 466), (912, 466)])
    sheet.box(474, 500, 912, 560, fill="#f4ead2", radius=12)
    sheet.star(506, 530, 13, fill=AMBER)
    sheet.say(words["shown"], 532, 530, 23, anchor="lm", place=words["place"])
    return sheet


def draw_investment(language: str, words: dict[str, Any]) -> Sheet:
    """A bar chart of money raised in four years, with the newest investors below."""
    sheet = Sheet(language)
    sheet.say(
        words["title"], 56, 44, 38, bold=True,
        recipient=words["recipient"], trigger=words["trigger"], amount=words["amount"],
    )  # fmt: skip
    sheet.say(words["subtitle"], 56, 102, 23, colour=MUTED)
    left, right, low, high = 120, 904, 500, 170
    for value in range(0, 51, 10):
        y = low - (low - high) * value / 50
        sheet.line([(left, y), (right, y)])
        sheet.say(str(value), left - 16, y, 20, colour=MUTED, anchor="rm")
    for i, (year, value) in enumerate([("2023", 6), ("2024", 11), ("2025", 19), ("2026", 48)]):
        x = left + 98 + 196 * i
        top = low - (low - high) * value / 50
        newest = year == "2026"
        sheet.box(x - 54, top, x + 54, low, fill=TEAL if newest else "#b7cfd0")
        sheet.say(str(value), x, top - 8, 24, bold=newest, anchor="ms")
        parts = {"time": year} if newest else {}
        sheet.say(year, x, low + 28, 23, bold=newest, anchor="mm", **parts)
    sheet.line([(left, low), (right, low)], colour=INK, width=2)
    x = 56.0
    label = sheet.say(words["who"], x, 588, 22, colour=MUTED, anchor="lm")
    x = label[2] + 28
    for i, (investor, colour) in enumerate(zip(words["investors"], (BLUE, AMBER), strict=True)):
        sheet.circle(x + 9, 588, 9, fill=colour)
        end = sheet.say(
            investor, x + 28, 588, 23, bold=True, anchor="lm", **{f"investor{i}": investor}
        )
        x = end[2] + 40
    return sheet


def draw_acquisition(language: str, words: dict[str, Any]) -> Sheet:
    """A slide: who buys, who is bought, and the price on the arrow between them."""
    sheet = Sheet(language, ground="#f3f6fa")
    sheet.box(0, 0, 16, 640, fill=BLUE)
    sheet.say(words["title"], 64, 52, 42, bold=True)
    for i, (key, head) in enumerate((("acquirer", words["buyer"]), ("target", words["bought"]))):
        left = 64 + 540 * i
        colour = BLUE if i == 0 else TEAL
        sheet.box(left, 180, left + 300, 470, fill=WHITE, edge=LINE, radius=16, width=2)
        sheet.box(left, 180, left + 300, 232, fill=colour, radius=16)
        sheet.box(left, 212, left + 300, 232, fill=colour)
        sheet.say(head, left + 150, 206, 22, colour=WHITE, bold=True, anchor="mm")
        if i == 0:
            sheet.circle(left + 150, 306, 42, edge=BLUE, width=6)
            sheet.arc(left + 150, 306, 62, 200, 340, colour=AMBER, width=6)
            sheet.circle(left + 150, 306, 12, fill=BLUE)
        else:
            for n in range(3):
                y = 276 + 30 * n
                waves = [(left + 92 + s, y + 9 * math.sin(s / 9)) for s in range(0, 117, 3)]
                sheet.line(waves, colour=TEAL, width=6)
        sheet.say(words[key], left + 150, 402, 30, bold=True, anchor="mm", **{key: words[key]})
        sheet.say(words["staff"][i], left + 150, 440, 20, colour=MUTED, anchor="mm")
    sheet.box(388, 318, 548, 334, fill=AMBER)
    sheet.shape([(548, 298), (590, 326), (548, 354)], fill=AMBER)
    sheet.say(words["price"], 480, 282, 27, bold=True, anchor="mm", price=words["price"])
    sheet.line([(64, 560), (904, 560)])
    sheet.say("2026", 904, 594, 20, colour=MUTED, anchor="rm")
    return sheet


def draw_test(language: str, words: dict[str, Any]) -> Sheet:
    """A line chart of five runs, the last and longest one named."""
    sheet = Sheet(language)
    sheet.say(words["title"], 56, 44, 40, bold=True)
    sheet.say(words["axis"], 56, 104, 22, colour=MUTED)
    left, right, low, high = 120, 880, 530, 160
    for value in range(250, 451, 50):
        y = low - (low - high) * (value - 250) / 200
        sheet.line([(left, y), (right, y)])
        sheet.say(str(value), left - 16, y, 20, colour=MUTED, anchor="rm")
    runs = [
        (left + 70 + 150 * i, low - (low - high) * (v - 250) / 200)
        for i, v in enumerate((290, 335, 361, 398, 412))
    ]
    sheet.shape([*runs, (runs[-1][0], low), (runs[0][0], low)], fill="#e3eef2")
    sheet.line(runs, colour=BLUE, width=5)
    for i, (x, y) in enumerate(runs):
        sheet.circle(x, y, 9, fill=WHITE, edge=BLUE, width=4)
        sheet.say(words["run"].format(i + 1), x, low + 32, 21, colour=MUTED, anchor="mm")
    x, y = runs[-1]
    sheet.box(x - 76, y - 82, x + 76, y - 30, fill=BLUE, radius=10)
    sheet.shape([(x - 11, y - 31), (x + 11, y - 31), (x, y - 17)], fill=BLUE)
    sheet.say(
        words["result"], x, y - 56, 28, colour=WHITE, bold=True, anchor="mm", result=words["result"]
    )
    sheet.line([(left, low), (right, low)], colour=INK, width=2)
    return sheet


def draw_construction(language: str, words: dict[str, Any]) -> Sheet:
    """A hoarding on a building site: the building to come, and four facts."""
    sheet = Sheet(language, ground="#dfeaf3")
    sheet.box(0, 0, 960, 96, fill="#20394f")
    sheet.say(
        words["title"], 48, 48, 36, colour=WHITE, bold=True, anchor="lm",
        trigger=words["trigger"], name=words["facility"],
    )  # fmt: skip
    sheet.circle(850, 180, 46, fill="#f3cf79")
    sheet.box(0, 520, 960, 640, fill="#8fa76b")
    sheet.box(60, 250, 520, 520, fill="#f0e3cf")
    sheet.shape([(40, 250), (290, 150), (540, 250)], fill="#a8552f")
    sheet.circle(290, 212, 20, fill="#f0e3cf")
    for i in range(5):
        for j in range(2):
            if i == 2 and j == 1:
                continue
            x, y = 88 + 84 * i, 286 + 118 * j
            sheet.box(x, y, x + 66, y + 82, fill="#5b88a8")
            sheet.line([(x + 33, y), (x + 33, y + 82)], colour="#f0e3cf", width=4)
            sheet.line([(x, y + 41), (x + 66, y + 41)], colour="#f0e3cf", width=4)
    sheet.box(254, 404, 326, 520, fill="#6b4428")
    sheet.line([(570, 520), (570, 120)], colour=AMBER, width=10)
    sheet.line([(470, 132), (690, 132)], colour=AMBER, width=8)
    sheet.line([(500, 132), (500, 190)], colour=INK, width=2.5)
    sheet.keep("facility", 40, 150, 540, 520, words["facility"])
    sheet.box(600, 252, 920, 500, fill=WHITE, radius=10)
    for i, (what, value, role) in enumerate(words["lines"]):
        y = 266 + 58 * i
        sheet.say(what, 620, y, 16, colour=MUTED)
        sheet.say(value, 620, y + 23, 23, bold=True, **{role: value})
    for i in range(24):
        sheet.shape(
            [(40 * i, 560), (40 * i + 20, 560), (40 * i, 600), (40 * i - 20, 600)],
            fill=AMBER if i % 2 else INK,
        )
    return sheet


def draw_outage(language: str, words: dict[str, Any]) -> Sheet:
    """A map of six districts with tram lines; in one of them nothing runs."""
    sheet = Sheet(language)
    sheet.say(words["title"], 56, 40, 38, bold=True)
    tones = ["#e6eadb", "#dfe9e2", "#efe6d6", "#dcebd7", "#f3d3cf", "#e3e6ee"]
    across, down = [56, 330, 620, 904], [116, 316, 532]
    for i, (name, tone) in enumerate(zip(words["districts"], tones, strict=True)):
        column, row = i % 3, i // 3
        slant = 26 if row == 0 else -18
        left, right = across[column], across[column + 1]
        top, bottom = down[row], down[row + 1]
        inner_left = left if column == 0 else left + slant
        inner_right = right if column == 2 else right + slant
        corners = [(left, top), (right, top), (inner_right, bottom), (inner_left, bottom)]
        if row == 1:
            corners = [(inner_left + 44 if column else left, top), (inner_right + 44 if column < 2 else right, top),
                       (inner_right, bottom), (inner_left, bottom)]  # fmt: skip
        sheet.shape(corners, fill=tone)
        sheet.line([*corners, corners[0]], colour=WHITE, width=5)
        stopped = i == 4
        x = (min(c[0] for c in corners) + max(c[0] for c in corners)) / 2
        sheet.say(name, x, top + 40, 25, colour=RED if stopped else INK, bold=True, anchor="mm",
                  **({"place": name} if stopped else {}))  # fmt: skip
        if stopped:
            xs, ys = [c[0] for c in corners], [c[1] for c in corners]
            sheet.keep("district", min(xs), min(ys), max(xs), max(ys), name, room=0)
    line = [(80, 230), (240, 236), (420, 222), (600, 236), (760, 216), (890, 226)]
    sheet.line(line, colour=TEAL, width=8)
    sheet.line([(240, 236), (270, 420), (180, 476)], colour=TEAL, width=8)
    sheet.line([(890, 226), (868, 420), (770, 476)], colour=TEAL, width=8)
    for n in range(9):
        x = 348 + 30 * n
        sheet.line([(x, 470), (x + 16, 470)], colour=RED, width=8)
    for x, y in [*line, (270, 420), (180, 476), (868, 420), (770, 476)]:
        sheet.circle(x, y, 9, fill=WHITE, edge=TEAL, width=4)
    width = 96 + sheet_width(sheet, words["cause"], 23)
    left = 470 - width / 2
    sheet.box(left, 386, left + width, 438, fill=WHITE, edge=RED, radius=10, width=3)
    for n in range(2):
        y = 404 + 15 * n
        sheet.line(
            [(left + 20 + s, y + 4 * math.sin(s / 4.5)) for s in range(0, 43, 2)],
            colour=BLUE,
            width=4,
        )
    sheet.say(words["cause"], left + 76, 412, 23, bold=True, anchor="lm", cause=words["cause"])
    sheet.line([(56, 588), (104, 588)], colour=TEAL, width=8)
    end = sheet.say(words["runs"], 118, 588, 22, anchor="lm")
    for n in range(2):
        x = end[2] + 44 + 30 * n
        sheet.line([(x, 588), (x + 18, 588)], colour=RED, width=8)
    sheet.say(words["stands"], end[2] + 106, 588, 22, anchor="lm")
    return sheet


def sheet_width(sheet: Sheet, text: str, size: float) -> float:
    """How wide a bold line will be."""
    from tools.demo_media.sheet import SCALE, font

    return font(sheet.language, size, bold=True).getlength(text) / SCALE


def draw_launch(language: str, words: dict[str, Any]) -> Sheet:
    """From the launch site to the orbit: rocket, path and satellite."""
    sheet = Sheet(language, ground="#12233a")
    sky = random.Random(11)
    for _ in range(70):
        sheet.circle(
            sky.uniform(0, 960), sky.uniform(92, 470), sky.choice((0.9, 1.2, 1.7)), fill="#8fa6c4"
        )
    sheet.say(words["title"], 48, 40, 38, colour=WHITE, bold=True)
    sheet.circle(236, 1400, 850, fill="#2f6b58")
    sheet.arc(236, 1400, 1288, 255, 315, colour="#3c5576", width=3)
    path = []
    for n in range(41):
        s = n / 40
        path.append((236 + 330 * s**1.5, 376 - 176 * (1 - (1 - s) ** 2)))
    for a, b in zip(path[::2], path[1::2], strict=False):
        sheet.line([a, b], colour=AMBER, width=4)
    rocket(sheet, 236, 542, 1.0)
    sheet.keep("rocket", 204, 388, 268, 546)
    sheet.say(
        words["rocket"], 186, 462, 28, colour=WHITE, bold=True, anchor="rm", vehicle=words["rocket"]
    )
    x, y = 704, 200
    sheet.box(x - 26, y - 30, x + 26, y + 30, fill="#d9dee6", radius=6)
    for side in (-1, 1):
        for n in range(3):
            inner = x + side * (38 + 34 * n)
            sheet.box(
                min(inner, inner + side * 30),
                y - 21,
                max(inner, inner + side * 30),
                y + 21,
                fill="#3f78c9",
                edge="#9dbbe6",
                width=2,
            )
    sheet.line([(x, y - 30), (x, y - 48)], colour="#d9dee6", width=4)
    sheet.circle(x, y - 52, 6, fill=RED)
    sheet.keep("payload", x - 136, y - 58, x + 136, y + 30)
    sheet.say(words["satellite"], x, y + 62, 24, colour=WHITE, bold=True, anchor="mm")
    sheet.say(words["orbit"], 906, 352, 22, colour="#9db4d2", anchor="rm")
    sheet.box(150, 546, 322, 556, fill="#c9b48a")
    sheet.say(words["site"], 236, 592, 26, colour=WHITE, bold=True, anchor="mm", site=words["site"])
    return sheet


def rocket(sheet: Sheet, x: float, foot: float, size: float, *, flame: float = 0.0) -> None:
    """A rocket standing on its foot, 154 high and 64 wide at size 1."""
    s = size
    if flame:
        sheet.shape(
            [(x - 15 * s, foot), (x + 15 * s, foot), (x, foot + 66 * s * flame)], fill=AMBER
        )
        sheet.shape(
            [(x - 8 * s, foot), (x + 8 * s, foot), (x, foot + 38 * s * flame)], fill="#fdf0c4"
        )
    sheet.shape(
        [(x - 22 * s, foot - 54 * s), (x - 32 * s, foot + 4 * s), (x - 16 * s, foot - 8 * s)],
        fill=RED,
    )
    sheet.shape(
        [(x + 22 * s, foot - 54 * s), (x + 32 * s, foot + 4 * s), (x + 16 * s, foot - 8 * s)],
        fill=RED,
    )
    sheet.box(x - 22 * s, foot - 118 * s, x + 22 * s, foot, fill="#eef1f5", radius=6 * s)
    sheet.shape(
        [(x - 22 * s, foot - 112 * s), (x + 22 * s, foot - 112 * s), (x, foot - 154 * s)], fill=RED
    )
    sheet.circle(x, foot - 84 * s, 10 * s, fill="#3f78c9", edge="#9aa7b5", width=3 * s)


DRAWN = {
    "product": draw_product, "investment": draw_investment, "acquisition": draw_acquisition, "test": draw_test,
    "construction": draw_construction, "outage": draw_outage, "launch": draw_launch,
}  # fmt: skip
