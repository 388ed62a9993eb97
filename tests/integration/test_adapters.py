"""Adapters change places on a base that stays in memory, and leave it as it was, bit for bit."""

from pathlib import Path

import pytest
import torch

from core.errors import ModelError
from core.models.adapters import Carrier
from core.models.local import LocalBackend, load_model
from core.ports import Decoding
from core.samples import Sample
from core.schema import EventType, Role, Schema

SCHEMA = Schema((EventType("launch", roles=(Role("agent"),)), EventType("Сбой 故障")))
SAMPLES = [
    Sample("a", "zh", "text", "华为在上海发布了5G芯片。"),
    Sample("b", "ru", "text", "«Яндекс» запустил сервис в Москве."),
]
GREEDY = Decoding(temperature=0.0, max_new_tokens=40)


def make_adapter(base: Path, folder: Path, seed: int) -> Path:
    """A random adapter, strong enough to change what the tiny model says."""
    from peft import LoraConfig, get_peft_model

    model, _ = load_model(str(base))
    config = LoraConfig(r=4, lora_alpha=64, target_modules=["q_proj", "down_proj"])
    carrying = get_peft_model(model, config)
    torch.manual_seed(seed)
    for name, parameter in carrying.named_parameters():
        if "lora_" in name:
            torch.nn.init.normal_(parameter, std=0.3)
    carrying.save_pretrained(str(folder))
    return folder


@pytest.fixture(scope="module")
def adapters(tiny_model, tmp_path_factory):
    folder = tmp_path_factory.mktemp("adapters")
    return [make_adapter(tiny_model, folder / str(n), n) for n in (1, 2)]


def said(backend: LocalBackend) -> list[str]:
    return [s.raw_reply for s in backend.suggest(SAMPLES, SCHEMA, decoding=GREEDY)]


def test_the_base_is_the_same_bit_for_bit_after_an_adapter(tiny_model, adapters):
    model, _ = load_model(str(tiny_model))
    before = {name: p.detach().clone() for name, p in model.named_parameters()}
    carrier = Carrier(model)

    carrier.carry(adapters[0])
    changed = [name for name, p in model.named_parameters() if not torch.equal(p, before[name])]
    carrier.carry(None)

    assert changed
    assert all(torch.equal(p, before[name]) for name, p in model.named_parameters())


@pytest.mark.parametrize("quantisation", ["none", "nf4"])
def test_answers_are_the_same_before_and_after_adapters_change_places(
    tiny_model, adapters, quantisation
):
    base = LocalBackend("base", *load_model(str(tiny_model), quantisation=quantisation))
    first, second = (base.beside(a.name, adapter=a) for a in adapters)

    one, two, three = said(base), said(first), said(second)

    assert len({tuple(one), tuple(two), tuple(three)}) == 3
    assert (said(first), said(base), said(second), said(base)) == (two, one, three, one)


def test_an_adapter_put_on_later_says_what_one_loaded_with_the_base_says(tiny_model, adapters):
    loaded = LocalBackend("loaded", *load_model(str(tiny_model), adapter=adapters[1]))
    base = LocalBackend("base", *load_model(str(tiny_model)))
    said(base)

    assert said(base.beside("later", adapter=adapters[1])) == said(loaded)


def test_an_adapter_that_is_not_there_is_named_and_the_base_stays_bare(tiny_model, tmp_path):
    base = LocalBackend("base", *load_model(str(tiny_model)))
    before = said(base)

    with pytest.raises(ModelError, match="does not fit"):
        said(base.beside("нет", adapter=tmp_path / "нет"))

    assert said(base) == before


def test_only_the_same_weights_loaded_the_same_way_are_shared(tiny_model):
    base = LocalBackend("base", *load_model(str(tiny_model)))

    assert base.stands_on(str(tiny_model), "none")
    assert not base.stands_on(str(tiny_model), "nf4")
    assert not base.stands_on("/другая", "none")
