"""How many tokens a sample has when it is trained on, by the base's own tokenizer, without its model.

The app counts, and must load no torch: the tokenizer's file is read alone, and dropped again.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from core.samples import Sample
from core.schema import Schema
from train.examples import make_examples

# By tokenizer, schema and sample: what was counted once in this process is not counted again.
_COUNTED: dict[int, int] = {}
_MOST = 200_000
TOKENS_A_CHARACTER = {"zh": 1.4}  # by rule of thumb, where the tokenizer is not here
_OTHERS = 0.4
REPLY_TOKENS = 45


def count_tokens(samples: Sequence[Sample], schema: Schema, location: str) -> list[int] | None:
    """The tokens of each sample, prompt and reply with its end; None where the base in `location` has
    no tokenizer on this machine."""
    path = Path(location) / "tokenizer.json"
    if not path.is_file():
        return None
    place = f"{path}:{path.stat().st_mtime_ns}:{schema!r}"
    keys = [hash((place, repr(sample))) for sample in samples]
    new = [(k, s) for k, s in zip(keys, samples, strict=True) if k not in _COUNTED]
    if new:
        if len(_COUNTED) > _MOST:
            _COUNTED.clear()
            new = list(zip(keys, samples, strict=True))
        tokenizer = FileTokenizer(path)
        for key, sample in new:
            (example,), _ = make_examples([sample], schema, tokenizer, max_tokens=1 << 62)
            _COUNTED[key] = len(example)
    return [_COUNTED[key] for key in keys]


def guess_tokens(samples: Sequence[Sample]) -> list[int]:
    """The tokens of each sample by its characters, where there is nothing to count with."""
    return [
        round(len(s.text or "") * TOKENS_A_CHARACTER.get(s.language, _OTHERS)) + REPLY_TOKENS
        for s in samples
    ]


class FileTokenizer:
    """A `tokenizer.json`, called as transformers' tokenizers are."""

    def __init__(self, path: Path) -> None:
        from tokenizers import Tokenizer

        self._inner = Tokenizer.from_file(str(path))
        self.eos_token_id = 0  # that there is one counts, not which

    def __call__(self, text: str, *, add_special_tokens: bool = True) -> dict[str, Any]:
        """The token ids of a text."""
        return {"input_ids": self._inner.encode(text, add_special_tokens=add_special_tokens).ids}
