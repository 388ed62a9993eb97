"""Read what a model said that nothing bound: find the JSON in it, take what can be understood of it,
and tell the rest as problems. Nothing that is said raises."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from core.errors import ReplyError
from core.grammar import close_reply
from core.parsing import ReadReply, TokenProbability, read_reply
from core.problems import Problem
from core.schema import Schema
from core.spans import without_breaks

SHOWN = 200  # characters of what cannot be read
CLOSED = 4_000  # characters of a reply that was cut, in which its last whole part is looked for
PLACES = 100  # brackets that open, at which JSON is looked for
NAMES = ("event_type", "type", "event")  # under which key objects say the type
TRIGGERS = ("trigger", "trigger_text")
ARGUMENTS = ("arguments", "args", "participants")
WORDS = ("text", "words", "span", "argument", "value")
_ESCAPE = re.compile(r'\\[^"\\/]')


def read_free_reply(
    reply: str,
    text: str,
    schema: Schema,
    *,
    probabilities: Sequence[TokenProbability] = (),
) -> ReadReply:
    """The events of a reply and what is wrong with it.

    The compact form keeps its confidences; so far as another form says types, triggers, roles and
    words, it is understood without. Words that are not in the text have no place and are told.

    >>> read_free_reply("Sure! No events here.", "", Schema()).problems[0].code
    'not_a_reply'
    """
    start, end, items, odd = _find(reply)
    wrong = [Problem("not_a_reply", {"reply": _clean(said)[:SHOWN]}) for said in odd]
    piece = reply[start:end]
    if not odd and not _ESCAPE.search(piece):
        moved = [
            replace(p, start=p.start - start, end=p.end - start)
            for p in probabilities
            if p.start >= start and p.end <= end
        ]
        try:
            return read_reply(piece, text, schema, probabilities=moved)
        except ReplyError:  # another form
            pass
    read = read_reply(json.dumps(items, ensure_ascii=False), text, schema)
    return ReadReply(read.events, (*wrong, *read.problems))


# ---------------------------------------------------------------- private

_Found = tuple[int, int, list[list[Any]], list[str]]  # start, end, compact events, what is no event


def _find(reply: str) -> _Found:
    """The first JSON in the reply that says events, or that there are none."""
    decoder = json.JSONDecoder()
    opening = [found.start() for found in re.finditer(r"[\[{]", reply)][:PLACES]
    first_list = reply.find("[[")
    for start in opening:
        try:
            value, end = decoder.raw_decode(reply, start)
        except (ValueError, RecursionError):
            if start == first_list and (found := _closed(reply, start)):
                return found
            continue
        items, odd = _events(value)
        if items or not odd:
            return start, end, items, odd
    return 0, 0, [], [reply]


def _closed(reply: str, start: int) -> _Found | None:
    """The longest beginning that can be closed of what was cut, perhaps, or None."""
    closed = close_reply(reply[start : start + CLOSED])
    if closed == "[]":
        return None
    items, odd = _events(json.loads(closed))
    return start, start, items, [*odd, reply]


def _events(value: Any) -> tuple[list[list[Any]], list[str]]:
    """(events in the compact form, what cannot be understood)."""
    if isinstance(value, dict):
        value = value["events"] if isinstance(value.get("events"), list) else [value]
    elif value and isinstance(value[0], str):
        value = [value]  # an event alone
    items: list[list[Any]] = []
    odd: list[str] = []
    for said in value:
        event, rest = _event(said)
        items += [event] if event else []
        odd += rest
    return items, odd


def _event(said: Any) -> tuple[list[Any] | None, list[str]]:
    name: Any = None
    trigger: Any = None
    arguments: Any = []
    number: list[int] = []
    if isinstance(said, dict):
        name, trigger = _first(said, NAMES), _first(said, TRIGGERS)
        arguments = _first(said, ARGUMENTS) or []
    elif isinstance(said, list) and said:
        name, trigger = said[0], said[1] if len(said) > 1 else None
        arguments = said[-1] if len(said) > 2 and isinstance(said[-1], list | dict) else []
        number = [n for n in said[2:3] if isinstance(n, int) and not isinstance(n, bool)]
    if isinstance(trigger, dict):
        trigger = _first(trigger, WORDS)
    if not isinstance(name, str) or not isinstance(trigger, str | None):
        return None, [json.dumps(said, ensure_ascii=False)]
    known, odd = _arguments(arguments)
    return [_clean(name), None if trigger is None else _clean(trigger), *number, known], odd


def _arguments(said: Any) -> tuple[list[list[Any]], list[str]]:
    known: list[list[Any]] = []
    odd: list[str] = []
    for item in _pairs(said):
        role, words, *number = (
            item if isinstance(item, list) and len(item) in (2, 3) else (None,) * 2
        )
        if isinstance(item, dict):
            role, words = _first(item, ("role",)), _first(item, WORDS)
        if isinstance(words, dict):
            words = _first(words, WORDS)
        if isinstance(role, str) and isinstance(words, str):
            number = [n for n in number if isinstance(n, int) and not isinstance(n, bool)]
            known.append([_clean(role), _clean(words), *number])
        else:
            odd.append(json.dumps(item, ensure_ascii=False))
    return known, odd


def _pairs(said: Any) -> Iterable[Any]:
    """Arguments as a list; an object has them by role, one or several each."""
    if isinstance(said, list):
        return said
    if not isinstance(said, dict):
        return [said]
    return [
        [role, words]
        for role, some in said.items()
        for words in (some if isinstance(some, list) else [some])
    ]


def _first(said: Mapping[str, Any], keys: Sequence[str]) -> Any:
    return next((said[key] for key in keys if key in said), None)


def _clean(words: str) -> str:
    """Words as the prompt shows a text, without what no file can keep (half a surrogate pair)."""
    return without_breaks(words.encode("utf-8", "replace").decode())
