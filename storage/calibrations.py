"""Calibrations of models: the curves that a model's confidences go through when they are read.

A suggestion keeps the confidences that its model gave, for ever. Whoever reads it, the workbench,
the queues and operations on many alike, sees them through the newest curves of its model in its
collection. New curves so hold for every suggestion there is, at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any, cast

from sqlalchemy import and_, exists, func, or_, update
from sqlalchemy import select as sqlalchemy_select
from sqlalchemy.engine import Engine
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select

from core.calibration import (
    Curves,
    Judged,
    calibrate_events,
    curves_from_list,
    curves_to_list,
)
from core.events import Event
from core.queues import certainty
from core.reliability import Calibration, figure_from_dict, figure_to_dict
from storage import mapping
from storage.change_rows import ORIGIN
from storage.database import reading, writing
from storage.tables import (
    CalibrationRow,
    ReviewRow,
    SampleRow,
    SchemaChangeRow,
    SuggestionRow,
)

Which = tuple[int, str]  # a collection and a model
_NO_CURVES = Curves()


class Calibrations:
    """Curves by collection and model. They are only ever added; the newest hold."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def newest(self, collection_id: int, model_id: str) -> Calibration | None:
        """The curves that hold, with the figures behind them, or None."""
        with reading(self._engine) as session:
            query = select(CalibrationRow).where(
                CalibrationRow.collection_id == collection_id, CalibrationRow.model_id == model_id
            )
            row = session.exec(query.order_by(col(CalibrationRow.id).desc())).first()
            return None if row is None else Calibration(
                curves_from_list(row.curves), [figure_from_dict(f) for f in row.figures],
                row.samples, row.pairs, row.created,
            )  # fmt: skip

    def add(
        self,
        collection_id: int,
        model_id: str,
        found: Calibration,
        *,
        step: Callable[[float], None] = lambda _: None,
    ) -> None:
        """Let new curves hold, and order the queues by them."""
        with writing(self._engine) as session:
            session.add(
                CalibrationRow(
                    collection_id=collection_id, model_id=model_id, curves=curves_to_list(found.curves),
                    figures=[figure_to_dict(f) for f in found.figures], samples=found.samples,
                    pairs=found.pairs,
                )
            )  # fmt: skip
            keys = session.exec(
                select(SuggestionRow.sample_id)
                .join(SampleRow, col(SampleRow.id) == SuggestionRow.sample_id)
                .where(SampleRow.collection_id == collection_id, SuggestionRow.model_id == model_id)
                .distinct()
            ).all()
        done = 0
        for part in mapping.chunks(sorted(keys)):  # a transaction each: others wait for no more
            step(done / len(keys))
            with writing(self._engine) as session:
                _rescale(session, part)
            done += len(part)

    def judged(
        self, collection_id: int, model_id: str, *, since: datetime | None, limit: int
    ) -> list[Judged]:
        """Reviewed samples with the newest suggestion of a model for them, newest review first.

        Never of the test split, nor what was accepted unseen. `since`: when the model was made, if it
        learned from reviews; what was reviewed before then, outside dev, it may have learned from,
        and is left out. So is what a change of the schema came between.
        """
        with reading(self._engine) as session:
            rows = session.execute(_judged(collection_id, model_id, since=since).limit(limit)).all()
            said = mapping.events_of(session, "suggestion_id", [row.suggestion for row in rows])
            kept = mapping.events_of(session, "review_id", [row.review for row in rows])
            return [
                Judged(
                    row.external_id, row.language, row.split_group, said[row.suggestion],
                    kept[row.review],
                )
                for row in rows
            ]  # fmt: skip

    def count_judged(
        self,
        collection_id: int,
        model_id: str,
        *,
        since: datetime | None,
        after: datetime | None = None,
    ) -> int:
        """How many samples `judged` would give without a limit; those reviewed `after` a time."""
        query = _judged(collection_id, model_id, since=since).order_by(None)
        if after is not None:
            query = query.where(col(ReviewRow.created) > after)
        with reading(self._engine) as session:
            count = sqlalchemy_select(func.count()).select_from(query.subquery())
            return int(session.execute(count).scalar_one())


