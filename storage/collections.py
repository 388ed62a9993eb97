"""Collections, their schema versions, the people, and what hangs on a collection."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from sqlalchemy import delete, func
from sqlalchemy.engine import Engine
from sqlmodel import Session, col, select

from core.errors import InputError, NotFoundError, shown
from core.records import CollectionRecord
from core.schema import Schema, schema_from_dict, schema_to_dict
from storage.database import reading, writing
from storage.tables import (
    BulkItemRow,
    BulkRow,
    CalibrationRow,
    CollectionRow,
    CorrectionRow,
    DraftRow,
    EvaluationRow,
    EventRow,
    LossRow,
    MediaRow,
    MentionRow,
    ModelRow,
    NeighbourRow,
    NoteRow,
    OddLabelRow,
    PersonRow,
    PromotionRow,
    QueueRow,
    ReviewRow,
    RunRow,
    SampleRow,
    SampleTextRow,
    SchemaChangeItemRow,
    SchemaChangeRow,
    SchemaDraftRow,
    SchemaRow,
    SettingRow,
    SkipRow,
    SuggestionRow,
    TypeSetMemberRow,
    TypeSetRow,
    VectorRow,
)


class Collections:
    """Collections by name; a schema is never edited, it gets a new version."""

    def __init__(self, engine: Engine, *, on_deleted: Callable[[], object] | None = None) -> None:
        self._engine = engine
        self._on_deleted = on_deleted

    def all(self) -> list[CollectionRecord]:
        """Every collection, oldest first."""
        with reading(self._engine) as session:
            rows = session.exec(select(CollectionRow).order_by(col(CollectionRow.id))).all()
            return [collection_record(session, row) for row in rows]

    def find(self, name: str) -> CollectionRecord | None:
        """The collection called `name`, or None."""
        with reading(self._engine) as session:
            row = session.exec(select(CollectionRow).where(CollectionRow.name == name)).first()
            return collection_record(session, row) if row else None

    def get(self, name: str) -> CollectionRecord:
        """The collection called `name`; raises `NotFoundError` that names those there are."""
        found = self.find(name)
        if found is None:
            names = ", ".join(c.name for c in self.all()) or "none"
            raise NotFoundError(f"there is no collection {shown(name)} (there are: {names})")
        return found

    def create(self, name: str, schema: Schema, *, person: str | None = None) -> CollectionRecord:
        """Make a collection with version 1 of its schema."""
        with writing(self._engine) as session:
            return create_collection(session, name, schema, person=person)

    def schema(self, collection_id: int, number: int | None = None) -> Schema:
        """A version of the schema; the newest without `number`."""
        with reading(self._engine) as session:
            query = select(SchemaRow).where(SchemaRow.collection_id == collection_id)
            if number is not None:
                query = query.where(SchemaRow.number == number)
            row = session.exec(query.order_by(col(SchemaRow.number).desc())).first()
            if row is None:
                raise NotFoundError(f"collection {collection_id} has no schema version {number}")
            return schema_from_dict(row.content)

    def schema_versions(self, collection_id: int) -> list[dict[str, object]]:
        """Each version's number, note, person and time, newest first."""
        with reading(self._engine) as session:
            rows = session.exec(
                select(SchemaRow)
                .where(SchemaRow.collection_id == collection_id)
                .order_by(col(SchemaRow.number).desc())
            ).all()
            return [
                {
                    "number": r.number, "note": r.note, "person": r.person, "created": r.created,
                    "types": len(r.content["types"]),
                }
                for r in rows
            ]  # fmt: skip

    def save_schema(
        self, collection_id: int, schema: Schema, *, note: str, person: str | None = None
    ) -> int:
        """Add a schema version and return its number; an unchanged schema keeps its number."""
        with writing(self._engine) as session:
            return add_schema_version(session, collection_id, schema, note=note, person=person)

    def what_hangs_on(self, collection_id: int) -> dict[str, int]:
        """How much deleting the collection would delete, by kind."""
        with reading(self._engine) as session:

            def count(table: type, *conditions: object) -> int:
                query = select(func.count()).select_from(table)
                return session.exec(query.where(*conditions)).one()  # type: ignore[arg-type]

            samples = select(SampleRow.id).where(SampleRow.collection_id == collection_id)
            return {
                "samples": count(SampleRow, SampleRow.collection_id == collection_id),
                "reviews": count(ReviewRow, col(ReviewRow.sample_id).in_(samples)),
                "drafts": count(DraftRow, col(DraftRow.sample_id).in_(samples)),
                "suggestions": count(SuggestionRow, col(SuggestionRow.sample_id).in_(samples)),
                "notes": count(NoteRow, col(NoteRow.sample_id).in_(samples)),
                "skips": count(SkipRow, col(SkipRow.sample_id).in_(samples)),
                "queues": count(QueueRow, QueueRow.collection_id == collection_id),
                "runs": count(RunRow, RunRow.collection_id == collection_id),
                "models": count(ModelRow, ModelRow.collection_id == collection_id),
                "evaluations": count(EvaluationRow, EvaluationRow.collection_id == collection_id),
                "promotions": count(PromotionRow, PromotionRow.collection_id == collection_id),
            }

    def delete(self, collection_id: int) -> None:
        """Delete a collection with all that hangs on it, media files that nothing else has among
        them; files of its runs stay on the disk."""
        with writing(self._engine) as session:
            keys = select(SampleRow.id).where(SampleRow.collection_id == collection_id)
            delete_samples(session, keys)
            delete_queues(session, collection_id)
            self._delete_rows(session, SchemaChangeRow, collection_id)
            self._delete_rows(session, SchemaDraftRow, collection_id)
            self._delete_rows(session, EvaluationRow, collection_id)
            self._delete_rows(session, SettingRow, collection_id)
            self._delete_rows(session, PromotionRow, collection_id)
            self._delete_rows(session, CalibrationRow, collection_id)
            models = select(ModelRow.id).where(ModelRow.collection_id == collection_id)
            session.execute(delete(EvaluationRow).where(col(EvaluationRow.model_id).in_(models)))
            session.execute(delete(ModelRow).where(col(ModelRow.collection_id) == collection_id))
            runs = select(RunRow.id).where(RunRow.collection_id == collection_id)
            session.execute(delete(LossRow).where(col(LossRow.run_id).in_(runs)))
            self._delete_rows(session, RunRow, collection_id)
            self._delete_rows(session, SchemaRow, collection_id)
            session.execute(delete(CollectionRow).where(col(CollectionRow.id) == collection_id))
        if self._on_deleted:
            self._on_deleted()

    def _delete_rows(self, session: Session, table: type[Any], collection_id: int) -> None:
        session.execute(delete(table).where(col(table.collection_id) == collection_id))

    def person(self) -> str | None:
        """The name of the one person who works here, or None before they were asked."""
        with reading(self._engine) as session:
            row = session.exec(select(PersonRow).order_by(col(PersonRow.id))).first()
            return row.name if row else None

    def set_person(self, name: str) -> None:
        """Keep or change the person's name; earlier reviews keep the name they were made under."""
        name = name.strip()
        if not name or len(name) > 100:
            raise InputError(f"a name has 1 to 100 characters, not {shown(name)}")
        with writing(self._engine) as session:
            row = session.exec(select(PersonRow).order_by(col(PersonRow.id))).first()
            if row is None:
                session.add(PersonRow(name=name))
            elif row.name != name:
                for table in (DraftRow, SchemaDraftRow):
                    for draft in session.exec(select(table).where(table.person == row.name)):
                        draft.person = name
                for note in session.exec(select(NoteRow).where(NoteRow.person == row.name)):
                    note.person = name if note.resolved is None else note.person
                for skip in session.exec(select(SkipRow).where(SkipRow.person == row.name)):
                    skip.person = name
                row.name = name


