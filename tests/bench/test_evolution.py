"""Measures and prints: a schema change over 100,000 annotations. Run as: make bench."""

from __future__ import annotations

import time

import pytest

from core.events import Argument, Event, span
from core.samples import Sample
from core.schema import EventType, Role, Schema
from core.schema_change import RenameType, Rule, SplitType

pytestmark = pytest.mark.bench
SAMPLES = 25_000  # four annotations each: an event and three arguments
TEXT = "Компания «Вега» 发布 a new 5G chip en Madrid. " * 3


def show(capsys, **figures: object) -> None:
    with capsys.disabled():
        for name, value in figures.items():
            said = f"{value:.2f}" if isinstance(value, float) else value
            print(f"\n  {name.replace('_', ' ')}: {said}", end="")  # noqa: T201


def test_a_change_over_100_000_annotations(store, capsys):
    roles = ("agent", "product", "place")
    made = store.collections.create(
        "bench", Schema((EventType("launch", roles=tuple(map(Role, roles))),))
    )
    arguments = tuple(Argument(role, span(TEXT, i, i + 5)) for i, role in enumerate(roles))
    event = Event("launch", span(TEXT, 16, 18), arguments)
    languages = ("en", "zh", "es", "ru")
    for at in range(0, SAMPLES, 5000):
        store.samples.add(
            made.id,
            [
                Sample(f"s{i}", languages[i % 4], "text", f"{i} {TEXT}", events=(event,))
                for i in range(at, min(at + 5000, SAMPLES))
            ],
            schema_number=1,
        )
    split = SplitType("launch", ("a", "b", "c"), Rule("language", (("zh", "a"), ("ru", "b"))))
    for name, change in (("rename", RenameType("launch", "запуск")), ("split", split)):
        began = time.perf_counter()
        preview = store.schema_changes.preview(made.id, change)
        seen = time.perf_counter()
        done = store.schema_changes.apply(made.id, change)
        applied = time.perf_counter()
        store.schema_changes.undo(done.id)
        undone = time.perf_counter()

        assert preview.samples == SAMPLES
        show(
            capsys,
            **{
                f"{name}_preview_seconds": seen - began,
                f"{name}_apply_seconds": applied - seen,
                f"{name}_undo_seconds": undone - applied,
                f"{name}_left_to_a_person": done.people,
            },
        )
