"""The filter panel of a queue: its fields begin with what the queue asks for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import streamlit as st

from core.languages import name_of
from core.queues import REASONS, SEEDS, Queue, Reason
from core.records import SampleFilter
from core.samples import MODALITIES, SPLITS, STATES
from core.schema import Schema, offered
from pages._ui.catalogue import t
from pages._ui.queue_words import type_name
from pages._ui.session import services
from pages._ui.words import browser_zone

MORE = (
    "splits", "modalities", "sources", "flagged", "problems", "published_from", "published_to",
    "imported_from", "imported_before", "confidence_from", "confidence_to",
)  # fmt: skip


class _Fields:
    """Fields whose keys belong to one queue, so that another queue begins with its own values."""

    def __init__(self, queue: Queue, turn: int) -> None:
        self.collection_id = queue.collection_id
        self._begin = f"queue_{queue.collection_id}_{queue.link}_{turn}"

    def key(self, name: str) -> str:
        return f"{self._begin}_{name}"

    def several(
        self, cell: Any, name: str, options: Sequence[str], value: Sequence[str],
        write: Callable[[str], str] = str, *, help: str | None = None,
    ) -> tuple[str, ...]:  # fmt: skip
        """Any number of options; a value that is no option any more is one still."""
        every = [*options, *(v for v in value if v not in options)]
        chosen: list[str] = cell.multiselect(
            t(f"queues.{name}"), every, default=list(value), format_func=write,
            key=self.key(name), placeholder=t("queues.any"), help=help,
        )  # fmt: skip
        return tuple(chosen)

    def one(
        self, cell: Any, name: str, options: Sequence[Any], value: Any,
        write: Callable[[Any], str] = str,
    ) -> Any:  # fmt: skip
        """One option, or none of them."""
        every = [None, *options, *([] if value is None or value in options else [value])]
        return cell.selectbox(
            t(f"queues.{name}"), every, index=every.index(value), key=self.key(name),
            format_func=lambda v: t("queues.any") if v is None else write(v),
        )  # fmt: skip

    def day(self, cell: Any, name: str, value: date | None) -> date | None:
        """A day, or none."""
        found: date | None = cell.date_input(
            t(f"queues.{name}"), value, key=self.key(name), format="YYYY-MM-DD"
        )
        return found

    def figure(self, cell: Any, name: str, value: float | None) -> float | None:
        """A confidence, or none."""
        found: float | None = cell.number_input(
            t(f"queues.{name}"), 0.0, 1.0, value, 0.05, key=self.key(name), format="%.2f",
            help=t("queues.confidence.help"), placeholder=t("queues.any"),
        )  # fmt: skip
        return found


def edit_queue(queue: Queue, schema: Schema, *, turn: int) -> Queue:
    """Show the fields of a queue; returns it as they have it now. `turn` begins them afresh."""
    fields, wanted = _Fields(queue, turn), queue.wanted
    with st.container(key="queue_filter"):
        cells = st.columns([2, 2, 2, 2.4, 2.4])
        reason: Reason = cells[0].selectbox(
            t("queues.order"), REASONS, REASONS.index(queue.reason), key=fields.key("order"),
            format_func=lambda r: t(f"queue.{r}"), help=t(f"queue.{queue.reason}.what"),
        )  # fmt: skip
        languages = list(services().store.reads.coverage(queue.collection_id).index)
        types = [kind.name for kind in offered(schema).types]
        changed = replace(
            wanted,
            languages=fields.several(cells[1], "language", languages, wanted.languages, name_of),
            event_types=fields.several(
                cells[2], "type", types, wanted.event_types, lambda n: type_name(schema, n),
                help=t("queues.type.help"),
            ),
            states=fields.several(
                cells[3], "state", STATES, wanted.states, lambda s: t(f"state.{s}")
            ),
            text=_text(cells[4], fields, wanted.text),
        )  # fmt: skip
        count = sum(_is_set(getattr(wanted, name)) for name in MORE)
        title = t("queues.more.set", n=count) if count else t("queues.more")
        with st.expander(title, expanded=bool(count)):
            changed = _more(fields, changed)
        seed = _seed(fields, queue.seed) if reason == "random" else queue.seed
    return replace(queue, reason=reason, wanted=changed, seed=seed)


def _text(cell: Any, fields: _Fields, value: str) -> str:
    text: str = cell.text_input(t("queues.text"), value, key=fields.key("text"), type="search")
    return text or ""


def _seed(fields: _Fields, value: int) -> int:
    seed = st.number_input(
        t("queues.seed"), 0, SEEDS - 1, value, key=fields.key("seed"), width=160,
        help=t("queues.seed.help"),
    )  # fmt: skip
    return int(seed)


def _more(fields: _Fields, wanted: SampleFilter) -> SampleFilter:
    sources = services().store.queues.sources(fields.collection_id)
    cells = st.columns(5)
    wanted = replace(
        wanted,
        flagged=_yes_or_no(cells[3], fields, "flagged", wanted.flagged),
        problems=_yes_or_no(cells[4], fields, "problems", wanted.problems),
        splits=fields.several(cells[0], "split", SPLITS, wanted.splits, lambda s: t(f"split.{s}")),
        modalities=fields.several(
            cells[1], "modality", MODALITIES, wanted.modalities, lambda m: t(f"modality.{m}")
        ),
        sources=fields.several(cells[2], "source", sources, wanted.sources),
    )
    ends = st.columns(6)
    imported_to = fields.day(ends[3], "imported_to", _last_day(wanted.imported_before))
    return replace(
        wanted,
        published_from=fields.day(ends[0], "published_from", wanted.published_from),
        published_to=fields.day(ends[1], "published_to", wanted.published_to),
        imported_from=_begin_of(
            fields.day(ends[2], "imported_from", _day(wanted.imported_from)), wanted.imported_from
        ),
        imported_before=_end_of(imported_to, wanted.imported_before),
        confidence_from=fields.figure(ends[4], "confidence_from", wanted.confidence_from),
        confidence_to=fields.figure(ends[5], "confidence_to", wanted.confidence_to),
    )


def _yes_or_no(cell: Any, fields: _Fields, name: str, value: bool | None) -> bool | None:
    found: bool | None = fields.one(
        cell, name, [True, False], value,
        lambda answer: t(f"queues.{name}.{'yes' if answer else 'no'}"),
    )  # fmt: skip
    return found


def _is_set(value: object) -> bool:
    return value is not None and value not in ((), "", [])


# Days are the browser's; what is stored are times in UTC.


def _day(moment: datetime | None) -> date | None:
    return None if moment is None else moment.astimezone(browser_zone()).date()


def _last_day(before: datetime | None) -> date | None:
    return _day(None if before is None else before - timedelta(microseconds=1))


def _begin_of(day: date | None, old: datetime | None) -> datetime | None:
    if day is None or day == _day(old):
        return None if day is None else old
    return datetime.combine(day, time(), tzinfo=browser_zone()).astimezone(UTC)


def _end_of(day: date | None, old: datetime | None) -> datetime | None:
    if day is None or day == _last_day(old):
        return None if day is None else old
    return datetime.combine(day + timedelta(days=1), time(), tzinfo=browser_zone()).astimezone(UTC)
