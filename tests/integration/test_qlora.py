"""QLoRA on a tiny model: NF4, loss on the reply alone, checkpoints, and reasons for failure."""

from dataclasses import replace

import pytest
import torch

from core.errors import TrainingError
from core.events import Argument, Event, span
from core.samples import Sample
from core.schema import EventType, Role, Schema
from train import qlora
from train.examples import Example, collate, make_examples
from train.loss import frozen_head_loss
from train.recipes import Recipe

SCHEMA = Schema((EventType("launch", roles=(Role("agent"),)),))
TEXTS = [
    ("en", "Intel launched it", "launched", "Intel"),
    ("zh", "🚀华为发布芯片", "发布", "华为"),
    ("es", "José lanzó algo", "lanzó", "José"),
    ("ru", "Вега вышла", "вышла", "Вега"),
]


def labelled(code: str, text: str, trigger: str, agent: str) -> Sample:
    at, by = text.index(trigger), text.index(agent)
    argument = Argument("agent", span(text, by, by + len(agent)))
    event = Event("launch", span(text, at, at + len(trigger)), (argument,))
    return Sample(code, code, "text", text, events=(event,))


SAMPLES = [labelled(*t) for t in TEXTS]
RECIPE = replace(
    Recipe.laptop(), rank=4, alpha=8, batch_size=2, dropout=0.0, learning_rate=0.01, warmup_steps=0
)


@pytest.fixture
def loaded(tiny_model):
    model, tokenizer = qlora.load_for_training(str(tiny_model), RECIPE)
    examples, _ = make_examples(SAMPLES, SCHEMA, tokenizer, max_tokens=512)
    return model, tokenizer, examples


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda s: s.language)
def test_exactly_the_reply_and_the_end_token_bear_loss(loaded, sample):
    _, tokenizer, examples = loaded
    example = next(e for e in examples if e.sample_id == sample.id)
    batch = collate([example, examples[0]], pad=0)

    row = batch["labels"][0]
    borne = [int(i) for i in row[row != -100]]
    assert borne[-1] == tokenizer.eos_token_id
    event = sample.events[0]
    words = (event.trigger.text, event.arguments[0].mention.text)
    assert tokenizer.decode(borne[:-1]) == f'[["launch","{words[0]}",[["agent","{words[1]}"]]]]'


def test_a_batch_is_padded_on_the_right_as_its_docstring_shows():
    batch = collate([Example("a", "en", (5, 6), (7, 1)), Example("б", "ru", (5,), (1,))], pad=0)

    assert batch["input_ids"].tolist() == [[5, 6, 7, 1], [5, 1, 0, 0]]
    assert batch["labels"].tolist() == [[-100, -100, 7, 1], [-100, 1, -100, -100]]
    assert batch["attention_mask"].tolist() == [[1, 1, 1, 1], [1, 1, 0, 0]]


def test_the_base_is_in_nf4_and_only_the_adapter_trains(loaded):
    import bitsandbytes as bnb

    model, _, _ = loaded

    quantised = [m for m in model.modules() if isinstance(m, bnb.nn.Linear4bit)]
    assert len(quantised) == 14
    assert all(m.weight.quant_state.quant_type == "nf4" for m in quantised)
    assert all(m.weight.quant_state.nested for m in quantised)
    assert all("lora_" in n for n, p in model.named_parameters() if p.requires_grad)


def test_training_lowers_the_loss_and_leaves_an_adapter_that_loads(loaded, tiny_model, tmp_path):
    from core.models.local import load_model

    model, _, examples = loaded
    points = []
    reached = qlora.train(
        model, examples, RECIPE, total_steps=12, checkpoints=tmp_path / "checkpoint",
        on_step=lambda p: points.append(p) or True,
    )  # fmt: skip
    qlora.save_adapter(model, tmp_path / "adapter", facts={"steps": reached})

    assert reached == 12
    assert points[-1].loss < 0.97 * points[0].loss
    assert (tmp_path / "adapter" / "adapter_model.safetensors").exists()
    tuned, _ = load_model(str(tiny_model), adapter=tmp_path / "adapter")
    base, _ = load_model(str(tiny_model))
    ids = torch.tensor([[3, 4, 5]])
    assert not torch.equal(tuned(ids).logits, base(ids).logits)


def test_a_run_that_is_stopped_keeps_what_it_has_done(loaded, tmp_path):
    model, _, examples = loaded

    reached = qlora.train(
        model, examples, RECIPE, total_steps=30, checkpoints=tmp_path, on_step=lambda p: p.step < 3
    )

    assert reached == 3


def test_a_loss_that_is_not_a_number_ends_the_run_with_the_remedy(loaded, tmp_path):
    model, _, examples = loaded
    with torch.no_grad():
        next(p for p in model.parameters() if p.requires_grad).fill_(float("nan"))

    with pytest.raises(TrainingError, match="lower learning rate"):
        qlora.train(
            model, examples, RECIPE, total_steps=2, checkpoints=tmp_path, on_step=lambda _: True
        )


def test_an_adapter_that_cannot_be_written_leaves_nothing_half_written(loaded, tmp_path):
    model, _, _ = loaded
    (tmp_path / "file").write_text("a file where a folder should be")

    with pytest.raises(TrainingError, match="could not be written"):
        qlora.save_adapter(model, tmp_path / "file" / "adapter", facts={})

    assert sorted(p.name for p in tmp_path.iterdir()) == ["file"]


def test_samples_longer_than_max_tokens_are_left_out_and_named(loaded):
    _, tokenizer, _ = loaded

    examples, left_out = make_examples(SAMPLES, SCHEMA, tokenizer, max_tokens=60)

    assert len(examples) + len(left_out) == 4
    assert left_out


@pytest.mark.parametrize("softcap", [None, 3.0])
def test_the_loss_through_a_frozen_head_is_plain_cross_entropy(softcap):
    torch.manual_seed(0)
    hidden, weight = torch.randn(250, 16, requires_grad=True), torch.randn(300, 16)
    wanted = torch.randint(0, 300, (250,))

    ours = frozen_head_loss(hidden, weight, wanted, softcap=softcap)
    (ours * 0.5).backward()
    gradient, hidden.grad = hidden.grad.clone(), None
    logits = hidden @ weight.T
    logits = torch.tanh(logits / softcap) * softcap if softcap else logits
    plain = torch.nn.functional.cross_entropy(logits, wanted, reduction="sum")
    (plain * 0.5).backward()

    torch.testing.assert_close(ours, plain)
    torch.testing.assert_close(gradient, hidden.grad)
