"""Words drawn on a picture are read back with their places, by the real engines where installed."""

import importlib.util
import shutil
import subprocess

import pytest
from PIL import Image, ImageDraw, ImageFont

from core.boxes import iou
from core.errors import MediaError, SetupError
from core.media import ocr
from core.media.ocr import read_words
from core.placed_words import boxes_of_span

FONTS = (
    "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf",
)

needs_rapidocr = pytest.mark.skipif(
    importlib.util.find_spec("rapidocr") is None,
    reason="pip install -c constraints.txt -e '.[ocr]'",
)


def has_russian() -> bool:
    if shutil.which("tesseract") is None:
        return False
    done = subprocess.run(
        ["tesseract", "--list-langs"], capture_output=True, text=True, check=False
    )
    return "rus" in done.stdout.split()


needs_tesseract = pytest.mark.skipif(
    not has_russian(), reason="apt-get install tesseract-ocr tesseract-ocr-rus"
)


def font_for(text: str) -> ImageFont.FreeTypeFont:
    try:
        return ImageFont.truetype(FONTS[0], 34)
    except OSError:
        if not text.isascii():
            pytest.skip("apt-get install fonts-noto-cjk")
        return ImageFont.truetype(FONTS[1], 34)


def draw(tmp_path, rows):
    """A sheet with a row of text each, and the box of each."""
    image = Image.new("RGB", (900, 90 * len(rows) + 60), "white")
    pen = ImageDraw.Draw(image)
    boxes = {}
    for i, row in enumerate(rows):
        font = font_for(row)
        pen.text((50, 40 + 90 * i), row, font=font, fill="black")
        left, top, right, bottom = pen.textbbox((50, 40 + 90 * i), row, font=font)
        boxes[row] = (left / image.width, top / image.height, (right - left) / image.width,
                      (bottom - top) / image.height)  # fmt: skip
    path = tmp_path / "sheet.png"
    image.save(path)
    return path, boxes


def check(placed, boxes):
    assert placed.text.split("\n") == list(boxes)
    for word in placed.words:
        assert placed.text[word.start : word.end] == word.text
    for row, box in boxes.items():
        start = placed.text.index(row)
        ((page, found),) = boxes_of_span(placed, start, start + len(row))
        assert page == 0
        assert iou(found, box) > 0.5, row


@needs_rapidocr
def test_english_spanish_and_chinese_are_read_with_their_places(tmp_path):
    rows = [
        "Verbena Labs released Tula 3",
        "Lanzó el jueves su asistente en español",
        "实验室周四推出语音助手",
    ]
    path, boxes = draw(tmp_path, rows)

    check(read_words(path, languages=["zh", "en", "es"]), boxes)


@needs_tesseract
def test_russian_is_read_with_its_places(tmp_path):
    path, boxes = draw(tmp_path, ["Компания выпустила новую модель", "Запуск состоялся в Казани"])

    check(read_words(path, languages=["ru"]), boxes)


@needs_tesseract
def test_a_blank_page_has_no_words_and_pages_are_read_in_order(tmp_path):
    path, _ = draw(tmp_path, ["Первая страница отчёта"])
    first, blank = Image.open(path), Image.new("RGB", (400, 300), "white")
    both = tmp_path / "both.tif"
    first.save(both, save_all=True, append_images=[blank, first])

    placed = read_words(both, languages=["ru"])

    assert placed.text == "Первая страница отчёта\n\nПервая страница отчёта"
    assert {w.page for w in placed.words} == {0, 2}
    assert read_words(both, languages=["ru"], page=1).text == ""


def test_a_missing_program_is_named_with_the_command_that_installs_it(tmp_path, monkeypatch):
    path, _ = draw(tmp_path, ["abc"])
    monkeypatch.setattr(ocr.shutil, "which", lambda name: None)

    with pytest.raises(SetupError, match="apt-get install tesseract-ocr"):
        read_words(path, languages=["ru"])


def test_missing_language_data_is_named(tmp_path, monkeypatch):
    path, _ = draw(tmp_path, ["abc"])
    monkeypatch.setattr(ocr.shutil, "which", lambda name: "/usr/bin/tesseract")
    monkeypatch.setattr(ocr, "_installed", lambda: {"eng"})

    with pytest.raises(SetupError, match="apt-get install tesseract-ocr-rus"):
        read_words(path, languages=["ru"])
    with pytest.raises(MediaError, match="tlh"):
        read_words(path, languages=["tlh"])
