"""Balancing: rare languages and types are repeated, nothing is dropped, a seed gives one answer."""

from __future__ import annotations

from collections import Counter

import pytest

from core.events import Event
from core.samples import Sample
from train.balance import MOST, balance_samples, count_labels
from train.snapshot import TEST_PER_LANGUAGE, balance_test


def samples(language: str, n: int, *types: str) -> list[Sample]:
    events = tuple(Event(name, None) for name in types)
    return [
        Sample(f"{language}-{'-'.join(types)}-{i}", language, "text", "текст 文本", events=events)
        for i in range(n)
    ]


@pytest.mark.parametrize(
    ("counts", "after"),
    [
        ({"en": 40, "zh": 20, "ru": 10}, {"en": 40, "zh": 40, "ru": 40}),
        ({"ru": 30, "zh": 30}, {"ru": 30, "zh": 30}),
        ({"en": 60, "ru": 2}, {"en": 60, "ru": round(2 * MOST)}),
    ],
)
def test_languages_come_out_even_up_to_the_limit(counts, after):
    given = [s for code, n in counts.items() for s in samples(code, n, "launch")]

    balanced = balance_samples(given, "language", seed=1)

    assert dict(Counter(s.language for s in balanced)) == after
    assert {s.id for s in balanced} == {s.id for s in given}


def test_a_rare_type_is_repeated_by_the_root_of_how_rare_it_is():
    given = samples("zh", 400, "launch") + samples("ru", 100, "attack")

    found = count_labels(balance_samples(given, "type", seed=0), "type")

    assert found["launch"] == 400
    assert pytest.approx(found["attack"], abs=1) == 200


def test_a_sample_of_a_common_and_a_rare_type_counts_as_rare():
    given = samples("es", 16, "launch") + samples("zh", 4, "launch", "attack")

    balanced = balance_samples(given, "type", seed=0)

    assert Counter(s.language for s in balanced)["zh"] > 4


@pytest.mark.parametrize("by", ["none", "type"])
def test_samples_without_events_stay_as_they_are(by):
    given = samples("ru", 3) + samples("zh", 2)

    assert balance_samples(given, by, seed=0) == given


def test_the_same_seed_gives_the_same_snapshot():
    given = samples("en", 30, "launch") + samples("ru", 13, "attack")

    once, again = (balance_samples(given, "type", seed=5) for _ in range(2))

    assert once == again


def test_models_are_judged_on_eighty_samples_a_language_and_new_ones_change_no_ones_turn():
    zh, ru = samples("zh", 300, "launch"), samples("ru", 30, "launch")

    first, later = balance_test(zh[:200] + ru), balance_test(ru + zh)

    assert Counter(s.language for s in first) == {"zh": TEST_PER_LANGUAGE, "ru": 30}
    assert [s for s in first if s.language == "ru"] == ru
    stayed = {s.id for s in later} & {s.id for s in zh[:200]}
    assert stayed <= {s.id for s in first}
    assert balance_test(later) == later
