"""What is going on in the background, read from the database every two seconds."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from core.records import JobRecord, LossPoint, RunRecord
from pages._ui.catalogue import t
from pages._ui.charts import loss_figure, show
from pages._ui.layout import error_boundary
from pages._ui.session import services
from pages._ui.standing import OPEN_RUN
from pages._ui.words import write_duration
from storage.work import is_alive
from train.queue import cancel_job, cancel_run, worker_is_alive

POLL = 2.0
RATE_OF = 30  # the last steps, whose pace tells the time left


def seconds_left(points: Sequence[LossPoint], total: int) -> float | None:
    """How long the steps to go will take at the pace of the last ones; None before there is a pace."""
    recent = points[-RATE_OF:]
    if len(recent) < 2 or recent[-1].step <= recent[0].step:
        return None
    pace = (recent[-1].seconds - recent[0].seconds) / (recent[-1].step - recent[0].step)
    return pace * max(0, total - recent[-1].step)


def worker_notice() -> None:
    """Where no worker runs: what waits for it, and how to start it."""
    if not worker_is_alive(services()):
        st.warning(t("worker.missing"))


@st.fragment(run_every=POLL)
def watch_run(run_id: int, *, plot: bool = True) -> None:
    """A run that has not ended: progress, time left, loss, cancel. Ends with a rerun of the page."""
    with error_boundary():
        run = services().store.runs.get(run_id)
        if run.state not in OPEN_RUN:
            st.rerun()
        points = services().store.runs.losses(run_id)
        _show_bar(run, points)
        if plot and len(points) > 1:
            figure = loss_figure({t("run.name", n=run.id): points}, steps_to_come=run.total_steps)
            show(figure, key=f"loss_{run_id}", alt=t("chart.loss"))
        if run.cancel_requested:
            st.caption(t("run.stopping"))
        elif run.state != "evaluating":
            key = "run.withdraw" if run.state == "queued" else "run.cancel"
            st.button(t(key), key=f"cancel_run_{run_id}", on_click=_cancel_run, args=(run_id,))


def _show_bar(run: RunRecord, points: Sequence[LossPoint]) -> None:
    share = min(1.0, run.step / run.total_steps) if run.total_steps else 0.0
    st.progress(share, text=describe_run(run, points))
    if run.state != "queued" and not is_alive(run):
        st.caption(t("run.silent"))


def describe_run(run: RunRecord, points: Sequence[LossPoint]) -> str:
    """One line: which run, what it does, how far it is, and how long it still takes."""
    name = t("run.name", n=run.id)
    if run.state == "queued":
        return t("run.queued", run=name)
    if run.state == "evaluating":
        return t("run.evaluating", run=name)
    if not points:
        return t("run.preparing", run=name)
    left = seconds_left(points, run.total_steps)
    line = t(
        "run.training", run=name, step=f"{run.step:,}", total=f"{run.total_steps:,}",
        loss=f"{points[-1].loss:.3f}",
    )  # fmt: skip
    return line + ("" if left is None else t("run.left", time=write_duration(left)))


@st.fragment(run_every=POLL)
def watch_jobs(kinds: Sequence[str]) -> None:
    """Jobs of these kinds that have not ended, each with its progress and Cancel."""
    with error_boundary():
        jobs = [j for j in services().store.jobs.open() if j.kind in kinds]
        if not jobs:
            st.rerun()
        for job in jobs:
            _show_job(job)


def _show_job(job: JobRecord) -> None:
    line, button = st.columns([5, 1], vertical_alignment="bottom")
    text = t(
        f"job.{job.kind}", model=job.payload.get("model", ""), split=job.payload.get("split", "")
    )
    is_running = job.state == "running"
    state = f"{job.progress:.0%}" if is_running else t(f"job.{job.state}")
    line.progress(job.progress, text=f"{text} · {state}")
    if not job.cancel_requested:
        button.button(
            t("action.cancel"), key=f"cancel_job_{job.id}", on_click=_cancel_job, args=(job.id,)
        )


def _cancel_run(run_id: int) -> None:
    cancel_run(services(), run_id)


def _cancel_job(job_id: int) -> None:
    cancel_job(services(), job_id)
