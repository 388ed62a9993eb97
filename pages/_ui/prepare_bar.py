"""Suggestions ahead on the Queues page: start them for a filter, see how far they are, pause, cancel."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import streamlit as st

from core.errors import ModelError
from core.preparing import Preparation, preparation_from_dict, seconds_left
from core.queues import Queue
from core.records import JobKind, JobRecord, ModelRecord
from core.schema import Schema
from pages._ui.catalogue import t, tn
from pages._ui.layout import confirm_note, error_boundary, escape, write_sentence
from pages._ui.progress import POLL, worker_notice
from pages._ui.queue_list import close_dialog, open_dialog
from pages._ui.queue_words import describe_filter
from pages._ui.session import person, services
from pages._ui.words import write_duration, write_size
from train.carrier import worker_memory
from train.preparing import (
    Estimate,
    estimate_preparation,
    pause_job,
    resume_job,
    start_preparation,
)
from train.queue import cancel_job
from train.registry import model_in_use

KINDS: tuple[JobKind, ...] = ("prepare", "renew")
JUST_NOW = timedelta(minutes=10)  # an ended job is shown for so long
NAMED = 10  # failures one by one


def offer_preparation(collection_id: int, *, row: Any) -> None:
    """The button in a row of buttons that opens the dialog, and below it what is under way."""
    row.button(t("prepare"), key="prepare_open", on_click=open_dialog, args=("prepare",))
    if _shown(collection_id):
        watch_ahead(collection_id)


# ---------------------------------------------------------------- the dialog


def show_preparation(queue: Queue, schema: Schema) -> None:
    """Ask for the model and a limit, say how many and how long, and start."""
    with error_boundary():
        models = _models(queue.collection_id)
        if not models:
            st.info(t("prepare.no_model"))
            return
        st.markdown(t("prepare.what"))
        st.markdown(f":gray[{escape(describe_filter(queue.wanted, schema) or _everything())}]")
        model: ModelRecord = st.selectbox(
            t("prepare.model"), models, format_func=lambda m: m.title, key="prepare_model"
        )
        limit = st.number_input(
            t("prepare.limit"), 1, None, None, key="prepare_limit", help=t("prepare.limit.help"),
            placeholder=t("prepare.limit.all"), width=160,
        )  # fmt: skip
        again = st.checkbox(t("prepare.again"), key="prepare_again")
        order = Preparation(
            queue.collection_id,
            model.id,
            queue.wanted,
            None if limit is None else int(limit),
            again,
        )
        estimate = estimate_preparation(services(), order)
        st.markdown(_write_estimate(estimate))
        with st.container(horizontal=True, key="prepare_decide"):
            pressed = st.button(
                tn("prepare.do", estimate.count), type="primary", key="prepare_do",
                disabled=not estimate.count,
            )  # fmt: skip
            if st.button(t("bulk.cancel"), key="prepare_cancel", on_click=close_dialog):
                st.rerun()
        if pressed:
            start_preparation(services(), order, person=person())
            confirm_note(tn("prepare.started", estimate.count))
            close_dialog()
            st.rerun()


def _models(collection_id: int) -> list[ModelRecord]:
    """The models that can be asked, the one in use first."""
    try:
        current = model_in_use(services(), collection_id).id
    except ModelError:  # none at all
        return []
    every = services().store.models.all(collection_id=collection_id)
    return sorted((m for m in every if m.state != "deleted"), key=lambda m: m.id != current)


def _write_estimate(estimate: Estimate) -> str:
    if not estimate.count:
        return t("prepare.none")
    samples = tn("prepare.count", estimate.count)
    if estimate.seconds is None:
        return t("prepare.time.unknown", samples=samples)
    pace = t("time.seconds", n=f"{estimate.seconds / estimate.count:.1f}")
    return t("prepare.time", samples=samples, time=write_duration(estimate.seconds), pace=pace)


# ---------------------------------------------------------------- what is under way


@st.fragment(run_every=POLL)
def watch_ahead(collection_id: int) -> None:
    """The jobs of a collection, each with its progress, time left and what can be done with it; a
    rerun of the page when the last of them has ended."""
    with error_boundary(), st.container(key="ahead", border=True):
        jobs = _shown(collection_id)
        was_open = st.session_state.get("ahead_open", False)
        is_open = any(job.finished is None for job in jobs)
        st.session_state["ahead_open"] = is_open
        if was_open and not is_open:
            st.rerun()
        schema = services().store.collections.schema(collection_id)
        titles = {m.id: m.title for m in services().store.models.all()}
        for job in jobs:
            _show_job(job, titles, schema)
        memory = worker_memory(services())
        if memory is not None:
            st.caption(t("ahead.memory", size=write_size(memory)))
        elif is_open:
            worker_notice()


def _shown(collection_id: int) -> list[JobRecord]:
    """What has not ended, and what ended just now and is worth a word; oldest first."""
    jobs = services().store.jobs
    found = [j for j in jobs.open(collection_id=collection_id) if j.kind in KINDS]
    since = datetime.now(UTC) - JUST_NOW
    for kind in KINDS:
        for job in jobs.latest(kind, collection_id=collection_id, limit=3):
            if job.finished is not None and job.finished > since:
                found.append(job)
    return sorted(found, key=lambda job: job.id)


def _show_job(job: JobRecord, titles: dict[str, str], schema: Schema) -> None:
    line, first, second = st.columns([6, 1.2, 1.2], vertical_alignment="bottom")
    line.progress(job.progress, text=f"{_title(job, titles, schema)} · {_state(job)}")
    if job.finished is None and not job.cancel_requested:
        _buttons(job, first, second)
    if job.failures:
        with st.expander(tn("ahead.failures", len(job.failures))):
            st.markdown("\n".join(f"- {line}" for line in _write_failures(job.failures)))


def _buttons(job: JobRecord, first: Any, second: Any) -> None:
    if job.state in ("paused", "waiting"):
        word = "ahead.resume" if job.state == "paused" else "ahead.try"
        act = resume_job
    else:
        word, act = "ahead.pause", pause_job
    first.button(
        t(word), key=f"rest_{job.id}", on_click=act, args=(services(), job.id), width="stretch"
    )
    second.button(
        t("ahead.cancel"), key=f"stop_{job.id}", on_click=cancel_job, args=(services(), job.id),
        width="stretch",
    )  # fmt: skip


def _title(job: JobRecord, titles: dict[str, str], schema: Schema) -> str:
    order = preparation_from_dict(job.payload)
    model = escape(titles.get(order.model_id, order.model_id))
    said = escape(describe_filter(order.wanted, schema) or _everything())
    return t(f"ahead.{job.kind}", model=model, filter=said)


def _state(job: JobRecord) -> str:
    """How far a job is, and what it does or waits for."""
    parts = []
    if job.total:
        done = f"{job.done + len(job.failures):,}"
        parts.append(t("ahead.count", done=done, total=f"{job.total:,}"))
    if job.state in ("waiting", "failed"):
        parts.append(t(f"ahead.{job.state}", why=write_sentence(job.message)))
    elif job.state != "running":
        parts.append(t(f"ahead.{job.state}"))
    elif job.cancel_requested:
        parts.append(t("ahead.stopping"))
    else:
        left = seconds_left(job, _pace(job))
        parts += [] if left is None else [t("ahead.left", time=write_duration(left))]
    return " · ".join(parts)


def _pace(job: JobRecord) -> float | None:
    model = job.payload.get("model")
    return None if model is None else services().store.suggestions.pace(model)


def _write_failures(failures: Sequence[Any]) -> list[str]:
    lines = [
        t("ahead.failure", sample=escape(f["id"]), why=escape(f["message"]))
        for f in failures[:NAMED]
    ]
    if len(failures) > NAMED:
        lines.append(t("ahead.more", n=f"{len(failures) - NAMED:,}"))
    return lines


def _everything() -> str:
    return t("ahead.everything")
