"""Training examples: the prompt of a suggestion, the reply it should get, and where the loss lies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from core.parsing import write_reply
from core.prompts import TUNED, fill_prompt
from core.samples import Sample
from core.schema import Schema, without_retired


@dataclass(frozen=True, slots=True)
class Example:
    """Token ids of a prompt and of its reply, the end token included. Only the reply bears loss."""

    sample_id: str
    language: str
    prompt: tuple[int, ...]
    reply: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.prompt) + len(self.reply)


def write_example(
    sample: Sample, schema: Schema, *, prompt_version: str = TUNED
) -> tuple[str, str, str]:
    """The two parts of the prompt and the reply, as text; each is cut into tokens by itself."""
    prompt = fill_prompt(prompt_version, schema, sample)
    reply = write_reply(without_retired(schema, sample.events or ()), sample.text or "")
    return prompt.prefix, prompt.rest, reply


def make_examples(
    samples: Sequence[Sample],
    schema: Schema,
    tokenizer: Any,
    *,
    max_tokens: int,
    prompt_version: str = TUNED,
) -> tuple[list[Example], list[str]]:
    """(examples, ids of samples that are longer than `max_tokens` and were left out)."""
    examples, left_out = [], []
    for sample in samples:
        prefix, rest, reply = write_example(sample, schema, prompt_version=prompt_version)
        ids = tokenizer(prefix)["input_ids"]
        ids = ids + tokenizer(rest, add_special_tokens=False)["input_ids"]
        target = tokenizer(reply, add_special_tokens=False)["input_ids"]
        example = Example(sample.id, sample.language, tuple(ids), (*target, tokenizer.eos_token_id))
        if len(example) > max_tokens:
            left_out.append(sample.id)
        else:
            examples.append(example)
    return examples, left_out


def collate(examples: Sequence[Example], *, pad: int) -> dict[str, Any]:
    """A batch, padded on the right; labels are -100 except on the reply and its end token.

    prompt (5, 6), reply (7, 1) and prompt (5,), reply (1,) with pad 0 become

        input_ids       [[5, 6, 7, 1], [5, 1, 0, 0]]
        labels          [[-100, -100, 7, 1], [-100, 1, -100, -100]]
        attention_mask  [[1, 1, 1, 1], [1, 1, 0, 0]]
    """
    import torch

    width = max(len(e) for e in examples)
    ids = torch.full((len(examples), width), pad)
    labels = torch.full((len(examples), width), -100)
    mask = torch.zeros((len(examples), width), dtype=torch.long)
    for i, e in enumerate(examples):
        ids[i, : len(e)] = torch.tensor(e.prompt + e.reply)
        labels[i, len(e.prompt) : len(e)] = torch.tensor(e.reply)
        mask[i, : len(e)] = 1
    return {"input_ids": ids, "labels": labels, "attention_mask": mask}
