"""JSON lines, read with care: a line is an object, or an error that says what is wrong with it.

Knows nothing of samples. Strict where leniency would lose something: a key that stands twice, a
number that overflows, half of a surrogate pair, a NUL.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from core.errors import FileError, LineError

MAX_LINE_BYTES = 4_000_000
MAX_DEPTH = 100
HOW_IT_LOOKS = (
    "it must have one JSON object a line, such as "
    '{"id": "1", "language": "en", "modality": "text", "text": "…"}'
)

_BOM = b"\xef\xbb\xbf"
_OPENS = re.compile(rb"(?:^|[\n\r])[ \t]*\{")
_SUSPICIOUS = re.compile(r"\\u(?:[dD][89a-fA-F]|0000)")
_KINDS = (
    (b"\x89PNG", "a PNG picture"),
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"GIF8", "a GIF picture"),
    (b"RIFF", "a picture, sound or clip (RIFF)"),
    (b"%PDF", "a PDF document"),
    (b"PK\x03\x04", "a ZIP archive or an office document"),
    (b"\x1f\x8b", "a gzip archive: unpack it first"),
    (b"SQLite format 3", "an SQLite database"),
    (b"\xff\xfe", "UTF-16 text: save it as UTF-8"),
    (b"\xfe\xff", "UTF-16 text: save it as UTF-8"),
    (b"<", "HTML or XML"),
)


@dataclass(frozen=True, slots=True)
class LineProblem:
    """What is wrong with one line of a file; `line` counts from 1."""

    line: int
    message: str


def split_lines(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Each line that is not blank, with its number; LF, CRLF or CR end a line, a BOM is skipped."""
    end_of_line = b"\n" if b"\n" in data else b"\r"
    at = len(_BOM) if data.startswith(_BOM) else 0
    number = 0
    while at < len(data):
        end = data.find(end_of_line, at)
        end = len(data) if end < 0 else end
        number += 1
        line = data[at:end].strip(b" \t\r\n")
        if line:
            yield number, line
        at = end + 1


def check_is_json_lines(data: bytes, *, name: str) -> None:
    """Raise `FileError`, once for the whole file, if no line of it can be a JSON object."""
    head = data[:1000].removeprefix(_BOM).lstrip()
    if not data.strip(b" \t\r\n\xef\xbb\xbf"):
        raise FileError(f"{name} is empty: {HOW_IT_LOOKS}")
    if head.startswith(b"[") and data[-1000:].rstrip().endswith(b"]") and b"{" in data:
        first_line = next(split_lines(data))[1]
        if len(first_line) == len(data.strip()) or not first_line.endswith(b"]"):
            raise FileError(
                f"{name} is one JSON array, not a line a sample: {HOW_IT_LOOKS}. "
                f"`jq -c '.[]' {name}` writes it so"
            )
    if not _OPENS.search(data):
        raise FileError(_foreign(head, name))


def check_was_json_lines(data: bytes, *, name: str) -> None:
    """Raise `FileError` if a file that nothing could be read from is of another kind altogether."""
    lines = [line for _, line in split_lines(data)]
    if len(lines) > 1 and _is_one_value(data):
        raise FileError(f"{name} is one JSON value over {len(lines)} lines: {HOW_IT_LOOKS}")
    if 2 * sum(line.startswith(b"{") for line in lines) < len(lines):
        raise FileError(_foreign(data[:1000].lstrip(), name))


def parse_object(line: bytes) -> dict[str, Any]:
    """Read one line; raises `LineError` that names the value and the remedy."""
    if len(line) > MAX_LINE_BYTES:
        raise LineError(
            f"the line has {len(line):,} bytes, over the limit of 4 MB ({MAX_LINE_BYTES:,}): "
            "split its text into several samples"
        )
    if b"\0" in line:
        raise LineError(
            f"a NUL byte (\\x00) at byte {line.index(0) + 1} of the line: remove it, "
            "or save the file as UTF-8 if it is UTF-16"
        )
    try:
        text = line.decode("utf-8")
    except UnicodeDecodeError as problem:
        raise LineError(
            f"invalid UTF-8: the byte 0x{line[problem.start]:02x} at byte {problem.start + 1} of "
            f"the line ({problem.reason}): save the file as UTF-8"
        ) from problem
    value = _parse(text.removeprefix("\ufeff"))
    if not isinstance(value, dict):
        raise LineError(f"the line is {_kind_of(value)}, not a JSON object: {HOW_IT_LOOKS}")
    if _SUSPICIOUS.search(text) or text.count("[") + text.count("{") > MAX_DEPTH:
        _check_inside(value)
    return value


