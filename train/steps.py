"""Asking a model: each sample in the way that suits its language, in one step or two."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from core.long_text import suggest_whole
from core.ports import (
    Backend,
    Decoding,
    Prompting,
    Shown,
    Step,
    Suggested,
    look_at_nothing,
    share_step,
)
from core.prompts import prefix_of
from core.samples import Sample
from core.schema import Schema
from core.strategy import Strategy, needs_another_look
from train.retrieval import pick_examples
from train.services import Services
from train.strategies import choose_strategies


def ask_model(
    services: Services,
    backend: Backend,
    collection_id: int,
    samples: Sequence[Sample],
    schema: Schema,
    *,
    strategy: Strategy | None = None,
    decoding: Decoding | None = None,
    on_step: Step | None = None,
    look: Callable[[str], Sequence[Shown]] = look_at_nothing,
) -> list[Suggested]:
    """One suggestion a sample, in order. Samples whose prompts begin alike are asked about together."""
    languages = {s.language for s in samples}
    ways = {code: strategy for code in languages if strategy is not None} or choose_strategies(
        services, collection_id, services.store.models.get(backend.model_id), languages
    )
    groups: dict[tuple[Strategy, str], list[int]] = {}
    for i, sample in enumerate(samples):
        way = ways[sample.language]
        groups.setdefault((way, prefix_of(way.version, schema, sample.language)), []).append(i)
    found: dict[int, Suggested] = {}
    for (way, _), numbers in groups.items():
        part = [samples[i] for i in numbers]
        said = _ask(
            services, backend, collection_id, part, schema, way, decoding=decoding, look=look,
            on_step=share_step(on_step, len(found), len(part), len(samples)),
        )  # fmt: skip
        found |= dict(zip(numbers, said, strict=True))
    return [found[i] for i in range(len(samples))]


# ---------------------------------------------------------------- private


def _ask(
    services: Services,
    backend: Backend,
    collection_id: int,
    samples: Sequence[Sample],
    schema: Schema,
    way: Strategy,
    *,
    decoding: Decoding | None,
    look: Callable[[str], Sequence[Shown]],
    on_step: Step | None,
) -> list[Suggested]:
    if way.is_free:
        decoding = replace(decoding or backend.decoding, is_free=True)

    def ask(part: Sequence[Sample], examples: int, step: Step | None) -> list[Suggested]:
        shown = pick_examples(services, collection_id, part, examples)
        prompting = Prompting(way.version, shown, look)
        return suggest_whole(
            backend, part, schema, decoding=decoding, prompting=prompting, on_step=step
        )

    if not way.in_steps:
        return ask(samples, way.examples, on_step)
    said = ask(samples, 0, share_step(on_step, 0, 1, 2))
    again = [i for i, one in enumerate(said) if needs_another_look(one, schema)]
    if not again:
        return said
    better = ask([samples[i] for i in again], way.examples, share_step(on_step, 1, 1, 2))
    for i, one in zip(again, better, strict=True):
        said[i] = replace(one, seconds=said[i].seconds + one.seconds, steps=2)
    return said
