"""Bins and the expected calibration error, checked by hand; calibration measured on held-out parts."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.calibration import ALL, KINDS, Pair
from core.reliability import (
    Bin,
    calibrate,
    calibration_error,
    figure_from_dict,
    figure_to_dict,
    make_bins,
)

LANGUAGES = ("en", "zh", "es", "ru")


def overconfident(language: str, kind: str, count: int, *, seed: int = 0) -> list[Pair]:
    """Parts whose confidence p (0.5 to 1) is right with probability p³."""
    draw = random.Random(f"{seed} {language} {kind}")
    found = []
    for number in range(count):
        sure = draw.uniform(0.5, 1.0)
        story = f"{language} {number // 3}"
        found.append(Pair(language, story, kind, sure, draw.random() < sure**3))
    return found


def test_the_error_is_the_mean_gap_of_the_bins_weighted_by_their_parts():
    # 30 parts, so three bins of ten. Worked out by hand:
    #   0.5: 6 of 10 right, gap 0.1;  0.8: 5 of 10 right, gap 0.3;  0.9: 9 of 10 right, gap 0.0
    #   (10 · 0.1 + 10 · 0.3 + 10 · 0.0) / 30 = 0.1333…
    sure = [0.9] * 10 + [0.5] * 10 + [0.8] * 10
    right = [True] * 9 + [False] + [True] * 6 + [False] * 4 + [True] * 5 + [False] * 5

    bins = make_bins(sure, right)

    assert bins == [Bin(0.5, 0.6, 10), Bin(0.8, 0.5, 10), Bin(0.9, 0.9, 10)]
    assert calibration_error(bins) == pytest.approx(4 / 30)


def test_bins_of_unequal_mass_weigh_as_much_as_they_hold():
    bins = [Bin(0.9, 0.5, 30), Bin(0.2, 0.3, 10)]

    error = calibration_error(bins)

    assert error == pytest.approx((30 * 0.4 + 10 * 0.1) / 40)


def test_few_parts_are_one_bin_and_none_have_no_error():
    assert make_bins([0.2, 0.6], [False, True]) == [Bin(0.4, 0.5, 2)]
    assert calibration_error(make_bins([], [])) is None


@given(st.lists(st.tuples(st.sampled_from([0.0, 0.25, 0.5, 0.9, 1.0]), st.booleans()), min_size=1))
def test_every_part_is_in_one_bin_and_equal_confidences_are_never_parted(parts):
    sure, right = [c for c, _ in parts], [r for _, r in parts]

    bins = make_bins(sure, right)

    assert sum(b.count for b in bins) == len(parts)
    assert sum(b.count * b.right for b in bins) == pytest.approx(sum(right), abs=1e-3)
    assert [b.confidence for b in bins] == sorted({b.confidence for b in bins})
    assert len(bins) <= len(set(sure))


def test_perfect_confidences_have_an_error_near_0():
    draw = random.Random(4)
    sure = [draw.random() for _ in range(4000)]

    error = calibration_error(make_bins(sure, [draw.random() < c for c in sure]))

    assert error < 0.03


def test_an_overconfident_model_is_at_most_half_as_far_off_on_parts_it_was_not_fitted_to():
    pairs = [p for c in LANGUAGES for k in KINDS for p in overconfident(c, k, 150)]

    found = calibrate(pairs, samples=200)

    for language in (ALL, *LANGUAGES):
        figure = found.figure(language)
        before, after = calibration_error(figure.before), calibration_error(figure.after)
        assert before > 0.2
        assert after <= before / 2
    assert found.figure().parts == found.pairs == len(pairs)


def test_held_out_figures_do_not_flatter_what_can_be_learned_by_heart():
    draw = random.Random(1)  # confidences say nothing, so nothing can be learned but the share
    pairs = [Pair("zh", str(i), "role", draw.random(), draw.random() < 0.5) for i in range(400)]

    found = calibrate(pairs, samples=400)

    after = found.figure("zh", "role").after
    assert max(b.confidence for b in after) - min(b.confidence for b in after) < 0.3


def test_too_few_parts_have_neither_curves_nor_figures():
    found = calibrate(overconfident("ru", "type", 20), samples=9)

    assert (found.curves.known, found.figures, found.samples, found.pairs) == ({}, (), 9, 20)
    assert found.figure("ru") is None


def test_figures_come_back_from_json_as_they_were():
    found = calibrate(overconfident("zh", "trigger", 120), samples=40)

    again = [figure_from_dict(figure_to_dict(f)) for f in found.figures]

    assert again == list(found.figures)
    assert {(f.language, f.kind) for f in again} == {
        (ALL, None), (ALL, "trigger"), ("zh", None), ("zh", "trigger"),
    }  # fmt: skip
