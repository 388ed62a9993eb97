"""Learning curves: known curves come back, and a forecast says how sure it is."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from core.learning_curve import CurvePoint, fit_curve, forecast


def outcomes(
    share: float, *, of: int = 200, seed: int = 0, event_type: str = "发布"
) -> list[dict[str, Any]]:
    """`of` samples with one trigger each; `share` of them are found."""
    chance = np.random.default_rng(seed)
    found = chance.permutation(of) < round(share * of)
    return [
        {"group": str(i), "tri_c": [1, 1, int(hit)], "types": {event_type: [1, 1, int(hit)]}}
        for i, hit in enumerate(found)
    ]


def points(*pairs: tuple[int, float], **more: Any) -> list[CurvePoint]:
    return [CurvePoint(n, outcomes(share, **more)) for n, share in pairs]


@pytest.mark.parametrize(("a", "b", "c"), [(60, 100, 0.5), (80, 300, 0.8), (100, 90, 0.2)])
def test_a_known_curve_is_found_again(a, b, c):
    sizes = [20, 50, 100, 200, 400]

    found = fit_curve(sizes, [a - b * n**-c for n in sizes])

    at_800 = found[0] - found[1] * 800 ** -found[2]
    assert at_800 == pytest.approx(a - b * 800**-c, abs=1)


def test_a_rising_curve_promises_a_gain_with_its_uncertainty():
    found = forecast(points((50, 0.2), (100, 0.32), (200, 0.40)), more=100)

    assert found.n == 200
    assert found.score == pytest.approx(40, abs=0.5)
    assert 1 < found.gain < 8
    assert found.low < found.gain < found.high


def test_a_flat_or_falling_curve_promises_nothing():
    found = forecast(points((50, 0.4), (100, 0.4), (200, 0.38)), more=100)

    assert found.gain == pytest.approx(0, abs=0.3)
    assert found.low >= 0


def test_the_more_samples_are_judged_the_surer_is_the_forecast():
    few, many = (forecast(points((50, 0.2), (100, 0.3), (200, 0.4), of=of)) for of in (40, 1000))

    assert few.high - few.low > 2 * (many.high - many.low)


def test_a_type_is_looked_at_by_itself():
    rare = points((10, 0.1), (20, 0.2), event_type="запуск")

    assert forecast(rare, event_type="запуск").gain > 1
    assert forecast(rare, event_type="другой").score == 0


@pytest.mark.parametrize("given", [[], points((50, 0.2)), points((50, 0.2), (50, 0.3))])
def test_one_size_alone_makes_no_curve(given):
    assert forecast(given) is None
