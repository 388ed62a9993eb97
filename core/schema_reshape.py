"""A change done to a schema, and taken back. Names that labels may still carry stay in it, retired."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from core.errors import RefusedError, SchemaError, shown
from core.schema import EventType, Role, Schema
from core.schema_change import (
    Change,
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


def change_schema(schema: Schema, change: Change) -> Schema:
    """The schema after a change; raises `SchemaError` where a name is missing, taken or unknown."""
    match change:
        case RenameType(old=old, new=new, labels=labels):
            item = _type(schema, old)
            _check_new([t.name for t in schema.types], new, "an event type")
            return _put(schema, old, [replace(item, name=new, labels=labels or item.labels)])
        case RenameRole(event_type=name, old=old):
            owners = [t.name for t in schema.types if t.role(old)] if name is None else [name]
            if not owners:
                raise SchemaError(f"no event type has a role {old!r}")
            for owner in owners:
                schema = _put(schema, owner, [_rename_role(_type(schema, owner), change)])
            return schema
        case MergeTypes(sources=sources, into=into):
            return _merge_types(schema, sources, into)
        case MergeRoles(event_type=name, sources=sources, into=into):
            return _put(schema, name, [_merge_roles(_type(schema, name), sources, into)])
        case SplitType():
            return _split_type(schema, change)
        case SplitRole(event_type=name):
            return _put(schema, name, [_split_role(_type(schema, name), change)])
        case RetireType(name=name):
            item = _type(schema, name)
            if item.retired:
                raise SchemaError(f"the event type {name!r} is retired already")
            return _put(schema, name, [replace(item, retired=True)])
        case RetireRole(event_type=name, name=role):
            item = _type(schema, name)
            if _role(item, role).retired:
                raise SchemaError(f"the role {role!r} of {name!r} is retired already")
            return _put(schema, name, [_retire_roles(item, [role])])


def undo_in_schema(
    current: Schema,
    *,
    before: Schema,
    after: Schema,
    still_used: Iterable[tuple[str, str | None]] = (),
) -> Schema:
    """`current` with the step from `before` to `after` taken back; later edits elsewhere stay.

    `still_used` are (type, role or None) of labels that are not taken back: they stay, retired.
    Raises `RefusedError` where a type that the step changed was edited since.
    """
    names = dict.fromkeys([t.name for t in before.types] + [t.name for t in after.types])
    changed = {name for name in names if before.type(name) != after.type(name)}
    for name in changed:
        if current.type(name) != after.type(name):
            raise RefusedError(
                f"the event type {name!r} was edited after this change, so taking the change back "
                "would lose that: undo the later change first, or edit the type by hand"
            )
    types: list[EventType] = []
    for item in before.types:
        kept = item if item.name in changed else current.type(item.name)
        if kept is not None:
            types.append(kept)
    placed = {t.name for t in types}
    types += [t for t in current.types if t.name not in placed | changed]
    return _keep_used(Schema(tuple(types)), current, still_used)


# ---------------------------------------------------------------- private


def _keep_used(schema: Schema, source: Schema, used: Iterable[tuple[str, str | None]]) -> Schema:
    for name, role_name in used:
        owner, item = source.type(name), schema.type(name)
        if owner is None:
            continue
        if item is None:
            schema = Schema((*schema.types, replace(owner, retired=True)))
        elif role_name is not None and item.role(role_name) is None:
            role = owner.role(role_name)
            if role is not None:
                roles = (*item.roles, replace(role, required=False, retired=True))
                schema = _put(schema, name, [replace(item, roles=roles)])
    return schema


def _merge_types(schema: Schema, sources: Sequence[str], into: str) -> Schema:
    items = [_type(schema, name) for name in _several(sources, into)]
    kept = schema.type(into)
    if kept is not None and kept.retired:
        raise SchemaError(f"the event type {into!r} is retired: merge into another one")
    if kept is None:
        _check_new([], into, "an event type")
        kept = EventType(into, description=items[0].description, roles=_union_of_roles(items))
        schema = _put(schema, items[0].name, [kept, items[0]])
    else:
        known = {r.name for r in kept.roles}
        more = [r for r in _union_of_roles(items) if r.name not in known]
        roles = kept.roles + tuple(replace(r, required=False) for r in more)
        schema = _put(schema, into, [replace(kept, roles=roles)])
    for item in items:
        if item.name != into:
            schema = _put(schema, item.name, [replace(item, retired=True)])
    return schema


def _union_of_roles(items: Sequence[EventType]) -> tuple[Role, ...]:
    """The roles of all items: required where all demand it, multiple where one allows it."""
    names = dict.fromkeys(r.name for item in items for r in item.roles)
    roles = []
    for name in names:
        found = [item.role(name) for item in items]
        there = [r for r in found if r is not None]
        roles.append(
            replace(
                there[0],
                required=all(r is not None and r.required for r in found),
                multiple=any(r.multiple for r in there),
                retired=all(r.retired for r in there),
            )
        )
    return tuple(roles)


def _merge_roles(item: EventType, sources: Sequence[str], into: str) -> EventType:
    found = [_role(item, name) for name in _several(sources, into)]
    kept = item.role(into)
    if kept is None:
        _check_new([], into, "a role")
        at = item.roles.index(found[0])
        kinds = dict.fromkeys(kind for r in found for kind in r.entity_kinds)
        fresh = Role(
            into, required=any(r.required for r in found), multiple=any(r.multiple for r in found),
            entity_kinds=tuple(kinds) if all(r.entity_kinds for r in found) else (),
        )  # fmt: skip
        item = replace(item, roles=(*item.roles[:at], fresh, *item.roles[at:]))
    elif kept.retired:
        raise SchemaError(f"the role {into!r} of {item.name!r} is retired: merge into another one")
    return _retire_roles(item, [r.name for r in found if r.name != into])


def _split_type(schema: Schema, change: SplitType) -> Schema:
    item = _type(schema, change.source)
    _check_targets(change.targets, change.rule, change.source)
    for name in change.targets:
        known = schema.type(name)
        if known is not None and known.retired:
            raise SchemaError(f"the event type {name!r} is retired: choose another name")
    fresh = [
        replace(item, name=name, labels={}) for name in change.targets if schema.type(name) is None
    ]
    stays = item if change.source in change.targets else replace(item, retired=True)
    return _put(schema, change.source, [stays, *fresh])


def _split_role(item: EventType, change: SplitRole) -> EventType:
    role = _role(item, change.source)
    _check_targets(change.targets, change.rule, change.source)
    for name in change.targets:
        known = item.role(name)
        if known is not None and known.retired:
            raise SchemaError(f"the role {name!r} is retired: choose another name")
    fresh = [
        replace(role, name=name, labels={}, required=False)
        for name in change.targets
        if item.role(name) is None
    ]
    at = item.roles.index(role) + 1
    item = replace(item, roles=(*item.roles[:at], *fresh, *item.roles[at:]))
    return item if change.source in change.targets else _retire_roles(item, [change.source])


def _rename_role(item: EventType, change: RenameRole) -> EventType:
    role = _role(item, change.old)
    _check_new([r.name for r in item.roles], change.new, f"a role of {item.name!r}")
    new = replace(role, name=change.new, labels=change.labels or role.labels)
    return replace(item, roles=tuple(new if r is role else r for r in item.roles))


def _retire_roles(item: EventType, names: Sequence[str]) -> EventType:
    roles = (replace(r, retired=True) if r.name in names else r for r in item.roles)
    return replace(item, roles=tuple(roles))


def _put(schema: Schema, name: str, items: Sequence[EventType]) -> Schema:
    """The schema with `items` in the place of the type `name`."""
    at = next(i for i, t in enumerate(schema.types) if t.name == name)
    return Schema((*schema.types[:at], *items, *schema.types[at + 1 :]))


def _type(schema: Schema, name: str) -> EventType:
    found = schema.type(name)
    if found is None:
        names = ", ".join(t.name for t in schema.types) or "none"
        raise SchemaError(f"the schema has no event type {name!r} (there are: {names})")
    return found


def _role(item: EventType, name: str) -> Role:
    found = item.role(name)
    if found is None:
        names = ", ".join(r.name for r in item.roles) or "none"
        raise SchemaError(f"{item.name!r} has no role {name!r} (its roles: {names})")
    return found


def _check_new(taken: Sequence[str], name: str, what: str) -> None:
    if not name.strip() or name != name.strip() or len(name) > 120:
        raise SchemaError(f"{what} needs a name of 1 to 120 characters, not {shown(name)}")
    if name in taken:
        raise SchemaError(
            f"there is {what} {name!r} already: choose another name, or merge the two"
        )


def _check_targets(targets: Sequence[str], rule: Rule, source: str) -> None:
    if len(set(targets)) < 2:
        raise SchemaError(f"splitting {source!r} needs two names at least, not {list(targets)}")
    for name in targets:
        _check_new([], name, "each part")
    chosen = [name for _, name in rule.cases] + ([rule.otherwise] if rule.otherwise else [])
    foreign = [name for name in chosen if name not in targets]
    if foreign:
        raise SchemaError(
            f"the rule chooses {foreign[0]!r}, which is none of the parts ({', '.join(targets)})"
        )
    if rule.by != "hand" and not rule.cases:
        raise SchemaError(f"the rule by {rule.by} has no case: add one, or decide by hand")


def _several(sources: Sequence[str], into: str) -> list[str]:
    names = list(dict.fromkeys(sources))
    if len({*names, into}) < 2 or not names:
        raise SchemaError(f"a merge needs two names at least, not {names or 'none'}")
    return names
