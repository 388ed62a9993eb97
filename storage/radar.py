"""The label-error radar's list: which reviewed samples look odd, and which of those a person called right."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import delete, exists, func, insert, or_
from sqlalchemy import select as sqlalchemy_select
from sqlalchemy.engine import Engine
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select

from core.errors import NotFoundError
from core.events import Event
from core.radar import Labels, Oddity
from storage import mapping
from storage.calibrations import suggested_events
from storage.change_rows import ORIGIN
from storage.database import reading, writing
from storage.tables import (
    EventRow,
    MentionRow,
    OddLabelRow,
    ReviewRow,
    SampleRow,
    SchemaChangeRow,
    SuggestionRow,
)

Listed = list[tuple[int, float, str, dict[str, Any]]]


class Radar:
    """Odd labels. A person may call them right: they come back once somebody changes the labels."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def list(self, collection_id: int, limit: int = 50) -> Listed:
        """The samples that look odd, oddest first: (key, score, reason, what the reason says)."""
        with reading(self._engine) as session:
            query = _offered(collection_id).order_by(
                col(OddLabelRow.score).desc(), col(OddLabelRow.sample_id)
            )
            return [
                (r.sample_id, r.score, r.reason, dict(r.values))
                for r in session.exec(query.limit(limit))
            ]

    def count(self, collection_id: int) -> int:
        """How many samples `list` would give without a limit."""
        with reading(self._engine) as session:
            query = sqlalchemy_select(func.count()).select_from(_offered(collection_id).subquery())
            return int(session.execute(query).scalar_one())

    def why(self, key: int) -> tuple[float, str, dict[str, Any]] | None:
        """(score, reason, what it says) of one sample, or None where nothing is odd about it."""
        with reading(self._engine) as session:
            row = session.exec(_offered(None).where(OddLabelRow.sample_id == key)).first()
            return (row.score, row.reason, dict(row.values)) if row else None

    def dismiss(self, key: int, *, person: str | None = None) -> None:
        """ "It is right": the sample is offered again only after its labels have changed."""
        with writing(self._engine) as session:
            row = session.get(OddLabelRow, key)
            if row is None:
                raise NotFoundError(f"sample {key} is not on the radar's list any more")
            row.dismissed_review, row.dismissed_by = row.review_id, person
            row.dismissed = datetime.now(UTC)

    def offer_again(self, key: int) -> None:
        """Take a dismissal back."""
        with writing(self._engine) as session:
            row = session.get(OddLabelRow, key)
            if row is not None:
                row.dismissed_review, row.dismissed_by, row.dismissed = None, None, None

    def keep(self, collection_id: int, found: Sequence[Oddity], *, reviews: dict[int, int]) -> None:
        """Replace the list of a collection; `reviews` says which review of each sample was looked
        at. What a person called right stays so while it is about the same review."""
        with writing(self._engine) as session:
            rows = {
                odd.key: _row(collection_id, odd, reviews[odd.key])
                for odd in found
                if odd.key in reviews
            }
            mine = col(OddLabelRow.collection_id) == collection_id
            right = sqlalchemy_select(*OddLabelRow.__table__.columns).where(  # type: ignore[attr-defined]
                mine, col(OddLabelRow.dismissed_review).is_not(None)
            )
            for old in session.execute(right).mappings():
                new = rows.setdefault(old["sample_id"], dict(old) | {"score": 0.0})
                if new["review_id"] == old["dismissed_review"]:
                    new |= {k: v for k, v in old.items() if k.startswith("dismissed")}
            session.execute(delete(OddLabelRow).where(mine))
            if rows:
                session.execute(insert(OddLabelRow.__table__), list(rows.values()))  # type: ignore[attr-defined]

    # ------------------------------------------------------------ what the radar looks at

    def labels(self, collection_id: int) -> Sequence[Labels]:
        """What every reviewed sample is labelled with."""
        with reading(self._engine) as session:
            samples = session.execute(_newest_reviews(collection_id)).all()
            events: dict[int, list[tuple[str, str | None]]] = {r.newest: [] for r in samples}
            for part in mapping.chunks(list(events)):
                query = (
                    sqlalchemy_select(
                        col(EventRow.review_id), col(EventRow.event_type), col(MentionRow.text)
                    )
                    .outerjoin(
                        MentionRow,
                        (col(MentionRow.event_id) == col(EventRow.id))
                        & col(MentionRow.role).is_(None),
                    )
                    .where(col(EventRow.review_id).in_(part))
                    .order_by(col(EventRow.review_id), col(EventRow.position))
                )
                for review, event_type, words in session.execute(query):
                    events[review].append((event_type, words))
            return [
                Labels(r.id, r.decided, r.language, r.parallel_group, tuple(events[r.newest]))
                for r in samples
            ]

    def opinions(
        self, collection_id: int, model_id: str
    ) -> dict[int, tuple[tuple[Event, ...], tuple[Event, ...]]]:
        """{key: (labels, what the model says)} where nobody saw that before they decided.

        What a model said before the schema was changed is left out: the names may be others.
        """
        with reading(self._engine) as session:
            later = aliased(SuggestionRow)
            newest = _newest_reviews(collection_id).subquery()
            rows = session.execute(
                sqlalchemy_select(newest.c.id, newest.c.newest, col(SuggestionRow.id))
                .join(SuggestionRow, col(SuggestionRow.sample_id) == newest.c.id)
                .where(
                    col(SuggestionRow.model_id) == model_id,
                    col(SuggestionRow.schema_number) >= _last_change(session, collection_id),
                    ~_was_seen(newest.c.id, model_id),
                    ~exists().where(
                        col(later.sample_id) == col(SuggestionRow.sample_id),
                        col(later.model_id) == model_id,
                        col(later.id) > col(SuggestionRow.id),
                    ),
                )
            ).all()
            labels = mapping.events_of(session, "review_id", [r[1] for r in rows])
            said = suggested_events(session, [r[2] for r in rows])
            return {key: (labels[review], said[ident]) for key, review, ident in rows}

    def unaudited(self, collection_id: int, model_id: str, *, limit: int) -> Sequence[int]:
        """Reviewed samples with a text that this model has not looked at, odd ones first, then in
        the fixed shuffle."""
        with reading(self._engine) as session:
            query = (
                select(SampleRow.id)
                .outerjoin(OddLabelRow, col(OddLabelRow.sample_id) == SampleRow.id)
                .where(
                    SampleRow.collection_id == collection_id,
                    SampleRow.state == "reviewed",
                    func.coalesce(SampleRow.text, "") != "",
                    ~exists().where(
                        col(SuggestionRow.sample_id) == SampleRow.id,
                        col(SuggestionRow.model_id) == model_id,
                        col(SuggestionRow.schema_number) >= _last_change(session, collection_id),
                    ),
                    ~_was_seen(col(SampleRow.id), model_id),
                )
                .order_by(func.coalesce(OddLabelRow.score, 0).desc(), col(SampleRow.shuffle))
                .limit(limit)
            )
            return [key for key in session.exec(query) if key is not None]


