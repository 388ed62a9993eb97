"""Every table, in one module, so that no relationship needs a circular import.

No `from __future__ import annotations` here: SQLModel reads the types at run time. The module owns
its registry, so that Streamlit's reload-on-save can import it again. Reviews and suggestions are
written once: their events are rows of `event`, and each place that an event points at is a row of
`mention`, whatever its medium.
"""

from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import registry
from sqlmodel import Field, SQLModel


class Moment(sa.types.TypeDecorator[datetime]):
    """An aware time: stored in UTC without a zone, handed out with one."""

    impl = sa.DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        """To the database: UTC, zone dropped."""
        return None if value is None else value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        """From the database: the zone put back."""
        return None if value is None else value.replace(tzinfo=UTC)


def _now() -> datetime:
    return datetime.now(UTC)


def _moment(**options: Any) -> Any:
    return Field(default_factory=_now, sa_type=Moment, **options)


def _later() -> Any:
    return Field(default=None, sa_type=Moment)


def _json(default: type) -> Any:
    return Field(default_factory=default, sa_type=sa.JSON)


def _text(default: str | None = "") -> Any:
    return Field(default=default, sa_type=sa.Text)


class Table(SQLModel, registry=registry()):
    """Base of every table; `Table.metadata` is what Alembic compares with."""


class PersonRow(Table, table=True):
    __tablename__ = "person"

    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(unique=True)
    created: datetime = _moment()


class CollectionRow(Table, table=True):
    __tablename__ = "collection"

    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(unique=True)
    created: datetime = _moment()


class SchemaRow(Table, table=True):
    __tablename__ = "schema_version"
    __table_args__ = (sa.UniqueConstraint("collection_id", "number"),)

    id: int | None = Field(default=None, primary_key=True)
    collection_id: int = Field(foreign_key="collection.id", index=True)
    number: int
    content: dict[str, Any] = _json(dict)
    note: str = ""
    person: str | None = None
    created: datetime = _moment()


class SampleRow(Table, table=True):
    __tablename__ = "sample"
    __table_args__ = (
        sa.UniqueConstraint("collection_id", "external_id"),
        sa.Index("ix_sample_work", "collection_id", "state", "language", "id"),
    )

    id: int | None = Field(default=None, primary_key=True)
    collection_id: int = Field(foreign_key="collection.id")
    external_id: str
    content_hash: str
    language: str
    modality: str
    text: str | None = _text(None)
    source: dict[str, Any] = _json(dict)
    parallel_group: str | None = Field(default=None, index=True)
    split_group: str = Field(index=True)
    split: str | None = None
    meta: dict[str, Any] = _json(dict)
    state: str = "new"
    imported: datetime = _moment()


class MediaRow(Table, table=True):
    __tablename__ = "media"

    id: int | None = Field(default=None, primary_key=True)
    sample_id: int = Field(foreign_key="sample.id", index=True)
    name: str
    kind: str
    path: str
    sha256: str | None = None
    meta: dict[str, Any] = _json(dict)


class SuggestionRow(Table, table=True):
    __tablename__ = "suggestion"

    id: int | None = Field(default=None, primary_key=True)
    sample_id: int = Field(foreign_key="sample.id", index=True)
    model_id: str = Field(foreign_key="model.id", index=True)
    raw_reply: str = _text()
    prompt_version: str
    schema_number: int
    decoding: dict[str, Any] = _json(dict)
    problems: list[str] = _json(list)
    seconds: float
    created: datetime = _moment()


class ReviewRow(Table, table=True):
    __tablename__ = "review"

    id: int | None = Field(default=None, primary_key=True)
    sample_id: int = Field(foreign_key="sample.id", index=True)
    suggestion_id: int | None = Field(default=None, foreign_key="suggestion.id", index=True)
    person: str | None = None
    origin: str
    difference: list[dict[str, Any]] = _json(list)
    seconds: float | None = None
    schema_number: int
    created: datetime = _moment()


class EventRow(Table, table=True):
    __tablename__ = "event"
    __table_args__ = (
        sa.CheckConstraint(
            "(review_id IS NULL) <> (suggestion_id IS NULL)", name="event_has_one_owner"
        ),
    )

    id: int | None = Field(default=None, primary_key=True)
    review_id: int | None = Field(default=None, foreign_key="review.id", index=True)
    suggestion_id: int | None = Field(default=None, foreign_key="suggestion.id", index=True)
    position: int
    event_type: str = Field(index=True)
    confidence: float | None = None
    meta: dict[str, Any] = _json(dict)


