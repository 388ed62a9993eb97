"""Measures taking in 1,000 pictures with thumbnails, and views of a 100-megapixel picture; prints both.

Run as: make bench ARGS="tests/bench/test_pictures.py". Asserts nothing about time.
"""

from __future__ import annotations

import hashlib
import io
import statistics
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image

from core.media.pictures import encode, look_at, make_thumbnail, read_picture, read_view
from core.media.tiles import cut_tiles

pytestmark = pytest.mark.bench

PICTURES, CORES = 1_000, 2
# What people have: photographs of a phone, pictures of the web, screenshots, scans.
MIX = (("JPEG", 4_000, 3_000, 20), ("JPEG", 1_920, 1_080, 50), ("PNG", 1_280, 800, 20),
       ("WEBP", 1_200, 900, 10))  # fmt: skip


def make_files(folder):
    """Photograph-like files in the mix, each of other bytes, so that nothing is the same twice."""
    draw = np.random.default_rng(7)
    paths = []
    for form, width, height, percent in MIX:
        coarse = draw.integers(0, 255, (height // 40, width // 40, 3), dtype=np.uint8)
        smooth = Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC)
        noise = draw.integers(-6, 6, (height, width, 1))
        image = Image.fromarray(np.clip(np.asarray(smooth) + noise, 0, 255).astype(np.uint8))
        if form == "PNG":
            image = smooth.quantize(64)
        out = io.BytesIO()
        image.save(out, form, quality=88)
        for number in range(PICTURES * percent // 100):
            path = folder / f"{form}-{width}-{number}"
            path.write_bytes(out.getvalue() + number.to_bytes(4, "big"))
            paths.append(path)
    return paths


def take_in(path) -> int:
    """What an import does with a picture: its sum, its facts, its thumbnail."""
    hashlib.file_digest(path.open("rb"), "sha256").hexdigest()
    look_at(path)
    return len(make_thumbnail(path))


def test_taking_in_a_thousand_pictures(tmp_path):
    paths = make_files(tmp_path)
    with ThreadPoolExecutor(CORES) as pool:
        list(pool.map(take_in, paths[:20]))
        began, used = time.perf_counter(), time.process_time()
        sizes = list(pool.map(take_in, paths))
        wall, cpu = time.perf_counter() - began, time.process_time() - used

    assert all(sizes)
    print(  # noqa: T201
        f"\n{len(paths)} pictures with thumbnails on {CORES} cores: {len(paths) / wall:.0f} a second "
        f"({cpu / len(paths) * 1000:.1f} ms of one core each)"
    )


@pytest.mark.parametrize("form", ["JPEG", "PNG"])
def test_views_of_a_picture_of_100_megapixels(tmp_path, form):
    path = tmp_path / "large"
    coarse = np.random.default_rng(7).integers(0, 255, (250, 250, 3), dtype=np.uint8)
    Image.fromarray(coarse).resize((10_000, 10_000)).save(path, form, quality=85, compress_level=1)
    seconds, sent = [], 0
    for _ in range(3):
        began = time.perf_counter()
        sent = len(encode(read_view(path, longest=1_600)))
        seconds.append(time.perf_counter() - began)
    began = time.perf_counter()
    tiles = sum(1 for _ in cut_tiles(read_picture(path)))
    cutting = time.perf_counter() - began

    print(  # noqa: T201
        f"\n100 megapixels ({form}): first view {statistics.median(seconds):.2f} s, "
        f"{sent / 1000:.0f} kB sent; {tiles} tiles in {cutting:.1f} s"
    )
