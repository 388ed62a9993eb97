"""Reviewed samples of the train split that may be shown to a model as examples."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import func
from sqlalchemy import select as sqlalchemy_select
from sqlalchemy.engine import Engine
from sqlmodel import Session, col, select

from storage import mapping
from storage.database import reading
from storage.tables import SampleRow, TypeSetMemberRow, VectorRow
from storage.vectors import STORED

SCANNED = 2  # samples of a language that are looked at for one that may be shown


@dataclass(frozen=True, slots=True)
class CandidateTable:
    """Samples that may be shown, a row each; `types` are those of the newest review."""

    keys: list[int]
    vectors: NDArray[np.float32]
    languages: list[str]
    groups: list[str]
    types: list[frozenset[str]]
    lengths: list[int]


class Examples:
    """Looks up, for whoever asks a model, what it might be shown."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def has_some(self, collection_id: int) -> bool:
        """Whether any reviewed sample is in the train split."""
        with reading(self._engine) as session:
            query = select(SampleRow.id).where(
                SampleRow.collection_id == collection_id,
                SampleRow.state == "reviewed",
                SampleRow.split == "train",
            )
            return session.exec(query.limit(1)).first() is not None

    def candidates(
        self, collection_id: int, *, model: str, per_language: int, longest: int
    ) -> CandidateTable:
        """The newest reviewed train samples with a vector of `model` and a text of at most `longest`
        characters: `per_language` of each language, however many there are."""
        rows: list[Any] = []
        with reading(self._engine) as session:
            for newest in _newest(session, collection_id, per_language):
                length = func.length(col(SampleRow.text))
                query = (
                    sqlalchemy_select(
                        col(SampleRow.id), col(SampleRow.language), col(SampleRow.split_group),
                        col(SampleRow.type_set_id), length.label("length"), col(VectorRow.data),
                    )
                    .join(VectorRow, col(VectorRow.sample_id) == col(SampleRow.id))
                    .where(*_may_be_shown(newest, longest), col(VectorRow.model) == model)
                )  # fmt: skip
                rows += session.execute(_first(query, per_language)).all()
            types = _types_of(session, {r.type_set_id for r in rows if r.type_set_id is not None})
        vectors = np.frombuffer(b"".join(r.data for r in rows), dtype=STORED)
        return CandidateTable(
            keys=[r.id for r in rows],
            vectors=vectors.reshape(len(rows), vectors.size // max(1, len(rows))).astype(
                np.float32
            ),
            languages=[r.language for r in rows],
            groups=[r.split_group for r in rows],
            types=[types.get(r.type_set_id, frozenset()) for r in rows],
            lengths=[r.length for r in rows],
        )

    def unread(
        self, collection_id: int, *, model: str, per_language: int, longest: int, limit: int | None
    ) -> list[tuple[int, str]]:
        """(key, text) of those that `candidates` would list if they had a vector, newest first; at most
        `limit` of them."""
        has = sqlalchemy_select(1).where(
            col(VectorRow.sample_id) == col(SampleRow.id), col(VectorRow.model) == model
        )
        rows: list[Any] = []
        with reading(self._engine) as session:
            for newest in _newest(session, collection_id, per_language):
                query = sqlalchemy_select(col(SampleRow.id), col(SampleRow.text)).where(
                    *_may_be_shown(newest, longest), ~has.exists()
                )
                rows += session.execute(_first(query, limit or per_language)).all()
        return sorted(((key, text) for key, text in rows), reverse=True)[:limit]

    def vectors_of(
        self, collection_id: int, ids: Sequence[str], *, model: str
    ) -> dict[str, NDArray[np.float32]]:
        """{sample id: its vector}, for those that have one of `model`."""
        found: dict[str, NDArray[np.float32]] = {}
        with reading(self._engine) as session:
            for part in mapping.chunks(ids):
                rows = session.execute(
                    sqlalchemy_select(col(SampleRow.external_id), col(VectorRow.data))
                    .join(VectorRow, col(VectorRow.sample_id) == col(SampleRow.id))
                    .where(
                        col(SampleRow.collection_id) == collection_id,
                        col(SampleRow.external_id).in_(part),
                        col(VectorRow.model) == model,
                    )
                )
                for ident, data in rows:
                    found[ident] = np.frombuffer(data, dtype=STORED).astype(np.float32)
        return found


# ---------------------------------------------------------------- private


def _newest(session: Session, collection_id: int, per_language: int) -> list[Any]:
    """For each language a query of the keys of its newest reviewed samples."""
    mine = (col(SampleRow.collection_id) == collection_id, col(SampleRow.state) == "reviewed")
    languages = session.exec(select(SampleRow.language).where(*mine).distinct()).all()
    return [
        sqlalchemy_select(col(SampleRow.id))
        .where(*mine, col(SampleRow.language) == language)
        .order_by(col(SampleRow.id).desc())
        .limit(per_language * SCANNED)
        for language in sorted(languages)
    ]


def _may_be_shown(newest: Any, longest: int) -> list[Any]:
    length = func.length(col(SampleRow.text))
    return [
        col(SampleRow.id).in_(newest), col(SampleRow.split) == "train", length.between(1, longest)
    ]  # fmt: skip


def _first(query: Any, count: int) -> Any:
    return query.order_by(col(SampleRow.id).desc()).limit(count)


def _types_of(session: Session, sets: set[int]) -> dict[int, frozenset[str]]:
    """The event types of each type set."""
    found: dict[int, set[str]] = {}
    for part in mapping.chunks(sorted(sets)):
        query = select(TypeSetMemberRow.set_id, TypeSetMemberRow.event_type)
        for ident, event_type in session.exec(query.where(col(TypeSetMemberRow.set_id).in_(part))):
            found.setdefault(ident, set()).add(event_type)
    return {ident: frozenset(types) for ident, types in found.items()}
