"""An adapter as GGUF: names, shapes and scale; the order of Llama's rows; refusals leave nothing."""

from __future__ import annotations

import json

import numpy as np
import pytest

from core.errors import ModelError
from core.models.gguf_adapter import write_gguf_adapter

RANK, HIDDEN, HEADS, KEY_HEADS, HEAD = 3, 16, 4, 2, 4
LLAMA = {
    "model_type": "llama", "num_hidden_layers": 2, "hidden_size": HIDDEN,
    "num_attention_heads": HEADS, "num_key_value_heads": KEY_HEADS,
}  # fmt: skip
ROWS = {"self_attn.q_proj": HEADS * HEAD, "self_attn.k_proj": KEY_HEADS * HEAD, "mlp.up_proj": 24}
NAMES = {"self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k", "mlp.up_proj": "ffn_up"}


def make_adapter(folder, layers=tuple(ROWS), alpha=6):
    """A folder with a random adapter on two layers, and its tensors by name."""
    from safetensors.numpy import save_file

    random = np.random.default_rng(0)
    tensors = {}
    for number in range(2):
        for layer in layers:
            key = f"base_model.model.model.layers.{number}.{layer}.lora_"
            a, b = random.random((RANK, HIDDEN)), random.random((ROWS.get(layer, 8), RANK))
            tensors[f"{key}A.weight"] = a.astype(np.float32)
            tensors[f"{key}B.weight"] = b.astype(np.float32)
    folder.mkdir()
    save_file(tensors, folder / "adapter_model.safetensors")
    (folder / "adapter_config.json").write_text(json.dumps({"lora_alpha": alpha, "r": RANK}))
    return tensors


def read(path):
    """(fields, tensors) of a GGUF file."""
    from gguf import GGUFReader

    reader = GGUFReader(path)
    fields = {name: field.contents() for name, field in reader.fields.items()}
    return fields, {t.name: np.array(t.data) for t in reader.tensors}


@pytest.mark.parametrize("name", ["adapter", "适配器", "адаптер"])
def test_each_layer_has_llama_cpps_name_its_shape_and_the_scale(tmp_path, name):
    tensors = make_adapter(tmp_path / name)

    path = write_gguf_adapter(tmp_path / name, LLAMA, tmp_path / name / "out.gguf")

    fields, found = read(path)
    assert fields["general.architecture"] == "llama"
    assert (fields["general.type"], fields["adapter.type"]) == ("adapter", "lora")
    assert fields["adapter.lora.alpha"] == 6.0
    assert set(found) == {
        f"blk.{n}.{gguf}.weight.lora_{side}" for n in (0, 1) for gguf in NAMES.values() for side in "ab"
    }  # fmt: skip
    for layer, gguf in NAMES.items():
        a = found[f"blk.1.{gguf}.weight.lora_a"]
        assert np.array_equal(a, tensors[f"base_model.model.model.layers.1.{layer}.lora_A.weight"])
        assert found[f"blk.1.{gguf}.weight.lora_b"].shape == (ROWS[layer], RANK)


@pytest.mark.parametrize("layer", ["self_attn.q_proj", "self_attn.k_proj"])
def test_the_halves_of_each_llama_head_are_interleaved(tmp_path, layer):
    tensors = make_adapter(tmp_path / "a")

    path = write_gguf_adapter(tmp_path / "a", LLAMA, tmp_path / "out.gguf")

    before = tensors[f"base_model.model.model.layers.0.{layer}.lora_B.weight"]
    by_hand = [head * HEAD + at for head in range(ROWS[layer] // HEAD) for at in (0, 2, 1, 3)]
    after = read(path)[1][f"blk.0.{NAMES[layer]}.weight.lora_b"]
    assert np.array_equal(after, before[by_hand])


def test_other_layers_and_other_models_keep_the_order_of_rows(tmp_path):
    tensors = make_adapter(tmp_path / "a")
    key = "base_model.model.model.layers.0.{}.lora_B.weight"

    llama = read(write_gguf_adapter(tmp_path / "a", LLAMA, tmp_path / "l.gguf"))[1]
    gemma = read(
        write_gguf_adapter(
            tmp_path / "a", LLAMA | {"model_type": "gemma3_text"}, tmp_path / "g.gguf"
        )
    )[1]

    up = tensors[key.format("mlp.up_proj")]
    assert np.array_equal(llama["blk.0.ffn_up.weight.lora_b"], up)
    queries = tensors[key.format("self_attn.q_proj")]
    assert np.array_equal(gemma["blk.0.attn_q.weight.lora_b"], queries)


@pytest.mark.parametrize(
    ("layers", "kind", "said"),
    [
        (tuple(ROWS), "опт", "опт model cannot be written"),
        (("self_attn.注意",), "llama", "no name for the adapter's layer model.layers.0.self_attn.注意"),
    ],
)  # fmt: skip
def test_what_llama_cpp_does_not_know_is_refused_and_nothing_is_written(
    tmp_path, layers, kind, said
):
    make_adapter(tmp_path / "a", layers)
    (tmp_path / "out").mkdir()

    with pytest.raises(ModelError, match=said):
        write_gguf_adapter(
            tmp_path / "a", LLAMA | {"model_type": kind}, tmp_path / "out" / "adapter.gguf"
        )

    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.parametrize("share", [0.1, 0.5, 0.99])
def test_a_disk_that_fills_up_is_noticed_and_nothing_is_written(tmp_path, full_disk, share):
    make_adapter(tmp_path / "a")
    (tmp_path / "адаптер").mkdir()
    size = write_gguf_adapter(tmp_path / "a", LLAMA, tmp_path / "whole.gguf").stat().st_size

    said = r"No space left|File too large"
    with pytest.raises(OSError, match=said), full_disk(int(size * share)):
        write_gguf_adapter(tmp_path / "a", LLAMA, tmp_path / "адаптер" / "out.gguf")

    assert list((tmp_path / "адаптер").iterdir()) == []
