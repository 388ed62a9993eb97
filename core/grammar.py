"""The grammar of a reply: every string that a model may answer for one sample under one schema.

A reply is compact JSON, `[["type","trigger",[["role","words"],…]],…]`. Types and roles are the
schema's, spans are verbatim pieces of the sample, and both their number and their length are
bounded. Where words stand in the text more than once, a number after them may say which (from 1);
without it the rules of `core.spans` do. The grammar is Lark as llguidance reads it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

from core.samples import Sample
from core.schema import EventType, Schema, offered
from core.spans import pieces, without_breaks

_COUNT, _ONCE = 5, 58  # bits of a rule's number: for up to 31 arguments, for roles filled once


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much a reply may say. Lengths are characters of the reply, escapes included."""

    events: int
    at_least: int = 0  # events
    arguments: int = 10
    trigger_length: int = 60
    argument_length: int = 160

    @classmethod
    def for_text(cls, text: str, *, is_tuned: bool) -> Bounds:
        """More events for a longer text: 3 to 12, 2 to 8 for a model that says whatever it may."""
        if is_tuned:
            return cls(events=max(3, min(12, 2 + len(text) // 80)))
        events = max(2, min(8, len(text) // 160))
        return cls(events=events, trigger_length=30, argument_length=80)

    @classmethod
    def for_examples(cls, text: str, examples: Sequence[Sample]) -> Bounds:
        """As much as the examples say, more for a longer text: no event only where one of them has
        none. A model that is not tuned would else say nothing, or go on to the last bound."""
        counts = [len(sample.events or ()) for sample in examples]
        times = -(-len(text) // max(len(sample.text or " ") for sample in examples))
        arguments = [len(e.arguments) for sample in examples for e in sample.events or ()]
        return cls(
            events=max(1, min(12, max(counts) * times)), at_least=min(1, *counts),
            arguments=max(1, *arguments),
            trigger_length=40, argument_length=80,
        )  # fmt: skip


def reply_grammar(
    schema: Schema,
    text: str,
    *,
    bounds: Bounds | None = None,
    is_tuned: bool = False,
    examples: Sequence[Sample] = (),
    places: Sequence[str] = (),
) -> str:
    """The grammar for one sample's reply.

    `places` are rules with PLACE (`core.places.place_rules`): what may stand instead of words.

    A tuned model may give arguments in any order and number repeated words. One that is shown
    `examples` may give them in any order, and as many as these have. One that was never shown a
    reply would repeat itself to the bounds: it goes through a type's roles in their order, each at
    most once.

    A text with nothing to point at, or a schema without types, allows only `[]`. What is retired is
    left out.
    """
    schema = offered(schema)
    if bounds is None:
        is_shown = bool(examples) and not is_tuned
        bounds = (
            Bounds.for_examples(text, examples)
            if is_shown
            else Bounds.for_text(text, is_tuned=is_tuned)
        )
    _, shown = reply_strings(schema, text)
    has_words = any(map(_can_stand, shown))
    if not schema.types or not (has_words or places):
        return 'start: "[]"\n'
    more = f'("," event){{{max(0, bounds.at_least - 1)},{bounds.events - 1}}}'
    events = f"event {more}" if bounds.events > 1 else "event"
    rules = [
        f'start: "[" {events if bounds.at_least else f"({events})?"} "]"',
        "event: " + " | ".join(f"event_{i}" for i in range(len(schema.types))),
    ]
    for i, event_type in enumerate(schema.types):
        if is_tuned or examples:
            rules += _free_rules(i, event_type, bounds, has_numbers=is_tuned)
        else:
            rules += _ordered_rules(i, event_type)
    rules += _words_rules(shown if has_words else [], bounds, places)
    if is_tuned:
        rules.append("NUMBER: /[1-9]/")
    return "\n".join(rules) + "\n"


def _words_rules(shown: Sequence[str], bounds: Bounds, places: Sequence[str]) -> list[str]:
    """What a trigger and an argument are: words of the text, or places."""
    lengths = {"TRIGGER": bounds.trigger_length, "WORDS": bounds.argument_length}
    if not shown:
        return [*(f"{name}: PLACE" for name in lengths), *places]
    span = '%regex { "substring_chunks": ' + json.dumps(shown, ensure_ascii=False) + " }"
    pieces_rule = f"PIECES: {span}"
    if not places:
        return [*(f"{n}: {_span(shown, length)}" for n, length in lengths.items()), pieces_rule]
    return [
        *(f"{name}: TEXT_{name} | PLACE" for name in lengths),
        *(f"TEXT_{name}: {_span(shown, length)}" for name, length in lengths.items()),
        pieces_rule,
        *places,
    ]


def _can_stand(piece: str) -> bool:
    """Whether a piece alone is a span: no blank, nor a joiner that holds one."""
    return not piece.isspace() and piece == piece.strip(" ")


def _span(shown: Sequence[str], longest: int) -> str:
    """Pieces in a row up to a length; each alone where even the shortest is longer."""
    visible = [piece for piece in shown if _can_stand(piece)]
    if min(map(len, visible)) > longest:
        return " | ".join(map(_quoted, dict.fromkeys(visible)))
    return f"PIECES & /[^ ]([^\\n]{{0,{longest - 2}}}[^ ])?/"


def reply_strings(schema: Schema, text: str) -> tuple[list[str], list[str]]:
    """What the strings of a reply are made of: (names of types and roles, pieces of the text), as JSON
    writes them between quotation marks."""
    types = offered(schema).types
    names = dict.fromkeys([t.name for t in types] + [r.name for t in types for r in t.roles])
    return [_inner(n) for n in names], [_inner(p) for p in pieces(without_breaks(text))]


def _free_rules(i: int, event_type: EventType, bounds: Bounds, *, has_numbers: bool) -> list[str]:
    head = _head(event_type)
    number = '("," NUMBER)?' if has_numbers else ""
    if not event_type.roles:
        return [f'event_{i}: {head} TRIGGER "\\"" {number} ",[]]"']
    once = [k for k, role in enumerate(event_type.roles) if not role.multiple][:_ONCE]
    if not once:
        roles = " | ".join(_quoted(_json(role.name)) for role in event_type.roles)
        more = f'("," arg_{i}){{0,{bounds.arguments - 1}}}' if bounds.arguments > 1 else ""
        return [
            f'event_{i}: {head} TRIGGER "\\"" {number} ",[" (arg_{i} {more})? "]]"',
            f'arg_{i}: "[" ({roles}) ",\\"" WORDS "\\"" {number} "]"',
        ]
    # A rule's number says what is used up: its lowest bits count the arguments, above them a bit
    # stands for each role that is filled once at most.
    rules = [f'event_{i}: {head} TRIGGER "\\"" {number} ",[" first_{i}::0 "]]"']
    room = f"lt([0:{_COUNT}], {bounds.arguments})"
    ways = []
    for k, role in enumerate(event_type.roles):
        rules.append(f'arg_{i}_{k}: {_quoted(f"[{_json(role.name)},")} "\\"" WORDS "\\"" {number}')
        if k in once:
            bit = _COUNT + once.index(k)
            ways.append(f"arg_{i}_{k} once_{i}::set_bit({bit}) %if and(bit_clear({bit}), {room})")
        else:
            ways.append(f"arg_{i}_{k} once_{i}::_ %if {room}")
    # The bracket stands there and not before: a rule of nothing but another one loses its number.
    return [
        *rules,
        f'once_{i}::_: "]" next_{i}::incr([0:{_COUNT}])',
        f'first_{i}::_: ""' + "".join(f" | {way}" for way in ways),
        f'next_{i}::_: ""' + "".join(f' | "," {way}' for way in ways),
    ]


def _ordered_rules(i: int, event_type: EventType) -> list[str]:
    # What may follow when the roles before the k-th are done; a comma stands before every argument
    # but the first, so the chain is there twice.
    rules = [f'event_{i}: {_head(event_type)} TRIGGER "\\",[" first_{i}_0 "]]"']
    for k, role in enumerate(event_type.roles):
        argument = _quoted(f'[{_json(role.name)},"') + ' WORDS "\\"]"'
        rules += [
            f"first_{i}_{k}: {argument} next_{i}_{k + 1} | first_{i}_{k + 1}",
            f'next_{i}_{k}: "," {argument} next_{i}_{k + 1} | next_{i}_{k + 1}',
        ]
    end = len(event_type.roles)
    return [*rules, f'first_{i}_{end}: ""', f'next_{i}_{end}: ""']


def _head(event_type: EventType) -> str:
    return _quoted(f'[{_json(event_type.name)},"')


def _json(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _inner(text: str) -> str:
    return _json(text)[1:-1]


def _quoted(text: str) -> str:
    """A Lark string that matches `text`. Lark takes no control characters, JSON leaves some."""
    return re.sub("[\x7f-\x9f]", lambda c: f"\\u{ord(c.group()):04x}", _json(text))


def close_reply(reply: str) -> str:
    """The longest valid beginning of a reply that a token limit cut, closed.

    >>> close_reply('[["launch","запустил",[["agent","Яндекс"],["place","Моск')
    '[["launch","запустил",[["agent","Яндекс"]]]]'
    """
    for end in range(len(reply), 0, -1):
        if reply[end - 1] not in '[]"0123456789':
            continue
        for closing in ("", "]", "]]", ",[]]]", "]]]"):
            candidate = reply[:end] + closing
            if _is_reply(candidate):
                return candidate
    return "[]"


def _is_reply(reply: str) -> bool:
    try:
        loaded = json.loads(reply)
    except (ValueError, RecursionError):
        return False
    return isinstance(loaded, list) and all(
        isinstance(e, list)
        and len(e) in (3, 4)
        and all(isinstance(w, str) for w in e[:2])
        and isinstance(e[-1], list)
        and all(isinstance(a, list) and len(a) in (2, 3) and isinstance(a[1], str) for a in e[-1])
        for e in loaded
    )
