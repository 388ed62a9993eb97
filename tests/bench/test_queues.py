"""Measures queues over 100,000 samples, and prints p50 and p95: next sample, count, filter, table.

Run as: make bench ARGS="tests/bench/test_queues.py". Asserts nothing about time.
"""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Callable
from datetime import date

import pytest
from sqlalchemy import update

from core.events import Argument, Event, span
from core.preparing import Preparation
from core.queues import REASONS, Queue, default_queue
from core.records import SampleFilter
from core.samples import Sample, Source
from core.schema import EventType, Role, Schema
from storage import mapping
from storage.database import writing
from storage.home import Home
from storage.imports import add_samples
from storage.standing import settle
from storage.store import Store, open_store
from storage.tables import CorrectionRow, ModelRow, SampleRow, SuggestionRow

pytestmark = pytest.mark.bench

SAMPLES = 100_000
PART = 5_000
TYPES = [f"Type {i}" for i in range(24)]
WEIGHTS = [2 ** -(i / 3) for i in range(24)]
TEXTS = {
    "en": "The company launched a new service in Madrid on Tuesday, and its rivals answered soon. ",
    "zh": "公司星期二在马德里推出了一项新服务，竞争对手很快作出了回应。🚀",
    "es": "La empresa lanzó el martes un nuevo servicio en Madrid y sus rivales respondieron. ",
    "ru": "Компания во вторник запустила в Мадриде новую услугу, и соперники скоро ответили. ",
}
PERSON = "Вера"


@pytest.fixture(scope="module")
def full(tmp_path_factory):
    """A store with 100,000 samples: a fifth new, three fifths suggested, a fifth reviewed."""
    store = open_store(Home(tmp_path_factory.mktemp("queues")))
    fill(store, SAMPLES)
    return store


def fill(store: Store, count: int, *, seed: int = 7) -> int:
    """Fill a store with generated samples; returns the collection."""
    chance = random.Random(seed)
    schema = Schema(tuple(EventType(name, roles=(Role("agent"),)) for name in TYPES))
    collection = store.collections.create("bench", schema).id
    with writing(store.engine) as session:
        for model in ("small", "large"):
            session.add(ModelRow(id=model, title=model, state="base", location=model))
    for begin in range(0, count, PART):
        samples = [make_sample(i, chance) for i in range(begin, min(count, begin + PART))]
        with writing(store.engine) as session:
            keys = add_samples(session, collection, samples, schema_number=1)
            told = [
                (key, s, model)
                for key, s in zip(keys, samples, strict=True)
                if chance.random() < 0.75
                for model in (("small", "large") if chance.random() < 0.2 else ("small",))
            ]
            suggest_all(session, told, chance)
            settle(session, collection, keys)
    with writing(store.engine) as session:
        for language in TEXTS:
            for i, name in enumerate(TYPES[4:12]):
                session.add(
                    CorrectionRow(
                        collection_id=collection, language=language, event_type=name,
                        seen=40, changed=4 + i,
                    )
                )  # fmt: skip
    for key in store.samples.keys(SampleFilter(states=["suggested"]), collection_id=collection)[
        ::997
    ]:
        store.notes.skip(key, person=PERSON)
        store.notes.add(key + 1, person=PERSON, kind="flag", text="why?")
    return collection


def make_sample(number: int, chance: random.Random) -> Sample:
    language = chance.choice(list(TEXTS))
    text = f"{number}. " + TEXTS[language] * chance.randint(1, 4)
    source = Source(
        name=f"source-{int(chance.expovariate(0.2))}.example",
        published=date(2026, chance.randint(1, 11), chance.randint(1, 28)).isoformat(),
    )
    events = make_events(text, chance) if chance.random() < 0.2 else None
    return Sample(f"s{number}", language, "text", text, source=source, events=events)


def make_events(text: str, chance: random.Random, *, sure: bool = False) -> tuple[Event, ...]:
    def part(begin: int):
        return span(text, begin, begin + 4, confidence=chance.random() ** 0.2 if sure else None)

    names = chance.choices(TYPES, WEIGHTS, k=chance.choice([1, 1, 1, 2]))
    return tuple(
        Event(
            name, part(3), (Argument("agent", part(8)),), chance.random() ** 0.2 if sure else None
        )
        for name in names
    )


