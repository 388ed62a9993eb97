"""The fields of a schema change: what a person fills in, as a change or as nothing yet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

import streamlit as st

from core.languages import MAIN, name_of
from core.schema import EventType, Role, Schema, label
from core.schema_change import (
    By,
    Change,
    Labels,
    MergeRoles,
    MergeTypes,
    RenameRole,
    RenameType,
    RetireRole,
    RetireType,
    Rule,
    SplitRole,
    SplitType,
)
from pages._ui.catalogue import LANGUAGE, t

ACTIONS = ("rename", "merge", "split", "retire")
KEPT: tuple[Labels, ...] = ("keep", "remove", "ask")
RULES: tuple[By, ...] = ("language", "role", "hand")


def ask_change(schema: Schema, languages: Sequence[str]) -> Change | None:
    """The change that the fields say, or None while something is missing."""
    with st.container(horizontal=True):
        action = st.segmented_control(
            t("evolve.action"), ACTIONS, default="rename", key="evolve_action",
            format_func=lambda a: t(f"evolve.action.{a}"),
        )  # fmt: skip
        of = st.segmented_control(
            t("evolve.of"), ("type", "role"), default="type", key="evolve_of",
            format_func=lambda o: t(f"evolve.of.{o}"),
        )  # fmt: skip
    if action is None or of is None:
        return None
    if of == "type":
        return _ask_of_type(action, schema, languages)
    return _ask_of_role(action, schema, languages)


def write_name(item: EventType | Role) -> str:
    """A type or role as the fields show it: what people see, its name, and whether it is retired."""
    seen = label(item, LANGUAGE)
    shown = item.name if seen == item.name else f"{seen} ({item.name})"
    return t("evolve.retired", name=shown) if item.retired else shown


# ---------------------------------------------------------------- private


def _ask_of_type(action: str, schema: Schema, languages: Sequence[str]) -> Change | None:
    live = [x.name for x in schema.types if not x.retired]
    if action == "merge":
        sources = _pick_several("evolve.types", schema.types, "evolve_types")
        into = _pick_or_new("evolve.into", [*sources, *(n for n in live if n not in sources)])
        return MergeTypes(tuple(sources), into) if sources and into else None
    item = _pick("evolve.type", [x for x in schema.types if not x.retired], "evolve_type")
    if item is None:
        return None
    if action == "rename":
        name, labels = _ask_name(item.name, item.labels)
        return RenameType(item.name, name, labels) if name and name != item.name else None
    if action == "retire":
        return RetireType(item.name, _ask_kept())
    parts = _ask_parts(live)
    rule = _ask_rule(parts, languages, [r for r in item.roles if not r.retired])
    return SplitType(item.name, tuple(parts), rule) if len(parts) > 1 and rule else None


def _ask_of_role(action: str, schema: Schema, languages: Sequence[str]) -> Change | None:
    types = [x for x in schema.types if not x.retired and x.roles]
    item = _pick("evolve.type", types, "evolve_type")
    if item is None:
        return None
    live = [r for r in item.roles if not r.retired]
    if action == "merge":
        sources = _pick_several("evolve.roles", item.roles, "evolve_roles")
        names = [*sources, *(r.name for r in live if r.name not in sources)]
        into = _pick_or_new("evolve.into", names)
        return MergeRoles(item.name, tuple(sources), into) if sources and into else None
    role = _pick("evolve.role", live, "evolve_role")
    if role is None:
        return None
    if action == "rename":
        everywhere = st.checkbox(t("evolve.every_type"), key="evolve_everywhere")
        name, labels = _ask_name(role.name, role.labels)
        owner = None if everywhere else item.name
        return RenameRole(owner, role.name, name, labels) if name and name != role.name else None
    if action == "retire":
        return RetireRole(item.name, role.name, _ask_kept())
    parts = _ask_parts([r.name for r in live])
    rule = _ask_rule(parts, languages, [r for r in live if r is not role])
    return SplitRole(item.name, role.name, tuple(parts), rule) if len(parts) > 1 and rule else None


def _pick(key: str, items: Sequence[Any], widget: str) -> Any:
    return st.selectbox(t(key), items, format_func=write_name, key=widget)


def _pick_several(key: str, items: Sequence[EventType | Role], widget: str) -> list[str]:
    by_name = {item.name: item for item in items}
    return st.multiselect(
        t(key), list(by_name), format_func=lambda n: write_name(by_name[n]), key=widget
    )


def _pick_or_new(key: str, names: Sequence[str]) -> str | None:
    chosen = st.selectbox(
        t(key), names, index=None, accept_new_options=True, key="evolve_into",
        help=t("evolve.into.help"), placeholder=t("evolve.into.help"),
    )  # fmt: skip
    return chosen.strip() if chosen else None


def _ask_name(name: str, labels: Mapping[str, str]) -> tuple[str, dict[str, str]]:
    """The new name, and the labels where they change (else {}: they stay)."""
    new = st.text_input(t("evolve.new_name"), name, key=f"evolve_name_{name}", max_chars=120)
    st.caption(t("evolve.labels"))
    shown = dict(labels)
    for column, code in zip(st.columns(len(MAIN)), MAIN, strict=True):
        typed = column.text_input(
            name_of(code), labels.get(code, ""), key=f"evolve_label_{name}_{code}"
        )
        shown[code] = (typed or "").strip()
    shown = {code: text for code, text in shown.items() if text}
    return (new or "").strip(), shown if shown != dict(labels) else {}


def _ask_kept() -> Labels:
    return st.radio(
        t("evolve.kept"), KEPT, format_func=lambda k: t(f"evolve.kept.{k}"), key="evolve_kept"
    )


def _ask_parts(names: Sequence[str]) -> list[str]:
    chosen = st.multiselect(
        t("evolve.parts"), names, accept_new_options=True, key="evolve_parts",
        help=t("evolve.parts.help"), placeholder=t("evolve.parts.help"),
    )  # fmt: skip
    return [name.strip() for name in chosen if name.strip()]


def _ask_rule(parts: Sequence[str], languages: Sequence[str], roles: Sequence[Role]) -> Rule | None:
    """The rule that chooses between the parts, or None while it has no case."""
    by = st.segmented_control(
        t("evolve.rule"), RULES, default="language", key="evolve_rule",
        format_func=lambda b: t(f"evolve.rule.{b}"),
    )  # fmt: skip
    if by is None or by == "hand" or len(parts) < 2:
        return Rule()
    cases = [(c, name_of(c)) for c in languages] if by == "language" else [
        (r.name, t("evolve.case.role", role=write_name(r))) for r in roles
    ]  # fmt: skip
    chosen = [
        (case, _choose(parts, shown, f"evolve_case_{by}_{case}", "evolve.no_case"))
        for case, shown in cases
    ]
    otherwise = _choose(parts, t("evolve.otherwise"), "evolve_otherwise", "evolve.person_decides")
    said = tuple((case, part) for case, part in chosen if part)
    return Rule(cast(By, by), said, otherwise) if said else None


def _choose(parts: Sequence[str], shown: str, widget: str, nothing: str) -> str | None:
    return st.selectbox(shown, parts, index=None, placeholder=t(nothing), key=widget)
