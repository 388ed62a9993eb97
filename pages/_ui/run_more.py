"""What can still be made of runs that have ended: go on, keep what was learned, train longer, or
average them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import streamlit as st

from core.records import RunRecord
from pages._ui.catalogue import t
from pages._ui.layout import confirm_note, error_boundary
from pages._ui.recipe_form import use_recipe_of
from pages._ui.session import person, services
from train.queue import start_average
from train.recipes import Recipe
from train.steering import continue_run, keep_run, last_step, resume_run


def offer_more(run: RunRecord) -> None:
    """Its recipe for another run; Continue, where there is a model; Resume and Keep, where there is
    none."""
    has_checkpoint = last_step(services(), run.id) is not None
    with error_boundary(), st.container(horizontal=True, gap="small"):
        _button("recipe", run, _use_recipe)
        if run.model_id is not None and has_checkpoint:
            _offer_epochs(run)
        elif run.model_id is None and (has_checkpoint or run.state == "failed"):
            _button("resume", run, _resume)
            if has_checkpoint:
                _button("keep", run, _keep)


def offer_average(runs: Sequence[RunRecord]) -> None:
    """One model of several runs, chosen among those that have one."""
    able = [run for run in runs if run.model_id is not None]
    if len(able) < 2:
        return
    with st.container(border=True, key="average"), error_boundary():
        st.markdown(f"**{t('average.title')}**  \n{t('average.what')}")
        chosen = st.multiselect(
            t("average.runs"), able, key="average_runs", placeholder=t("average.choose"),
            format_func=lambda r: t("average.run", n=r.id, seed=r.recipe.get("seed", 0)),
        )  # fmt: skip
        if st.button(t("average.do"), key="average_do", disabled=len(chosen) < 2):
            new = start_average(services(), [run.id for run in chosen], person=person())
            _tell(t("average.started", n=new))


def _offer_epochs(run: RunRecord) -> None:
    with st.popover(t("run.continue"), key=f"continue_run_{run.id}"):
        st.caption(t("run.continue.what"))
        more = st.number_input(
            t("run.continue.epochs"), 0.1, 100.0, 1.0, step=1.0, format="%g",
            key=f"more_epochs_{run.id}",
        )  # fmt: skip
        if st.button(t("run.continue.do"), key=f"continue_run_{run.id}_do"):
            recipe = Recipe.from_run(run)
            done = recipe.epochs * run.step / max(1, run.total_steps)
            longer = replace(recipe, epochs=round(done + more, 3))
            new = continue_run(services(), run.id, longer, person=person())
            _tell(t("run.continued", n=new, old=run.id))


def _use_recipe(run: RunRecord) -> str:
    use_recipe_of(run)
    return t("run.recipe.used", n=run.id)


def _resume(run: RunRecord) -> str:
    resume_run(services(), run.id)
    return t("run.resumed", n=run.id)


def _keep(run: RunRecord) -> str:
    return t("run.kept", model=keep_run(services(), run.id))


def _button(name: str, run: RunRecord, act: Callable[[RunRecord], str]) -> None:
    key = f"{name}_run_{run.id}"
    if st.button(t(f"run.{name}"), key=key, help=t(f"run.{name}.help")):
        _tell(act(run))


def _tell(note: str) -> None:
    confirm_note(note)
    st.rerun()
