"""Training: what will happen, what is happening, what happened."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from core.errors import TrainingError
from core.records import ENDED, CollectionRecord, RunRecord
from pages._ui.before_start import say_doubts, say_plan, show_details
from pages._ui.catalogue import t
from pages._ui.launch_form import choose_launch, chosen_launch, why_not_here
from pages._ui.layout import confirm_note, empty_state, error_boundary, page_header, show_error
from pages._ui.plans import read_forecast
from pages._ui.progress import worker_notice
from pages._ui.recipe_form import choose_recipe
from pages._ui.run_comparison import show_comparison
from pages._ui.run_more import offer_average
from pages._ui.run_watch import watch_run, watch_states
from pages._ui.runs_list import show_history
from pages._ui.session import collection, person, services
from pages._ui.standing import busy_runs
from pages._ui.sweeps import offer_sweep, show_advice, show_sweeps
from train.forecast import Forecast
from train.launch import starts_here
from train.queue import start_run
from train.recipes import Recipe
from train.snapshot import judged_split


def offer_run(chosen: CollectionRecord) -> Recipe | None:
    """The button, what it would do, and the rest of it folded away; gives the recipe."""
    button, words = st.columns([1, 5], gap="medium")
    recipe: Recipe | None = None
    launch = chosen_launch()
    before = busy_runs(services().store.runs.all())
    try:
        recipe = choose_recipe()
    except TrainingError as problem:
        show_error(problem)
    with error_boundary():
        forecast = read_forecast(chosen, recipe, launch) if recipe else None
        if forecast and recipe:
            with words:
                st.markdown(say_plan(forecast))
                if not starts_here(launch):
                    st.info(why_not_here(launch))
                say_doubts(forecast, recipe)
            show_details(chosen, forecast, recipe, launch=launch, is_busy=bool(before))
            choose_launch(chosen, recipe)
        with button:
            offer_start(chosen, forecast, recipe, launch, before=before)
    return recipe


def offer_start(
    chosen: CollectionRecord,
    forecast: Forecast | None,
    recipe: Recipe | None,
    launch: str,
    *,
    before: Sequence[RunRecord],
) -> None:
    """Retrain where this machine can, behind the runs `before` it; else the writing down of a run that
    is started elsewhere."""
    is_here = starts_here(launch)
    cannot = forecast is None or recipe is None or bool(forecast.refusals)
    pressed = st.button(
        t("training.retrain"), type="primary", key="retrain", width="stretch",
        disabled=cannot or not is_here,
    )  # fmt: skip
    after = t("training.after", n=before[-1].id) if before and is_here else ""
    if after:
        st.caption(after)
    if not is_here:
        pressed = st.button(
            t("launch.prepare"), key="prepare_run", width="stretch", disabled=cannot,
            help=t("launch.prepare.help"),
        )  # fmt: skip
    if pressed and forecast and recipe:
        run_id = start_run(
            services(), chosen.id, recipe, person=person(), launch=launch, by_hand=not is_here
        )
        if not is_here:
            confirm_note(t("launch.prepared", n=run_id))
        elif after:
            confirm_note(t("training.queued", n=run_id, after=before[-1].id))
        st.rerun()


def show_past(chosen: CollectionRecord, runs: Sequence[RunRecord], recipe: Recipe | None) -> None:
    """What happened: a block a run, then runs beside each other, sweeps and advice, folded away."""
    st.markdown(f"## {t('training.history')}")
    evaluations = services().store.models.evaluations(chosen.id)
    split = judged_split(services(), chosen.id)
    show_history(runs, evaluations, split=split)
    ended = [run for run in runs if run.state in ENDED]
    if ended:
        with st.expander(t("compare.title"), key="compare_runs"):
            show_comparison(chosen, ended, evaluations, split=split)
            offer_average(ended)
    with st.expander(t("sweep.section"), key="sweeps"):
        show_advice(chosen)
        show_sweeps(chosen, runs, evaluations, split=split)
        if recipe:
            offer_sweep(chosen, recipe)


page_header(t("page.training"), t("training.intro"))
chosen = collection()
if chosen is None:
    empty_state(
        t("training.no_collection"), action=t("next.no_collection.do"), page="pages/samples.py"
    )
    st.stop()
runs = services().store.runs.all(chosen.id)
under_way = [run for run in runs if run.state not in ENDED]
watch_states([(run.id, run.state) for run in runs], chosen.id)
worker_notice()
recipe = offer_run(chosen)
if under_way:
    st.markdown(f"## {t('training.now')}")
    for run in under_way[::-1]:
        watch_run(run.id)
show_past(chosen, runs, recipe)
