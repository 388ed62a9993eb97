"""Bulk operations as values: what is asked for, what it would do, what was left out and why; pure.

Every decision about one sample is here: whether a suggestion may be accepted unseen, and whether
what was done to a sample can still be undone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, get_args

from core.errors import InputError, shown
from core.events import Event
from core.queues import Queue, certainty
from core.samples import SPLITS, Split
from core.schema import Schema, check_events

BulkKind = Literal["accept", "split", "flag", "delete", "refresh"]
BULK_KINDS: tuple[BulkKind, ...] = get_args(BulkKind)
LeftOut = Literal[
    "reviewed", "unsure", "incomplete", "draft", "rule", "same_split", "flagged", "no_text", "gone"
]
EXAMPLES = 10
CHECKED = 1000  # suggestions that a preview checks against the schema one by one


@dataclass(frozen=True, slots=True)
class BulkOrder:
    """What to do to all samples of a queue.

    accept: the newest suggestion becomes the review where every confidence is above `threshold`;
    split: `split`; flag: with `text`; delete; refresh: ask the model in use again.
    """

    queue: Queue
    kind: BulkKind
    threshold: float = 0.9
    split: Split | None = None
    text: str = ""


@dataclass(frozen=True, slots=True)
class BulkPreview:
    """What an order would do. `left_out` counts samples of the queue by the reason.

    `along` are samples outside the queue that go with it, since a story stays in one split.
    `unchecked` suggestions were not compared with the schema: those that break it are left out.
    """

    order: BulkOrder
    count: int
    by_language: Mapping[str, int]
    by_type: Mapping[str, int]
    by_split: Mapping[str, int]
    left_out: Mapping[str, int]
    examples: Sequence[Mapping[str, Any]]
    along: int = 0
    unchecked: int = 0


@dataclass(frozen=True, slots=True)
class BulkRecord:
    """A bulk operation that was done; `left` samples of it can be undone."""

    id: int
    collection_id: int
    person: str
    kind: BulkKind
    settings: Mapping[str, Any]
    done: int
    left: int
    created: datetime
    undone: datetime | None


@dataclass(frozen=True, slots=True)
class Refusal:
    """A sample that stays as it is, and why."""

    sample_key: int
    why: str


@dataclass(slots=True)
class BulkResult:
    """What was done, or undone; `left_out` by the reason, `refused` one by one."""

    bulk_id: int
    done: int = 0
    left_out: dict[str, int] = field(default_factory=dict)
    refused: list[Refusal] = field(default_factory=list)


def check_order(order: BulkOrder) -> BulkOrder:
    """The order itself; raises `InputError` where something in it is missing or wrong."""
    if order.kind not in BULK_KINDS:
        raise InputError(
            f"there is no bulk operation {shown(order.kind)}: use {', '.join(BULK_KINDS)}"
        )
    if order.kind == "accept" and not 0 <= order.threshold < 1:
        raise InputError(
            f"the confidence must be from 0 to below 1, not {order.threshold}: choose another"
        )
    if order.kind == "split" and order.split not in SPLITS:
        raise InputError(f"a split is one of {', '.join(SPLITS)}, not {shown(order.split)}")
    if order.kind == "flag" and len(order.text) > 4000:
        raise InputError(f"a note has up to 4,000 characters, not {len(order.text):,}")
    return order


def settings_of(order: BulkOrder) -> dict[str, Any]:
    """What is kept of an order, beside its kind."""
    values: dict[str, Any] = {}
    if order.kind == "accept":
        values["threshold"] = order.threshold
    if order.kind == "split":
        values["split"] = order.split
    if order.kind == "flag":
        values["text"] = order.text
    return values


def why_not_accept(
    events: Sequence[Event], *, threshold: float, schema: Schema | None
) -> LeftOut | None:
    """Why a suggestion may not become a review unseen, or None: every confidence is above the
    threshold, every part has its place, and the schema allows it. An empty one is never certain.

    >>> why_not_accept([Event("launch", None, confidence=0.8)], threshold=0.9, schema=None)
    'unsure'
    """
    sure = certainty(events)
    if not sure.is_complete or sure.lowest is None:
        return "incomplete"
    if sure.lowest <= threshold:
        return "unsure"
    if schema is not None and check_events(schema, events):
        return "rule"
    return None


@dataclass(frozen=True, slots=True)
class Now:
    """What a sample is like when something done to it is to be undone."""

    is_there: bool = True
    split: str | None = None
    newest_review: int | None = None
    reviewed_by: str | None = None
    draft_by: str | None = None
    is_resolved: bool = False
    uses_suggestion: bool = False


def why_not_undo(kind: BulkKind, before: Mapping[str, Any], now: Now) -> str | None:
    """Why a sample was changed too much since to be put back, or None."""
    if kind == "delete":
        return None  # nothing can have changed of what is not there
    if not now.is_there:
        return "it was deleted since: restore it first"
    if kind == "accept":
        if now.newest_review != before["review"]:
            return f"{now.reviewed_by or 'somebody'} reviewed it again since"
        if now.draft_by is not None:
            return f"{now.draft_by} has a draft of it: submit or discard that first"
    if kind == "split" and now.split != before["to"]:
        return f"it was moved to {now.split or 'no split'} since"
    if kind == "flag" and now.is_resolved:
        return "its flag was dealt with since"
    if kind == "refresh" and now.uses_suggestion:
        return "a review or a draft was made from its new suggestion since"
    return None


def why_not_restore(name: str, *, is_taken: bool, missing_types: Sequence[str]) -> str | None:
    """Why a deleted sample cannot come back, or None."""
    if is_taken:
        return f"there is a sample {name!r} again: it was imported since"
    if missing_types:
        return f"the schema has no {', '.join(map(repr, missing_types))} any more: add it first"
    return None
