"""Preference pairs: what a model said beside what a person made of it, for DPO and its kin.

Each line is TRL's preference format with an explicit prompt, {"prompt", "chosen", "rejected"}, and
what is needed to look the pair up: sample, language, model and the kinds of the differences.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from core.parsing import write_reply
from core.ports import StorePort
from core.prompts import TUNED, fill_prompt
from core.records import ReviewRecord, SampleFilter, SampleRecord
from core.schema import Schema, without_retired
from core.workflow import collection_name, iterate


def preference_lines(store: StorePort, *, collection: str) -> Iterator[str]:
    """A line for each training sample whose suggestion a person corrected, in order of arrival.

    The newest review that began from a suggestion counts. Suggestions accepted as they were say
    nothing about what is worse, and samples of dev and test are not for training: both are left out.
    """
    found = store.collections.get(collection_name(collection))
    schema = store.collections.schema(found.id)
    wanted = SampleFilter(states=["reviewed"], splits=["train"])
    for record in iterate(store.samples, found.id, wanted):
        reviews = store.samples.reviews(record.key) if record.sample.text else ()
        review = next((r for r in reviews if r.suggestion_id is not None), None)
        pair = None if review is None else _pair(store, record, review, schema)
        if pair is not None:
            prompt = fill_prompt(TUNED, schema, record.sample)
            line = {"prompt": prompt.prefix + prompt.rest, **pair}
            yield json.dumps(line, ensure_ascii=False) + "\n"


def _pair(
    store: StorePort, record: SampleRecord, review: ReviewRecord, schema: Schema
) -> dict[str, Any] | None:
    """Chosen and rejected reply of a sample, or None where they are the same."""
    suggestion = store.samples.suggestion(record.key, suggestion_id=review.suggestion_id)
    if suggestion is None:
        return None
    text = record.sample.text or ""
    chosen = write_reply(without_retired(schema, review.events), text)
    rejected = write_reply(suggestion.events, text)
    if chosen == rejected:
        return None
    return {
        "chosen": chosen, "rejected": rejected, "sample": record.sample.id,
        "language": record.sample.language, "model": suggestion.model_id,
        "differences": sorted({str(d.get("kind")) for d in review.difference}),
    }  # fmt: skip
