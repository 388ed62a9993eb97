"""A grammar leaves the model its own way of writing a reply: the tokens it was trained on."""

from __future__ import annotations

import json
from importlib.resources import files
from itertools import islice
from typing import Any

import pytest

from core.formats.argus_sample import sample_from_dict
from core.grammar import reply_grammar, reply_strings
from core.models.guides import Hints, Vocabulary
from core.parsing import write_reply
from core.samples import Sample
from core.schema import Schema, schema_from_json

EACH = 15


@pytest.fixture(scope="module")
def schema() -> Schema:
    return schema_from_json(files("storage.demo").joinpath("schema.json").read_bytes())


@pytest.fixture(scope="module")
def samples() -> list[Sample]:
    lines = files("storage.demo").joinpath("samples.jsonl").read_text(encoding="utf-8").splitlines()
    known = [s for s in (sample_from_dict(json.loads(line)) for line in lines) if s.events]
    return [
        s for c in ("en", "zh", "es", "ru")
        for s in islice((s for s in known if s.language == c), EACH)
    ]  # fmt: skip


@pytest.fixture(scope="module")
def tokenizer(samples: list[Sample]) -> Any:
    """Cuts as the tokenizers of real models do: several signs of JSON are one token, several letters
    another."""
    from tokenizers import Regex, Tokenizer, decoders, models, normalizers, trainers
    from tokenizers.pre_tokenizers import Split
    from transformers import PreTrainedTokenizerFast

    raw = Tokenizer(models.BPE())
    raw.normalizer = normalizers.Replace(" ", "▁")
    raw.pre_tokenizer = Split(Regex(r'[\[\]",]+|▁?[^\[\]",▁]+|▁+'), "isolated")
    raw.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()]
    )
    trainer = trainers.BpeTrainer(
        vocab_size=1400, special_tokens=["<pad>", "<eos>"], show_progress=False, max_token_length=4
    )
    raw.train_from_iterator([write_reply(s.events or (), s.text or "") for s in samples], trainer)
    learned = json.loads(raw.to_str())["model"]
    octets = {f"<0x{number:02X}>": len(learned["vocab"]) + number for number in range(256)}
    raw.model = models.BPE(
        vocab=learned["vocab"] | octets, merges=[tuple(pair) for pair in learned["merges"]],
        byte_fallback=True,
    )  # fmt: skip
    return PreTrainedTokenizerFast(tokenizer_object=raw, pad_token="<pad>", eos_token="<eos>")


@pytest.mark.parametrize("language", ["en", "zh", "es", "ru"])
def test_what_a_model_was_trained_to_write_is_never_written_in_other_tokens(
    tokenizer: Any, samples: list[Sample], schema: Schema, language: str
) -> None:
    vocabulary = Vocabulary(tokenizer, len(tokenizer))

    for sample in (s for s in samples if s.language == language):
        wanted = vocabulary.write(write_reply(sample.events or (), sample.text or ""))
        hints = Hints(*reply_strings(schema, sample.text or ""))
        guide = vocabulary.guide(reply_grammar(schema, sample.text or "", is_tuned=True), hints)
        written = guide.advance()
        while not guide.is_over and written == wanted[: len(written)]:
            following = wanted[len(written)] if len(written) < len(wanted) else vocabulary.eos
            assert guide.allowed is not None
            assert following in guide.allowed
            guide.take(following)
            written += [following] * (following != vocabulary.eos) + guide.advance()

        assert vocabulary.spell(written) == vocabulary.spell(wanted)
        assert not guide.is_stuck
