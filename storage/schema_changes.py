"""Changes of a schema with the labels they take along: a preview, the change, its record, the way back.

A change adds a schema version and, for each reviewed sample it touches, a new review; none is
edited. All of it is one transaction, worked on in pieces so that it needs little memory.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, cast

from sqlalchemy import func
from sqlalchemy import select as sqlalchemy_select
from sqlalchemy.engine import Engine
from sqlmodel import col, select

from core.errors import NotFoundError, RefusedError
from core.records import ChangeExample, ChangePreview, SchemaChangeRecord
from core.schema import Schema, missing_parts
from core.schema_change import (
    Change,
    change_from_dict,
    change_to_dict,
    describe_change,
    inverse_of,
    touched_types,
)
from core.schema_relabel import Applied, change_events
from core.schema_reshape import change_schema, undo_in_schema
from storage import change_queues, change_rest, change_rows, change_undo
from storage.change_rows import Reviewed
from storage.collections import add_schema_version
from storage.database import reading, writing
from storage.standing import settle
from storage.tables import SampleRow, SchemaChangeItemRow, SchemaChangeRow

EXAMPLES = 6
Waiting = tuple[int, str, dict[str, Any]]


class SchemaChanges:
    """What was changed of schemas, and the samples that a person must decide because of it."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def preview(
        self, collection_id: int, change: Change, *, examples: int = EXAMPLES
    ) -> ChangePreview:
        """What a change would do; changes nothing. Raises `SchemaError` where it cannot be done."""
        with reading(self._engine) as session:
            before = change_rows.schema_of(session, collection_id)[1]
            after = change_schema(before, change)
            counts: Counter[str] = Counter()
            languages: Counter[str] = Counter()
            decided: list[ChangeExample] = []
            undecided: list[ChangeExample] = []
            for part in change_rows.touched(session, collection_id, change, before, after):
                for sample, applied in part:
                    counts["annotations"] += applied.touched
                    counts["samples"] += 1
                    counts["people"] += len(applied.undecided)
                    counts["people_samples"] += bool(applied.undecided)
                    languages[sample.language] += applied.touched
                    if len(undecided) < examples and applied.undecided:
                        undecided += _open_examples(sample, applied)
                    elif len(decided) < examples and applied.touched:
                        decided += _examples(sample, change, before, after)
            types = touched_types(before, change)
            return ChangePreview(
                annotations=counts["annotations"],
                samples=counts["samples"],
                people=counts["people"],
                people_samples=counts["people_samples"],
                suggestions=change_rest.count_suggestions(session, collection_id, types),
                drafts=change_rest.count_drafts(session, collection_id, types),
                by_language=dict(languages),
                examples=[*undecided[:examples], *decided[:examples]],
            )

    def apply(
        self, collection_id: int, change: Change, *, person: str | None = None, note: str = ""
    ) -> SchemaChangeRecord:
        """Do a change: all of it, or nothing. Raises `SchemaError` where it cannot be done.

        A sample with a label that a person must decide waits again, its labels kept in its newest
        review: `waiting` lists them.
        """
        with writing(self._engine) as session:
            before_number, before = change_rows.schema_of(session, collection_id)
            after = change_schema(before, change)
            number = add_schema_version(
                session, collection_id, after,
                note=note.strip() or describe_change(change), person=person,
            )  # fmt: skip
            row = SchemaChangeRow(
                collection_id=collection_id, change=change_to_dict(change), note=note.strip(),
                person=person, number_before=before_number, number_after=number,
            )  # fmt: skip
            session.add(row)
            session.flush()
            keys: list[int] = []
            for part in change_rows.touched(session, collection_id, change, before, after):
                change_rows.add_changed(session, row, part, number=number, person=person)
                keys += [sample.key for sample, _ in part]
                row.annotations += sum(applied.touched for _, applied in part)
                row.people += sum(len(applied.undecided) for _, applied in part)
            row.samples = len(keys)
            suggested = change_rest.carry_suggestions(
                session, collection_id, change, before, after,
                change_id=cast(int, row.id), number=number,
            )  # fmt: skip
            types = touched_types(before, change)
            change_rest.carry_drafts(session, collection_id, change, types)
            settle(session, collection_id, [*keys, *suggested])
            row.carried = change_queues.carry_names(session, collection_id, change, before)
            return _record(row)

    def undo(self, change_id: int, *, person: str | None = None) -> SchemaChangeRecord:
        """Take a change back: the schema as it was, and a review equal to the one before for each
        sample that nobody has reviewed since; the others keep what the person decided (`skipped`).

        Where labels made since carry names that go, a rename is followed; otherwise the names stay,
        retired, and the sample waits for a person. Raises `RefusedError` where a later change
        stands in the way.
        """
        with writing(self._engine) as session:
            row = session.get(SchemaChangeRow, change_id)
            if row is None:
                raise NotFoundError(f"there is no schema change {change_id}")
            if row.undone is not None:
                raise RefusedError("this change was taken back already")
            change_undo.check_last(session, row)
            ident, change = row.collection_id, change_from_dict(row.change)
            current = change_rows.schema_of(session, ident)[1]
            before = change_rows.schema_of(session, ident, row.number_before)[1]
            after = change_rows.schema_of(session, ident, row.number_after)[1]
            restored = undo_in_schema(current, before=before, after=after)
            items, skipped = change_undo.unreviewed_since(session, change_id)
            names = [t.name for t in after.types if before.type(t.name) != t]
            late = change_undo.late_samples(session, ident, names, restored, {i.key for i in items})
            inverse = inverse_of(change)
            if inverse is None:
                used = [
                    (name, role)
                    for sample in late
                    for name, roles in missing_parts(restored, sample.events).items()
                    for role in [None, *roles]
                ]
                restored = undo_in_schema(current, before=before, after=after, still_used=used)
            number = add_schema_version(
                session, ident, restored, note=f"undone: {describe_change(change)}", person=person
            )
            change_undo.add_restored(session, row, items, number=number, person=person)
            suggested = change_rest.restore_suggestions(
                session, ident, change_id=change_id, number=number
            )
            if inverse is None:
                change_undo.add_late(session, row, late, restored)
            else:
                followed = [
                    (s, change_events(inverse, s.events, language=s.language, before=after, after=restored))
                    for s in late
                ]  # fmt: skip
                change_undo.follow_late(session, row, followed, number=number, person=person)
                change_rest.carry_drafts(session, ident, inverse, touched_types(after, inverse))
                suggested += change_rest.carry_suggestions(
                    session, ident, inverse, after, restored, change_id=change_id, number=number
                )
            row.undone, row.undone_by, row.skipped = datetime.now(UTC), person, skipped
            keys = [*(i.key for i in items), *(s.key for s in late), *suggested]
            settle(session, ident, list(dict.fromkeys(keys)))
            change_queues.restore_names(session, ident, row.carried, change, before, restored)
            return _record(row)

    def all(self, collection_id: int, *, limit: int = 100) -> list[SchemaChangeRecord]:
        """The changes of a collection's schema, newest first."""
        with reading(self._engine) as session:
            query = select(SchemaChangeRow).where(SchemaChangeRow.collection_id == collection_id)
            rows = session.exec(query.order_by(col(SchemaChangeRow.id).desc()).limit(limit))
            return [_record(row) for row in rows]

    def since(self, collection_id: int, number: int) -> list[SchemaChangeRecord]:
        """The changes that led from schema version `number` to the newest and still hold, oldest
        first."""
        found = reversed(self.all(collection_id, limit=1000))
        return [c for c in found if c.number_before >= number and c.undone is None]

    def waiting(self, collection_id: int, *, limit: int = 50) -> list[Waiting]:
        """The samples that a change left to a person and nobody has reviewed since, oldest first:
        (key, why as a key of the catalogue, what that says)."""
        with reading(self._engine) as session:
            query = change_rows.open_items().where(SampleRow.collection_id == collection_id)
            rows = session.exec(query.order_by(col(SchemaChangeItemRow.sample_id)).limit(limit))
            return [(row.sample_id, *_words(row.undecided[0])) for row in rows if row.undecided]

    def count_waiting(self, collection_id: int) -> int:
        """How many samples `waiting` would list without a limit."""
        with reading(self._engine) as session:
            query = change_rows.open_items().where(SampleRow.collection_id == collection_id)
            count = sqlalchemy_select(func.count()).select_from(query.subquery())
            return int(session.execute(count).scalar_one())

    def why(self, key: int) -> list[Waiting]:
        """What a person must decide of a sample: (event from 0, why, what that says)."""
        with reading(self._engine) as session:
            query = change_rows.open_items().where(SchemaChangeItemRow.sample_id == key)
            found = [doubt for row in session.exec(query) for doubt in row.undecided]
            return [(doubt["event"], *_words(doubt)) for doubt in found]


