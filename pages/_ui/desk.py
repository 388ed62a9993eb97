"""The reviewer's desk: what the workbench is given, and what is done with what it sends back.

Knows the store and the queue, not Streamlit. Each message of the browser may come twice, since an
unanswered one is sent again: keeping a draft and submitting are written so that twice is once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from core.difference import difference, difference_of
from core.errors import ArgusError, InputError, RefusedError, SchemaError
from core.events import without_confidence
from core.languages import RIGHT_TO_LEFT, in_order, name_of
from core.records import JobRecord, ReviewRecord, SampleFilter, SampleRecord
from core.review import (
    ReviewDocument,
    document_from,
    document_to_dict,
    events_of_document,
    read_document,
)
from core.samples import Source
from core.schema import Schema, Violation, check_events
from pages._ui.catalogue import t
from storage.store import Store
from train.queue import request_suggestion, worker_is_alive
from train.services import Services

HISTORY = 200  # steps of undo that a draft keeps
_Json = dict[str, Any]
_M = TypeVar("_M", bound=BaseModel)


class _Message(BaseModel):
    """What every message of the workbench carries: `base` is the newest review it was opened on."""

    model_config = ConfigDict(extra="forbid")
    document: _Json
    seconds: float = Field(default=0.0, ge=0, le=10_000_000)
    base: int | None = None


class DraftMessage(_Message):
    """A draft after a change; `undo` and `redo` are steps as the browser writes them."""

    rev: int = Field(ge=0)
    undo: list[_Json] = Field(default_factory=list, max_length=2 * HISTORY)
    redo: list[_Json] = Field(default_factory=list, max_length=2 * HISTORY)


class SubmitMessage(_Message):
    """A finished review."""


class FilterMessage(BaseModel):
    """Which samples to work on."""

    model_config = ConfigDict(extra="forbid")
    language: Annotated[str, StringConstraints(max_length=10)] = ""
    unreviewed: bool = True


# ---------------------------------------------------------------- what is done


def keep_draft(store: Store, data: Mapping[str, Any], *, person: str) -> int:
    """Keep a draft; returns the `rev` that is stored now. An older one changes nothing."""
    message = _read(DraftMessage, data)
    document = read_document(message.document)
    kept = message.model_dump(exclude={"rev"}) | {"document": document_to_dict(document)}
    return store.samples.save_draft(document.sample, person, kept, rev=message.rev)


def submit_review(store: Store, data: Mapping[str, Any], *, person: str) -> int:
    """Store a review and return its id; the same review sent again returns the id it has.

    Raises `SchemaError` where an event cannot be stored, `RefusedError` where a rule is broken
    without a written reason, or where somebody else reviewed the sample in the meantime.
    """
    message = _read(SubmitMessage, data)
    document = read_document(message.document)
    record = store.samples.get(document.sample)
    text, media = record.sample.text, [m.id for m in record.sample.media]
    events = events_of_document(document, text=text, media=media)
    newest = _newest_review(store, record.key)
    if newest is not None and newest.id != message.base:
        if newest.person == person and newest.events == events:
            return newest.id
        raise RefusedError(t("review.error.reviewed_meanwhile", person=newest.person or "–"))
    if document.no_event and events:
        raise InputError(t("review.error.both"))
    if not events and not document.no_event:
        raise RefusedError(t("review.error.no_events"))
    number = next(c for c in store.collections.all() if c.id == record.collection_id).schema_number
    broken = _check(store.collections.schema(record.collection_id, number), document, events)
    if document.suggestion is not None:
        suggestion = store.samples.suggestion(record.key, suggestion_id=document.suggestion)
        if suggestion is None:
            raise InputError(t("review.error.foreign_suggestion", id=document.suggestion))
        changes = difference_of(document, without_confidence(suggestion.events), events)
    else:
        before = newest.events if newest else ()
        changes = [{**c, "against": "review"} for c in difference(before, events)] if newest else []
    if broken:
        rules = [{"kind": v.kind, "event": v.event, "role": v.role} for v in broken]
        changes.append({"kind": "override", "reason": document.override, "violations": rules})
    return store.samples.add_review(
        record.key, events, person=person, schema_number=number, difference=changes,
        suggestion_id=document.suggestion, seconds=round(message.seconds, 1),
    )  # fmt: skip


def _check(schema: Schema, document: ReviewDocument, events: Sequence[Any]) -> list[Violation]:
    """The rules that are broken with a written reason; raises for any other broken rule."""
    broken = check_events(schema, events)
    fatal = next((v for v in broken if v.is_fatal), None)
    if fatal:
        raise SchemaError(fatal.message)
    if broken and not (document.override or "").strip():
        raise RefusedError(t("review.error.no_override", rule=broken[0].message))
    return broken


# ---------------------------------------------------------------- what the workbench is given


@dataclass(frozen=True, slots=True)
class Place:
    """Where a person is: the collection, the filter, and the open sample with its neighbours."""

    collection_id: int
    wanted: SampleFilter
    key: int | None
    next: int | None
    previous: int | None


def read_filter(data: Mapping[str, Any]) -> FilterMessage:
    """The filter as the workbench sends it."""
    return _read(FilterMessage, data)


UNREVIEWED = SampleFilter(states=["new", "suggested"])


def fits(record: SampleRecord, chosen: FilterMessage) -> bool:
    """Whether a sample passes the filter."""
    language_fits = chosen.language in ("", record.sample.language)
    return language_fits and not (chosen.unreviewed and record.state == "reviewed")


def wanted_samples(chosen: FilterMessage) -> SampleFilter:
    """The filter as the store takes it."""
    return SampleFilter(
        languages=[chosen.language] if chosen.language else [],
        states=["new", "suggested"] if chosen.unreviewed else [],
    )


def find_place(
    store: Store, collection_id: int, wanted: SampleFilter, *, key: int | None
) -> Place:
    """The sample `key`, or the first that matches, with its neighbours; the end leads to the start."""
    samples = store.samples

    def step(at: int, by: int) -> int | None:
        return samples.neighbour(collection_id, at, step=by, wanted=wanted)

    key = step(0, 1) if key is None else key
    if key is None:
        return Place(collection_id, wanted, None, None, None)
    following = step(key, 1) or step(0, 1)
    return Place(
        collection_id, wanted, key, None if following == key else following, step(key, -1)
    )


def sample_data(store: Store, key: int, *, person: str) -> _Json:
    """A sample as the workbench shows it: text, fresh document, the person's draft, its parallels."""
    record = store.samples.get(key)
    sample = record.sample
    suggestion = store.samples.suggestion(key)
    newest = _newest_review(store, key)
    draft = store.samples.draft(key, person)
    return {
        "key": key,
        "id": sample.id,
        # What a draft in the browser belongs to: this sample, of this database.
        "stamp": f"{record.collection_id}/{sample.id}/{record.imported.isoformat()}",
        "language": sample.language,
        "language_name": name_of(sample.language),
        "direction": "rtl" if sample.language in RIGHT_TO_LEFT else "ltr",
        "modality": sample.modality,
        "text": sample.text,
        "media": [{"id": m.id, "kind": m.kind} for m in sample.media],
        "source": sample.source.name or sample.source.url or "",
        "date": write_date(sample.source),
        "split": sample.split,
        "why": _why(record, newest),
        "base": newest.id if newest else None,
        "fresh": document_to_dict(document_from(record, suggestion)),
        "model": suggestion.model_id if suggestion else None,
        "draft": {"rev": draft.rev, **draft.document} if draft else None,
        "parallel": [_parallel(other) for other in store.samples.parallel(record)],
    }


