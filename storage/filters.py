"""A `SampleFilter` as conditions on the sample table; all but ids and text are in every queue's index.

States are said as what they are not: an equality would draw SQLite to an index that has less in it.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import exists
from sqlmodel import col, select

from core.queues import fold
from core.records import SampleFilter
from core.samples import STATES
from storage.tables import SampleRow, SampleTextRow, TypeSetMemberRow


def conditions(
    wanted: SampleFilter | None, collection_id: int | None, *, each_text: bool = False
) -> list[Any]:
    """What a sample must meet.

    A text is searched for in all samples first. `each_text`: in each that is looked at, where those
    are few, or where another list of keys would be multiplied with that one.
    """
    found: list[Any] = []
    if collection_id is not None:
        found.append(SampleRow.collection_id == collection_id)
    if wanted is None:
        return found
    for column, values in (
        (SampleRow.external_id, wanted.ids),
        (SampleRow.language, wanted.languages),
        (SampleRow.split, wanted.splits),
        (SampleRow.modality, wanted.modalities),
        (SampleRow.source_name, wanted.sources),
        (SampleRow.id, wanted.keys),
    ):
        if values:
            found.append(col(column).in_(list(values)))
    found += [*_states(wanted), *_ranges(wanted)]
    if wanted.flagged is not None:
        found.append(SampleRow.flags > 0 if wanted.flagged else SampleRow.flags == 0)
    if wanted.problems is not None:
        order = col(SampleRow.problem_order)
        found.append(order.is_not(None) if wanted.problems else order.is_(None))
    if wanted.event_types:
        having = select(TypeSetMemberRow.set_id).where(
            col(TypeSetMemberRow.event_type).in_(list(wanted.event_types))
        )
        found.append(col(SampleRow.type_set_id).in_(having))
    if wanted.text:
        saying = col(SampleTextRow.folded).contains(fold(wanted.text), autoescape=True)
        if each_text or wanted.event_types:
            found.append(exists().where(col(SampleTextRow.sample_id) == SampleRow.id, saying))
        else:
            found.append(col(SampleRow.id).in_(select(SampleTextRow.sample_id).where(saying)))
    return found


def one_side(wanted: SampleFilter) -> bool | None:
    """Whether the states of a filter are all waiting (True), all reviewed (False), or mixed."""
    sides = {state != "reviewed" for state in wanted.states}
    return sides.pop() if len(sides) == 1 else None


def _states(wanted: SampleFilter) -> list[Any]:
    if not wanted.states:
        return []
    waiting = one_side(wanted)
    found: list[Any] = [] if waiting is None else [col(SampleRow.waiting).is_(waiting)]
    for state in STATES:
        is_out = state not in wanted.states
        if is_out and waiting is not (state == "reviewed"):
            found.append(SampleRow.state != state)
    return found


def _ranges(wanted: SampleFilter) -> list[Any]:
    found: list[Any] = []
    if wanted.published_from is not None:
        found.append(col(SampleRow.published) >= wanted.published_from.isoformat())
    if wanted.published_to is not None:
        found.append(col(SampleRow.published) <= wanted.published_to.isoformat())
    if wanted.imported_from is not None:
        found.append(col(SampleRow.imported) >= wanted.imported_from)
    if wanted.imported_before is not None:
        found.append(col(SampleRow.imported) < wanted.imported_before)
    if wanted.confidence_from is not None:
        found.append(col(SampleRow.confidence) >= wanted.confidence_from)
    if wanted.confidence_to is not None:
        found.append(col(SampleRow.confidence) <= wanted.confidence_to)
    return found
