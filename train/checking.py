"""The checks of `core.checks` on what a model has just said, with what is known of the same stories."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from core.checks import check_events
from core.ports import Suggested
from core.samples import Sample
from core.schema import Schema
from train.services import Services


def check_suggested(
    services: Services,
    collection_id: int,
    samples: Sequence[Sample],
    suggested: Sequence[Suggested],
    schema: Schema,
) -> list[Suggested]:
    """The suggestions with what the checks find added to their problems.

    Samples of one story that are suggested for together are compared with each other too, but for
    those that a person has reviewed.
    """
    groups = sorted({s.parallel_group for s in samples if s.parallel_group})
    stories = services.store.suggestions.parallel(collection_id, groups)
    new = {
        sample.id: replace(sample, events=said.events)
        for sample, said in zip(samples, suggested, strict=True)
    }
    checked = []
    for sample, said in zip(samples, suggested, strict=True):
        told = stories.get(sample.parallel_group or "", [])
        parallel = [s if is_reviewed else new.get(s.id, s) for s, is_reviewed in told]
        found = check_events(said.events, sample, schema, parallel=parallel)
        checked.append(replace(said, problems=(*said.problems, *found)))
    return checked