def schema_data(schema: Schema) -> list[_Json]:
    """The schema as the workbench reads it."""
    return [
        {
            "name": t_.name, "labels": dict(t_.labels), "description": t_.description,
            "roles": [
                {"name": r.name, "labels": dict(r.labels), "required": r.required,
                 "multiple": r.multiple}
                for r in t_.roles
            ],
        }
        for t_ in schema.types
    ]  # fmt: skip


def language_data(store: Store, collection_id: int) -> list[_Json]:
    """The languages of a collection, with what waits in each."""
    coverage = store.reads.coverage(collection_id)
    return [
        {"code": code, "name": name_of(str(code)), "waiting": int(row["new"] + row["suggested"]),
         "total": int(row["total"])}
        for code, row in coverage.loc[in_order(coverage.index)].iterrows()
    ]  # fmt: skip


def ask_for_suggestion(services: Services, record: SampleRecord, *, again: bool = False) -> _Json:
    """How the suggestion for the open sample stands; a sample nobody looked at is asked for.

    `state` is none, queued, running, failed or cancelled; a failure carries its message.
    """
    if record.state != "new":
        return {"state": "none"}
    job = None if again else newest_job(services.store, record.key)
    if job is None:
        try:
            job = services.store.jobs.get(request_suggestion(services, record.key))
        except ArgusError as problem:
            return {"state": "failed", "message": str(problem), "job": None}
    if job.state in ("queued", "running"):
        return {
            "state": job.state, "job": job.id, "worker": worker_is_alive(services),
            "elapsed": (datetime.now(job.created.tzinfo) - job.created).total_seconds(),
        }  # fmt: skip
    if job.state == "done":
        return {"state": "none"}
    return {"state": job.state, "message": job.message, "job": job.id}


def newest_job(store: Store, key: int) -> JobRecord | None:
    """The newest request for a suggestion for a sample, among the last that were made."""
    jobs = [*store.jobs.open("suggest"), *store.jobs.latest("suggest", limit=50)]
    mine = [j for j in jobs if j.payload.get("sample") == key]
    return max(mine, key=lambda j: j.id, default=None)


def write_date(source: Source) -> str:
    """The day a source was published, written out; as it came where it is no ISO date."""
    if not source.published:
        return ""
    try:
        day = datetime.fromisoformat(source.published)
    except ValueError:
        return source.published
    return t("review.date", day=day.day, month=t(f"month.{day.month}"), year=day.year)


# ---------------------------------------------------------------- private


def _newest_review(store: Store, key: int) -> ReviewRecord | None:
    return next(iter(store.samples.reviews(key, limit=1)), None)


def _why(record: SampleRecord, newest: ReviewRecord | None) -> str:
    if newest is None:
        return t(f"review.why.{record.state}")
    if newest.origin == "import":
        return t("review.why.imported")
    return t("review.why.reviewed", person=newest.person or "–")


def _parallel(record: SampleRecord) -> _Json:
    sample = record.sample
    return {
        "key": record.key, "language": sample.language, "text": sample.text or "",
        "direction": "rtl" if sample.language in RIGHT_TO_LEFT else "ltr",
        "events": [
            {
                "event_type": e.event_type,
                "words": [m.text for m in e.mentions() if m.text],
            }
            for e in sample.events or ()
        ],
    }  # fmt: skip


def _read(model: type[_M], data: Mapping[str, Any]) -> _M:
    try:
        return model.model_validate(dict(data))
    except ValidationError as problem:
        first = problem.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise InputError(
            f"the message from the page is wrong at {place}: {first['msg']} "
            f"(given: {str(first['input'])[:60]!r}). Reload the page"
        ) from problem
