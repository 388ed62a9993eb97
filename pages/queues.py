"""Queues: saved queues with their reasons, filters, what matches and why, and bulk operations."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pandas as pd
import streamlit as st

from core.languages import name_of
from core.queues import Queue, check_filter, default_queue
from core.records import CollectionRecord
from core.schema import Schema
from pages._ui.bulk_bar import KINDS, offer_bulk, show_bulk, show_last, show_latest
from pages._ui.catalogue import t, tn
from pages._ui.layout import confirm_note, empty_state, error_boundary, escape, page_header
from pages._ui.prepare_bar import offer_preparation, show_preparation
from pages._ui.queue_form import edit_queue
from pages._ui.queue_list import (
    choose,
    chosen_queue,
    close_dialog,
    dialog_open,
    list_queues,
    open_dialog,
    show_deletion,
    show_name,
)
from pages._ui.queue_words import queue_name, write_why
from pages._ui.session import collection, person, services
from pages._ui.words import NO_FIGURE

PAGE = 100
ROW = 33  # pixels


def show_queue(chosen: CollectionRecord, stored: Queue, schema: Schema) -> None:
    """One queue: its name and what can be done with it, its filter, and its samples."""
    head = st.container()
    queue = edit_queue(stored, schema, turn=st.session_state.get("queue_turn", 0))
    check_filter(queue.wanted)
    count = services().store.queues.count(queue, person=person())
    with head:
        _show_head(stored, queue, count)
    if queue.reason != stored.reason:
        st.caption(t(f"queue.{queue.reason}.what"))
    offer_preparation(chosen.id, row=offer_bulk(count))
    shown = show_last(chosen.id)
    if count:
        _show_table(queue, count, schema)
    else:
        st.info(t(f"queues.empty.{queue.reason}"))
    show_latest(chosen.id, shown=shown)
    _show_dialog(queue, schema)


def _show_dialog(queue: Queue, schema: Schema) -> None:
    """The dialog that is open, if one is."""
    kind, about = dialog_open()
    bulk = next((k for k in KINDS if kind == f"bulk_{k}"), None)
    if bulk is not None:
        show = st.dialog(t(f"bulk.{bulk}"), width="large", on_dismiss=close_dialog)(show_bulk)
        show(queue, bulk, schema)
    elif kind == "prepare":
        st.dialog(t("prepare"), on_dismiss=close_dialog)(show_preparation)(queue, schema)
    elif about is not None:
        title = t(f"queues.{kind}")
        fill = show_deletion if kind == "delete" else show_name
        st.dialog(title, on_dismiss=close_dialog)(fill)(about)


def _show_head(stored: Queue, queue: Queue, count: int) -> None:
    is_changed = queue != stored
    with st.container(key="queue_head", horizontal=True, vertical_alignment="center"):
        title = f"## {escape(queue_name(stored))}"
        st.markdown(title + (f" :gray[:small[{t('queues.changed')}]]" if is_changed else ""))
        if is_changed:
            st.button(t("queues.discard"), key="queue_discard", on_click=choose, args=(stored,))
            if stored.id is not None and st.button(t("queues.save"), key="queue_save"):
                saved = services().store.queues.save(queue)
                confirm_note(t("queues.saved_as", name=saved.name))
                choose(saved)
                st.rerun()
            st.button(
                t("queues.save_as"), key="queue_save_as", on_click=open_dialog,
                args=("save_as", replace(queue, id=None, name="")),
            )  # fmt: skip
        elif stored.id is not None:
            for kind in ("rename", "delete"):
                st.button(
                    t(f"queues.{kind}"), key=f"queue_{kind}", on_click=open_dialog,
                    args=(kind, stored),
                )  # fmt: skip
        hint = t("queues.open.save_first") if is_changed else None
        if st.button(
            t("queues.open"), type="primary", key="queue_open", disabled=is_changed or not count,
            help=hint if is_changed or count else t("queues.open.empty"),
        ):  # fmt: skip
            st.switch_page("pages/review.py", query_params={"queue": stored.link})
    if not is_changed:
        st.markdown(f":gray[{t(f'queue.{stored.reason}.what')}]")


def _show_table(queue: Queue, count: int, schema: Schema) -> None:
    pages = -(-count // PAGE)
    key = f"{abs(hash((queue, count))):x}"
    page = st.pagination(pages, key=f"queue_page_{key}") if pages > 1 else 1
    offset = (page - 1) * PAGE
    table = services().store.queues.table(queue, person=person(), limit=PAGE, offset=offset)
    link = "" if queue.wanted.keys else f"&queue={queue.link}"
    shown = pd.DataFrame(
        {
            "open": [f"review?sample={k}{link}" for k in table["key"]],
            "text": table["text"],
            "why": [write_why(why, schema) for why in table["why"]],
            "language": [name_of(code) for code in table["language"]],
            "state": [t(f"state.{state}") for state in table["state"]],
            "confidence": [NO_FIGURE if pd.isna(c) else f"{c:.2f}" for c in table["confidence"]],
        }
    )
    with st.container(key="queue_table"):
        st.dataframe(
            shown, hide_index=True, height=ROW * (min(len(table), 15) + 1) + 3,
            key=f"queue_table_{key}_{page}",
            column_config={
                "text": st.column_config.TextColumn(t("queues.col.text"), width=330),
                "why": st.column_config.TextColumn(t("queues.col.why"), width=290),
                "language": st.column_config.TextColumn(t("queues.col.language"), width=85),
                "state": st.column_config.TextColumn(t("queues.col.state"), width=90),
                "confidence": st.column_config.TextColumn(
                    t("queues.col.confidence"), width=90, alignment="right"
                ),
                "open": st.column_config.LinkColumn(
                    t("queues.col.open"), display_text=t("queues.col.open_link"), width=60
                ),
            },
        )  # fmt: skip
    if count > PAGE:
        last = min(count, offset + PAGE)
        samples = tn("count.sample", count)
        st.caption(t("queues.range", first=f"{offset + 1:,}", last=f"{last:,}", samples=samples))


chosen = collection()
st.html(Path(__file__).parent / "_ui" / "queues.css")
page_header(t("page.queues"), t("queues.intro"))
if chosen is None:
    empty_state(
        t("queues.no_collection"), action=t("next.no_collection.do"), page="pages/samples.py"
    )
    st.stop()
with error_boundary(of_page=True):
    stored = chosen_queue(chosen)
    left, right = st.columns([1, 4.2], gap="large")
    with left:
        st.button(
            t("queues.new"), key="queue_new", width="stretch", on_click=open_dialog,
            args=("new", default_queue(chosen.id, "oldest")),
        )  # fmt: skip
        list_queues(chosen, stored)
    with right:
        show_queue(chosen, stored, services().store.collections.schema(chosen.id))
