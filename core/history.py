"""The versions of a sample's labels: what differs between two of them, and the way back to one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from core.difference import Entry, difference
from core.errors import NotFoundError, SchemaError, shown
from core.events import Event
from core.ports import StorePort
from core.records import ReviewRecord, SampleRecord
from core.schema import check_events
from core.schema_change import change_from_dict, describe_change
from core.schema_relabel import change_events


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a sample's labels; `number` counts from 1, the oldest. `changes` is how many
    corrections lead to it from the version before, events for the first."""

    number: int
    review: ReviewRecord
    changes: int


def list_versions(reviews: Sequence[ReviewRecord]) -> list[Version]:
    """The versions behind reviews as the store lists them: newest first."""
    found: list[Version] = []
    before: Sequence[Event] = ()
    for number, review in enumerate(reversed(reviews), start=1):
        found.append(Version(number, review, len(difference(before, review.events))))
        before = review.events
    return found[::-1]


def compare_versions(old: ReviewRecord, new: ReviewRecord) -> list[Entry]:
    """Every correction that leads from one version to another, either way in time.

    Kinds are those of `core.difference`; `event` counts the events of `old`, `decided` those of
    `new`.
    """
    return difference(old.events, new.events)


def version_events(store: StorePort, key: int, review_id: int) -> tuple[Event, ...]:
    """What an old review said, under the names that the schema has now.

    Raises `SchemaError` where a change leaves it to a person, or where the schema has no such name.
    """
    record = store.samples.get(key)
    chosen = next((r for r in store.samples.reviews(key) if r.id == review_id), None)
    if chosen is None:
        raise NotFoundError(f"sample {shown(record.sample.id)} has no version {review_id}")
    events = follow_names(store, record, chosen.events, schema_number=chosen.schema_number)
    number = next(c.schema_number for c in store.collections.all() if c.id == record.collection_id)
    schema = store.collections.schema(record.collection_id, number)
    wrong = next((v for v in check_events(schema, events) if v.is_fatal), None)
    if wrong is not None:
        raise SchemaError(
            f"this version cannot be restored as it is: {wrong.message}. Open the sample and correct "
            "it by hand"
        )
    return events


def restore_version(store: StorePort, key: int, review_id: int, *, person: str) -> int:
    """Add a review that says what an old one said, and return its id; nothing is taken away.

    Names that the schema has changed since are followed. Where the sample says the same already,
    the id is that of its newest review. Raises `SchemaError` where a change leaves it to a person,
    or where the schema has no such name any more.
    """
    record = store.samples.get(key)
    events = version_events(store, key, review_id)
    number = next(c.schema_number for c in store.collections.all() if c.id == record.collection_id)
    newest = store.samples.reviews(key)[0]
    if record.state == "reviewed" and newest.events == events:
        return newest.id
    changes = [{**c, "against": "review"} for c in difference(newest.events, events)]
    return store.samples.add_review(
        key, events, person=person, schema_number=number,
        difference=[{"kind": "restored", "review": review_id, "against": "review"}, *changes],
    )  # fmt: skip


def follow_names(
    store: StorePort, record: SampleRecord, events: Sequence[Event], *, schema_number: int
) -> tuple[Event, ...]:
    """Events of an older schema version under the names that the schema has now.

    Raises `SchemaError` where a change leaves it to a person.
    """
    events = tuple(events)
    for done in store.schema_changes.since(record.collection_id, schema_number):
        change = change_from_dict(done.change)
        applied = change_events(
            change, events, language=record.sample.language,
            before=store.collections.schema(record.collection_id, done.number_before),
            after=store.collections.schema(record.collection_id, done.number_after),
        )  # fmt: skip
        if applied.undecided:
            raise SchemaError(
                f"this version is older than a change of the schema ({describe_change(change)}), "
                "which leaves some of its labels to a person: open the sample and label it by hand"
            )
        events = applied.events
    return events
