"""What may be wrong with a suggestion: a code and its values, worded where they are shown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, cast, get_args

ProblemCode = Literal[
    # of the reply
    "not_a_reply",  # reply: what a free model said is not of the form
    "cut_reply",  # the token limit came before the end: later events may be missing
    "unknown_type",  # type
    "unknown_role",  # type, role
    "not_in_text",  # words
    "repeated",  # type, words: said twice, kept once
    # of the way it was made
    "read_in_parts",  # parts: the text is longer than the model reads at once
    "read_instead",  # what (`core.reading`): a model that reads text was given this of the media
    "nothing_to_read",  # the model can read nothing of the sample
    "no_transcript",  # media: nothing of what is said in a clip could be read
    "media_unread",  # media, why: a file is missing or cannot be used
    "words_unread",  # media, why: the words in a picture could not be read
    "not_shown",  # media, why: a picture or clip could not be shown to the model
    "in_caption",  # words, media: they stand in a caption, which has no place
    "bad_place",  # words: a place that is not in its medium
    # of the events (`core.checks`); each but the last has `event`, its number from 0, and what is of
    # an argument `argument`, its number in the event. So have the two that are unknown, from there
    "missing_role",  # type, role
    "long_trigger",  # type, words
    "short_trigger",  # type, words
    "other_language",  # words, language
    "too_many",  # type, role, limit
    "duplicate",  # type, words; `of`: the number of the event that says it already
    "contradiction",  # sample, language, here, there: types that only one of the two has
]


# What only says how a suggestion was made: nothing is wrong with it.
NOTICES: tuple[ProblemCode, ...] = (
    "read_instead", "no_transcript", "media_unread", "words_unread",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with a suggestion. `values` are what its words need."""

    code: ProblemCode
    values: Mapping[str, Any] = field(default_factory=dict)


def problem_to_dict(problem: Problem) -> dict[str, Any]:
    """The problem as it is stored."""
    return {"code": problem.code, **problem.values}


def problem_from_dict(data: Mapping[str, Any]) -> Problem:
    """The problem that `problem_to_dict` wrote."""
    values = {k: v for k, v in data.items() if k != "code"}
    return Problem(cast(ProblemCode, data["code"]), values)


def count_problems(problems: Iterable[Problem]) -> dict[str, int]:
    """How often each code occurs, in the order of the codes; those that do not are left out."""
    found = [p.code for p in problems]
    return {code: found.count(code) for code in get_args(ProblemCode) if code in found}
