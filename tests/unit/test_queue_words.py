"""Why a sample is in a queue, and what a filter asks for, in words."""

from datetime import UTC, date, datetime

import pytest

from core.queues import Queue, Why
from core.records import SampleFilter
from core.schema import EventType, Schema
from pages._ui.queue_words import describe_filter, queue_name, write_why

SCHEMA = Schema((EventType("launch", {"en": "Product launch", "zh": "发布"}),))


@pytest.mark.parametrize(
    ("key", "values", "said"),
    [
        ("uncertain.type", {"figure": 0.3149, "role": ""}, "model unsure of the type: 0.31"),
        ("uncertain.role", {"figure": 0.2, "role": "покупатель"}, "model unsure of the покупатель: 0.20"),
        ("uncertain.trigger", {"figure": 0.93, "role": ""}, "model least sure of the trigger: 0.93"),
        ("disagree", {"n": 1, "kind": "type_changed", "one": "a", "other": "b"}, "models differ in 1 place: the type"),
        ("disagree", {"n": 3, "kind": "argument_moved"}, "models differ in 3 places, first an argument"),
        ("rare", {"type": "launch", "n": 3, "here": 0, "language": "zh"}, "Product launch: 3 reviewed, 0 in Chinese"),
        ("rare", {"type": "并购", "n": 0, "here": 0, "language": "zh"}, "并购: none reviewed yet"),
        ("near_error", {"type": "launch", "language": "ru", "changed": 7, "seen": 9}, "Product launch in Russian: 7 of 9 changed"),
        ("random", {"seed": 7}, "random audit, seed 7"),
        ("oldest", {"since": datetime(2026, 11, 3, 12, tzinfo=UTC)}, "here since 3 November 2026"),
        ("oldest", {"since": datetime(2026, 11, 3, 12, tzinfo=UTC), "skipped": True}, "here since 3 November 2026 · you skipped it"),
        ("mine", {"draft": True, "flag": "кто это?", "skipped": True}, "your draft is here, you flagged it: кто это? and you skipped it"),
        ("mine", {"draft": False, "flag": "", "skipped": False}, "you flagged it"),
        ("filter", {}, "it fits the filter"),
    ],
)  # fmt: skip
def test_a_reason_is_said_with_its_figure(key, values, said):
    assert write_why(Why(f"queue.why.{key}", values), SCHEMA) == said


def test_a_filter_is_said_in_a_line():
    wanted = SampleFilter(
        languages=("ru", "zh"), event_types=("launch",), states=("suggested",), text="芯片",
        confidence_to=0.5, published_from=date(2026, 3, 1), flagged=True, sources=("新闻网",),
    )  # fmt: skip

    assert describe_filter(wanted, SCHEMA) == (
        "Russian and Chinese · Product launch · suggested · 新闻网 · “芯片” · confidence –0.5 · "
        "2026-03-01– · flagged"
    )
    assert describe_filter(SampleFilter()) == ""


def test_a_queue_is_called_by_its_name_or_its_reason():
    assert queue_name(Queue(1, "random")) == "Random audit"
    assert queue_name(Queue(1, "random", name="Проверка")) == "Проверка"
