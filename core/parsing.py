"""Replies and events: write events as the reply a model should give, and read a reply back.

Knows nothing of models. Confidence comes in as one probability a character range of the reply. A
part (a type, a trigger, a role, an argument's words) has the product over the ranges from the end of
the part before to its own end, which takes in its closing quotation mark and the number that says
which occurrence. So a type's says that there is one more event and that it is of this type, a role's
that there is one more argument and that it plays this role, and that of words that they begin here
and end here. What the grammar forces has probability 1.
"""

from __future__ import annotations

import json
import math
import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from core.errors import ReplyError
from core.events import Argument, Event, Mention
from core.problems import Problem
from core.schema import Schema, offered
from core.spans import likely_argument, likely_trigger, occurrences, without_breaks

_PART = re.compile(r'"(?:[^"\\]|\\.)*"(?:,\d+)?', re.DOTALL)  # a string, perhaps with a number


@dataclass(frozen=True, slots=True)
class TokenProbability:
    """How probable a token of the reply, or a piece of one, was among those that the grammar allowed
    there.

    `start` and `end` are its characters of the reply. A token that writes the end of a part and more
    comes in two pieces, cut after the quotation mark: how probable any token with that beginning
    was, and how probable its rest was then. Uncut, it counts where it begins.
    """

    start: int
    end: int
    probability: float


@dataclass(frozen=True, slots=True)
class ReadReply:
    """The events of a reply, and what was wrong with it."""

    events: tuple[Event, ...]
    problems: tuple[Problem, ...]


def write_reply(events: Sequence[Event], text: str) -> str:
    """The reply that says exactly `events`: the target of a training example.

    Events stand in the order of their triggers, arguments in the order of their places. A number
    says which occurrence is meant where reading would take another one.

    >>> write_reply([Event("launch", Mention("5G", 10, 12))], "5G, again 5G")
    '[["launch","5G",2,[]]]'
    """
    clean = without_breaks(text)
    seen: Counter[str] = Counter()
    out = []
    for event in sorted(events, key=_trigger_order):
        item: list[object] = [event.event_type]
        trigger = event.trigger
        if trigger is None or not _words(trigger, clean):
            item.append(None)
        else:
            words = _words(trigger, clean)
            places = occurrences(clean, words)
            likely = likely_trigger(places, seen[words]) if places else None
            item += [words, *_number(places, likely, trigger.start)]
            seen[words] += 1
        arguments = []
        for argument in sorted(event.arguments, key=lambda a: _order(a.mention)):
            words = _words(argument.mention, clean)
            if words:
                places = occurrences(clean, words)
                likely = likely_argument(places, len(words), _range(trigger)) if places else None
                arguments.append(
                    [argument.role, words, *_number(places, likely, argument.mention.start)]
                )
        out.append([*item, arguments])
    return json.dumps(out, ensure_ascii=False, separators=(",", ":"))


def read_reply(
    reply: str,
    text: str,
    schema: Schema,
    *,
    probabilities: Sequence[TokenProbability] = (),
) -> ReadReply:
    """Read a reply into events, each mention located in `text`.

    Words that are not in the text keep themselves and have no place; a type or role that the schema
    does not know is left out and told; an event said twice is kept once. Raises `ReplyError` if the
    reply is not of the form at all.
    """
    items, schema = _load(reply), offered(schema)
    confidences = _confidences(reply, probabilities)
    clean = without_breaks(text)
    problems: list[Problem] = []
    events: dict[object, Event] = {}
    seen: Counter[str] = Counter()
    for name, trigger_words, trigger_number, raw_arguments in items:
        type_confidence = next(confidences)
        trigger = None
        if trigger_words is not None:
            places = occurrences(clean, trigger_words)
            chosen = _chosen(places, trigger_number)
            if chosen is None and places:
                chosen = likely_trigger(places, seen[trigger_words])
            seen[trigger_words] += 1
            trigger = _locate(text, trigger_words, chosen, next(confidences))
        arguments = []
        for role, words, number in raw_arguments:
            role_confidence, words_confidence = next(confidences), next(confidences)
            places = occurrences(clean, words)
            chosen = _chosen(places, number)
            if chosen is None and places:
                chosen = likely_argument(places, len(words), _range(trigger))
            mention = _locate(text, words, chosen, words_confidence)
            arguments.append(Argument(role, mention, role_confidence))
        known = schema.type(name)
        if known is None:
            problems.append(Problem("unknown_type", {"type": name}))
            continue
        foreign = [a.role for a in arguments if known.role(a.role) is None]
        problems += [Problem("unknown_role", {"type": name, "role": role}) for role in foreign]
        kept = {(a.role, a.mention.place): a for a in reversed(arguments) if a.role not in foreign}
        event = Event(name, trigger, tuple(reversed(kept.values())), type_confidence)
        problems += [
            Problem("not_in_text", {"words": m.text})
            for m in event.mentions()
            if m.kind == "unanchored"
        ]
        if event.identity in events:
            problems.append(Problem("repeated", {"type": name, "words": trigger_words}))
        events.setdefault(event.identity, event)
    return ReadReply(tuple(events.values()), tuple(problems))


