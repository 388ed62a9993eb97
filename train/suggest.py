"""Suggestions from a terminal: each sample with what the model says of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from core.records import SampleFilter
from core.samples import Sample
from train.jobs import store_suggestion
from train.registry import model_in_use
from train.services import Services, open_backend

BATCH = 16


def suggest_samples(
    services: Services, collection_id: int, *, model_id: str | None = None, limit: int | None = None
) -> Iterator[Sample]:
    """Suggest for samples that nobody has reviewed, keep the suggestions, and give each sample with
    its suggested events, confidences beside them."""
    samples = services.store.samples
    wanted = SampleFilter(states=["new", "suggested"])
    keys = samples.keys(wanted, collection_id=collection_id)[:limit]
    if not keys:
        return
    model = (
        services.store.models.get(model_id) if model_id else model_in_use(services, collection_id)
    )
    backend = open_backend(services, model)
    try:
        for at in range(0, len(keys), BATCH):
            records = samples.list(SampleFilter(keys=keys[at : at + BATCH]))
            with_text = [r for r in records if r.sample.text]
            if with_text:
                store_suggestion(services, backend, with_text, lambda _share: None)
            for record in with_text:
                found = samples.suggestion(record.key, model_id=model.id)
                yield replace(record.sample, events=found.events if found else ())
    finally:
        backend.close()
