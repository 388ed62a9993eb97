"""The promotion rule: what a lead asks of a model, and how sure a difference is."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from core.records import CollectionRecord
from core.significance import DRAWS, Difference
from pages._ui.catalogue import t
from pages._ui.layout import confirm_note, error_boundary, escape
from pages._ui.session import person, services
from pages._ui.words import write_time
from train.promotion import SETTING, PromotionRule, promotion_rule, set_promotion_rule


def say_differences(differences: Mapping[str, Difference]) -> str:
    """How sure each difference is, a sentence a figure."""
    least = 2 / (DRAWS + 1)
    return " ".join(
        t(
            "difference", name=t(f"difference.{key}"), points=f"{d.points:+.1f}",
            low=f"{d.low:+.1f}", high=f"{d.high:+.1f}", n=f"{DRAWS:,}",
            p=t("difference.small", p=f"{least:.3f}") if d.p <= least else f"{d.p:.3f}",
        )
        for key, d in differences.items()
    )  # fmt: skip


def offer_rule(chosen: CollectionRecord) -> None:
    """The rule in force, folded away, and the way to change it."""
    rule = promotion_rule(services(), chosen.id)
    with st.expander(t("rule.title"), key="promotion_rule"), error_boundary():
        st.markdown(t("rule.always"))
        fall = _choice("language", rule.language_fall, usual=5.0, most=100.0)
        level = _choice("significant", rule.significance, usual=0.05, most=0.99)
        changed = PromotionRule(language_fall=fall, significance=level)
        if st.button(t("rule.save"), key="rule_save", disabled=changed == rule):
            set_promotion_rule(services(), chosen.id, changed, person=person())
            confirm_note(t("rule.saved"))
            st.rerun()
        last = services().store.settings.get(chosen.id, SETTING)
        if last:
            st.caption(
                t("rule.since", time=write_time(last.created), person=escape(last.person or "?"))
            )


def _choice(name: str, value: float | None, *, usual: float, most: float) -> float | None:
    """A switch and, where it is on, its number."""
    line, number = st.columns([4, 1], vertical_alignment="bottom")
    on = line.checkbox(t(f"rule.{name}"), value is not None, key=f"rule_{name}")
    label = t("rule.points" if name == "language" else "rule.level")
    is_level = name == "significant"
    chosen = number.number_input(
        label, min_value=0.001 if is_level else 0.0, max_value=most,
        value=usual if value is None else value, step=0.01 if is_level else 0.5,
        format="%g", key=f"rule_{name}_value", disabled=not on,
    )  # fmt: skip
    return float(chosen) if on else None
