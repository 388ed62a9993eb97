"""Cards: every figure is there, and text of samples stays text."""

from __future__ import annotations

from datetime import UTC, datetime

from core.events import Event
from core.records import EvaluationRecord, ModelRecord
from core.samples import Sample, Source
from train.cards import data_card, model_card
from train.leakage import Leak
from train.snapshot import Snapshot

NOW = datetime(2026, 11, 3, tzinfo=UTC)


def sample(ident: str, language: str, name: str, *types: str) -> Sample:
    return Sample(
        ident, language, "text", "текст", source=Source(name=name, published="2026-10-01"),
        events=tuple(Event(t, None) for t in types),
    )  # fmt: skip


def test_a_data_card_counts_languages_types_sources_and_repetitions():
    once, twice = sample("a", "zh", "新华社", "launch"), sample("b", "ru", "ТАСС", "launch", "deal")
    snapshot = Snapshot((once, twice, twice), "abc123", {"zh": 1, "ru": 1})

    card = data_card(
        snapshot, collection="新闻", recipe={"balance": "language"}, held_out={"test": 8}
    )

    assert "2 reviewed samples of the train split, SHA-256 `abc123`" in card
    assert "repeated by language: 1 repetitions, so 3 are shown" in card
    assert "| Russian | 1 | 2 |" in card
    assert "| launch | 2 | 3 |" in card
    assert "| ТАСС | not said | 1 |" in card
    assert "Held out: 8 test." in card


def test_names_of_sources_cannot_break_out_of_their_cell():
    evil = sample("a", "ru", "x|y\n# <img src=x> [l](http://e)", "launch")

    card = data_card(
        Snapshot((evil,), "h", {"ru": 1}, (Leak("а|б", "c", 0.9),)),
        collection="c", recipe={}, held_out={},
    )  # fmt: skip

    assert "| x\\|y \\# \\<img src=x\\> \\[l\\](http://e) | not said | 1 |" in card
    assert "| а\\|б | c | 0.90 |" in card


def model(ident: str, base: str | None = None) -> ModelRecord:
    manifest = {
        "recipe": {"rank": 32, "target_modules": ["q_proj", "v_proj"]}, "snapshot": "abc",
        "versions": {"torch": "2.13.0"}, "steps": 90, "prompt_version": "brief.v1",
        "base_sha256": "ff" * 32,
    }  # fmt: skip
    return ModelRecord(
        ident, ident.title(), "candidate" if base else "base", base, None, "/x", False, None,
        "Use kindly.", manifest if base else {}, NOW,
    )  # fmt: skip


def evaluation(ident: str, value: float) -> EvaluationRecord:
    part = {
        "tr_accuracy": value,
        "arg_accuracy": None,
        "tri_c": {"f1": value},
        "arg_c": {"f1": 1.0},
    }
    scores = {"overall": part, "by_language": {"zh": part}}
    return EvaluationRecord(1, 1, ident, "test", "same", 80, scores, [], {}, 1.0, NOW)


def test_a_model_card_sets_the_scores_beside_the_bases_on_the_same_samples():
    card = model_card(
        model("tuned", "base"), model("base"), [evaluation("tuned", 63.5), evaluation("base", 4.2)]
    )

    assert "Test split, 80 samples, per cent, base → this:" in card
    assert "| Chinese | 4.2 → 63.5 | – → – | 4.2 → 63.5 | 1.0 → 1.0 |" in card
    assert "| rank | 32 |" in card
    assert "| target\\_modules | q\\_proj, v\\_proj |" in card
    assert "| torch | 2.13.0 |" in card
    assert "Use kindly." in card


def test_an_unscored_model_says_so():
    assert "Not scored yet." in model_card(model("base"), model("base"), [])
