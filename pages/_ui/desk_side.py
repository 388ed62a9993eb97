"""What stands beside a sample and is fetched after it is painted: help, its history, opinions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from core.difference import Entry, difference, match_events
from core.errors import InputError, NotFoundError, SchemaError
from core.events import Event
from core.history import compare_versions, follow_names, list_versions, version_events
from core.languages import RIGHT_TO_LEFT, name_of
from core.records import ReviewRecord, SampleRecord, SuggestionRecord
from core.review import document_of_events
from pages._ui import desk_media
from pages._ui.catalogue import t
from pages._ui.desk import Message
from storage.store import Store
from train.services import Services

SIMILAR = 4  # corrected samples that are shown as examples
VERSIONS = 100  # of a sample, the newest
OF_MEDIA = ("page", "words", "tiles")  # what the browser keeps once it has it
_Json = dict[str, Any]


class SideMessage(Message):
    """What the workbench asks for: two versions by review id, or two opinions by their names; of a
    medium a page, the words on it, or tiles as [level, column, row]."""

    act: Literal["help", "history", "opinions", "page", "words", "tiles"]
    one: str | int | None = None
    other: str | int | None = None
    media: Annotated[str, StringConstraints(max_length=200)] = ""
    page: int = Field(default=0, ge=0, le=100_000)
    tiles: list[tuple[int, int, int]] = Field(default_factory=list, max_length=100)


def side_data(services: Services, key: int, message: SideMessage, *, person: str = "") -> _Json:
    """The part of the side that was asked for; links are for `person`."""
    store = services.store
    if message.act in OF_MEDIA:
        return desk_media.part_data(services, key, message, person=person)
    if message.act == "help":
        return help_data(store, key)
    if message.act == "history":
        return history_data(store, key, old=message.one, new=message.other)
    return opinion_data(services, key, left=message.one, right=message.other)


def help_data(store: Store, key: int) -> _Json:
    """The same story in other languages, and corrected samples that are like this one."""
    record = store.samples.get(key)
    similar = store.vectors.similar(key, k=SIMILAR)
    return {
        "parallel": [_example(other) for other in store.samples.parallel(record)],
        "similar": [_example(s.record) | {"score": round(s.score, 2)} for s in similar],
    }


def history_data(
    store: Store, key: int, *, old: str | int | None = None, new: str | int | None = None
) -> _Json:
    """The versions, newest first, the difference between two, and `new` as events to restore.

    Without `new` it is the newest, without `old` the one before. What cannot be restored any more
    says why.
    """
    reviews = store.samples.reviews(key, limit=VERSIONS)
    versions = list_versions(reviews)
    found: _Json = {
        "versions": [
            {
                "id": v.review.id, "number": v.number, "who": _who(v.review), "changes": v.changes,
                "events": len(v.review.events), "when": _moment(v.review),
            }
            for v in versions
        ],
    }  # fmt: skip
    if not reviews:
        return found
    by_id = {r.id: i for i, r in enumerate(reviews)}
    at = by_id.get(int(new), 0) if new is not None else 0
    before = by_id.get(int(old)) if old is not None else min(at + 1, len(reviews) - 1)
    one, other = reviews[at if before is None else before], reviews[at]
    found |= {"old": one.id, "new": other.id, "entries": _entries(one, other)}
    try:
        events = version_events(store, key, other.id)
    except (InputError, NotFoundError) as problem:
        return found | {"problem": str(problem)}
    return found | {"restore": document_of_events(events, prefix=f"v{other.id}.")}


def opinion_data(
    services: Services, key: int, *, left: str | int | None = None, right: str | int | None = None
) -> _Json:
    """Two opinions and where they differ: newest suggestions by model, newest reviews by person.

    Without names: two people who differ, else the base model against the one in use, else any two
    that differ. `same` is what both say.
    """
    store = services.store
    opinions = _opinions(store, key)
    names = list(opinions)
    choices = [{"name": n, "label": o[0]} for n, o in opinions.items()]
    if len(names) < 2:
        return {"choices": choices, "pairs": []}
    one, other = _two(services, key, opinions, str(left or ""), str(right or ""))
    a, b = opinions[one][1], opinions[other][1]
    items = [document_of_events(a, prefix="l."), document_of_events(b, prefix="r.")]
    pairs, same = [], []
    for p in match_events(a, b):
        mine = None if p.suggested is None else items[0][p.suggested]
        theirs = None if p.decided is None else items[1][p.decided]
        if difference(a, b, pairs=[p]):
            pairs.append({"left": mine, "right": theirs})
        else:
            same.append(mine)
    return {"choices": choices, "left": one, "right": other, "pairs": pairs, "same": same}


# ---------------------------------------------------------------- private


def _opinions(store: Store, key: int) -> dict[str, tuple[str, tuple[Event, ...]]]:
    """{name: (label, events)}, models first, then people; what a change of the schema wrote is
    nobody's opinion."""
    titles = {m.id: m.title for m in store.models.all()}
    record = store.samples.get(key)
    found: dict[str, tuple[str, tuple[Event, ...]]] = {}
    for model in store.samples.models_of(key):
        suggestion = store.samples.suggestion(key, model_id=model)
        if suggestion is not None:
            events = _as_called_now(store, record, suggestion)
            found[f"model {model}"] = (titles.get(model, model), events)
    for review in store.samples.reviews(key, limit=VERSIONS):
        name = f"person {_who(review)}"
        if review.origin != "schema change" and name not in found:
            found[name] = (_who(review), _as_called_now(store, record, review))
    return found


