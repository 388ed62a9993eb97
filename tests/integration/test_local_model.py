"""A real (tiny, random) model: replies hold to the grammar, whatever the weights say."""

from dataclasses import replace

import pytest

from core.errors import CancelledError, ModelError
from core.events import Event, span
from core.models.decoding import Row
from core.models.guides import _heads, _stops
from core.models.local import LocalBackend, check_folder, load_model
from core.ports import Decoding
from core.prompts import TUNED, fill_prompt, versions
from core.samples import Sample
from core.schema import EventType, Role, Schema
from core.spans import borders

SCHEMA = Schema(
    (EventType("launch", roles=(Role("agent"), Role("product"))), EventType("Сбой 故障"))
)
TEXTS = [
    ("en", 'Intel "launched" a 5G chip in C:\\temp.'),
    ("zh", "🚀华为在上海发布了5G芯片，芯片很快。"),
    ("es", "¿Lanzó Telefónica un móvil?\r\nSí, lo lanzó."),
    ("ru", "«Яндекс» запустил сервис\tв Москве 👩‍🔬."),
    ("ar", "أطلقت الشركة خدمة جديدة"),
    ("hi", "कंपनी ने नई सेवा शुरू की"),
]
SAMPLES = [Sample(f"s{i}", code, "text", text) for i, (code, text) in enumerate(TEXTS)]


@pytest.fixture(scope="module")
def backend(tiny_model):
    model, tokenizer = load_model(str(tiny_model))
    return LocalBackend(
        "tiny", model, tokenizer, decoding=Decoding(temperature=1.0, max_new_tokens=150)
    )


@pytest.mark.parametrize("is_tuned", [True, False])
def test_every_reply_is_valid_and_anchored_in_every_script(tiny_model, is_tuned):
    model, tokenizer = load_model(str(tiny_model))
    backend = LocalBackend("tiny", model, tokenizer, is_tuned=is_tuned)
    hot = Decoding(temperature=2.0, top_p=1.0, max_new_tokens=120)

    for suggested, sample in zip(
        backend.suggest(SAMPLES, SCHEMA, decoding=hot), SAMPLES, strict=True
    ):
        for event in suggested.events:
            known = SCHEMA.type(event.event_type)
            assert known is not None
            assert all(known.role(a.role) for a in event.arguments)
            for mention in event.mentions():
                assert sample.text[mention.start : mention.end] == mention.text
                assert {mention.start, mention.end} <= borders(sample.text)
                assert 0 < mention.confidence <= 1


def test_a_batch_says_what_each_sample_alone_says(backend):
    greedy = Decoding(temperature=0.0, max_new_tokens=60)

    together = backend.suggest(SAMPLES, SCHEMA, decoding=greedy)
    alone = [backend.suggest([s], SCHEMA, decoding=greedy)[0] for s in SAMPLES]

    # bf16 sums in another order in a batch, so a near tie may fall the other way for one of six.
    same = sum(a.raw_reply == b.raw_reply for a, b in zip(together, alone, strict=True))
    assert same >= len(SAMPLES) - 1


def test_a_list_goes_on_where_its_end_is_not_likely_enough(backend):
    readily = Decoding(temperature=0.0, max_new_tokens=400, stop_odds=50.0)
    as_likely = replace(readily, stop_odds=0.0)

    more, usual = (backend.suggest(SAMPLES, SCHEMA, decoding=d) for d in (readily, as_likely))

    def count(said) -> int:
        return sum(1 + len(e.arguments) for s in said for e in s.events)

    assert count(more) > count(usual)
    sure = [m.confidence for s in more for e in s.events for m in e.mentions()]
    assert all(0 < confidence <= 1 for confidence in sure)  # the model's own all the same


def test_a_token_of_brackets_ends_as_many_lists_as_could_go_on():
    tokens = ['"],["', '"]]', '"]],["', '"]]]', "]", "[]", "чип]", "", '[["']

    assert list(_stops(tokens, 10)) == [0, 1, 1, 2, 1, 0, 0, 0, 0, 0]


