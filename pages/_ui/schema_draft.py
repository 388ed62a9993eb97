"""A schema being edited: kept in the store, change by change, until it is saved as a new version."""

from __future__ import annotations

from dataclasses import dataclass, replace

import streamlit as st

from core.errors import RefusedError
from core.records import CollectionRecord
from core.schema import (
    EventType,
    Role,
    Schema,
    check_keeps,
    schema_from_dict,
    schema_to_dict,
)
from pages._ui.catalogue import t
from pages._ui.session import person, services

_KEY = "schema_draft"


@dataclass(frozen=True, slots=True)
class Draft:
    """`base` is the version that was opened, as `number`. `turn` grows with each change of shape
    (a type or role added or removed), so that no widget keeps the value of another row."""

    collection_id: int
    number: int
    base: Schema
    schema: Schema
    turn: int = 0

    @property
    def is_changed(self) -> bool:
        """Whether there is anything to save."""
        return schema_to_dict(self.schema) != schema_to_dict(self.base)


def open_draft(collection: CollectionRecord) -> Draft:
    """The draft of a collection, begun from its newest version where there is none."""
    kept = st.session_state.get(_KEY)
    turn = 0
    if isinstance(kept, Draft):
        is_fresh = kept.number == collection.schema_number or kept.is_changed
        if is_fresh and kept.collection_id == collection.id:
            return kept
        turn = kept.turn + 1
    store = services().store
    stored = store.schema_drafts.get(collection.id, person() or "")
    number = stored[0] if stored else collection.schema_number
    base = store.collections.schema(collection.id, number)
    draft = Draft(collection.id, number, base, stored[1] if stored else base, turn)
    st.session_state[_KEY] = draft
    return draft


def discard() -> None:
    """Forget what was changed; the next run opens the newest version."""
    kept = st.session_state[_KEY]
    services().store.schema_drafts.drop(kept.collection_id, person() or "")
    st.session_state[_KEY] = replace(kept, number=0, schema=kept.base)


def change(draft: Draft, schema: Schema, *, reshaped: bool = False) -> None:
    """Put another schema into the draft; a reload of the page finds it in the store."""
    changed = replace(draft, schema=schema, turn=draft.turn + reshaped)
    drafts = services().store.schema_drafts
    if changed.is_changed:
        drafts.keep(draft.collection_id, person() or "", number=draft.number, schema=schema)
    else:
        drafts.drop(draft.collection_id, person() or "")
    st.session_state[_KEY] = changed


def save(draft: Draft, *, note: str) -> int:
    """Save as a new version; raises where a label would be lost, or a name is missing or twice."""
    store = services().store
    now = next(c for c in store.collections.all() if c.id == draft.collection_id)
    if now.schema_number != draft.number:
        raise RefusedError(t("schema.overtaken", number=now.schema_number))
    schema = schema_from_dict(schema_to_dict(draft.schema))
    check_keeps(schema, store.reads.types_in_use(draft.collection_id))
    number = store.collections.save_schema(draft.collection_id, schema, note=note, person=person())
    discard()
    return number


def put_type(schema: Schema, index: int, item: EventType) -> Schema:
    """The schema with another type at `index`."""
    return Schema((*schema.types[:index], item, *schema.types[index + 1 :]))


def without_type(schema: Schema, index: int) -> Schema:
    """The schema without the type at `index`."""
    return Schema(schema.types[:index] + schema.types[index + 1 :])


def put_role(item: EventType, index: int, role: Role) -> EventType:
    """The type with another role at `index`."""
    return replace(item, roles=(*item.roles[:index], role, *item.roles[index + 1 :]))


def without_role(item: EventType, index: int) -> EventType:
    """The type without the role at `index`."""
    return replace(item, roles=item.roles[:index] + item.roles[index + 1 :])


def describe_changes(old: Schema, new: Schema) -> list[str]:
    """What a save would change, a line each."""
    lines = []
    for item in new.types:
        before = old.type(item.name)
        if before is None:
            lines.append(t("change.type.added", type=item.name, n=len(item.roles)))
            continue
        if (item.labels, item.description) != (before.labels, before.description):
            lines.append(t("change.type.edited", type=item.name))
        for role in item.roles:
            was = before.role(role.name)
            if was is None:
                lines.append(t("change.role.added", type=item.name, role=role.name))
            elif was != role:
                lines.append(t("change.role.edited", type=item.name, role=role.name))
        lines += [
            t("change.role.removed", type=item.name, role=role.name)
            for role in before.roles
            if item.role(role.name) is None
        ]
    lines += [
        t("change.type.removed", type=item.name)
        for item in old.types
        if new.type(item.name) is None
    ]
    return lines or [t("change.order")]
