"""A stand-in for a model: answers from the rules of a file, so that Argus can be tried and tested
without a model, and says so.

A script is JSON: {"rules": [{"id": "sample-1", "reply": [["launch","lanzó",[["agent","X"]]]]},
{"text": "(\\\\w+) launched", "reply": [["launch","launched",[["agent","\\\\1"]]]]}]}. The first rule
for the sample's id, else the first whose pattern is found in its text, gives the reply; no rule, no
events. A pattern answers once for every place where it is found, and its groups may stand in the
reply. A reply that is a string is given as it is, broken or not.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from core.errors import ModelError, shown
from core.models.replies import read_suggestion
from core.parsing import TokenProbability
from core.ports import Decoding, Prompting, Reads, Step, Suggested
from core.prompts import ZERO_SHOT
from core.reply_schema import STRING
from core.samples import Sample
from core.schema import Schema


def _compiles(pattern: str) -> str:
    try:
        re.compile(pattern)
    except re.error as problem:
        raise ValueError(f"this is no regular expression ({problem})") from problem
    return pattern


class Rule(BaseModel):
    """What is answered for one sample, or wherever a pattern is found in a text."""

    model_config = ConfigDict(extra="forbid")
    id: str | None = None
    text: Annotated[str, AfterValidator(_compiles)] | None = None
    reply: str | list[Any]

    @model_validator(mode="after")
    def _says_when(self) -> Rule:
        if (self.id is None) == (self.text is None):
            raise ValueError("a rule has an id or a text, one of the two")
        return self


class Script(BaseModel):
    """The rules; `characters`: the longest text that is read at once; `confidence` of each answer."""

    model_config = ConfigDict(extra="forbid")
    rules: list[Rule] = Field(default_factory=list)
    characters: int | None = Field(default=None, ge=1)
    confidence: float | None = Field(default=None, ge=0, le=1)


def read_script(path: Path) -> Script:
    """Read a script; raises `ModelError` that names the place and the value."""
    try:
        return Script.model_validate(json.loads(path.read_bytes()))
    except (OSError, ValueError, RecursionError) as problem:
        if not isinstance(problem, ValidationError):
            raise ModelError(f"the script {path} cannot be read ({problem})") from problem
        first = problem.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "the file"
        raise ModelError(
            f"the script {path} is wrong at {place}: {first['msg']} (given: {str(first['input'])[:60]!r})"
        ) from problem


class ScriptedBackend:
    """Suggests what a script says; what it says is located in the text as any model's reply."""

    reads: tuple[Reads, ...] = ("text",)

    def __init__(self, model_id: str, script: Script, *, prompt_version: str = ZERO_SHOT) -> None:
        self.model_id = model_id
        self.decoding = Decoding.greedy()
        self.prompting = Prompting(prompt_version)
        self._script = script

    def suggest(
        self,
        samples: Sequence[Sample],
        schema: Schema,
        *,
        decoding: Decoding | None = None,
        prompting: Prompting | None = None,
        on_step: Step | None = None,
    ) -> list[Suggested]:
        """One suggestion a sample, in order."""
        version, said = (prompting or self.prompting).version, []
        for number, sample in enumerate(samples):
            if not self.fits(sample, schema):
                raise ModelError(
                    f"the sample {shown(sample.id)} has {len(sample.text or ''):,} characters, and the script "
                    f"of {self.model_id} reads {self._script.characters:,} at once"
                )
            reply = self._reply(sample)
            sure = self._script.confidence
            strings = STRING.finditer(reply) if sure is not None else ()
            known = [TokenProbability(*found.span(), sure or 0.0) for found in strings]
            said.append(
                read_suggestion(reply, sample, schema, prompt_version=version, probabilities=known)
            )
            if on_step is not None:
                on_step((number + 1) / len(samples))
        return said

    def fits(self, sample: Sample, schema: Schema, *, prompting: Prompting | None = None) -> bool:
        """Whether the script says that it reads so much at once."""
        longest = self._script.characters
        return longest is None or len(sample.text or "") <= longest

    def close(self) -> None:
        """There is nothing to give back."""

    def _reply(self, sample: Sample) -> str:
        text = sample.text or ""
        for rule in self._script.rules:
            if rule.id is not None and rule.id == sample.id:
                return rule.reply if isinstance(rule.reply, str) else _write(rule.reply)
        for rule in self._script.rules:
            found = list(re.finditer(rule.text, text)) if rule.text is not None else []
            if found and isinstance(rule.reply, str):
                return rule.reply
            if found:
                return _write([event for match in found for event in _fill(rule.reply, match)])
        return "[]"


def _fill(value: Any, match: re.Match[str]) -> Any:
    """A reply with the groups of a match in it."""
    if isinstance(value, list):
        return [_fill(item, match) for item in value]
    try:
        return match.expand(value) if isinstance(value, str) else value
    except (re.error, IndexError) as problem:
        raise ModelError(
            f"the script cannot answer {value!r} to {match.re.pattern!r} ({problem}): write a backslash "
            "twice, and number the groups that the pattern has"
        ) from problem


def _write(reply: Any) -> str:
    return json.dumps(reply, ensure_ascii=False, separators=(",", ":"))
