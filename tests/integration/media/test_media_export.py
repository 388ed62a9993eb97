"""What is exported with its media imports again without a difference; crops show what was marked."""

from __future__ import annotations

import io
import json

import pytest
from PIL import Image

import cli
from core.errors import StorageError
from core.workflow import export_lines
from tests.integration.media.made_clips import make_b_frames
from train.media_export import export_samples
from train.media_import import import_bundle
from train.services import Services


def drawn(color):
    out = io.BytesIO()
    image = Image.new("RGB", (200, 100), "white")
    image.paste(color, (20, 20, 80, 60))
    image.save(out, "PNG")
    return out.getvalue()


SAMPLES = [
    {
        "id": "一", "language": "zh", "modality": "mixed", "text": "公司收购",
        "media": [
            {"id": "m1", "kind": "image", "path": "снимки/a.png", "sha256": None},
            {"id": "m2", "kind": "video", "path": "b.mp4", "sha256": None},
        ],
        "split": "train",
        "events": [
            {
                "event_type": "收购", "trigger": {"text": "收购", "start": 2, "end": 4},
                "arguments": [
                    {"role": "买方", "text": "Завод", "media": "m1", "box": [0.1, 0.2, 0.3, 0.4]},
                    {"role": "时间", "media": "m2", "range": [1.0, 2.0]},
                ],
            }
        ],
    },
    {
        "id": "два", "language": "ru", "modality": "image", "text": None,
        "media": [{"id": "m1", "kind": "image", "path": "снимки/a.png", "sha256": None}],
        "split": "dev", "events": [],
    },
]  # fmt: skip


@pytest.fixture
def services(home, store):
    return Services(home, store)


@pytest.fixture
def collection(services, tmp_path):
    folder = tmp_path / "in"
    (folder / "снимки").mkdir(parents=True)
    (folder / "снимки" / "a.png").write_bytes(drawn("red"))
    make_b_frames(folder / "b.mp4")
    lines = "".join(json.dumps(s, ensure_ascii=False) + "\n" for s in SAMPLES)
    (folder / "d.jsonl").write_text(lines, encoding="utf-8")
    import_bundle(services, folder, collection="原")
    return services.store.collections.get("原")


def test_json_lines_with_media_come_back_as_they_were(services, store, collection, tmp_path):
    out = tmp_path / "out" / "все.jsonl"
    out.parent.mkdir()

    done = export_samples(services, collection, out, with_media=True)
    again = import_bundle(services, out, collection="copy")
    same = import_bundle(services, out, collection="原")

    assert (done.samples, done.media, done.left_out) == (2, 2, [])
    assert (out.parent / "снимки" / "a.png").read_bytes() == drawn("red")
    assert (again.added, again.media, list(again.missing), list(again.problems)) == (2, 2, [], [])
    assert (same.added, same.already) == (0, 2)
    lines = [list(export_lines(store, collection=name)) for name in ("原", "copy")]
    assert lines[0] == lines[1]


def test_nothing_is_written_over_another_file_or_through_a_link(services, collection, tmp_path):
    out = tmp_path / "out"
    (out / "снимки").mkdir(parents=True)
    (out / "снимки" / "a.png").write_bytes(b"mine")
    with pytest.raises(StorageError, match="another file"):
        export_samples(services, collection, out / "d.jsonl", with_media=True)
    assert (out / "снимки" / "a.png").read_bytes() == b"mine"

    linked = tmp_path / "linked"
    linked.mkdir()
    (linked / "снимки").symlink_to(tmp_path / "in")
    with pytest.raises(StorageError, match="behind a link"):
        export_samples(services, collection, linked / "d.jsonl", with_media=True)


def test_crops_and_clips_show_what_the_mentions_mark(services, collection, tmp_path):
    done = export_samples(services, collection, tmp_path / "d.jsonl", with_crops=True)

    folder = tmp_path / "d-crops"
    told = [json.loads(line) for line in (folder / "crops.jsonl").read_text().splitlines()]
    assert done.crops == 2
    assert [(t["role"], t.get("box"), t.get("range")) for t in told] == [
        ("买方", [0.1, 0.2, 0.3, 0.4], None), ("时间", None, [1.0, 2.0]),
    ]  # fmt: skip
    with Image.open(folder / told[0]["file"]) as crop:
        assert crop.size == (60, 40)
        assert crop.getpixel((30, 20))[0] > 200
        assert crop.getpixel((30, 20))[1] < 60
    assert (folder / told[1]["file"]).read_bytes()[4:8] == b"ftyp"


def test_boxes_come_back_from_coco_and_label_studio(services, store, collection, tmp_path):
    for form, name in (("coco", "c.json"), ("label-studio", "l.json")):
        out = tmp_path / form / name
        out.parent.mkdir()
        export_samples(services, collection, out, form=form, with_media=True)

        again = import_bundle(services, out, collection=form, language="zh")

        assert again.added >= 1
        assert again.media >= 1
        found = store.collections.get(form)
        boxes = [
            a.mention.box
            for r in store.samples.list(collection_id=found.id)
            for e in r.sample.events or ()
            for a in e.arguments
            if a.mention.box
        ]
        assert len(boxes) == 1
        assert boxes[0] == pytest.approx((0.1, 0.2, 0.3, 0.4), abs=1e-6)


def test_the_command_exports_media_and_crops(home, collection, tmp_path, capsys):
    code = cli.main(
        ["export", str(tmp_path / "x.jsonl"), "--collection", "原", "--media", "--crops", "--json"]
    )

    told = json.loads(capsys.readouterr().out)
    assert code == 0
    assert (told["samples"], told["media"], told["crops"]) == (2, 2, 2)
    assert cli.main(["export", "-", "--collection", "原", "--media"]) == 1