# ---------------------------------------------------------------- private


def _words(doubt: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    values = {"role": doubt["role"], "type": "", "words": "", **doubt["values"]}
    return f"evolve.why.{doubt['why']}", values


def _open_examples(sample: Reviewed, applied: Applied) -> list[ChangeExample]:
    return [
        ChangeExample(
            sample.key, sample.sample_id, sample.language, applied.events[doubt.event], None,
            why=doubt.why, role=doubt.role, values=doubt.values,
        )
        for doubt in applied.undecided[:2]
    ]  # fmt: skip


def _examples(
    sample: Reviewed, change: Change, before: Schema, after: Schema
) -> list[ChangeExample]:
    """The first event of a sample that changes, by itself."""
    for event in sample.events:
        one = change_events(change, [event], language=sample.language, before=before, after=after)
        if one.touched:
            new = one.events[0] if one.events else None
            return [ChangeExample(sample.key, sample.sample_id, sample.language, event, new)]
    return []


def _record(r: SchemaChangeRow) -> SchemaChangeRecord:
    return SchemaChangeRecord(
        cast(int, r.id), r.collection_id, r.change, r.note, r.person, r.created, r.number_before,
        r.number_after, r.annotations, r.samples, r.people, r.undone, r.undone_by, r.skipped,
    )  # fmt: skip
