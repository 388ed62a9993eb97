"""Argus JSONL, the native format: bytes in, samples and line problems out; and back to lines.

Short forms are read (`media` as one object, `source` and `licence` as strings at the top); the
full form is written. Keys that Argus does not know are kept in `meta`. Beside the `confidence` of an
event's type, a trigger or an argument's words, an argument of a model may have a `role_confidence`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from core.errors import LineError, shown
from core.formats.argus_sample import is_same, sample_from_dict
from core.formats.json_lines import (
    LineProblem,
    check_is_json_lines,
    check_was_json_lines,
    parse_object,
    split_lines,
)
from core.samples import Sample, sample_to_dict


@dataclass(frozen=True, slots=True)
class ReadFile:
    """What a file holds: samples with their lines, each id once, and what is wrong with the others.

    `repeated` lines say again exactly what an earlier line said.
    """

    samples: list[tuple[int, Sample]]
    problems: list[LineProblem]
    repeated: int = 0


def read_file(
    data: bytes,
    *,
    name: str,
    known: Mapping[str, Sample] | None = None,
    check_words: bool = True,
) -> ReadFile:
    """Read a file; a bad line becomes a problem and the others are read.

    Raises `FileError` if it is no JSON lines file at all. For predictions: a line takes from the
    `known` sample of its id what it lacks (text, language, modality, media), and without
    `check_words` the words of its mentions are carried, not compared with the text.
    """
    check_is_json_lines(data, name=name)
    samples: dict[str, tuple[int, Sample]] = {}
    problems: list[LineProblem] = []
    repeated = 0
    for number, line in split_lines(data):
        try:
            found = _with_known(parse_object(line), known)
            sample = sample_from_dict(found, check_words=check_words)
            if sample.id in samples:
                _check_repeats(sample, *samples[sample.id])
                repeated += 1
                continue
        except LineError as problem:
            problems.append(LineProblem(number, str(problem)))
            continue
        samples[sample.id] = (number, sample)
    if not samples:
        check_was_json_lines(data, name=name)
    return ReadFile(list(samples.values()), problems, repeated)


def write_line(sample: Sample) -> str:
    """The sample as one line, without its end; no character in it breaks a line anywhere."""
    line = json.dumps(sample_to_dict(sample), ensure_ascii=False, allow_nan=False)
    for breaker in ("\x85", "\u2028", "\u2029"):  # str.splitlines and some editors end a line there
        line = line.replace(breaker, f"\\u{ord(breaker):04x}")
    return line


# ---------------------------------------------------------------- between lines


def _with_known(data: dict[str, Any], known: Mapping[str, Sample] | None) -> dict[str, Any]:
    """The line with what it lacks; one that nothing is known of is told before it is looked at."""
    ident = data.get("id")
    if known is None or not isinstance(ident, str | int):
        return data
    sample = known.get(str(ident))
    if sample is None:
        raise LineError(
            f"gold has no sample {shown(ident)}: score against the file that was predicted on, "
            "or take the line out"
        )
    whole = sample_to_dict(sample)
    lacking = [k for k in ("language", "modality", "text", "media") if data.get(k) is None]
    return data | {k: whole.get(k) for k in lacking}


def _check_repeats(sample: Sample, line: int, earlier: Sample) -> None:
    if sample.content_hash != earlier.content_hash:
        raise LineError(
            f"the id {shown(sample.id)} is on line {line} already, with other content (differs in: "
            f"{', '.join(differing_parts(earlier, sample))}): give it an id of its own"
        )


def differing_parts(one: Sample, other: Sample) -> list[str]:
    """The keys in which two samples differ."""
    a, b = sample_to_dict(one), sample_to_dict(other)
    return [k for k in {**a, **b} if k not in a or k not in b or not is_same(a[k], b[k])]
