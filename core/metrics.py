"""Scores of predicted events against gold ones: TextEE's F1, and the paper's two accuracies.

F1 is over sets of tuples: places are compared, the words at them never. The accuracies are recalls
over words: (trigger text, event type) and (argument text, role), each gold item used up by one
prediction. All figures are percentages, unrounded, with the counts behind them.

What metrics.md leaves open: a place is a span with its fragments, a box or a time range, of the
text or of one medium, and must be the same exactly. A mention without a place (its words could not
be located) counts in `pred` or `gold` and matches nothing. An event without a trigger has none to
count; its arguments count. Where a mention says no words (a box, say), its place stands in for them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from core.errors import InputError, shown
from core.events import Event, Mention
from core.languages import in_order
from core.samples import Sample

F1 = ("tri_i", "tri_c", "arg_i", "arg_c", "arg_i_plus", "arg_c_plus")
ACCURACIES = ("tr", "arg")

Scores = dict[str, Any]
Tuples = dict[str, set[tuple[Hashable, ...]]]
Words = dict[str, Counter[tuple[Hashable, ...]]]


@dataclass(slots=True)
class _Counts:
    """[predicted, gold, matched] by F1 and [matched, gold] by accuracy, summed over samples."""

    f1: dict[str, list[int]] = field(default_factory=lambda: {name: [0, 0, 0] for name in F1})
    accuracy: dict[str, list[int]] = field(
        default_factory=lambda: {name: [0, 0] for name in ACCURACIES}
    )

    def add(self, other: _Counts) -> None:
        for mine, theirs in ((self.f1, other.f1), (self.accuracy, other.accuracy)):
            for name, counts in theirs.items():
                mine[name] = [a + b for a, b in zip(mine[name], counts, strict=True)]


def score(gold: Iterable[Sample], pred: Iterable[Sample]) -> Scores:
    """Scores over all samples (`overall`) and `by_language` (gold's).

    A gold sample that has no prediction, or an unlabelled one, counts as predicted empty. Raises
    `InputError` naming a predicted sample that gold does not have, a gold one that is not labelled,
    or an id that is there twice.
    """
    total = _Counts()
    languages: dict[str, _Counts] = {}
    for sample, predicted in _paired(gold, pred):
        counts = _count(sample.events or (), predicted)
        total.add(counts)
        languages.setdefault(sample.language, _Counts()).add(counts)
    by_language = {code: _scores(languages[code]) for code in in_order(languages)}
    return {"overall": _scores(total), "by_language": by_language}


def mean_of_languages(scores: Mapping[str, Any]) -> dict[str, float | None]:
    """The plain mean over the languages of what `score` gave, each accuracy and F1 by its name."""
    return {
        name: _mean(read_figure(scores, name, code) for code in scores["by_language"])
        for name in ("tr_accuracy", "arg_accuracy", "tri_c", "arg_c")
    }


def score_sample(gold: Sequence[Event], pred: Sequence[Event]) -> Scores:
    """The scores of one sample: those of `score`, without languages."""
    return _scores(_count(gold, pred))


def sample_outcomes(gold: Iterable[Sample], pred: Iterable[Sample]) -> list[dict[str, Any]]:
    """What each sample adds to Tri-C and Arg-C, [predicted, gold, matched] each, in gold's order.

    `types` has Tri-C by event type. `group` is the parallel group: samples of one story are no independent draws.
    """
    found = []
    for sample, predicted in _paired(gold, pred):
        counts = _count(sample.events or (), predicted)
        found.append(
            {
                "id": sample.id, "language": sample.language, "modality": sample.modality,
                "group": sample.group, "tri_c": counts.f1["tri_c"], "arg_c": counts.f1["arg_c"],
                "types": _count_types(sample.events or (), predicted),
            }
        )  # fmt: skip
    return found


def worst_samples(
    outcomes: Iterable[Mapping[str, Any]], *, limit: int = 20
) -> list[Mapping[str, Any]]:
    """The outcomes with the most missed and extra triggers and arguments; right ones not at all."""
    wrong = [o for o in outcomes if errors_of(o)]
    return sorted(wrong, key=lambda o: (-errors_of(o), o["id"]))[:limit]


def outcome_f1(outcomes: Iterable[Mapping[str, Any]], figure: str) -> float | None:
    """The corpus F1 of some outcomes ("tri_c" or "arg_c"), in percent; None where there are none."""
    rows = [o[figure] for o in outcomes]
    return _f1(*(sum(column) for column in zip(*rows, strict=True)))["f1"] if rows else None


def won_and_lost(
    old: Iterable[Mapping[str, Any]], new: Iterable[Mapping[str, Any]]
) -> tuple[list[Mapping[str, Any]], list[Mapping[str, Any]]]:
    """The new outcomes of samples with fewer errors than before, and of those with more; the
    greatest change first. Samples that only one side has are left out."""
    before = {o["id"]: errors_of(o) for o in old}
    change = [(errors_of(o) - before[o["id"]], o) for o in new if o["id"] in before]
    change.sort(key=lambda pair: (-abs(pair[0]), pair[1]["id"]))
    return [o for by, o in change if by < 0], [o for by, o in change if by > 0]


def read_figure(scores: Mapping[str, Any], name: str, language: str | None) -> float | None:
    """An accuracy or F1 of what `score` gave, of a language or (None) overall; None where there is
    no such score."""
    part = scores["overall"] if language is None else scores["by_language"].get(language)
    value = part.get(name) if part else None
    if isinstance(value, Mapping):
        value = value["f1"]
    return None if value is None else float(value)


def errors_of(outcome: Mapping[str, Any]) -> int:
    """How many triggers and arguments of a sample are missed or said too much."""
    return sum(
        pred + gold - 2 * match for pred, gold, match in (outcome["tri_c"], outcome["arg_c"])
    )


# ---------------------------------------------------------------- private


def _paired(gold: Iterable[Sample], pred: Iterable[Sample]) -> list[tuple[Sample, Sequence[Event]]]:
    """Each gold sample with the events predicted for it, none where there is no prediction."""
    predicted = _by_id(pred, "the predictions have")
    wanted = _by_id(gold, "the gold samples have")
    unlabelled = next((s.id for s in wanted.values() if s.events is None), None)
    if unlabelled is not None:
        raise InputError(
            f"the gold sample {shown(unlabelled)} is not labelled: leave it out, or write "
            '"events": [] if it has no event'
        )
    extra = [ident for ident in predicted if ident not in wanted]
    if extra:
        more = f" (and {len(extra) - 1} more)" if len(extra) > 1 else ""
        raise InputError(
            f"the predictions have a sample {shown(extra[0])}{more} that gold does not have: "
            "score against the file that was predicted on, or take it out"
        )
    return [
        (sample, predicted[ident].events or () if ident in predicted else ())
        for ident, sample in wanted.items()
    ]


def _by_id(samples: Iterable[Sample], whose: str) -> dict[str, Sample]:
    found: dict[str, Sample] = {}
    for sample in samples:
        if sample.id in found:
            raise InputError(f"{whose} the sample {shown(sample.id)} twice: keep one of them")
        found[sample.id] = sample
    return found


def _count(gold: Sequence[Event], pred: Sequence[Event]) -> _Counts:
    counts = _Counts()
    wanted, found = _tuples(gold, "gold"), _tuples(pred, "pred")
    for name in F1:
        matched = len(wanted[name] & found[name])
        counts.f1[name] = [len(found[name]), len(wanted[name]), matched]
    said, heard = _words(gold), _words(pred)
    for name in ACCURACIES:
        counts.accuracy[name] = [(said[name] & heard[name]).total(), said[name].total()]
    return counts


def _count_types(gold: Sequence[Event], pred: Sequence[Event]) -> dict[str, list[int]]:
    """[predicted, gold, matched] of Tri-C by event type."""
    wanted, found = _tuples(gold, "gold")["tri_c"], _tuples(pred, "pred")["tri_c"]
    sides = (found, wanted, found & wanted)
    names = {str(kind) for _, kind in found | wanted}
    return {name: [sum(k == name for _, k in side) for side in sides] for name in sorted(names)}


def _tuples(events: Iterable[Event], side: str) -> Tuples:
    """The tuples of one sample. `side` keeps mentions without a place apart: they match nothing."""

    def place(mention: Mention | None) -> Hashable:
        if mention is None:
            return None
        return mention.place if mention.kind != "unanchored" else (side, mention.text)

    found: Tuples = {name: set() for name in F1}
    for event in events:
        kind, trigger = event.event_type, place(event.trigger)
        if event.trigger is not None:
            found["tri_i"].add((trigger,))
            found["tri_c"].add((trigger, kind))
        for argument in event.arguments:
            at = place(argument.mention)
            found["arg_i"].add((kind, at))
            found["arg_c"].add((kind, at, argument.role))
            found["arg_i_plus"].add((trigger, kind, at))
            found["arg_c_plus"].add((trigger, kind, at, argument.role))
    return found


def _words(events: Iterable[Event]) -> Words:
    """What the paper's accuracies compare, each as often as it is said."""
    found: Words = {name: Counter() for name in ACCURACIES}
    for event in events:
        if event.trigger is not None:
            found["tr"][(_said(event.trigger), event.event_type)] += 1
        found["arg"].update((_said(a.mention), a.role) for a in event.arguments)
    return found


def _said(mention: Mention) -> Hashable:
    return mention.place if mention.text is None else mention.text


def _scores(counts: _Counts) -> Scores:
    scores: Scores = {name: _f1(*counts.f1[name]) for name in F1}
    for name in ACCURACIES:
        correct, total = counts.accuracy[name]
        scores[f"{name}_accuracy"] = correct / total * 100 if total else None
        scores[f"{name}_correct"] = correct
        scores[f"{name}_gold"] = total
    return scores


def _f1(pred: int, gold: int, match: int) -> dict[str, float | int]:
    """Precision, recall and F1 as TextEE computes them: on fractions, then times 100."""
    p = match / pred if pred else 0.0
    r = match / gold if gold else 0.0
    f1 = 2 * p * r / (p + r) if p + r else 0.0
    return {
        "p": p * 100,
        "r": r * 100,
        "f1": f1 * 100,
        "pred": pred,
        "gold": gold,
        "match": match,
    }


def _mean(values: Iterable[float | None]) -> float | None:
    known = [v for v in values if v is not None]
    return sum(known) / len(known) if known else None
