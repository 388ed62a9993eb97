"""Prompts: versioned templates, and the one function that fills them for training and suggestions.

A template is a file `NAME.vN.txt`, or one file a language, `NAME.vN.CODE.txt`, with English for all
others. What stands before `===` is the same for every sample of a schema, so its computation can be
shared. What stands after it is the sample; an example is the same lines, filled with another sample
and followed by its reply. A prompt gets a new version, never an edit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from string import Template

from core.errors import NotFoundError
from core.languages import name_of
from core.parsing import write_reply
from core.samples import Sample
from core.schema import EventType, Schema, label, offered, without_retired
from core.spans import without_breaks

ZERO_SHOT = "full.v1"  # names the schema: for a model that has not seen it
CHAT = "chat.v1"  # the same for a server's model, whose replies have another form
EXAMPLES = "english.v2"  # the schema, then examples: for a model that learns from what it is shown
SIGHT = "sight.v1"  # for a model that is shown pictures
SIGHT_CHAT = "sightchat.v1"  # the same for a server's model
NATIVE = "native.v1"  # the same, in the language of the sample
TUNED = "brief.v1"  # the sample alone: an adapter has learned its schema, the grammar holds it
OTHERS = "en"  # the file of a prompt for languages that have none of their own


@dataclass(frozen=True, slots=True)
class Prompt:
    """A filled prompt: `prefix` is shared by all samples of a schema (and language), `rest` is the
    sample's own: its examples and the sample."""

    prefix: str
    rest: str


def fill_prompt(
    version: str, schema: Schema, sample: Sample, *, examples: Sequence[Sample] = ()
) -> Prompt:
    """Fill a prompt version for one sample; training examples and suggestions both come from here.

    `examples` are shown in their order, each with the reply that says its events.
    """
    _, rest = _template(version, sample.language)
    shown = [f"{_shown(rest, e)}{_reply(schema, e)}\n\n" for e in examples]
    return Prompt(
        prefix_of(version, schema, sample.language), "".join([*shown, _shown(rest, sample)])
    )


def prefix_of(version: str, schema: Schema, language: str) -> str:
    """How a prompt version begins for every sample of a schema in a language."""
    prefix, _ = _template(version, language)
    return prefix.safe_substitute(schema=_listed(schema, None), labelled=_listed(schema, language))


def versions() -> list[str]:
    """Every prompt version there is."""
    return sorted({version for version, _ in _files()})


# ---------------------------------------------------------------- private


def _listed(schema: Schema, language: str | None) -> str:
    """The event types with their roles; with `language`, what they are called there, where that is
    another word than the name that a reply must say."""

    def named(event_type: EventType) -> str:
        said = label(event_type, language) if language else event_type.name
        return event_type.name if said == event_type.name else f"{event_type.name} = {said}"

    return "; ".join(
        f"{named(t)} ({', '.join(r.name for r in t.roles)})" if t.roles else named(t)
        for t in offered(schema).types
    )


def _shown(template: Template, sample: Sample) -> str:
    return template.safe_substitute(
        text=without_breaks(sample.text or ""),
        language=name_of(sample.language),
        code=sample.language,
    )


def _reply(schema: Schema, sample: Sample) -> str:
    return write_reply(without_retired(schema, sample.events or ()), sample.text or "")


@cache
def _template(version: str, language: str) -> tuple[Template, Template]:
    if version not in versions():
        raise NotFoundError(f"there is no prompt {version!r} (there are: {', '.join(versions())})")
    found = _files()
    name = next(found[key] for key in ((version, language), (version, OTHERS), (version, None))
                if key in found)  # fmt: skip
    text = files(__name__).joinpath(name).read_text(encoding="utf-8")
    prefix, rest = text.split("===\n")
    return Template(prefix), Template(rest.removesuffix("\n"))


@cache
def _files() -> dict[tuple[str, str | None], str]:
    """{(version, language or None): file name}."""
    found: dict[tuple[str, str | None], str] = {}
    for file in files(__name__).iterdir():
        if file.name.endswith(".txt"):
            name, number, *language = file.name.removesuffix(".txt").split(".")
            found[f"{name}.{number}", language[0] if language else None] = file.name
    return found
