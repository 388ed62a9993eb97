"""Changes of a schema that take the labels along, as values: rename, merge, split and retire.

`core.schema_reshape` does a change to a schema and takes it back, `core.schema_relabel` does it to
events.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from pydantic import TypeAdapter, ValidationError

from core.errors import SchemaError, shown
from core.schema import Schema

Labels = Literal["keep", "remove", "ask"]  # what becomes of labels that carry a retired name
By = Literal["language", "role", "hand"]


@dataclass(frozen=True, slots=True)
class Rule:
    """How a split chooses: by the sample's language, by a role that is filled, or by hand.

    `cases` are (language code or role, new name); the first that fits is taken. Where none fits it
    is `otherwise`, and without that a person decides.
    """

    by: By = "hand"
    cases: tuple[tuple[str, str], ...] = ()
    otherwise: str | None = None


@dataclass(frozen=True, slots=True)
class RenameType:
    """An event type gets another name; `labels` replaces what people see it called, where given."""

    old: str
    new: str
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RenameRole:
    """A role gets another name, in one type or (None) in every type that has it."""

    event_type: str | None
    old: str
    new: str
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class MergeTypes:
    """Event types become one, which may be one of them, another one, or a new name."""

    sources: tuple[str, ...]
    into: str


@dataclass(frozen=True, slots=True)
class MergeRoles:
    """Roles of a type become one, which may be one of them, another one, or a new name."""

    event_type: str
    sources: tuple[str, ...]
    into: str


@dataclass(frozen=True, slots=True)
class SplitType:
    """An event type becomes several; those that are new get its roles."""

    source: str
    targets: tuple[str, ...]
    rule: Rule = Rule()


@dataclass(frozen=True, slots=True)
class SplitRole:
    """A role of a type becomes several."""

    event_type: str
    source: str
    targets: tuple[str, ...]
    rule: Rule = Rule()


@dataclass(frozen=True, slots=True)
class RetireType:
    """An event type is offered no more; its labels are kept, removed, or a person decides."""

    name: str
    labels: Labels = "keep"


@dataclass(frozen=True, slots=True)
class RetireRole:
    """A role of a type is offered no more; its labels are kept, removed, or a person decides."""

    event_type: str
    name: str
    labels: Labels = "keep"


Change = (
    RenameType | RenameRole | MergeTypes | MergeRoles | SplitType | SplitRole | RetireType | RetireRole
)  # fmt: skip
KINDS: dict[str, type[Change]] = {
    "rename_type": RenameType, "rename_role": RenameRole, "merge_types": MergeTypes,
    "merge_roles": MergeRoles, "split_type": SplitType, "split_role": SplitRole,
    "retire_type": RetireType, "retire_role": RetireRole,
}  # fmt: skip


def kind_of(change: Change) -> str:
    """The name of a kind of change, as it is stored."""
    return next(kind for kind, made in KINDS.items() if made is type(change))


def change_to_dict(change: Change) -> dict[str, Any]:
    """The change as it is stored: lists, no tuples."""
    plain: dict[str, Any] = json.loads(json.dumps(asdict(change), ensure_ascii=False))
    return {"kind": kind_of(change), **plain}


def change_from_dict(data: Mapping[str, Any]) -> Change:
    """Read a stored change; raises `SchemaError` where it is none."""
    made = KINDS.get(data.get("kind", ""))
    if made is None:
        raise SchemaError(
            f"{shown(data.get('kind'))} is no change of a schema (there are: {', '.join(KINDS)})"
        )
    try:
        values = {k: v for k, v in data.items() if k != "kind"}
        return TypeAdapter(made).validate_python(values)
    except ValidationError as problem:
        first = problem.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise SchemaError(
            f"the change is wrong at {place}: {first['msg']} (given: {shown(first['input'])})"
        ) from problem


def describe_change(change: Change) -> str:
    """The change in a sentence, for the note of a schema version."""
    match change:
        case RenameType(old=old, new=new):
            return f"the event type {old!r} is called {new!r}"
        case RenameRole(event_type=name, old=old, new=new):
            return f"the role {old!r}{_of(name)} is called {new!r}"
        case MergeTypes(sources=sources, into=into):
            return f"the event types {_named(sources)} become {into!r}"
        case MergeRoles(event_type=name, sources=sources, into=into):
            return f"the roles {_named(sources)}{_of(name)} become {into!r}"
        case SplitType(source=source, targets=targets):
            return f"the event type {source!r} becomes {_named(targets)}"
        case SplitRole(event_type=name, source=source, targets=targets):
            return f"the role {source!r}{_of(name)} becomes {_named(targets)}"
        case RetireType(name=name):
            return f"the event type {name!r} is retired"
        case RetireRole(event_type=event_type, name=name):
            return f"the role {name!r}{_of(event_type)} is retired"


def inverse_of(change: Change) -> Change | None:
    """The change that takes this one back name by name, where there is one: only a rename has."""
    match change:
        case RenameType(old=old, new=new):
            return RenameType(new, old)
        case RenameRole(event_type=name, old=old, new=new):
            return RenameRole(name, new, old)
    return None


def touched_types(schema: Schema, change: Change) -> tuple[str, ...]:
    """The event types whose labels a change may touch."""
    match change:
        case RenameType(old=name) | RetireType(name=name) | SplitType(source=name):
            return (name,)
        case RenameRole(event_type=None, old=old):
            return tuple(t.name for t in schema.types if t.role(old))
        case MergeTypes(sources=sources, into=into):
            return tuple(name for name in sources if name != into)
        case RenameRole() | MergeRoles() | SplitRole() | RetireRole():
            return (change.event_type or "",)


def types_after(
    change: Change, event_type: str, *, languages: Sequence[str] = ()
) -> tuple[str, ...]:
    """What labels of a type may be called after a change; only in `languages`, where there are any.

    >>> types_after(SplitType("a", ("b", "c"), Rule("language", (("ru", "b"),), "c")), "a")
    ('b', 'c')
    """
    match change:
        case RenameType(old=old, new=new) if event_type == old:
            return (new,)
        case MergeTypes(sources=sources, into=into) if event_type in sources:
            return (into,)
        case SplitType(source=source, targets=targets, rule=rule) if event_type == source:
            cases = dict(reversed(rule.cases))  # the first that fits is taken
            chosen = [*cases.values(), rule.otherwise]
            if rule.by == "language" and languages:
                chosen = [cases.get(language, rule.otherwise) for language in languages]
            is_open = rule.by == "hand" or None in chosen
            return tuple(name for name in dict.fromkeys(targets) if is_open or name in chosen)
    return (event_type,)


# ---------------------------------------------------------------- private


def _named(names: Sequence[str]) -> str:
    return ", ".join(map(repr, names))


def _of(event_type: str | None) -> str:
    return f" of {event_type!r}" if event_type is not None else ""
