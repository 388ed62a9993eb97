"""Running a prompt comparison: ways of asking one model, each scored on the same samples of dev."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from core.errors import InputError
from core.metrics import score
from core.ports import Backend, Step, Suggested, share_step
from core.problems import count_problems
from core.records import ModelRecord
from core.samples import Sample
from core.strategy import Strategy, strategy_to_dict
from train.comparison import PER_LANGUAGE, StrategyScore, compared, strategies_to_compare
from train.evaluate import digest_of, gold_of
from train.retrieval import read_candidates
from train.services import Services, open_backend
from train.snapshot import limit_per_language
from train.suggesting import suggest_events

AT_ONCE = 16  # samples between two looks at what is done
Partial = dict[Strategy, dict[str, Suggested]]


def compare_strategies(
    services: Services,
    collection_id: int,
    model: ModelRecord,
    strategies: Sequence[Strategy],
    *,
    backend: Backend,
    name: str,
    per_language: int | None = PER_LANGUAGE,
    partial: Partial | None = None,
    on_step: Step | None = None,
) -> list[StrategyScore]:
    """Score each way of asking and keep its scores under the comparison's `name`.

    What is kept under that name already is not done again. `partial` holds what is answered of the
    others, for whoever calls again after an interruption. Raises `InputError` where dev is empty.
    """
    gold = limit_per_language(gold_of(services, collection_id, "dev"), per_language, seed=0)
    if not gold:
        raise InputError(
            "the dev split has no reviewed sample with a text: review some, so that prompts can be "
            "compared on them"
        )
    digest, partial = digest_of(gold), {} if partial is None else partial
    known = {s.strategy: s for s in compared(services, collection_id, model.id, name=name)}
    if any(s.examples for s in strategies):
        read_candidates(services, collection_id, on_step=share_step(on_step, 0, 0, 1))
    for number, strategy in enumerate(strategies):
        if strategy in known and known[strategy].evaluation.test_hash == digest:
            continue
        said = partial.setdefault(strategy, {})
        _answer(
            services, backend, collection_id, gold, strategy, said,
            on_step=share_step(on_step, number, 1, len(strategies)),
        )  # fmt: skip
        answers = [said[s.id] for s in gold]
        _keep(services, collection_id, model, gold, answers, strategy, name=name, digest=digest)
        del partial[strategy]
    return compared(services, collection_id, model.id, name=name)


def compare_here(
    services: Services,
    collection_id: int,
    model: ModelRecord,
    *,
    per_language: int | None,
    with_free: bool = False,
    on_step: Step | None = None,
) -> list[StrategyScore]:
    """A comparison in this process, for the command line. `with_free`: each also without grammar."""
    strategies = strategies_to_compare(services, collection_id, model)
    if with_free:
        strategies += tuple(replace(s, is_free=True) for s in strategies if not s.in_steps)
    backend = open_backend(services, model)
    try:
        return compare_strategies(
            services, collection_id, model, strategies, backend=backend,
            name=f"terminal {datetime.now(UTC).isoformat()}", per_language=per_language,
            on_step=on_step,
        )  # fmt: skip
    finally:
        backend.close()


# ---------------------------------------------------------------- private


def _answer(
    services: Services,
    backend: Backend,
    collection_id: int,
    gold: Sequence[Sample],
    strategy: Strategy,
    said: dict[str, Suggested],
    *,
    on_step: Step | None,
) -> None:
    """Ask about every sample that `said` has no answer to, some at a time, of about one length."""
    schema = services.store.collections.schema(collection_id)
    left = sorted((s for s in gold if s.id not in said), key=lambda s: len(s.text or ""))
    for at in range(0, len(left), AT_ONCE):
        part = left[at : at + AT_ONCE]
        began = time.monotonic()
        answers = suggest_events(
            services, backend, collection_id, part, schema, strategy=strategy,
            on_step=share_step(on_step, len(said), len(part), len(gold)),
        )  # fmt: skip
        seconds = (time.monotonic() - began) / len(part)
        said |= {s.id: replace(a, seconds=seconds) for s, a in zip(part, answers, strict=True)}


def _keep(
    services: Services,
    collection_id: int,
    model: ModelRecord,
    gold: Sequence[Sample],
    answers: Sequence[Suggested],
    strategy: Strategy,
    *,
    name: str,
    digest: str,
) -> None:
    predicted = [replace(s, events=a.events) for s, a in zip(gold, answers, strict=True)]
    settings: dict[str, Any] = {
        "comparison": name,
        "strategy": strategy_to_dict(strategy),
        "problems": count_problems(p for a in answers for p in a.problems),
        "asked_twice": sum(a.steps > 1 for a in answers),
    }
    services.store.models.add_evaluation(
        collection_id=collection_id, model_id=model.id, split="dev", test_hash=digest,
        samples=len(gold), scores=score(gold, predicted), outcomes=[], settings=settings,
        seconds=sum(a.seconds for a in answers),
    )  # fmt: skip
