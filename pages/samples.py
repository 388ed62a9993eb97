"""Samples: bring in, look through, search, export, delete."""

from __future__ import annotations

import streamlit as st

from core.errors import RefusedError
from core.preferences import preference_lines
from core.records import CollectionRecord, SampleFilter
from core.workflow import export_lines
from pages._ui.bulk_bar import show_last
from pages._ui.catalogue import t, tn
from pages._ui.import_form import offer_import, show_result
from pages._ui.layout import confirm_note, error_boundary, escape, page_header
from pages._ui.sample_list import choose_filter, show_samples
from pages._ui.session import collection, services
from pages._ui.words import write_hanging
from train.demo import load_demo, load_media_demo
from train.registry import delete_collection


def offer_start() -> None:
    """No collection yet: a file of one's own, or the demo."""
    st.info(t("samples.no_collection"))
    offer_import()
    st.caption(t("samples.demo"))
    with error_boundary():
        if st.button(t("samples.demo.do"), key="load_demo"):
            with st.spinner(t("samples.demo.doing"), show_time=True):
                load_demo(services())
                load_media_demo(services())
            st.rerun()


def export_file(chosen: CollectionRecord) -> bytes:
    """All reviewed samples as Argus JSONL; called when the button is pressed, not before."""
    return "".join(export_lines(services().store, collection=chosen.name)).encode()


def offer_export(chosen: CollectionRecord, reviewed: int) -> None:
    """Everything reviewed as a file that imports again without a difference."""
    st.markdown(f"### {t('samples.export')}")
    st.markdown(tn("samples.export.what", reviewed))
    st.download_button(
        t("samples.export.do"), lambda: export_file(chosen), f"{chosen.name}.jsonl",
        "application/jsonl", key="export", on_click="ignore", disabled=not reviewed,
    )  # fmt: skip
    st.caption(t("samples.preferences.what"))
    st.download_button(
        t("samples.preferences.do"),
        lambda: "".join(preference_lines(services().store, collection=chosen.name)).encode(),
        f"{chosen.name}-preferences.jsonl", "application/jsonl", key="export_preferences",
        on_click="ignore", disabled=not reviewed,
    )  # fmt: skip


def offer_deletion(chosen: CollectionRecord) -> None:
    """Delete the collection: what goes is named, and its name is typed to confirm."""
    st.markdown(f"### {t('samples.drop')}")
    hanging = services().store.collections.what_hangs_on(chosen.id)
    what = write_hanging(hanging) or t("samples.drop.nothing")
    st.markdown(t("samples.drop.what", collection=escape(chosen.name), what=what))
    with st.form("drop", border=False):
        typed = st.text_input(
            t("samples.drop.confirm", collection=escape(chosen.name)), key="drop_name", width=420
        )
        keep_copy = st.checkbox(t("samples.drop.copy"), value=True, key="drop_copy")
        pressed = st.form_submit_button(t("samples.drop.do"), key="drop_collection")
    with error_boundary():
        if pressed:
            if typed != chosen.name:
                raise RefusedError(t("samples.drop.differs", typed=typed, collection=chosen.name))
            copy = delete_collection(services(), chosen.id, keep_copy=keep_copy)
            said = t("samples.dropped", collection=chosen.name)
            confirm_note(said + (" " + t("samples.copy", path=copy) if copy else ""))
            st.session_state.pop("collection_name", None)
            st.query_params.clear()
            st.rerun()


page_header(t("page.samples"), t("samples.intro"))
chosen = collection()
if chosen is None:
    offer_start()
    st.stop()
total = services().store.samples.count(collection_id=chosen.id)
show_result()
show_last(chosen.id, kinds=["delete"])
looked, brought, more = st.tabs(
    [t("samples.look"), t("samples.import"), t("samples.more")],
    default=t("samples.import") if not total or st.query_params.get("tab") == "import" else None,
    key=f"samples_tabs_{chosen.id}_{bool(total)}",
)
with looked:
    if total:
        show_samples(chosen, choose_filter(chosen))
    else:
        st.info(t("samples.empty"))
with brought:
    offer_import()
with more:
    reviewed = services().store.samples.count(
        SampleFilter(states=["reviewed"]), collection_id=chosen.id
    )
    offer_export(chosen, reviewed)
    offer_deletion(chosen)
