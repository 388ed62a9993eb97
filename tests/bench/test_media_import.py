"""How fast pictures come in: a thousand, with their facts and thumbnails."""

from __future__ import annotations

import json
import os
import sys
import time

import numpy as np
import pytest
from PIL import Image

from train.media_import import import_bundle
from train.services import Services

COUNT = 1_000


def draw(path, number):
    """A photograph's worth of detail: smooth shapes, some noise, 1,600 by 1,200 pixels."""
    random = np.random.default_rng(number)
    coarse = random.integers(0, 255, (12, 16, 3), dtype=np.uint8)
    image = Image.fromarray(coarse).resize((1600, 1200), Image.Resampling.BICUBIC)
    noise = random.integers(-8, 8, (1200, 1600, 1), dtype=np.int16)
    pixels = np.clip(np.asarray(image, dtype=np.int16) + noise, 0, 255).astype(np.uint8)
    Image.fromarray(pixels).save(path, "JPEG", quality=88)


@pytest.mark.bench
def test_importing_a_thousand_pictures_with_thumbnails(home, store, tmp_path):
    folder = tmp_path / "pictures"
    folder.mkdir()
    lines = []
    for number in range(COUNT):
        draw(folder / f"{number}.jpg", number)
        media = [{"id": "m1", "kind": "image", "path": f"{number}.jpg"}]
        lines.append(
            json.dumps({"id": f"{number}", "language": "en", "modality": "image", "media": media})
        )
    (folder / "all.jsonl").write_text("\n".join(lines), encoding="utf-8")

    began = time.perf_counter()
    result = import_bundle(Services(home, store), folder, collection="pictures")
    seconds = time.perf_counter() - began

    assert (result.added, result.media, list(result.refused)) == (COUNT, COUNT, [])
    made = sum(1 for p in (home.media / "made").rglob("thumbnail*"))
    assert made == COUNT
    sys.stdout.write(
        f"\n{COUNT} pictures with thumbnails: {seconds:.1f} s, {COUNT / seconds:.0f} a second "
        f"on {os.cpu_count()} cores (bar: 60)\n"
    )
