"""Measures the look-up of examples among 100,000 reviewed samples, and prints p50 and p95.

Run as: make bench ARGS="tests/bench/test_retrieval.py". Asserts nothing about time.
"""

from __future__ import annotations

import statistics
import time

import numpy as np
import pytest

from core.events import Event, span
from core.models.embedder import CharacterNgrams
from core.samples import Sample
from core.schema import EventType, Schema
from storage.home import Home
from storage.store import open_store
from train.retrieval import PER_LANGUAGE, pick_examples
from train.services import Services

pytestmark = pytest.mark.bench

SAMPLES, PART, BATCH, RUNS = 100_000, 5_000, 16, 20
TYPES = [f"Type {i}" for i in range(24)]
TEXTS = {
    "en": "The company launched a new service in Madrid on Tuesday.",
    "zh": "公司星期二在马德里推出了一项新服务。",
    "es": "La empresa lanzó el martes un nuevo servicio en Madrid.",
    "ru": "Компания во вторник запустила в Мадриде новую услугу.",
}


def make_sample(number: int) -> Sample:
    language = list(TEXTS)[number % 4]
    text = f"{number}. {TEXTS[language]}"
    events = (Event(TYPES[number % 24], span(text, 0, len(str(number)))),)
    return Sample(f"s{number}", language, "text", text, split="train", events=events)


def test_examples_for_a_batch(tmp_path_factory):
    services = Services(
        home := Home(tmp_path_factory.mktemp("retrieval")), store := open_store(home)
    )
    collection = store.collections.create("bench", Schema(tuple(map(EventType, TYPES)))).id
    draw, embedder = np.random.default_rng(7), CharacterNgrams()
    for begin in range(0, SAMPLES, PART):
        keys = store.samples.add(
            collection, [make_sample(n) for n in range(begin, begin + PART)], schema_number=1
        )
        vectors = draw.normal(size=(PART, 384)).astype(np.float32)
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        store.vectors.add(embedder.name, keys, vectors)
    seconds, own = [], []
    for run in range(RUNS):
        asked = [make_sample(run * BATCH + n) for n in range(BATCH)]
        began, begun = time.perf_counter(), time.process_time()
        found = pick_examples(services, collection, asked, 4, embedder=embedder)
        seconds.append(time.perf_counter() - began)
        own.append(time.process_time() - begun)
        assert all(len(found[s.id]) == 4 for s in asked)
    p50, p95 = statistics.median(seconds), sorted(seconds)[int(RUNS * 0.95) - 1]
    print(  # noqa: T201
        f"\n4 examples for {BATCH} samples among {SAMPLES:,} reviewed ones (the newest "
        f"{PER_LANGUAGE:,} a language): p50 {p50 * 1000:.0f} ms, p95 {p95 * 1000:.0f} ms, of "
        f"its own p50 {statistics.median(own) * 1000:.0f} ms"
    )
