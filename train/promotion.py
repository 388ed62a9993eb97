"""The promotion rule of a collection: when a candidate counts as better than the model in use."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Literal

from core.errors import InputError, RefusedError
from core.languages import name_of
from core.records import EvaluationRecord, ModelRecord
from core.significance import Difference, paired_bootstrap
from train.services import Services

Verdict = Literal["better", "worse", "unknown"]
FIGURES = (("tri_c", "Tri-C F1"), ("arg_c", "Arg-C F1"))  # neither may fall, overall
SETTING = "promotion_rule"


@dataclass(frozen=True, slots=True)
class PromotionRule:
    """What is asked beyond that neither figure falls overall.

    `language_fall`: no language may lose more than so many points of either figure; None: not
    looked at. `significance`: one figure must be higher with a smaller p than this in the paired
    bootstrap; None: any gain will do.
    """

    language_fall: float | None = None
    significance: float | None = None

    def check(self) -> None:
        """Raise `InputError` where a value makes no sense."""
        if self.language_fall is not None and not 0 <= self.language_fall <= 100:
            raise InputError(
                f"a language may fall by 0 to 100 points, not by {self.language_fall:g}"
            )
        if self.significance is not None and not 0 < self.significance < 1:
            raise InputError(
                f"the significance level lies between 0 and 1, not at {self.significance:g}: 0.05 is usual"
            )


@dataclass(frozen=True, slots=True)
class Judgement:
    """A verdict, why in a line, and by figure how sure the difference is."""

    verdict: Verdict
    message: str
    differences: Mapping[str, Difference] = field(default_factory=dict)


def check_candidate(model: ModelRecord, collection_id: int, *, in_use_id: str) -> None:
    """Raise `RefusedError` where a model cannot be put in use, whatever its scores are."""
    if model.state == "deleted":
        raise RefusedError(f"{model.id} was deleted: its files are gone")
    if model.transcribes:
        raise RefusedError(
            f"{model.id} writes down speech and suggests no events: use another model"
        )
    if model.collection_id not in (None, collection_id):
        raise RefusedError(f"{model.id} was trained on another collection: train one on this")
    if in_use_id == model.id:
        raise RefusedError(f"{model.id} is the model in use already")


def promotion_rule(services: Services, collection_id: int) -> PromotionRule:
    """The rule in force."""
    found = services.store.settings.get(collection_id, SETTING)
    return PromotionRule(**found.value) if found else PromotionRule()


def set_promotion_rule(
    services: Services, collection_id: int, rule: PromotionRule, *, person: str | None
) -> None:
    """Set the rule for the promotions to come."""
    rule.check()
    services.store.settings.put(collection_id, SETTING, asdict(rule), person=person)


def judge(rule: PromotionRule, in_use: EvaluationRecord, candidate: EvaluationRecord) -> Judgement:
    """Judge a candidate by two evaluations of the same samples."""
    figures, faults, differences = [], [], {}
    is_sampled = bool(in_use.outcomes and candidate.outcomes)
    for key, name in FIGURES:
        old, new = (e.scores["overall"][key]["f1"] for e in (in_use, candidate))
        figures.append(f"{name} {old:.1f} → {new:.1f}")
        if new < old:
            faults.append(f"{name} falls")
        if is_sampled:
            differences[key] = paired_bootstrap(in_use.outcomes, candidate.outcomes, key)
    faults += _fallen_languages(rule, in_use, candidate)
    if rule.significance is not None:
        lucky = [d for d in differences.values() if d.points > 0 and d.p < rule.significance]
        if not lucky:
            faults.append(f"no gain is significant at {rule.significance:g}")
    message = f"{', '.join(figures)} on the {candidate.split} split ({candidate.samples} samples)"
    if faults:
        return Judgement("worse", f"{message}: {'; '.join(faults)}", differences)
    return Judgement("better", message, differences)


def _fallen_languages(
    rule: PromotionRule, in_use: EvaluationRecord, candidate: EvaluationRecord
) -> list[str]:
    if rule.language_fall is None:
        return []
    faults = []
    for code, before in in_use.scores["by_language"].items():
        after = candidate.scores["by_language"].get(code)
        for key, name in FIGURES:
            fall = before[key]["f1"] - after[key]["f1"] if after else 0.0
            if fall > rule.language_fall:
                faults.append(
                    f"{name} of {name_of(code)} falls by {fall:.1f} points, more than "
                    f"{rule.language_fall:g}"
                )
    return faults
