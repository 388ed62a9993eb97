"""One model: its figures beside the model in use, its terms, and what can be done with it."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from core.errors import PromotionRefused
from core.records import CollectionRecord, EvaluationRecord, ModelRecord
from pages._ui.calibration import show_calibration
from pages._ui.catalogue import t, tn
from pages._ui.layout import confirm_note, error_boundary, escape, show_error
from pages._ui.model_export import show_export
from pages._ui.promotion_rule import say_differences
from pages._ui.scores import show_figures
from pages._ui.session import person, services
from pages._ui.words import write_list, write_time
from train.queue import start_evaluation
from train.registry import Comparison, compare, promote

_REFUSED = "refused"  # the model whose promotion was refused last
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
    scores: Sequence[EvaluationRecord],
) -> None:
    """The card of a model. `splits`: reviewed samples of each split that has some; `scores`: the
    model's newest of each split."""
    found = compare(services(), chosen.id, model.id)
    st.markdown(f"### {escape(model.title)} {state_badge(model, found.in_use_id)}")
    st.caption(_facts(model))
    _show_comparison(found, model)
    _offer_actions(chosen, model, found, splits)
    if st.session_state.get(_REFUSED) == model.id:
        _offer_override(chosen, model)
    show_calibration(chosen, model)
    current = found.in_use if model.id == found.in_use_id else found.candidate
    for other in scores:
        if current is None or other.id != current.id:
            with st.expander(t("model.other_score", split=t(f"split.{other.split}"))):
                stale = t("model.stale") if other.split == found.split else ""
                show_figures(other, key=f"{model.id}_{other.split}", note=stale)
    show_export(chosen, model)
    if model.terms:
        with st.expander(t("model.terms"), key=f"terms_{model.id}"):
            st.markdown(escape(model.terms))


def _facts(model: ModelRecord) -> str:
    parts = [model.id, t("model.made", time=write_time(model.created))]
    if model.base_id:
        parts.append(t("model.on", base=model.base_id))
    parts.append(t("model.reads", what=write_list([t(f"model.reads.{m}") for m in model.reads])))
    if model.transcribes:
        parts.append(t("model.transcribes"))
    if model.run_id is not None:
        parts.append(t("run.name", n=model.run_id))
    if model.is_base:
        parts += _place(model)
    return escape(" · ".join(parts))


def _place(model: ModelRecord) -> list[str]:
    """Where a base model is, and what it is where it is no model of its own."""
    if model.kind == "scripted":
        return [t("model.scripted", place=model.location)]
    if model.kind == "weights":
        return [t("model.remote" if model.is_remote else "model.local", place=model.location)]
    facts = model.manifest
    said = t(
        "model.server", place=model.location, name=facts["name"], context=f"{facts['context']:,}"
    )
    variable = facts["key_variable"]
    return [said, t("model.server.key", variable=variable)] if variable else [said]


def _show_comparison(found: Comparison, model: ModelRecord) -> None:
    """The figures against the model in use; what is missing is said."""
    if model.id == found.in_use_id:
        if found.in_use:
            show_figures(found.in_use, key=model.id)
        else:
            st.info(t("model.unscored"))
        return
    if found.candidate:
        note = t("model.before", model=found.in_use_id) if found.in_use else ""
        show_figures(found.candidate, found.in_use, key=model.id, note=note)
    said = t(f"model.{found.verdict}", model=escape(found.in_use_id), message=escape(found.message))
    (st.success if found.verdict == "better" else st.warning)(said)
    if found.differences:
        st.caption(say_differences(found.differences))


def _offer_actions(
    chosen: CollectionRecord, model: ModelRecord, found: Comparison, splits: dict[str, int]
) -> None:
    """Evaluate on a split, and promote: the accent is where the figures speak for it."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        if splits:
            names = list(splits)
            split = st.selectbox(
                t("model.split"), names, names.index(found.split) if found.split in names else 0,
                format_func=lambda s: f"{t('split.' + s)} · {tn('count.sample', splits[s])}",
                key=f"split_{model.id}", width=220,
            )  # fmt: skip
            if st.button(t("model.evaluate"), key=f"evaluate_{model.id}"):
                st.session_state.pop(_REFUSED, None)
                start_evaluation(services(), chosen.id, model.id, split)
                st.rerun()
        if model.id != found.in_use_id:
            pressed = st.button(
                t("model.promote"), key=f"promote_{model.id}",
                type="primary" if found.verdict == "better" else "secondary",
            )  # fmt: skip
            if pressed:
                try:
                    _promote(chosen, model, reason="")
                except PromotionRefused as problem:
                    st.session_state[_REFUSED] = model.id
                    st.session_state[f"{_REFUSED}_why"] = str(problem)
    if not splits:
        st.caption(t("model.no_split"))


def _offer_override(chosen: CollectionRecord, model: ModelRecord) -> None:
    """Why the promotion was refused, and the written reason that overrides it."""
    with st.container(border=True, key=f"refused_{model.id}"):
        show_error(PromotionRefused(st.session_state[f"{_REFUSED}_why"]))
        with st.form(f"override_{model.id}", border=False):
            reason = st.text_input(t("model.reason"), key=f"reason_{model.id}", max_chars=500)
            with st.container(horizontal=True):
                override = st.form_submit_button(
                    t("model.override"), key=f"override_{model.id}_yes"
                )
                leave = st.form_submit_button(t("model.leave"), key=f"override_{model.id}_no")
        if leave:
            st.session_state.pop(_REFUSED)
            st.rerun()
        with error_boundary():
            if override:
                _promote(chosen, model, reason=reason or "")


def _promote(chosen: CollectionRecord, model: ModelRecord, *, reason: str) -> None:
    promote(services(), chosen.id, model.id, person=person(), reason=reason)
    st.session_state.pop(_REFUSED, None)
    confirm_note(t("model.promoted", model=model.title))
    st.rerun()
