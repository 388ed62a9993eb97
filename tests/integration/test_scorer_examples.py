"""The scorer against TextEE's own figures, where the examples lie beside the checkout."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from core.workflow import score_files

EXAMPLES = Path(__file__).parents[3] / "shared" / "fixtures" / "scorer_examples.json"
NAMES = {
    "trigger_id": "tri_i",
    "trigger_cls": "tri_c",
    "argument_id": "arg_i",
    "argument_cls": "arg_c",
    "argument_attached_id": "arg_i_plus",
    "argument_attached_cls": "arg_c_plus",
}


def pairs() -> list[dict[str, Any]]:
    if not EXAMPLES.exists():
        return []
    found: list[dict[str, Any]] = json.loads(EXAMPLES.read_bytes())["pairs"]
    return found


def line(pair: dict[str, Any], side: str) -> bytes:
    sample = {k: pair[k] for k in ("id", "language", "text")}
    return (json.dumps(sample | {"modality": "text", "events": pair[side]}) + "\n").encode()


@pytest.mark.skipif(not EXAMPLES.exists(), reason=f"the examples are not there ({EXAMPLES})")
@pytest.mark.parametrize("pair", pairs(), ids=lambda pair: str(pair["id"]))
def test_scores_are_exactly_those_of_textee_and_the_paper(pair: dict[str, Any]) -> None:
    found = score_files(line(pair, "gold"), line(pair, "pred"), gold_name="gold", pred_name="pred")

    overall = found["overall"]
    for theirs, ours in NAMES.items():
        figures = pair["textee"][theirs]
        assert overall[ours] == {
            "p": figures["precision"], "r": figures["recall"], "f1": figures["f1"],
            "pred": figures["pred_num"], "gold": figures["gold_num"], "match": figures["match_num"],
        }  # fmt: skip
    for theirs, ours in (("trigger", "tr"), ("argument", "arg")):
        figures = pair["paper_accuracy_reference"][theirs]
        accuracy = figures["accuracy"]
        assert overall[f"{ours}_accuracy"] == (None if accuracy is None else accuracy * 100)
        assert overall[f"{ours}_correct"] == figures["correct"]
        assert overall[f"{ours}_gold"] == figures["total"]
    assert found["by_language"] == {pair["language"]: overall}
