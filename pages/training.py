"""Training: what will happen, what is happening, what happened."""

from __future__ import annotations

import streamlit as st

from core.errors import TrainingError
from core.records import CollectionRecord
from pages._ui.catalogue import t, tn
from pages._ui.layout import empty_state, error_boundary, escape, page_header, show_error
from pages._ui.plans import read_plan
from pages._ui.progress import watch_run, worker_notice
from pages._ui.recipe_form import choose_recipe
from pages._ui.run_comparison import show_comparison
from pages._ui.runs_list import show_history
from pages._ui.session import collection, person, services
from pages._ui.standing import OPEN_RUN
from pages._ui.sweeps import offer_sweep, show_advice, show_sweeps
from pages._ui.words import write_by_language, write_duration
from train.queue import start_run
from train.recipes import Recipe, command_line
from train.registry import base_to_train
from train.snapshot import Plan, judged_split


def say_plan(plan: Plan, base: str) -> str:
    """What a run would do, in plain words."""
    if not plan.samples:
        return t("plan.nothing")
    split = plan.test_split_is
    return t(
        "plan", samples=tn("plan.samples", plan.samples), languages=write_by_language(plan.by_language),
        steps=f"{plan.steps:,}", base=escape(base),
        time=t("plan.time", time=write_duration(plan.minutes * 60)) if plan.minutes else "",
        judged=t("plan.unjudged")
        if split == "none"
        else t("plan.judged", split=t(f"split.{split}"),
               n=tn("count.sample", plan.test if split == "test" else plan.dev)),
    )  # fmt: skip


def offer_run(chosen: CollectionRecord, *, is_busy: bool) -> Recipe | None:
    """The button, what it would do, the recipe behind it, and the same as a command; gives the recipe."""
    button, words = st.columns([1, 5], gap="medium")
    recipe: Recipe | None = None
    try:
        recipe = choose_recipe()
    except TrainingError as problem:
        show_error(problem)
    with error_boundary():
        base = base_to_train(services(), chosen.id)
        plan = read_plan(chosen, recipe) if recipe else None
        pressed = button.button(
            t("training.retrain"), type="primary", key="retrain", width="stretch",
            disabled=is_busy or plan is None or not plan.samples,
            help=t("training.busy") if is_busy else None,
        )  # fmt: skip
        if plan:
            words.markdown(say_plan(plan, base.id))
            if plan.repeated and recipe:
                by = t(f"plan.by.{recipe.balance}")
                words.markdown(tn("plan.repeated", plan.repeated, by=by))
            if plan.warnings:
                words.caption(escape(" ".join(plan.warnings)))
            if not plan.samples:
                words.page_link("pages/review.py", label=t("next.review.do"))
        if recipe:
            st.caption(t("training.command"))
            st.code(command_line(recipe, chosen.name), language=None, wrap_lines=True)
        if pressed and recipe:
            start_run(services(), chosen.id, recipe, person=person())
            st.rerun()
    return recipe


page_header(t("page.training"), t("training.intro"))
chosen = collection()
if chosen is None:
    empty_state(
        t("training.no_collection"), action=t("next.no_collection.do"), page="pages/samples.py"
    )
    st.stop()
runs = services().store.runs.all(chosen.id)
under_way = [run for run in runs if run.state in OPEN_RUN]
worker_notice()
recipe = offer_run(chosen, is_busy=bool(under_way))
if under_way:
    st.markdown(f"## {t('training.now')}")
    for run in under_way[::-1]:
        watch_run(run.id)
st.markdown(f"## {t('training.history')}")
evaluations = services().store.models.evaluations(chosen.id)
split = judged_split(services(), chosen.id)
show_history(runs, evaluations, split=split)
ended = [run for run in runs if run.state not in OPEN_RUN]
if ended:
    with st.expander(t("compare.title"), key="compare_runs"):
        show_comparison(chosen, ended, evaluations, split=split)
with st.expander(t("sweep.section"), key="sweeps"):
    show_advice(chosen)
    show_sweeps(chosen, runs, evaluations, split=split)
    if recipe:
        offer_sweep(chosen, recipe)