# ---------------------------------------------------------------- private

_Item = tuple[str, str | None, int | None, list[tuple[str, str, int | None]]]


def _load(reply: str) -> list[_Item]:
    try:
        loaded = json.loads(reply)
    except (ValueError, RecursionError) as problem:
        raise ReplyError(f"the reply is not JSON ({problem}): {reply[:80]!r}") from problem
    if not isinstance(loaded, list):
        raise ReplyError(f"the reply is not a list of events: {reply[:80]!r}")
    return [_item(item) for item in loaded]


def _item(item: object) -> _Item:
    if isinstance(item, list) and len(item) in (3, 4) and isinstance(item[0], str):
        name, words, *middle, arguments = item
        number = middle[0] if middle else None
        if (words is None or isinstance(words, str)) and isinstance(arguments, list):
            return name, words, _whole(number), [_argument(a) for a in arguments]
    raise ReplyError(
        f'an event of the reply is not ["type","trigger",[["role","words"],…]]: {str(item)[:80]!r}'
    )


def _argument(item: object) -> tuple[str, str, int | None]:
    if isinstance(item, list) and len(item) in (2, 3) and all(isinstance(w, str) for w in item[:2]):
        return item[0], item[1], _whole(item[2]) if len(item) == 3 else None
    raise ReplyError(f'an argument of the reply is not ["role","words"]: {str(item)[:80]!r}')


def _whole(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _chosen(places: Sequence[int], number: int | None) -> int | None:
    """The numbered occurrence, or None where the number is missing or too high."""
    return places[number - 1] if number is not None and 1 <= number <= len(places) else None


def _locate(text: str, words: str, start: int | None, confidence: float | None) -> Mention:
    """The mention at `start`, trimmed of blanks at its edges, or an unanchored one."""
    stripped = words.strip()
    if start is None or not stripped:
        return Mention(text=words, confidence=confidence)
    begin = start + len(words) - len(words.lstrip())
    end = begin + len(stripped)
    return Mention(text=text[begin:end], start=begin, end=end, confidence=confidence)


def _confidences(reply: str, probabilities: Sequence[TokenProbability]) -> Iterator[float | None]:
    """Of each part of the reply in order; None where nothing is known."""
    ends = [found.end() for found in _PART.finditer(reply)]
    pieces: list[list[float]] = [
        [] for _ in range(len(ends) + 1)
    ]  # the last: what closes the reply
    for piece in probabilities:
        pieces[bisect_right(ends, piece.start)].append(piece.probability)
    return iter([math.prod(part) if part else None for part in pieces])


def _range(mention: Mention | None) -> tuple[int, int] | None:
    if mention is None or mention.start is None or mention.end is None:
        return None
    return mention.start, mention.end


def _words(mention: Mention, clean: str) -> str:
    """What the reply says of a mention: its text as the sample has it, else its own words; of one in a
    medium nothing, since it is not in the text (`core.reading.read_events` puts it there)."""
    if mention.media is not None:
        return ""
    if mention.kind == "text":
        return clean[mention.start : mention.end]
    return without_breaks(mention.text or "")


def _number(places: Sequence[int], likely: int | None, start: int | None) -> list[int]:
    """[n] where the n-th occurrence (of at most nine) is meant and would not be guessed."""
    if start is None or start == likely or start not in places[:9]:
        return []
    return [places.index(start) + 1]


def _order(mention: Mention) -> tuple[int, int]:
    return (mention.start or 0, mention.end or 0)


def _trigger_order(event: Event) -> tuple[int, int, str]:
    return (*(_order(event.trigger) if event.trigger else (1 << 30, 0)), event.event_type)
