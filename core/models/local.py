"""A causal language model of transformers on this machine, alone or with an adapter."""

from __future__ import annotations

import json
import logging
import time
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from core.errors import ModelError, SetupError
from core.grammar import close_reply, reply_grammar
from core.models.decoding import Decoder, Row
from core.parsing import TokenProbability, read_reply
from core.ports import Decoding, Prompting, Step, Suggested
from core.problems import Problem
from core.prompts import ZERO_SHOT, Prompt, fill_prompt
from core.samples import Sample
from core.schema import Schema

BATCH = 16


def check_folder(folder: Path) -> None:
    """Raise `ModelError` unless the folder holds a causal language model with safetensors weights."""
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
    if not any("CausalLM" in kind for kind in kinds):
        raise ModelError(
            f"{folder} is not a causal language model (architectures: {', '.join(kinds) or 'none'})"
        )


def load_model(location: str, *, adapter: Path | None = None) -> tuple[Any, Any]:
    """(model, tokenizer) in bf16, the adapter merged in. `location`: a folder or a hub's id."""
    try:
        import torch
        from transformers import AutoModelForCausalLM, AutoTokenizer
        from transformers.utils import logging as quiet

        quiet.disable_progress_bar()  # type: ignore[no-untyped-call]
    except ImportError as problem:
        raise SetupError(
            f"a package for models is missing ({problem}): run `make setup`"
        ) from problem
    if Path(location).is_absolute():
        check_folder(Path(location))
    try:
        tokenizer = AutoTokenizer.from_pretrained(location)
        model = AutoModelForCausalLM.from_pretrained(
            location, dtype=torch.bfloat16, use_safetensors=True
        )
    except (OSError, ValueError, RuntimeError) as problem:
        raise ModelError(f"the model {location} could not be loaded: {problem}") from problem
    if adapter is not None:
        logging.getLogger("bitsandbytes").setLevel(
            logging.ERROR
        )  # a fallback that works, told loudly
        from peft import PeftModel

        try:
            model = PeftModel.from_pretrained(model, str(adapter)).merge_and_unload()
        except (OSError, ValueError, RuntimeError, KeyError) as problem:
            raise ModelError(
                f"the adapter {adapter} does not fit {location}: {problem}"
            ) from problem
    model.train(False)
    return model, tokenizer


class LocalBackend:
    """Suggests with a loaded model; replies are bound by the grammar of schema and sample."""

    def __init__(
        self,
        model_id: str,
        model: Any,
        tokenizer: Any,
        *,
        prompt_version: str = ZERO_SHOT,
        decoding: Decoding | None = None,
        is_tuned: bool = False,
    ) -> None:
        self.model_id = model_id
        self.prompting = Prompting(prompt_version)
        self.decoding = decoding or Decoding()
        self._is_tuned = is_tuned
        self._tokenizer = tokenizer
        self._decoder: Decoder | None = Decoder(model, tokenizer)
        self._context = getattr(model.config, "max_position_embeddings", 2048)

    def suggest(
        self,
        samples: Sequence[Sample],
        schema: Schema,
        *,
        decoding: Decoding | None = None,
        prompting: Prompting | None = None,
        on_step: Step | None = None,
    ) -> list[Suggested]:
        """One suggestion a sample, in order; longer samples go together, so that little is padded."""
        decoding, prompting = decoding or self.decoding, prompting or self.prompting
        order = sorted(range(len(samples)), key=lambda i: len(samples[i].text or ""))
        found: dict[int, Suggested] = {}
        for at in range(0, len(order), BATCH):
            part = order[at : at + BATCH]
            began = time.monotonic()
            rows = self._decode(
                [samples[i] for i in part], schema, decoding, prompting, on_step, at / len(order)
            )
            seconds = (time.monotonic() - began) / len(part)
            for i, row in zip(part, rows, strict=True):
                found[i] = self._read(row, samples[i], schema, prompting, seconds)
        return [found[i] for i in range(len(samples))]

    def fits(self, sample: Sample, schema: Schema, *, prompting: Prompting | None = None) -> bool:
        """Whether the model reads the sample, prompt and reply included, in one piece."""
        prompt = _fill(prompting or self.prompting, schema, sample)
        count = len(self._tokenizer(prompt.prefix + prompt.rest)["input_ids"])
        return count + self.decoding.max_new_tokens <= self._context

    def close(self) -> None:
        """Give the memory back."""
        self._decoder = None

    def _decode(
        self,
        samples: Sequence[Sample],
        schema: Schema,
        decoding: Decoding,
        prompting: Prompting,
        on_step: Step | None,
        done: float,
    ) -> list[Row]:
        if self._decoder is None:
            raise ModelError(f"the model {self.model_id} was closed: ask for it again")
        prompts = [_fill(prompting, schema, s) for s in samples]
        # One tokenisation of the whole, cut where the prefix ends: a token never spans the two,
        # because the prefix ends with a line break.
        prefix = self._tokenizer(prompts[0].prefix)["input_ids"]
        rows = []
        for sample, prompt in zip(samples, prompts, strict=True):
            ids = self._tokenizer(prompt.rest, add_special_tokens=False)["input_ids"]
            if len(prefix) + len(ids) + decoding.max_new_tokens > self._context:
                raise ModelError(
                    f"the sample {sample.id!r} is too long for {self.model_id}: {len(ids)} tokens, "
                    f"and the model reads {self._context}, prompt and reply included"
                )
            grammar = reply_grammar(
                schema, sample.text or "", is_tuned=self._is_tuned,
                examples=prompting.examples.get(sample.id, ()),
            )  # fmt: skip
            seed = zlib.crc32(f"{decoding.seed}:{sample.id}".encode("utf-8", "surrogatepass"))
            rows.append(Row(ids, grammar, seed))
        self._decoder.decode(
            prefix, rows, decoding, on_step=(lambda: on_step(done)) if on_step else None
        )
        return rows

    def _read(
        self, row: Row, sample: Sample, schema: Schema, prompting: Prompting, seconds: float
    ) -> Suggested:
        reply, probabilities = self._text(row)
        problems = []
        if row.is_cut:
            reply = close_reply(reply)
            problems.append(Problem("cut_reply"))
        read = read_reply(reply, sample.text or "", schema, probabilities=probabilities)
        return Suggested(
            events=read.events, raw_reply=reply, prompt_version=prompting.version,
            problems=(*problems, *read.problems), seconds=seconds,
        )  # fmt: skip

    def _text(self, row: Row) -> tuple[str, list[TokenProbability]]:
        """The reply, and which of its characters each token wrote (a character may take several)."""
        reply, pieces, start = "", [], 0
        for count in range(1, len(row.tokens) + 1):
            reply = self._tokenizer.decode(row.tokens[:count], skip_special_tokens=True)
            end = len(reply.rstrip("\ufffd"))
            whole, head = row.probabilities[count - 1], row.heads[count - 1]
            cut = reply.find('"', start, end) + 1
            if cut:
                pieces.append(TokenProbability(start, cut, head))
                if cut < end:
                    pieces.append(TokenProbability(cut, end, min(1.0, whole / head)))
            else:
                pieces.append(TokenProbability(start, max(end, start + 1), whole))
            start = max(start, end)
        return reply, pieces


def _fill(prompting: Prompting, schema: Schema, sample: Sample) -> Prompt:
    examples = prompting.examples.get(sample.id, ())
    return fill_prompt(prompting.version, schema, sample, examples=examples)
