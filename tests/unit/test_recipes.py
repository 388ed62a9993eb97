"""Recipes: presets, checks, and the command line that says the same."""

import shlex
from dataclasses import replace

import pytest

from cli import build_parser
from core.errors import TrainingError
from core.schema import EventType, Schema
from train.recipes import (
    PRESETS,
    Recipe,
    command_line,
    recipe_from_dict,
    recipe_to_dict,
    with_settings,
)


def test_the_papers_preset_has_the_papers_settings():
    paper = Recipe.paper()

    assert (paper.rank, paper.alpha, paper.max_tokens) == (128, 256, 9300)
    assert (paper.epochs, paper.batch_size, paper.learning_rate) == (3, 2, 1e-5)
    assert (paper.quantisation, paper.double_quantisation) == ("nf4", True)


@pytest.mark.parametrize("preset", PRESETS)
def test_every_preset_can_be_used_and_written_as_a_command(preset):
    recipe = Recipe.named(preset)
    recipe.check()

    assert recipe.preset == preset
    assert shlex.split(command_line(recipe, "新闻"))[-2:] == ["--preset", preset]


def test_a_preset_that_is_not_there_is_told_with_those_that_are():
    with pytest.raises(TrainingError, match="'laptop2': choose one of laptop, single_gpu, paper"):
        Recipe.named("laptop2")


def test_a_preset_may_be_written_with_a_hyphen():
    assert Recipe.named("single-gpu") == Recipe.single_gpu()


def test_the_command_lines_help_names_every_preset(capsys):
    with pytest.raises(SystemExit):
        build_parser().parse_args(["train", "--help"])

    told = capsys.readouterr().out
    assert all(name.replace("_", "-") in told for name in PRESETS)


def test_a_past_run_gives_its_recipe_and_what_it_did_not_know_is_as_usual(store):
    schema = Schema((EventType("启动"),))
    collection = store.collections.create("работа", schema)
    old = {k: v for k, v in recipe_to_dict(Recipe.paper()).items() if k != "patience"}
    store.models.add("base", title="Base", state="base", location="/nowhere")
    run = store.runs.add(collection.id, base_id="base", recipe=old | {"rank": 16, "gone": 1})

    recipe = Recipe.from_run(store.runs.get(run))

    assert recipe == replace(Recipe.paper(), rank=16)


@pytest.mark.parametrize("recipe", [Recipe.laptop(), Recipe.single_gpu(), Recipe.paper()])
def test_a_recipe_written_and_read_is_the_same(recipe):
    assert recipe_from_dict(recipe_to_dict(recipe)) == recipe


@pytest.mark.parametrize(
    ("setting", "told"),
    [
        ({"rank": 0}, "rank must be from 1 to 1024, not 0: 8 to 128 is usual"),
        ({"rank": True}, "rank must be a whole number, not True"),
        ({"epochs": "много"}, "epochs must be a number, not 'много'"),
        ({"double_quantisation": 1}, "double_quantisation must be true or false, not 1"),
        ({"adam_beta2": 1.0}, "adam_beta2 must be from 0 to 0.99999, not 1.0: 0.999 is usual"),
        (
            {"compute_dtype": "半精度"},
            "compute_dtype must be one of bfloat16, float32, not '半精度'",
        ),
        ({"patience": 2, "evaluate_every": 0}, "patience is 2, and evaluate_every .* is 0"),
        ({"rank": "много"}, "rank must be a whole number, not 'много'"),
        ({"learning_rate": 3}, "learning_rate must be from 1e-08 to 0.1, not 3"),
        ({"quantisation": "八位"}, "quantisation must be one of nf4, fp4, int8, none, not '八位'"),
        (
            {"per_language": 0},
            "per_language must be from 1 to .*, not 0: leave it out for all samples",
        ),
        ({"target_modules": []}, "target_modules is empty: name at least one"),
        ({"target_modules": "q_proj"}, "target_modules must be a list of layers, not 'q_proj'"),
        ({"ranks": 8}, "no setting 'ranks'"),
    ],
)
def test_a_setting_that_cannot_work_is_named_with_its_value(setting, told):
    with pytest.raises(TrainingError, match=told):
        recipe_from_dict(recipe_to_dict(Recipe.laptop()) | setting)


def test_the_command_line_says_what_differs_from_the_preset():
    recipe = replace(Recipe.laptop(), rank=16, per_language=80, seed=7)

    assert shlex.split(command_line(recipe, "новости 新闻")) == [
        "argus", "train", "--collection", "новости 新闻", "--preset", "laptop",
        "--set", "rank=16", "--seed", "7", "--per-language", "80",
    ]  # fmt: skip


def test_settings_from_a_command_line_are_read_by_their_kind():
    recipe = with_settings(
        Recipe.laptop(), ["rank=8", "learning_rate=1e-4", "target_modules=q_proj,v_proj",
                          "double_quantisation=false"],
    )  # fmt: skip

    assert (recipe.rank, recipe.learning_rate) == (8, 1e-4)
    assert (recipe.target_modules, recipe.double_quantisation) == (("q_proj", "v_proj"), False)


@pytest.mark.parametrize("setting", ["rank", "rank=viel", "rang=8", "double_quantisation=maybe"])
def test_a_setting_that_cannot_be_read_is_refused(setting):
    with pytest.raises(TrainingError, match=r"rank|double_quantisation|NAME=VALUE"):
        with_settings(Recipe.laptop(), [setting])
