"""One model: its figures beside the model in use, its terms, and what can be done with it."""

from __future__ import annotations

import streamlit as st

from core.errors import PromotionRefused
from core.records import CollectionRecord, EvaluationRecord, ModelRecord
from pages._ui.catalogue import t, tn
from pages._ui.layout import confirm_note, error_boundary, escape, show_error
from pages._ui.scores import show_figures
from pages._ui.session import person, services
from pages._ui.words import write_time
from train.queue import start_evaluation
from train.registry import Comparison, compare, promote

_COLOURS = {"promoted": "green", "candidate": "blue"}


def state_badge(model: ModelRecord, in_use: str | None) -> str:
    """The state as a coloured word; a base in use is in use too."""
    if model.id == in_use:
        return f":green-badge[{t('model.state.promoted')}]"
    return f":{_COLOURS.get(model.state, 'gray')}-badge[{t('model.state.' + model.state)}]"


def show_model(
    chosen: CollectionRecord,
    model: ModelRecord,
    *,
    splits: dict[str, int],
    any_score: EvaluationRecord | None,
) -> None:
    """The card of a model. `splits`: reviewed samples of each split that has some; `any_score`: its
    newest score on whatever split, shown where the one that counts is missing."""
    found = compare(services(), chosen.id, model.id)
    st.markdown(f"### {escape(model.title)} {state_badge(model, found.in_use_id)}")
    st.caption(_facts(model))
    _show_comparison(found, model, any_score)
    _offer_evaluation(chosen, model, found, splits)
    if model.id != found.in_use_id:
        _offer_promotion(chosen, model, found)
    if model.terms:
        with st.expander(t("model.terms"), key=f"terms_{model.id}"):
            st.markdown(escape(model.terms))


def _facts(model: ModelRecord) -> str:
    parts = [model.id, t("model.made", time=write_time(model.created))]
    if model.base_id:
        parts.append(t("model.on", base=model.base_id))
    if model.run_id is not None:
        parts.append(t("run.name", n=model.run_id))
    if model.is_base:
        parts.append(t("model.remote" if model.is_remote else "model.local", place=model.location))
    return escape(" · ".join(parts))


def _show_comparison(
    found: Comparison, model: ModelRecord, any_score: EvaluationRecord | None
) -> None:
    """The figures against the model in use; what is missing is said."""
    if model.id == found.in_use_id:
        if found.in_use:
            show_figures(found.in_use, key=model.id)
        elif any_score:
            show_figures(any_score, key=model.id, note=t("model.stale"))
        else:
            st.info(t("model.unscored"))
        return
    if found.candidate:
        note = t("model.before", model=found.in_use_id) if found.in_use else ""
        show_figures(found.candidate, found.in_use, key=model.id, note=note)
    elif any_score:
        show_figures(any_score, key=model.id, note=t("model.stale"))
    key = {"better": "model.better", "worse": "model.worse", "unknown": "model.unknown"}[
        found.verdict
    ]
    said = t(key, model=escape(found.in_use_id), message=escape(found.message))
    (st.success if found.verdict == "better" else st.warning)(said)


def _offer_evaluation(
    chosen: CollectionRecord, model: ModelRecord, found: Comparison, splits: dict[str, int]
) -> None:
    if not splits:
        st.caption(t("model.no_split"))
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        names = list(splits)
        split = st.selectbox(
            t("model.split"), names, names.index(found.split) if found.split in names else 0,
            format_func=lambda s: f"{t('split.' + s)} · {tn('count.sample', splits[s])}",
            key=f"split_{model.id}", width=220,
        )  # fmt: skip
        if st.button(t("model.evaluate"), key=f"evaluate_{model.id}"):
            start_evaluation(services(), chosen.id, model.id, split)
            st.rerun()


def _offer_promotion(chosen: CollectionRecord, model: ModelRecord, found: Comparison) -> None:
    """Promote; where that is refused, the figures, and a field for the reason that overrides."""
    refused = st.session_state.get("refused") == model.id
    pressed = st.button(
        t("model.promote"), key=f"promote_{model.id}",
        type="primary" if found.verdict == "better" else "secondary",
    )  # fmt: skip
    reason = ""
    if pressed or refused:
        try:
            if pressed:
                _promote(chosen, model, reason="")
        except PromotionRefused as problem:
            st.session_state["refused"], st.session_state["refusal"] = model.id, str(problem)
            refused = True
    if not refused:
        return
    with st.container(border=True, key=f"refused_{model.id}"):
        show_error(PromotionRefused(st.session_state["refusal"]))
        with st.form(f"override_{model.id}", border=False):
            reason = st.text_input(t("model.reason"), key=f"reason_{model.id}", max_chars=500)
            with st.container(horizontal=True):
                override = st.form_submit_button(
                    t("model.override"), key=f"override_{model.id}_yes"
                )
                leave = st.form_submit_button(t("model.leave"), key=f"override_{model.id}_no")
        if leave:
            st.session_state.pop("refused")
            st.rerun()
        with error_boundary():
            if override:
                _promote(chosen, model, reason=reason or "")


def _promote(chosen: CollectionRecord, model: ModelRecord, *, reason: str) -> None:
    promote(services(), chosen.id, model.id, person=person(), reason=reason)
    st.session_state.pop("refused", None)
    confirm_note(t("model.promoted", model=model.title))
    st.rerun()
