"""An adapter as GGUF, so that llama.cpp loads it beside the base it was trained on."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path
from typing import Any

import numpy as np

from core.errors import ModelError

# Model types of transformers by the architecture's name in GGUF.
ARCHITECTURES = {
    "gemma2": "gemma2", "gemma3": "gemma3", "gemma3_text": "gemma3", "qwen2": "qwen2",
    "qwen3": "qwen3", "llama": "llama", "mistral": "llama",
}  # fmt: skip
_BEFORE, _MIDDLE = "base_model.model.", ".lora_"


def write_gguf_adapter(adapter: Path, config: dict[str, Any], target: Path) -> Path:
    """Write the peft adapter in the folder `adapter` as the file `target`; returns it.

    `config` is the base model's config.json. The scale is alpha / rank, as peft has it. Raises
    `ModelError` for a base or a layer that llama.cpp has no name for, and `OSError` where the disk is
    full; nothing is written then.
    """
    import gguf
    from safetensors.numpy import load_file

    kind = str(config.get("model_type"))
    if kind not in ARCHITECTURES:
        raise ModelError(
            f"an adapter on a {kind} model cannot be written for llama.cpp (known are: "
            f"{', '.join(ARCHITECTURES)}): export it as a peft folder, or merged"
        )
    settings = json.loads((adapter / "adapter_config.json").read_text(encoding="utf-8"))
    tensors = load_file(adapter / "adapter_model.safetensors")
    name = ARCHITECTURES[kind]
    architecture = next(k for k, v in gguf.MODEL_ARCH_NAMES.items() if v == name)
    names = gguf.get_tensor_name_map(architecture, int(config["num_hidden_layers"]))
    named = []
    for key, value in sorted(tensors.items()):
        layer, _, side = key.removeprefix(_BEFORE).partition(_MIDDLE)
        known = names.get_name(layer)
        if known is None or not side:
            raise ModelError(f"llama.cpp has no name for the adapter's layer {layer}")
        side = side[0].lower()
        if name == "llama" and side == "b":
            value = _as_llama_has_it(value, layer, config)
        named.append((f"{known}.weight.lora_{side}", value.astype(np.float32)))
    work = target.with_name(target.name + ".unfinished")
    try:
        writer = gguf.GGUFWriter(work, name)
        writer.add_type("adapter")
        writer.add_string("adapter.type", "lora")
        writer.add_float32("adapter.lora.alpha", float(settings["lora_alpha"]))
        for tensor, value in named:
            writer.add_tensor(tensor, np.ascontiguousarray(value))
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()
        _check_written(work, dict(named))
        work.rename(target)
    finally:
        work.unlink(missing_ok=True)
    return target


def _check_written(path: Path, named: dict[str, np.ndarray[Any, Any]]) -> None:
    """Raise `OSError` unless the file has the tensors: numpy's `tofile`, with which they are written,
    says nothing of a disk that has become full."""
    import gguf

    try:
        found = {t.name: t.data for t in gguf.GGUFReader(path).tensors}
        is_whole = all(np.array_equal(found[name], value) for name, value in named.items())
    except (ValueError, IndexError, KeyError):  # the file ends too early
        is_whole = False
    if not is_whole:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), path.name)


def _as_llama_has_it(
    rows: np.ndarray[Any, Any], layer: str, config: dict[str, Any]
) -> np.ndarray[Any, Any]:
    """Queries and keys of Llama: llama.cpp pairs the two halves of each head's rows."""
    heads = int(config["num_attention_heads"])
    if layer.endswith("k_proj"):
        heads = int(config.get("num_key_value_heads") or heads)
    elif not layer.endswith("q_proj"):
        return rows
    size = rows.shape[0] // heads // 2
    return rows.reshape(heads, 2, size, rows.shape[1]).swapaxes(1, 2).reshape(rows.shape)
