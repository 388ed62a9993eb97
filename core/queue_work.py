"""What a person does with queues: skip a sample, do something to all of a queue, and undo it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Protocol, TypeVar

from core.bulk import BulkOrder, BulkResult, Refusal, check_order
from core.errors import RefusedError
from core.ports import Step
from core.queues import Queue

PART = 200  # samples in one transaction: other writers wait no longer than for these
_T = TypeVar("_T")


class QueuesPort(Protocol):
    """Where the order of queues is looked up."""

    def next_key(
        self, queue: Queue | int, after: int | None = None, *, step: int = 1, person: str | None
    ) -> int | None:
        """The sample behind another, or the first."""
        ...


class NotesPort(Protocol):
    """Where it is kept that a person skipped a sample."""

    def skip(self, key: int, *, person: str) -> None:
        """Put a sample at the end of this person's queues."""
        ...


class BulkPort(Protocol):
    """Where bulk operations are done, a part at a time."""

    def begin(self, order: BulkOrder, *, person: str) -> tuple[int, Sequence[int]]:
        """Write down that an operation begins; returns its id and the keys it is for."""
        ...

    def do(self, bulk_id: int, keys: Sequence[int]) -> Counter[str]:
        """Do a part; returns what was left out, by reason."""
        ...

    def items(self, bulk_id: int) -> Sequence[int]:
        """The numbers of what was done and not undone."""
        ...

    def undo(self, bulk_id: int, items: Sequence[int]) -> Sequence[Refusal]:
        """Undo a part; returns what cannot be undone."""
        ...

    def forget(self, bulk_id: int) -> None:
        """Forget an operation that did nothing."""
        ...


class QueueStorePort(Protocol):
    """What these verbs need of the store."""

    @property
    def queues(self) -> QueuesPort:
        """The queues."""
        ...

    @property
    def notes(self) -> NotesPort:
        """The notes."""
        ...

    @property
    def bulk(self) -> BulkPort:
        """The bulk operations."""
        ...


def skip_sample(store: QueueStorePort, queue: Queue | int, key: int, *, person: str) -> int | None:
    """Put a sample at the end of this person's queue; returns the one to open now, or None.

    That is the one behind it, or the first of the queue where it was the last.
    """
    following = store.queues.next_key(queue, key, person=person)
    store.notes.skip(key, person=person)
    if following is None or following == key:
        following = store.queues.next_key(queue, person=person)
    return None if following == key else following


def run_bulk(
    store: QueueStorePort, order: BulkOrder, *, person: str, on_step: Step | None = None
) -> BulkResult:
    """Do something to all samples of a queue, in small parts; each part that is done can be undone,
    also where the work was cut short. Raises `RefusedError` where there is nothing to do."""
    bulk_id, keys = store.bulk.begin(check_order(order), person=person)
    left_out: Counter[str] = Counter()
    for share, part in _parts(keys):
        left_out += store.bulk.do(bulk_id, part)
        if on_step is not None:
            on_step(share)
    done = len(keys) - sum(left_out.values())
    if done == 0:
        store.bulk.forget(bulk_id)
        raise RefusedError("no sample of this queue fits, so nothing was changed")
    return BulkResult(bulk_id, done, dict(left_out))


def undo_bulk(store: QueueStorePort, bulk_id: int, *, on_step: Step | None = None) -> BulkResult:
    """Take back what a bulk operation did; samples changed since stay as they are, and are named."""
    items = store.bulk.items(bulk_id)
    result = BulkResult(bulk_id)
    for share, part in _parts(items):
        refused = store.bulk.undo(bulk_id, part)
        result.refused += refused
        result.done += len(part) - len(refused)
        if on_step is not None:
            on_step(share)
    return result


def _parts(values: Sequence[_T]) -> Iterator[tuple[float, Sequence[_T]]]:
    """`values` a part at a time, with the share that is done after it."""
    for at in range(0, len(values), PART):
        part = values[at : at + PART]
        yield (at + len(part)) / len(values), part
