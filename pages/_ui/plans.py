"""The plan of a run, kept while the reviews it is about have not changed."""

from __future__ import annotations

import streamlit as st

from core.records import CollectionRecord
from pages._ui.session import services
from train.recipes import Recipe
from train.snapshot import Plan, plan_run


def read_plan(chosen: CollectionRecord, recipe: Recipe) -> Plan:
    """The plan of a recipe; read anew when the reviewed samples have changed, not at every click."""
    place = (chosen.id, services().store.reads.splits(chosen.id).to_json())
    kept = st.session_state.get("plans")
    if kept is None or kept[0] != place:
        kept = st.session_state["plans"] = (place, {})
    plans: dict[Recipe, Plan] = kept[1]
    if recipe not in plans:
        plans[recipe] = plan_run(services(), chosen.id, recipe)
    return plans[recipe]
