"""Media brought in with their samples: from beside a file, a folder, archives, M2E2; hostile ones too."""

from __future__ import annotations

import io
import json
import struct
import tarfile
import zipfile
from pathlib import Path

import pytest
from PIL import Image

import cli
from core.errors import FileError, MediaError
from core.records import SampleFilter
from core.transcripts import transcript_in
from tests.integration.media.made_clips import make_b_frames
from train.media_import import import_bundle, preview_bundle
from train.services import Services

EVENT = {
    "event_type": "发布", "trigger": {"text": "发布", "start": 2, "end": 4},
    "arguments": [{"role": "产品", "media": "m1", "box": [0.1, 0.2, 0.3, 0.4]}],
}  # fmt: skip


def picture(color=(200, 30, 30), size=(64, 48), form="PNG"):
    out = io.BytesIO()
    Image.new("RGB", size, color).save(out, form)
    return out.getvalue()


def line(ident, *paths, text="华为发布手机", language="zh", **more):
    media = [{"id": f"m{n}", "kind": "image", "path": p} for n, p in enumerate(paths, 1)]
    return {
        "id": ident, "language": language, "modality": "mixed", "text": text, "media": media,
        "events": [EVENT] if paths and language == "zh" else [], **more,
    }  # fmt: skip


def jsonl(*lines):
    return "".join(json.dumps(one, ensure_ascii=False) + "\n" for one in lines).encode()


def folder(path, files):
    for name, data in files.items():
        target = path / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
    return path


def zipped(path, files):
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return path


def tarred(path, files, *, mode="w:gz"):
    with tarfile.open(path, mode) as archive:
        for name, data in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    return path


FILES = {
    "набор/данные.jsonl": jsonl(
        line("1", "снимки/один.png"), line("2", "снимки/нет.png"), line("3", "снимки/один.png")
    ),
    "набор/снимки/один.png": picture(),
}


@pytest.fixture
def services(home, store):
    return Services(home, store)


def bring(services, path, **more):
    return import_bundle(services, path, collection=more.pop("collection", "新闻"), **more)


def key_of(services, ident):
    collection = services.store.collections.all()[-1].id
    (key,) = services.store.samples.keys(SampleFilter(ids=[ident]), collection_id=collection)
    return key


def media_of(services, ident):
    return services.store.media.of(key_of(services, ident))


# ---------------------------------------------------------------- what is found


@pytest.mark.parametrize("form", ["file", "folder", "zip", "tar"])
def test_json_lines_come_in_with_the_media_beside_them(services, tmp_path, form):
    path = {
        "file": lambda: folder(tmp_path / "f", FILES) / "набор/данные.jsonl",
        "folder": lambda: folder(tmp_path / "f", FILES),
        "zip": lambda: zipped(tmp_path / "a.zip", FILES),
        "tar": lambda: tarred(tmp_path / "a.tar.gz", FILES),
    }[form]()

    preview = preview_bundle(services, path, collection="新闻")
    result = bring(services, path)
    again = bring(services, path)

    assert (preview.media, list(preview.missing), preview.addable) == (1, ["снимки/нет.png"], 3)
    assert (result.added, result.media, list(result.missing)) == (3, 1, ["снимки/нет.png"])
    assert (again.added, again.already, list(again.problems)) == (0, 3, [])
    (medium,) = media_of(services, "1")
    assert (medium.file.form, medium.file.width, medium.file.height) == ("PNG", 64, 48)
    assert medium.file.state == "looked"
    assert services.store.media.files.derived_names(medium.file.sha256) == ["thumbnail-1-320.jpg"]
    assert "was not there" in media_of(services, "2")[0].problem
    assert media_of(services, "3")[0].file == medium.file


def test_a_preview_takes_nothing_in(services, store, tmp_path):
    preview_bundle(services, zipped(tmp_path / "a.zip", FILES), collection="新闻")

    assert store.collections.all() == []
    assert not (services.home.media / "files").exists()


