"""Measures what the README states, and prints it: import, suggestions, decoding against plain.

Run as: make bench. Asserts nothing about time.
"""

from __future__ import annotations

import json
import statistics
import time

import pytest

from core.events import Event, span
from core.models.embedded import convert
from core.models.local import LocalBackend, load_model
from core.ports import Decoding
from core.records import SampleFilter
from core.samples import Sample, sample_to_dict
from core.schema import EventType, Schema
from core.workflow import import_file
from storage.home import CHECKOUT
from train.demo import NAME, load_demo
from train.services import Services

pytestmark = pytest.mark.bench


def show(capsys, **figures: object) -> None:
    with capsys.disabled():
        for name, value in figures.items():
            shown = f"{value:.2f}" if isinstance(value, float) else value
            print(f"\n  {name.replace('_', ' ')}: {shown}", end="")  # noqa: T201


@pytest.fixture(scope="module")
def embedded():
    return load_model(str(convert(CHECKOUT / "var" / "models")))


def test_import_of_1200_labelled_samples(store, capsys):
    text = "🚀 Компания «Вега» 发布 a new 5G chip en Madrid. " * 3
    at = text.index("发布")
    event = Event("launch", span(text, at, at + 2))
    lines = [
        json.dumps(sample_to_dict(Sample(f"s{i}", "ru", "text", text, events=(event,))))
        for i in range(1200)
    ]

    began = time.perf_counter()
    result = import_file(store, "\n".join(lines).encode(), collection="bench", name="bench.jsonl")

    assert result.added == 1200
    show(capsys, seconds_to_import_1200_samples=time.perf_counter() - began)


def test_one_open_sample_of_200_characters_on_the_warm_model(home, store, embedded, capsys):
    services = Services(home, store)
    load_demo(services)
    collection = store.collections.get(NAME)
    schema = store.collections.schema(collection.id)
    records = store.samples.list(
        SampleFilter(languages=["en", "es", "ru"]), collection_id=collection.id
    )
    near = sorted(records, key=lambda r: abs(len(r.sample.text) - 200))[:20]
    backend = LocalBackend("gemma3-270m", *embedded)
    backend.suggest([near[0].sample], schema)

    seconds = []
    for record in near:
        began = time.perf_counter()
        backend.suggest([record.sample], schema)
        seconds.append(time.perf_counter() - began)

    show(
        capsys,
        p50_seconds_a_suggestion=statistics.median(seconds),
        longest=max(seconds),
    )


def test_grounded_decoding_against_plain_generate(embedded, capsys):
    """The same model and prompts in one run, alternating: tokens a second of one stream."""
    import torch

    model, tokenizer = embedded
    schema = Schema((EventType("launch"), EventType("запуск")))
    sample = Sample("a", "ru", "text", "Компания «Вега» запустила новый сервис 5G в Москве. " * 4)
    backend = LocalBackend("x", model, tokenizer, is_tuned=True)
    hot = Decoding(temperature=1.5, top_p=1.0, max_new_tokens=120)
    ours, plain = [], []
    for seed in range(5):
        began = time.perf_counter()
        said = backend.suggest(
            [sample], schema, decoding=Decoding(1.5, 1.0, seed, hot.max_new_tokens)
        )[0]
        count = len(tokenizer(said.raw_reply)["input_ids"])
        ours.append(count / (time.perf_counter() - began))
        ids = tokenizer(sample.text, return_tensors="pt")
        began = time.perf_counter()
        with torch.inference_mode():
            out = model.generate(**ids, max_new_tokens=count, min_new_tokens=count, do_sample=False)
        plain.append((out.shape[1] - ids["input_ids"].shape[1]) / (time.perf_counter() - began))
    a, b = statistics.median(ours), statistics.median(plain)

    show(capsys, grounded_tokens_a_second=a, plain_generate_tokens_a_second=b, ratio=a / b)
