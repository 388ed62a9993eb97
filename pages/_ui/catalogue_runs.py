"""The texts of the comparison of runs, and of their means."""

from __future__ import annotations

RUNS: dict[str, str] = {
    "compare.title": "Compare runs",
    "compare.one": "There is one run. With a second one the two can be set beside each other here.",
    "compare.run": "Run",
    "compare.state": "State",
    "compare.when": "Ended",
    "compare.took": "Took",
    "compare.base": "Base",
    "compare.snapshot": "Snapshot",
    "compare.samples": "Samples",
    "compare.mean_of": "Mean of runs",
    "compare.this": "This run",
    "compare.with": "Beside",
    "compare.setting": "Setting",
    "compare.same_recipe": "Both have the same recipe, base and snapshot.",
    "compare.unscored": "{runs}: no score on the {split} split. Evaluate the model on the Models page.",
    "compare.note": "Before is {before}, after is {after}.",
    "compare.modality": "Medium",
    "compare.won.one": "{n} sample won",
    "compare.won.other": "{n} samples won",
    "compare.lost.one": "{n} sample lost",
    "compare.lost.other": "{n} samples lost",
    "compare.open": "Sample",
    "compare.language": "Language",
    "compare.errors": "Errors",
    "average.title": "One model of several runs",
    "average.what": "The mean of runs that differ in their seed often has a better F1 than any one of them, "
    "and is no slower. It is scored as any run is.",
    "average.runs": "Runs",
    "average.run": "Run {n} · seed {seed}",
    "average.choose": "Choose two or more",
    "average.do": "Average them",
    "average.started": "Run {n} is queued: it averages them and scores the mean.",
}
