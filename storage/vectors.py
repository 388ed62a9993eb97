"""Vectors of texts, and the reviewed samples that each sample is most like."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import delete, func, insert
from sqlalchemy import select as sqlalchemy_select
from sqlalchemy.engine import Engine
from sqlmodel import Session, col, select

from core.records import SampleFilter, SampleRecord
from storage import mapping
from storage.database import reading, writing
from storage.samples import Samples
from storage.tables import NeighbourRow, SampleRow, VectorRow

KEPT = 8  # neighbours of a sample
STORED = np.dtype("<f2")  # half the size, and no cosine moves by more than 0.001


@dataclass(frozen=True, slots=True)
class SimilarSample:
    """A reviewed sample that is like another one; `score` is their cosine, 1 for the same."""

    record: SampleRecord
    score: float


@dataclass(frozen=True, slots=True)
class VectorTable:
    """The vectors of a collection, a row each, with what decides who may be whose example."""

    keys: list[int]
    vectors: NDArray[np.float32]
    languages: list[str]
    stories: list[str | None]
    examples: list[int]  # the rows that are reviewed and not in the test split


class Vectors:
    """What the worker works out ahead, and the one look-up that a page makes."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._samples = Samples(engine)

    def similar(self, key: int, k: int = KEPT) -> list[SimilarSample]:
        """The reviewed samples most like this one, in any language, most alike first.

        Never of the same story, never of the test split; [] where none is alike, or the worker has
        not come to it yet.
        """
        with reading(self._engine) as session:
            query = (
                select(NeighbourRow.other_id, NeighbourRow.score)
                .join(SampleRow, col(SampleRow.id) == NeighbourRow.other_id)
                .where(
                    NeighbourRow.sample_id == key,
                    SampleRow.state == "reviewed",
                    func.coalesce(SampleRow.split, "") != "test",
                )
                .order_by(col(NeighbourRow.score).desc(), col(NeighbourRow.other_id))
                .limit(k)
            )
            scores = dict(session.exec(query).all())
        if not scores:
            return []
        records = {r.key: r for r in self._samples.list(SampleFilter(keys=list(scores)))}
        return [SimilarSample(records[k], s) for k, s in scores.items() if k in records]

    def missing(
        self, collection_id: int, *, model: str | None = None, after: int = 0, limit: int
    ) -> list[tuple[int, str]]:
        """(key, text) of samples without a vector (of this model), in order of arrival."""
        with reading(self._engine) as session:
            query = _without_vector(collection_id, model, SampleRow.id, SampleRow.text)
            query = query.where(col(SampleRow.id) > after).order_by(col(SampleRow.id)).limit(limit)
            return [(key, text) for key, text in session.execute(query)]

    def count_missing(self, collection_id: int, *, model: str | None = None) -> int:
        """How many samples `missing` would list without a limit."""
        with reading(self._engine) as session:
            query = _without_vector(collection_id, model, func.count())
            return int(session.execute(query).scalar_one())

    def add(self, model: str, keys: Sequence[int], vectors: NDArray[np.float32]) -> None:
        """Keep the vectors of samples, in place of any they had; those that are gone are left out."""
        with writing(self._engine) as session:
            there = set(session.exec(select(SampleRow.id).where(col(SampleRow.id).in_(keys))))
            session.execute(delete(VectorRow).where(col(VectorRow.sample_id).in_(keys)))
            rows = [
                {"sample_id": key, "model": model, "data": vector.astype(STORED).tobytes()}
                for key, vector in zip(keys, vectors, strict=True)
                if key in there
            ]
            _insert(session, VectorRow, rows)

    def table(self, collection_id: int, *, model: str) -> VectorTable:
        """Every vector of a collection that this model made."""
        with reading(self._engine) as session:
            rows = session.execute(
                sqlalchemy_select(
                    col(SampleRow.id), col(SampleRow.language), col(SampleRow.parallel_group),
                    col(SampleRow.state), col(SampleRow.split), col(VectorRow.data),
                )
                .join(VectorRow, col(VectorRow.sample_id) == col(SampleRow.id))
                .where(col(SampleRow.collection_id) == collection_id, col(VectorRow.model) == model)
                .order_by(col(SampleRow.id))
            ).all()  # fmt: skip
        vectors = np.frombuffer(b"".join(r.data for r in rows), dtype=STORED)
        return VectorTable(
            keys=[r.id for r in rows],
            vectors=vectors.reshape(len(rows), -1 if rows else 0).astype(np.float32),
            languages=[r.language for r in rows],
            stories=[r.parallel_group for r in rows],
            examples=[i for i, r in enumerate(rows) if r.state == "reviewed" and r.split != "test"],
        )

    def set_neighbours(self, found: Sequence[tuple[int, Sequence[tuple[int, float]]]]) -> None:
        """Keep the neighbours of samples, (key, [(other, score)]) each, in place of any they had."""
        keys = [key for key, _ in found]
        with writing(self._engine) as session:
            every = {*keys, *(other for _, others in found for other, _ in others)}
            there: set[int] = set()
            for part in mapping.chunks(sorted(every)):
                query = sqlalchemy_select(col(SampleRow.id)).where(col(SampleRow.id).in_(part))
                there.update(session.execute(query).scalars())
            for part in mapping.chunks(keys):
                session.execute(delete(NeighbourRow).where(col(NeighbourRow.sample_id).in_(part)))
            rows = [
                {"sample_id": key, "other_id": other, "score": score}
                for key, others in found
                for other, score in others
                if key in there and other in there
            ]
            _insert(session, NeighbourRow, rows)

    def neighbours(self, collection_id: int) -> dict[int, list[tuple[int, float]]]:
        """The neighbours of every reviewed sample: {key: [(other, score)]}."""
        with reading(self._engine) as session:
            rows = session.exec(
                select(NeighbourRow.sample_id, NeighbourRow.other_id, NeighbourRow.score)
                .join(SampleRow, col(SampleRow.id) == NeighbourRow.sample_id)
                .where(SampleRow.collection_id == collection_id, SampleRow.state == "reviewed")
            )
            found: dict[int, list[tuple[int, float]]] = {}
            for key, other, score in rows:
                found.setdefault(key, []).append((other, score))
            return found


# ---------------------------------------------------------------- private


def _without_vector(collection_id: int, model: str | None, *columns: Any) -> Any:
    """A query of samples with a text and no vector; with `model`, none of that model."""
    has = sqlalchemy_select(1).where(col(VectorRow.sample_id) == col(SampleRow.id))
    if model is not None:
        has = has.where(col(VectorRow.model) == model)
    return (
        sqlalchemy_select(*columns)
        .select_from(SampleRow)
        .where(
            col(SampleRow.collection_id) == collection_id,
            func.coalesce(col(SampleRow.text), "") != "",
            ~has.exists(),
        )
    )


def _insert(session: Session, table: type[Any], rows: Sequence[dict[str, Any]]) -> None:
    if rows:
        session.execute(insert(table.__table__), list(rows))
