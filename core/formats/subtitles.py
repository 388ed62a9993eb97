"""Subtitles, SRT and WebVTT: bytes to cues and back, and cues to a text whose words have times.

Styling that the formats know (`<i>`, `<v Ana>`, `{\\an8}`) is left out, the times inside a cue are
kept as the times of its words. All else is text, markup that no subtitle knows included: it is data
and is shown as it is.
"""

from __future__ import annotations

import html
import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from core.errors import FileError, InputError
from core.formats.json_lines import LineProblem

MAX_BYTES = 16_000_000
MAX_CUES = 200_000

_TIME = r"(?:(\d{1,4}):)?(\d{1,2}):(\d{2})[.,](\d{1,3})"
_ARROW = re.compile(rf"^\s*{_TIME}\s*-->\s*{_TIME}(?:\s.*)?$")
_INSIDE = re.compile(rf"<{_TIME}>")
_SRT_STYLE = re.compile(r"</?(?:i|b|u|s)>|</?font(?:\s[^<>]*)?>|\{\\an?\d{1,2}\}", re.IGNORECASE)
_VTT_STYLE = re.compile(r"</?(?:i|b|u|c|v|lang|ruby|rt)(?:[.\s][^<>]*)?>")
_VTT_BLOCKS = ("NOTE", "STYLE", "REGION")


