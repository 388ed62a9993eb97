"""The event schema: types, their roles, and what events must obey."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from core.errors import RefusedError, SchemaError
from core.events import Event


@dataclass(frozen=True, slots=True)
class Role:
    """A role of an event type. `required`: at least one argument; `multiple`: more than one;
    `entity_kinds`: what a mention in it may be, anything where there are none.

    A `retired` role or type is kept so that old reviews stay readable, and is offered nowhere.
    """

    name: str
    labels: Mapping[str, str] = field(default_factory=dict)
    required: bool = False
    multiple: bool = True
    retired: bool = False
    entity_kinds: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class EventType:
    """An event type with its roles in the order that people see; `labels` by language code."""

    name: str
    labels: Mapping[str, str] = field(default_factory=dict)
    description: str = ""
    roles: tuple[Role, ...] = ()
    retired: bool = False

    def role(self, name: str) -> Role | None:
        """The role called `name`, or None."""
        return next((r for r in self.roles if r.name == name), None)


@dataclass(frozen=True, slots=True)
class Schema:
    """The event types of one collection, in the order that people see."""

    types: tuple[EventType, ...] = ()

    def type(self, name: str) -> EventType | None:
        """The type called `name`, or None."""
        return next((t for t in self.types if t.name == name), None)


@dataclass(frozen=True, slots=True)
class Violation:
    """One way in which an event does not fit: `kind` is unknown_type, unknown_role, retired_type,
    retired_role, missing_role, repeated_role or wrong_kind; `event` counts from 0."""

    kind: str
    event: int
    role: str | None
    message: str

    @property
    def is_fatal(self) -> bool:
        """Whether the event cannot be stored under this schema at all."""
        return self.kind.startswith(("unknown", "retired"))


def label(item: EventType | Role, language: str) -> str:
    """The item's label in a language, in English where that is missing, else its name."""
    return item.labels.get(language) or item.labels.get("en") or item.name


def offered(schema: Schema) -> Schema:
    """The schema as people and models are offered it: without what is retired."""
    return Schema(
        tuple(
            replace(t, roles=tuple(r for r in t.roles if not r.retired))
            for t in schema.types
            if not t.retired
        )
    )


def without_retired(schema: Schema, events: Iterable[Event]) -> tuple[Event, ...]:
    """The events without retired types and arguments in retired roles: what a model should say."""
    kept = []
    for event in events:
        known = schema.type(event.event_type)
        if known is None or not known.retired:
            gone = {r.name for r in known.roles if r.retired} if known else set()
            arguments = tuple(a for a in event.arguments if a.role not in gone)
            kept.append(
                event if arguments == event.arguments else replace(event, arguments=arguments)
            )
    return tuple(kept)


def check_events(schema: Schema, events: Sequence[Event]) -> list[Violation]:
    """Every violation, in the order of the events."""
    found: list[Violation] = []
    for i, event in enumerate(events):
        known = schema.type(event.event_type)
        if known is None:
            names = _listed([t.name for t in schema.types if not t.retired]) or "empty"
            found.append(
                Violation(
                    "unknown_type",
                    i,
                    None,
                    f"events[{i}]: the event type {event.event_type!r} is not in the schema ({names})",
                )
            )
            continue
        if known.retired:
            found.append(
                Violation(
                    "retired_type",
                    i,
                    None,
                    f"events[{i}]: the event type {event.event_type!r} is retired: give the event "
                    "another type, or remove it",
                )
            )
            continue
        counts = Counter(a.role for a in event.arguments)
        names = _listed([r.name for r in known.roles if not r.retired]) or "none"
        for name, count in counts.items():
            role = known.role(name)
            if role is None:
                found.append(
                    Violation(
                        "unknown_role",
                        i,
                        name,
                        f"events[{i}]: {event.event_type!r} has no role {name!r} (its roles: {names})",
                    )
                )
            elif role.retired:
                found.append(
                    Violation(
                        "retired_role",
                        i,
                        name,
                        f"events[{i}]: the role {name!r} of {event.event_type!r} is retired: give "
                        "the argument another role, or remove it",
                    )
                )
            elif count > 1 and not role.multiple:
                found.append(
                    Violation(
                        "repeated_role",
                        i,
                        name,
                        f"events[{i}]: {event.event_type!r} takes one {name!r}, not {count}",
                    )
                )
        found += _wrong_kinds(i, known, event)
        found += [
            Violation(
                "missing_role", i, r.name, f"events[{i}]: {event.event_type!r} needs {r.name!r}"
            )
            for r in known.roles
            if r.required and not r.retired and not counts[r.name]
        ]
    return found


def _wrong_kinds(number: int, known: EventType, event: Event) -> Iterable[Violation]:
    """Mentions that say what they are, where the role takes only other things."""
    for argument in event.arguments:
        role, kind = known.role(argument.role), argument.mention.entity_kind
        if role and kind is not None and role.entity_kinds and kind not in role.entity_kinds:
            yield Violation(
                "wrong_kind",
                number,
                role.name,
                f"events[{number}]: {role.name!r} takes {_listed(role.entity_kinds)}, not {kind!r}",
            )


def _listed(names: Sequence[str]) -> str:
    more = f", and {len(names) - 12} more" if len(names) > 12 else ""
    return ", ".join(names[:12]) + more


