"""When similar samples are looked for again: texts without a vector, or enough new reviews."""

from __future__ import annotations

from train.embedding import the_embedder
from train.queue import embed_later
from train.services import Services

FEW_NEW, SHARE_NEW = 5, 0.02  # reviews since the last look that make another worth it


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
    if store.jobs.failed_lately("embed", collection_id=collection_id):
        return False
    if store.vectors.missing(collection_id, model=the_embedder().name, limit=1):
        return True
    last = store.jobs.latest("embed", collection_id=collection_id, limit=1)
    since = store.reads.reviewed_since(collection_id, last[0].created if last else None)
    return since >= max(FEW_NEW, SHARE_NEW * store.reads.reviewed_since(collection_id, None))
