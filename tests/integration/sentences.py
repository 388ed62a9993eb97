"""Samples of one sentence with one labelled launch in it, for the tests of the whole loop."""

from __future__ import annotations

from collections.abc import Mapping

from core.events import Argument, Event, span
from core.samples import Sample, Split
from core.schema import EventType, Role, Schema

SCHEMA = Schema((EventType("launch", roles=(Role("agent"),)),))
# The template of a sentence, its trigger and its agent.
WORDS = {
    "en": ("Intel launched chip {} in Oslo", "launched", "Intel"),
    "zh": ("🚀华为星期二在深圳发布新芯片{}号", "发布", "华为"),
    "es": ("Vega lanzó un chip nuevo en Málaga {}", "lanzó", "Vega"),
    "ru": ("Вега выпустила новый чип {} в Казани", "выпустила", "Вега"),
}


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
