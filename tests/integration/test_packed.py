"""Packed rows: the hidden states are those of each row read alone by transformers itself."""

import random

import pytest
import torch
from transformers import AutoModelForCausalLM

from core.models.packed import PackedModel

NEAR = 1e-4


@pytest.fixture(scope="module")
def exact(tiny_model):
    """The tiny model in 32 bits, where only a mistake makes a difference."""
    model = AutoModelForCausalLM.from_pretrained(tiny_model, dtype=torch.float32)
    return model.train(False)


def read_alone(model, tokens):
    return model.model(input_ids=torch.tensor([tokens])).last_hidden_state[0, -1]


@pytest.mark.parametrize("slots", [1, 8])
@pytest.mark.parametrize("before", [0, 3, 100])  # the window of the tiny model is 64
def test_rows_read_together_say_what_each_says_alone(exact, before, slots):
    chance = random.Random(before)

    def draw(count: int) -> list[int]:
        return [chance.randrange(3, 300) for _ in range(count)]

    prefix = draw(before)
    rows = [draw(n) for n in (60, 40, 90, 33, 75)][:slots]
    packed = PackedModel(exact)

    with torch.inference_mode():
        expected = [read_alone(exact, prefix + row) for row in rows]
        with packed.attending():
            packed.begin(packed.read_prefix(prefix) if prefix else {}, slots=slots, capacity=90)
            left, found = list(rows), {}
            names = list(range(len(rows)))
            while left:
                fed = [row[: chance.choice([1, 1, 2, 9, 20])] for row in left]
                hidden = packed.feed(fed)
                left = [row[len(new) :] for row, new in zip(left, fed, strict=True)]
                for slot in range(len(left) - 1, -1, -1):
                    if not left[slot]:
                        found[names[slot]] = hidden[slot]
                        packed.drop(slot)
                        left[slot], names[slot] = left[-1], names[-1]
                        left.pop()
                        names.pop()

    for i, hidden in found.items():
        assert torch.allclose(hidden, expected[i], atol=NEAR, rtol=NEAR)


def test_the_model_attends_as_before_after_packing_even_where_it_was_interrupted(exact):
    tokens = [5, 9, 77, 31]
    packed = PackedModel(exact)
    with torch.inference_mode():
        before = read_alone(exact, tokens)

    with pytest.raises(KeyboardInterrupt), packed.attending():
        raise KeyboardInterrupt

    with torch.inference_mode():
        assert torch.equal(read_alone(exact, tokens), before)
