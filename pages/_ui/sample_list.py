"""The list of samples: filters kept in the address, pages of a hundred, and what can be done."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pandas as pd
import streamlit as st

from core.bulk import BulkOrder
from core.languages import name_of
from core.queue_work import run_bulk
from core.queues import Queue
from core.records import CollectionRecord, SampleFilter
from core.samples import SPLITS
from pages._ui.catalogue import t, tn
from pages._ui.layout import confirm_note, error_boundary
from pages._ui.session import person, services
from pages._ui.words import browser_zone, write_hanging

PAGE = 100
STATES = ("new", "suggested", "reviewed")


def choose_filter(chosen: CollectionRecord) -> SampleFilter:
    """The filter as the fields have it; it begins with the address, and the address follows it."""
    languages = list(services().store.reads.coverage(chosen.id).index)
    cells = st.columns([2, 2, 2, 3])
    return SampleFilter(
        languages=_several(cells[0], "language", languages, name_of),
        states=_several(cells[1], "state", STATES, lambda s: t(f"state.{s}")),
        splits=_several(cells[2], "split", SPLITS, lambda s: t(f"split.{s}")),
        text=_text(cells[3]),
    )


def show_samples(chosen: CollectionRecord, wanted: SampleFilter) -> None:
    """A page of the samples that match, and the buttons for those selected."""
    store = services().store
    count = store.samples.count(wanted, collection_id=chosen.id)
    pages = max(1, -(-count // PAGE))
    # Another filter or count is another list: it begins at its first page with nothing selected.
    key = f"{abs(hash((chosen.id, wanted, count))):x}"
    bar, place = st.container(), st.container(key="sample_list")
    page = st.pagination(pages, key=f"page_{key}") if pages > 1 else 1
    table = store.reads.table(chosen.id, wanted, limit=PAGE, offset=(page - 1) * PAGE)
    with place:
        selected = _show_table(table, key=f"samples_{key}_{page}") if count else []
        if not count:
            st.info(t("samples.none"))
    keys = [int(table["key"].iloc[row]) for row in selected if row < len(table)]
    with bar:
        _show_actions(chosen, keys, count, page)


def _show_table(table: pd.DataFrame, *, key: str) -> Sequence[int]:
    shown = pd.DataFrame(
        {
            "id": table["id"],
            "language": [name_of(code) for code in table["language"]],
            "state": [t(f"state.{state}") for state in table["state"]],
            "split": [t(f"split.{s if isinstance(s, str) else 'none'}") for s in table["split"]],
            "text": table["text"],
            "imported": table["imported"],
            "open": [f"review?sample={k}" for k in table["key"]],
        }
    )
    config = {
        "id": st.column_config.TextColumn(t("samples.id"), width=150),
        "language": st.column_config.TextColumn(t("samples.language"), width=90),
        "state": st.column_config.TextColumn(t("samples.state"), width=90),
        "split": st.column_config.TextColumn(t("samples.split"), width=70),
        "text": st.column_config.TextColumn(t("samples.text"), width="large"),
        "imported": st.column_config.DatetimeColumn(
            t("samples.imported"),
            format="D MMMM YYYY, HH:mm",
            timezone=str(browser_zone()),
            width=170,
        ),
        "open": st.column_config.LinkColumn(
            t("samples.open"), display_text=t("samples.open_link"), width=70
        ),
    }
    event: Any = st.dataframe(
        shown, hide_index=True, column_config=config, key=key, on_select="rerun",
        selection_mode="multi-row", height=560 if len(table) > 14 else "auto",
    )  # fmt: skip
    rows: Sequence[int] = event.selection.rows
    return rows


def _show_actions(chosen: CollectionRecord, keys: Sequence[int], count: int, page: int) -> None:
    """How many match, and the buttons for the selected ones; the line is there either way."""
    line, review, drop = st.columns([5, 1.3, 1.3], vertical_alignment="center")
    said = tn("count.sample", count)
    if count > PAGE:
        first = (page - 1) * PAGE + 1
        said = t(
            "samples.range", first=f"{first:,}", last=f"{min(count, page * PAGE):,}", samples=said
        )
    line.markdown(said + (" · " + t("samples.selected", n=len(keys)) if keys else ""))
    hint = t("samples.select_first")
    if review.button(
        t("samples.review"), key="open_review", disabled=len(keys) != 1, width="stretch",
        help=None if len(keys) == 1 else t("samples.select_one"),
    ):  # fmt: skip
        st.switch_page("pages/review.py", query_params={"sample": str(keys[0])})
    if drop.button(
        t("samples.delete"), key="delete_samples", disabled=not keys, width="stretch",
        help=None if keys else hint,
    ):  # fmt: skip
        st.session_state["samples_to_delete"] = tuple(keys)
    doomed = st.session_state.get("samples_to_delete")
    if doomed:
        _confirm(chosen, doomed)


def _confirm(chosen: CollectionRecord, keys: Sequence[int]) -> None:
    """Name what hangs on the samples, then delete them or not; `pages/samples.py` offers Undo."""
    with st.container(border=True, key="confirm_samples"):
        hanging = services().store.samples.what_hangs_on(keys)
        if not hanging["samples"]:
            st.session_state.pop("samples_to_delete")
            return
        st.markdown(t("samples.delete.what", what=write_hanging(hanging)))
        with st.container(horizontal=True):
            pressed = st.button(tn("samples.delete.do", len(keys)), key="delete_samples_yes")
            if st.button(t("samples.keep"), key="delete_samples_no"):
                st.session_state.pop("samples_to_delete")
                st.rerun()
        with error_boundary():
            if pressed:
                these = Queue(chosen.id, "oldest", SampleFilter(keys=keys))
                run_bulk(services().store, BulkOrder(these, "delete"), person=person() or "")
                st.session_state.pop("samples_to_delete")
                confirm_note(t("samples.deleted", what=write_hanging(hanging)))
                st.rerun()


def _several(
    cell: Any, name: str, options: Sequence[str], write: Callable[[str], str]
) -> tuple[str, ...]:
    key = f"filter_{name}"
    if key not in st.session_state:
        asked = st.query_params.get_all(name)
        st.session_state[key] = [value for value in asked if value in options]
    st.session_state[key] = [value for value in st.session_state[key] if value in options]
    values: list[str] = cell.multiselect(
        t(f"samples.{name}"), options, key=key, format_func=write, placeholder=t("samples.any")
    )
    if values != st.query_params.get_all(name):
        if values:
            st.query_params[name] = values
        else:
            st.query_params.pop(name, None)
    return tuple(values)


def _text(cell: Any) -> str:
    if "filter_text" not in st.session_state:
        st.session_state["filter_text"] = st.query_params.get("text", "")
    text: str = cell.text_input(t("samples.search"), key="filter_text", type="search") or ""
    if text and text != st.query_params.get("text"):
        st.query_params["text"] = text
    elif not text:
        st.query_params.pop("text", None)
    return text
