"""Read models for pages: counts and tables, straight from SQL, never written to."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pandas as pd
from sqlalchemy import func
from sqlalchemy import select as sqlalchemy_select
from sqlalchemy.engine import Engine
from sqlmodel import col, select

from core.languages import in_order
from core.records import SampleFilter
from storage.database import reading
from storage.filters import conditions
from storage.tables import EventRow, MentionRow, ReviewRow, SampleRow

STATES = ("new", "suggested", "reviewed")


class Reads:
    """Counts for pages. Every figure is a count of rows that `Samples.list` can show."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def coverage(self, collection_id: int) -> pd.DataFrame:
        """A row a language (main four first): columns new, suggested, reviewed, total."""
        with reading(self._engine) as session:
            rows = session.exec(
                select(SampleRow.language, SampleRow.state, func.count())
                .where(SampleRow.collection_id == collection_id)
                .group_by(col(SampleRow.language), col(SampleRow.state))
            ).all()
        table = pd.DataFrame(rows, columns=["language", "state", "count"])
        wide = table.pivot_table(index="language", columns="state", values="count", aggfunc="sum")
        wide = wide.reindex(index=in_order(wide.index), columns=list(STATES)).fillna(0).astype(int)
        wide["total"] = wide.sum(axis=1)
        return wide

    def splits(self, collection_id: int) -> pd.DataFrame:
        """Reviewed samples: a row a language, columns train, dev, test."""
        with reading(self._engine) as session:
            rows = session.exec(
                select(SampleRow.language, SampleRow.split, func.count())
                .where(SampleRow.collection_id == collection_id, SampleRow.state == "reviewed")
                .group_by(col(SampleRow.language), col(SampleRow.split))
            ).all()
        table = pd.DataFrame(rows, columns=["language", "split", "count"])
        wide = table.pivot_table(index="language", columns="split", values="count", aggfunc="sum")
        return (
            wide.reindex(index=in_order(wide.index), columns=["train", "dev", "test"])
            .fillna(0)
            .astype(int)
        )

    def types_in_use(self, collection_id: int) -> dict[tuple[str, str | None], int]:
        """How many events of the newest reviews have each (type, None) and arguments (type, role)."""
        newest = (
            select(func.max(ReviewRow.id))
            .join(SampleRow, col(SampleRow.id) == ReviewRow.sample_id)
            .where(SampleRow.collection_id == collection_id)
            .group_by(col(ReviewRow.sample_id))
        )
        mine = col(EventRow.review_id).in_(newest)
        with reading(self._engine) as session:
            types = session.exec(
                select(EventRow.event_type, func.count()).where(mine).group_by(EventRow.event_type)
            ).all()
            roles = session.exec(
                select(EventRow.event_type, MentionRow.role, func.count())
                .join(MentionRow, col(MentionRow.event_id) == EventRow.id)
                .where(mine, col(MentionRow.role).is_not(None))
                .group_by(EventRow.event_type, col(MentionRow.role))
            ).all()
        return {(t, None): n for t, n in types} | {(t, r): n for t, r, n in roles}

    def table(
        self,
        collection_id: int,
        wanted: SampleFilter | None = None,
        *,
        limit: int = 100,
        offset: int = 0,
    ) -> pd.DataFrame:
        """A page of samples for a table: key, id, language, state, split, modality, text, imported."""
        columns: list[Any] = [
            SampleRow.id, SampleRow.external_id, SampleRow.language, SampleRow.state,
            SampleRow.split, SampleRow.modality, func.substr(SampleRow.text, 1, 300),
            SampleRow.imported,
        ]  # fmt: skip
        with reading(self._engine) as session:
            rows = session.execute(
                sqlalchemy_select(*columns)
                .where(*conditions(wanted, collection_id))
                .order_by(col(SampleRow.id))
                .limit(limit)
                .offset(offset)
            ).all()
        names = ["key", "id", "language", "state", "split", "modality", "text", "imported"]
        return pd.DataFrame(rows, columns=names)

    def reviewed_since(self, collection_id: int, moment: datetime | None) -> int:
        """How many samples a person has reviewed after `moment` (ever, without one)."""
        with reading(self._engine) as session:
            query = (
                select(func.count(func.distinct(ReviewRow.sample_id)))
                .join(SampleRow, col(SampleRow.id) == ReviewRow.sample_id)
                .where(SampleRow.collection_id == collection_id, ReviewRow.origin == "person")
            )
            if moment is not None:
                query = query.where(col(ReviewRow.created) > moment)
            return session.exec(query).one()
