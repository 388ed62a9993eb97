"""Changes of a schema with the labels they take along: a preview, the change, its record, the way back.

A change adds a schema version and, for each reviewed sample it touches, a new review; none is
edited. All of it is one transaction, worked on in pieces so that it needs little memory.
"""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from typing import Any, cast

from sqlalchemy import func
from sqlalchemy.engine import Engine
from sqlmodel import col, select

from core.errors import NotFoundError, RefusedError
from core.records import ChangeExample, ChangePreview, SchemaChangeRecord
from core.schema import missing_parts
from core.schema_change import (
    Change,
    change_from_dict,
    change_to_dict,
    describe_change,
    inverse_of,
    touched_types,
)
from core.schema_relabel import change_events
from core.schema_reshape import change_schema, undo_in_schema
from storage import change_rest, change_rows
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
            change_rest.carry_suggestions(
                session, collection_id, change, before, after,
                change_id=cast(int, row.id), number=number,
            )  # fmt: skip
            types = touched_types(before, change)
            change_rest.carry_drafts(session, collection_id, change, types)
            settle(session, collection_id, keys)
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
            ident, change = row.collection_id, change_from_dict(row.change)
            current = change_rows.schema_of(session, ident)[1]
            before = change_rows.schema_of(session, ident, row.number_before)[1]
            after = change_rows.schema_of(session, ident, row.number_after)[1]
            restored = undo_in_schema(current, before=before, after=after)
            items, skipped = change_rows.unreviewed_since(session, change_id)
            names = [t.name for t in after.types if before.type(t.name) != t]
            late = change_rows.late_samples(
                session, ident, names, restored, {i.sample_id for i in items}
            )
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
            change_rows.add_restored(session, row, items, number=number, person=person)
            if inverse is None:
                change_rows.add_late(session, row, late, restored)
            else:
                followed = [
                    (s, change_events(inverse, s.events, language=s.language, before=after, after=restored))
                    for s in late
                ]  # fmt: skip
                change_rows.follow_late(session, row, followed, number=number, person=person)
                change_rest.carry_drafts(session, ident, inverse, touched_types(after, inverse))
                change_rest.carry_suggestions(
                    session, ident, inverse, after, restored, change_id=change_id, number=number
                )
            row.undone, row.undone_by, row.skipped = datetime.now(UTC), person, len(skipped)
            settle(session, ident, [*(i.sample_id for i in items), *(s.key for s in late)])
            return _record(row)
