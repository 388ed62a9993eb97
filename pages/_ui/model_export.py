"""The section of a model's card that takes it out of Argus: its card, and an adapter in three forms."""

from __future__ import annotations

from datetime import UTC, datetime

import streamlit as st

from core.records import CollectionRecord, ModelRecord
from pages._ui.catalogue import t
from pages._ui.layout import escape, write_sentence
from pages._ui.progress import watch_jobs
from pages._ui.session import services
from pages._ui.words import write_size, write_time
from storage.home import folder_bytes
from train.adapter import MANIFEST
from train.artefacts import FORMS, Form, export_folder, write_card
from train.queue import start_export


def show_export(chosen: CollectionRecord, model: ModelRecord) -> None:
    """The model's card as a file; of an adapter also the choice of a form, and where it lies."""
    jobs = services().store.jobs.open("export", collection_id=chosen.id)
    is_open = any(job.payload.get("model") == model.id for job in jobs)
    with st.expander(t("export.title"), key=f"export_{model.id}", expanded=is_open):
        form = None if model.is_base else _choose_form(chosen, model, is_open=is_open)
        with st.container(horizontal=True):
            if form and not is_open:
                st.button(
                    t("export.do"), key=f"export_{model.id}_do", on_click=_start,
                    args=(chosen.id, model.id, form),
                )  # fmt: skip
            st.download_button(
                t("export.card"), lambda: write_card(services(), model, collection_id=chosen.id),
                f"{model.id}.md", "text/markdown", key=f"card_{model.id}", on_click="ignore",
            )  # fmt: skip


def _choose_form(chosen: CollectionRecord, model: ModelRecord, *, is_open: bool) -> Form:
    """The form that was chosen, what it is, and how far its export is."""
    form: Form = st.segmented_control(
        t("export.form"), FORMS, default="peft", required=True, key=f"export_form_{model.id}",
        format_func=lambda f: t(f"export.form.{f}"),
    )  # fmt: skip
    st.caption(f"{t(f'export.about.{form}')}  \n{_place(model, form)}")
    if is_open:
        watch_jobs(("export",))
    else:
        _say_failure(chosen, model, form)
    return form


def _place(model: ModelRecord, form: Form) -> str:
    """Where the export will lie, or lies since when."""
    folder = export_folder(services().home, model.id, form)
    manifest = folder / MANIFEST
    if not manifest.exists():
        return t("export.goes_to", folder=escape(str(folder)))
    made = datetime.fromtimestamp(manifest.stat().st_mtime, UTC)
    return t(
        "export.replaces", folder=escape(str(folder)), time=write_time(made),
        size=write_size(folder_bytes(folder)),
    )  # fmt: skip


def _say_failure(chosen: CollectionRecord, model: ModelRecord, form: Form) -> None:
    jobs = services().store.jobs.latest("export", collection_id=chosen.id)
    wanted = (model.id, form)
    last = next((j for j in jobs if (j.payload["model"], j.payload["form"]) == wanted), None)
    if last is not None and last.state == "failed":
        why = write_sentence(last.message)
        st.error(t("export.failed", form=t(f"export.form.{form}"), why=why))


def _start(collection_id: int, model_id: str, form: Form) -> None:
    start_export(services(), collection_id, model_id, form)
