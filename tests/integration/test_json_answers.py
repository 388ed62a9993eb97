"""What `train`, `evaluate` and `promote` print for a program, on a tiny model."""

from __future__ import annotations

import json
from typing import Any

import pytest

import cli
from core.schema import EventType, Role, Schema
from tests.integration.sentences import labelled
from train.register import register_model
from train.services import Services

SCHEMA = Schema((EventType("launch", roles=(Role("agent"), Role("product"))),))
WORDS = {
    "zh": ("🚀华为发布芯片{}号", "发布", "华为"),
    "ru": ("Вега выпустила чип {}", "выпустила", "Вега"),
}
QUICK = ("rank=2", "alpha=4", "epochs=1", "batch_size=4", "warmup_steps=0")


@pytest.fixture
def base(home, store, tiny_model) -> str:
    """A tiny base, beside the collection 链 with a few reviews to train on and to judge by."""
    collection = store.collections.create("链", SCHEMA)
    samples = [labelled(WORDS, c, n, "train") for c in WORDS for n in range(4)]
    samples += [labelled(WORDS, c, n, "test") for c in WORDS for n in range(4, 6)]
    store.samples.add(collection.id, samples, schema_number=1)
    return register_model(Services(home, store), str(tiny_model), "Tiny").id


def test_train_evaluate_and_promote_print_what_a_program_was_promised(base, capsys):
    def asked(*words: str) -> dict[str, Any]:
        code = cli.main([words[0], "--collection", "链", "--json", *words[1:]])
        printed = capsys.readouterr()
        assert code == 0, printed.err
        found: dict[str, Any] = json.loads(printed.out)
        return found

    settings = [word for setting in QUICK for word in ("--set", setting)]
    trained = asked("train", "--preset", "laptop", "--model", base, *settings)
    ident = trained["model"]
    scored = asked("evaluate", "--model", ident, "--split", "test")
    promoted = asked("promote", ident, "--reason", "проба")

    assert trained == {"model": ident, "base": base, "state": "candidate"}
    assert scored.keys() == {"model", "split", "samples", "overall", "by_language"}
    assert (scored["model"], scored["split"], scored["samples"]) == (ident, "test", 4)
    assert list(scored["by_language"]) == ["zh", "ru"]
    assert promoted == {"model": ident, "base": base, "state": "promoted"}
