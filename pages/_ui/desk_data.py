"""What the workbench is given: samples with their drafts, the schema, the filter, the suggestion's state."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from core.errors import ArgusError
from core.languages import RIGHT_TO_LEFT, in_order, name_of
from core.queues import Queue
from core.records import JobRecord, ReviewRecord, SampleRecord, SuggestionRecord
from core.review import document_from, document_to_dict
from core.samples import Source
from core.schema import Schema, offered
from pages._ui.catalogue import t
from pages._ui.desk import newest_review
from pages._ui.desk_clips import transcript_data
from pages._ui.desk_media import media_data
from pages._ui.desk_notes import note_data
from pages._ui.problem_words import check_data
from pages._ui.queue_words import write_why
from storage.home import Home
from storage.store import Store
from train.queue import request_suggestion, worker_is_alive
from train.services import Services

_Json = dict[str, Any]


def sample_data(
    store: Store, key: int, *, person: str, queue: Queue | None = None, home: Home | None = None
) -> _Json:
    """A sample as the workbench shows it: text, fresh document, the person's draft, its notes.

    In a `queue` it says why it is there; with a `home` its media have links. What can wait comes
    later: see `pages._ui.desk_side`."""
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
        "media": media_data(home, store, key, person=person) if sample.media else [],
        "transcript": transcript_data(sample),
        "source": sample.source.name or sample.source.url or "",
        "date": write_date(sample.source),
        "split": sample.split,
        "why": _why(record, newest) if queue is None else _queue_why(store, queue, key, person),
        "base": newest.id if newest else None,
        "reviewer": newest.person if newest else None,
        "fresh": document_to_dict(document_from(record, suggestion)),
        "model": suggestion.model_id if suggestion else None,
        "checks": _checks(store, record, suggestion),
        "draft": {"rev": draft.rev, **draft.document} if draft else None,
        "notes": [note_data(note) for note in store.notes.list(key)],
    }


def schema_data(schema: Schema) -> list[_Json]:
    """The schema as the workbench reads it: what may be chosen."""
    return [
        {
            "name": t_.name, "labels": dict(t_.labels), "description": t_.description,
            "roles": [
                {"name": r.name, "labels": dict(r.labels), "required": r.required,
                 "multiple": r.multiple, "entity_kinds": list(r.entity_kinds)}
                for r in t_.roles
            ],
        }
        for t_ in offered(schema).types
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


def _checks(store: Store, record: SampleRecord, suggestion: SuggestionRecord | None) -> list[_Json]:
    """What is wrong with the suggestion that the sample opens with; a review is a person's."""
    if suggestion is None or not suggestion.problems or record.sample.events is not None:
        return []
    schema = store.collections.schema(record.collection_id)
    return check_data(suggestion.problems, suggestion.events, schema)


def _queue_why(store: Store, queue: Queue, key: int, person: str) -> str:
    return write_why(
        store.queues.why(queue, key, person=person),
        store.collections.schema(queue.collection_id),
    )
