"""Suggestions from a terminal: each sample with what the model says of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from core.calibration import Curves, calibrate_events
from core.queues import WAITING
from core.records import SampleFilter
from core.samples import Sample
from train.making import BATCH, make_each
from train.registry import model_in_use
from train.services import Services, open_backend


def suggest_samples(
    services: Services,
    collection_id: int,
    *,
    wanted: SampleFilter | None = None,
    model_id: str | None = None,
    limit: int | None = None,
    say: Callable[[str], None] = lambda _text: None,
) -> Iterator[Sample]:
    """Suggest for what a filter matches (of what nobody has reviewed, where it names no state), keep
    the suggestions, and give each sample with its suggested events, confidences beside them.

    `say` is told of each sample that the model could not do; it goes on with the others.
    """
    samples, wanted = services.store.samples, wanted or SampleFilter()
    wanted = wanted if wanted.states else replace(wanted, states=WAITING)
    keys = samples.keys(wanted, collection_id=collection_id)[:limit]
    if not keys:
        return
    model = (
        services.store.models.get(model_id) if model_id else model_in_use(services, collection_id)
    )
    known = services.store.calibrations.newest(collection_id, model.id)
    curves = known.curves if known else Curves()
    backend = open_backend(services, model)
    try:
        for at in range(0, len(keys), BATCH):
            records = samples.list(SampleFilter(keys=keys[at : at + BATCH]))
            made = make_each(services, backend, records, lambda _share: None)
            services.store.suggestions.add(made.suggestions)
            for failure in made.failures:
                say(f"{failure['id']}: {failure['message']}")
            said = {one.sample_key: one.events for one in made.suggestions}
            for record in records:
                if record.key in said:
                    events = calibrate_events(said[record.key], curves, record.sample.language)
                    yield replace(record.sample, events=events)
    finally:
        backend.close()
