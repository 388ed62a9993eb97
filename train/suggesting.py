"""From samples to suggestions: the one way that every job, evaluation and command takes.

Read the media as the model can, choose how to ask, fetch the examples, ask (long texts in parts), put
what is found where it belongs, check. The confidences are the model's own: the store calibrates them
whenever a suggestion is read (`storage.calibrations`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from core.places import read_places
from core.ports import Backend, Decoding, Step, Suggested
from core.problems import NOTICES, Problem
from core.reading import place_events
from core.samples import Sample
from core.schema import Schema
from core.strategy import Strategy
from train.checking import check_suggested
from train.looking import Looking
from train.reading import Found, read_samples
from train.services import Services
from train.steps import ask_model


def suggest_events(
    services: Services,
    backend: Backend,
    collection_id: int,
    samples: Sequence[Sample],
    schema: Schema,
    *,
    strategy: Strategy | None = None,
    decoding: Decoding | None = None,
    on_step: Step | None = None,
) -> list[Suggested]:
    """One suggestion a sample, in order. Without `strategy`, the one that suits model and language.

    A sample with nothing that the model can read has no events, and says so (`nothing_to_read`).
    """
    found = read_samples(services, collection_id, samples, backend.reads)
    asked = [i for i, one in enumerate(found) if not (samples[i].media and one.is_blank)]
    looking = Looking(services, {samples[i].id: found[i] for i in asked if found[i].seen})
    said = ask_model(
        services, backend, collection_id, [found[i].reading.sample for i in asked], schema,
        strategy=strategy, decoding=decoding, on_step=on_step, look=looking.look,
    )  # fmt: skip
    nothing = Suggested((), "[]", backend.prompting.version, (Problem("nothing_to_read"),))
    placed = dict(zip(asked, said, strict=True))
    suggested = [
        _place(placed.get(i, nothing), one, looking.problems.get(samples[i].id, ()))
        for i, one in enumerate(found)
    ]
    return check_suggested(services, collection_id, samples, suggested, schema)


def _place(said: Suggested, found: Found, problems: Sequence[Problem]) -> Suggested:
    """The suggestion with its mentions in the text and the media that they are of."""
    events, wrong = place_events(said.events, found.reading)
    events, bad, known = read_places(events, {one.media: one for one in found.seen})
    kept = [p for p in said.problems if p.code != "not_in_text" or p.values["words"] not in known]
    every = [*kept, *wrong, *bad, *problems, *found.problems]
    every.sort(key=lambda problem: problem.code in NOTICES)
    return replace(said, events=events, problems=tuple(every))
