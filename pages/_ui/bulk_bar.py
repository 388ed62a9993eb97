"""Bulk operations on a queue: a dialog that shows what would happen, and the way back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pandas as pd
import streamlit as st

from core.bulk import BulkKind, BulkOrder, BulkPreview, BulkRecord, BulkResult
from core.languages import name_of
from core.queue_work import run_bulk, undo_bulk
from core.queues import Queue
from core.samples import SPLITS
from core.schema import Schema
from pages._ui.catalogue import t, tn
from pages._ui.layout import confirm_note, error_boundary, escape
from pages._ui.queue_list import close_dialog, open_dialog
from pages._ui.queue_words import type_name
from pages._ui.session import person, services
from pages._ui.words import write_list, write_time
from train.queue import start_refresh, stop_refresh

KINDS: tuple[BulkKind, ...] = ("accept", "split", "flag", "refresh", "delete")
JUST_NOW = timedelta(minutes=10)
TYPES = 8  # event types that a preview counts one by one
ROW = 33  # pixels
NAMED = 20  # samples that a refusal names one by one
_REFUSED = "bulk_refused"


def offer_bulk(count: int) -> Any:
    """The buttons for all of a queue; each opens its dialog. Returns their row."""
    row = st.container(key="bulk", horizontal=True, vertical_alignment="center")
    with row:
        st.markdown(f":gray[{tn('bulk.all', count)}]", width="content")
        for kind in KINDS:
            st.button(
                t(f"bulk.{kind}"), key=f"bulk_{kind}", disabled=not count,
                on_click=open_dialog, args=(f"bulk_{kind}",),
            )  # fmt: skip
    return row


def show_last(collection_id: int, *, kinds: Sequence[BulkKind] = KINDS) -> int | None:
    """What was done in the last minutes, with its Undo at hand; and what an undo could not take
    back. Returns the operation that is shown."""
    refused = st.session_state.pop(_REFUSED, None)
    if refused:
        st.warning("\n\n".join(refused))
    for record in services().store.bulk.latest(collection_id, limit=1):
        is_recent = datetime.now(UTC) - record.created < JUST_NOW
        if record.left and record.kind in kinds and is_recent:
            _show_record(record)
            return record.id
    return None


def show_latest(collection_id: int, *, shown: int | None) -> None:
    """What else was done lately, each with its Undo."""
    records = services().store.bulk.latest(collection_id)
    records = [record for record in records if record.id != shown]
    if records:
        st.markdown(f"### {t('bulk.latest')}")
    for record in records:
        _show_record(record)


def _show_record(record: BulkRecord) -> None:
    line, button = st.columns([6, 1], vertical_alignment="center")
    line.markdown(_line(record))
    if record.left:
        with error_boundary():
            if button.button(t("bulk.undo"), key=f"undo_{record.id}", width="stretch"):
                _undo(record)


def describe(record: BulkRecord) -> str:
    """What an operation did: `412 suggestions accepted`."""
    return tn(f"bulk.done.{record.kind}", record.done, split=_split(record.settings.get("split")))


# ---------------------------------------------------------------- the dialog


def show_bulk(queue: Queue, kind: BulkKind, schema: Schema) -> None:
    """The dialog of an operation: what it needs to know, what it would do, and the button."""
    with error_boundary():
        order = _ask(BulkOrder(queue, kind))
        preview = services().store.bulk.preview(order, person=person() or "")
        _show_preview(preview, schema)
        with st.container(horizontal=True, key="bulk_decide"):
            pressed = st.button(
                tn(f"bulk.{kind}.do", preview.count), type="primary", key="bulk_do",
                disabled=not preview.count,
            )  # fmt: skip
            if st.button(t("bulk.cancel"), key="bulk_cancel", on_click=close_dialog):
                st.rerun()
        if pressed:
            _run(order)


def _ask(order: BulkOrder) -> BulkOrder:
    """What the operation needs to know, beside the queue."""
    what = t(f"bulk.{order.kind}.what")
    if order.kind == "accept":
        threshold = st.slider(what, 0.5, 0.99, 0.9, 0.01, format="%.2f", key="bulk_threshold")
        return replace(order, threshold=threshold)
    if order.kind == "split":
        split = st.segmented_control(
            what, SPLITS, default=SPLITS[0], format_func=_split, key="bulk_to", required=True
        )
        return replace(order, split=split)
    if order.kind == "flag":
        return replace(order, text=st.text_input(what, key="bulk_text", max_chars=4000) or "")
    st.markdown(what)
    return order


def _run(order: BulkOrder) -> None:
    bar = st.progress(0.0, text=t("bulk.doing", share="0%"))

    def show(share: float) -> None:
        bar.progress(share, text=t("bulk.doing", share=f"{share:.0%}"))

    result = run_bulk(services().store, order, person=person() or "", on_step=show)
    if order.kind == "refresh":
        start_refresh(services(), result.bulk_id)
    said = describe(services().store.bulk.get(result.bulk_id)) + "."
    left = _left_out(result.left_out)
    confirm_note(f"{said} {left}".strip())
    close_dialog()
    st.rerun()


# ---------------------------------------------------------------- the preview


def _show_preview(preview: BulkPreview, schema: Schema) -> None:
    if preview.count:
        _show_counts(preview, schema)
    else:
        st.info(t("bulk.nothing"))
    notes = [_left_out(preview.left_out)]
    if preview.along:
        notes.append(tn("bulk.along", preview.along))
    if preview.unchecked:
        notes.append(tn("bulk.unchecked", preview.unchecked))
    if preview.order.kind == "split" and preview.by_split.get("test"):
        notes.append(t("bulk.from_test"))
    for note in filter(None, notes):
        st.markdown(f":gray[{note}]")
    if preview.examples:
        with st.container(key="bulk_examples"):
            st.markdown(f":gray[{t('bulk.examples')}]")
            st.dataframe(
                _examples(preview.examples, schema), hide_index=True,
                height=ROW * (len(preview.examples) + 1) + 3,
                column_config={
                    "text": st.column_config.TextColumn(t("queues.col.text"), width=520),
                    "language": st.column_config.TextColumn(t("queues.col.language"), width=90),
                    "events": st.column_config.TextColumn(t("bulk.events"), width=320),
                },
            )  # fmt: skip


def _show_counts(preview: BulkPreview, schema: Schema) -> None:
    parts = [(t("bulk.by_language"), {name_of(c): n for c, n in preview.by_language.items()})]
    types = {type_name(schema, name): n for name, n in preview.by_type.items()}
    if types:
        parts.append((t("bulk.by_type"), types))
    if preview.order.kind in ("split", "delete"):
        parts.append((t("bulk.by_split"), {_split(s): n for s, n in preview.by_split.items()}))
    lines = []
    for title, counts in parts:
        shown = [f"{escape(name)} **{n:,}**" for name, n in list(counts.items())[:TYPES]]
        if len(counts) > TYPES:
            shown.append(tn("bulk.more_types", len(counts) - TYPES))
        lines.append(f":gray[{title}:] " + " · ".join(shown))
    st.markdown("  \n".join(lines))


def _examples(examples: Sequence[Mapping[str, Any]], schema: Schema) -> pd.DataFrame:
    def write_events(events: Sequence[tuple[str, str | None]]) -> str:
        said = [f"{type_name(schema, n)}: {w}" if w else type_name(schema, n) for n, w in events]
        return ", ".join(said) or t("bulk.events.none")

    return pd.DataFrame(
        {
            "text": [example["text"] for example in examples],
            "language": [name_of(example["language"]) for example in examples],
            "events": [write_events(example["events"]) for example in examples],
        }
    )


def _left_out(counts: Mapping[str, int]) -> str:
    parts = [tn(f"bulk.out.{reason}", n) for reason, n in counts.items() if n]
    return t("bulk.left_out", what=write_list(parts)) if parts else ""


def _split(split: str | None) -> str:
    return t(f"split.{split or 'none'}")


# ---------------------------------------------------------------- undo


def _line(record: BulkRecord) -> str:
    what = describe(record)
    if record.undone and record.left:
        what += f" · {tn('bulk.undone.part', record.left)}"
    elif record.undone:
        what = f":gray[{what} · {t('bulk.undone')}]"
    return t("bulk.line", what=what, time=write_time(record.created), person=escape(record.person))


def _undo(record: BulkRecord) -> None:
    if record.kind == "refresh":
        stop_refresh(services(), record.id)
    result = undo_bulk(services().store, record.id)
    if result.done:
        confirm_note(tn("bulk.undo.done", result.done))
    if result.refused:
        st.session_state[_REFUSED] = _write_refusals(result)
    st.rerun()


def _write_refusals(result: BulkResult) -> list[str]:
    lines = [tn("bulk.undo.refused", len(result.refused))]
    for refusal in result.refused[:NAMED]:
        lines.append(
            t("bulk.undo.refusal", sample=f"#{refusal.sample_key}", why=escape(refusal.why))
        )
    if len(result.refused) > NAMED:
        lines.append(t("bulk.undo.more", n=f"{len(result.refused) - NAMED:,}"))
    return lines
