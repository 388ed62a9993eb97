"""The Schema page's panel of changes that take labels along: choose, see what it touches, do, undo."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from core.events import Event
from core.languages import in_order, name_of
from core.records import ChangeExample, ChangePreview, CollectionRecord, SchemaChangeRecord
from core.schema_change import Change, change_from_dict, change_to_dict
from pages._ui.catalogue import t, tn
from pages._ui.change_form import ask_change
from pages._ui.layout import confirm_note, error_boundary, escape
from pages._ui.words import write_by_language, write_list, write_time
from train.services import Services

_OPEN = "evolve_open"  # whether the dialog is open: a run of the whole page would close it
_PREVIEW = "evolve_preview"  # (the change as a dictionary, what it would do)


def show_schema_changes(
    services: Services, collection: CollectionRecord, person: str | None
) -> None:
    """The panel: what waits for a person, the button that opens the dialog, and the history."""
    with st.container(key="schema_changes"):
        st.markdown(f"#### {t('evolve.title')}")
        st.markdown(f":gray[{t('evolve.intro')}]")
        _show_waiting(services, collection)
        st.button(t("evolve.start"), key="evolve_start", on_click=_open)
        if st.session_state.get(_OPEN):
            _show_dialog(services, collection, person)
        _show_history(services, collection, person)


def describe(change: Mapping[str, Any]) -> str:
    """A stored change in a sentence."""
    values = {
        k: write_list([str(x) for x in v]) if isinstance(v, list | tuple) else v
        for k, v in change.items()
        if k != "kind"
    }
    if values.get("event_type", "") is None:
        values["event_type"] = t("evolve.every_type")
    return t(f"evolve.says.{change['kind']}", **values)


def write_why(key: str, values: Mapping[str, Any]) -> str:
    """Why a person must decide, as `store.schema_changes.waiting` and `.why` say it."""
    return t(key, **{"type": "", "role": "", "words": "", **values})


# ---------------------------------------------------------------- private


def _open() -> None:
    _close()
    st.session_state[_OPEN] = True


def _close() -> None:
    st.session_state.pop(_OPEN, None)
    st.session_state.pop(_PREVIEW, None)


@st.dialog(t("evolve.dialog"), width="large", on_dismiss=_close)
def _show_dialog(services: Services, collection: CollectionRecord, person: str | None) -> None:
    store = services.store
    with error_boundary():
        schema = store.collections.schema(collection.id)
        languages = in_order(store.reads.coverage(collection.id).index)
        change = ask_change(schema, languages)
        if change is None:
            st.caption(t("evolve.unfinished"))
            return
        if st.button(t("evolve.preview"), key="evolve_show"):
            with st.spinner(t("evolve.counting")):
                preview = store.schema_changes.preview(collection.id, change)
            st.session_state[_PREVIEW] = (change_to_dict(change), preview)
        said, preview = st.session_state.get(_PREVIEW, (None, None))
        if preview is not None and said == change_to_dict(change):
            _show_preview(preview)
            _offer(services, collection, person, change, preview)


def _offer(
    services: Services,
    collection: CollectionRecord,
    person: str | None,
    change: Change,
    preview: ChangePreview,
) -> None:
    """The note and the button that does it."""
    note = st.text_input(t("evolve.note"), key="evolve_note", placeholder=t("evolve.note.hint"))
    count = preview.annotations + preview.people
    words = t("evolve.apply", n=f"{count:,}") if count else t("evolve.apply.schema")
    if st.button(words, type="primary", key="evolve_apply"):
        with st.spinner(t("evolve.applying")):
            done = services.store.schema_changes.apply(
                collection.id, change, person=person, note=note or ""
            )
        _close()
        said = t(
            "evolve.done", number=done.number_after, touched=_touched(done.annotations),
            people=_people(done.people),
        )  # fmt: skip
        confirm_note(said.replace("**", ""))
        st.rerun()


def _show_preview(preview: ChangePreview) -> None:
    """The counts in a line, what follows, and examples: first those that need a person."""
    if not preview.samples:
        st.info(t("evolve.nothing"))
    else:
        where = tn("evolve.in_samples", preview.samples)
        st.markdown(f"{_touched(preview.annotations)}, {_people(preview.people)}, {where}.")
    rest = []
    if preview.annotations:
        languages = {c: preview.by_language[c] for c in in_order(preview.by_language)}
        rest.append(t("evolve.by_language", languages=write_by_language(languages)))
    for key, count in (
        ("evolve.waits", preview.people_samples),
        ("evolve.suggestions", preview.suggestions),
        ("evolve.drafts", preview.drafts),
    ):
        if count:
            rest.append(tn(key, count))
    if rest:
        st.markdown(":gray[" + " ".join(rest) + "]")
    if preview.examples:
        st.caption(t("evolve.examples"))
        st.markdown("\n".join(f"- {_write_example(e)}" for e in preview.examples))


def _write_example(example: ChangeExample) -> str:
    trigger = example.before.trigger
    words = escape(f"“{trigger.text}”" if trigger and trigger.text else t("evolve.no_words"))
    language = name_of(example.language)
    if example.why is not None:
        values = {**example.values, "role": example.role or example.values.get("role", "")}
        why = escape(write_why(f"evolve.why.{example.why}", values))
        return t("evolve.example.person", language=language, words=words, why=why)
    after = _names(example.after) if example.after else t("evolve.removed")
    return t(
        "evolve.example", language=language, words=words, before=escape(_names(example.before)),
        after=escape(after),
    )  # fmt: skip


def _names(event: Event) -> str:
    roles = ", ".join(a.role for a in event.arguments)
    return f"{event.event_type} ({roles})" if roles else event.event_type


def _show_waiting(services: Services, collection: CollectionRecord) -> None:
    count = services.store.schema_changes.count_waiting(collection.id)
    if not count:
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(tn("evolve.waiting", count))
        first = services.store.schema_changes.waiting(collection.id, limit=1)
        if first and st.button(t("evolve.waiting.open"), key="evolve_waiting", type="tertiary"):
            st.switch_page("pages/review.py", query_params={"sample": str(first[0][0])})


def _show_history(services: Services, collection: CollectionRecord, person: str | None) -> None:
    done = services.store.schema_changes.all(collection.id)
    if not done:
        return
    with st.expander(tn("evolve.history", len(done))):
        for record in done:
            with st.container(horizontal=True, vertical_alignment="center"):
                st.markdown(_write_entry(record), width="stretch")
                if record.undone is None and st.button(
                    t("evolve.undo"), key=f"evolve_undo_{record.id}"
                ):
                    with error_boundary():
                        _undo(services, record, person)


def _undo(services: Services, record: SchemaChangeRecord, person: str | None) -> None:
    with st.spinner(t("evolve.applying")):
        undone = services.store.schema_changes.undo(record.id, person=person)
    number = services.store.collections.schema_versions(record.collection_id)[0]["number"]
    skipped = tn("evolve.skipped", undone.skipped) if undone.skipped else ""
    confirm_note(t("evolve.undo.done", number=number, skipped=skipped).strip())
    st.rerun()


def _write_entry(record: SchemaChangeRecord) -> str:
    lines = [
        t(
            "evolve.entry", what=escape(describe(change_to_dict(change_from_dict(record.change)))),
            time=write_time(record.created), person=escape(record.person or t("evolve.somebody")),
            number=record.number_after, touched=_touched(record.annotations).replace("**", ""),
            people=_people(record.people).replace("**", ""),
        )
    ]  # fmt: skip
    if record.note:
        lines.append(t("evolve.entry.note", note=escape(record.note)))
    if record.undone is not None:
        who = escape(record.undone_by or t("evolve.somebody"))
        lines.append(t("evolve.undone", person=who, time=write_time(record.undone)))
        if record.skipped:
            lines.append(tn("evolve.skipped", record.skipped))
    return "  \n".join(lines)


def _touched(count: int) -> str:
    return tn("evolve.touched", count)


def _people(count: int) -> str:
    return tn("evolve.people", count) if count else t("evolve.people.none")
