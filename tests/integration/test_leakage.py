"""Leakage: training samples that repeat a held-out one are found and left out of the snapshot."""

from __future__ import annotations

import pytest

from core.errors import TrainingError
from core.models.embedder import CharacterNgrams
from core.samples import Sample
from core.schema import EventType, Schema
from train.leakage import find_leaks
from train.recipes import Recipe
from train.services import Services
from train.snapshot import take_snapshot

PAIRS = {
    "zh": (
        "华为星期二在深圳发布了新一代人工智能芯片，性能提升一倍。",
        "华为周二在深圳发布了新一代人工智能芯片，性能提升了一倍。",
    ),
    "ru": (
        "Компания «Яндекс» во вторник открыла в Казани новый центр обработки данных.",
        "Во вторник компания «Яндекс» открыла в Казани новый центр обработки данных!",
    ),
}
OTHERS = {
    "zh": ["科学家在南极冰芯中发现了古老的病毒。", "央行下调了基准利率，股市随之上涨。",
           "暴雨淹没了南方的大片农田。", "新型火箭在酒泉完成首次试飞。", "小米公司公布了第三季度财报。"],
    "ru": ["Учёные нашли в океане неизвестный вид рыб.", "Центробанк снизил ключевую ставку.",
           "Дождь залил поля под Рязанью.", "Ракета стартовала с Восточного.", "Банк сменил главу."],
}  # fmt: skip


@pytest.fixture
def services(home, store) -> Services:
    return Services(home, store)


@pytest.fixture
def collection(services: Services) -> int:
    """In each language: a test sample, a training one that nearly repeats it, and five that do not."""
    record = services.store.collections.create("c", Schema((EventType("launch"),)))
    samples = []
    for language, (held_out, copy) in PAIRS.items():
        samples += [
            Sample(f"{language}-held", language, "text", held_out, split="test", events=()),
            Sample(f"{language}-copy", language, "text", copy, split="train", events=()),
            *(Sample(f"{language}-other-{i}", language, "text", text, split="train", events=())
              for i, text in enumerate(OTHERS[language])),
        ]  # fmt: skip
    services.store.samples.add(record.id, samples, schema_number=1)
    return record.id


def test_a_near_copy_of_a_test_sample_is_found_in_every_language(services, collection):
    leaks = find_leaks(services, collection, embedder=CharacterNgrams())

    assert {(leak.sample, leak.held_out) for leak in leaks} == {
        ("zh-copy", "zh-held"),
        ("ru-copy", "ru-held"),
    }
    assert all(0.5 <= leak.score <= 1 for leak in leaks)


def test_what_leaks_is_not_trained_on_and_the_held_out_sample_stays(services, collection):
    leaks = find_leaks(services, collection, embedder=CharacterNgrams())

    snapshot = take_snapshot(services, collection, Recipe.laptop(), leaks=leaks)

    assert len(snapshot.train) == 10
    assert all("other" in s.id for s in snapshot.train)
    assert [leak.sample for leak in snapshot.leaks] == [leak.sample for leak in leaks]


def test_a_collection_of_nothing_but_copies_says_why_there_is_nothing(services, collection):
    leaks = find_leaks(services, collection, embedder=CharacterNgrams())
    for key in services.store.samples.keys(collection_id=collection):
        if services.store.samples.get(key).sample.id.count("other"):
            services.store.samples.delete([key])

    with pytest.raises(TrainingError, match="but 2 that repeat a dev or test sample"):
        take_snapshot(services, collection, Recipe.laptop(), leaks=leaks)


def test_without_held_out_samples_nothing_can_leak(services: Services):
    record = services.store.collections.create("e", Schema((EventType("launch"),)))
    only = Sample("один", "ru", "text", OTHERS["ru"][0], split="train", events=())
    services.store.samples.add(record.id, [only], schema_number=1)

    assert find_leaks(services, record.id, embedder=CharacterNgrams()) == []
