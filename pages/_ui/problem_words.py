"""What is wrong with a suggestion in words, and where on the review page each problem has its place."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from core.events import Event
from core.languages import name_of
from core.problems import Problem
from core.schema import Schema, label
from pages._ui.catalogue import LANGUAGE, t
from pages._ui.words import write_list

_OF_WORDS = ("not_in_text", "in_caption", "bad_place")  # of the mention with these words
RULES = ("missing_role", "too_many")  # the card of an event says these itself, as long as they hold


def write_problem(problem: Problem, schema: Schema | None = None) -> str:
    """A problem in a few words: `Launch lacks Agent`."""
    values, key = dict(problem.values), f"problem.{problem.code}"
    kind = schema.type(str(values.get("type"))) if schema else None
    role = kind.role(str(values.get("role"))) if kind else None
    if kind:
        values["type"] = label(kind, LANGUAGE)
    if role:
        values["role"] = label(role, LANGUAGE)
    if "words" in values:
        values["words"] = f"“{values['words']}”" if values["words"] else t("problem.no_words")
    if "what" in values:
        values["what"] = write_list([t(f"{key}.{what}") for what in values["what"]])
    if "language" in values:
        values["language"] = name_of(values["language"])
    if problem.code == "contradiction":
        sides = [side for side in ("here", "there") if values[side]]
        key += f".{sides[0] if len(sides) == 1 else 'both'}"
        for side in sides:
            values[side] = write_list([_type_name(schema, name) for name in values[side]])
    if problem.code == "duplicate":
        key += ".argument" if "argument" in values else ""
        values["n"] = values["of"] + 1
    return t(key, **values)


def check_data(
    problems: Sequence[Problem], events: Sequence[Event], schema: Schema
) -> list[dict[str, Any]]:
    """The problems as the workbench shows them: words, and the item of the document they are of.

    Those of no item come first: nothing else on the page shows them."""
    found = [
        {
            "words": write_problem(problem, schema), **_place(problem, events),
            "is_rule": problem.code in RULES,
        }
        for problem in problems
    ]  # fmt: skip
    return sorted(found, key=lambda check: check["event"] is not None)


# ---------------------------------------------------------------- private


def _type_name(schema: Schema | None, name: str) -> str:
    kind = schema.type(name) if schema else None
    return label(kind, LANGUAGE) if kind else name


def _place(problem: Problem, events: Sequence[Event]) -> dict[str, str | None]:
    """The event and the part of it, as the document of a suggestion names them (`core.review`)."""
    nowhere: dict[str, str | None] = {"event": None, "part": None}
    if problem.code in _OF_WORDS:
        return next(_unanchored(problem.values["words"], events), nowhere)
    event, argument = problem.values.get("event"), problem.values.get("argument")
    if event is None:
        return nowhere
    if argument is not None:
        return {"event": f"s{event}", "part": f"a:s{event}.a{argument}"}
    is_of_trigger = problem.code in ("long_trigger", "short_trigger", "other_language")
    return {"event": f"s{event}", "part": "t" if is_of_trigger else ""}


def _unanchored(words: str, events: Sequence[Event]) -> Any:
    for i, event in enumerate(events):
        if event.trigger and event.trigger.kind == "unanchored" and event.trigger.text == words:
            yield {"event": f"s{i}", "part": "t"}
        for n, argument in enumerate(event.arguments):
            mention = argument.mention
            if mention.kind == "unanchored" and mention.text == words:
                yield {"event": f"s{i}", "part": f"a:s{i}.a{n}"}
