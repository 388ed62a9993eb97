"""The promotion rule: what may fall, by how much, and how sure a gain must be."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from core.errors import InputError
from core.records import EvaluationRecord
from train.promotion import PromotionRule, judge


def evaluation(model: str, right: dict[str, int], *, of: int = 40) -> EvaluationRecord:
    """`right` samples a language are right, of `of`, each with one trigger and one argument."""
    outcomes = [
        {"id": f"{code}{i}", "group": f"{code}{i}", "tri_c": [1, 1, int(i < n)], "arg_c": [1, 1, 0]}
        for code, n in right.items()
        for i in range(of)
    ]

    def scores(n: int, total: int) -> dict[str, Any]:
        return {"tri_c": {"f1": 100 * n / total}, "arg_c": {"f1": 0.0}}

    return EvaluationRecord(
        1, 1, model, "test", "hash", len(outcomes),
        {
            "overall": scores(sum(right.values()), of * len(right)),
            "by_language": {code: scores(n, of) for code, n in right.items()},
        },
        outcomes, {}, 1.0, datetime.now(UTC),
    )  # fmt: skip


OLD = evaluation("base", {"zh": 20, "ru": 20})
CASES = [
    (PromotionRule(), {"zh": 24, "ru": 20}, "better", ""),
    (PromotionRule(), {"zh": 20, "ru": 19}, "worse", "Tri-C F1 falls"),
    (PromotionRule(), {"zh": 40, "ru": 15}, "better", ""),
    (PromotionRule(language_fall=5), {"zh": 40, "ru": 15}, "worse", "of Russian falls by 12.5"),
    (PromotionRule(language_fall=12.5), {"zh": 40, "ru": 15}, "better", ""),
    (PromotionRule(significance=0.05), {"zh": 21, "ru": 20}, "worse", "no gain is significant"),
    (PromotionRule(significance=0.05), {"zh": 35, "ru": 35}, "better", ""),
]


@pytest.mark.parametrize(("rule", "right", "verdict", "why"), CASES)
def test_a_candidate_is_judged_by_the_rule(
    rule: PromotionRule, right: dict[str, int], verdict: str, why: str
) -> None:
    found = judge(rule, OLD, evaluation("new", right))

    assert found.verdict == verdict
    assert why in found.message


def test_the_judgement_says_how_sure_each_difference_is() -> None:
    found = judge(PromotionRule(), OLD, evaluation("new", {"zh": 30, "ru": 30}))

    gain = found.differences["tri_c"]
    assert gain.low < gain.points == 25.0 < gain.high
    assert gain.p < 0.01


@pytest.mark.parametrize("rule", [PromotionRule(language_fall=-1), PromotionRule(significance=0.0)])
def test_a_rule_that_makes_no_sense_is_refused(rule: PromotionRule) -> None:
    with pytest.raises(InputError):
        rule.check()
