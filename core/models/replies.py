"""What was said, whatever it is, as a suggestion: nothing that a server or a script answers is an error
of Argus."""

from __future__ import annotations

from collections.abc import Sequence

from core.errors import ReplyError
from core.grammar import close_reply
from core.parsing import ReadReply, TokenProbability, read_reply
from core.ports import Suggested
from core.problems import Problem
from core.reply_schema import close_object, compact_reply
from core.samples import Sample
from core.schema import Schema

LONGEST = 40_000  # characters of a reply that are looked at


def read_suggestion(
    reply: str,
    sample: Sample,
    schema: Schema,
    *,
    prompt_version: str,
    probabilities: Sequence[TokenProbability] = (),
    is_cut: bool = False,
    seconds: float = 0.0,
) -> Suggested:
    """The events of a reply, in the compact form or as `core.reply_schema` has it, located in the
    sample; what is neither has none, and says so."""
    is_cut = is_cut or len(reply) > LONGEST
    reply = reply[:LONGEST]
    whole = reply
    if is_cut:
        whole = close_object(reply) if reply.lstrip().startswith("{") else close_reply(reply)
    problems = [Problem("cut_reply")] if is_cut else []
    compact, sure = compact_reply(whole, [p for p in probabilities if p.end <= len(whole)])
    try:
        read = read_reply(compact, sample.text or "", schema, probabilities=sure)
    except ReplyError:
        unread = Problem("not_a_reply", {"reply": reply[:200]})
        read = ReadReply((), () if is_cut else (unread,))
    return Suggested(
        events=read.events, raw_reply=reply, prompt_version=prompt_version,
        problems=(*problems, *read.problems), seconds=seconds,
    )  # fmt: skip
