"""Schemas being edited: what each person changed and has not saved as a version yet."""

from __future__ import annotations

from sqlalchemy.engine import Engine
from sqlmodel import Session, select

from core.schema import Schema, schema_from_dict, schema_to_dict
from storage.database import reading, writing
from storage.tables import SchemaDraftRow


class SchemaDrafts:
    """One draft a person and collection, so that a reload of the page loses nothing."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def get(self, collection_id: int, person: str) -> tuple[int, Schema] | None:
        """(the version it was begun from, the schema as it is now), or None."""
        with reading(self._engine) as session:
            row = _find(session, collection_id, person)
            if row is None:
                return None
            return row.number, schema_from_dict(row.content, is_draft=True)

    def keep(self, collection_id: int, person: str, *, number: int, schema: Schema) -> None:
        """Keep a draft in the place of the one before."""
        with writing(self._engine) as session:
            row = _find(session, collection_id, person) or SchemaDraftRow(
                collection_id=collection_id, person=person, number=number
            )
            row.number, row.content = number, schema_to_dict(schema)
            session.add(row)

    def drop(self, collection_id: int, person: str) -> None:
        """Forget a draft, if there is one."""
        with writing(self._engine) as session:
            row = _find(session, collection_id, person)
            if row is not None:
                session.delete(row)


def _find(session: Session, collection_id: int, person: str) -> SchemaDraftRow | None:
    return session.exec(
        select(SchemaDraftRow).where(
            SchemaDraftRow.collection_id == collection_id, SchemaDraftRow.person == person
        )
    ).first()