class MentionRow(Table, table=True):
    """`role` is null for the trigger. `kind`: text, box, range or unanchored."""

    __tablename__ = "mention"

    id: int | None = Field(default=None, primary_key=True)
    event_id: int = Field(foreign_key="event.id", index=True)
    position: int
    role: str | None = None
    kind: str
    text: str | None = _text(None)
    start: int | None = None
    end: int | None = None
    fragments: list[list[int]] = _json(list)
    media: str | None = None
    page: int | None = None
    x: float | None = None
    y: float | None = None
    width: float | None = None
    height: float | None = None
    range_start: float | None = None
    range_end: float | None = None
    keyframes: list[list[float]] = _json(list)
    entity_kind: str | None = None
    confidence: float | None = None
    meta: dict[str, Any] = _json(dict)


class DraftRow(Table, table=True):
    __tablename__ = "draft"
    __table_args__ = (sa.UniqueConstraint("sample_id", "person"),)

    id: int | None = Field(default=None, primary_key=True)
    sample_id: int = Field(foreign_key="sample.id")
    person: str
    document: dict[str, Any] = _json(dict)
    rev: int
    updated: datetime = _moment()


class JobRow(Table, table=True):
    __tablename__ = "job"

    id: int | None = Field(default=None, primary_key=True)
    kind: str
    state: str = Field(default="queued", index=True)
    payload: dict[str, Any] = _json(dict)
    progress: float = 0.0
    message: str = _text()
    cancel_requested: bool = False
    created: datetime = _moment()
    started: datetime | None = _later()
    heartbeat: datetime | None = _later()
    finished: datetime | None = _later()


class ModelRow(Table, table=True):
    __tablename__ = "model"

    id: str = Field(primary_key=True)
    title: str
    state: str
    base_id: str | None = Field(default=None, foreign_key="model.id")
    collection_id: int | None = Field(default=None, foreign_key="collection.id", index=True)
    location: str
    is_remote: bool = False
    run_id: int | None = Field(default=None, foreign_key="run.id")
    terms: str = _text()
    manifest: dict[str, Any] = _json(dict)
    created: datetime = _moment()


class RunRow(Table, table=True):
    __tablename__ = "run"

    id: int | None = Field(default=None, primary_key=True)
    collection_id: int = Field(foreign_key="collection.id", index=True)
    state: str = "queued"
    base_id: str
    recipe: dict[str, Any] = _json(dict)
    snapshot: dict[str, Any] = _json(dict)
    model_id: str | None = None
    step: int = 0
    total_steps: int = 0
    reason: str = _text()
    folder: str = ""
    cancel_requested: bool = False
    created: datetime = _moment()
    started: datetime | None = _later()
    heartbeat: datetime | None = _later()
    finished: datetime | None = _later()


class LossRow(Table, table=True):
    __tablename__ = "loss"

    id: int | None = Field(default=None, primary_key=True)
    run_id: int = Field(foreign_key="run.id", index=True)
    step: int
    epoch: float
    loss: float
    learning_rate: float
    tokens_per_second: float
    seconds: float


class EvaluationRow(Table, table=True):
    __tablename__ = "evaluation"

    id: int | None = Field(default=None, primary_key=True)
    collection_id: int = Field(foreign_key="collection.id", index=True)
    model_id: str = Field(foreign_key="model.id", index=True)
    split: str
    test_hash: str
    samples: int
    scores: dict[str, Any] = _json(dict)
    worst: list[dict[str, Any]] = _json(list)
    settings: dict[str, Any] = _json(dict)
    seconds: float
    created: datetime = _moment()


class PromotionRow(Table, table=True):
    __tablename__ = "promotion"

    id: int | None = Field(default=None, primary_key=True)
    collection_id: int = Field(foreign_key="collection.id", index=True)
    model_id: str
    previous_id: str
    person: str | None = None
    reason: str = _text()
    scores: dict[str, Any] = _json(dict)
    created: datetime = _moment()
