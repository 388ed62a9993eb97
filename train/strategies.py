"""Which way of asking a model is used in which language: what a person chose, else what suits it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from core.languages import in_order
from core.prompts import CHAT, EXAMPLES, SIGHT, SIGHT_CHAT, ZERO_SHOT
from core.records import EvaluationRecord, ModelRecord, SettingRecord
from core.strategy import Strategy, strategy_from_dict, strategy_to_dict
from train.services import Services, own_prompt

SHOWN = 4  # examples that a model which was never trained on the schema is shown


def choose_strategy(
    services: Services, collection_id: int, model: ModelRecord, language: str
) -> Strategy:
    """How a model is asked about a text of a language."""
    return choose_strategies(services, collection_id, model, [language])[language]


def choose_strategies(
    services: Services, collection_id: int, model: ModelRecord, languages: Iterable[str]
) -> dict[str, Strategy]:
    """How a model is asked, by language."""
    chosen = chosen_strategies(services, collection_id, model.id)
    default = default_strategy(services, collection_id, model)
    return {code: chosen.get(code, default) for code in in_order(set(languages))}


def default_strategy(services: Services, collection_id: int, model: ModelRecord) -> Strategy:
    """How a model is asked where nobody chose: as it was trained, a base that never was with
    reviewed samples before its eyes, once there are some."""
    if (own := own_prompt(model)) is not None:
        return Strategy(own)
    if "image" in model.reads:
        return Strategy(SIGHT_CHAT if model.kind == "server" else SIGHT)
    if model.kind == "scripted" or not services.store.examples.has_some(collection_id):
        return Strategy(CHAT if model.kind == "server" else ZERO_SHOT)
    return Strategy(EXAMPLES, SHOWN)


def chosen_strategies(services: Services, collection_id: int, model_id: str) -> dict[str, Strategy]:
    """What a person chose for a model, by language."""
    found = last_choice(services, collection_id, model_id)
    return {c: strategy_from_dict(s) for c, s in found.value["languages"].items()} if found else {}


def last_choice(services: Services, collection_id: int, model_id: str) -> SettingRecord | None:
    """Who chose last for a model, and when; None where nobody did, or went back to the default."""
    found = services.store.settings.get(collection_id, _setting(model_id))
    return found if found and found.value["languages"] else None


def use_strategies(
    services: Services,
    collection_id: int,
    model_id: str,
    chosen: Mapping[str, Strategy],
    *,
    person: str | None,
) -> None:
    """Ask a model in these ways from now on, by language; in none to go back to the default."""
    languages = {code: strategy_to_dict(strategy) for code, strategy in chosen.items()}
    services.store.settings.put(
        collection_id, _setting(model_id), {"languages": languages}, person=person
    )


def asked_now(
    services: Services, collection_id: int, evaluations: Sequence[EvaluationRecord]
) -> list[EvaluationRecord]:
    """Those evaluations whose model was asked as it is asked now; the others say nothing of it."""
    models = {m.id: m for m in services.store.models.all(collection_id=collection_id)}
    now: dict[str, dict[str, Strategy]] = {}
    kept = []
    for evaluation in evaluations:
        said = evaluation.settings.get("strategies")
        model = models.get(evaluation.model_id)
        if said and model is not None:
            codes = now.setdefault(model.id, {})
            if not codes.keys() >= said.keys():
                codes |= choose_strategies(services, collection_id, model, said)
            if any(strategy_to_dict(codes[code]) != said[code] for code in said):
                continue
        kept.append(evaluation)
    return kept


def _setting(model_id: str) -> str:
    return f"strategies:{model_id}"
