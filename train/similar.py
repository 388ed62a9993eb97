"""When similar samples are looked for again: texts without a vector, or enough new reviews."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from core.records import JobRecord
from train.embedding import the_embedder
from train.queue import embed_later
from train.services import Services

FEW_NEW, SHARE_NEW = 5, 0.02  # reviews since the last look that make another worth it
AGAIN = timedelta(hours=1)  # after a failure, or once a person has cancelled


def look_after(services: Services) -> list[int]:
    """Queue what is due in every collection: texts without a vector, or enough new reviews.

    Returns the jobs.
    """
    return [
        embed_later(services, record.id)
        for record in services.store.collections.all()
        if is_due(services, record.id)
    ]


def is_due(services: Services, collection_id: int) -> bool:
    """Whether a collection should be embedded (again) now."""
    store = services.store
    last = _last_job(services, collection_id)
    if last is not None and last.state in ("failed", "cancelled") and _age(last) < AGAIN:
        return False
    if store.vectors.missing(collection_id, model=the_embedder().name, limit=1):
        return True
    since = store.reads.reviewed_since(collection_id, last.created if last else None)
    return since >= max(FEW_NEW, SHARE_NEW * store.reads.reviewed_since(collection_id, None))


# ---------------------------------------------------------------- private


def _last_job(services: Services, collection_id: int) -> JobRecord | None:
    jobs = services.store.jobs.latest("embed", limit=100)
    return next((j for j in jobs if j.payload.get("collection") == collection_id), None)


def _age(job: JobRecord) -> timedelta:
    return datetime.now(UTC) - (job.finished or job.created)