def test_tokens_that_end_a_string_alike_are_one_decision():
    tokens = ['"],', "чип", '"]', '芯"', '"', '[["']

    assert list(_heads(tokens, 7)) == [0, 1, 0, 3, 0, 5, 6]


def test_a_token_that_ends_a_string_and_more_counts_in_two_pieces(backend, monkeypatch):
    monkeypatch.setattr(backend._decoder, "spell", lambda _: [b'[["', "чип".encode(), b'"],'])
    row = Row([], "", 0, tokens=[5, 1, 0], probabilities=[1.0, 0.5, 0.2], heads=[1.0, 0.5, 0.8])

    reply, pieces = backend._text(row)

    assert [(reply[p.start : p.end], p.probability) for p in pieces] == [
        ('[["', 1.0), ("чип", 0.5), ('"', 0.8), ("],", pytest.approx(0.25)),
    ]  # fmt: skip


def test_the_same_seed_gives_the_same_reply(backend):
    seeded = Decoding(temperature=1.0, seed=5, max_new_tokens=60)

    first, second = (backend.suggest(SAMPLES[:1], SCHEMA, decoding=seeded)[0] for _ in range(2))

    assert first.raw_reply == second.raw_reply


def test_a_reply_at_the_token_limit_is_closed_and_told(backend):
    short = Decoding(temperature=2.0, max_new_tokens=12)

    for suggested in backend.suggest(SAMPLES, SCHEMA, decoding=short):
        assert suggested.raw_reply.endswith("]")
        if len(suggested.raw_reply) > 2:
            assert suggested.problems[0].code == "cut_reply"


def test_work_can_be_cancelled_between_steps(backend):
    def stop(_share: float) -> None:
        raise CancelledError("cancelled by a person")

    with pytest.raises(CancelledError):
        backend.suggest(SAMPLES[:1], SCHEMA, on_step=stop)


def test_a_text_beyond_the_models_context_says_so(backend):
    long = Sample("длинный", "ru", "text", "слово " * 2000)

    with pytest.raises(ModelError, match="'длинный' is too long for tiny"):
        backend.suggest([long], SCHEMA)


def test_a_folder_without_weights_is_refused_by_name(tmp_path, tiny_model):
    (tmp_path / "config.json").write_text((tiny_model / "config.json").read_text())

    with pytest.raises(ModelError, match="has no weights"):
        check_folder(tmp_path)


def test_a_folder_that_is_no_language_model_is_refused(tmp_path):
    with pytest.raises(ModelError, match=r"has no config\.json"):
        check_folder(tmp_path)
    (tmp_path / "config.json").write_text('{"architectures": ["BertModel"]}')
    (tmp_path / "model.safetensors").write_bytes(b"")
    with pytest.raises(ModelError, match="neither a causal language model"):
        check_folder(tmp_path)


@pytest.mark.parametrize("version", versions())
@pytest.mark.parametrize("sample", SAMPLES, ids=lambda s: s.language)
def test_a_prompt_holds_the_text_and_its_prefix_is_shared(version, sample):
    prompt = fill_prompt(version, SCHEMA, sample)

    assert sample.text.replace("\r\n", "  ").replace("\t", " ") in prompt.rest
    other = replace(SAMPLES[0], language=sample.language)
    assert prompt.prefix == fill_prompt(version, SCHEMA, other).prefix
    assert version == TUNED or "Сбой 故障" in prompt.prefix


def test_a_training_example_asks_exactly_what_a_suggestion_asks(tiny_model, backend):
    from train.examples import make_examples

    sample = SAMPLES[1]
    event = Event("launch", span(sample.text, 6, 8))
    _, tokenizer = load_model(str(tiny_model))
    asked = []
    tuned = LocalBackend("tiny", *load_model(str(tiny_model)), prompt_version=TUNED)

    def listen(prefix, rows, *_, **__):
        asked.append(prefix + rows[0].prompt)
        raise CancelledError("asked")

    tuned._decoder.decode = listen
    with pytest.raises(CancelledError):
        tuned.suggest([sample], SCHEMA)
    examples, _ = make_examples(
        [replace(sample, events=(event,))], SCHEMA, tokenizer, max_tokens=999
    )
    assert list(examples[0].prompt) == asked[0]
