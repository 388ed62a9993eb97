"""The order of training: which example comes when, and how a step is dealt out."""

import itertools
from dataclasses import replace

import pytest

from train.examples import Example
from train.order import PART_TOKENS, order_steps, split_step, steps_an_epoch, total_steps
from train.recipes import Recipe

RECIPE = replace(Recipe.laptop(), batch_size=3, accumulation=2, seed=5)
LANGUAGES = ("en", "zh", "es", "ru")


def make_example(i: int, length: int) -> Example:
    return Example(f"s{i}", LANGUAGES[i % 4], (5,) * (length - 2), (7, 1))


EXAMPLES = [make_example(i, 10 + (i * 37) % 90) for i in range(20)]


def drawn(first: int, last: int, recipe: Recipe = RECIPE) -> list[list[str]]:
    return [
        [e.sample_id for e in batch]
        for _, batch in order_steps(EXAMPLES, recipe, first=first, last=last)
    ]


def test_an_epoch_shows_each_example_once():
    a_round = steps_an_epoch(len(EXAMPLES), RECIPE)

    shown = [i for batch in drawn(0, a_round) for i in batch]

    assert a_round == 4
    assert sorted(shown) == sorted(e.sample_id for e in EXAMPLES)


@pytest.mark.parametrize("first", [1, 3, 4, 7, 11])
def test_a_run_that_goes_on_sees_what_an_uninterrupted_one_sees(first):
    assert drawn(first, 12) == drawn(0, 12)[first:]


def test_epochs_and_seeds_differ_in_their_order():
    assert drawn(0, 4) != drawn(4, 8)
    assert drawn(0, 4) != drawn(0, 4, replace(RECIPE, seed=6))


def test_the_epoch_is_told_as_a_fraction_and_steps_follow_from_it():
    recipe = replace(RECIPE, epochs=1.5)

    epochs = [epoch for epoch, _ in order_steps(EXAMPLES, recipe, first=0, last=6)]

    assert epochs == [0.25, 0.5, 0.75, 1.0, 1.25, 1.5]
    assert total_steps(len(EXAMPLES), recipe) == 6
    assert total_steps(0, recipe) == 0


@pytest.mark.parametrize("processes", [1, 2, 3, 7])
def test_a_step_is_dealt_out_whole_and_in_equally_many_parts(processes):
    step = [make_example(i, length) for i, length in enumerate((500, 20, 300, 21, 90, 400, 22))]

    parts = split_step(step, processes=processes)

    shares = [share for part in parts for share in part]
    dealt = sorted(e.sample_id for share in shares for e in share)
    assert dealt == sorted(e.sample_id for e in step)
    assert all(len(part) == processes for part in parts)
    assert all(part[0] for part in parts)
    for share in shares:
        width = max((len(e) for e in share), default=0)
        assert len(share) == 1 or width * len(share) <= PART_TOKENS


def test_an_example_longer_than_a_part_goes_alone():
    step = [make_example(0, PART_TOKENS + 40), make_example(1, 30)]

    parts = split_step(step)

    assert [[e.sample_id for e in share] for (share,) in parts] == [["s0"], ["s1"]]


def test_batches_hold_examples_of_about_one_length():
    recipe = replace(RECIPE, accumulation=1)
    many = [make_example(i, 10 + (i * 37) % 400) for i in range(300)]

    batches = [batch for _, batch in order_steps(many, recipe, first=0, last=100)]

    spreads = [max(map(len, b)) - min(map(len, b)) for b in batches]
    assert max(spreads) < 40
    assert len({len(b[0]) for b in itertools.islice(batches, 10)}) > 5  # but not in order
