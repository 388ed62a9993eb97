"""The form that registers a base model: a folder or a hub's id, or one behind a server."""

from __future__ import annotations

import streamlit as st

from core.records import ModelRecord
from pages._ui.catalogue import t
from pages._ui.layout import confirm_note, error_boundary
from pages._ui.session import services
from train.register import Task, register_model, register_server

_KINDS = ("weights", "server")
_TASKS: tuple[Task, ...] = ("text", "vision", "speech")


def offer_registration() -> None:
    """Choose what to register, and give what that needs."""
    with st.expander(t("register")):
        kind = st.segmented_control(
            t("register.kind"), _KINDS, default=_KINDS[0], required=True, key="register_kind",
            format_func=lambda name: t(f"register.kind.{name}"),
        )  # fmt: skip
        with st.form(f"register_{kind}", border=False), error_boundary():
            made = _fill_server() if kind == "server" else _fill_weights()
            if made is not None:
                confirm_note(t("register.done", model=made.title))
                st.rerun()


def _fill_weights() -> ModelRecord | None:
    location = st.text_input(t("register.location"), key="model_location")
    title = st.text_input(t("register.title"), key="model_title", max_chars=200)
    task = st.selectbox(
        t("register.task"), _TASKS, key="model_task", width=420, help=t("register.task.help"),
        format_func=lambda name: t(f"register.task.{name}"),
    )  # fmt: skip
    quantisation = "nf4" if st.checkbox(t("register.nf4"), key="model_nf4") else "none"
    if not st.form_submit_button(t("register.do"), key="register"):
        return None
    return register_model(
        services(), location or "", title or "", quantisation=quantisation, task=task
    )


def _fill_server() -> ModelRecord | None:
    st.caption(t("register.server"))
    left, right = st.columns(2, gap="medium")
    address = left.text_input(
        t("register.address"), key="server_address", placeholder="http://127.0.0.1:8080/v1"
    )
    name = right.text_input(
        t("register.name"), key="server_name", placeholder=t("register.name.empty")
    )
    variable = left.text_input(
        t("register.variable"), key="server_variable", placeholder=t("register.variable.empty")
    )
    context = right.number_input(
        t("register.context"), min_value=1, step=1024, value=None, key="server_context",
        placeholder=t("register.context.empty"),
    )  # fmt: skip
    title = st.text_input(t("register.title"), key="model_title", max_chars=200)
    reads_pictures = st.checkbox(t("register.pictures"), key="server_pictures")
    if not st.form_submit_button(t("register.do"), key="register"):
        return None
    return register_server(
        services(), address or "", name=name or "", key_variable=variable or "",
        context=int(context) if context else None, title=title or "",
        reads_pictures=reads_pictures,
    )  # fmt: skip
