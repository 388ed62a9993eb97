"""Models, their evaluations, and which one a collection uses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

from sqlalchemy.engine import Engine
from sqlmodel import col, select

from core.errors import NotFoundError, shown
from core.records import EvaluationRecord, ModelRecord, ModelState, PromotionRecord
from storage.database import reading, writing
from storage.tables import EvaluationRow, ModelRow, PromotionRow


class Models:
    """Base models, adapters, their evaluations, and which one a collection uses."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def add(
        self,
        model_id: str,
        *,
        title: str,
        state: ModelState,
        location: str,
        base_id: str | None = None,
        collection_id: int | None = None,
        is_remote: bool = False,
        run_id: int | None = None,
        terms: str = "",
        manifest: Mapping[str, Any] | None = None,
    ) -> ModelRecord:
        """Register a model; one with this id is replaced."""
        with writing(self._engine) as session:
            row = session.merge(
                ModelRow(
                    id=model_id,
                    title=title,
                    state=state,
                    base_id=base_id,
                    location=location,
                    collection_id=collection_id,
                    is_remote=is_remote,
                    run_id=run_id,
                    terms=terms,
                    manifest=dict(manifest or {}),
                )
            )
            session.flush()
            return _model(row)

    def get(self, model_id: str) -> ModelRecord:
        """One model; raises `NotFoundError` that names those there are."""
        with reading(self._engine) as session:
            row = session.get(ModelRow, model_id)
            if row is None:
                names = ", ".join(m.id for m in self.all()) or "none"
                raise NotFoundError(f"there is no model {shown(model_id)} (there are: {names})")
            return _model(row)

    def all(self, *, collection_id: int | None = None) -> list[ModelRecord]:
        """Every model that a collection can use: bases first, then its adapters, newest first."""
        with reading(self._engine) as session:
            query = select(ModelRow)
            if collection_id is not None:
                query = query.where(
                    col(ModelRow.collection_id).is_(None)
                    | (ModelRow.collection_id == collection_id)
                )
            rows = session.exec(query.order_by(col(ModelRow.created).desc())).all()
            return sorted((_model(r) for r in rows), key=lambda m: not m.is_base)

    def set_state(self, model_id: str, state: str) -> None:
        """Change a model's state."""
        with writing(self._engine) as session:
            row = session.get(ModelRow, model_id)
            if row is None:
                raise NotFoundError(f"there is no model {shown(model_id)}")
            row.state = state

    def in_use(self, collection_id: int) -> str | None:
        """The id of the model last promoted in a collection, or None where none ever was."""
        history = self.promotions(collection_id, limit=1)
        return history[0].model_id if history else None

    def promote(
        self,
        collection_id: int,
        model_id: str,
        *,
        previous_id: str,
        person: str | None,
        reason: str,
        scores: Mapping[str, Any],
    ) -> None:
        """Put a model in use and retire the one before; a base model keeps its state."""
        with writing(self._engine) as session:
            for ident, state in ((previous_id, "retired"), (model_id, "promoted")):
                row = session.get(ModelRow, ident)
                if row is not None and row.base_id is not None:
                    row.state = state
            session.add(
                PromotionRow(
                    collection_id=collection_id,
                    model_id=model_id,
                    previous_id=previous_id,
                    person=person,
                    reason=reason,
                    scores=dict(scores),
                )
            )

    def promotions(self, collection_id: int, *, limit: int = 50) -> list[PromotionRecord]:
        """Who put which model in use when, newest first."""
        with reading(self._engine) as session:
            query = select(PromotionRow).where(PromotionRow.collection_id == collection_id)
            rows = session.exec(query.order_by(col(PromotionRow.id).desc()).limit(limit))
            return [
                PromotionRecord(
                    cast(int, r.id), r.collection_id, r.model_id, r.previous_id, r.person, r.reason,
                    r.scores, r.created,
                )
                for r in rows
            ]  # fmt: skip

    def add_evaluation(
        self,
        *,
        collection_id: int,
        model_id: str,
        split: str,
        test_hash: str,
        samples: int,
        scores: Mapping[str, Any],
        outcomes: Sequence[Mapping[str, Any]],
        settings: Mapping[str, Any],
        seconds: float,
    ) -> int:
        """Keep the scores of a model on exactly these samples; returns the evaluation's id."""
        with writing(self._engine) as session:
            row = EvaluationRow(
                collection_id=collection_id, model_id=model_id, split=split, test_hash=test_hash,
                samples=samples, scores=dict(scores), outcomes=[dict(o) for o in outcomes],
                settings=dict(settings), seconds=seconds,
            )  # fmt: skip
            session.add(row)
            session.flush()
            return cast(int, row.id)

    def evaluations(
        self,
        collection_id: int,
        *,
        model_id: str | None = None,
        split: str | None = None,
        test_hash: str | None = None,
    ) -> list[EvaluationRecord]:
        """Evaluations in a collection, newest first, but for those of prompt comparisons."""
        found = self._evaluations(collection_id, model_id, split, test_hash)
        return [e for e in found if "comparison" not in e.settings]

    def comparisons(self, collection_id: int, *, model_id: str) -> list[EvaluationRecord]:
        """The evaluations of a model's prompt comparisons, newest first: how it does when it is asked
        otherwise. `settings` have the name of the `comparison` and the `strategy`."""
        found = self._evaluations(collection_id, model_id)
        return [e for e in found if "comparison" in e.settings]

    def _evaluations(
        self,
        collection_id: int,
        model_id: str | None = None,
        split: str | None = None,
        test_hash: str | None = None,
    ) -> list[EvaluationRecord]:
        with reading(self._engine) as session:
            query = select(EvaluationRow).where(EvaluationRow.collection_id == collection_id)
            for column, value in (
                (EvaluationRow.model_id, model_id),
                (EvaluationRow.split, split),
                (EvaluationRow.test_hash, test_hash),
            ):
                if value is not None:
                    query = query.where(column == value)
            return [
                EvaluationRecord(
                    cast(int, r.id), r.collection_id, r.model_id, r.split, r.test_hash, r.samples,
                    r.scores, r.outcomes, r.settings, r.seconds, r.created,
                )
                for r in session.exec(query.order_by(col(EvaluationRow.id).desc()))
            ]  # fmt: skip


def _model(r: ModelRow) -> ModelRecord:
    return ModelRecord(
        r.id, r.title, cast(Any, r.state), r.base_id, r.collection_id, r.location, r.is_remote,
        r.run_id, r.terms, r.manifest, r.created,
    )  # fmt: skip
