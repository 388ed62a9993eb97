"""The history of training runs: a block a run, with its scores against its base, or why it failed."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from core.records import ENDED, EvaluationRecord, RunRecord
from pages._ui.catalogue import t, tn
from pages._ui.charts import show
from pages._ui.layout import confirm_note, error_boundary, escape, write_sentence
from pages._ui.run_charts import course_figure, loss_figure
from pages._ui.run_more import offer_more
from pages._ui.run_watch import show_log
from pages._ui.scores import newest_of, show_figures
from pages._ui.session import services
from pages._ui.words import write_by_language, write_duration, write_size, write_time
from storage.home import folder_bytes
from train.fitting import DATA_CARD, run_folder
from train.registry import delete_run

SHOWN = 5
_COLOURS = {"done": "green", "failed": "red", "cancelled": "orange"}


def show_history(
    runs: Sequence[RunRecord], evaluations: Sequence[EvaluationRecord], *, split: str
) -> None:
    """Ended runs, newest first; the older ones folded away."""
    ended = [run for run in runs if run.state in ENDED]
    if not ended:
        st.caption(t("training.history.empty"))
    for run in ended[:SHOWN]:
        _show_run(run, evaluations, split)
    if len(ended) > SHOWN:
        with st.expander(tn("training.older", len(ended) - SHOWN)):
            for run in ended[SHOWN:]:
                _show_run(run, evaluations, split)


def _show_run(run: RunRecord, evaluations: Sequence[EvaluationRecord], split: str) -> None:
    with st.container(border=True, key=f"run_{run.id}"):
        line, way, drop = st.columns([6, 1.2, 1], vertical_alignment="center")
        line.markdown(_headline(run))
        if run.reason:
            (st.error if run.state == "failed" else st.caption)(write_sentence(run.reason))
        scored = newest_of(evaluations, run.model_id or "", split=split)
        if scored:
            same = [e for e in evaluations if e.test_hash == scored.test_hash]
            before = newest_of(same, run.base_id, split=split)
            note = "training.figures" if before else "training.figures.alone"
            show_figures(scored, before, key=f"run{run.id}", note=t(note, base=escape(run.base_id)))
        elif run.model_id and run.state != "failed":
            st.caption(t("training.unscored"))
        if run.model_id:
            way.page_link("pages/models.py", label=t("training.compare"))
        drop.button(
            t("training.delete"), key=f"delete_run_{run.id}", type="tertiary",
            on_click=_ask, args=(run.id,),
        )  # fmt: skip
        if st.session_state.get("run_to_delete") == run.id:
            _confirm(run)
        _say_data(run)
        offer_more(run)
        _show_details(run)


def _headline(run: RunRecord) -> str:
    colour = _COLOURS.get(run.state, "gray")
    parts = [f"**{t('run.name', n=run.id)}** :{colour}-badge[{t('run.state.' + run.state)}]"]
    parts.append(write_time(run.finished or run.created))
    if run.started and run.finished:
        parts.append(write_duration((run.finished - run.started).total_seconds()))
    if run.continues:
        parts.append(t("run.continues", n=run.continues))
    if run.mean_of:
        parts.append(t("run.mean_of", runs=", ".join(map(str, run.mean_of))))
    if run.snapshot.get("samples"):
        counts = write_by_language(run.snapshot.get("by_language", {}))
        different = run.snapshot["samples"] - run.snapshot.get("repeated", 0)
        parts.append(f"{tn('count.sample', different)} ({counts})")
    return " · ".join(parts)


def _say_data(run: RunRecord) -> None:
    """What was left out of the training samples and what was repeated: nothing in silence."""
    counts = {key: run.snapshot.get(key, 0) for key in ("leaks", "repeated")}
    counts["too_long"] = len(run.snapshot.get("left_out", ()))
    if any(counts.values()):
        st.caption(" ".join(tn(f"data.{key}", n) for key, n in counts.items() if n))
    kept = run.snapshot.get("leaks_kept", 0)
    if kept:
        st.warning(tn("data.leaks_kept", kept))


def _show_details(run: RunRecord) -> None:
    box = st.expander(
        t("training.details"), key=f"details_{run.id}", type="compact", on_change="rerun"
    )
    if not box.open:  # a chart a run, for those who ask
        return
    with box:
        points = services().store.runs.losses(run.id)
        if len(points) > 1:
            drawn = {t("run.name", n=run.id): points}
            show(loss_figure(drawn), key=f"losses_{run.id}", alt=t("chart.loss"))
            show(course_figure(drawn), key=f"courses_{run.id}", alt=t("chart.more"))
        st.json(dict(run.recipe), expanded=False)
        show_log(run)
        if run.folder:
            st.caption(t("training.folder", folder=escape(run.folder)))
        card = run_folder(services().home, run.id) / DATA_CARD
        if card.exists():
            st.download_button(
                t("data.card"), card.read_bytes, f"run-{run.id}-{DATA_CARD}", "text/markdown",
                key=f"data_card_{run.id}", on_click="ignore",
            )  # fmt: skip


def _confirm(run: RunRecord) -> None:
    """Name what is deleted and what it frees, then do it."""
    size = write_size(folder_bytes(services().home.runs / str(run.id)))
    with st.container(border=True, horizontal=True, vertical_alignment="center"):
        st.markdown(t("training.delete.what", run=run.id, size=size))
        pressed = st.button(t("training.delete.do", run=run.id), key=f"delete_run_{run.id}_yes")
        st.button(t("action.keep"), key=f"delete_run_{run.id}_no", on_click=_ask, args=(None,))
    with error_boundary():
        if pressed:
            freed = delete_run(services(), run.id)
            _ask(None)
            confirm_note(t("training.deleted", run=run.id, size=write_size(freed)))
            st.rerun()


def _ask(run_id: int | None) -> None:
    st.session_state["run_to_delete"] = run_id
