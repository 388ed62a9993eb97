"""Samples of one sentence with one labelled launch in it, for the tests of the whole loop."""

from __future__ import annotations

from collections.abc import Mapping

from core.events import Argument, Event, span
from core.samples import Sample, Split


def labelled(
    words: Mapping[str, tuple[str, str, str]], code: str, number: int, split: Split | None
) -> Sample:
    """A sample whose text is made of `words` of its language: (template, trigger, agent)."""
    template, trigger, agent = words[code]
    text = template.format(number)
    at, by = text.index(trigger), text.index(agent)
    argument = Argument("agent", span(text, by, by + len(agent)))
    event = Event("launch", span(text, at, at + len(trigger)), (argument,))
    return Sample(f"{code}-{number}", code, "text", text, split=split, events=(event,))
