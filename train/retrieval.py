"""Examples for a prompt: the reviewed train samples most like a sample, in any language."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from core.ports import Embedder, Step
from core.records import SampleFilter
from core.samples import Sample
from core.schema import Schema, without_retired
from core.similar import language_means, take_language_away
from storage.examples import CandidateTable
from train.embedding import BATCH, the_embedder
from train.services import Services

LONGEST, TOGETHER = 400, 1600  # characters of one example, and of all of a sample's
PER_LANGUAGE = 1000  # the newest of each language among which they are looked for
LOOKED_AT = 64  # the nearest, among which types are spread
SAME_LANGUAGE = 0.2  # of cosine, that an example in the sample's own language is ahead
SAME_TYPE = 0.05  # that one is behind for each example before it with one of its types
READ_NOW = 32  # of those that have no vector yet, so many get theirs before the look-up
NEAREST = 8  # more than half of them without an event: this text may have none either


def pick_examples(
    services: Services,
    collection_id: int,
    samples: Sequence[Sample],
    k: int,
    *,
    embedder: Embedder | None = None,
) -> dict[str, list[Sample]]:
    """{sample id: at most `k` reviewed samples like it, the nearest last}.

    From the train split only; never the sample itself, its story, or a copy of it. All have events,
    but where most texts like this one have none: then one without is shown, farthest away.
    """
    asked = [s for s in samples if s.text]
    if k < 1 or not asked:
        return {}
    embedder = embedder or the_embedder()
    read_candidates(services, collection_id, limit=READ_NOW, embedder=embedder)
    table = services.store.examples.candidates(
        collection_id, model=embedder.name, per_language=PER_LANGUAGE, longest=LONGEST
    )
    if not table.keys:
        return {}
    picked = _pick(table, asked, _vectors(services, collection_id, asked, embedder), k)
    schema = services.store.collections.schema(collection_id)
    known = _shown(services, schema, {key for keys in picked.values() for key in keys})
    return {
        ident: found
        for ident, keys in picked.items()
        if (found := [known[key] for key in keys if key in known])
    }


def read_candidates(
    services: Services,
    collection_id: int,
    *,
    limit: int | None = None,
    on_step: Step | None = None,
    embedder: Embedder | None = None,
) -> int:
    """Give those that may be examples their vectors, at most `limit` of them, and say how many got
    one. The worker does so when it has nothing else to do; what must not wait for that does it here."""
    embedder = embedder or the_embedder()
    found = services.store.examples.unread(
        collection_id, model=embedder.name, per_language=PER_LANGUAGE, longest=LONGEST,
        limit=limit,
    )  # fmt: skip
    for at in range(0, len(found), BATCH):
        if on_step is not None:
            on_step(at / len(found))
        part = found[at : at + BATCH]
        services.store.vectors.add(
            embedder.name, [key for key, _ in part], embedder.embed([text for _, text in part])
        )
    return len(found)


# ---------------------------------------------------------------- private


def _vectors(
    services: Services, collection_id: int, samples: Sequence[Sample], embedder: Embedder
) -> NDArray[np.float32]:
    """A row a sample: the stored vector, or one made now."""
    found = services.store.examples.vectors_of(
        collection_id, [s.id for s in samples], model=embedder.name
    )
    missing = [s for s in samples if s.id not in found]
    if missing:
        made = embedder.embed([s.text or "" for s in missing])
        found |= {s.id: row for s, row in zip(missing, made, strict=True)}
    return np.stack([found[s.id] for s in samples])


def _pick(
    table: CandidateTable, samples: Sequence[Sample], vectors: NDArray[np.float32], k: int
) -> dict[str, list[int]]:
    """The keys of each sample's examples, the nearest last."""
    means = language_means(table.vectors, table.languages)
    there = take_language_away(table.vectors, table.languages)
    here = take_language_away(vectors, [s.language for s in samples], means)
    languages, groups = np.asarray(table.languages), np.asarray(table.groups)
    found = {}
    for sample, row in zip(samples, here @ there.T, strict=True):
        scores = row + SAME_LANGUAGE * (languages == sample.language)
        order = np.argsort(-scores, kind="stable")
        order = order[groups[order] != sample.group][:LOOKED_AT]
        rows = _spread(table, scores, [int(i) for i in order], k)
        found[sample.id] = [table.keys[i] for i in reversed(rows)]
    return found


def _spread(
    table: CandidateTable, scores: NDArray[np.float32], order: list[int], k: int
) -> list[int]:
    """Rows of `order`, the best first: near, of different types, and short enough together."""
    is_empty = [not table.types[i] for i in order[:NEAREST]]
    rest = [i for i in order if table.types[i]]
    empty = order[is_empty.index(True)] if sum(is_empty) * 2 > len(is_empty) else None
    chosen: list[int] = []
    left = TOGETHER - (table.lengths[empty] if empty is not None else 0)
    shown: Counter[str] = Counter()
    while rest and len(chosen) < k - (empty is not None):
        best = max(
            rest, key=lambda i: scores[i] - SAME_TYPE * max(shown[t] for t in table.types[i])
        )
        rest.remove(best)
        if table.lengths[best] <= left:
            chosen.append(best)
            left -= table.lengths[best]
            shown.update(table.types[best])
    return [*chosen, *([empty] if empty is not None else [])]


def _shown(services: Services, schema: Schema, keys: set[int]) -> dict[int, Sample]:
    """The samples with these keys, as a model may be shown them: without what is retired, and only
    those whose events can be said in the words of the text."""
    found = {}
    records = services.store.samples.list(SampleFilter(keys=sorted(keys))) if keys else []
    for record in records:
        events = without_retired(schema, record.sample.events or ())
        mentions = [m for event in events for m in event.mentions()]
        is_said = all(e.trigger is not None for e in events)
        if is_said and all(m.kind == "text" and m.media is None for m in mentions):
            found[record.key] = replace(record.sample, events=events)
    return found
