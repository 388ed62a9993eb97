"""What is going on in the background, read from the database every two seconds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import streamlit as st

from core.records import JobRecord, LossPoint
from pages._ui.catalogue import t
from pages._ui.layout import error_boundary, escape
from pages._ui.session import collection, services
from train.queue import cancel_job, worker_is_alive

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
def watch_jobs(kinds: Sequence[str]) -> None:
    """Jobs of these kinds that have not ended, each with its progress and Cancel."""
    with error_boundary():
        jobs = [j for j in services().store.jobs.open() if j.kind in kinds]
        if not jobs:
            st.rerun()
        chosen = collection()
        elsewhere: dict[int | None, str] = {
            c.id: c.name for c in services().store.collections.all() if c != chosen
        }
        for job in jobs:
            _show_job(job, elsewhere)


def _show_job(job: JobRecord, elsewhere: Mapping[int | None, str]) -> None:
    """A line for a job; `elsewhere`: the names of the collections that are not on the screen."""
    line, button = st.columns([5, 1], vertical_alignment="bottom")
    text = t(
        f"job.{job.kind}", model=job.payload.get("model", ""), split=job.payload.get("split", "")
    )
    if job.collection_id in elsewhere:
        text = t("job.of", job=text, collection=escape(elsewhere[job.collection_id]))
    is_running = job.state == "running"
    state = f"{job.progress:.0%}" if is_running else t(f"job.{job.state}")
    line.progress(job.progress, text=f"{text} · {state}")
    if not job.cancel_requested:
        button.button(
            t("action.cancel"), key=f"cancel_job_{job.id}", on_click=_cancel_job, args=(job.id,)
        )


def _cancel_job(job_id: int) -> None:
    cancel_job(services(), job_id)