# ---------------------------------------------------------------- private


def _offered(collection_id: int | None) -> Any:
    """What is on the list: not called right, and not reviewed again since."""
    later = aliased(ReviewRow)
    query = (
        select(OddLabelRow)
        .join(SampleRow, col(SampleRow.id) == OddLabelRow.sample_id)
        .where(
            SampleRow.state == "reviewed",
            or_(
                col(OddLabelRow.dismissed_review).is_(None),
                col(OddLabelRow.dismissed_review) != col(OddLabelRow.review_id),
            ),
            ~exists().where(
                col(later.sample_id) == OddLabelRow.sample_id,
                col(later.id) > OddLabelRow.review_id,
                col(later.origin) != ORIGIN,
            ),
        )
    )
    return (
        query if collection_id is None else query.where(OddLabelRow.collection_id == collection_id)
    )


def _newest_reviews(collection_id: int) -> Any:
    """(id, language, parallel_group, newest review, newest that is no change of the schema)."""
    decided = (
        sqlalchemy_select(func.max(ReviewRow.id))
        .where(col(ReviewRow.sample_id) == col(SampleRow.id), col(ReviewRow.origin) != ORIGIN)
        .scalar_subquery()
    )
    newest = (
        sqlalchemy_select(func.max(ReviewRow.id))
        .where(col(ReviewRow.sample_id) == col(SampleRow.id))
        .scalar_subquery()
    )
    return sqlalchemy_select(
        col(SampleRow.id), col(SampleRow.language), col(SampleRow.parallel_group),
        newest.label("newest"), func.coalesce(decided, newest).label("decided"),
    ).where(col(SampleRow.collection_id) == collection_id, col(SampleRow.state) == "reviewed")  # fmt: skip


def _last_change(session: Session, collection_id: int) -> int:
    """The schema version that the last change of names led to, or 0."""
    query = select(func.max(SchemaChangeRow.number_after)).where(
        SchemaChangeRow.collection_id == collection_id
    )
    return session.exec(query).one() or 0


def _was_seen(key: Any, model_id: str) -> Any:
    """Whether a person decided about a sample with what this model suggested before them."""
    shown = aliased(SuggestionRow)
    return exists().where(
        col(ReviewRow.sample_id) == key,
        col(ReviewRow.suggestion_id) == col(shown.id),
        col(shown.model_id) == model_id,
    )


def _row(collection_id: int, odd: Oddity, review: int) -> dict[str, Any]:
    return {
        "sample_id": odd.key, "collection_id": collection_id, "review_id": review,
        "score": odd.score, "reason": odd.reason, "values": dict(odd.values),
        "dismissed_review": None, "dismissed_by": None, "dismissed": None,
    }  # fmt: skip
