"""Where a person is in their queue: the open sample, its neighbours, and the place of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from core.errors import NotFoundError
from core.queues import REASONS, Queue
from core.records import SampleFilter, SampleRecord
from pages._ui.catalogue import t
from pages._ui.desk import FilterMessage
from storage.store import Store


@dataclass(frozen=True, slots=True)
class Place:
    """Where a person is: the open sample with its neighbours in the queue."""

    queue: Queue
    key: int | None
    next: int | None
    previous: int | None


def queue_of(store: Store, collection_id: int, chosen: FilterMessage) -> Queue:
    """The queue that the filter names; without one, what matches it in order of arrival.

    Raises `NotFoundError` where there is no such queue in this collection.
    """
    if not chosen.queue:
        return Queue(collection_id, "oldest", wanted_samples(chosen))
    queue = store.queues.find(chosen.queue, collection_id=collection_id)
    if queue.collection_id != collection_id:
        raise NotFoundError(t("review.error.queue", queue=queue.name))
    if chosen.language:
        queue = replace(queue, wanted=replace(queue.wanted, languages=(chosen.language,)))
    return queue


def wanted_samples(chosen: FilterMessage) -> SampleFilter:
    """The filter without a queue as the store takes it."""
    return SampleFilter(
        languages=[chosen.language] if chosen.language else [],
        states=["new", "suggested"] if chosen.unreviewed else [],
    )


def find_place(store: Store, queue: Queue, *, key: int | None, person: str) -> Place:
    """The sample `key`, or the first of the queue, with its neighbours; the end leads to the start."""

    def step(after: int | None, by: int = 1) -> int | None:
        return store.queues.next_key(queue, after, step=by, person=person)

    key = step(None) if key is None else key
    if key is None:
        return Place(queue, None, None, None)
    following = step(key) or step(None)
    return Place(queue, key, None if following == key else following, step(key, -1))


def is_in(store: Store, queue: Queue, record: SampleRecord, *, person: str) -> bool:
    """Whether a sample belongs to a queue."""
    return store.queues.position(queue, record.key, person=person).number is not None


def queue_data(
    store: Store, queue: Queue, *, key: int | None, person: str, is_named: bool
) -> dict[str, Any]:
    """The queue as the top line shows it: the place in it (of a named one), and what else there is."""
    saved = [{"link": q.link, "name": q.name} for q in store.queues.all(queue.collection_id)]
    found: dict[str, Any] = {
        "choices": [{"link": r, "name": t(f"queue.{r}")} for r in REASONS] + saved
    }
    if is_named:
        position = store.queues.position(queue, key, person=person)
        found |= {"number": position.number, "total": position.total}
    return found