def missing_parts(schema: Schema, events: Iterable[Event]) -> dict[str, list[str]]:
    """New types and new roles that `events` use: {type: [roles it lacks]}, in order of appearance."""
    missing: dict[str, dict[str, None]] = {}
    for event in events:
        known = schema.type(event.event_type)
        roles = {a.role: None for a in event.arguments if known is None or not known.role(a.role)}
        if known is None or roles:
            missing.setdefault(event.event_type, {}).update(roles)
    return {name: list(roles) for name, roles in missing.items()}


def extend(schema: Schema, missing: Mapping[str, Sequence[str]]) -> Schema:
    """The schema with the missing types and roles added at the end; nothing else changes."""
    types = [
        replace(t, roles=t.roles + tuple(Role(name) for name in missing.get(t.name, ())))
        for t in schema.types
    ]
    known = {t.name for t in schema.types}
    types += [
        EventType(name, roles=tuple(Role(r) for r in roles))
        for name, roles in missing.items()
        if name not in known
    ]
    return Schema(tuple(types))


def in_use(schema: Schema, events: Iterable[Event]) -> dict[tuple[str, str | None], int]:
    """How many events use each (type, None) and arguments use each (type, role)."""
    counts: Counter[tuple[str, str | None]] = Counter()
    for event in events:
        counts[(event.event_type, None)] += 1
        counts.update((event.event_type, a.role) for a in event.arguments)
    return dict(counts)


def check_keeps(schema: Schema, used: Mapping[tuple[str, str | None], int]) -> None:
    """Raise `RefusedError` if the schema lacks a type or role that labels use (`in_use` counts)."""
    for (name, role), count in used.items():
        known = schema.type(name)
        if role is None and known is None:
            raise RefusedError(
                f"the event type {name!r} is used {_times(count)} in labelled samples, so it stays: "
                "nothing labelled may be lost. Give it another label, or change those reviews first"
            )
        if role is not None and known is not None and known.role(role) is None:
            raise RefusedError(
                f"the role {role!r} of {name!r} is used {_times(count)} in labelled samples, so it stays: "
                "nothing labelled may be lost. Give it another label, or change those reviews first"
            )


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count:,} times"


# ---------------------------------------------------------------- a schema is a file too

_Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=120)]


class _RoleFile(BaseModel):
    model_config = ConfigDict(extra="forbid")
    name: _Name
    labels: dict[str, str] = Field(default_factory=dict)
    required: bool = False
    multiple: bool = True
    retired: bool = False
    entity_kinds: list[_Name] = Field(default_factory=list)


class _TypeFile(BaseModel):
    model_config = ConfigDict(extra="forbid")
    name: _Name
    labels: dict[str, str] = Field(default_factory=dict)
    description: str = ""
    roles: list[_RoleFile] = Field(default_factory=list)
    retired: bool = False


class _SchemaFile(BaseModel):
    model_config = ConfigDict(extra="forbid")
    types: list[_TypeFile]


def schema_to_dict(schema: Schema) -> dict[str, Any]:
    """The schema as its file has it; `retired` and kinds are written only where there are any."""
    return {
        "types": [
            {
                "name": t.name,
                "labels": dict(t.labels),
                "description": t.description,
                "roles": [
                    {
                        "name": r.name,
                        "labels": dict(r.labels),
                        "required": r.required,
                        "multiple": r.multiple,
                        **({"retired": True} if r.retired else {}),
                        **({"entity_kinds": list(r.entity_kinds)} if r.entity_kinds else {}),
                    }
                    for r in t.roles
                ],
                **({"retired": True} if t.retired else {}),
            }
            for t in schema.types
        ]
    }


def schema_to_json(schema: Schema) -> str:
    """The schema file, indented for people."""
    return json.dumps(schema_to_dict(schema), ensure_ascii=False, indent=2) + "\n"


def schema_from_json(data: str | bytes) -> Schema:
    """Read a schema file; raises `SchemaError` that names the place and the value."""
    try:
        loaded = json.loads(data)
    except (ValueError, RecursionError) as problem:
        raise SchemaError(
            f"the schema file is not JSON ({problem}): export a schema to see how one looks"
        ) from problem
    return schema_from_dict(loaded)


def schema_from_dict(data: object, *, is_draft: bool = False) -> Schema:
    """Read a schema; raises `SchemaError` that names the place and the value. In a draft a name may
    stand twice, until it is saved."""
    try:
        read = _SchemaFile.model_validate(data)
    except ValidationError as problem:
        first = problem.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "the file"
        raise SchemaError(
            f"the schema is wrong at {place}: {first['msg']} (given: {str(first['input'])[:60]!r})"
        ) from problem
    schema = Schema(
        tuple(
            EventType(
                t.name,
                t.labels,
                t.description,
                tuple(
                    Role(
                        r.name,
                        r.labels,
                        r.required,
                        r.multiple,
                        r.retired,
                        tuple(r.entity_kinds),
                    )
                    for r in t.roles
                ),
                t.retired,
            )
            for t in read.types
        )
    )
    for names, what in [([t.name for t in schema.types], "event type")] + [
        ([r.name for r in t.roles], f"role of {t.name!r}") for t in schema.types
    ]:
        twice = [name for name, count in Counter(names).items() if count > 1]
        if twice and not is_draft:
            raise SchemaError(f"the {what} {twice[0]!r} is there twice: give each its own name")
    return schema
