"""What the workbench is given: samples with their drafts, the schema, the filter, the suggestion's state."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from core.errors import ArgusError
from core.languages import RIGHT_TO_LEFT, in_order, name_of
from core.records import JobRecord, ReviewRecord, SampleFilter, SampleRecord
from core.review import document_from, document_to_dict
from core.samples import Source
from core.schema import Schema
from pages._ui.catalogue import t
from pages._ui.desk import FilterMessage, newest_review
from storage.store import Store
from train.queue import request_suggestion, worker_is_alive
from train.services import Services

_Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a person is: the collection, the filter, and the open sample with its neighbours."""

    collection_id: int
    wanted: SampleFilter
    key: int | None
    next: int | None
    previous: int | None


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


def find_place(store: Store, collection_id: int, wanted: SampleFilter, *, key: int | None) -> Place:
    """The sample `key`, or the first that matches, with its neighbours; the end leads to the start."""
    samples = store.samples

    def step(at: int, by: int) -> int | None:
        return samples.neighbour(collection_id, at, step=by, wanted=wanted)

    key = step(0, 1) if key is None else key
    if key is None:
        return Place(collection_id, wanted, None, None, None)
    following = step(key, 1) or step(0, 1)
    return Place(collection_id, wanted, key, None if following == key else following, step(key, -1))


def sample_data(store: Store, key: int, *, person: str) -> _Json:
    """A sample as the workbench shows it: text, fresh document, the person's draft, its parallels."""
    record = store.samples.get(key)
    sample = record.sample
    suggestion = store.samples.suggestion(key)
    newest = newest_review(store, key)
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


def standing_data(store: Store, collection_id: int) -> _Json:
    """How far the collection is: the languages with what waits in each, and the sums."""
    coverage = store.reads.coverage(collection_id)
    languages = [
        {"code": code, "name": name_of(str(code)), "waiting": int(row["new"] + row["suggested"])}
        for code, row in coverage.loc[in_order(coverage.index)].iterrows()
    ]
    done, total = int(coverage["reviewed"].sum()), int(coverage["total"].sum())
    return {"languages": languages, "progress": {"reviewed": done, "total": total}}


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