def test_media_that_were_missing_come_with_the_next_import(services, tmp_path):
    alone = folder(tmp_path / "f", {"d.jsonl": jsonl(line("1", "a.png"))})
    bring(services, alone)
    (alone / "a.png").write_bytes(picture())

    again = bring(services, alone)

    assert (again.added, again.already, again.media) == (0, 1, 1)
    assert media_of(services, "1")[0].file is not None


def test_a_folder_of_files_becomes_samples_with_their_transcripts(services, tmp_path):
    path = folder(
        tmp_path / "съёмка",
        {
            "фото.png": picture(), "фото.txt": "Завод в Казани".encode(),
            "речь.vtt": "WEBVTT\n\n00:00.000 --> 00:00.500\nДобрый день\n".encode(),
            "вирус.svg": b"<svg xmlns='http://www.w3.org/2000/svg'><script>1</script></svg>",
            "пусто.png": b"", ".скрыто.png": picture(),
        },
    )  # fmt: skip
    make_b_frames(path / "речь.mp4")

    result = bring(services, path, language="ru")

    assert result.added == 2
    assert len(result.problems) == 2
    assert services.store.media.files is not None
    (photo,) = media_of(services, "фото.png")
    assert photo.file.medium == "image"
    record = services.store.samples.get(key_of(services, "речь.mp4"))
    assert record.sample.text == "Добрый день"
    media, transcript = transcript_in(record.sample)
    assert (media, transcript.range_of(0, 6)) == ("m1", (0.0, 0.5))
    assert bring(services, path, language="ru").added == 0


def test_m2e2_comes_in_with_its_boxes_and_lists_what_is_not_there(services, tmp_path):
    sentence = {
        "sentence_id": "VOA_1_0", "sentence": "Police arrested a man",
        "words": ["Police", "arrested", "a", "man"], "image": ["VOA_1_0.jpg", "VOA_1_1.jpg"],
        "golden-event-mentions": [
            {
                "trigger": {"text": "arrested", "start": 1, "end": 2},
                "event_type": "Justice:Arrest-Jail", "arguments": [],
            }
        ],
    }  # fmt: skip
    pictures = {
        "VOA_1_0": {"event_type": "Justice:Arrest-Jail", "role": {"Person": [["1", 8, 8, 32, 24]]}}
    }
    path = folder(
        tmp_path / "m2e2",
        {
            "text_multimedia_event.json": json.dumps([sentence]).encode(),
            "image_multimedia_event.json": json.dumps(pictures).encode(),
            "image/VOA_1_0.jpg": picture(form="JPEG"),
        },
    )

    result = bring(services, path)

    assert result.added >= 1
    assert list(result.missing) == ["VOA_1_1.jpg"]
    assert result.media == 1


# ---------------------------------------------------------------- what is hostile or wrong


@pytest.mark.parametrize(
    "path", ["../тайна.png", "/etc/passwd", "a/../../b.png", "http://x.test/a.png", "C:\\a.png",
             "file:///etc/passwd", "..\\a.png"],
)  # fmt: skip
def test_a_path_that_leads_elsewhere_is_told_and_never_followed(services, tmp_path, path):
    (tmp_path / "тайна.png").write_bytes(picture())
    file = folder(tmp_path / "f", {"d.jsonl": jsonl(line("1", path))}) / "d.jsonl"

    result = bring(services, file)

    assert (result.added, result.media) == (1, 0)
    assert len(result.refused) == 1
    assert media_of(services, "1")[0].file is None


def test_a_link_that_leads_out_of_the_folder_is_not_followed(services, tmp_path):
    (tmp_path / "тайна.png").write_bytes(picture())
    file = folder(tmp_path / "f", {"d.jsonl": jsonl(line("1", "a.png"))}) / "d.jsonl"
    (tmp_path / "f" / "a.png").symlink_to(tmp_path / "тайна.png")

    result = bring(services, file)

    assert (result.added, list(result.missing)) == (1, ["a.png"])


def _link(path):
    with tarfile.open(path, "w") as archive:
        entry = tarfile.TarInfo("a.png")
        entry.type, entry.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(entry)
    return path


def _bomb(path):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.png", bytes(60_000_000))
    return path


