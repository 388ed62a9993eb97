"""QLoRA on a tiny model: NF4, loss on the reply alone, checkpoints, and reasons for failure."""

from dataclasses import replace

import pytest
import torch

from core.errors import TrainingError
from core.events import Argument, Event, span
from core.samples import Sample
from core.schema import EventType, Role, Schema
from train import loading, lora, loss, qlora
from train.examples import Example, collate, make_examples
from train.loading import load_for_training
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
    model, tokenizer = load_for_training(str(tiny_model), RECIPE)
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


@pytest.mark.parametrize("kind", ["nf4", "fp4"])
@pytest.mark.parametrize("is_double", [True, False])
def test_the_unpacked_base_computes_what_the_packed_one_does(
    tiny_model, monkeypatch, kind, is_double
):
    import bitsandbytes as bnb

    recipe = replace(RECIPE, quantisation=kind, double_quantisation=is_double)
    ids = torch.tensor([[2, 40, 80, 120, 90]])
    unpacked, _ = load_for_training(str(tiny_model), recipe)
    monkeypatch.setattr(loading, "_has_room", lambda _: False)
    packed, _ = load_for_training(str(tiny_model), recipe)

    layers = [m for m in packed.modules() if isinstance(m, bnb.nn.Linear4bit)]
    assert len(layers) == 14
    assert all(m.weight.quant_state.quant_type == kind for m in layers)
    assert all(m.weight.quant_state.nested == is_double for m in layers)
    assert not [m for m in unpacked.modules() if isinstance(m, bnb.nn.Linear4bit)]
    torch.testing.assert_close(unpacked(ids).logits, packed(ids).logits, rtol=0, atol=0.02)
    layer = next(m for n, m in unpacked.named_modules() if n.endswith("up_proj.base_layer"))
    values = bnb.functional.dequantize_4bit(layers[5].weight.data, layers[5].weight.quant_state)
    assert torch.equal(layer.weight, values)


@pytest.mark.parametrize("quantisation", ["nf4", "int8", "none"])
def test_only_the_adapter_trains_however_the_base_is_held(tiny_model, tmp_path, quantisation):
    recipe = replace(RECIPE, quantisation=quantisation, gradient_checkpointing=True)
    model, tokenizer = load_for_training(str(tiny_model), recipe)
    examples, _ = make_examples(SAMPLES, SCHEMA, tokenizer, max_tokens=512)
    before = {n: p.clone() for n, p in model.named_parameters()}
    points = []

    qlora.train(
        model, examples, recipe, total_steps=6, checkpoints=tmp_path,
        on_step=lambda p: points.append(p) or "on",
    )  # fmt: skip

    changed = {n for n, p in model.named_parameters() if not torch.equal(before[n], p)}
    assert changed
    assert all("lora_" in name for name in changed)
    assert points[-1].loss < points[0].loss


class SameMask(torch.nn.Module):
    """Dropout with the masks that the fused layers draw."""

    def __init__(self, rate: float) -> None:
        super().__init__()
        self.p = rate

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * lora.draw_mask(x, self.p) if self.p else x


