"""The JSON schema that a server binds a reply to, and the way from such a reply to the compact form.

Servers bind a reply to a JSON schema, not to a grammar of ours, and each knows another part of JSON
schema. Plain objects with named roles are in all of them, and say what the event schema says: types,
the roles of each, which of them are required, which may be filled more than once. What they cannot
say is that words stand in the text; `core.parsing` looks for them afterwards.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Sequence
from typing import Any

from core.grammar import Bounds
from core.parsing import TokenProbability
from core.schema import EventType, Role, Schema, offered

MOST = 5  # arguments in one role of an event
# No `maxLength`: llama.cpp writes each of its characters into the grammar, for every role of every type.
_WORDS = {"type": "string", "minLength": 1}
STRING = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)


def reply_schema(schema: Schema, text: str) -> dict[str, Any]:
    """The JSON schema of a reply for one text; what is retired is left out."""
    types = [_type_schema(t) for t in offered(schema).types]
    most = Bounds.for_text(text, is_tuned=True).events
    events = {"type": "array", "maxItems": most, "items": {"anyOf": types}}
    return _object({"events": events}, ["events"])


def object_reply(compact: str) -> str:
    """A reply in the compact form, as `core.parsing` writes it, in that of the JSON schema.

    >>> object_reply('[["launch","5G",1,[["place","Oslo"],["place","Bergen",2]]]]')
    '{"events": [{"type": "launch", "trigger": "5G", "arguments": {"place": ["Oslo", "Bergen"]}}]}'
    """
    events = []
    for name, trigger, *_, arguments in json.loads(compact):
        roles: dict[str, list[str]] = {}
        for role, words, *_ in arguments:
            roles.setdefault(role, []).append(words)
        events.append({"type": name, "trigger": trigger, "arguments": roles})
    return json.dumps({"events": events}, ensure_ascii=False)


def compact_reply(
    reply: str, probabilities: Sequence[TokenProbability] = ()
) -> tuple[str, list[TokenProbability]]:
    """A reply of that schema in the compact form, and how probable each of its parts is.

    A reply of another form comes back as it is.

    >>> compact_reply('{"events":[{"type":"launch","trigger":"5G","arguments":{"place":["Oslo"]}}]}')
    ('[["launch","5G",[["place","Oslo"]]]]', [])
    """
    try:
        loaded = json.loads(reply, object_pairs_hook=_Pairs)
        events = _place(loaded, STRING.finditer(reply))["events"]
        items = [
            [
                event["type"],
                event["trigger"],
                [
                    [role, words]
                    for role, said in event.get("arguments", {}).items()
                    for words in (said if isinstance(said, list) else [said])
                ],
            ]
            for event in events
            if "trigger" in event  # the last one of a reply that was cut may have none
        ]
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return reply, list(probabilities)
    compact = json.dumps(items, ensure_ascii=False, separators=(",", ":"))
    parts = zip(STRING.finditer(compact), _strings(items), strict=True)
    found = ((m, _product(said, probabilities)) for m, said in parts)
    return compact, [TokenProbability(*m.span(), p) for m, p in found if p is not None]


def close_object(reply: str) -> str:
    """The longest valid beginning of a reply that a token limit cut, closed.

    >>> close_object('{"events":[{"type":"launch","trigger":"5G","arguments":{"place":["Os')
    '{"events":[{"type":"launch","trigger":"5G","arguments":{"place":[]}}]}'
    """
    ends, closing, is_string = [(0, "")], "", False
    for found in re.finditer(r'\\.|["\[\]{}]', reply, re.DOTALL):
        sign = found.group()
        if sign == '"':
            is_string = not is_string
        elif not is_string and sign in "[{":
            closing = {"[": "]", "{": "}"}[sign] + closing
        elif not is_string and sign in "]}":
            closing = closing[1:]
        if not is_string:
            ends.append((found.end(), closing))
    return next((c for end, rest in reversed(ends) if _is_json(c := reply[:end] + rest)), "")


# ---------------------------------------------------------------- private


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _type_schema(event_type: EventType) -> dict[str, Any]:
    properties: dict[str, Any] = {
        "type": {"const": event_type.name},
        "trigger": _WORDS,
    }
    if event_type.roles:
        roles = {role.name: _role_schema(role) for role in event_type.roles}
        properties["arguments"] = _object(roles, [r.name for r in event_type.roles if r.required])
    return _object(properties, list(properties))


def _role_schema(role: Role) -> dict[str, Any]:
    most = MOST if role.multiple else 1
    return {"type": "array", "minItems": 1, "maxItems": most, "items": _WORDS}


def _object(properties: dict[str, Any], required: list[str]) -> dict[str, Any]:
    return {
        "type": "object", "properties": properties, "required": required,
        "additionalProperties": False,
    }  # fmt: skip


class _Pairs(list[tuple[str, Any]]):
    """An object of a reply as it stands there: a key that is there twice is there twice."""


class _Said(str):
    """A string of a reply, with where it stands there."""

    __slots__ = ("end", "start")
    start: int
    end: int


def _place(value: Any, found: Iterator[re.Match[str]]) -> Any:
    """The value with each of its strings placed; they are met in the order in which they stand."""
    if isinstance(value, _Pairs):
        return {_place(k, found): _place(v, found) for k, v in value}
    if isinstance(value, list):
        return [_place(v, found) for v in value]
    if not isinstance(value, str):
        return value
    said = _Said(value)
    said.start, said.end = next(found).span()
    return said


def _strings(value: Any) -> Iterator[_Said]:
    if isinstance(value, list):
        for item in value:
            yield from _strings(item)
    elif isinstance(value, _Said):
        yield value


def _product(said: _Said, probabilities: Sequence[TokenProbability]) -> float | None:
    """How probable the tokens were that wrote a string and its end; None where nothing is known."""
    inside = [p.probability for p in probabilities if p.start < said.end and p.end > said.start + 1]
    return math.prod(inside) if inside else None
