"""The recipe of a run, folded away: a preset to begin with, every setting to be changed."""

from __future__ import annotations

from typing import Any

import streamlit as st

from core.records import RunRecord
from pages._ui.catalogue import t
from train.recipes import (
    CHOICES,
    FRACTIONS,
    LINEAR,
    PRESETS,
    Recipe,
    recipe_from_dict,
    recipe_to_dict,
)

_COLUMNS = (
    (
        "epochs", "batch_size", "accumulation", "learning_rate", "schedule", "warmup_steps",
        "weight_decay", "adam_beta1", "adam_beta2", "adam_epsilon", "max_grad_norm",
    ),
    (
        "rank", "alpha", "dropout", "target_modules", "quantisation", "double_quantisation",
        "compute_dtype", "gradient_checkpointing",
    ),
    (
        "max_tokens", "per_language", "balance", "seed", "evaluate_every", "eval_samples",
        "scored_samples", "patience", "checkpoint_minutes", "checkpoint_steps",
    ),
)  # fmt: skip
_TINY = {"learning_rate": 1e-5, "adam_epsilon": 1e-9}
_FINE = {"adam_beta1": 0.01, "adam_beta2": 0.001}
_PAST, _NEXT = (
    "recipe_of_run",
    "preset_next",
)  # in the session: a run's recipe, and what is chosen next


def choose_recipe() -> Recipe:
    """The recipe as the form has it; raises `TrainingError` that names the setting and the value."""
    past: dict[str, Recipe] = st.session_state.get(_PAST, {})
    wanted = st.session_state.pop(_NEXT, None)
    if wanted or "preset" not in st.session_state:
        st.session_state["preset"] = wanted or PRESETS[0]
    preset = st.segmented_control(
        t("recipe.preset"), [*PRESETS, *past], required=True, key="preset",
        format_func=lambda name: t("run.name", n=name) if name in past
        else t(f"recipe.preset.{name}"),
    )  # fmt: skip
    preset = preset or PRESETS[0]
    usual = recipe_to_dict(past[preset] if preset in past else Recipe.named(preset))
    values: dict[str, Any] = {"preset": usual["preset"]}
    with st.expander(t("recipe.title"), key="recipe"):
        about = t("recipe.about.run", n=preset) if preset in past else ""
        st.caption(about or t(f"recipe.about.{usual['preset']}"))
        columns = st.columns(len(_COLUMNS), gap="medium")
        for column, names in zip(columns, _COLUMNS, strict=True):
            for name in names:
                with column:
                    values[name] = _setting(name, usual[name], f"recipe_{preset}_{name}")
    return recipe_from_dict(values)


def use_recipe_of(run: RunRecord) -> None:
    """Put a past run's recipe into the form at the next look at the page; raises `TrainingError` where
    it can no longer be used."""
    name = str(run.id)
    st.session_state[_PAST] = {name: Recipe.from_run(run)}
    st.session_state[_NEXT] = name


def _setting(name: str, usual: Any, key: str) -> Any:
    label = t(f"recipe.{name}")
    if name in CHOICES:
        options = CHOICES[name]
        return st.selectbox(label, options, options.index(usual), key=key)
    if name == "target_modules":
        chosen = st.multiselect(
            label, list(dict.fromkeys((*LINEAR, *usual))), usual, key=key, accept_new_options=True
        )
        return list(chosen)
    if isinstance(usual, bool):
        return st.checkbox(label, usual, key=key)
    if name in FRACTIONS:
        value = st.number_input(
            label, value=float(usual), step=_TINY.get(name) or _FINE.get(name, 0.1), key=key,
            format="%.1e" if name in _TINY else "%g",
        )  # fmt: skip
        return float(value)
    placeholder = t("recipe.all") if name == "per_language" else None
    number = st.number_input(label, value=usual, step=1, key=key, placeholder=placeholder)
    return None if number is None else int(number)
