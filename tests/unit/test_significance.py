"""The paired bootstrap: what is luck, what is not, and what cannot be compared."""

from __future__ import annotations

import math
from itertools import product
from typing import Any

import numpy as np
import pytest

from core.errors import InputError
from core.significance import paired_bootstrap


def outcome(
    ident: str, counts: tuple[int, int, int], *, group: str | None = None
) -> dict[str, Any]:
    return {"id": ident, "group": group or ident, "tri_c": list(counts), "arg_c": [0, 0, 0]}


def test_three_samples_give_the_share_of_all_their_draws() -> None:
    old = [outcome("en", (1, 1, 1)), outcome("zh", (1, 1, 0)), outcome("ru", (1, 1, 0))]
    new = [outcome("en", (1, 1, 0)), outcome("zh", (1, 1, 1)), outcome("ru", (1, 1, 1))]

    found = paired_bootstrap(old, new, "tri_c", draws=20_000, seed=1)

    gains = [-1, 1, 1]  # by hand: every one of the 27 draws of three is as likely
    lost = sum(sum(d) < 0 for d in product(gains, repeat=3)) / 27
    assert (round(found.old, 1), round(found.new, 1)) == (33.3, 66.7)
    assert math.isclose(found.p, 2 * lost, abs_tol=0.02)


def test_a_model_beside_itself_differs_by_nothing() -> None:
    same = [outcome(str(i), (2, 2, i % 3 % 2)) for i in range(30)]

    found = paired_bootstrap(same, same, "tri_c")

    assert (found.points, found.low, found.high, found.p) == (0, 0, 0, 1)


def test_a_gain_on_every_sample_is_no_luck() -> None:
    old = [outcome(str(i), (1, 1, 0)) for i in range(50)]
    new = [outcome(str(i), (1, 1, 1)) for i in range(50)]

    found = paired_bootstrap(old, new, "tri_c", draws=1999)

    assert (found.low, found.high) == (100, 100)
    assert found.p == 2 / 2000


def test_samples_of_one_story_are_drawn_together() -> None:
    chance = np.random.default_rng(3)
    hits = chance.integers(0, 2, size=(40, 2))
    apart, together = [
        [
            [outcome(f"{story}-{code}", (1, 1, int(hit[side])), group=f"{story}{code if alone else ''}")
             for story, hit in enumerate(hits) for code in ("en", "zh", "es", "ru")]
            for side in (0, 1)
        ]
        for alone in (True, False)
    ]  # fmt: skip

    wide, narrow = (paired_bootstrap(*sides, "tri_c") for sides in (together, apart))

    assert wide.high - wide.low > 1.5 * (narrow.high - narrow.low)


@pytest.mark.parametrize("new", [[], [outcome("другой", (1, 1, 1))]])
def test_only_the_same_samples_can_be_compared(new: list[dict[str, Any]]) -> None:
    with pytest.raises(InputError, match="same samples"):
        paired_bootstrap([outcome("中文", (1, 1, 1))], new, "tri_c")
