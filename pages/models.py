"""Models: which one is in use, what may replace it, and the way back."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from core.errors import ModelError
from core.records import CollectionRecord, EvaluationRecord, ModelRecord
from core.samples import SPLITS
from pages._ui.catalogue import t
from pages._ui.layout import (
    confirm_note,
    empty_state,
    error_boundary,
    escape,
    page_header,
    show_error,
    write_sentence,
)
from pages._ui.model_card import show_model, state_badge
from pages._ui.progress import watch_jobs, worker_notice
from pages._ui.promotion_rule import offer_rule
from pages._ui.prompt_comparison import show_prompts
from pages._ui.register_form import offer_registration
from pages._ui.scores import FIGURES, figure_of, newest_of
from pages._ui.session import collection, person, services
from pages._ui.words import NO_FIGURE, write_figure, write_size, write_time
from train.registry import disk_use, model_in_use, roll_back
from train.snapshot import judged_split
from train.strategies import asked_now

_ORDER = ("promoted", "candidate", "base", "retired")


def show_in_use(chosen: CollectionRecord) -> str | None:
    """Which model suggests, since when and why, and one click back; returns its id."""
    try:
        current = model_in_use(services(), chosen.id)
    except ModelError as problem:
        show_error(problem)
        return None
    history = services().store.models.promotions(chosen.id, limit=1)
    line, back = st.columns([5, 2], vertical_alignment="center")
    said = t("models.in_use", model=escape(current.title))
    if history and history[0].model_id == current.id:
        last = history[0]
        said += " " + t(
            "models.since", time=write_time(last.created), person=escape(last.person or "?")
        )
        said += f" {t('models.because', reason=escape(last.reason))}" if last.reason else ""
        with error_boundary():
            if back.button(t("models.back", model=last.previous_id), key="roll_back"):
                now = roll_back(services(), chosen.id, person=person())
                confirm_note(t("model.promoted", model=now.title))
                st.rerun()
    line.markdown(said)
    return current.id


def show_evaluations() -> None:
    """The scoring under way; where the last one failed, why."""
    jobs = services().store.jobs
    last = jobs.latest("evaluate", limit=1)
    if jobs.open("evaluate"):
        watch_jobs(("evaluate",))
    elif last and last[0].state == "failed":
        about = {"model": last[0].payload.get("model"), "split": last[0].payload.get("split")}
        st.error(t("models.evaluation_failed", **about, why=write_sentence(last[0].message)))


def models_table(
    models: list[ModelRecord],
    evaluations: list[EvaluationRecord],
    *,
    split: str,
    in_use: str | None,
) -> pd.DataFrame:
    """A row a model: its state and its figures, on the split that counts, else on what it has."""
    rows = []
    for model in models:
        scored = newest_of(evaluations, model.id, split=split) or next(
            (e for e in evaluations if e.model_id == model.id), None
        )
        on = f"{t('split.' + scored.split)}, {scored.samples:,}" if scored else NO_FIGURE
        figures = [write_figure(figure_of(scored, name, None)) for name in FIGURES]
        rows.append([escape(model.title), state_badge(model, in_use), on, *figures])
    names = ["models.model", "models.state", "models.scored_on", *(f"scores.{f}" for f in FIGURES)]
    return pd.DataFrame(rows, columns=[t(name) for name in names])


def show_models(chosen: CollectionRecord, in_use: str | None) -> None:
    """The table of models, and the card of the one looked at."""
    store, split = services().store, judged_split(services(), chosen.id)
    models = [m for m in store.models.all(collection_id=chosen.id) if m.state != "deleted"]
    models.sort(key=lambda m: (m.id != in_use, _ORDER.index(m.state), -m.created.timestamp()))
    if not models or in_use is None:
        return
    evaluations = asked_now(services(), chosen.id, store.models.evaluations(chosen.id))
    with st.container(key="figures_models"):
        st.table(
            models_table(models, evaluations, split=split, in_use=in_use),
            border="horizontal", hide_index=True,
        )  # fmt: skip
    newest = next((i for i, m in enumerate(models) if m.state == "candidate"), 0)
    looked_at = st.selectbox(
        t("models.look_at"), models, newest, format_func=lambda m: m.title, key="model", width=420
    )
    counts = store.reads.splits(chosen.id)
    splits: dict[str, int] = {
        s: int(counts[s].sum()) for s in SPLITS[::-1] if len(counts) and counts[s].sum()
    }
    with st.container(border=True, key="model_card"), error_boundary():
        mine = [newest_of(evaluations, looked_at.id, split=name) for name in SPLITS]
        show_model(chosen, looked_at, splits=splits, scores=[e for e in mine if e])
    show_prompts(chosen, looked_at)


page_header(t("page.models"), t("models.intro"))
chosen = collection()
if chosen is None:
    empty_state(
        t("models.no_collection"), action=t("next.no_collection.do"), page="pages/samples.py"
    )
    st.stop()
worker_notice()
in_use = show_in_use(chosen)
show_evaluations()
show_models(chosen, in_use)
offer_rule(chosen)
offer_registration()
used = {name: write_size(size) for name, size in disk_use(services()).items()}
st.caption(t("models.disk", **used))
