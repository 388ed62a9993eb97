"""The panel of labels that look odd: a table with the reason in words, open or "it is right"."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from core.records import CollectionRecord, SampleFilter
from pages._ui.catalogue import t, tn
from pages._ui.layout import error_boundary, escape
from pages._ui.words import write_list
from train.queue import AUDITED, start_audit
from train.services import Services

SHOWN = 20
_RIGHT = "radar_called_right"  # (key, id) of the sample that was called right last


def show_radar(services: Services, collection: CollectionRecord, person: str | None) -> None:
    """The oddest samples first, and the button that lets the model look at more."""
    store = services.store
    with st.container(key="radar"):
        st.markdown(f"## {t('radar.title')}")
        st.markdown(f":gray[{t('radar.intro')}]")
        found = store.radar.list(collection.id, SHOWN)
        records = {
            r.key: r for r in store.samples.list(SampleFilter(keys=[key for key, *_ in found]))
        } if found else {}  # fmt: skip
        st.markdown(
            tn("radar.count", store.radar.count(collection.id)) if found else t("radar.none")
        )
        for key, _score, reason, values in found:
            if key in records:
                _show_row(
                    services, key, records[key].sample.id, write_reason(reason, values), person
                )
        _offer_again(services)
        _offer_audit(services, collection)


def write_reason(reason: str, values: Mapping[str, Any]) -> str:
    """Why a sample looks odd, in words; for the table, a queue and the review page."""
    said = {
        k: (write_list([str(x) for x in v]) or t("radar.no_event")) if isinstance(v, list) else v
        for k, v in values.items()
    }
    if "confidence" in said:
        said["confidence"] = f"{said['confidence']:.0%}"
    return t(f"radar.reason.{reason}", **said)


# ---------------------------------------------------------------- private


def _show_row(services: Services, key: int, ident: str, why: str, person: str | None) -> None:
    with st.container(horizontal=True, vertical_alignment="center", key=f"radar_{key}"):
        st.markdown(f"**{escape(ident)}**  \n{escape(why)}", width="stretch")
        if st.button(t("radar.open"), key=f"radar_open_{key}"):
            st.switch_page("pages/review.py", query_params={"sample": str(key)})
        if st.button(t("radar.right"), key=f"radar_right_{key}", type="tertiary"):
            with error_boundary():
                services.store.radar.dismiss(key, person=person)
                st.session_state[_RIGHT] = (key, ident)
                st.rerun()


def _offer_again(services: Services) -> None:
    """What "it is right" did last, with the way back."""
    if _RIGHT not in st.session_state:
        return
    key, ident = st.session_state[_RIGHT]
    with st.container(horizontal=True, vertical_alignment="center", key="radar_last"):
        st.markdown(t("radar.right.done", id=escape(ident)), width="stretch")
        if st.button(t("radar.again"), key="radar_again", type="tertiary"):
            with error_boundary():
                services.store.radar.offer_again(key)
                del st.session_state[_RIGHT]
                st.rerun()


def _offer_audit(services: Services, collection: CollectionRecord) -> None:
    open_jobs = services.store.jobs.open("audit")
    if any(job.payload.get("collection") == collection.id for job in open_jobs):
        st.caption(t("radar.audit.busy"))
    elif st.button(t("radar.audit", n=AUDITED), key="radar_audit"):
        start_audit(services, collection.id)
        st.rerun()
