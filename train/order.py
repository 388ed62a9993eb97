"""Which examples go into which step, and in which parts they pass through the model.

A step's examples follow from the recipe's seed and the step's number alone: a run that goes on from
step 70 sees what an uninterrupted one sees, and so does each of several processes.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence

from train.examples import Example
from train.recipes import Recipe

PART_TOKENS = 512  # padded tokens that go through the model at a time; more is no faster on a CPU
GPU_PART_TOKENS = 8192  # a card wants more at a time
LOOSE = 24  # tokens by which lengths are blurred, so that batches differ from epoch to epoch


def steps_an_epoch(samples: int, recipe: Recipe) -> int:
    """Optimiser steps in one epoch."""
    batches = -(-samples // recipe.batch_size)
    return -(-batches // recipe.accumulation)


def total_steps(samples: int, recipe: Recipe) -> int:
    """Optimiser steps of a run (the paper's equation 6, batches rounded up)."""
    return max(1, round(recipe.epochs * steps_an_epoch(samples, recipe))) if samples else 0


def order_steps(
    examples: Sequence[Example], recipe: Recipe, *, first: int, last: int
) -> Iterator[tuple[float, list[Example]]]:
    """(epochs done after the step, its examples) for the steps after `first` up to `last`.

    A batch holds examples of about one length; a step holds `accumulation` batches.
    """
    an_epoch = steps_an_epoch(len(examples), recipe)
    drawn, groups = -1, [[0]]
    for step in range(first, last):
        epoch, at = divmod(step, an_epoch)
        if epoch != drawn:
            drawn, groups = epoch, _draw_epoch([len(e) for e in examples], recipe, epoch)
        yield (step + 1) / an_epoch, [examples[i] for i in groups[at]]


def split_step(
    examples: Sequence[Example], *, processes: int = 1, tokens: int = PART_TOKENS
) -> list[list[list[Example]]]:
    """The examples of a step in parts, each dealt out to the processes: parts[part][process].

    The parts follow each other through the model, and their gradients add up to the step's. Every
    process has as many parts as the others, of about one width; a place in one may stay empty.
    """
    parts: list[list[Example]] = [[]]
    for example in sorted(examples, key=len, reverse=True):
        rows = -(-(len(parts[-1]) + 1) // processes)
        if parts[-1] and rows * len(parts[-1][0]) > tokens:
            parts.append([])
        parts[-1].append(example)
    return [[part[p::processes] for p in range(processes)] for part in parts]


def _draw_epoch(lengths: Sequence[int], recipe: Recipe, epoch: int) -> list[list[int]]:
    draw = random.Random(f"{recipe.seed}:{epoch}")
    near = sorted(range(len(lengths)), key=lambda i: lengths[i] + draw.random() * LOOSE)
    batches = [near[i : i + recipe.batch_size] for i in range(0, len(near), recipe.batch_size)]
    draw.shuffle(batches)
    return [
        [i for batch in batches[at : at + recipe.accumulation] for i in batch]
        for at in range(0, len(batches), recipe.accumulation)
    ]
