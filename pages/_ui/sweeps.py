"""Sweeps and the retrain advisor: try settings, see one table and one plot, learn where to correct."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import pandas as pd
import streamlit as st

from core.languages import name_of
from core.records import ENDED, CollectionRecord, EvaluationRecord, RunRecord
from pages._ui.catalogue import t
from pages._ui.charts import show, sweep_figure
from pages._ui.layout import confirm_note, error_boundary
from pages._ui.plans import read_forecast
from pages._ui.scores import FIGURES, figure_of, newest_of
from pages._ui.session import person, services
from pages._ui.words import write_duration, write_figure
from train.forecast import check_forecast
from train.launch import default_launch
from train.recipes import Recipe, recipe_to_dict
from train.sweeps import (
    AXES,
    MORE,
    MOST_SEEDS,
    advise,
    cancel_sweep,
    curve_sizes,
    plan_sweep,
    start_seeds,
    start_sweep,
    sweep_runs,
    swept,
)

_WORDS = {"quantisation"}
_WHOLE = {"per_language", "rank", "alpha", "seed"}


def show_advice(chosen: CollectionRecord) -> None:
    """Where more corrections should bring most, by language and by event type."""
    st.markdown(f"### {t('advice.title')}")
    advice = advise(services(), chosen.id)
    if not advice:
        st.caption(t("advice.none"))
        return
    st.caption(t("advice.what", n=MORE))
    for column, kind in zip(st.columns(2, gap="medium"), ("language", "type"), strict=True):
        rows = [
            (
                name_of(a.name) if kind == "language" else a.name, f"{a.forecast.n:,}",
                write_figure(a.forecast.score), _points(a.forecast.gain),
                t("advice.between", low=_points(a.forecast.low), high=_points(a.forecast.high)),
            )
            for a in advice if a.kind == kind
        ]  # fmt: skip
        names = [f"advice.kind.{kind}", "advice.n", "advice.score", "advice.gain", "advice.range"]
        with column, st.container(key=f"figures_advice_{kind}"):
            table = pd.DataFrame(rows, columns=[t(n) for n in names])
            st.table(table, border="horizontal", hide_index=True)


def offer_sweep(chosen: CollectionRecord, recipe: Recipe) -> None:
    """A learning curve or a mean of several seeds by one click, or a grid of two settings."""
    with st.container(border=True, key="learning_curve"), error_boundary():
        st.markdown(f"**{t('sweep.curve')}**  \n{t('sweep.curve.what')}")
        if st.button(t("sweep.start.curve"), key="start_curve"):
            sizes = curve_sizes(services(), chosen.id)
            _start(chosen, plan_sweep(recipe, {"per_language": sizes}))
    with st.container(border=True, key="seeds"), error_boundary():
        st.markdown(f"**{t('sweep.seeds.title')}**  \n{t('sweep.seeds.what')}")
        count = st.number_input(t("sweep.seeds"), 2, MOST_SEEDS, 3, key="seeds_count", width=160)
        seen = read_forecast(chosen, recipe, default_launch())
        if st.button(t("sweep.start.seeds", n=count), key="start_seeds"):
            check_forecast(seen)
            start_seeds(services(), chosen.id, recipe, count, person=person())
            _tell_started(count + 1)
        _say_time([seen.seconds] * count)
    with st.container(border=True, key="sweep"), error_boundary():
        st.markdown(f"**{t('sweep.title')}**  \n{t('sweep.what')}")
        grid: dict[str, list[Any]] = {}
        for number, column in enumerate(st.columns(2)):
            options = [None, *AXES] if number else list(AXES[1:])
            name = column.selectbox(
                t("sweep.setting"), options, format_func=lambda n: t(f"recipe.{n}") if n else "–",
                key=f"sweep_setting_{number}",
            )  # fmt: skip
            if name and name not in grid:
                usual = recipe_to_dict(recipe)[name]
                text = column.text_input(
                    t("sweep.values", name=t(f"recipe.{name}")), _usual(name, usual),
                    key=f"sweep_values_{number}_{name}", help=t("sweep.values.help"),
                )  # fmt: skip
                grid[name] = [_read(name, part) for part in re.split(r"[\s;,]+", text) if part]
        recipes = plan_sweep(recipe, grid)
        launch = default_launch()
        seconds = [read_forecast(chosen, r, launch).seconds for r in recipes]
        if st.button(t("sweep.start", n=len(recipes)), key="start_sweep"):
            _start(chosen, recipes)
        _say_time(seconds)


def show_sweeps(
    chosen: CollectionRecord,
    runs: Sequence[RunRecord],
    evaluations: Sequence[EvaluationRecord],
    *,
    split: str,
) -> None:
    """One sweep as a table and a plot; the newest first."""
    names = list(dict.fromkeys(r.sweep for r in runs if r.sweep))
    if not names:
        return
    name = st.selectbox(t("sweep.results"), names, key="sweep_shown")
    mine = sweep_runs(services(), chosen.id, name)
    ended = sum(r.state in ENDED for r in mine)
    line, drop = st.columns([4, 1], vertical_alignment="center")
    line.caption(t("sweep.progress", done=ended, n=len(mine)))
    if ended < len(mine) and drop.button(t("sweep.cancel"), key="cancel_sweep"):
        cancel_sweep(services(), chosen.id, name)
        confirm_note(t("sweep.cancelled"))
        st.rerun()
    axes = swept(mine) or ["seed"]
    scored = [(r, newest_of(evaluations, r.model_id or "", split=split)) for r in mine]
    rows = [
        [
            t("run.name", n=r.id), t(f"run.state.{r.state}"),
            *_values(r, axes),
            *(write_figure(figure_of(e, f, None)) for f in FIGURES),
        ]
        for r, e in scored
    ]  # fmt: skip
    titles = ["compare.run", "compare.state", *(f"recipe.{a}" for a in axes)]
    columns = [t(n) for n in [*titles, *(f"scores.{f}" for f in FIGURES)]]
    with st.container(key="figures_sweep"):
        st.table(pd.DataFrame(rows, columns=columns), border="horizontal", hide_index=True)
    drawn = {
        t(f"scores.{f}"): [
            (_place(r, axes), value)
            for r, e in scored
            if (value := figure_of(e, f, None)) is not None
        ]
        for f in FIGURES
    }
    if any(len(points) > 1 for points in drawn.values()):
        title = " · ".join(t(f"recipe.{a}") for a in axes)
        show(sweep_figure(drawn, title=title), key="sweep_plot", alt=t("sweep.chart"))


def _start(chosen: CollectionRecord, recipes: Sequence[Recipe]) -> None:
    """Queue them all, or none where one of them cannot work."""
    for recipe in recipes:
        check_forecast(read_forecast(chosen, recipe, default_launch()))
    start_sweep(services(), chosen.id, recipes, person=person())
    _tell_started(len(recipes))


def _tell_started(count: int) -> None:
    confirm_note(t("sweep.started", n=count))
    st.rerun()


def _say_time(seconds: Sequence[float | None]) -> None:
    if None not in seconds:
        st.caption(t("sweep.time", time=write_duration(sum(s or 0 for s in seconds))))


def _usual(name: str, value: Any) -> str:
    """Values to begin with: the recipe's own between a smaller and a larger one."""
    if name in _WORDS:
        return "nf4 none"
    if value is None:
        return "50 100"
    if name == "seed":
        return " ".join(str(value + n) for n in range(3))
    if name in _WHOLE:
        return " ".join(str(v) for v in (max(1, value // 2), value, value * 2))
    return " ".join(f"{v:g}" for v in (value / 2, value, value * 2))


def _read(name: str, part: str) -> Any:
    """A value as it was typed; what is no number is left for the recipe's own check to name."""
    if name in _WORDS:
        return part
    try:
        return int(part) if name in _WHOLE else float(part)
    except ValueError:
        return part


def _place(run: RunRecord, axes: Sequence[str]) -> str:
    return " · ".join(_values(run, axes))


def _values(run: RunRecord, axes: Sequence[str]) -> list[str]:
    if run.mean_of:
        return [t("sweep.mean")] * len(axes)
    return [_shown(run.recipe.get(a)) for a in axes]


def _points(gain: float) -> str:
    return f"+{max(0.0, gain):.1f}"


def _shown(value: Any) -> str:
    return (
        t("sweep.all")
        if value is None
        else f"{value:g}"
        if isinstance(value, float)
        else str(value)
    )
