"""A causal language model of transformers on this machine, alone or with an adapter.

Several models on one base share its weights in memory: which adapter is on is settled at each question.
"""

from __future__ import annotations

import codecs
import copy
import json
import time
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from core.errors import ModelError, SetupError, shown
from core.free_reply import read_free_reply
from core.grammar import close_reply, reply_grammar, reply_strings
from core.models.adapters import Carrier
from core.models.decoding import KEPT_BYTES, ROWS, Decoder, Row
from core.models.guides import Hints
from core.parsing import TokenProbability, read_reply
from core.ports import Decoding, Prompting, Reads, Step, Suggested, share_step
from core.problems import Problem
from core.prompts import ZERO_SHOT, Prompt, fill_prompt
from core.samples import Sample
from core.schema import Schema

Task = Literal["text", "vision", "speech"]


def check_folder(folder: Path) -> Task:
    """What the model in a folder is for: it writes text, reads pictures too, or writes down speech.

    Raises `ModelError` unless it is one of these, with safetensors weights.
    """
    if not folder.is_dir():
        raise ModelError(f"{folder} is not a folder: give the folder that holds config.json")
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except FileNotFoundError as problem:
        raise ModelError(
            f"{folder} has no config.json: give the folder that save_pretrained wrote"
        ) from problem
    except (ValueError, OSError) as problem:
        raise ModelError(f"{folder / 'config.json'} cannot be read ({problem})") from problem
    if not any(folder.glob("*.safetensors")):
        raise ModelError(
            f"{folder} has no weights (*.safetensors): download them, or convert others with "
            "save_pretrained(safe_serialization=True); pickled weights are not loaded"
        )
    kinds = config.get("architectures") or []
    if any(kind.startswith("Whisper") for kind in kinds):
        return "speech"
    if "vision_config" in config and any("ConditionalGeneration" in kind for kind in kinds):
        return "vision"
    if not any("CausalLM" in kind for kind in kinds):
        raise ModelError(
            f"{folder} is neither a causal language model, nor one that reads pictures, nor a Whisper "
            f"(architectures: {', '.join(kinds) or 'none'})"
        )
    return "text"


def loading_options(location: str, quantisation: str = "none") -> dict[str, Any]:
    """How weights of transformers are loaded, once it is sure that they can be: the packages are here,
    and a folder holds a model. Raises `SetupError` or `ModelError`."""
    try:
        import torch
        from transformers import BitsAndBytesConfig
        from transformers.utils import logging as quiet

        quiet.disable_progress_bar()  # type: ignore[no-untyped-call]
    except ImportError as problem:
        raise SetupError(
            f"a package for models is missing ({problem}): run `make setup`"
        ) from problem
    if Path(location).is_absolute():
        check_folder(Path(location))
    options: dict[str, Any] = {"dtype": torch.bfloat16, "use_safetensors": True}
    if quantisation == "nf4":
        options["quantization_config"] = BitsAndBytesConfig(  # type: ignore[no-untyped-call]
            load_in_4bit=True,
            bnb_4bit_quant_type="nf4",
            bnb_4bit_use_double_quant=True,
            bnb_4bit_compute_dtype=torch.bfloat16,
        )
    return options


def load_model(
    location: str, *, adapter: Path | None = None, quantisation: str = "none"
) -> tuple[Any, Any]:
    """(model, tokenizer). `location`: a folder or a hub's id; `quantisation`: "none" is bf16, "nf4"
    takes a quarter of the memory and is slower on a CPU."""
    options = loading_options(location, quantisation)
    from transformers import AutoModelForCausalLM, AutoTokenizer

    try:
        tokenizer = AutoTokenizer.from_pretrained(location)
        model = AutoModelForCausalLM.from_pretrained(location, **options)
    except (OSError, ValueError, RuntimeError) as problem:
        raise ModelError(f"the model {location} could not be loaded: {problem}") from problem
    model.train(False)
    Carrier(model).carry(adapter)
    return model, tokenizer


