"""What a run would do, kept while the reviews it is about have not changed."""

from __future__ import annotations

from typing import Any

import streamlit as st

from core.records import CollectionRecord
from pages._ui.catalogue import t
from pages._ui.session import services
from train.forecast import Forecast, foresee, look_again
from train.recipes import Recipe
from train.registry import base_to_train

_KEPT = "forecasts"


def read_forecast(chosen: CollectionRecord, recipe: Recipe, launch: str) -> Forecast:
    """What a recipe would do under a launch profile. The samples are read anew when they, the base, or
    the runs that its pace is taken from have changed; what memory and disk are free, every time."""
    store = services().store
    base = base_to_train(services(), chosen.id)
    place = (
        chosen.id, base.id, base.location, chosen.schema_number, store.reads.splits(chosen.id).to_json(),
        store.reads.reviewed_since(chosen.id, None),
        [(run.id, run.state) for run in store.runs.all()],
        [job.state for job in store.jobs.latest("measure", limit=1)],
    )  # fmt: skip
    kept = st.session_state.get(_KEPT)
    if kept is None or kept[0] != place:
        kept = st.session_state[_KEPT] = (place, {})
    found: dict[Any, Forecast] = kept[1]
    key = (recipe, launch)
    if key not in found:
        with st.spinner(t("before.counting"), show_time=False):
            found[key] = foresee(services(), chosen.id, recipe, launch=launch)
    return look_again(services(), found[key], recipe, launch=launch)
