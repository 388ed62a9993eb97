"""Prompts: versioned templates, and the one function that fills them for training and suggestions.

A template is a file `NAME.vN.txt`; what stands before `===` is the same for every sample of a
schema, so its computation can be shared. A prompt gets a new version, never an edit.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from string import Template

from core.errors import NotFoundError
from core.languages import name_of
from core.samples import Sample
from core.schema import Schema, offered
from core.spans import without_breaks

ZERO_SHOT = "full.v1"  # names the schema: for a model that has not seen it
TUNED = "brief.v1"  # the sample alone: an adapter has learned its schema, the grammar holds it


@dataclass(frozen=True, slots=True)
class Prompt:
    """A filled prompt: `prefix` is shared by all samples of a schema, `rest` is the sample's own."""

    prefix: str
    rest: str


def fill_prompt(version: str, schema: Schema, sample: Sample) -> Prompt:
    """Fill a prompt version for one sample; training examples and suggestions both come from here."""
    prefix, rest = _template(version)
    listed = "; ".join(
        f"{t.name} ({', '.join(r.name for r in t.roles)})" if t.roles else t.name
        for t in offered(schema).types
    )
    return Prompt(
        prefix.safe_substitute(schema=listed),
        rest.safe_substitute(
            text=without_breaks(sample.text or ""),
            language=name_of(sample.language),
            code=sample.language,
        ),
    )


def versions() -> list[str]:
    """Every prompt version there is."""
    names = (f.name for f in files(__name__).iterdir())
    return sorted(name.removesuffix(".txt") for name in names if name.endswith(".txt"))


@cache
def _template(version: str) -> tuple[Template, Template]:
    if version not in versions():
        raise NotFoundError(f"there is no prompt {version!r} (there are: {', '.join(versions())})")
    text = files(__name__).joinpath(f"{version}.txt").read_text(encoding="utf-8")
    prefix, rest = text.split("===\n")
    return Template(prefix), Template(rest.removesuffix("\n"))