def read_written(
    reply: str,
    probabilities: Sequence[TokenProbability],
    sample: Sample,
    schema: Schema,
    *,
    is_free: bool,
    is_cut: bool,
    prompt_version: str,
    seconds: float,
) -> Suggested:
    """The suggestion that a model wrote. `is_free`: no grammar bound it; `is_cut`: the token limit
    ended it, so that what is open is closed."""
    text = sample.text or ""
    if is_free:
        reply = reply.replace("\x00", "\ufffd")  # which no database keeps
        read = read_free_reply(reply, text, schema, probabilities=probabilities)
    else:
        reply = close_reply(reply) if is_cut else reply
        read = read_reply(reply, text, schema, probabilities=probabilities)
    cut = (Problem("cut_reply"),) if is_cut else ()
    return Suggested(read.events, reply, prompt_version, (*cut, *read.problems), seconds)


class LocalBackend:
    """Suggests with a loaded model; replies are bound by the grammar of schema and sample, or free."""

    reads: tuple[Reads, ...] = ("text",)

    def __init__(
        self,
        model_id: str,
        model: Any,
        tokenizer: Any,
        *,
        adapter: Path | None = None,
        prompt_version: str = ZERO_SHOT,
        decoding: Decoding | None = None,
        is_tuned: bool = False,
    ) -> None:
        self._tokenizer = tokenizer
        self._decoder: Decoder | None = Decoder(model, tokenizer)
        self._carrier: Carrier | None = Carrier(model)
        self._context = getattr(model.config, "max_position_embeddings", 2048)
        self._become(model_id, adapter, prompt_version, decoding, is_tuned)

    def stands_on(self, location: str, quantisation: str) -> bool:
        """Whether the base in memory is the one that `load_model` would load."""
        if self._carrier is None:
            return False
        model = self._carrier.model
        is_quantised = bool(getattr(model, "is_quantized", False))
        return model.name_or_path == location and is_quantised == (quantisation == "nf4")

    def beside(
        self,
        model_id: str,
        *,
        adapter: Path | None = None,
        prompt_version: str = ZERO_SHOT,
        decoding: Decoding | None = None,
        is_tuned: bool = False,
    ) -> LocalBackend:
        """Another model on the same base in memory."""
        other = copy.copy(self)
        other._become(model_id, adapter, prompt_version, decoding, is_tuned)
        return other

    def suggest(
        self,
        samples: Sequence[Sample],
        schema: Schema,
        *,
        decoding: Decoding | None = None,
        prompting: Prompting | None = None,
        on_step: Step | None = None,
    ) -> list[Suggested]:
        """One suggestion a sample, in order. Samples whose prompts begin alike go together."""
        decoding, prompting = decoding or self.decoding, prompting or self.prompting
        decoder = self._ready()
        alike: dict[str, list[int]] = {}
        prompts = [_fill(prompting, schema, sample) for sample in samples]
        for i, prompt in enumerate(prompts):
            alike.setdefault(prompt.prefix, []).append(i)
        asked = []  # (prefix, {number of a sample: its row}); all first, so that one that is too
        for text, members in alike.items():  # long is told before any work is done
            prefix = self._tokenizer(text)["input_ids"]
            rows = {
                i: self._row(prefix, prompts[i], samples[i], schema, decoding, prompting)
                for i in members
            }
            asked.append((prefix, rows))
        found: dict[int, Suggested] = {}
        for prefix, rows in asked:
            step = share_step(on_step, len(found), len(rows), len(samples))
            began = time.monotonic()
            decoder.decode(prefix, list(rows.values()), decoding, on_step=step)
            seconds = (time.monotonic() - began) / len(rows)
            for i, row in rows.items():
                found[i] = self._read(row, samples[i], schema, prompting, seconds)
        return [found[i] for i in range(len(samples))]

    def fits(self, sample: Sample, schema: Schema, *, prompting: Prompting | None = None) -> bool:
        """Whether the model reads the sample, prompt and reply included, in one piece."""
        prompt = _fill(prompting or self.prompting, schema, sample)
        count = len(self._tokenizer(prompt.prefix + prompt.rest)["input_ids"])
        return count + self.decoding.max_new_tokens <= self._context

    def close(self) -> None:
        """Give the memory back, as far as no model beside this one needs it."""
        self._decoder = self._carrier = None

    def describe(self) -> dict[str, Any]:
        """How the model is decoded here: at most so many replies at once, their keys and values in
        so many bytes, on so many threads."""
        import torch

        return {"rows": ROWS, "kept_bytes": KEPT_BYTES, "threads": torch.get_num_threads()}

    def _become(
        self,
        model_id: str,
        adapter: Path | None,
        prompt_version: str,
        decoding: Decoding | None,
        is_tuned: bool,
    ) -> None:
        self.model_id = model_id
        self.prompting = Prompting(prompt_version)
        self.decoding = decoding or Decoding()
        self._adapter, self._is_tuned = adapter, is_tuned

    def _ready(self) -> Decoder:
        """The decoder, with this model's adapter on the base."""
        if self._decoder is None or self._carrier is None:
            raise ModelError(f"the model {self.model_id} was closed: ask for it again")
        if self._carrier.carry(self._adapter):
            self._decoder.forget()
        return self._decoder

    def _row(
        self,
        prefix: Sequence[int],
        prompt: Prompt,
        sample: Sample,
        schema: Schema,
        decoding: Decoding,
        prompting: Prompting,
    ) -> Row:
        # One tokenisation of the whole, cut where the prefix ends: a token never spans the two,
        # because the prefix ends with a line break.
        ids = self._tokenizer(prompt.rest, add_special_tokens=False)["input_ids"]
        if len(prefix) + len(ids) + decoding.max_new_tokens > self._context:
            raise ModelError(
                f"the sample {shown(sample.id)} is too long for {self.model_id}: {len(ids)} tokens, "
                f"and the model reads {self._context}, prompt and reply included"
            )
        text = sample.text or ""
        seed = zlib.crc32(f"{decoding.seed}:{sample.id}".encode("utf-8", "surrogatepass"))
        if decoding.is_free:
            return Row(ids, None, seed)
        examples = prompting.examples.get(sample.id, ())
        grammar = reply_grammar(schema, text, is_tuned=self._is_tuned, examples=examples)
        return Row(ids, grammar, seed, Hints(*reply_strings(schema, text)))

    def _read(
        self, row: Row, sample: Sample, schema: Schema, prompting: Prompting, seconds: float
    ) -> Suggested:
        reply, probabilities = self._text(row)
        return read_written(
            reply, probabilities, sample, schema, is_free=row.grammar is None, is_cut=row.is_cut,
            prompt_version=prompting.version, seconds=seconds,
        )  # fmt: skip

    def _text(self, row: Row) -> tuple[str, list[TokenProbability]]:
        """The reply, and which of its characters each token wrote (a character may take several)."""
        read = codecs.getincrementaldecoder("utf-8")("replace")
        parts = [read.decode(raw) for raw in self._ready().spell(row.tokens)]
        reply = "".join(parts) + read.decode(b"", final=True)
        pieces, start = [], 0
        for part, whole, head in zip(parts, row.probabilities, row.heads, strict=True):
            end = start + len(part)
            cut = reply.find('"', start, end) + 1
            if cut:
                pieces.append(TokenProbability(start, cut, head))
                if cut < end:
                    pieces.append(TokenProbability(cut, end, min(1.0, whole / head)))
            else:
                pieces.append(TokenProbability(start, max(end, start + 1), whole))
            start = end
        return reply, pieces


def _fill(prompting: Prompting, schema: Schema, sample: Sample) -> Prompt:
    examples = prompting.examples.get(sample.id, ())
    return fill_prompt(prompting.version, schema, sample, examples=examples)
