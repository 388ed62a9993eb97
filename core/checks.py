"""Checks of a suggestion: what an annotator should look at first, before anybody has decided.

Knows events, sample and schema, not where they came from. What the reader of replies finds while it
reads (`core.parsing`) is not found again here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from core.events import Event, Mention
from core.languages import script_of, scripts_of
from core.problems import Problem, ProblemCode
from core.samples import Sample
from core.schema import Schema
from core.schema import check_events as check_rules
from core.spans import pieces

# A trigger longer than this is rather a clause: of 1,950 that people annotated in four languages, 2
# are longer. Counted in words; in characters where a script has no spaces.
LONGEST_WORDS = 6
LONGEST_SIGNS = {"zh": 6} | dict.fromkeys(("ja", "th", "lo", "km", "my", "bo", "dz"), 15)
SHORTEST = 2  # letters: one letter, or one character of Chinese, is a piece of a word
NAME_SIGNS = 8  # the longest name in a script without capitals: 腾讯控股有限公司

_BROKEN: dict[str, ProblemCode] = {
    "unknown_type": "unknown_type", "retired_type": "unknown_type",
    "unknown_role": "unknown_role", "retired_role": "unknown_role",
    "repeated_role": "too_many", "missing_role": "missing_role",
}  # fmt: skip


def check_events(
    events: Sequence[Event], sample: Sample, schema: Schema, *, parallel: Sequence[Sample] = ()
) -> tuple[Problem, ...]:
    """What is wrong with `events` suggested for `sample`, event by event.

    `parallel` are samples of the same story with the events of their newest review, or suggestion;
    those in the sample's own language, and those nobody has looked at, say nothing.
    """
    found: list[tuple[int, Problem]] = []
    for broken in check_rules(schema, events):
        code = _BROKEN.get(broken.kind)
        if code is not None:
            event = events[broken.event]
            values = {"type": event.event_type, "event": broken.event}
            if code == "unknown_role":
                roles = [a.role for a in event.arguments]
                values["argument"] = roles.index(broken.role or "")
            if broken.role is not None:
                values["role"] = broken.role
            found.append((broken.event, Problem(code, values | _limit(code))))
    for number, event in enumerate(events):
        problems = [
            *_lengths(event, sample.language), *_languages(event, sample), *_repeats(events, number)
        ]  # fmt: skip
        found += [(number, Problem(p.code, {**p.values, "event": number})) for p in problems]
    found.sort(key=lambda one: one[0])
    return (*(problem for _, problem in found), *_contradictions(events, sample, parallel))


# ---------------------------------------------------------------- private


def _limit(code: ProblemCode) -> dict[str, int]:
    return {"limit": 1} if code == "too_many" else {}


def _lengths(event: Event, language: str) -> Iterator[Problem]:
    """Whether the trigger is a clause, or less than a word. One without words says nothing."""
    words = event.trigger.text if event.trigger else None
    if not words:
        return
    values = {"type": event.event_type, "words": words}
    count = sum(any(map(str.isalnum, piece)) for piece in pieces(words))
    if count > LONGEST_SIGNS.get(language, LONGEST_WORDS):
        yield Problem("long_trigger", values)
    elif sum(map(str.isalpha, words)) < SHORTEST:
        yield Problem("short_trigger", values)


def _languages(event: Event, sample: Sample) -> Iterator[Problem]:
    if event.trigger and _is_foreign(event.trigger, sample):
        values = {"words": event.trigger.text, "language": sample.language}
        yield Problem("other_language", values)
    for number, argument in enumerate(event.arguments):
        if _is_foreign(argument.mention, sample):
            values = {"words": argument.mention.text, "language": sample.language}
            yield Problem("other_language", {**values, "argument": number})


def _is_foreign(mention: Mention, sample: Sample) -> bool:
    """Whether words are in another script than the sample's language, and are not its own.

    Where they stand in the text, a name in another script is as it should be (OpenAI in Russian, 华为
    in Spanish); a phrase is not: words that mostly begin small, or many signs of a script without
    capitals. Where they do not stand there, each word must. Two languages of one script are not
    told apart: words that are not in the text are told as such.
    """
    text = sample.text or ""
    own = scripts_of(sample.language, text)
    words = [(p, script_of(next(filter(str.isalpha, p), " "))) for p in pieces(mention.text or "")]
    foreign = [word for word, script in words if script is not None and script not in own]
    if mention.kind == "unanchored":
        said = text.casefold()
        return any(w.casefold() not in said for w in foreign if _is_word(w))
    if mention.kind != "text" or any(script in own for _, script in words):
        return False
    cased = [word for word in foreign if _has_case(word)]
    small = sum(word.islower() for word in cased)
    return small >= max(2, len(cased) - small + 1) or len(foreign) - len(cased) > NAME_SIGNS


def _is_word(piece: str) -> bool:
    """Whether a piece says something by itself: the G of 5G does not, a character of Chinese does."""
    return sum(map(str.isalpha, piece)) > 1 or not _has_case(piece)


def _has_case(word: str) -> bool:
    return word.lower() != word.upper()


def _repeats(events: Sequence[Event], number: int) -> Iterator[Problem]:
    """An event that says no more than another with its type and trigger; an argument said twice."""
    event = events[number]
    trigger, arguments = _parts(event)
    values = {"type": event.event_type, "words": event.trigger.text if event.trigger else None}
    for other, one in enumerate(events):
        theirs, more = _parts(one)
        if other != number and one.event_type == event.event_type and theirs == trigger:
            says_less = arguments < more or (arguments == more and other < number)
            if says_less:
                yield Problem("duplicate", {**values, "of": other})
                break
    seen = set()
    for at, argument in enumerate(event.arguments):
        said = (argument.role, argument.mention.place)
        if said in seen:
            twice = {"type": event.event_type, "words": argument.mention.text, "argument": at}
            yield Problem("duplicate", {**twice, "of": number})
        seen.add(said)


def _parts(event: Event) -> tuple[object, frozenset[object]]:
    _, trigger, arguments = event.identity
    return trigger, arguments


def _contradictions(
    events: Sequence[Event], sample: Sample, parallel: Sequence[Sample]
) -> Iterator[Problem]:
    """Where the same story has other types of events, or more of one, in another language."""
    here = Counter(event.event_type for event in events)
    for other in parallel:
        same_story = other.parallel_group and other.parallel_group == sample.parallel_group
        if not same_story or other.language == sample.language or other.events is None:
            continue
        there = Counter(event.event_type for event in other.events)
        if here != there:
            yield Problem(
                "contradiction",
                {
                    "sample": other.id, "language": other.language,
                    "here": sorted((here - there).elements()),
                    "there": sorted((there - here).elements()),
                },
            )  # fmt: skip
