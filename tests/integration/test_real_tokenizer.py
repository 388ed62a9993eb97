"""The embedded model's own tokenizer: which tokens bear loss, piece by piece, and how many there are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from core.events import Argument, Event, span
from core.models import embedded
from core.samples import Sample
from core.schema import EventType, Role, Schema
from storage.home import CHECKOUT
from train.examples import collate, make_examples
from train.lengths import count_tokens, guess_tokens

SCHEMA = Schema((EventType("launch", roles=(Role("agent"),)),))
# language, text, trigger, agent, the pieces of both as the tokenizer cuts them
CASES = [
    ("en", "Intel launched a chip.", "launched", "Intel", ["launched"], ["Intel"]),
    ("zh", "🚀华为周二发布了新芯片。", "发布", "华为", ["发布"], ["华为"]),
    ("es", "Telefónica lanzó un móvil.", "lanzó", "Telefónica", ["l", "anz", "ó"], ["Tele", "f", "ónica"]),
    ("ru", "«Вега» запустила спутник.", "запустила", "Вега", ["за", "пусти", "ла"], ["Ве", "га"]),
]  # fmt: skip


@pytest.fixture(scope="module")
def folder() -> Path:
    return embedded.convert(CHECKOUT / "var" / "models")


@pytest.fixture(scope="module")
def tokenizer(folder) -> Any:
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(str(folder))


def labelled(code: str, text: str, trigger: str, agent: str) -> Sample:
    at, by = text.index(trigger), text.index(agent)
    argument = Argument("agent", span(text, by, by + len(agent)))
    event = Event("launch", span(text, at, at + len(trigger)), (argument,))
    return Sample(code, code, "text", text, events=(event,))


SAMPLES = [
    *(labelled(*case[:4]) for case in CASES),
    Sample("пусто", "ru", "text", "Ничего не случилось.", events=()),
    Sample("空", "zh", "text", "没有事件。", events=()),
]


@pytest.mark.parametrize("case", CASES, ids=lambda c: c[0])
def test_exactly_the_pieces_of_the_reply_and_the_end_token_bear_loss(tokenizer, case):
    code, text, *_, trigger, agent = case
    examples, left_out = make_examples(SAMPLES, SCHEMA, tokenizer, max_tokens=1024)
    at = next(i for i, e in enumerate(examples) if e.sample_id == code)
    batch = collate(examples, pad=tokenizer.pad_token_id)

    labels, ids = batch["labels"][at], batch["input_ids"][at]
    borne = labels != -100
    assert left_out == []
    assert tokenizer.convert_ids_to_tokens(labels[borne].tolist()) == [
        '[["', "launch", '","', *trigger, '",[', '["', "agent", '","', *agent, '"]', "]]]", "<eos>",
    ]  # fmt: skip
    assert (labels[borne] == ids[borne]).all()
    # What bears loss is one piece of the row: the prompt before it, padding after it.
    first = int(borne.nonzero()[0])
    assert tokenizer.decode(ids[:first]) == f"<bos>{code} text: {text}\nevents: "
    after = ids[first + int(borne.sum()) :]
    assert (after == tokenizer.pad_token_id).all()
    assert (batch["attention_mask"][at].sum() == first + borne.sum()).all()


@pytest.mark.parametrize("sample", SAMPLES[-2:], ids=lambda s: s.language)
def test_a_sample_without_an_event_bears_loss_on_its_empty_reply(tokenizer, sample):
    (example,), _ = make_examples([sample], SCHEMA, tokenizer, max_tokens=1024)

    assert tokenizer.convert_ids_to_tokens(example.reply) == ["[]", "<eos>"]


def test_the_app_counts_what_training_sees_without_the_model(folder, tokenizer):
    examples, _ = make_examples(SAMPLES, SCHEMA, tokenizer, max_tokens=1024)

    counted = count_tokens(SAMPLES, SCHEMA, str(folder))

    assert counted == [len(e) for e in examples]
    assert count_tokens(SAMPLES, SCHEMA, str(folder)) == counted


def test_a_base_that_is_not_here_is_guessed_by_characters(tmp_path):
    assert count_tokens(SAMPLES, SCHEMA, str(tmp_path / "нет")) is None
    assert [n > 0 for n in guess_tokens(SAMPLES)] == [True] * len(SAMPLES)
