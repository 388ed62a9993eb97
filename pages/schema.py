"""Schema: event types and roles with their labels; every save is a new version, nothing is lost."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from core.records import CollectionRecord
from core.schema import EventType, Schema, label, schema_from_json, schema_to_json
from pages._ui.catalogue import LANGUAGE, t, tn
from pages._ui.layout import confirm_note, empty_state, error_boundary, escape, page_header
from pages._ui.schema_changes import show_schema_changes
from pages._ui.schema_draft import Draft, change, describe_changes, discard, open_draft, save
from pages._ui.schema_editor import Used, add_type, edit_type
from pages._ui.session import collection, person, services
from pages._ui.words import write_time

SHOWN = 6  # changes named in the bar; the others are counted


def show_changes(draft: Draft) -> None:
    """What is not saved yet, and the button that saves it as a new version, below everything."""
    with st.bottom, st.container(key="unsaved"):
        lines = describe_changes(draft.base, draft.schema)
        said = "; ".join(lines[:SHOWN])
        if len(lines) > SHOWN:
            said += " " + t("schema.unsaved.more", n=len(lines) - SHOWN)
        st.markdown(f"**{tn('schema.unsaved', len(lines))}**: {escape(said)}")
        with st.container(horizontal=True, vertical_alignment="bottom"):
            note = st.text_input(
                t("schema.note"), key="schema_note", placeholder=t("schema.note.hint")
            )
            pressed = st.button(
                t("schema.save", number=draft.number + 1), type="primary", key="schema_save"
            )
            st.button(t("schema.discard"), key="schema_discard", on_click=discard)
        with error_boundary():
            if pressed:
                number = save(draft, note=(note or "").strip() or "; ".join(lines)[:300])
                confirm_note(t("schema.saved", number=number))
                st.rerun()


def pick_type(draft: Draft, used: Used) -> int | None:
    """The list of types on the left; returns the place of the chosen one."""
    types = draft.schema.types
    chosen: int | None = None
    if types:
        with st.container(key="types", height=520 if len(types) > 12 else "content", border=False):
            chosen = st.radio(
                t("schema.types"),
                range(len(types)),
                format_func=lambda i: (
                    f"{escape(_shown_name(types[i]))} :gray[{used.get((types[i].name, None), 0):,}]"
                ),
                key=f"schema_type_{draft.turn}",
            )
    with st.form("new_type", border=False, clear_on_submit=True):
        name = st.text_input(t("schema.type.new"), key="new_type_name", max_chars=120)
        if st.form_submit_button(t("schema.type.add"), key="add_type"):
            with error_boundary():
                add_type(draft, name or "")
                st.rerun()
    return chosen


def _shown_name(item: EventType) -> str:
    """A type's label in the reader's language, marked where it is offered no more."""
    name = label(item, LANGUAGE)
    return t("evolve.retired", name=name) if item.retired else name


def show_versions(chosen: CollectionRecord) -> None:
    """Every version with its note, newest first."""
    with st.expander(tn("schema.versions", chosen.schema_number)):
        for version in services().store.collections.schema_versions(chosen.id):
            st.markdown(
                t(
                    "schema.version", number=version["number"], note=escape(str(version["note"])),
                    types=tn("schema.n_types", int(str(version["types"]))),
                    person=escape(str(version["person"] or t("schema.nobody"))),
                    time=write_time(version["created"]),  # type: ignore[arg-type]
                )
            )  # fmt: skip


def exchange_files(chosen: CollectionRecord, draft: Draft) -> None:
    """The schema as a file, out and in; what comes in waits above to be saved."""
    with st.expander(t("schema.files")):
        st.download_button(
            t("schema.export"), schema_to_json(draft.schema), f"{chosen.name}-schema.json",
            "application/json", key="schema_export", on_click="ignore",
        )  # fmt: skip
        file = st.file_uploader(t("schema.import"), type=["json"], key="schema_file")
        if file is not None and st.session_state.get("schema_file_read") != file.file_id:
            with error_boundary():
                schema: Schema = schema_from_json(file.getvalue())
                st.session_state["schema_file_read"] = file.file_id
                change(draft, schema, reshaped=True)
                st.rerun()


st.html(Path(__file__).parent / "_ui" / "schema.css")
page_header(t("page.schema"), t("schema.intro"))
chosen = collection()
if chosen is None:
    empty_state(
        t("schema.no_collection"), action=t("next.no_collection.do"), page="pages/samples.py"
    )
    st.stop()
used = services().store.reads.types_in_use(chosen.id)
draft = open_draft(chosen)
left, right = st.columns([1, 3.4], gap="large")
with left:
    place = pick_type(draft, used)
with right:
    if place is None:
        st.info(t("schema.no_types"))
    else:
        edit_type(draft, place, used)
show_versions(chosen)
show_schema_changes(services(), chosen, person())
exchange_files(chosen, draft)
if draft.is_changed:
    show_changes(draft)