def suggest_all(session, told, chance: random.Random) -> None:
    rows = [
        {
            "sample_id": key,
            "model_id": model,
            "prompt_version": "1",
            "schema_number": 1,
            "seconds": 1.0,
            "problems": [{"code": "cut_reply"}] * (number % 6 - 3),
        }
        for number, (key, _, model) in enumerate(told)
    ]
    ids = mapping.insert_all(session, SuggestionRow, rows)
    events = [make_events(s.text or "", chance, sure=True) for _, s, _ in told]
    mapping.add_events(session, "suggestion_id", list(zip(ids, events, strict=True)))
    new = {key for key, s, _ in told if s.events is None}
    session.execute(update(SampleRow), [{"id": key, "state": "suggested"} for key in new])


UNTOUCHED = SampleFilter(states=["suggested"])
FILTERS = {
    "nothing": SampleFilter(),
    "language": SampleFilter(languages=["ru"]),
    "type": SampleFilter(event_types=["Type 20"]),
    "source": SampleFilter(sources=["source-31.example"]),
    "confidence": SampleFilter(confidence_to=0.3),
    "published": SampleFilter(published_from=date(2026, 3, 1), published_to=date(2026, 3, 9)),
    "flagged": SampleFilter(flagged=True),
    "problems": SampleFilter(problems=True),
    "text": SampleFilter(text="мадриде"),
    "rare text": SampleFilter(text="99999."),
}


def show(capsys, title: str, call: Callable[[], object], times: int = 40) -> None:
    call()
    taken = []
    for _ in range(times):
        began = time.perf_counter()
        call()
        taken.append(1000 * (time.perf_counter() - began))
    taken.sort()
    with capsys.disabled():
        line = (
            f"p50 {statistics.median(taken):7.2f} ms   p95 {taken[int(0.95 * len(taken))]:7.2f} ms"
        )
        print(f"\n  {title:42} {line}", end="")  # noqa: T201


@pytest.mark.parametrize("reason", REASONS)
def test_one_queue(full, capsys, reason):
    queue = default_queue(full.collections.get("bench").id, reason)
    keys = full.queues.keys(queue, person=PERSON, limit=100_000)
    chance = random.Random(1)

    show(capsys, f"{reason}: first", lambda: full.queues.next_key(queue, person=PERSON))
    for step, name in ((1, "next"), (-1, "previous")):
        show(
            capsys,
            f"{reason}: {name}",
            lambda step=step: full.queues.next_key(
                queue, chance.choice(keys), step=step, person=PERSON
            ),
        )
    show(capsys, f"{reason}: count", lambda: full.queues.count(queue, person=PERSON))
    show(
        capsys,
        f"{reason}: position",
        lambda: full.queues.position(queue, chance.choice(keys), person=PERSON),
    )
    show(capsys, f"{reason}: why", lambda: full.queues.why(queue, keys[3], person=PERSON))
    show(capsys, f"{reason}: table, first page", lambda: full.queues.table(queue, person=PERSON))
    show(
        capsys,
        f"{reason}: table, some page",
        lambda: full.queues.table(queue, person=PERSON, offset=chance.randrange(len(keys))),
    )


def test_work_ahead(full, capsys):
    collection = full.collections.get("bench").id
    oldest = default_queue(collection, "oldest")
    keys = full.queues.keys(oldest, person=PERSON, limit=100_000)
    chance = random.Random(2)

    for title, order in (
        ("another model", Preparation(collection, "large")),
        ("this model", Preparation(collection, "small")),
        ("by text", Preparation(collection, "large", SampleFilter(text="мадриде"))),
        ("untouched", Preparation(collection, "large", UNTOUCHED, untouched=True)),
    ):
        show(capsys, f"count: {title}", lambda o=order: full.suggestions.count_missing(o), 10)
        show(
            capsys, f"next 64: {title}",
            lambda o=order: full.suggestions.missing(
                o, job_id=1, after=chance.choice(keys), limit=64
            ),
        )  # fmt: skip
    for reason in ("oldest", "uncertain", "rare"):
        queue = default_queue(collection, reason)
        show(
            capsys, f"20 ahead: {reason}",
            lambda q=queue: full.queues.ahead(q, chance.choice(keys), person=PERSON, limit=20), 10,
        )  # fmt: skip


@pytest.mark.parametrize("name", FILTERS)
@pytest.mark.parametrize("reason", ["oldest", "uncertain", "rare"])
def test_one_filter(full, capsys, reason, name):
    queue = Queue(full.collections.get("bench").id, reason, FILTERS[name])
    count = full.queues.count(queue, person=PERSON)
    first = full.queues.next_key(queue, person=PERSON)
    title = f"{reason} by {name} ({count:,})"

    show(capsys, f"{title}: next", lambda: full.queues.next_key(queue, first, person=PERSON), 20)
    show(capsys, f"{title}: count", lambda: full.queues.count(queue, person=PERSON), 20)
    show(capsys, f"{title}: table", lambda: full.queues.table(queue, person=PERSON), 20)
