"""Random schemas and texts of all scripts: the grammar compiles, whatever is drawn from what it allows
can be read, and every span lies where its words are."""

from __future__ import annotations

import random
from functools import lru_cache
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.grammar import close_reply, reply_grammar, reply_strings
from core.models.embedded import NAME
from core.models.guides import Hints, Vocabulary
from core.parsing import read_reply
from core.schema import EventType, Role, Schema
from core.spans import borders, occurrences, without_breaks
from storage.home import CHECKOUT

EXAMPLES = 2_000
TOKENS = 120  # of a reply; what is cut there is closed, as a model's is
FRAGMENTS = [
    "Intel launched a 5G chip in Taipei. ", "华为在上海发布了芯片。", "¿Lanzó Telefónica un móvil? ",
    "«Яндекс» запустил сервис в Москве. ", "أطلقت الشركة خدمة جديدة ", "कंपनी ने नई सेवा शुरू की ",
    "บริษัทเปิดตัวบริการใหม่", "ソニーがゲーム機を発売", "삼성이 칩을 공개했다 ", "החברה השיקה שירות ",
    "👩‍🔬🚀", "🇪🇸❤️", "e\u0301\u0301", "\u200d", "\u200b", "\ufeff", "\u00a0", "\u2028", "\u2029", "\x00", "\x07",
    "\x1b[0m", "\x7f", "\x85", '"', "\\", '\\"', "\\n", "\\u0041", "'", "`", "\n", "\r\n", "\t", " ", "   ",
    "[", "]", '",[', '"]]]', "{}", "%regex", "|", "/", "<[1]>", "$text", "\U0002f800", "\uffff", "ﷺ", "𝔸", "...",
]  # fmt: skip
CHARS = st.characters(exclude_categories=["Cs"])  # no file can hold half a surrogate pair


@st.composite
def texts(draw: st.DrawFn) -> str:
    """1 to 5,000 characters: any that there are, pieces of texts, and long repetitions of both."""
    short = draw(
        st.one_of(
            st.text(CHARS, min_size=1, max_size=60),
            st.lists(st.sampled_from(FRAGMENTS), min_size=1, max_size=12).map("".join),
        )
    )
    length = draw(st.one_of(st.just(len(short)), st.integers(1, 5_000)))
    return (short * (length // len(short) + 1))[:length]


@st.composite
def schemas(draw: st.DrawFn) -> Schema:
    """1 to 200 types with up to 8 roles; names hold whatever names may hold."""
    word = st.one_of(
        st.text(CHARS, min_size=1, max_size=12),
        st.sampled_from(FRAGMENTS),
        st.text('"\\ab', min_size=1),
    )
    names = draw(st.lists(word, min_size=1, max_size=12, unique=True))
    count = draw(st.one_of(st.integers(1, 6), st.integers(1, 200)))
    roles = draw(st.lists(word, max_size=8, unique=True))
    chance = random.Random(draw(st.integers(0, 1 << 30)))
    return Schema(
        tuple(
            EventType(
                names[i] if i < len(names) else f"{names[i % len(names)]} {i}",
                roles=tuple(
                    Role(r, multiple=chance.random() < 0.5)
                    for r in roles[: chance.randint(0, len(roles))]
                ),
            )
            for i in range(count)
        )
    )


def check(vocabulary: Vocabulary, schema: Schema, text: str, *, is_tuned: bool, seed: int) -> None:
    """Draw a reply from what the grammar allows, and read it."""
    chance = random.Random(seed)
    guide = vocabulary.guide(
        reply_grammar(schema, text, is_tuned=is_tuned), Hints(*reply_strings(schema, text))
    )
    tokens = guide.advance()
    while not guide.is_over and len(tokens) < TOKENS:
        assert guide.allowed is not None
        token = int(chance.choice(guide.allowed))
        guide.take(token)
        tokens += [token] if token != vocabulary.eos else []
        if not guide.is_over:
            tokens += guide.advance()
    assert not guide.is_stuck
    reply = b"".join(vocabulary.spell(tokens)).decode("utf-8", "replace")

    read = read_reply(reply if guide.is_over else close_reply(reply), text, schema)

    assert {p.code for p in read.problems} <= {"repeated"}
    clean, edges = without_breaks(text), borders(without_breaks(text))
    for event in read.events:
        known = schema.type(event.event_type)
        assert known is not None
        for argument in event.arguments:
            assert known.role(argument.role) is not None
        for mention in event.mentions():
            assert mention.start is not None
            assert mention.end is not None
            assert text[mention.start : mention.end] == mention.text
            assert {mention.start, mention.end} <= edges
            assert mention.start in occurrences(clean, clean[mention.start : mention.end])
        once = [a.role for a in event.arguments if not known.role(a.role).multiple]  # type: ignore[union-attr]
        assert len(once) == len(set(once))


@lru_cache(maxsize=1)
def vocabulary_at(folder: Path) -> Vocabulary:
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder)
    return Vocabulary(tokenizer, len(tokenizer))


def fuzz(folder: Path, examples: int) -> None:
    vocabulary = vocabulary_at(folder)

    @settings(
        derandomize=True,
        max_examples=examples, deadline=None, database=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )  # fmt: skip
    @given(schemas(), texts(), st.booleans(), st.integers(0, 1 << 30))
    def run(schema: Schema, text: str, is_tuned: bool, seed: int) -> None:
        check(vocabulary, schema, text, is_tuned=is_tuned, seed=seed)

    run()


@pytest.mark.parametrize("examples", [400, pytest.param(EXAMPLES, marks=pytest.mark.slow)])
def test_whatever_a_grammar_allows_is_read_and_found_again_byte_by_byte(tiny_model, examples):
    fuzz(tiny_model, examples)


@pytest.mark.slow
def test_whatever_a_grammar_allows_is_read_and_found_again_with_real_tokens():
    folder = CHECKOUT / "var" / "models" / NAME
    if not folder.exists():
        pytest.skip(f"the embedded model is not there ({folder}): run `make run` once")

    fuzz(folder, EXAMPLES)
