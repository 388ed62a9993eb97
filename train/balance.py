"""Balancing a snapshot: rare samples are repeated, by language, event type or medium.

A sample of a label that f of the samples have is repeated sqrt(t / f) times on average for event
types (the repeat factor of Gupta, Dollár and Girshick 2019, "LVIS", t being the most frequent
type's share), and t / f times for languages and media, so that these come out even.
"""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Sequence

from core.samples import Sample

BALANCES = ("none", "language", "type", "modality")
MOST = 5.0  # how often a sample is repeated at most: more would be learned by heart


def balance_samples(samples: Sequence[Sample], by: str, *, seed: int) -> list[Sample]:
    """The samples with the rare ones repeated, copies behind their original; `by`: see `BALANCES`."""
    if by == "none":
        return list(samples)
    counts = Counter(label for s in samples for label in _labels(s, by))
    if not counts:
        return list(samples)
    most = max(counts.values())
    out = []
    for sample in samples:
        shares = [most / counts[label] for label in _labels(sample, by)]
        factor = min(MOST, max(shares, default=1.0))
        if by == "type":
            factor = math.sqrt(factor)
        whole = int(factor)
        more = random.Random(f"{seed}:{sample.id}").random() < factor - whole
        out += [sample] * (whole + more)
    return out


def count_labels(samples: Sequence[Sample], by: str) -> dict[str, int]:
    """How many samples have each language, event type or medium, the most frequent first."""
    return dict(Counter(label for s in samples for label in _labels(s, by)).most_common())


def _labels(sample: Sample, by: str) -> set[str]:
    if by == "type":
        return {e.event_type for e in sample.events or ()}
    return {sample.language if by == "language" else sample.modality}