@pytest.mark.parametrize("rate", [0.0, 0.3])
def test_a_fused_layer_computes_what_pefts_own_does(tiny_model, rate):
    recipe = replace(RECIPE, dropout=rate, quantisation="none", compute_dtype="float32")
    model, _ = load_for_training(str(tiny_model), recipe)
    torch.manual_seed(1)
    layer = next(m for n, m in model.named_modules() if n.endswith("up_proj"))
    torch.nn.init.normal_(layer.lora_B["default"].weight)
    layer.lora_dropout["default"] = SameMask(rate)
    x = torch.randn(3, 7, 64, requires_grad=True)
    trained = (x, layer.lora_A["default"].weight, layer.lora_B["default"].weight)

    def outcome(forward) -> list[torch.Tensor]:
        torch.manual_seed(2)
        for tensor in trained:
            tensor.grad = None
        out = forward(x)
        out.square().sum().backward()
        return [out, *(t.grad.clone() for t in trained)]

    assert layer.forward.func is lora._forward
    for ours, theirs in zip(outcome(layer.forward), outcome(layer.forward.args[1]), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("rate", [0.05, 0.3, 0.9])
def test_dropout_drops_its_share_evenly_and_keeps_the_mean(rate):
    torch.manual_seed(0)

    mask = lora.draw_mask(torch.empty(997, 1003), rate)  # no multiple of four

    assert (mask == 0).float().mean() == pytest.approx(rate, abs=0.002)
    assert mask.mean() == pytest.approx(1, abs=0.02)
    places = [(mask.flatten()[at::4] == 0).float().mean().item() for at in range(4)]
    assert places == pytest.approx([rate] * 4, abs=0.005)


def test_training_lowers_the_loss_and_leaves_an_adapter_that_loads(loaded, tiny_model, tmp_path):
    from core.models.local import load_model

    model, _, examples = loaded
    points = []
    ended = qlora.train(
        model, examples, RECIPE, total_steps=12, checkpoints=tmp_path / "checkpoint",
        on_step=lambda p: points.append(p) or "on",
    )  # fmt: skip
    qlora.save_adapter(model, tmp_path / "adapter", facts={"steps": ended.step})

    assert (ended.step, ended.how) == (12, "done")
    assert points[-1].loss < 0.97 * points[0].loss
    assert (tmp_path / "adapter" / "adapter_model.safetensors").exists()
    tuned, _ = load_model(str(tiny_model), adapter=tmp_path / "adapter")
    base, _ = load_model(str(tiny_model))
    ids = torch.tensor([[3, 4, 5]])
    assert not torch.equal(tuned(ids).logits, base(ids).logits)


def test_a_run_that_is_stopped_keeps_what_it_has_done(loaded, tmp_path):
    model, _, examples = loaded

    ended = qlora.train(
        model, examples, RECIPE, total_steps=30, checkpoints=tmp_path,
        on_step=lambda p: "on" if p.step < 3 else "stop",
    )  # fmt: skip

    assert (ended.step, ended.how) == (3, "stopped")


def test_a_loss_that_is_not_a_number_ends_the_run_with_the_remedy(loaded, tmp_path):
    model, _, examples = loaded
    with torch.no_grad():
        next(p for p in model.parameters() if p.requires_grad).fill_(float("nan"))

    with pytest.raises(TrainingError, match="lower learning rate"):
        qlora.train(
            model, examples, RECIPE, total_steps=2, checkpoints=tmp_path, on_step=lambda _: "on"
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
@pytest.mark.parametrize("has_bias", [False, True])
def test_the_loss_through_a_frozen_head_is_plain_cross_entropy(softcap, has_bias):
    torch.manual_seed(0)
    hidden, weight = torch.randn(250, 16, requires_grad=True), torch.randn(5000, 16)
    bias = torch.randn(5000) if has_bias else None
    wanted = torch.randint(0, 5000, (250,))

    ours = frozen_head_loss(hidden, weight, wanted, bias=bias, softcap=softcap)
    (ours * 0.5).backward()
    gradient, hidden.grad = hidden.grad.clone(), None
    logits = torch.nn.functional.linear(hidden, weight, bias)
    logits = torch.tanh(logits / softcap) * softcap if softcap else logits
    plain = torch.nn.functional.cross_entropy(logits, wanted, reduction="sum")
    (plain * 0.5).backward()

    torch.testing.assert_close(ours, plain)
    torch.testing.assert_close(gradient, hidden.grad, rtol=1e-4, atol=1e-5)


def test_faint_probabilities_change_the_gradient_less_than_bf16_can_tell(monkeypatch):
    torch.manual_seed(0)
    weight = torch.randn(6000, 64).bfloat16()
    wanted = torch.randint(0, 6000, (40,))
    states = (weight[wanted].float() * 0.2 + torch.randn(40, 64) * 0.3).bfloat16()

    def gradient(faint: float) -> torch.Tensor:
        monkeypatch.setattr(loss, "FAINT", faint)
        hidden = states.clone().requires_grad_()
        frozen_head_loss(hidden, weight, wanted).backward()
        return hidden.grad.float()

    usual, whole, rough = gradient(loss.FAINT), gradient(-1.0), gradient(0.1)
    assert (usual - whole).norm() < 2**-9 * whole.norm()
    assert (rough - whole).norm() > 0.1 * whole.norm()


def test_an_output_layer_that_the_trainer_does_not_know_is_refused(loaded, tmp_path):
    model, _, examples = loaded
    head = model.get_base_model().get_output_embeddings()
    head.forward = lambda hidden: torch.nn.functional.linear(hidden, head.weight) * 30

    with pytest.raises(TrainingError, match="cannot be trained here"):
        qlora.train(
            model, examples, RECIPE, total_steps=2, checkpoints=tmp_path, on_step=lambda _: "on"
        )
