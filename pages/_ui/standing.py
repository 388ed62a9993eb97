"""Where a collection stands, gathered from the store, and the one thing to do next, decided from it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from core.errors import ModelError
from core.records import CollectionRecord, EvaluationRecord, ModelRecord, RunRecord
from pages._ui.catalogue import t, tn
from pages._ui.scores import newest_of
from train.launch import starts_here
from train.registry import model_in_use
from train.services import Services

ENOUGH = 100  # samples reviewed since the last run, after which training comes before more reviews
IMPORT = ("pages/samples.py", {"tab": "import"})
OPEN_RUN = ("queued", "running", "evaluating")


@dataclass(frozen=True, slots=True)
class Standing:
    """The figures that the next step depends on. `fresh`: reviewed by a person since the last run;
    `waiting_candidate`: a model that nobody has promoted or reviewed past yet."""

    collection: CollectionRecord | None
    coverage: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    trainable: int = 0
    fresh: int = 0
    has_run: bool = False
    open_run: int | None = None
    waiting_candidate: str | None = None

    def total(self, *states: str) -> int:
        """Samples in any of these states, over all languages."""
        return sum(counts[state] for counts in self.coverage.values() for state in states)


@dataclass(frozen=True, slots=True)
class Step:
    """The one thing to do next: a sentence, a button and where it leads."""

    sentence: str
    action: str
    page: str
    params: Mapping[str, str] = field(default_factory=dict)


def gather_standing(services: Services, collection: CollectionRecord | None) -> Standing:
    """Read where a collection stands."""
    if collection is None:
        return Standing(None)
    store = services.store
    table = store.reads.coverage(collection.id)
    coverage = {
        str(code): {state: int(row[state]) for state in ("new", "suggested", "reviewed")}
        for code, row in table.iterrows()
    }
    splits = store.reads.splits(collection.id)
    runs = [run for run in store.runs.all(collection.id) if not waits_for_a_person(run)]
    since = next((run.created for run in runs if not run.mean_of), None)
    return Standing(
        collection,
        coverage,
        trainable=int(splits["train"].sum()) if len(splits) else 0,
        fresh=store.reads.reviewed_since(collection.id, since),
        has_run=bool(runs),
        open_run=next((run.id for run in busy_runs(runs)), None),
        waiting_candidate=_waiting_candidate(services, collection.id),
    )


def waits_for_a_person(run: RunRecord) -> bool:
    """Whether a run is only written down: its command is typed elsewhere, perhaps never."""
    return run.state == "queued" and not starts_here(run.launch)


def busy_runs(runs: Iterable[RunRecord]) -> list[RunRecord]:
    """The runs that have this machine or are next to have it: what is at work, then the queue."""
    found = [run for run in runs if run.state in OPEN_RUN and not waits_for_a_person(run)]
    return sorted(found, key=lambda run: (run.state == "queued", run.id))


def next_step(standing: Standing) -> Step:
    """What to do next: the first of these that applies."""
    waiting = standing.total("new", "suggested")
    if standing.collection is None:
        return Step(t("next.no_collection"), t("next.no_collection.do"), "pages/samples.py")
    if not standing.coverage:
        return Step(t("next.no_samples"), t("next.no_samples.do"), *IMPORT)
    if standing.waiting_candidate:
        name = standing.waiting_candidate
        return Step(t("next.candidate", model=name), t("next.candidate.do"), "pages/models.py")
    ready = standing.trainable and not standing.open_run
    if ready and (
        standing.fresh >= ENOUGH or (not waiting and (standing.fresh or not standing.has_run))
    ):
        sentence = tn("next.train", standing.fresh or standing.trainable)
        return Step(sentence, t("next.train.do"), "pages/training.py")
    if waiting:
        return Step(tn("next.review", waiting), t("next.review.do"), "pages/review.py")
    if standing.open_run:
        return Step(t("next.watch"), t("next.watch.do"), "pages/training.py")
    return Step(t("next.more"), t("next.more.do"), *IMPORT)


def tuned_and_base(
    services: Services,
    chosen: CollectionRecord,
    evaluations: Sequence[EvaluationRecord],
    *,
    split: str,
) -> tuple[ModelRecord | None, ModelRecord | None]:
    """The model in use and its base; before any promotion the newest candidate with a score."""
    store = services.store
    try:
        current = model_in_use(services, chosen.id)
    except ModelError:  # said on the Models page, where the way on is
        return None, None
    if current.is_base:
        trained = [m for m in store.models.all(collection_id=chosen.id) if m.base_id == current.id]
        scored = (m for m in trained if newest_of(evaluations, m.id, split=split))
        return next((m for m in scored if m.state != "deleted"), None), current
    return current, store.models.get(current.base_id or "")


def _waiting_candidate(services: Services, collection_id: int) -> str | None:
    models: list[ModelRecord] = [
        m
        for m in services.store.models.all(collection_id=collection_id)
        if m.state == "candidate" and m.collection_id == collection_id
    ]
    if not models:
        return None
    newest = max(models, key=lambda m: m.created)
    promotions = services.store.models.promotions(collection_id, limit=1)
    decided = bool(promotions) and promotions[0].created > newest.created
    moved_on = services.store.reads.reviewed_since(collection_id, newest.created) > 0
    return None if decided or moved_on else newest.title
