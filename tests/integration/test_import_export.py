"""Import and export on a real database: nothing is lost, nothing comes twice, faults are told."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from cli import main
from core.errors import FileError, InputError, NotFoundError, StorageError
from core.events import span
from core.workflow import export_lines, import_file, preview_import, score_files
from storage.database import open_engine, sqlite_path
from storage.files import write_lines
from storage.home import CHECKOUT, Home
from storage.store import Store

QUAD = Path(__file__).parents[3] / "shared" / "data" / "quad"
BOX = {"role": "где", "text": None, "media": "m1", "page": 2, "box": [0, 0.25, 1, 0.5]}
CLIP = {
    "role": "когда", "text": "старт", "media": "m2", "range": [1, 2.5],
    "keyframes": [[1, 0, 0, 0.5, 0.5], [2.5, 0.5, 0.5, 0.5, 0.5]],
}  # fmt: skip
PARTS = {"role": "что", "text": None, "fragments": [[0, 2], [4, 6]], "alias": ["别名"]}


def line(ident: object, text: str, *, language: str = "zh", **more: Any) -> dict[str, Any]:
    return {"id": ident, "language": language, "modality": "text", "text": text} | more


def event(event_type: str, words: str, text: str, **roles: str) -> dict[str, Any]:
    def mention(words: str) -> dict[str, Any]:
        start = text.index(words)
        return {"text": words, "start": start, "end": start + len(words)}

    arguments = [{"role": role, **mention(words)} for role, words in roles.items()]
    return {"event_type": event_type, "trigger": mention(words), "arguments": arguments}


ZH, RU, ES = "华为🚀发布5G芯片", "«Яндекс» 🚀 купил Сбер", "Telefónica lanzó 🚀 5G"
LAUNCH = event("发布", "发布", ZH, 主体="华为", 产品="5G芯片")
BUY = event("покупка", "купил", RU, покупатель="Яндекс")
FILE: list[dict[str, Any]] = [
    line("сначала", RU, language="ru", events=[BUY, BUY], split="test", parallel_group="s1"),
    line("里", ZH, events=[LAUNCH | {"нов": 1}], split="train", source="新华社", licence="CC0"),
    line(3, ES, language="es", events=[], domain="telecom", split="dev"),
    line("новый", "Ещё не размечено", language="ru"),
    line(
        "клип", "Смотри, как летит", language="ru", modality="mixed", split="train",
        media=[
            {"id": "m1", "kind": "document", "path": "д.pdf", "dpi": 300},
            {"id": "m2", "kind": "video", "path": "https://example.org/v.mp4", "sha256": "ab" * 32},
        ],
        events=[{"event_type": "запуск", "trigger": None, "arguments": [BOX, CLIP, PARTS],
                 "confidence": 0.5}],
    ),
]  # fmt: skip


def jsonl(*lines: dict[str, Any]) -> bytes:
    return "".join(json.dumps(x, ensure_ascii=False) + "\n" for x in lines).encode()


def exported(store: Store, collection: str) -> bytes:
    return "".join(export_lines(store, collection=collection)).encode()


def brought_in(store: Store, *lines: dict[str, Any], collection: str = "新闻") -> None:
    result = import_file(store, jsonl(*lines), collection=collection, name="новости.jsonl")
    assert result.problems == []


# ---------------------------------------------------------------- in and out


def test_what_is_exported_is_imported_again_without_a_difference(store: Store) -> None:
    brought_in(store, *FILE)

    first = exported(store, "新闻")
    again = import_file(store, first, collection="копия", name="export.jsonl")

    assert (again.added, again.problems) == (4, [])
    assert exported(store, "копия") == first
    read = [json.loads(x) for x in first.splitlines()]
    assert [x["id"] for x in read] == ["сначала", "里", "3", "клип"]
    assert read[0]["events"] == [BUY, BUY]
    assert read[1]["source"] == {"name": "新华社", "licence": "CC0"}
    assert read[1]["events"][0]["нов"] == 1
    assert read[2]["meta"] == {"domain": "telecom"}
    assert read[3]["events"][0]["arguments"] == [BOX, CLIP, PARTS | {"start": 0, "end": 6}]


def test_events_make_a_sample_reviewed_and_none_leave_it_new(store: Store) -> None:
    brought_in(store, *FILE)

    records = store.samples.list()

    assert [(r.sample.id, r.state) for r in records] == [
        ("сначала", "reviewed"), ("里", "reviewed"), ("3", "reviewed"), ("новый", "new"),
        ("клип", "reviewed"),
    ]  # fmt: skip


def test_the_same_file_twice_adds_nothing(store: Store) -> None:
    brought_in(store, *FILE)
    before = exported(store, "新闻")

    again = import_file(store, jsonl(*FILE), collection="新闻", name="новости.jsonl")

    assert (again.added, again.already, again.problems) == (0, 5, [])
    assert exported(store, "新闻") == before
    assert store.collections.get("新闻").schema_number == 1


def test_a_file_is_known_again_after_its_samples_were_reviewed(store: Store) -> None:
    brought_in(store, line("а", RU, language="ru"), line("b", ZH, events=[LAUNCH]))
    for record in store.samples.list():
        store.samples.add_review(record.key, (), person="Ана", schema_number=1)

    original = import_file(
        store, jsonl(line("а", RU, language="ru"), line("b", ZH, events=[LAUNCH])),
        collection="新闻", name="f",
    )  # fmt: skip
    changed = import_file(store, exported(store, "新闻"), collection="新闻", name="f")

    assert (original.added, original.already, original.problems) == (0, 2, [])
    assert (changed.added, changed.already, changed.problems) == (0, 2, [])
    assert [r.sample.events for r in store.samples.list()] == [(), ()]


def test_an_id_with_other_content_is_told_and_what_is_stored_stays(store: Store) -> None:
    brought_in(store, *FILE)
    before = exported(store, "新闻")
    data = jsonl(line("里", "别的", events=[]), line("новее", RU, language="ru", events=[]))

    result = import_file(store, data, collection="新闻", name="f")

    assert (result.added, [p.line for p in result.problems]) == (1, [1])
    assert "'里' is in '新闻' already" in result.problems[0].message
    assert "text" in result.problems[0].message
    assert exported(store, "新闻").startswith(before)


def test_bad_lines_are_told_in_order_and_the_good_ones_keep_theirs(store: Store) -> None:
    data = b"\n".join(
        [
            jsonl(line("2", ZH)).strip(),
            b"{",
            jsonl(line("1", RU, language="qq")).strip(),
            jsonl(line("0", ES, language="es")).strip(),
        ]
    )

    result = import_file(store, data, collection="c", name="f")

    assert result.added == 2
    assert [p.line for p in result.problems] == [2, 3]
    assert [r.sample.id for r in store.samples.list()] == ["2", "0"]


def test_a_file_without_a_good_line_makes_no_collection(store: Store) -> None:
    result = import_file(store, jsonl(line("1", "")), collection="c", name="f")

    assert (result.added, len(result.problems)) == (0, 1)
    assert store.collections.all() == []


def test_a_file_that_is_not_json_changes_nothing(store: Store) -> None:
    with pytest.raises(FileError, match=r"фото\.png is not JSON.*PNG"):
        import_file(store, b"\x89PNG\r\n\x1a\n" + bytes(500), collection="c", name="фото.png")

    assert store.collections.all() == []


# ---------------------------------------------------------------- schema and names


def test_a_new_collection_takes_its_schema_from_the_file(store: Store) -> None:
    brought_in(store, *FILE)

    schema = store.collections.schema(store.collections.get("新闻").id)

    assert {t.name: [r.name for r in t.roles] for t in schema.types} == {
        "покупка": ["покупатель"], "发布": ["主体", "产品"], "запуск": ["где", "когда", "что"],
    }  # fmt: skip


def test_a_type_that_the_schema_lacks_is_told_until_it_may_be_added(store: Store) -> None:
    brought_in(store, line("1", ZH, events=[LAUNCH]))
    data = jsonl(
        line("2", RU, language="ru", events=[BUY]),
        line("3", ZH, events=[event("发布", "发布", ZH, 地点="华为")]),
        line("4", ZH, events=[LAUNCH]),
    )

    preview = preview_import(store, data, collection="新闻", name="f")
    refused = import_file(store, data, collection="新闻", name="f")
    extended = import_file(store, data, collection="新闻", name="f", extend_schema=True)

    new = {"покупка": ["покупатель"], "发布": ["地点"]}
    assert (preview.new_types, preview.need_extension, preview.addable) == (new, 2, 3)
    assert preview.problems == []
    assert refused.added == 1
    assert "'покупка' is not in the schema (发布)" in refused.problems[0].message
    assert "no role '地点' (its roles: 主体, 产品)" in refused.problems[1].message
    assert "--extend-schema" in refused.problems[1].message
    assert (extended.added, extended.already, extended.problems) == (2, 1, [])
    assert extended.new_types == new
    assert store.collections.get("新闻").schema_number == 2


def test_a_preview_counts_and_changes_nothing(store: Store) -> None:
    preview = preview_import(store, jsonl(*FILE), collection=" 新闻 ", name="f")

    assert (preview.collection, preview.is_new) == ("新闻", True)
    assert preview.by_language == {
        "zh": {"train": 1}, "es": {"dev": 1}, "ru": {"test": 1, "none": 1, "train": 1},
    }  # fmt: skip
    assert list(preview.by_language) == ["zh", "es", "ru"]
    assert (preview.labelled, preview.unlabelled, preview.already) == (4, 1, 0)
    assert store.collections.all() == []


def test_a_name_is_one_collection_in_every_normal_form(store: Store) -> None:
    brought_in(store, line("1", ZH), collection="йод")
    brought_in(store, line("2", ZH), collection="и\u0306од ")

    assert [c.name for c in store.collections.all()] == ["йод"]


@pytest.mark.parametrize("name", ["", "  ", "长" * 201, "a\0b", "\udcff"])
def test_a_name_that_cannot_be_kept_is_refused(store: Store, name: str) -> None:
    with pytest.raises(InputError, match="name"):
        import_file(store, jsonl(line("1", ZH)), collection=name, name="f")

    assert store.collections.all() == []


def test_exporting_a_collection_that_is_not_there_names_those_that_are(store: Store) -> None:
    brought_in(store, line("1", ZH))

    with pytest.raises(NotFoundError, match=r"'новости' \(there are: 新闻\)"):
        exported(store, "новости")


def test_a_labelled_sample_without_a_split_gets_one_that_its_copies_share(store: Store) -> None:
    group = {"events": [], "parallel_group": "история"}
    brought_in(store, line("1", ZH, **group), line("2", RU, language="ru", **group))

    splits = {r.sample.split for r in store.samples.list()}

    assert len(splits) == 1
    assert splits <= {"train", "dev", "test"}


# ---------------------------------------------------------------- faults


def test_a_locked_database_is_told_and_nothing_is_lost(store: Store, home: Home) -> None:
    brought_in(store, *FILE)
    before = exported(store, "新闻")
    impatient = Store(open_engine(home.database_url, lock_seconds=0.1))
    other = sqlite3.connect(sqlite_path(home.database_url) or "", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    with pytest.raises(StorageError, match="locked by another program"):
        import_file(impatient, jsonl(line("9", ZH)), collection="新闻", name="f")

    other.execute("ROLLBACK")
    other.close()
    assert exported(store, "新闻") == before
    impatient.engine.dispose()


FULL_DISK = """
import resource, sys
from cli import main
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]), resource.RLIM_INFINITY))
sys.exit(main(sys.argv[2:]))
"""


def on_a_full_disk(limit: int, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", FULL_DISK, str(limit), *arguments],
        cwd=CHECKOUT, capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_a_full_disk_stops_an_import_and_loses_nothing(
    store: Store, home: Home, tmp_path: Path
) -> None:
    brought_in(store, *FILE)
    before = exported(store, "新闻")
    file = tmp_path / "большой.jsonl"
    file.write_bytes(jsonl(*(line(i, f"{ZH} {i} " * 40, events=[]) for i in range(2000))))
    size = (sqlite_path(home.database_url) or file).stat().st_size

    done = on_a_full_disk(size + 100_000, "import", str(file))

    assert done.returncode == 1
    assert "the disk is full" in done.stderr
    assert "Free some space" in done.stderr
    assert "Traceback" not in done.stderr
    assert [c.name for c in store.collections.all()] == ["新闻"]
    assert exported(store, "新闻") == before


def test_a_full_disk_leaves_the_earlier_export(store: Store, tmp_path: Path) -> None:
    assert main(["init"]) == 0
    brought_in(store, *(line(i, ZH * 100, events=[]) for i in range(200)))
    out = tmp_path / "出.jsonl"
    out.write_text("earlier\n")

    done = on_a_full_disk(50_000, "export", str(out), "--collection", "新闻")

    assert done.returncode == 1
    assert "could not be written" in done.stderr
    assert "unchanged" in done.stderr
    assert "free some space" in done.stderr
    assert out.read_text() == "earlier\n"
    assert list(tmp_path.glob(".*")) == []


def test_a_file_is_replaced_only_when_all_of_it_is_there(tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    out.write_text("earlier\n")

    def broken() -> Any:
        yield "half\n"
        raise StorageError("the database went away")

    with pytest.raises(StorageError, match="went away"):
        write_lines(out, broken())

    assert out.read_text() == "earlier\n"
    assert list(tmp_path.iterdir()) == [out]


@pytest.mark.parametrize("place", ["нет/такой/папки.jsonl", "."])
def test_a_place_that_cannot_be_written_is_told(tmp_path: Path, place: str) -> None:
    with pytest.raises(StorageError, match="could not be written"):
        write_lines(tmp_path / place, ["x\n"])


# ---------------------------------------------------------------- score, and the four-language data


def test_scoring_files_refuses_what_it_cannot_read(store: Store) -> None:
    gold = jsonl(line("1", ZH, events=[LAUNCH]), line("2", ZH, language="qq"))

    with pytest.raises(FileError, match=r"gold\.jsonl, line 2: the language 'qq'"):
        score_files(gold, b"", gold_name="gold.jsonl", pred_name="pred.jsonl")


def test_an_empty_prediction_file_predicts_nothing() -> None:
    gold = jsonl(line("1", ZH, events=[LAUNCH]))

    scores = score_files(gold, b"\n", gold_name="gold.jsonl", pred_name="pred.jsonl")

    assert scores["overall"]["tr_accuracy"] == 0.0
    assert scores["overall"]["arg_c"]["gold"] == 2


@pytest.mark.skipif(not QUAD.exists(), reason=f"the four-language data is not there ({QUAD})")
def test_the_four_language_data_is_imported_extended_and_exported(store: Store) -> None:
    train, dev = (QUAD / "train.jsonl").read_bytes(), (QUAD / "dev.jsonl").read_bytes()

    first = import_file(store, train, collection="quad", name="train.jsonl")
    second = import_file(store, dev, collection="quad", name="dev.jsonl", extend_schema=True)
    out = exported(store, "quad")
    copy = import_file(store, out, collection="copy", name="out.jsonl")

    assert (first.added, first.problems) == (1200, [])
    assert (second.added, second.problems) == (160, [])
    assert second.new_types
    assert (copy.added, copy.problems) == (1360, [])
    assert exported(store, "copy") == out
    given = [json.loads(x)["events"] for x in (train + dev).splitlines()]
    assert [json.loads(x)["events"] for x in out.splitlines()] == given


def test_spans_of_the_store_are_those_of_the_file(store: Store) -> None:
    brought_in(store, line("1", ZH, events=[LAUNCH]))

    events = store.samples.list()[0].sample.events

    assert events is not None
    assert events[0].trigger == span(ZH, 3, 5)
