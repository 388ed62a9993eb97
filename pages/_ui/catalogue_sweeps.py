"""The texts of sweeps, learning curves and the advice read from them."""

from __future__ import annotations

SWEEPS: dict[str, str] = {
    "sweep.section": "Experiments: what helps, and where",
    "sweep.title": "Try settings against each other",
    "sweep.what": "A run for each combination, one after another, each scored on the same samples.",
    "sweep.setting": "Setting",
    "sweep.values": "{name}: values",
    "sweep.values.help": "Several values, separated by blanks or semicolons.",
    "sweep.curve": "Learning curve",
    "sweep.curve.what": "The same recipe on a quarter, a half and all of the reviews. It shows what more "
    "corrections would bring.",
    "sweep.seeds.title": "One model of several seeds",
    "sweep.seeds.what": "A run from each seed, one after another, and the mean of their models as one more: "
    "often with a better F1 than any one of them, and no slower.",
    "sweep.seeds": "Seeds",
    "sweep.start.seeds": "Train {n} and average them",
    "sweep.mean": "mean",
    "sweep.start": "Start {n} runs",
    "sweep.start.curve": "Start the learning curve",
    "sweep.started": "{n} runs are queued.",
    "sweep.time": "About {time} in all, without the scoring.",
    "sweep.results": "Results of",
    "sweep.progress": "{done} of {n} runs have ended.",
    "sweep.cancel": "Cancel the rest",
    "sweep.cancelled": "The runs that had not ended are cancelled.",
    "sweep.chart": "Scores of the sweep's runs",
    "sweep.all": "all",
    "advice.title": "Where would corrections help most?",
    "advice.none": "Not known yet. A learning curve answers it: start one below.",
    "advice.what": "What {n} more corrections should bring, in points of Tri-C F1; 80 % sure to lie in the range.",
    "advice.kind.language": "Language",
    "advice.kind.type": "Event type",
    "advice.n": "Corrections now",
    "advice.score": "F1 now",
    "advice.gain": "Gain",
    "advice.range": "Range",
    "advice.between": "{low} to {high}",
}
