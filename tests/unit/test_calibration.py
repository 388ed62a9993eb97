"""Curves: what counts as right, that they never fall, and when a language has its own."""

from __future__ import annotations

import itertools
import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.calibration import (
    ALL,
    EDGE,
    SAME,
    Curve,
    Curves,
    Pair,
    calibrate_events,
    curves_from_list,
    curves_to_list,
    judge,
)
from core.events import Argument, Event, Mention, span
from core.fitting import LEAST, fit_curves, fit_scaling, fit_steps, folds

TEXTS = {
    "en": ("Nortia unveiled a modem in Madrid.", "unveiled", "Nortia", "a modem"),
    "zh": ("🚀晨星周二发布了新芯片。", "发布", "晨星", "新芯片"),
    "es": ("Nortia lanzó un módem en Madrid.", "lanzó", "Nortia", "un módem"),
    "ru": ("Компания Нортия запустила спутник.", "запустила", "Нортия", "спутник"),
}


def at(language: str, words: str, sure: float | None = None) -> Mention:
    text = TEXTS[language][0]
    start = text.index(words)
    return span(text, start, start + len(words), confidence=sure)


def launch(language: str) -> Event:
    """A suggestion: type 0.9, trigger 0.8, agent (role 0.7, words 0.6), product (0.5, 0.4)."""
    _, trigger, agent, product = TEXTS[language]
    arguments = (
        Argument("agent", at(language, agent, 0.6), 0.7),
        Argument("product", at(language, product, 0.4), 0.5),
    )
    return Event("launch", at(language, trigger, 0.8), arguments, 0.9)


def right(pairs: list) -> dict[float, bool]:
    """Whether the part with each confidence was right."""
    return {sure: is_right for _, sure, is_right in pairs}


@pytest.mark.parametrize("language", TEXTS)
def test_what_a_review_keeps_is_right_and_what_it_changes_is_wrong(language):
    said = launch(language)
    _, _, agent, product = TEXTS[language]
    whole = {0.9: True, 0.8: True, 0.7: True, 0.6: True, 0.5: True, 0.4: True}
    moved = at(language, product[-1])
    turned = replace(said.arguments[0], role="place")
    cases = [
        ([said], {}),
        ([replace(said, event_type="outage")], {0.9: False}),
        ([replace(said, trigger=at(language, agent[:1]))], {0.8: False}),
        ([replace(said, arguments=(turned, said.arguments[1]))], {0.7: False}),
        ([replace(said, arguments=(said.arguments[0], Argument("product", moved)))], {0.4: False}),
        ([replace(said, arguments=said.arguments[:1])], {0.5: False, 0.4: False}),
        ([], dict.fromkeys(whole, False)),
    ]

    for decided, changes in cases:
        assert right(judge([said], decided)) == whole | changes


@pytest.mark.parametrize("language", TEXTS)
def test_a_part_without_a_confidence_is_not_judged_and_an_added_event_is_nobodys(language):
    bare = replace(launch(language), confidence=None, trigger=None)

    pairs = judge([bare], [bare, Event("outage", at(language, TEXTS[language][1]))])

    assert [kind for kind, _, _ in pairs] == ["role", "argument", "role", "argument"]


@pytest.mark.parametrize("language", TEXTS)
def test_each_part_goes_through_the_curve_of_its_kind(language):
    curves = Curves(
        {
            (ALL, "type"): Curve(knots=((0, 0.1), (1, 0.1))),
            (ALL, "trigger"): Curve(knots=((0, 0.2), (1, 0.2))),
            (ALL, "role"): Curve(knots=((0, 0.3), (1, 0.3))),
            (language, "argument"): Curve(knots=((0, 0.4), (1, 0.4))),
        }
    )
    said = launch(language)

    (event,) = calibrate_events([said], curves, language)

    found = (event.confidence, event.trigger.confidence, event.arguments[0].confidence)
    assert found == pytest.approx((0.1, 0.2, 0.3))
    assert event.arguments[1].mention.confidence == pytest.approx(0.4)
    assert event.identity == said.identity
    assert calibrate_events([said], Curves(), language) == (said,)


def test_what_has_no_confidence_gets_none():
    bare = Event("launch", Mention(text="запуск"), (Argument("agent", Mention(text="晨星")),))
    curves = Curves({(ALL, kind): Curve(0.5) for kind in ("type", "trigger", "role", "argument")})

    assert calibrate_events([bare], curves, "zh") == (bare,)


