"""The words in a picture, read by rapidocr (Latin, Chinese) or by tesseract (Cyrillic and others).

Both engines run on this machine and fetch nothing: rapidocr has its models in its package, and
tesseract has those that were installed. A picture takes seconds, so this is work for a job.
"""

from __future__ import annotations

import csv
import functools
import io
import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
from PIL import Image

from core.boxes import Box, around
from core.errors import MediaError, SetupError
from core.media import kinds
from core.media.pictures import encode, look_at, read_view
from core.placed_words import PlacedText, ReadLine, join_pages, place_lines

Engine = Literal["rapidocr", "tesseract"]

LONGEST = {"rapidocr": 2_000, "tesseract": 3_500}  # rapidocr scales what is longer down itself
MAX_PAGES = 500
TIME_LIMIT = 300.0  # seconds for one page
_RAPIDOCR = {"zh", "en", "es", "ca", "de", "fr", "it", "nl", "pt"}
_TESSERACT = {
    "ar": "ara", "be": "bel", "bg": "bul", "ca": "cat", "cs": "ces", "de": "deu", "el": "ell",
    "en": "eng", "es": "spa", "fa": "fas", "fr": "fra", "he": "heb", "hi": "hin", "it": "ita",
    "ja": "jpn", "ko": "kor", "nl": "nld", "pl": "pol", "pt": "por", "ru": "rus", "sr": "srp",
    "th": "tha", "tr": "tur", "uk": "ukr", "vi": "vie", "zh": "chi_sim",
}  # fmt: skip


def engine_for(languages: Sequence[str]) -> Engine:
    """The engine that reads all of these languages, by their codes of ISO 639-1."""
    return "rapidocr" if languages and set(languages) <= _RAPIDOCR else "tesseract"


def check_engine(languages: Sequence[str]) -> None:
    """Raise `SetupError`, with what to install, where the engine for these languages is missing."""
    if engine_for(languages) == "rapidocr":
        _rapidocr()
    else:
        _tesseract_names(languages)


def read_words(
    path: Path, *, languages: Sequence[str], name: str | None = None, page: int | None = None
) -> PlacedText:
    """The words of a picture, or of all pages of a document, a TIFF, or one page of them.

    Only the first frame of a GIF or WebP is read. Raises `SetupError` where the engine is missing
    and `MediaError` where the picture cannot be used.
    """
    name = name or path.name
    engine = engine_for(languages)
    check_engine(languages)
    pages = [page] if page is not None else range(_page_count(path, name))
    found = []
    for number in pages:
        image = read_view(path, name=name, page=number, longest=LONGEST[engine])
        lines = (
            _read_by_rapidocr(image)
            if engine == "rapidocr"
            else _read_by_tesseract(image, _tesseract_names(languages), name)
        )
        found.append(place_lines(lines, page=number, engine=engine))
    return join_pages(found)


# ---------------------------------------------------------------- rapidocr


@functools.cache
def _rapidocr() -> Any:
    try:
        from rapidocr import RapidOCR
    except ImportError as problem:
        raise SetupError(
            "words in pictures are read by rapidocr, which is not installed here: "
            "pip install -c constraints.txt -e '.[ocr]'"
        ) from problem
    return RapidOCR(params={"Global.log_level": "error"})


def _read_by_rapidocr(image: Image.Image) -> list[ReadLine]:
    blue_first = np.ascontiguousarray(np.asarray(image)[:, :, ::-1])
    found = _rapidocr()(blue_first, return_word_box=True)
    if found.txts is None:
        return []
    return [
        ReadLine(text, tuple((w, _box(corners, image), float(sure)) for w, sure, corners in words))
        for text, words in zip(found.txts, found.word_results, strict=True)
    ]


def _box(corners: Sequence[Sequence[float]], image: Image.Image) -> Box:
    points = [(x / image.width, y / image.height, 0.0, 0.0) for x, y in corners]
    return around(points)


# ---------------------------------------------------------------- tesseract


def _tesseract_names(languages: Sequence[str]) -> str:
    """The languages as tesseract calls them, each one installed; English comes along for names."""
    if shutil.which("tesseract") is None:
        raise SetupError(
            f"words in {', '.join(languages) or 'this language'} are read by tesseract, which is not "
            "installed here. Debian: apt-get install tesseract-ocr tesseract-ocr-rus"
        )
    unknown = [code for code in languages if code not in _TESSERACT]
    if unknown or not languages:
        raise MediaError(
            f"no engine here reads the language {', '.join(unknown) or '(none given)'}: set the "
            f"sample's languages to some of {', '.join(sorted(_RAPIDOCR | set(_TESSERACT)))}"
        )
    wanted = [_TESSERACT[code] for code in languages]
    installed = _installed()
    missing = [name for name in wanted if name not in installed]
    if missing:
        packages = " ".join("tesseract-ocr-" + n.replace("_", "-") for n in missing)
        raise SetupError(
            f"tesseract has no data for {', '.join(missing)} here. Debian: apt-get install {packages}"
        )
    if "eng" in installed:
        wanted.append("eng")
    return "+".join(dict.fromkeys(wanted))


def _installed() -> set[str]:
    done = subprocess.run(
        ["tesseract", "--list-langs"], capture_output=True, text=True, timeout=20, check=False
    )
    return set(done.stdout.split()[1:])


def _read_by_tesseract(image: Image.Image, languages: str, name: str) -> list[ReadLine]:
    try:
        done = subprocess.run(
            ["tesseract", "stdin", "stdout", "-l", languages, "--psm", "3", "tsv"],
            input=encode(image, form="PNG"), capture_output=True, timeout=TIME_LIMIT, check=False,
            env=os.environ | {"OMP_THREAD_LIMIT": "1"},  # its threads wait for each other at every word
        )  # fmt: skip
    except subprocess.TimeoutExpired as problem:
        raise MediaError(
            f"{name}: tesseract did not finish a page in {TIME_LIMIT:.0f} seconds: "
            "give a smaller or a cleaner picture"
        ) from problem
    if done.returncode:
        why = done.stderr.decode("utf-8", "replace").strip().splitlines()
        raise MediaError(f"{name}: tesseract could not read it ({why[-1] if why else 'no reason'})")
    return lines_of_tsv(done.stdout.decode("utf-8", "replace"), image.width, image.height)


def lines_of_tsv(tsv: str, width: int, height: int) -> list[ReadLine]:
    """The lines of tesseract's table; boxes in it are pixels, confidence is percent."""
    lines: dict[tuple[str, ...], list[tuple[str, Box, float | None]]] = {}
    for row in csv.DictReader(io.StringIO(tsv), delimiter="\t", quoting=csv.QUOTE_NONE):
        text = (row.get("text") or "").strip()
        if row["level"] != "5" or not text:
            continue
        left, top, wide, high = (float(row[k]) for k in ("left", "top", "width", "height"))
        box = (left / width, top / height, wide / width, high / height)
        key = (row["page_num"], row["block_num"], row["par_num"], row["line_num"])
        lines.setdefault(key, []).append((text, box, max(0.0, float(row["conf"])) / 100))
    return [ReadLine(" ".join(w[0] for w in words), tuple(words)) for words in lines.values()]


def _page_count(path: Path, name: str) -> int:
    facts = look_at(path, name=name)
    if facts.kind not in (kinds.PDF, kinds.TIFF):
        return 1
    if facts.pages > MAX_PAGES:
        raise MediaError(
            f"{name} has {facts.pages:,} pages, more than {MAX_PAGES}: split it, or read single pages"
        )
    return facts.pages
