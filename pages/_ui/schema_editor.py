"""The editor of one event type: names, labels in four languages, roles, and what is in use."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import streamlit as st

from core.errors import RefusedError, SchemaError
from core.languages import MAIN, name_of
from core.schema import EventType, Role, Schema, check_keeps
from pages._ui.catalogue import t, tn
from pages._ui.layout import show_error
from pages._ui.schema_draft import (
    Draft,
    change,
    put_role,
    put_type,
    without_role,
    without_type,
)

Used = Mapping[tuple[str, str | None], int]
_GRID = [1.9, 1.4, 1.4, 1.4, 1.4, 1.5, 1.1, 0.9, 1.0, 1.2]
NAME = 120  # characters


def add_type(draft: Draft, name: str) -> None:
    """Add an empty type at the end; raises where the name is missing or taken."""
    name = name.strip()
    if not name:
        raise SchemaError(t("schema.type.unnamed"))
    if draft.schema.type(name):
        raise SchemaError(t("schema.type.taken", type=name))
    change(draft, Schema((*draft.schema.types, EventType(name))), reshaped=True)


def edit_type(draft: Draft, index: int, used: Used) -> None:
    """The fields of a type; each change goes into the draft at once."""
    item = draft.schema.types[index]
    uses = used.get((item.name, None), 0)
    prefix = f"type_{draft.turn}_{index}"
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = st.text_input(
            t("schema.name"), item.name, key=f"{prefix}_name", disabled=uses > 0,
            help=t("schema.name.used", n=f"{uses:,}") if uses else None, max_chars=NAME,
        )  # fmt: skip
        if st.button(t("schema.type.remove"), key=f"{prefix}_remove"):
            _remove(draft, without_type(draft.schema, index), used)
    labels = _labels(item.labels, f"{prefix}_label")
    description = st.text_input(
        t("schema.description"), item.description, key=f"{prefix}_description"
    )
    edited = replace(
        item, name=_clean(name, item.name), labels=labels, description=description or ""
    )
    edited = _edit_roles(draft, index, edited, used, prefix)
    if edited != item:
        change(draft, put_type(draft.schema, index, edited))
        st.rerun()  # the bar above shows what is not saved yet


def _edit_roles(draft: Draft, index: int, item: EventType, used: Used, prefix: str) -> EventType:
    st.markdown(f"#### {t('schema.roles')}")
    if item.roles:
        names = [t("schema.role"), *(name_of(code) for code in MAIN)]
        names += [t(f"schema.{key}") for key in ("kinds", "required", "multiple")]
        with st.container(key="role_heads"):
            for column, name in zip(st.columns(_GRID, gap="xsmall")[:-2], names, strict=True):
                column.caption(name)
    for i, role in enumerate(item.roles):
        uses = used.get((item.name, role.name), 0)
        with st.container(key=f"role_row_{i}"):
            kept = _edit_role(draft.schema, role, uses, f"{prefix}_role_{i}")
        if kept is None:
            smaller = put_type(draft.schema, index, without_role(item, i))
            _remove(draft, smaller, used)
        else:
            item = put_role(item, i, kept)
    added = _ask_role(item, prefix)
    if added is not None:
        longer = put_role(item, len(item.roles), added)
        change(draft, put_type(draft.schema, index, longer), reshaped=True)
        st.rerun()
    return item


def _edit_role(schema: Schema, role: Role, uses: int, prefix: str) -> Role | None:
    """A role in one line; None where it is to be removed."""
    cells = st.columns(_GRID, gap="xsmall", vertical_alignment="center")
    name = cells[0].text_input(
        t("schema.role"), role.name, key=f"{prefix}_name", disabled=uses > 0,
        label_visibility="collapsed", max_chars=NAME,
    )  # fmt: skip
    labels = dict(role.labels)
    for cell, code in zip(cells[1:5], MAIN, strict=True):
        text = cell.text_input(
            t("schema.label", language=name_of(code)), role.labels.get(code, ""),
            key=f"{prefix}_{code}", placeholder=name_of(code), label_visibility="collapsed",
        )  # fmt: skip
        _set_label(labels, code, text)
    kinds = _edit_kinds(cells[5], schema, role, prefix)
    required = cells[6].checkbox(
        t("schema.required"), role.required, key=f"{prefix}_required", label_visibility="collapsed"
    )
    multiple = cells[7].checkbox(
        t("schema.multiple"), role.multiple, key=f"{prefix}_multiple", label_visibility="collapsed"
    )
    cells[8].markdown(f":gray[:small[{t('schema.uses', n=f'{uses:,}')}]]")
    if cells[9].button(t("schema.role.remove"), key=f"{prefix}_remove", type="tertiary"):
        return None
    return replace(
        role, name=_clean(name, role.name), labels=labels, required=required, multiple=multiple,
        entity_kinds=kinds,
    )  # fmt: skip


def _edit_kinds(cell: Any, schema: Schema, role: Role, prefix: str) -> tuple[str, ...]:
    """What a mention in the role may be: kinds that the schema has already, or new ones."""
    every = [kind for item in schema.types for r in item.roles for kind in r.entity_kinds]
    count = len(role.entity_kinds)
    said = tn("schema.kinds.some", count) if count else t("schema.kinds.any")
    with cell.popover(said, width="stretch", help=", ".join(role.entity_kinds) or None):
        chosen: list[str] = st.multiselect(
            t("schema.kinds.what", role=role.name), sorted(set(every)),
            default=list(role.entity_kinds), accept_new_options=True, key=f"{prefix}_kinds",
            placeholder=t("schema.kinds.hint"),
        )  # fmt: skip
        kinds = list(dict.fromkeys(kind.strip() for kind in chosen if kind.strip()))
        for kind in kinds:
            if len(kind) > NAME:
                show_error(SchemaError(t("schema.kind.long", n=NAME, kind=kind[:20])))
    return tuple(kind for kind in kinds if len(kind) <= NAME)


def _ask_role(item: EventType, prefix: str) -> Role | None:
    """The role that a person adds, or None; a name that is missing or taken is said."""
    with (
        st.form(f"{prefix}_add", border=False, clear_on_submit=True),
        st.container(horizontal=True, vertical_alignment="bottom"),
    ):
        typed = st.text_input(
            t("schema.role.new"), key=f"{prefix}_new_role", max_chars=NAME, width=260
        )
        pressed = st.form_submit_button(t("schema.role.add"), key=f"{prefix}_add_role")
    name = (typed or "").strip()
    if pressed and not name:
        show_error(SchemaError(t("schema.role.unnamed")))
    elif pressed and item.role(name):
        show_error(SchemaError(t("schema.role.taken", role=name, type=item.name)))
    elif pressed:
        return Role(name)
    return None


def _remove(draft: Draft, smaller: Schema, used: Used) -> None:
    """Take a type or role away, unless labels use it."""
    try:
        check_keeps(smaller, {k: n for k, n in used.items() if _is_in(draft.schema, k)})
    except RefusedError as problem:
        show_error(problem)
        return
    change(draft, smaller, reshaped=True)
    st.rerun()


def _is_in(schema: Schema, place: tuple[str, str | None]) -> bool:
    known = schema.type(place[0])
    return known is not None and (place[1] is None or known.role(place[1]) is not None)


def _labels(labels: Mapping[str, str], prefix: str) -> dict[str, str]:
    edited = dict(labels)
    for column, code in zip(st.columns(len(MAIN)), MAIN, strict=True):
        text = column.text_input(
            t("schema.label", language=name_of(code)), labels.get(code, ""), key=f"{prefix}_{code}"
        )
        _set_label(edited, code, text)
    return edited


def _set_label(labels: dict[str, str], code: str, text: str | None) -> None:
    if text and text.strip():
        labels[code] = text.strip()
    else:
        labels.pop(code, None)


def _clean(name: str | None, before: str) -> str:
    return (name or "").strip() or before
