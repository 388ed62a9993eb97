"""A run that has not ended: how far it is, its curves, its log, and the buttons that steer it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import streamlit as st

from core.records import ENDED, LossPoint, RunRecord
from pages._ui.catalogue import t
from pages._ui.charts import show
from pages._ui.launch_form import show_commands
from pages._ui.layout import error_boundary
from pages._ui.progress import POLL, seconds_left
from pages._ui.run_charts import course_figure, loss_figure
from pages._ui.session import services
from pages._ui.words import write_duration
from storage.work import is_alive
from train.launch import starts_here
from train.run_log import log_file, read_log_tail
from train.steering import cancel_run, pause_run, resume_run


@st.fragment(run_every=POLL)
def watch_states(seen: Sequence[tuple[int, str]], collection_id: int) -> None:
    """Run the page anew when a run began, ended or changed its state, in whichever browser."""
    now = [(run.id, run.state) for run in services().store.runs.all(collection_id)]
    if now != list(seen):
        st.rerun()


@st.fragment(run_every=POLL)
def watch_run(run_id: int, *, plot: bool = True) -> None:
    """A run that has not ended. Ends with a rerun of the page."""
    with error_boundary():
        run = services().store.runs.get(run_id)
        if run.state in ENDED:
            st.rerun()
        points = services().store.runs.losses(run_id)
        with st.container(border=plot, key=f"open_run_{run_id}"):
            _show_bar(run, points)
            _show_buttons(run)
            if plot:
                _show_curves(run, points)
                show_log(run)


def show_log(run: RunRecord) -> None:
    """The newest lines of a run's log, and the whole of it as a file."""
    lines = read_log_tail(services().home, run.id)
    if not lines:
        return
    with st.expander(t("run.log"), key=f"log_{run.id}", type="compact"):
        st.code("\n".join(lines), language=None, wrap_lines=True)
        path = log_file(services().home, run.id)
        st.download_button(
            t("run.log.whole"), path.read_bytes, path.name, "text/plain", key=f"log_file_{run.id}",
            on_click="ignore",
        )  # fmt: skip


def describe_run(run: RunRecord, points: Sequence[LossPoint]) -> str:
    """One line: which run, what it does, how far it is, and how long it still takes."""
    name = t("run.name", n=run.id)
    at = {"step": f"{run.step:,}", "total": f"{run.total_steps:,}"}
    if run.state == "paused":
        return t("run.paused", run=name, **at)
    if run.state == "queued":
        return t("run.queued" if starts_here(run.launch) else "run.by_hand", run=name)
    if run.state == "evaluating":
        return t("run.evaluating", run=name)
    if not points:
        return t("run.averaging" if run.mean_of else "run.preparing", run=name)
    left = seconds_left(points, run.total_steps)
    line = t("run.training", run=name, loss=f"{points[-1].loss:.3f}", **at)
    return line + ("" if left is None else t("run.left", time=write_duration(left)))


# ---------------------------------------------------------------- private


def _show_bar(run: RunRecord, points: Sequence[LossPoint]) -> None:
    share = min(1.0, run.step / run.total_steps) if run.total_steps else 0.0
    st.progress(share, text=describe_run(run, points))
    if run.state in ("running", "evaluating") and not is_alive(run):
        st.caption(t("run.silent"))
    if run.state == "queued" and not starts_here(run.launch):
        show_commands(run.launch, run.id)


def _show_buttons(run: RunRecord) -> None:
    """What can be done with the run now, or what was asked of it."""
    asked = _asked(run)
    if asked:
        st.caption(t(asked))
    elif run.state == "evaluating":
        _button("skip", run.id, cancel_run)
    else:
        with st.container(horizontal=True, gap="small"):
            if run.state == "paused":
                _button("resume", run.id, resume_run)
            if run.state == "running":
                _button("pause", run.id, pause_run)
            if run.state == "running" or run.step:
                _button("keep", run.id, cancel_run)
            _button("cancel", run.id, partial(cancel_run, keep=False))


def _asked(run: RunRecord) -> str:
    if run.cancel_requested and run.state == "evaluating":
        return "run.skipping"
    if run.cancel_requested:
        return "run.cancelling" if run.pause_requested else "run.stopping"
    return "run.pausing" if run.pause_requested else ""


def _button(name: str, run_id: int, act: Callable[..., None]) -> None:
    key = f"{name}_run_{run_id}"
    if st.button(t(f"run.{name}"), key=key, help=t(f"run.{name}.help")):
        act(services(), run_id)
        st.rerun()


def _show_curves(run: RunRecord, points: Sequence[LossPoint]) -> None:
    if len(points) < 2:
        return
    drawn, name = {t("run.name", n=run.id): points}, t("chart.more")
    figure = loss_figure(drawn, steps_to_come=run.total_steps)
    show(figure, key=f"loss_{run.id}", alt=t("chart.loss"))
    box = st.expander(name, key=f"curves_{run.id}", type="compact", on_change="rerun")
    if box.open:
        with box:
            more = course_figure(drawn, steps_to_come=run.total_steps)
            show(more, key=f"course_{run.id}", alt=name)