some_pairs = st.lists(
    st.builds(
        Pair,
        st.sampled_from(["en", "zh", "es", "ru"]),
        st.integers(0, 40).map(str),
        st.just("type"),
        st.floats(0, 1),
        st.booleans(),
    ),
    max_size=120,
)


@given(some_pairs, st.lists(st.floats(0, 1), min_size=2))
def test_a_curve_never_falls_and_never_reaches_0_or_1(pairs, confidences):
    for curve in (fit_scaling(pairs), fit_steps(pairs)):
        if curve != SAME:
            found = [curve.apply(c) for c in sorted(confidences)]
            assert all(a <= b for a, b in itertools.pairwise(found))
            assert all(EDGE <= c <= 1 - EDGE for c in found)


@given(some_pairs)
def test_scaling_keeps_the_order_even_where_surer_was_not_righter(pairs):
    turned = [replace(p, is_right=p.confidence < 0.5) for p in pairs]

    assert fit_scaling(pairs).slope > 0
    assert fit_scaling(turned).slope > 0


def test_scaling_finds_the_slope_and_the_offset_that_made_the_data():
    draw, truth = random.Random(2), Curve(slope=0.4, offset=-0.7)
    sure = [draw.uniform(0.01, 0.99) for _ in range(6000)]
    pairs = [
        Pair("ru", str(i), "role", c, draw.random() < truth.apply(c)) for i, c in enumerate(sure)
    ]

    found = fit_scaling(pairs)

    assert (found.slope, found.offset) == pytest.approx((0.4, -0.7), abs=0.1)


def test_steps_pool_what_would_fall():
    # 0.2: 1 of 2, 0.6: 0 of 2, 0.9: 2 of 2. The first two would fall, so they are one step of 1 of 4.
    pairs = [
        Pair("zh", "a", "type", sure, is_right)
        for sure, is_right in [(0.2, True), (0.2, False), (0.6, False), (0.6, False), (0.9, True), (0.9, True)]
    ]  # fmt: skip

    curve = fit_steps(pairs)

    assert curve.knots == (pytest.approx((0.4, 0.25)), pytest.approx((0.9, 7 / 8)))
    assert curve.apply(0.65) == pytest.approx((0.25 + 7 / 8) / 2)


def made(language: str, count: int, truth: Curve, *, kind: str = "type") -> list[Pair]:
    draw = random.Random(f"{language} {count}")
    sure = [draw.uniform(0.05, 0.99) for _ in range(count)]
    return [
        Pair(language, f"{language} {i}", kind, c, draw.random() < truth.apply(c))
        for i, c in enumerate(sure)
    ]


def test_with_too_few_parts_confidences_stay_as_they_are():
    curves = fit_curves(made("zh", LEAST - 1, Curve(offset=-3)))

    assert curves.get("zh", "type").apply(0.9) == 0.9


def test_good_confidences_stay_as_they_are():
    pairs = [p for c in TEXTS for p in made(c, 500, SAME)]

    curves = fit_curves(pairs)

    assert curves.get("ru", "type").apply(0.7) == pytest.approx(0.7, abs=0.05)


def test_a_language_that_differs_has_its_own_curve_and_a_new_one_shares_that_of_all():
    pairs = made("zh", 400, Curve(offset=-2.5)) + made("ru", 400, Curve(offset=1.5))

    curves = fit_curves(pairs)

    assert curves.get("zh", "type").apply(0.8) < 0.4
    assert curves.get("ru", "type").apply(0.8) > 0.85
    assert 0.4 < curves.get("es", "type").apply(0.8) < 0.85
    assert curves.get("zh", "trigger") == SAME


def test_a_language_with_few_parts_shares_the_curve_of_all():
    pairs = made("en", 400, Curve(offset=-2)) + made("zh", LEAST - 1, Curve(offset=-2))

    curves = fit_curves(pairs)

    assert ("zh", "type") not in curves.known
    assert curves.get("zh", "type").apply(0.8) < 0.6


def test_a_story_is_never_on_two_sides_of_a_fold():
    pairs = [Pair(c, f"story {i // 4}", "type", 0.5, True) for c in TEXTS for i in range(100)]

    for rest, held in folds(pairs):
        assert not {p.group for p in rest} & {p.group for p in held}
    assert sum(len(held) for _, held in folds(pairs)) == len(pairs)


def test_curves_come_back_from_json_as_they_were():
    curves = Curves(
        {(ALL, "type"): Curve(0.3, -1.2), ("zh", "role"): Curve(knots=((0.1, 0.2), (0.8, 0.5)))}
    )

    assert curves_from_list(curves_to_list(curves)) == curves
