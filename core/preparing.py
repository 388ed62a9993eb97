"""Suggestions ahead of the people: for which samples, by which model, how many, and how long it takes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from core.errors import InputError
from core.queues import check_filter, filter_from_dict, filter_to_dict
from core.records import JobRecord, SampleFilter

PACE_FROM = 8  # samples of a job that tell its pace better than what was measured before


@dataclass(frozen=True, slots=True)
class Preparation:
    """Suggestions by one model for all that `wanted` matches, at most `limit`.

    Reviewed samples only where the filter asks for them. What this model has looked at already is
    left out, unless `again`. `untouched`: only what nobody has reviewed or begun to.
    """

    collection_id: int
    model_id: str
    wanted: SampleFilter = field(default_factory=SampleFilter)
    limit: int | None = None
    again: bool = False
    untouched: bool = False


def check_preparation(order: Preparation) -> Preparation:
    """The order itself; raises `InputError` where it can do nothing."""
    if order.limit is not None and order.limit < 1:
        raise InputError(f"the limit is a number of samples from 1, not {order.limit}")
    check_filter(order.wanted)
    return order


def preparation_to_dict(order: Preparation) -> dict[str, Any]:
    """The order as a job carries it."""
    return {
        "collection": order.collection_id, "model": order.model_id, "limit": order.limit,
        "wanted": filter_to_dict(order.wanted), "again": order.again,
        "untouched": order.untouched,
    }  # fmt: skip


def preparation_from_dict(data: Mapping[str, Any]) -> Preparation:
    """The order that `preparation_to_dict` wrote."""
    return Preparation(
        data["collection"], data["model"], filter_from_dict(data["wanted"]), data["limit"],
        data["again"], data["untouched"],
    )  # fmt: skip


def seconds_left(job: JobRecord, pace: float | None = None) -> float | None:
    """How long a job still works, at its own pace, or at `pace` (seconds a sample) while it has
    none; None where nothing is known."""
    worked = job.done + len(job.failures)
    if worked >= PACE_FROM and job.seconds > 0:
        pace = job.seconds / worked
    return None if pace is None else pace * max(0, job.total - worked)
