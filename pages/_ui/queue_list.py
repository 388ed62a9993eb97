"""The list of queues: one for each reason, then the saved ones, each with its count."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from core.errors import NotFoundError
from core.queues import REASONS, Queue, Reason, default_queue
from core.records import CollectionRecord
from pages._ui.catalogue import t
from pages._ui.layout import confirm_note, error_boundary, escape
from pages._ui.queue_words import queue_name
from pages._ui.session import person, services

DEFAULT: Reason = "oldest"
_DIALOG = "queue_dialog"


def chosen_queue(chosen: CollectionRecord) -> Queue:
    """The queue in the address; the oldest first where there is none."""
    link = st.query_params.get("queue") or DEFAULT
    try:
        queue = services().store.queues.find(link, collection_id=chosen.id)
    except NotFoundError as problem:
        confirm_note(str(problem))
        queue = None
    if queue is None or queue.collection_id != chosen.id:
        choose(default_queue(chosen.id, DEFAULT))
        st.rerun()
    return queue


def choose(queue: Queue) -> None:
    """Put a queue into the address, with its fields as they are stored."""
    st.query_params["queue"] = queue.link
    st.session_state["queue_turn"] = st.session_state.get("queue_turn", 0) + 1


def list_queues(chosen: CollectionRecord, current: Queue) -> None:
    """The queues by reason, then the saved ones; a press shows one beside the list."""
    with st.container(key="queue_list"):
        st.markdown(f":gray[{t('queues.by_reason')}]")
        for reason in REASONS:
            _show(default_queue(chosen.id, reason), current)
        st.markdown(f":gray[{t('queues.saved')}]")
        saved = services().store.queues.all(chosen.id)
        for queue in saved:
            _show(queue, current)
        if not saved:
            st.caption(t("queues.none_saved"))


def show_name(queue: Queue) -> None:
    """Ask for a name in a dialog, and save the queue under it."""
    with error_boundary(), st.form("queue_name", border=False):
        name = st.text_input(
            t("queues.name"), queue.name, key="queue_name_input", max_chars=80,
            placeholder=t("queues.name.hint"),
        )  # fmt: skip
        if st.form_submit_button(t("queues.save"), type="primary", key="queue_name_save"):
            saved = services().store.queues.save(replace(queue, name=name or "", person=person()))
            confirm_note(t("queues.saved_as", name=saved.name))
            choose(saved)
            close_dialog()
            st.rerun()


def show_deletion(queue: Queue) -> None:
    """Ask in a dialog, and forget a saved queue."""
    st.markdown(t("queues.delete.what", name=escape(queue.name)))
    with error_boundary():
        if st.button(t("queues.delete.do"), key="queue_delete_yes") and queue.id is not None:
            services().store.queues.delete(queue.id)
            confirm_note(t("queues.deleted", name=queue.name))
            choose(default_queue(queue.collection_id, DEFAULT))
            close_dialog()
            st.rerun()


# ---------------------------------------------------------------- the dialog that is open


def open_dialog(kind: str, queue: Queue | None = None) -> None:
    """Open a dialog with the next run; it stays open, whatever runs, until it is closed."""
    st.session_state[_DIALOG] = (kind, queue)


def close_dialog() -> None:
    """Close the dialog with the next run."""
    st.session_state.pop(_DIALOG, None)


def dialog_open() -> tuple[str, Queue | None]:
    """Which dialog is open, and for which queue."""
    found: tuple[str, Queue | None] = st.session_state.get(_DIALOG, ("", None))
    return found


def _show(queue: Queue, current: Queue) -> None:
    count = services().store.queues.count(queue, person=person())
    is_current = queue.link == current.link
    st.button(
        f"{escape(queue_name(queue))} :gray[{count:,}]",
        key=f"{'current' if is_current else 'queue'}_{queue.link}",
        type="tertiary",
        width="stretch",
        help=t(f"queue.{queue.reason}.what"),
        on_click=choose,
        args=(queue,),
    )
