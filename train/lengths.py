"""How many tokens a sample has when it is trained on, by the base's own tokenizer, without its model.

The app counts. It must load no torch and stay small, and a vocabulary takes hundreds of megabytes that
are never given back, so a short process does it: python -m train.lengths TOKENIZER, with the texts on
its standard input.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from core.errors import TrainingError
from core.samples import Sample
from core.schema import Schema
from storage.home import CHECKOUT
from train.examples import write_example

# By tokenizer, schema and sample: what was counted once in this process is not counted again.
_COUNTED: dict[int, int] = {}
_MOST = 200_000
TOKENS_A_CHARACTER = {"zh": 1.4}  # by rule of thumb, where the tokenizer is not here
_OTHERS = 0.4
REPLY_TOKENS = 45
PATIENCE = 300  # seconds


def count_tokens(samples: Sequence[Sample], schema: Schema, location: str) -> list[int] | None:
    """The tokens of each sample, prompt and reply with its end; None where the base in `location` has
    no tokenizer on this machine. Raises `TrainingError` where it has one that cannot be read."""
    path = Path(location) / "tokenizer.json"
    if not path.is_file():
        return None
    place = f"{path}:{path.stat().st_mtime_ns}:{schema!r}"
    keys = [hash((place, repr(sample))) for sample in samples]
    new = {k: s for k, s in zip(keys, samples, strict=True) if k not in _COUNTED}
    if new:
        if len(_COUNTED) > _MOST:
            _COUNTED.clear()
            new = dict(zip(keys, samples, strict=True))
        found = _count_apart([write_example(s, schema) for s in new.values()], path)
        _COUNTED.update(zip(new, found, strict=True))
    return [_COUNTED[key] for key in keys]


def guess_tokens(samples: Sequence[Sample]) -> list[int]:
    """The tokens of each sample by its characters, where there is nothing to count with."""
    return [
        round(len(s.text or "") * TOKENS_A_CHARACTER.get(s.language, _OTHERS)) + REPLY_TOKENS
        for s in samples
    ]


# ---------------------------------------------------------------- private


def _count_apart(texts: Sequence[tuple[str, str, str]], path: Path) -> list[int]:
    child = subprocess.run(
        [sys.executable, "-m", "train.lengths", str(path.resolve())], input=json.dumps(texts), text=True,
        capture_output=True, cwd=CHECKOUT, timeout=PATIENCE, check=False,
    )  # fmt: skip
    if child.returncode:
        last = (child.stderr.strip().splitlines() or [f"it ended with code {child.returncode}"])[-1]
        raise TrainingError(
            f"the tokens of the samples cannot be counted with {path} ({last}): put the base's own "
            "tokenizer.json there"
        )
    found: list[int] = json.loads(child.stdout)
    return found


def main() -> int:
    """Prints the lengths of the examples whose texts come in: two parts of a prompt, and a reply."""
    from tokenizers import Tokenizer

    inner = Tokenizer.from_file(sys.argv[1])
    counts = []
    for prefix, rest, reply in json.load(sys.stdin):
        pieces = [
            inner.encode(prefix),
            *(inner.encode(t, add_special_tokens=False) for t in (rest, reply)),
        ]
        counts.append(sum(len(piece.ids) for piece in pieces) + 1)  # the end token
    sys.stdout.write(json.dumps(counts))
    return 0


if __name__ == "__main__":
    sys.exit(main())