def create_collection(
    session: Session, name: str, schema: Schema, *, person: str | None
) -> CollectionRecord:
    """Make a collection with version 1 of its schema, inside a transaction."""
    name = name.strip()
    if not name or len(name) > 200 or "\0" in name:
        raise InputError(f"a collection needs a name of 1 to 200 characters, not {shown(name)}")
    if session.exec(select(CollectionRow.id).where(CollectionRow.name == name)).first():
        raise InputError(f"there is a collection {shown(name)} already: choose another name")
    row = CollectionRow(name=name)
    session.add(row)
    session.flush()
    add_schema_version(session, cast(int, row.id), schema, note="first version", person=person)
    session.flush()
    return collection_record(session, row)


def add_schema_version(
    session: Session, collection_id: int, schema: Schema, *, note: str, person: str | None
) -> int:
    """The number of a schema, as a new version where it differs, inside a transaction."""
    newest = session.exec(
        select(SchemaRow)
        .where(SchemaRow.collection_id == collection_id)
        .order_by(col(SchemaRow.number).desc())
    ).first()
    content = schema_to_dict(schema)
    if newest is not None and newest.content == content:
        return newest.number
    number = newest.number + 1 if newest else 1
    session.add(
        SchemaRow(
            collection_id=collection_id, number=number, content=content, note=note, person=person
        )
    )
    return number


def delete_samples(session: Session, keys: object) -> None:
    """Delete samples (ids, or a query of ids) with their reviews, suggestions, drafts and media."""
    session.execute(delete(NeighbourRow).where(col(NeighbourRow.other_id).in_(keys)))  # type: ignore[arg-type]
    for kept in (SchemaChangeItemRow, OddLabelRow, NeighbourRow, VectorRow):
        session.execute(delete(kept).where(col(kept.sample_id).in_(keys)))  # type: ignore[arg-type]
    for owner, table in (("review_id", ReviewRow), ("suggestion_id", SuggestionRow)):
        owners = select(table.id).where(col(table.sample_id).in_(keys))  # type: ignore[arg-type]
        events = select(EventRow.id).where(getattr(EventRow, owner).in_(owners))
        session.execute(delete(MentionRow).where(col(MentionRow.event_id).in_(events)))
        session.execute(delete(EventRow).where(getattr(EventRow, owner).in_(owners)))
    for child in (ReviewRow, SuggestionRow, DraftRow, MediaRow, NoteRow, SkipRow, SampleTextRow):
        session.execute(delete(child).where(col(child.sample_id).in_(keys)))  # type: ignore[arg-type]
    session.execute(delete(SampleRow).where(col(SampleRow.id).in_(keys)))  # type: ignore[arg-type]


def delete_queues(session: Session, collection_id: int) -> None:
    """Delete a collection's queues, bulk operations and figures, once its samples are gone."""
    bulks = select(BulkRow.id).where(BulkRow.collection_id == collection_id)
    session.execute(delete(BulkItemRow).where(col(BulkItemRow.bulk_id).in_(bulks)))
    sets = select(TypeSetRow.id).where(TypeSetRow.collection_id == collection_id)
    session.execute(delete(TypeSetMemberRow).where(col(TypeSetMemberRow.set_id).in_(sets)))
    for table in (BulkRow, QueueRow, TypeSetRow, CorrectionRow):
        session.execute(delete(table).where(col(table.collection_id) == collection_id))


def collection_record(session: Session, row: CollectionRow) -> CollectionRecord:
    """The collection as a plain value."""
    number = session.exec(
        select(func.max(SchemaRow.number)).where(SchemaRow.collection_id == row.id)
    ).one()
    return CollectionRecord(cast(int, row.id), row.name, number or 0, row.created)
