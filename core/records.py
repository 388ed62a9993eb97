"""What the store hands out: samples, suggestions, reviews, jobs, models and runs as plain values.

Times are aware and in UTC. Scores are the dictionaries of `core.metrics.score`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Literal, cast

from core.events import Event
from core.problems import Problem
from core.samples import Sample, State

JobKind = Literal[
    "suggest",  # for the sample that a person has open
    "annotate",  # ahead of where a person is in a queue
    "prepare",  # for all that a filter matches
    "renew",  # what nobody has touched, by the model that was just put in use
    "refresh",  # again, for the samples of a bulk operation
    "compare",  # ways of asking a model
    "calibrate",  # how sure a model may be, by what people have reviewed
    "export",  # a model, for use elsewhere
    "measure",  # how fast a few steps of training are
    "transcribe",  # what is said in clips, by a model that hears
    "media",  # pictures, clips and sounds made ready, in a thread of its own
    "audit", "evaluate", "embed", "fetch", "train",
]  # fmt: skip
JobState = Literal["queued", "running", "waiting", "paused", "done", "failed", "cancelled"]
ModelKind = Literal["weights", "server", "scripted"]
ModelState = Literal["base", "candidate", "promoted", "retired", "deleted"]
ReviewOrigin = Literal["person", "import", "schema change"]
RunState = Literal["queued", "running", "evaluating", "paused", "done", "failed", "cancelled"]
ENDED = ("done", "failed", "cancelled")  # of jobs and runs
# What goes first. Work gives way between two steps to what is more urgent.
PRIORITY: dict[JobKind, int] = {
    "suggest": 100,  # a person sits before the screen
    "evaluate": 50,
    "export": 50,
    "fetch": 50,
    "measure": 50,
    "train": 50,
    "annotate": 20,
    "compare": 15,
    "prepare": 10,
    "refresh": 10,
    "calibrate": 5,
    "transcribe": 5,
    "audit": 2,
    "embed": 2,
    "renew": 1,
    "media": 1,  # nothing gives way to it: it has a queue of its own
}


@dataclass(frozen=True, slots=True)
class CollectionRecord:
    """A set of samples with one schema; `schema_number` is the version in force, from 1."""

    id: int
    name: str
    schema_number: int
    created: datetime


@dataclass(frozen=True, slots=True)
class SampleRecord:
    """A stored sample. `key` is the database's number; `sample.events` is the newest review's."""

    key: int
    collection_id: int
    sample: Sample
    state: State
    imported: datetime


@dataclass(frozen=True, slots=True)
class SuggestionRecord:
    """What a model said of a sample; never changed after it is written."""

    id: int
    sample_key: int
    model_id: str
    events: tuple[Event, ...]
    raw_reply: str
    prompt_version: str
    schema_number: int
    decoding: Mapping[str, Any]
    problems: Sequence[Problem]
    seconds: float
    created: datetime


@dataclass(frozen=True, slots=True)
class NewSuggestion:
    """What a model says of a sample, before it is stored."""

    sample_key: int
    model_id: str
    events: Sequence[Event]
    raw_reply: str
    prompt_version: str
    schema_number: int
    decoding: Mapping[str, Any] = field(default_factory=dict)
    problems: Sequence[Problem] = ()
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class ReviewRecord:
    """What a person decided about a sample, or a change of the schema made of that; never changed
    after it is written."""

    id: int
    sample_key: int
    suggestion_id: int | None
    person: str | None
    origin: ReviewOrigin
    events: tuple[Event, ...]
    difference: Sequence[Mapping[str, Any]]
    seconds: float | None
    schema_number: int
    created: datetime


@dataclass(frozen=True, slots=True)
class ChangeExample:
    """One label that a change of the schema touches: what it becomes (None: it is removed), or why
    a person must decide (`why` and `values` as `core.schema_relabel.Undecided` has them)."""

    sample_key: int
    sample_id: str
    language: str
    before: Event
    after: Event | None
    why: str | None = None
    role: str | None = None
    values: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ChangePreview:
    """What a change of the schema would do. `annotations` are events and arguments whose name
    changes or that are removed; `people` are those that a person must decide, in `people_samples`.
    `suggestions` and `drafts` are of samples that nobody has reviewed, and follow the change."""

    annotations: int
    samples: int
    people: int
    people_samples: int
    suggestions: int
    drafts: int
    by_language: Mapping[str, int]
    examples: Sequence[ChangeExample]


@dataclass(frozen=True, slots=True)
class SchemaChangeRecord:
    """A change of the schema that was done: from version `number_before` to `number_after`.

    `change` is as `core.schema_change.change_to_dict` writes it; `skipped` counts the samples that
    were reviewed between the change and its undoing, which keep what the person decided."""

    id: int
    collection_id: int
    change: Mapping[str, Any]
    note: str
    person: str | None
    created: datetime
    number_before: int
    number_after: int
    annotations: int
    samples: int
    people: int
    undone: datetime | None
    undone_by: str | None
    skipped: int


@dataclass(frozen=True, slots=True)
class DraftRecord:
    """A person's unfinished review: the document as the browser keeps it. `rev` grows by one a step."""

    sample_key: int
    person: str
    document: Mapping[str, Any]
    rev: int
    updated: datetime


@dataclass(frozen=True, slots=True)
class NoteRecord:
    """A flag or comment; `words` are the sample's text from `start` to `end`, where it is about one."""

    id: int
    sample_key: int
    person: str
    kind: Literal["flag", "comment"]
    text: str
    start: int | None
    end: int | None
    words: str | None
    created: datetime
    resolved: datetime | None
    resolved_by: str | None