def suggested_events(session: Session, keys: Sequence[int]) -> dict[int, tuple[Event, ...]]:
    """The events of each suggestion, as sure as its model's curves say."""
    found: dict[int, tuple[Event, ...]] = mapping.events_of(session, "suggestion_id", keys)
    for part in mapping.chunks(keys):
        rows = session.execute(
            sqlalchemy_select(
                col(SuggestionRow.id), col(SuggestionRow.model_id), col(SampleRow.collection_id),
                col(SampleRow.language),
            )
            .join(SampleRow, col(SampleRow.id) == col(SuggestionRow.sample_id))
            .where(col(SuggestionRow.id).in_(part))
        ).all()  # fmt: skip
        curves = curves_of(session, ((row.collection_id, row.model_id) for row in rows))
        for row in rows:
            mine = curves[row.collection_id, row.model_id]
            found[row.id] = calibrate_events(found[row.id], mine, row.language)
    return found


def curves_of(session: Session, wanted: Iterable[Which]) -> dict[Which, Curves]:
    """The curves that hold for each collection and model; none of them where there are none."""
    found: dict[Which, Curves] = {}
    for collection_id, model_id in set(wanted):
        row = session.exec(
            select(CalibrationRow.curves)
            .where(
                CalibrationRow.collection_id == collection_id, CalibrationRow.model_id == model_id
            )
            .order_by(col(CalibrationRow.id).desc())
            .limit(1)
        ).first()
        found[collection_id, model_id] = curves_from_list(row) if row else _NO_CURVES
    return found


# ---------------------------------------------------------------- private


def _rescale(session: Session, keys: Sequence[int]) -> None:
    """What queues order by, of samples whose curves are new."""
    newest = (
        select(func.max(SuggestionRow.id))
        .where(col(SuggestionRow.sample_id).in_(keys))
        .group_by(col(SuggestionRow.sample_id))
    )
    rows = session.exec(
        select(SuggestionRow.id, SuggestionRow.sample_id).where(col(SuggestionRow.id).in_(newest))
    ).all()
    events = suggested_events(session, [cast(int, ident) for ident, _ in rows])
    changes = []
    for ident, key in rows:
        sure = certainty(events[cast(int, ident)])
        changes.append({"id": key, "confidence": sure.lowest, "unsure_of": sure.of})
    if changes:
        session.execute(update(SampleRow), changes)


def _judged(collection_id: int, model_id: str, *, since: datetime | None) -> Any:
    """(external_id, language, split_group, suggestion, review): see `Calibrations.judged`."""
    later, again, older = aliased(SuggestionRow), aliased(ReviewRow), aliased(ReviewRow)
    query: Any = (
        sqlalchemy_select(
            col(SampleRow.external_id), col(SampleRow.language), col(SampleRow.split_group),
            col(SuggestionRow.id).label("suggestion"), col(ReviewRow.id).label("review"),
        )
        .join(SuggestionRow, col(SuggestionRow.sample_id) == col(SampleRow.id))
        .join(ReviewRow, col(ReviewRow.sample_id) == col(SampleRow.id))
        .where(
            col(SampleRow.collection_id) == collection_id,
            col(SampleRow.state) == "reviewed",
            or_(col(SampleRow.split).is_(None), col(SampleRow.split) != "test"),
            col(SuggestionRow.model_id) == model_id,
            ~exists().where(
                col(later.sample_id) == col(SampleRow.id), col(later.model_id) == model_id,
                col(later.id) > col(SuggestionRow.id),
            ),
            col(ReviewRow.origin) != ORIGIN,
            col(ReviewRow.bulk_id).is_(None),
            ~exists().where(
                col(again.sample_id) == col(SampleRow.id), col(again.origin) != ORIGIN,
                col(again.id) > col(ReviewRow.id),
            ),
            ~_is_change_between(collection_id),
        )
        .order_by(col(ReviewRow.id).desc())
    )  # fmt: skip
    if since is not None:
        known = exists().where(
            col(older.sample_id) == col(SampleRow.id), col(older.created) <= since
        )
        query = query.where(or_(col(SampleRow.split) == "dev", ~known))
    return query


def _is_change_between(collection_id: int) -> Any:
    """Whether a change of the schema came between a suggestion and a review: names may differ."""
    after = col(SchemaChangeRow.number_after)
    suggested, reviewed = col(SuggestionRow.schema_number), col(ReviewRow.schema_number)
    return exists().where(
        col(SchemaChangeRow.collection_id) == collection_id,
        or_(
            and_(suggested < after, reviewed >= after), and_(reviewed < after, suggested >= after)
        ),
    )  # fmt: skip
