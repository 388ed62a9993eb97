"""From samples to suggestions: the one way that every job, evaluation and command takes.

Choose how to ask, fetch the examples, ask (long texts in parts), calibrate the confidences, check.
"""

from __future__ import annotations

from collections.abc import Sequence

from core.ports import Backend, Decoding, Prompting, Step, Suggested
from core.samples import Sample
from core.schema import Schema
from core.strategy import Strategy
from train.services import Services


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
    strategy = strategy or Strategy(backend.prompting.version)
    prompting = Prompting(strategy.version)
    return backend.suggest(samples, schema, decoding=decoding, prompting=prompting, on_step=on_step)
