"""The label-error radar at work: gather what is known of a collection, find what is odd, keep the list."""

from __future__ import annotations

from core.errors import ModelError
from core.radar import find_odd
from core.records import ModelRecord
from train.embedding import the_embedder
from train.registry import model_in_use
from train.services import Services

UNPROVEN = 0.3  # how often a model is right that nobody has evaluated: it may nudge, not accuse


def refresh_radar(services: Services, collection_id: int) -> int:
    """Look at every reviewed sample of a collection again; returns how many look odd."""
    store = services.store
    labels = store.radar.labels(collection_id)
    model = _model(services, collection_id)
    found = find_odd(
        labels,
        near=store.vectors.neighbours(collection_id),
        same_from=the_embedder().same_from,
        opinions=store.radar.opinions(collection_id, model.id) if model else {},
        trust=trust_in(services, collection_id, model) if model else 0.0,
    )
    reviews = {item.key: item.review_id for item in labels}
    store.radar.keep(collection_id, found, reviews=reviews)
    return store.radar.count(collection_id)


def trust_in(services: Services, collection_id: int, model: ModelRecord) -> float:
    """How often a model's events are right: the precision of its newest evaluation, 0 to 1."""
    scores = services.store.models.evaluations(collection_id, model_id=model.id)
    if not scores:
        return UNPROVEN
    return float(scores[0].scores["overall"]["tri_c"].get("p", 100 * UNPROVEN)) / 100


def _model(services: Services, collection_id: int) -> ModelRecord | None:
    try:
        return model_in_use(services, collection_id)
    except ModelError:  # without a model the other reasons still hold
        return None
