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


class SchemaDraftRow(Table, table=True):
    """A schema that a person is editing, begun from version `number`."""

    __tablename__ = "schema_draft"
    __table_args__ = (sa.UniqueConstraint("collection_id", "person"),)

    id: int | None = Field(default=None, primary_key=True)
    collection_id: int = Field(foreign_key="collection.id")
    person: str
    number: int
    content: dict[str, Any] = _json(dict)


# What a queue filters by. Each order of the queues has an index that ends with these, so that
# walking a queue of 100,000 samples never leaves the index.
FACETS = (
    "language", "state", "split", "modality", "source_name", "published", "imported",
    "confidence", "flags", "type_set_id", "problem_order",
)  # fmt: skip


def _order(name: str, *columns: str) -> sa.Index:
    rest = [c for c in FACETS if c not in columns]
    return sa.Index(f"ix_queue_{name}", "collection_id", *columns, *rest)


class SampleRow(Table, table=True):
    """From `source_name` on: what queues order and filter by, written by `storage.standing`.

    Ids of samples, suggestions, reviews and events are never given twice (`sqlite_autoincrement`),
    so that a deleted sample can come back with all that hung on it.
    """

    __tablename__ = "sample"
    __table_args__ = (
        sa.UniqueConstraint("collection_id", "external_id"),
        sa.Index("ix_sample_work", "collection_id", "state", "language", "id"),
        sa.Index("ix_sample_group", "collection_id", "split_group", "split"),
        _order("oldest", "waiting", "id"),
        _order("uncertain", "waiting", "confidence", "id"),
        _order("disagree", "waiting", "disagree_order", "id"),
        _order("types", "waiting", "type_set_id", "id"),
        _order("problems", "waiting", "problem_order", "id"),
        _order("random", "shuffle", "id", "waiting"),
        {"sqlite_autoincrement": True},
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
    split_group: str
    split: str | None = None
    meta: dict[str, Any] = _json(dict)
    state: str = "new"
    imported: datetime = _moment()
    source_name: str | None = None
    published: str | None = None  # the day, as ISO 8601 writes it
    shuffle: int = 0  # a fixed random place, by the hash of its id
    confidence: float | None = None  # the lowest of the newest suggestion
    unsure_of: str | None = None  # what that is of: "type", "trigger" or "role:NAME"
    is_complete: bool = False  # every part of the newest suggestion has a confidence and a place
    disagree_order: int | None = None  # minus the number of differences: most comes first
    disagree_in: str | None = None  # the kind of the first difference
    type_set_id: int | None = Field(default=None, foreign_key="type_set.id")
    flags: int = 0  # open flags of anyone
    problem_order: int | None = None  # minus the problems of the newest suggestion; None for none
    waiting: bool | None = Field(
        default=None,
        sa_column=sa.Column(sa.Boolean, sa.Computed("state <> 'reviewed'", persisted=True)),
    )


class SampleTextRow(Table, table=True):
    """The text as a search compares it: NFC, case folded. Apart, so that a search reads no more."""

    __tablename__ = "sample_text"

    sample_id: int = Field(primary_key=True, foreign_key="sample.id")
    folded: str = _text()


class TypeSetRow(Table, table=True):
    """The event types that samples of one language have together: of the newest review, or of the
    newest suggestion where there is none. `waiting` and `reviewed` count those samples."""

    __tablename__ = "type_set"
    __table_args__ = (sa.UniqueConstraint("collection_id", "language", "digest"),)

    id: int | None = Field(default=None, primary_key=True)
    collection_id: int = Field(foreign_key="collection.id")
    language: str
    digest: str
    waiting: int = 0
    reviewed: int = 0


class TypeSetMemberRow(Table, table=True):
    __tablename__ = "type_set_member"
    __table_args__ = (sa.Index("ix_type_set_member_type", "event_type", "set_id"),)

    set_id: int = Field(primary_key=True, foreign_key="type_set.id")
    event_type: str = Field(primary_key=True)


class CorrectionRow(Table, table=True):
    """How many suggested events of a type people have decided on, and how many they changed."""

    __tablename__ = "correction"
    __table_args__ = (sa.UniqueConstraint("collection_id", "language", "event_type"),)

    id: int | None = Field(default=None, primary_key=True)
    collection_id: int = Field(foreign_key="collection.id")
    language: str
    event_type: str
    seen: int = 0
    changed: int = 0


class MediaRow(Table, table=True):
    """A medium of a sample. `sha256` is what the sample says, `file` what the media store has for
    it; where it has none, `problem` says why."""

    __tablename__ = "media"

    id: int | None = Field(default=None, primary_key=True)
    sample_id: int = Field(foreign_key="sample.id", index=True)
    name: str
    kind: str
    path: str
    sha256: str | None = None
    meta: dict[str, Any] = _json(dict)
    file: str | None = Field(default=None, index=True)  # no foreign key: it may come later
    problem: str = _text()


class MediaFileRow(Table, table=True):
    """A file of the media store: what it is, and how far it is prepared (`core.media_records`)."""

    __tablename__ = "media_file"

    sha256: str = Field(primary_key=True)
    bytes: int = Field(sa_type=sa.BigInteger)
    name: str = ""
    form: str = ""
    medium: str = ""
    mime: str = ""
    width: int | None = None
    height: int | None = None
    pages: int | None = None
    duration: float | None = None
    rate: float | None = None
    rotation: int = 0
    facts: dict[str, Any] = _json(dict)
    state: str = Field(default="new", index=True)
    problem: str = _text()
    notes: dict[str, Any] = _json(dict)
    created: datetime = _moment()


class SuggestionRow(Table, table=True):
    """`job_id`: what made it, where that goes on after a crash: no job does a sample twice."""

    __tablename__ = "suggestion"
    __table_args__ = (
        sa.Index("ix_suggestion_sample", "sample_id", "model_id"),
        sa.Index("ix_suggestion_job", "job_id", "sample_id", unique=True),
        {"sqlite_autoincrement": True},
    )

    id: int | None = Field(default=None, primary_key=True)
    sample_id: int = Field(foreign_key="sample.id")
    model_id: str = Field(foreign_key="model.id", index=True)
    raw_reply: str = _text()
    prompt_version: str
    schema_number: int
    decoding: dict[str, Any] = _json(dict)
    problems: list[dict[str, Any]] = _json(list)
    seconds: float
    bulk_id: int | None = Field(default=None, foreign_key="bulk.id", index=True)
    job_id: int | None = Field(default=None, foreign_key="job.id")
    created: datetime = _moment()


class ReviewRow(Table, table=True):
    __tablename__ = "review"
    __table_args__ = ({"sqlite_autoincrement": True},)

    id: int | None = Field(default=None, primary_key=True)
    sample_id: int = Field(foreign_key="sample.id", index=True)
    suggestion_id: int | None = Field(default=None, foreign_key="suggestion.id", index=True)
    person: str | None = None
    origin: str
    difference: list[dict[str, Any]] = _json(list)
    seconds: float | None = None
    schema_number: int
    bulk_id: int | None = Field(default=None, foreign_key="bulk.id", index=True)
    created: datetime = _moment()


class EventRow(Table, table=True):
    __tablename__ = "event"
    __table_args__ = (
        sa.CheckConstraint(
            "(review_id IS NULL) <> (suggestion_id IS NULL)", name="event_has_one_owner"
        ),
        {"sqlite_autoincrement": True},
    )

    id: int | None = Field(default=None, primary_key=True)
    review_id: int | None = Field(default=None, foreign_key="review.id", index=True)
    suggestion_id: int | None = Field(default=None, foreign_key="suggestion.id", index=True)
    position: int
    event_type: str = Field(index=True)
    confidence: float | None = None
    meta: dict[str, Any] = _json(dict)


class MentionRow(Table, table=True):
    """`role` is null for the trigger. `kind`: text, box, range or unanchored. `confidence` is of the
    words, `role_confidence` of the role."""

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
    role_confidence: float | None = None
    meta: dict[str, Any] = _json(dict)


class SchemaChangeRow(Table, table=True):
    """A change of the schema that took labels along. `number_before` and `number_after` are schema
    versions; `annotations`, `samples` and `people` (labels left to a person) are counts; `carried`
    says what became of saved queues and of the counts of corrections."""

    __tablename__ = "schema_change"

    id: int | None = Field(default=None, primary_key=True)
    collection_id: int = Field(foreign_key="collection.id", index=True)
    change: dict[str, Any] = _json(dict)
    note: str = _text()
    person: str | None = None
    created: datetime = _moment()
    number_before: int
    number_after: int
    annotations: int = 0
    samples: int = 0
    people: int = 0
    carried: dict[str, Any] = _json(dict)
    undone: datetime | None = _later()
    undone_by: str | None = None
    skipped: int = 0  # samples reviewed between the change and its undoing


class SchemaChangeItemRow(Table, table=True):
    """What a change did to one sample: the review before it and the one it added. `undecided` says
    what a person must decide, where `is_open`."""

    __tablename__ = "schema_change_item"
    __table_args__ = (
        sa.UniqueConstraint("change_id", "sample_id"),
        sa.Index("ix_schema_change_item_open", "is_open", "sample_id"),
        sa.Index("ix_schema_change_item_sample", "sample_id", "is_open"),
    )

    id: int | None = Field(default=None, primary_key=True)
    change_id: int = Field(foreign_key="schema_change.id")
    sample_id: int = Field(foreign_key="sample.id")
    before_id: int  # no foreign keys: an undone bulk operation may take reviews away
    after_id: int
    state_before: str
    is_open: bool = False
    undecided: list[dict[str, Any]] = _json(list)


class VectorRow(Table, table=True):
    """What a sample's text means, as an embedder sees it: float16 numbers, little-endian."""

    __tablename__ = "vector"

    sample_id: int = Field(primary_key=True, foreign_key="sample.id")
    model: str
    data: bytes


class NeighbourRow(Table, table=True):
    """One of the reviewed samples most like a sample; `score` is their cosine, 1 for the same."""

    __tablename__ = "neighbour"

    sample_id: int = Field(primary_key=True, foreign_key="sample.id")
    other_id: int = Field(primary_key=True, foreign_key="sample.id", index=True)
    score: float


class OddLabelRow(Table, table=True):
    """Why a sample's newest labels look odd. `dismissed_review` is the review that a person called
    right; the sample is offered again once it has another."""

    __tablename__ = "odd_label"
    __table_args__ = (sa.Index("ix_odd_label_score", "collection_id", "score"),)

    sample_id: int = Field(primary_key=True, foreign_key="sample.id")
    collection_id: int = Field(foreign_key="collection.id")
    review_id: int
    score: float
    reason: str
    values: dict[str, Any] = _json(dict)
    dismissed_review: int | None = None
    dismissed_by: str | None = None
    dismissed: datetime | None = _later()


class DraftRow(Table, table=True):
    __tablename__ = "draft"
    __table_args__ = (sa.UniqueConstraint("sample_id", "person"),)

    id: int | None = Field(default=None, primary_key=True)
    sample_id: int = Field(foreign_key="sample.id")
    person: str = Field(index=True)
    document: dict[str, Any] = _json(dict)
    rev: int
    updated: datetime = _moment()


class QueueRow(Table, table=True):
    """A saved queue: which samples (`wanted` as `core.queues` writes a filter), in which order."""

    __tablename__ = "queue"
    __table_args__ = (sa.UniqueConstraint("collection_id", "name"),)

    id: int | None = Field(default=None, primary_key=True)
    collection_id: int = Field(foreign_key="collection.id")
    name: str
    reason: str
    wanted: dict[str, Any] = _json(dict)
    seed: int = 0
    person: str | None = None
    created: datetime = _moment()


class NoteRow(Table, table=True):
    """A flag or a comment on a sample, perhaps about a span of its text."""

    __tablename__ = "note"
    __table_args__ = (sa.Index("ix_note_person", "person", "kind", "resolved", "sample_id"),)

    id: int | None = Field(default=None, primary_key=True)
    sample_id: int = Field(foreign_key="sample.id", index=True)
    person: str
    kind: str
    text: str = _text()
    start: int | None = None
    end: int | None = None
    words: str | None = _text(None)
    bulk_id: int | None = Field(default=None, foreign_key="bulk.id", index=True)
    created: datetime = _moment()
    resolved: datetime | None = _later()
    resolved_by: str | None = None


class SkipRow(Table, table=True):
    """A sample that a person put at the end of the queues; the later, the further back."""

    __tablename__ = "skip"
    __table_args__ = (
        sa.UniqueConstraint("person", "sample_id"),
        {"sqlite_autoincrement": True},
    )

    id: int | None = Field(default=None, primary_key=True)
    sample_id: int = Field(foreign_key="sample.id", index=True)
    person: str
    created: datetime = _moment()


class BulkRow(Table, table=True):
    """One bulk operation; `done` and `undone` count samples."""

    __tablename__ = "bulk"

    id: int | None = Field(default=None, primary_key=True)
    collection_id: int = Field(foreign_key="collection.id", index=True)
    person: str
    kind: str
    settings: dict[str, Any] = _json(dict)
    done: int = 0
    created: datetime = _moment()
    undone: datetime | None = _later()


class BulkItemRow(Table, table=True):
    """What a bulk operation changed of one sample, with what is needed to change it back."""

    __tablename__ = "bulk_item"

    id: int | None = Field(default=None, primary_key=True)
    bulk_id: int = Field(foreign_key="bulk.id", index=True)
    sample_id: int  # no foreign key: the sample may be gone
    before: dict[str, Any] = _json(dict)


class JobRow(Table, table=True):
    """Work in the background. `total` and `done` count samples, where it is about samples;
    `failures` are those that could not be done, {sample, id, message} each; `seconds` is the time
    worked. A job that waits for a server is tried again at `again`, the `tries`-th time."""

    __tablename__ = "job"
    __table_args__ = (sa.Index("ix_job_urgent", "state", "priority"),)

    id: int | None = Field(default=None, primary_key=True)
    kind: str
    state: str = "queued"
    collection_id: int | None = Field(default=None, index=True)  # no foreign key: it may be gone
    priority: int = 0
    payload: dict[str, Any] = _json(dict)
    progress: float = 0.0
    total: int = 0
    done: int = 0
    failures: list[dict[str, Any]] = _json(list)
    seconds: float = 0.0
    tries: int = 0
    again: datetime | None = _later()
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
    """A training run. Its number is never given twice: a model's name has it, and so have its files."""

    __tablename__ = "run"
    __table_args__ = ({"sqlite_autoincrement": True},)

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
    sweep: str | None = Field(default=None, index=True)
    continues: int | None = None  # no foreign key: the run before may be deleted
    mean_of: list[int] = _json(list)  # the same
    launch: str = "one_cpu"
    cancel_requested: bool = False
    pause_requested: bool = False
    created: datetime = _moment()
    started: datetime | None = _later()
    heartbeat: datetime | None = _later()
    finished: datetime | None = _later()


class LossRow(Table, table=True):
    __tablename__ = "loss"
    __table_args__ = (sa.UniqueConstraint("run_id", "step"),)

    id: int | None = Field(default=None, primary_key=True)
    run_id: int = Field(foreign_key="run.id")
    step: int
    epoch: float
    loss: float
    learning_rate: float
    tokens_per_second: float
    seconds: float
    memory: int | None = Field(default=None, sa_type=sa.BigInteger)
    eval_loss: float | None = None
    tr: float | None = None
    arg: float | None = None


class SettingRow(Table, table=True):
    """What a lead has set for a collection, a value a name; the newest row holds."""

    __tablename__ = "setting"
    __table_args__ = (sa.Index("ix_setting_name", "collection_id", "name", "id"),)

    id: int | None = Field(default=None, primary_key=True)
    collection_id: int = Field(foreign_key="collection.id")
    name: str
    value: dict[str, Any] = _json(dict)
    person: str | None = None
    created: datetime = _moment()


class EvaluationRow(Table, table=True):
    __tablename__ = "evaluation"

    id: int | None = Field(default=None, primary_key=True)
    collection_id: int = Field(foreign_key="collection.id", index=True)
    model_id: str = Field(foreign_key="model.id", index=True)
    split: str
    test_hash: str
    samples: int
    scores: dict[str, Any] = _json(dict)
    outcomes: list[dict[str, Any]] = _json(list)
    settings: dict[str, Any] = _json(dict)
    seconds: float
    created: datetime = _moment()


class CalibrationRow(Table, table=True):
    """The curves that a model's confidences go through in a collection; the newest hold. `figures`
    show how reliable it is before and after, on `pairs` parts of `samples` reviewed samples."""

    __tablename__ = "calibration"
    __table_args__ = (sa.Index("ix_calibration_model", "collection_id", "model_id", "id"),)

    id: int | None = Field(default=None, primary_key=True)
    collection_id: int = Field(foreign_key="collection.id")
    model_id: str = Field(foreign_key="model.id")
    curves: list[dict[str, Any]] = _json(list)
    figures: list[dict[str, Any]] = _json(list)
    samples: int
    pairs: int
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