def _as_called_now(
    store: Store, record: SampleRecord, said: ReviewRecord | SuggestionRecord
) -> tuple[Event, ...]:
    """The events under the names that the schema has now, or as they are where a person must decide:
    the cards then say what is wrong with them."""
    try:
        return follow_names(store, record, said.events, schema_number=said.schema_number)
    except SchemaError:
        return tuple(said.events)


def _two(
    services: Services,
    key: int,
    opinions: Mapping[str, tuple[str, tuple[Event, ...]]],
    left: str,
    right: str,
) -> tuple[str, str]:
    """The names of the two opinions to show."""
    if left in opinions and right in opinions and left != right:
        return left, right

    def differing(names: Sequence[str]) -> tuple[str, str] | None:
        """The first two that do not say the same; the one that comes later is on the left."""
        said = {name: opinions[name][1] for name in names}
        return next(
            ((b, a) for a, b in combinations(names, 2) if difference(said[a], said[b])), None
        )

    people = differing([name for name in opinions if name.startswith("person ")])
    if people is not None:
        return people
    store = services.store
    collection_id = store.samples.get(key).collection_id
    in_use = f"model {store.models.in_use(collection_id)}"
    bases = [f"model {m.id}" for m in store.models.all(collection_id=collection_id) if m.is_base]
    base = next((b for b in bases if b in opinions and b != in_use), None)
    if in_use in opinions and base is not None:
        return base, in_use
    names = list(opinions)
    return differing(names) or (names[1], names[0])


def _example(record: SampleRecord) -> _Json:
    sample = record.sample
    return {
        "key": record.key, "language": sample.language, "language_name": name_of(sample.language),
        "text": sample.text or "",
        "direction": "rtl" if sample.language in RIGHT_TO_LEFT else "ltr",
        "events": document_of_events(sample.events or (), prefix="x"),
    }  # fmt: skip


def _entries(old: ReviewRecord, new: ReviewRecord) -> list[Entry]:
    """The difference, each entry with the event that it is about."""

    def about(entry: Entry) -> _Json:
        number, side = entry["decided"], new.events
        if number is None:
            number, side = entry["event"], old.events
        event = side[number]
        words = event.trigger.text if event.trigger else None
        return {"event_type": event.event_type, "trigger_words": words}

    return [entry | about(entry) for entry in compare_versions(old, new)]


def _who(review: ReviewRecord) -> str:
    if review.origin == "import":
        return t("review.version.import")
    if review.origin == "schema change":
        return t("review.version.schema")
    return review.person or "–"


def _moment(review: ReviewRecord) -> str:
    when = review.created
    return t(
        "time.written", day=when.day, month=t(f"month.{when.month}"), year=when.year,
        clock=f"{when:%H:%M}",
    )  # fmt: skip
