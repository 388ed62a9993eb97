"""What a change of the schema does to labels: other names, or "a person must decide", and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from core.events import Argument, Event
from core.schema import Schema, check_events
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


@dataclass(frozen=True, slots=True)
class Undecided:
    """A label that a person must decide; `event` counts from 0 in the events after the change.

    `why` is by_hand (the rule says so), no_case (no case of the rule fits), filled_twice (a role
    that takes one would hold several), lacks_role (the new type demands a role), same_trigger (two
    events on one trigger would be of one type) or retired (its name is offered no more).
    """

    event: int
    why: str
    role: str | None = None
    values: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Applied:
    """A sample's events after a change. `touched` counts the events and arguments whose name
    changed or that were removed; undecided ones keep their old name."""

    events: tuple[Event, ...]
    touched: int = 0
    undecided: tuple[Undecided, ...] = ()

    @property
    def is_changed(self) -> bool:
        """Whether there is anything to write down."""
        return self.touched > 0 or bool(self.undecided)


@dataclass(frozen=True, slots=True)
class NewNames:
    """What a change makes of an event's names: None means removed. `open_type` and `open_roles` say
    why a person must decide, by place of the argument; those keep their name."""

    event_type: str | None
    roles: tuple[str | None, ...]
    open_type: str | None = None
    open_roles: Mapping[int, str] = field(default_factory=dict)


def new_names(
    change: Change, event_type: str, roles: Sequence[str], *, language: str
) -> NewNames | None:
    """The names of one event after a change, or None where the change does not concern it."""
    match change:
        case RenameType(old=old, new=new) if event_type == old:
            return NewNames(new, tuple(roles))
        case RenameRole(event_type=owner, old=old, new=new) if owner in (None, event_type):
            return _each_role(event_type, roles, {old: new})
        case MergeTypes(sources=sources, into=into) if event_type in sources and event_type != into:
            return NewNames(into, tuple(roles))
        case MergeRoles(event_type=owner, sources=sources, into=into) if event_type == owner:
            return _each_role(event_type, roles, {name: into for name in sources if name != into})
        case SplitType(source=source, rule=rule) if event_type == source:
            chosen = _choose(rule, language, roles)
            if chosen is None:
                why = "by_hand" if rule.by == "hand" else "no_case"
                return NewNames(event_type, tuple(roles), open_type=why)
            return NewNames(chosen, tuple(roles)) if chosen != event_type else None
        case SplitRole(event_type=owner, source=source, rule=rule) if event_type == owner:
            chosen = _choose(rule, language, [r for r in roles if r != source])
            if chosen is not None:
                return _each_role(event_type, roles, {source: chosen})
            why = "by_hand" if rule.by == "hand" else "no_case"
            return _leave_open(event_type, roles, source, why)
        case RetireType(name=name, labels=labels) if event_type == name and labels != "keep":
            if labels == "remove":
                return NewNames(None, tuple(roles))
            return NewNames(event_type, tuple(roles), open_type="retired")
        case RetireRole(event_type=owner, name=name, labels=labels) if event_type == owner:
            if labels == "remove":
                return _each_role(event_type, roles, {name: None})
            return _leave_open(event_type, roles, name, "retired") if labels == "ask" else None
    return None


def change_events(
    change: Change, events: Sequence[Event], *, language: str, before: Schema, after: Schema
) -> Applied:
    """A sample's events after a change that leads from schema `before` to `after`.

    Two labels that the change makes exactly equal become one. Where an event would break a rule of
    the schema that it kept before, it stays as it was and a person decides.
    """
    made: list[_Made] = []
    for event in events:
        roles = [a.role for a in event.arguments]
        names = new_names(change, event.event_type, roles, language=language)
        made.append(
            _Made(event, event) if names is None else _change_event(event, names, before, after)
        )
    kept = _settle_triggers(made)
    return Applied(
        events=tuple(m.new for m in kept if m.new is not None),
        touched=sum(m.touched for m in made),
        undecided=tuple(
            replace(doubt, event=at)
            for at, m in enumerate(m for m in kept if m.new is not None)
            for doubt in m.doubts
        ),
    )


# ---------------------------------------------------------------- private


@dataclass(slots=True)
class _Made:
    """What became of one event: None where it was removed."""

    old: Event
    new: Event | None
    touched: int = 0
    doubts: tuple[Undecided, ...] = ()


def _change_event(event: Event, names: NewNames, before: Schema, after: Schema) -> _Made:
    if names.event_type is None:
        return _Made(event, None, 1 + len(event.arguments))
    if names.open_type is not None:
        return _undecided(event, names.open_type, type=event.event_type)
    kept: list[tuple[Argument, Argument]] = []  # before, after
    touched = int(names.event_type != event.event_type)
    for old, role in zip(event.arguments, names.roles, strict=True):
        touched += role != old.role
        if role is not None:
            new = replace(old, role=role)
            if not any(new == b and old.role != a.role for a, b in kept):
                kept.append((old, new))
    made = replace(event, event_type=names.event_type, arguments=tuple(new for _, new in kept))
    broken = _newly_broken(event, made, before, after)
    if broken is not None:
        why, role = broken
        return _undecided(event, why, role=role, type=names.event_type)
    doubts = tuple(
        Undecided(0, why, event.arguments[i].role, {"type": event.event_type})
        for i, why in names.open_roles.items()
    )
    return _Made(event, made, touched, doubts)


def _undecided(event: Event, why: str, *, role: str | None = None, **values: Any) -> _Made:
    return _Made(event, event, 0, (Undecided(0, why, role, values),))


def _newly_broken(
    old: Event, new: Event, before: Schema, after: Schema
) -> tuple[str, str | None] | None:
    """The first rule that the event breaks now and did not before."""
    had = Counter(v.kind for v in check_events(before, [old]))
    for violation in check_events(after, [new]):
        why = {"repeated_role": "filled_twice", "missing_role": "lacks_role"}.get(violation.kind)
        if why is None:
            continue
        if not had[violation.kind]:
            return why, violation.role
        had[violation.kind] -= 1
    return None


def _settle_triggers(made: Sequence[_Made]) -> list[_Made]:
    """Two events that now share type and trigger go back; those that became equal are joined."""
    clashing = [
        item
        for item in made
        if _is_retyped(item) and any(_clash(item, m) and _were_apart(item, m) for m in made)
    ]
    for item in clashing:
        words = (item.old.trigger.text if item.old.trigger else None) or ""
        values = {"type": item.new.event_type if item.new else "", "words": words}
        item.new, item.touched = item.old, 0
        item.doubts = (Undecided(0, "same_trigger", values=values),)
    kept: list[_Made] = []
    for item in made:
        if not any(item.new == m.new and _were_apart(item, m) for m in kept):
            kept.append(item)
    return kept


def _is_retyped(item: _Made) -> bool:
    return item.new is not None and item.new.event_type != item.old.event_type


def _were_apart(a: _Made, b: _Made) -> bool:
    return a is not b and a.old.event_type != b.old.event_type


def _clash(a: _Made, b: _Made) -> bool:
    if a.new is None or b.new is None or a.new == b.new:
        return False
    if a.new.trigger is None or b.new.trigger is None:
        return False
    return a.new.event_type == b.new.event_type and a.new.trigger.place == b.new.trigger.place


def _each_role(
    event_type: str, roles: Sequence[str], names: Mapping[str, str | None]
) -> NewNames | None:
    if not any(role in names for role in roles):
        return None
    return NewNames(event_type, tuple(names.get(role, role) for role in roles))


def _leave_open(event_type: str, roles: Sequence[str], role: str, why: str) -> NewNames | None:
    found = {i: why for i, name in enumerate(roles) if name == role}
    return NewNames(event_type, tuple(roles), open_roles=found) if found else None


def _choose(rule: Rule, language: str, roles: Sequence[str]) -> str | None:
    if rule.by == "hand":
        return None
    for case, name in rule.cases:
        if (case == language) if rule.by == "language" else (case in roles):
            return name
    return rule.otherwise