@dataclass(frozen=True, slots=True)
class Cue:
    """Words and when they are said: seconds, `end` exclusive.

    `words` are (start, end, offset, offset): times of parts of `text`, by code points, where known.
    """

    start: float
    end: float
    text: str
    words: tuple[tuple[float, float, int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class TimedSpan:
    """Part of a transcript's text and when it is said: code points and seconds, ends exclusive."""

    start: int
    end: int
    from_time: float
    to_time: float


@dataclass(frozen=True, slots=True)
class Transcript:
    """The text of cues, one a line, and the parts of it that have times, in order."""

    text: str
    spans: tuple[TimedSpan, ...]

    def range_of(self, start: int, end: int) -> tuple[float, float] | None:
        """When the characters `start` to `end` are said, None where none of them has a time."""
        hit = [s for s in self.spans if s.start < end and start < s.end]
        return (min(s.from_time for s in hit), max(s.to_time for s in hit)) if hit else None

    def span_of(self, from_time: float, to_time: float) -> tuple[int, int] | None:
        """The characters said in a time range, None where nothing is said in it."""
        to_time = max(to_time, math.nextafter(from_time, math.inf))  # a moment is a short range
        hit = [s for s in self.spans if s.from_time < to_time and from_time < s.to_time]
        return (min(s.start for s in hit), max(s.end for s in hit)) if hit else None


def read_subtitles(data: bytes, *, name: str) -> tuple[list[Cue], list[LineProblem]]:
    """The cues of an SRT or WebVTT file in order of time, and what is wrong with the others.

    Raises `FileError` where the file as a whole is neither.
    """
    text = _decoded(data, name)
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    is_vtt = lines[0].split(maxsplit=1)[:1] == ["WEBVTT"]
    cues: list[Cue] = []
    problems: list[LineProblem] = []
    at = 0
    while at < len(lines):
        if is_vtt and lines[at].split(maxsplit=1)[:1] and lines[at].split()[0] in _VTT_BLOCKS:
            at = _end_of_block(lines, at)
            continue
        times = _ARROW.match(lines[at]) if "-->" in lines[at] else None
        if times is None:
            if "-->" in lines[at]:
                problems.append(LineProblem(at + 1, _bad_times(lines[at])))
            at += 1
            continue
        stop = _end_of_cue(lines, at + 1, is_vtt=is_vtt)
        start, end = _seconds(times.groups()[:4]), _seconds(times.groups()[4:])
        if end < start:
            problems.append(LineProblem(at + 1, _bad_times(lines[at])))
        else:
            cue = _cue(start, end, "\n".join(lines[at + 1 : stop]).strip("\n"), is_vtt=is_vtt)
            if cue.text.strip():
                cues.append(cue)
        if len(cues) > MAX_CUES:
            raise FileError(f"{name} has more than {MAX_CUES:,} cues: cut it into several files")
        at = stop
    if not cues and not problems:
        raise FileError(
            f"{name} has no subtitles: it must have lines such as "
            "`00:00:01,000 --> 00:00:02,500` (SRT, or WebVTT with a point for the comma)"
        )
    return sorted(cues, key=lambda cue: (cue.start, cue.end)), problems


def write_srt(cues: Iterable[Cue]) -> bytes:
    """The cues as an SRT file, with blank lines in a cue closed up; times in milliseconds."""
    blocks = [
        f"{number}\n{_stamp(cue.start, ',')} --> {_stamp(cue.end, ',')}\n{_closed(cue.text)}\n"
        for number, cue in enumerate(cues, 1)
    ]
    return "\n".join(blocks).encode("utf-8", "replace")


def write_vtt(cues: Iterable[Cue]) -> bytes:
    """The cues as a WebVTT file, every `<` and `&` of a text escaped, the times of words kept."""
    blocks = ["WEBVTT\n"] + [
        f"{_stamp(cue.start, '.')} --> {_stamp(cue.end, '.')}\n{_closed(_vtt_text(cue))}\n"
        for cue in cues
    ]
    return "\n".join(blocks).encode("utf-8", "replace")


def transcript_of(cues: Sequence[Cue]) -> Transcript:
    """One text of all cues, a line each, and the times of its parts.

    >>> transcript_of([Cue(0, 1, "你好"), Cue(1, 2, "мир")]).range_of(3, 6)
    (1, 2)
    """
    parts: list[str] = []
    spans: list[TimedSpan] = []
    length = 0
    for cue in cues:
        if cue.words:
            spans += [TimedSpan(length + a, length + b, s, e) for s, e, a, b in cue.words]
        elif cue.text:
            spans.append(TimedSpan(length, length + len(cue.text), cue.start, cue.end))
        parts.append(cue.text)
        length += len(cue.text) + 1
    return Transcript("\n".join(parts), tuple(spans))


def cues_of_words(
    words: Iterable[tuple[str, float, float]], *, longest: float = 6.0, most: int = 84
) -> list[Cue]:
    """Cues of words with their times (text, start, end), as a speech model gives them.

    A cue ends after a sentence, at a pause of a second, and before it grows past `longest` seconds
    or `most` characters. The words' own spaces are kept, so that languages without spaces join.
    """
    cues: list[Cue] = []
    line: list[tuple[str, float, float]] = []
    for word in words:
        text, start, end = word
        full = line and (
            end - line[0][1] > longest
            or sum(len(t) for t, _, _ in line) + len(text) > most
            or start - line[-1][2] >= 1.0
            or line[-1][0].rstrip().endswith((".", "?", "!", "。", "？", "！", "…"))
        )
        if full:
            cues.append(_joined(line))
            line = []
        line.append(word)
    return [*cues, _joined(line)] if line else cues


# ---------------------------------------------------------------- private


def _decoded(data: bytes, name: str) -> str:
    if len(data) > MAX_BYTES:
        raise FileError(
            f"{name} has {len(data):,} bytes, more than the {MAX_BYTES:,} that subtitles may have: "
            "cut it into several files"
        )
    coding = "utf-16" if data.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig"
    try:
        text = data.decode(coding)
    except UnicodeDecodeError as problem:
        raise FileError(
            f"{name} is not UTF-8 (byte {problem.start + 1}): save it as UTF-8 with a text editor"
        ) from problem
    if "\0" in text:
        raise FileError(f"{name} holds NUL characters: it is no text file. Save it as UTF-8")
    return text


def _end_of_block(lines: Sequence[str], at: int) -> int:
    while at < len(lines) and lines[at].strip():
        at += 1
    return at


def _end_of_cue(lines: Sequence[str], at: int, *, is_vtt: bool) -> int:
    """Where a cue's text ends: at a blank line, or where the next one's number or times stand."""
    while at < len(lines) and lines[at].strip():
        following = lines[at + 1] if at + 1 < len(lines) else ""
        if _ARROW.match(lines[at]) or (
            not is_vtt and lines[at].strip().isdecimal() and _ARROW.match(following)
        ):
            break
        at += 1
    return at


def _seconds(parts: Sequence[str | None]) -> float:
    hours, minutes, seconds, fraction = parts
    whole = int(hours or 0) * 3600 + int(minutes or 0) * 60 + int(seconds or 0)
    return (whole * 1000 + int((fraction or "0").ljust(3, "0"))) / 1000


def _bad_times(line: str) -> str:
    return (
        f"the times {line.strip()[:60]!r} cannot be used: write `00:00:01,000 --> 00:00:02,500`, "
        "the end not before the start"
    )


def _cue(start: float, end: float, raw: str, *, is_vtt: bool) -> Cue:
    if not is_vtt:
        return Cue(start, end, _SRT_STYLE.sub("", raw))
    pieces = _INSIDE.split(_VTT_STYLE.sub("", raw))
    text = html.unescape(pieces[0])
    marks = [(start, 0)]
    for i in range(1, len(pieces), 5):
        marks.append((_seconds(pieces[i : i + 4]), len(text)))
        text += html.unescape(pieces[i + 4])
    if len(marks) == 1 or any(not start <= time <= end for time, _ in marks):
        return Cue(start, end, text)
    ends = [*marks[1:], (end, len(text))]
    words = []
    for (from_time, a), (to_time, b) in zip(marks, ends, strict=True):
        part = text[a:b]
        if part.strip() and from_time <= to_time:
            lead = len(part) - len(part.lstrip())
            words.append((from_time, to_time, a + lead, a + len(part.rstrip())))
    return Cue(start, end, text, tuple(words))


def _joined(line: Sequence[tuple[str, float, float]]) -> Cue:
    text, words = "", []
    for word, start, end in line:
        word = word if text else word.lstrip()
        lead = len(word) - len(word.lstrip())
        if word.strip():
            words.append((start, end, len(text) + lead, len(text) + len(word.rstrip())))
        text += word
    return Cue(line[0][1], max(end for _, _, end in line), text.rstrip(), tuple(words))


def _stamp(seconds: float, point: str) -> str:
    if not 0 <= seconds < 3_600_000:
        raise InputError(f"a subtitle cannot stand at {seconds} seconds: give 0 to 999 hours")
    whole, thousandths = divmod(round(seconds * 1000), 1000)
    return f"{whole // 3600:02}:{whole // 60 % 60:02}:{whole % 60:02}{point}{thousandths:03}"


def _closed(text: str) -> str:
    """Without blank lines, which would end the cue."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return "\n".join(line for line in lines if line.strip())


def _vtt_text(cue: Cue) -> str:
    made, at = "", 0
    for start, _, a, _ in cue.words:
        made += html.escape(cue.text[at:a], quote=False)
        if start > cue.start:
            made += f"<{_stamp(start, '.')}>"
        at = a
    return made + html.escape(cue.text[at:], quote=False)
