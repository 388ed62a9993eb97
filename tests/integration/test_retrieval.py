"""Examples for a prompt, from a real database: near, of the train split, and never a leak."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from core.events import Argument, Event, Mention, span
from core.models.embedder import CharacterNgrams
from core.records import SampleFilter
from core.samples import Sample
from core.schema import EventType, Role, Schema
from train.retrieval import LONGEST, TOGETHER, pick_examples, read_candidates
from train.services import Services

SCHEMA = Schema((EventType("launch", roles=(Role("agent"),)), EventType("attack")))
TEXTS = {
    "en": ("Nortia launched a new phone in Madrid, number {}", "launched"),
    "zh": ("小米公司周四在北京发布了新款折叠手机,第{}款", "发布"),
    "es": ("Nortia lanzó ayer en Madrid un teléfono nuevo, el {}", "lanzó"),
    "ru": ("«Вега» запустила в Москве новый сервис связи, уже {}-й", "запустила"),
}
EMBEDDER = CharacterNgrams()


def sample(
    language: str, number: int, event_type: str | None = "launch", *, split: str | None = "train",
    story: str | None = None,
) -> Sample:  # fmt: skip
    form, trigger = TEXTS[language]
    text = form.format(number)
    at = text.index(trigger)
    events = (Event(event_type, span(text, at, at + len(trigger))),) if event_type else None
    return Sample(
        f"{language}-{number}", language, "text", text, parallel_group=story, split=split,
        events=events,
    )  # fmt: skip


@pytest.fixture
def services(home, store) -> Services:
    return Services(home, store)


@pytest.fixture
def add(store):
    """A function that adds samples to the collection and returns its id."""
    record = store.collections.create("примеры 例子", SCHEMA)

    def put(samples: Sequence[Sample]) -> int:
        store.samples.add(record.id, samples, schema_number=1)
        return record.id

    return put


def pick(services: Services, collection: int, samples: Sequence[Sample], k: int = 4):
    read_candidates(services, collection, embedder=EMBEDDER)
    return pick_examples(services, collection, samples, k, embedder=EMBEDDER)


@pytest.mark.parametrize("language", TEXTS)
def test_examples_are_the_nearest_of_the_train_split_the_nearest_last(services, add, language):
    everything = [sample(c, n) for c in TEXTS for n in range(8)]
    held_out = [sample(language, n, split=s) for n, s in ((90, "dev"), (91, "test"), (92, None))]
    asked = replace(sample(language, 7), id="asked", text=TEXTS[language][0].format(7) + " !")
    collection = add([*everything, *held_out])

    found = pick(services, collection, [asked])["asked"]

    assert len(found) == 4
    assert [s.language for s in found].count(language) >= 3
    assert {s.split for s in found} == {"train"}
    assert found[-1].id == f"{language}-7"
    assert all(s.events for s in found)


def test_nothing_of_dev_or_test_is_ever_shown_however_near(services, add):
    near = [sample("ru", n, split=split) for n, split in enumerate(["dev", "test"] * 10)]
    collection = add([*near, sample("zh", 50)])

    found = pick(services, collection, [replace(near[0], id="asked", text=f"{near[0].text}…")])

    assert [s.id for s in found["asked"]] == ["zh-50"]


@pytest.mark.parametrize("language", TEXTS)
def test_neither_the_sample_itself_nor_its_story_nor_a_copy_of_it_is_shown(services, add, language):
    own = sample(language, 1)
    copy = replace(own, id="копия", text=f"  {own.text.upper()}")
    story = [sample(c, 20, story="故事") for c in TEXTS]
    others = [sample(language, n) for n in (2, 3)]
    collection = add([own, copy, *story, *others])

    found = pick(services, collection, [own, story[0]], k=9)

    assert {s.id for s in found[own.id]} & {own.id, "копия"} == set()
    assert {s.parallel_group for s in found[story[0].id]} == {None}


def test_a_model_is_shown_more_than_one_type_where_there_are_some(services, add):
    same = [sample("ru", n) for n in range(10)]
    other = replace(sample("ru", 70, "attack"), text="«Вега» атаковала в Москве сервис связи")
    other = replace(other, events=(Event("attack", span(other.text, 7, 16)),))
    collection = add([*same, other])

    found = pick(services, collection, [replace(same[0], id="asked", text=f"{same[0].text}!")])

    assert {e.event_type for s in found["asked"] for e in s.events} == {"launch", "attack"}


def test_texts_without_an_event_are_left_out_unless_most_texts_like_it_have_none(services, add):
    full = [sample("zh", n) for n in range(6)]
    empty = [replace(sample("zh", n), events=()) for n in range(20, 23)]
    many = [
        replace(s, id=f"пусто-{n}", language="ru", text=f"Дождь залил поля под Рязанью {n}")
        for n, s in enumerate(empty * 3)
    ]
    collection = add([*full, *empty, *many])
    asked = [
        replace(full[0], id="有", text=f"{full[0].text}。"),
        replace(many[0], id="дождь", text="Дождь залил поля под Тулой", events=None),
    ]

    found = pick(services, collection, asked, k=3)

    assert all(s.events for s in found["有"])
    assert [bool(s.events) for s in found["дождь"]] == [False, True, True]


def test_examples_stay_short_alone_and_together(services, add):
    long = [
        replace(sample("ru", n), id=f"длинный-{n}", text=f"{sample('ru', n).text} {'слово ' * 55}")
        for n in range(8)
    ]
    too_long = replace(sample("ru", 40), text=sample("ru", 40).text + "я" * LONGEST)
    collection = add([*long, too_long])

    found = pick(services, collection, [sample("ru", 99)], k=8)["ru-99"]

    assert 3 <= len(found) < 8
    assert sum(len(s.text) for s in found) <= TOGETHER
    assert too_long.id not in {s.id for s in found}


def test_what_a_reply_cannot_say_is_no_example(services, add):
    text = TEXTS["ru"][0].format(5)
    nowhere = Event("launch", span(text, 7, 16), (Argument("agent", Mention("Кто-то")),))
    without = Event("launch", None)
    samples = [
        replace(sample("ru", n), id=name, text=f"{text}{'.' * n}", events=(event,))
        for n, (name, event) in enumerate([("nowhere", nowhere), ("without", without)])
    ]
    collection = add([*samples, sample("ru", 9)])

    found = pick(services, collection, [sample("ru", 99)])

    assert [s.id for s in found["ru-99"]] == ["ru-9"]


def test_the_same_question_has_the_same_answer_alone_and_among_others(services, add):
    collection = add([sample(c, n) for c in TEXTS for n in range(9)])
    asked = [replace(sample(c, 70), id=f"?{c}") for c in TEXTS]

    together = pick(services, collection, asked)
    alone = {s.id: pick(services, collection, [s])[s.id] for s in reversed(asked)}

    assert together == alone


def test_a_review_is_an_example_at_once_though_nobody_has_read_its_text_yet(services, add):
    collection = add([sample("zh", n) for n in range(3)])

    found = pick_examples(services, collection, [sample("zh", 9)], 2, embedder=EMBEDDER)

    assert len(found["zh-9"]) == 2
    assert services.store.vectors.count_missing(collection, model=EMBEDDER.name) == 0


def test_a_newer_review_is_shown_with_its_new_events(services, add, store):
    collection = add([sample("es", n) for n in range(2)])
    record = store.samples.list(SampleFilter(ids=["es-1"]), collection_id=collection)[0]
    changed = (replace(record.sample.events[0], event_type="attack"),)
    store.samples.add_review(record.key, changed, person="Ana", schema_number=1)

    found = pick(services, collection, [sample("es", 9)])["es-9"]

    assert {s.id: s.events[0].event_type for s in found} == {"es-0": "launch", "es-1": "attack"}


@pytest.mark.parametrize("k", [0, 4])
def test_a_collection_without_reviews_gives_none(services, add, k):
    collection = add([sample("ru", n, None, split=None) for n in range(3)])

    assert pick(services, collection, [sample("ru", 9), Sample("p", "ru", "image", None)], k) == {}


def test_only_the_newest_of_a_language_are_looked_at_however_many_there_are(services, add, store):
    collection = add([sample(c, n) for n in range(30) for c in ("ru", "zh")])
    read_candidates(services, collection, embedder=EMBEDDER)

    table = store.examples.candidates(
        collection, model=EMBEDDER.name, per_language=5, longest=LONGEST
    )

    ids = {r.key: r.sample.id for r in store.samples.list(SampleFilter(keys=table.keys))}
    assert sorted(ids.values()) == sorted(f"{c}-{n}" for c in ("ru", "zh") for n in range(25, 30))
    assert np.isclose(np.linalg.norm(table.vectors, axis=1), 1, atol=0.01).all()
