"""English words for the promotion rule and for how sure a difference is."""

from __future__ import annotations

PROMOTION = {
    "rule.title": "When is a model better?",
    "rule.always": "Overall, neither Tri-C F1 nor Arg-C F1 may fall.",
    "rule.language": "No language may fall by more than a number of points",
    "rule.points": "Points",
    "rule.significant": "One gain must be significant (paired bootstrap)",
    "rule.level": "Significance level",
    "rule.save": "Set the rule",
    "rule.saved": "The rule is set. It holds from the next promotion on.",
    "rule.since": "Set {time} by {person}.",
    "difference": "{name}: {points} points, 95 % of {n} draws between {low} and {high}, p = {p}.",
    "difference.small": "under {p}",
    "difference.tri_c": "Tri-C F1",
    "difference.arg_c": "Arg-C F1",
}