# ---------------------------------------------------------------- private


def _parse(text: str) -> Any:
    try:
        return _DECODER.decode(text)
    except json.JSONDecodeError as problem:
        near = text[max(0, problem.pos - 15) : problem.pos + 15]
        raise LineError(
            f"not JSON: {problem.msg} at character {problem.pos + 1}, near {near!r}: correct it there"
        ) from problem
    except RecursionError as problem:
        raise LineError(_too_deep()) from problem
    except ValueError as problem:  # int() of thousands of digits
        raise LineError(
            f"a number is too long ({problem}): write it as a string, or shorten it"
        ) from problem


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise LineError(f"the key {twice!r} stands twice in one object: keep one of them")
    return made


def _float(digits: str) -> float:
    number = float(digits)
    if math.isinf(number):
        raise LineError(f"the number {digits[:40]} is too large: correct it")
    return number


def _constant(name: str) -> float:
    raise LineError(f"{name} is not JSON: write a number or null")


_DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_float=_float, parse_constant=_constant)


def _too_deep() -> str:
    return f"it is nested more than {MAX_DEPTH} levels deep: flatten it"


# A place inside a value: the place around it, and the key or index there.
_Place = tuple["_Place", str] | None


def _check_inside(value: dict[str, Any]) -> None:
    """No string or key with half a surrogate pair or a NUL, no nesting without end."""
    stack: list[tuple[_Place, Any, int]] = [(None, value, 1)]
    while stack:
        place, item, depth = stack.pop()
        if depth > MAX_DEPTH:
            raise LineError(_too_deep())
        if isinstance(item, str):
            _check_string(item, place)
        elif isinstance(item, dict):
            for key, inner in item.items():
                _check_string(key, place, what="a key")
                stack.append(((place, f".{key}"), inner, depth + 1))
        elif isinstance(item, list):
            stack += [((place, f"[{i}]"), inner, depth + 1) for i, inner in enumerate(item)]


def _check_string(text: str, place: _Place, *, what: str = "the value") -> None:
    if text.isascii() and "\0" not in text:
        return
    for i, char in enumerate(text):
        if char == "\0" or "\ud800" <= char <= "\udfff":
            where = f"{_path(place)}: {what}" if place else what
            if char == "\0":
                wrong, remedy = "a NUL (\\u0000)", "remove it"
            else:
                wrong = f"an unpaired surrogate (\\u{ord(char):04x})"
                remedy = "write the whole character, as UTF-8 or as a pair such as \\ud83d\\ude00"
            near = text[max(0, i - 10) : i + 10]
            raise LineError(f"{where} has {wrong} at character {i}, near {near!r}: {remedy}")


def _path(place: _Place) -> str:
    parts: list[str] = []
    while place is not None:
        place, part = place
        parts.append(part)
    return "".join(reversed(parts)).lstrip(".")[-200:]


def _kind_of(value: object) -> str:
    names = {list: "an array", str: "a string", bool: "true or false", type(None): "null"}
    return names.get(type(value), "a number")


def _foreign(head: bytes, name: str) -> str:
    kind = next((kind for magic, kind in _KINDS if head.startswith(magic)), None)
    if kind is None:
        start = head[:40].decode("utf-8", "replace")
        return (
            f"{name} is not JSON: no line of it can be read (it begins {start!r}): {HOW_IT_LOOKS}"
        )
    return f"{name} is not JSON, it seems to be {kind}. To be imported, {HOW_IT_LOOKS}"


def _is_one_value(data: bytes) -> bool:
    try:
        json.loads(data)
    except (ValueError, RecursionError):
        return False
    return True