HOSTILE = {
    "a way out": lambda p: zipped(
        p / "a.zip", {"../x.png": picture(), "d.jsonl": jsonl(line("1"))}
    ),
    "a link": lambda p: _link(p / "a.tar"),
    "a bomb": lambda p: _bomb(p / "a.zip"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_archive_is_refused_whole(services, store, tmp_path, name, capsys):
    path = HOSTILE[name](tmp_path)

    with pytest.raises(MediaError):
        preview_bundle(services, path, collection="c")
    with pytest.raises(MediaError):
        bring(services, path)
    code = cli.main(["import", str(path)])

    assert code == 1
    assert path.name in capsys.readouterr().err
    assert store.collections.all() == []
    assert [p for p in services.home.media.rglob("*") if p.is_file()] == []
    assert not (tmp_path.parent / "x.png").exists()


BAD = {
    "a polyglot": picture(form="GIF") + b"PK\x05\x06" + bytes(18),
    "a script": b"<svg><script>alert(1)</script></svg>",
    "a playlist": b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n",
    "nothing": b"",
    "half a picture": picture(size=(400, 400), form="JPEG")[:300],
    "a lie": b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + b"IHDR"
    + struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0) + bytes(4),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_one_bad_file_is_told_and_the_others_come_in(services, tmp_path, name):
    files = {"d.jsonl": jsonl(line("1", "bad.png"), line("2", "ok.png")), "ok.png": picture()}
    path = zipped(tmp_path / "a.zip", files | {"bad.png": BAD[name]})

    result = bring(services, path)

    assert (result.added, result.media, len(result.refused)) == (2, 1, 1)
    assert "bad.png" in result.refused[0]
    assert media_of(services, "1")[0].problem == result.refused[0]
    assert media_of(services, "2")[0].file is not None
    kept = [p for p in (services.home.media / "files").rglob("*") if p.is_file()]
    assert len(kept) == 1


def test_a_file_with_another_hash_than_the_sample_says_is_refused(services, tmp_path):
    one = line("1")
    one["media"] = [{"id": "m1", "kind": "image", "path": "a.png", "sha256": "0" * 64}]
    path = folder(tmp_path / "f", {"d.jsonl": jsonl(one), "a.png": picture()})

    result = bring(services, path)

    assert "other bytes than its sha256 says" in result.refused[0]
    assert media_of(services, "1")[0].file is None


def test_two_files_of_samples_in_one_folder_are_not_mixed(services, tmp_path):
    path = folder(tmp_path / "f", {"a.jsonl": jsonl(line("1")), "b.jsonl": jsonl(line("2"))})

    with pytest.raises(FileError, match="holds 2 files of samples"):
        bring(services, path)


def test_a_full_disk_brings_in_nothing(services, store, tmp_path, full_disk):
    from core.errors import StorageError

    path = folder(tmp_path / "f", {"a.png": picture(size=(3000, 3000)) + bytes(0)})

    with full_disk(3000), pytest.raises(StorageError):
        bring(services, path)

    assert store.collections.all() == []
    assert [p for p in services.home.media.rglob("*") if p.is_file()] == []


def test_the_command_counts_media_and_lists_what_is_missing(home, store, tmp_path, capsys):
    path = zipped(tmp_path / "набор.zip", FILES)

    codes = [
        cli.main(["import", str(path), "--preview"]),
        cli.main(["import", str(path), "--json"]),
    ]

    printed = capsys.readouterr()
    assert codes == [0, 0]
    assert "1 media file beside it, 1 missing" in printed.out
    assert "missing: снимки/нет.png" in printed.err
    told = json.loads(printed.out.splitlines()[-1])
    assert (told["collection"], told["media"], told["missing"]) == ("набор", 1, ["снимки/нет.png"])


def test_uploads_keep_the_work_of_looking_for_the_worker(services, tmp_path):
    bring(services, Path(zipped(tmp_path / "a.zip", FILES)), look=False)

    (medium,) = media_of(services, "1")
    assert (medium.file.state, medium.file.form) == ("new", "PNG")
    (job,) = services.store.jobs.open("media")
    assert job.state == "queued"
