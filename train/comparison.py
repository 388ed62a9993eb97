"""What a prompt comparison tries, what it found, and the use of what was best."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from core.errors import InputError
from core.languages import in_order
from core.prompts import CHAT, EXAMPLES, NATIVE, ZERO_SHOT
from core.records import EvaluationRecord, ModelRecord
from core.strategy import Strategy, strategy_from_dict, strategy_to_dict
from train.services import Services, own_prompt
from train.strategies import SHOWN, chosen_strategies, use_strategies

PER_LANGUAGE = 40  # samples of dev a language, unless a person says otherwise
SECONDS = 2.0  # a sample, for a model that nobody has timed yet


@dataclass(frozen=True, slots=True)
class ComparisonPlan:
    """What a comparison would do; `seconds` is an estimate."""

    strategies: tuple[Strategy, ...]
    samples: int
    seconds: float


@dataclass(frozen=True, slots=True)
class StrategyScore:
    """How one way of asking did."""

    strategy: Strategy
    evaluation: EvaluationRecord

    @property
    def problems(self) -> Mapping[str, int]:
        """How often each problem was found (`core.problems`)."""
        found: Mapping[str, int] = self.evaluation.settings["problems"]
        return found

    @property
    def seconds(self) -> float:
        """Seconds a sample."""
        return self.evaluation.seconds / max(1, self.evaluation.samples)

    def quality(self, language: str | None) -> float | None:
        """The mean of Tri-C and Arg-C F1, in a language or overall."""
        scores = self.evaluation.scores
        part = scores["overall"] if language is None else scores["by_language"].get(language)
        return None if part is None else (part["tri_c"]["f1"] + part["arg_c"]["f1"]) / 2


def strategies_to_compare(
    services: Services, collection_id: int, model: ModelRecord
) -> tuple[Strategy, ...]:
    """The ways of asking that are worth a try with a model; the first is the plainest."""
    has_examples = services.store.examples.has_some(collection_id)
    trained = own_prompt(model)
    own = trained or EXAMPLES
    zero_shot = CHAT if model.kind == "server" else ZERO_SHOT
    plain = [Strategy(trained)] if trained else [Strategy(zero_shot), Strategy(NATIVE)]
    shown = [Strategy(own, 2), Strategy(own, SHOWN), Strategy(own, SHOWN, in_steps=True)]
    shown += [] if trained else [Strategy(NATIVE, SHOWN)]
    return (*plain, *shown) if has_examples else tuple(plain)


def plan_comparison(
    services: Services,
    collection_id: int,
    model: ModelRecord,
    *,
    per_language: int = PER_LANGUAGE,
) -> ComparisonPlan:
    """What a comparison of a model's prompts would do, and how long it may take."""
    strategies = strategies_to_compare(services, collection_id, model)
    counts = services.store.reads.splits(collection_id)
    samples = int(counts["dev"].clip(upper=per_language).sum()) if len(counts) else 0
    known = {s.strategy: s.seconds for s in reversed(compared(services, collection_id, model.id))}
    pace = services.store.suggestions.pace(model.id) or SECONDS
    seconds = sum(known.get(s, pace * (1 + s.examples / SHOWN)) for s in strategies) * samples
    return ComparisonPlan(strategies, samples, seconds)


def compared(
    services: Services, collection_id: int, model_id: str, *, name: str | None = None
) -> list[StrategyScore]:
    """What a comparison found, in the order of its strategies; the newest comparison without `name`."""
    found = services.store.models.comparisons(collection_id, model_id=model_id)
    name = name or (found[0].settings["comparison"] if found else None)
    mine = [e for e in found if e.settings["comparison"] == name]
    scores = [StrategyScore(strategy_from_dict(e.settings["strategy"]), e) for e in reversed(mine)]
    return list({s.strategy: s for s in scores}.values())


def best_by_language(scores: Sequence[StrategyScore]) -> dict[str, StrategyScore]:
    """The best way of asking in each language: the highest mean of Tri-C and Arg-C F1, the quicker
    one of equals. Free decoding is there to compare with, not to be used."""
    best: dict[str, StrategyScore] = {}
    for one in (s for s in scores if not s.strategy.is_free):
        for code in one.evaluation.scores["by_language"]:
            if code not in best or _rank(one, code) > _rank(best[code], code):
                best[code] = one
    return {code: best[code] for code in in_order(best)}


def use_best(
    services: Services, collection_id: int, model_id: str, *, person: str | None
) -> dict[str, Strategy]:
    """Ask a model from now on as the newest comparison found best in each language. In the others it
    is asked as before."""
    best = best_by_language(compared(services, collection_id, model_id))
    if not best:
        raise InputError(f"the prompts of {model_id} were not compared yet: compare them first")
    before = chosen_strategies(services, collection_id, model_id)
    chosen = {code: one.strategy for code, one in best.items()}
    use_strategies(services, collection_id, model_id, before | chosen, person=person)
    return chosen


def comparison_facts(scores: Sequence[StrategyScore]) -> list[dict[str, Any]]:
    """A comparison as JSON has it; `best_in` names the languages in which a way is the best."""
    best = best_by_language(scores)
    return [
        {
            "strategy": strategy_to_dict(s.strategy), "scores": dict(s.evaluation.scores),
            "problems": dict(s.problems), "asked_twice": s.evaluation.settings["asked_twice"],
            "seconds": s.seconds, "best_in": [c for c, one in best.items() if one is s],
        }
        for s in scores
    ]  # fmt: skip


# ---------------------------------------------------------------- private


def _rank(one: StrategyScore, language: str) -> tuple[float, float]:
    return one.quality(language) or 0.0, -one.seconds
