"""Recipes: presets, checks, and the command line that says the same."""

import shlex
from dataclasses import replace

import pytest

from core.errors import TrainingError
from train.recipes import Recipe, command_line, recipe_from_dict, recipe_to_dict, with_settings


def test_the_papers_preset_has_the_papers_settings():
    paper = Recipe.paper()

    assert (paper.rank, paper.alpha, paper.max_tokens) == (128, 256, 9300)
    assert (paper.epochs, paper.batch_size, paper.learning_rate) == (3, 2, 1e-5)
    assert (paper.quantisation, paper.double_quantisation) == ("nf4", True)


@pytest.mark.parametrize("recipe", [Recipe.laptop(), Recipe.paper()])
def test_a_recipe_written_and_read_is_the_same(recipe):
    assert recipe_from_dict(recipe_to_dict(recipe)) == recipe


@pytest.mark.parametrize(
    ("setting", "told"),
    [
        ({"rank": 0}, "rank must be from 1 to 1024, not 0"),
        ({"rank": "много"}, "rank must be a whole number, not 'много'"),
        ({"learning_rate": 3}, "learning_rate must be from 1e-08 to 0.1, not 3"),
        ({"quantisation": "八位"}, "quantisation must be one of nf4, none, not '八位'"),
        ({"per_language": 0}, "per_language must be 1 or more"),
        ({"target_modules": []}, "target_modules is empty"),
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
