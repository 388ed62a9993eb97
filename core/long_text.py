"""Suggestions for texts of any length: one that a model cannot read at once is read in parts, and the
events of the parts are put together.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace

from core.errors import ModelError
from core.events import Argument, Event, Mention
from core.ports import Backend, Decoding, Prompting, Step, Suggested
from core.problems import Problem
from core.samples import Sample
from core.schema import Schema
from core.text_parts import cut_text

_ROOM = 300  # characters of the text that must have room beside the examples


def suggest_whole(
    backend: Backend,
    samples: Sequence[Sample],
    schema: Schema,
    *,
    decoding: Decoding | None = None,
    prompting: Prompting | None = None,
    on_step: Step | None = None,
) -> list[Suggested]:
    """One suggestion a sample, in order, whatever the length of its text; offsets are of the whole.

    Raises `ModelError` where the prompt alone is longer than the model reads.
    """
    prompting = prompting or backend.prompting
    examples, cuts, asked = dict(prompting.examples), [], []
    for sample in samples:
        text = sample.text or ""
        if backend.fits(sample, schema, prompting=prompting):
            cuts.append([(0, len(text))])
            asked.append(sample)
            continue
        own = _leave_room(backend, sample, schema, prompting)
        examples |= own.examples
        cuts.append(_cut(backend, sample, schema, own))
        asked += [replace(sample, text=text[start:end], events=None) for start, end in cuts[-1]]
    prompting = replace(prompting, examples=examples)
    answers = iter(
        backend.suggest(asked, schema, decoding=decoding, prompting=prompting, on_step=on_step)
    )
    return [join_parts(cut, [next(answers) for _ in cut], schema) for cut in cuts]


def join_parts(
    cut: Sequence[tuple[int, int]], parts: Sequence[Suggested], schema: Schema
) -> Suggested:
    """The suggestion for a text from those for its parts, which lie at `cut`."""
    if len(parts) == 1:
        return parts[0]
    events: list[Event] = []
    problems: list[Problem] = []
    for (start, _), part in zip(cut, parts, strict=True):
        events = _add_events(events, [_shift_event(e, start) for e in part.events], schema)
        problems += [p for p in part.problems if p not in problems]
    replies = [
        {"start": start, "end": end, "reply": part.raw_reply}
        for (start, end), part in zip(cut, parts, strict=True)
    ]
    return Suggested(
        events=tuple(events),
        raw_reply=json.dumps(replies, ensure_ascii=False),
        prompt_version=parts[0].prompt_version,
        problems=(*problems, Problem("read_in_parts", {"parts": len(parts)})),
        seconds=sum(part.seconds for part in parts),
    )


# ---------------------------------------------------------------- private


def _leave_room(
    backend: Backend, sample: Sample, schema: Schema, prompting: Prompting
) -> Prompting:
    """The prompting without the furthest examples, where they leave no room for a piece of the text:
    a text in shreds costs more than an example."""
    examples = list(prompting.examples.get(sample.id, ()))
    piece = replace(sample, text=(sample.text or "")[:_ROOM])
    while examples and not backend.fits(piece, schema, prompting=prompting):
        examples = examples[1:]
        prompting = replace(prompting, examples={sample.id: examples})
    return replace(prompting, examples={sample.id: examples})


def _cut(
    backend: Backend, sample: Sample, schema: Schema, prompting: Prompting
) -> list[tuple[int, int]]:
    """Where to cut a text; parts with nothing but blanks are left out."""
    text = sample.text or ""

    def fits(piece: str) -> bool:
        return backend.fits(replace(sample, text=piece), schema, prompting=prompting)

    cut = [(a, b) for a, b in cut_text(text, fits) if text[a:b].strip()]
    if not cut:
        raise ModelError(
            f"the prompt {prompting.version!r} with the {len(schema.types)} event types of this schema "
            f"leaves {backend.model_id} no room for a text: use a model that reads more at once, or a "
            "schema with fewer types"
        )
    return cut


def _add_events(known: list[Event], found: list[Event], schema: Schema) -> list[Event]:
    """The events of the parts before with those of one more: what both saw is there once."""
    merged, free = list(known), list(range(len(known)))
    whole = {k.identity for k in known}
    for event in sorted(found, key=lambda e: e.identity not in whole):  # the exactly same one first
        same = [i for i in free if _is_same(known[i], event)]
        if same:
            at = min(same, key=lambda i: known[i].identity != event.identity)
            free.remove(at)
            merged[at] = _unite(known[at], event, schema)
        else:
            merged.append(event)
    return merged


def _is_same(a: Event, b: Event) -> bool:
    """Whether two parts speak of one event: its trigger stands at one place, or all is the same."""
    if a.trigger and b.trigger and a.trigger.kind == "text":
        return (a.event_type, a.trigger.place) == (b.event_type, b.trigger.place)
    return a.identity == b.identity


def _unite(a: Event, b: Event, schema: Schema) -> Event:
    """One event of two sightings: every argument of either, each as sure as the surer one says."""
    known = schema.type(a.event_type)
    arguments: dict[object, Argument] = {}
    for argument in (*a.arguments, *b.arguments):
        role = known.role(argument.role) if known else None
        is_single = role is not None and not role.multiple
        key = argument.role if is_single else (argument.role, argument.mention.place)
        before = arguments.setdefault(key, argument)
        if before.mention.place == argument.mention.place:
            mention = max(before.mention, argument.mention, key=_sure)
            role_confidence = max(before, argument, key=_sure).confidence
            arguments[key] = replace(before, mention=mention, confidence=role_confidence)
        elif _sure(before.mention) < _sure(argument.mention):
            arguments[key] = argument
    trigger = max((e.trigger for e in (a, b) if e.trigger), key=_sure, default=None)
    return replace(
        a, trigger=trigger, arguments=tuple(arguments.values()),
        confidence=max(a, b, key=_sure).confidence,
    )  # fmt: skip


def _sure(said: Event | Argument | Mention) -> float:
    return -1.0 if said.confidence is None else said.confidence


def _shift_event(event: Event, by: int) -> Event:
    """The event with its places counted from the start of the whole text."""
    return replace(
        event,
        trigger=_shift(event.trigger, by) if event.trigger else None,
        arguments=tuple(replace(a, mention=_shift(a.mention, by)) for a in event.arguments),
    )


def _shift(mention: Mention, by: int) -> Mention:
    if mention.start is None or mention.end is None:
        return mention
    return replace(
        mention, start=mention.start + by, end=mention.end + by,
        fragments=tuple((a + by, b + by) for a, b in mention.fragments),
    )  # fmt: skip
