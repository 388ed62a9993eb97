"""Settings of a collection: a value a name, every change kept with who made it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy.engine import Engine
from sqlmodel import col, select

from core.records import SettingRecord
from storage.database import reading, writing
from storage.tables import SettingRow


class Settings:
    """What leads have set for a collection."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def get(self, collection_id: int, name: str) -> SettingRecord | None:
        """The value in force, or None where nobody has set it."""
        history = self.history(collection_id, name, limit=1)
        return history[0] if history else None

    def history(self, collection_id: int, name: str, *, limit: int = 50) -> list[SettingRecord]:
        """The values that a setting had, newest first."""
        with reading(self._engine) as session:
            query = (
                select(SettingRow)
                .where(SettingRow.collection_id == collection_id, SettingRow.name == name)
                .order_by(col(SettingRow.id).desc())
                .limit(limit)
            )
            return [
                SettingRecord(r.name, r.value, r.person, r.created) for r in session.exec(query)
            ]

    def put(
        self, collection_id: int, name: str, value: Mapping[str, Any], *, person: str | None
    ) -> None:
        """Set a value; the ones before stay in the history."""
        with writing(self._engine) as session:
            session.add(
                SettingRow(collection_id=collection_id, name=name, value=dict(value), person=person)
            )