@dataclass(frozen=True, slots=True)
class JobRecord:
    """What a person sees of work in the background; `progress` is 0 to 1.

    `done` of `total` samples have a suggestion; `failures` have none, {sample, id, message} each.
    `seconds` is the time worked, pauses left out. A waiting job is tried again at `again`.
    """

    id: int
    kind: JobKind
    state: JobState
    collection_id: int | None
    priority: int
    payload: Mapping[str, Any]
    progress: float
    total: int
    done: int
    failures: Sequence[Mapping[str, Any]]
    seconds: float
    tries: int
    again: datetime | None
    message: str
    cancel_requested: bool
    created: datetime
    started: datetime | None
    heartbeat: datetime | None
    finished: datetime | None


@dataclass(frozen=True, slots=True)
class ModelRecord:
    """A base model or an adapter. `location` is a folder, or a hub's id while `is_remote`; of a server
    its address, of a script its file (`kind`)."""

    id: str
    title: str
    state: ModelState
    base_id: str | None
    collection_id: int | None
    location: str
    is_remote: bool
    run_id: int | None
    terms: str
    manifest: Mapping[str, Any]
    created: datetime

    @property
    def is_base(self) -> bool:
        """Whether this is a model of its own, not an adapter."""
        return self.base_id is None

    @property
    def kind(self) -> ModelKind:
        """What stands behind the model."""
        return cast(ModelKind, self.manifest.get("kind", "weights"))

    @property
    def reads(self) -> tuple[str, ...]:
        """The modalities that it reads (`core.ports.Reads`); an adapter reads what its base does."""
        return tuple(self.manifest.get("reads", ("text",)))

    @property
    def transcribes(self) -> bool:
        """Whether it writes down what is said in clips, and suggests nothing."""
        return self.manifest.get("task") == "speech"

    @property
    def can_be_trained(self) -> bool:
        """Whether an adapter can be trained on this model: its weights are here, or can be fetched,
        and it reads text alone."""
        return self.is_base and self.kind == "weights" and self.reads == ("text",)


@dataclass(frozen=True, slots=True)
class RunRecord:
    """One training run; `reason` says in plain words why it failed or stopped, `sweep` names the
    series of runs that it belongs to, `continues` the run whose last checkpoint it went on from,
    `launch` the launch profile that it is started with. `mean_of`: the runs whose adapters it only
    averages; its recipe is that of the first."""

    id: int
    collection_id: int
    state: RunState
    base_id: str
    recipe: Mapping[str, Any]
    snapshot: Mapping[str, Any]
    model_id: str | None
    step: int
    total_steps: int
    reason: str
    folder: str
    cancel_requested: bool
    created: datetime
    started: datetime | None
    heartbeat: datetime | None
    finished: datetime | None
    sweep: str | None = None
    pause_requested: bool = False
    continues: int | None = None
    launch: str = "one_cpu"
    mean_of: Sequence[int] = ()


@dataclass(frozen=True, slots=True)
class LossPoint:
    """One logged step of a run; `seconds` since the run began, `memory` in bytes.

    `eval_loss`, and the accuracies `tr` and `arg` in per cent, are of a part of dev, where the step
    ended with an evaluation.
    """

    step: int
    epoch: float
    loss: float
    learning_rate: float
    tokens_per_second: float
    seconds: float
    memory: int | None = None
    eval_loss: float | None = None
    tr: float | None = None
    arg: float | None = None


@dataclass(frozen=True, slots=True)
class EvaluationRecord:
    """Scores of one model on one split; `test_hash` says of exactly which samples, `outcomes` what
    each adds (`core.metrics.sample_outcomes`), on dev with its judged `parts`
    (`core.calibration.judge`)."""

    id: int
    collection_id: int
    model_id: str
    split: str
    test_hash: str
    samples: int
    scores: Mapping[str, Any]
    outcomes: Sequence[Mapping[str, Any]]
    settings: Mapping[str, Any]
    seconds: float
    created: datetime


@dataclass(frozen=True, slots=True)
class SettingRecord:
    """A value that somebody set for a collection."""

    name: str
    value: Mapping[str, Any]
    person: str | None
    created: datetime


@dataclass(frozen=True, slots=True)
class PromotionRecord:
    """A change of the model in use: who, when, why, and the two scores compared."""

    id: int
    collection_id: int
    model_id: str
    previous_id: str
    person: str | None
    reason: str
    scores: Mapping[str, Any]
    created: datetime


@dataclass(frozen=True, slots=True)
class SampleFilter:
    """Which samples: every given field must match; `text` is contained, case ignored.

    `keys` are the database's numbers, `ids` the samples' own. `event_types` are of the newest
    review, or of the newest suggestion where there is none: one of them is enough. Ends of ranges
    are included, except `imported_before`. `confidence` is the lowest of the newest suggestion.
    """

    languages: Sequence[str] = ()
    states: Sequence[str] = ()
    splits: Sequence[str] = ()
    modalities: Sequence[str] = ()
    event_types: Sequence[str] = ()
    text: str = ""
    keys: Sequence[int] = field(default_factory=tuple)
    ids: Sequence[str] = ()
    sources: Sequence[str] = ()
    published_from: date | None = None
    published_to: date | None = None
    imported_from: datetime | None = None
    imported_before: datetime | None = None
    confidence_from: float | None = None
    confidence_to: float | None = None
    flagged: bool | None = None
    problems: bool | None = None  # of the newest suggestion
