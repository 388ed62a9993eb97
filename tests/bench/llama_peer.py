"""llama.cpp as the throughput bench asks it: one JSON line in, one out. Run by the python of its own
virtual environment with llama-cpp-python; needs nothing of Argus.

A line is {"model": file, "threads": n}, then {"asked": [{prompt, schema, seed}], "limit": n,
"temperature": t, "top_p": p}; the answer is {"seconds": [of each], "tokens": n, "replies": [...]}.
"""

from __future__ import annotations

import json
import sys
import time
from functools import lru_cache
from typing import Any

from llama_cpp import Llama, LlamaGrammar


@lru_cache(maxsize=64)
def grammar(schema: str) -> LlamaGrammar:
    """The grammar of a JSON schema; samples of one schema share it."""
    return LlamaGrammar.from_json_schema(schema, verbose=False)


def answer(llama: Llama, job: dict[str, Any]) -> dict[str, Any]:
    """The replies and what they took."""
    seconds, tokens, replies = [], 0, []
    for asked in job["asked"]:
        began = time.perf_counter()
        out = llama.create_completion(
            asked["prompt"], max_tokens=job["limit"], temperature=job["temperature"],
            top_p=job["top_p"], top_k=0, min_p=0.0, repeat_penalty=1.0, seed=asked["seed"],
            grammar=grammar(asked["schema"]),
        )  # fmt: skip
        seconds.append(time.perf_counter() - began)
        tokens += out["usage"]["completion_tokens"]
        replies.append(out["choices"][0]["text"])
    return {"seconds": seconds, "tokens": tokens, "replies": replies}


def main() -> None:
    """Load the model that the first line names, then answer line by line."""
    first = json.loads(sys.stdin.readline())
    llama = Llama(
        first["model"], n_ctx=4096, n_threads=first["threads"], n_threads_batch=first["threads"],
        verbose=False,
    )  # fmt: skip
    print(json.dumps({"ready": True}), flush=True)  # noqa: T201
    for line in sys.stdin:
        print(json.dumps(answer(llama, json.loads(line))), flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
