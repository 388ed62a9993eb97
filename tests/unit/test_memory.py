"""The memory of a run by its recipe and its base's shape, and the pace that a run's time is taken from."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from core.records import LossPoint, RunRecord
from train.memory import (
    GIB,
    Shape,
    count_adapter,
    estimate_memory,
    machine_memory,
    paper_bits,
    read_shape,
    smaller_recipe,
)
from train.pace import pace_of
from train.recipes import Recipe

GEMMA = Shape(18, 640, 2048, 4, 1, 256, 262144, is_tied=True)
SEVEN = Shape(32, 4096, 14336, 32, 8, 128, 32000, is_tied=False)


def total(shape: Shape, recipe: Recipe, *, longest: int = 200, on_gpu: bool = False) -> float:
    parts = estimate_memory(shape, recipe, longest=longest, on_gpu=on_gpu, free=16 * GIB)
    return sum(parts.values()) / GIB


def test_a_shape_is_read_from_a_configuration_and_from_one_inside_it(tmp_path):
    facts = {
        "num_hidden_layers": 18, "hidden_size": 640, "intermediate_size": 2048,
        "num_attention_heads": 4, "num_key_value_heads": 1, "head_dim": 256, "vocab_size": 262144,
        "tie_word_embeddings": True,
    }  # fmt: skip
    for name, written in (("модель", facts), ("模型", {"text_config": facts})):
        (tmp_path / name).mkdir()
        (tmp_path / name / "config.json").write_text(json.dumps(written), encoding="utf-8")

    assert [read_shape(str(tmp_path / n)) for n in ("модель", "模型", "нет")] == [
        GEMMA,
        GEMMA,
        None,
    ]


def test_weights_are_counted_as_the_models_say():
    assert round((GEMMA.linear + GEMMA.embedded) / 1e6) == 268
    assert round((SEVEN.linear + SEVEN.embedded) / 1e9, 2) == 7.24
    assert count_adapter(GEMMA, Recipe.laptop()) == 32 * 18 * 13184


def test_the_embedded_model_takes_what_was_measured():
    assert 2.5 < total(GEMMA, Recipe.laptop()) < 3.0  # 2.7 to 2.8 were measured


def test_the_papers_setting_on_a_card_is_far_below_full_training():
    paper = total(SEVEN, Recipe.paper(), longest=1500, on_gpu=True)
    full = total(SEVEN, replace(Recipe.paper(), quantisation="none"), longest=1500, on_gpu=True)

    assert 8 < paper < 16
    assert full > paper + 8


@pytest.mark.parametrize(
    "change",
    [
        {"rank": 128}, {"quantisation": "none", "compute_dtype": "float32"}, {"batch_size": 64},
        {"target_modules": (*Recipe().target_modules, "нет")},
    ],
)  # fmt: skip
def test_more_of_anything_takes_no_less(change):
    usual, changed = Recipe.laptop(), replace(Recipe.laptop(), **change)

    assert total(SEVEN, changed) >= total(SEVEN, usual)


def test_computing_again_takes_less():
    again = replace(Recipe.laptop(), gradient_checkpointing=True)

    assert total(SEVEN, again) < total(SEVEN, Recipe.laptop()) - 1


def test_what_would_fit_is_found_or_nothing_would():
    wide = replace(Recipe.laptop(), quantisation="none", rank=256)
    lengths = {"shortest": 30, "median": 120, "longest": 900}

    def look(most: int) -> dict | None:
        return smaller_recipe(
            SEVEN, wide, lengths=lengths, on_gpu=False, free=16 * GIB, most=most * GIB
        )

    found = look(12)
    assert found is not None
    assert found["quantisation"] == "nf4"
    assert total(SEVEN, replace(wide, **found), longest=900) <= 12
    assert look(1) is None


def test_a_remedy_never_raises_a_setting():
    small = replace(Recipe.laptop(), rank=2, max_tokens=100, gradient_checkpointing=True)
    lengths = {"shortest": 30, "median": 120, "longest": 900}

    found = smaller_recipe(SEVEN, small, lengths=lengths, on_gpu=False, free=16 * GIB, most=1)

    assert found is None


def test_the_papers_equation_counts_a_number_a_token():
    assert paper_bits(Recipe.paper()) == 2 * 9300 * 4


def test_this_machine_has_memory():
    everything, free = machine_memory(on_gpu=False)

    assert everything >= free > 0


def run_of(points: list[LossPoint]):
    moment = datetime(2026, 11, 3, tzinfo=UTC)
    run = RunRecord(
        7, 1, "done", "основа", {}, {}, None, len(points), len(points), "", "", False, moment,
        moment, moment, moment,
    )  # fmt: skip
    return pace_of(run, points)


def test_a_pace_is_of_steps_and_says_how_much_longer_a_run_takes():
    # Twenty steps of 2 s, and an evaluation of 19 s in the middle.
    points = [
        LossPoint(i, 0.0, 1.0, 1e-4, 100.0 + i % 3, 2.0 * i + (19 if i > 10 else 0), i << 20)
        for i in range(1, 21)
    ]

    pace = run_of(points)

    assert pace is not None
    assert (pace.tokens_per_second, pace.run, pace.memory) == (101.0, 7, 20 << 20)
    assert pace.slowness == pytest.approx((38 + 19) / 38)
    assert run_of(points[:4]) is None
