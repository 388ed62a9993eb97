"""The Review page's address: the open sample and the filter, so that a reload and a link find them."""

from __future__ import annotations

import streamlit as st

from core.errors import InputError, NotFoundError
from core.queues import Queue
from core.records import CollectionRecord
from pages._ui.catalogue import t
from pages._ui.desk import FilterMessage
from pages._ui.desk_queue import queue_of
from pages._ui.layout import escape
from pages._ui.session import services

_QUEUE, _LANGUAGE, _ALL, _SAMPLE = "queue", "language", "all", "sample"


def address_filter() -> FilterMessage:
    """The filter in the address: `queue=12`, `language=zh`, and `all=1` for reviewed ones too."""
    params = st.query_params
    return FilterMessage(
        queue=params.get(_QUEUE, "")[:40],
        language=params.get(_LANGUAGE, "")[:10],
        unreviewed=params.get(_ALL) != "1",
    )


def address_queue(current: CollectionRecord) -> Queue:
    """The queue in the address; one that is gone gives way to the filter, and that is told."""
    chosen = address_filter()
    try:
        return queue_of(services().store, current.id, chosen)
    except NotFoundError as problem:
        st.toast(escape(str(problem)))
        remember_filter(chosen.model_copy(update={"queue": ""}))
        return queue_of(services().store, current.id, address_filter())


def address_sample(current: CollectionRecord) -> int | None:
    """The sample in the address, if it is one of this collection."""
    asked = st.query_params.get(_SAMPLE)
    if not asked:
        return None
    try:
        record = services().store.samples.get(read_key(asked))
    except (NotFoundError, InputError):
        st.toast(escape(t("review.missing", asked=asked)))
        return None
    return record.key if record.collection_id == current.id else None


def is_open(key: int) -> bool:
    """Whether a sample is the one in the address."""
    return st.query_params.get(_SAMPLE) == str(key)


def remember_filter(chosen: FilterMessage) -> None:
    """Write the filter into the address; what is as usual is left out."""
    _set(_QUEUE, chosen.queue)
    _set(_LANGUAGE, chosen.language)
    _set(_ALL, "" if chosen.unreviewed else "1")


def remember_sample(key: int | None) -> None:
    """Write the open sample into the address."""
    _set(_SAMPLE, "" if key is None else str(key))


def read_key(value: object) -> int:
    """A sample's key as an address or a message has it."""
    if isinstance(value, bool) or not str(value).isdecimal() or len(str(value)) > 18:
        raise InputError(t("review.error.key", value=value))
    return int(str(value))


def _set(name: str, value: str) -> None:
    params = st.query_params
    if params.get(name, "") == value:
        return
    if value:
        params[name] = value
    else:
        params.pop(name, None)
