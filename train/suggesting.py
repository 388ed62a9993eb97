"""From samples to suggestions: the one way that every job, evaluation and command takes.

Choose how to ask, fetch the examples, ask (long texts in parts), check. The confidences are the
model's own: the store calibrates them whenever a suggestion is read (`storage.calibrations`).
"""

from __future__ import annotations

from collections.abc import Sequence

from core.ports import Backend, Decoding, Step, Suggested
from core.samples import Sample
from core.schema import Schema
from core.strategy import Strategy
from train.checking import check_suggested
from train.services import Services
from train.steps import ask_model


def suggest_events(
    services: Services,
    backend: Backend,
    collection_id: int,
    samples: Sequence[Sample],
    schema: Schema,
    *,
    strategy: Strategy | None = None,
    decoding: Decoding | None = None,
    on_step: Step | None = None,
) -> list[Suggested]:
    """One suggestion a sample, in order. Without `strategy`, the one that suits model and language."""
    suggested = ask_model(
        services, backend, collection_id, samples, schema, strategy=strategy, decoding=decoding,
        on_step=on_step,
    )  # fmt: skip
    return check_suggested(services, collection_id, samples, suggested, schema)
