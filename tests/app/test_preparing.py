"""Suggestions ahead on the Queues page, and what is wrong with one on the Review page."""

from __future__ import annotations

import pytest

from core.preparing import Preparation
from core.problems import Problem
from core.queues import Queue
from core.records import NewSuggestion, SampleFilter
from tests.app.data import BASE, TEXTS, add_demo
from tests.app.inject import component_data
from tests.app.test_queues import field, make_event_of, press
from train.carrier import show_life
from train.preparing import pause_job, start_preparation


@pytest.fixture
def demo(services):
    return add_demo(services)


@pytest.fixture
def keys(services, demo):
    return services.store.samples.keys(SampleFilter(states=["new"]), collection_id=demo.id)


def said(app):
    """All text on the page that belongs to the section."""
    return [*(m.value for m in app.markdown), *(c.value for c in app.caption)]


def bars(app):
    return [bar.proto.text for bar in app.get("progress")]


def add_done(services, job, keys, count):
    samples = services.store.samples
    made = [
        NewSuggestion(key, BASE, [make_event_of(samples.get(key).sample, 0.9)], "", "1", 1)
        for key in keys[:count]
    ]
    services.store.jobs.start(job)
    services.store.jobs.expect(job, 12)
    return services.store.jobs.keep(
        job,
        made,
        failures=[{"sample": 1, "id": "坏-*1*", "message": "слишком длинный"}],
        seconds=10.0,
    )


def test_the_dialog_says_how_many_and_starts_what_the_filter_shows(open_page, services, demo, keys):
    services.store.suggestions.add([NewSuggestion(keys[0], BASE, (), "[]", "1", 1, seconds=3.0)])
    app = open_page("queues", queue="oldest")

    field(app, "_language").set_value(["zh", "ru"]).run()
    press(app, "prepare_open")
    text = " ".join(said(app))
    app.number_input(key="prepare_limit").set_value(1).run()
    press(app, "prepare_do")

    (job,) = services.store.jobs.open("prepare")
    assert not app.exception
    assert "**2 samples**, about 6 s: this model took 3.0 s a sample before." in text
    assert "Chinese and Russian · new and suggested" in text
    assert job.payload["wanted"] == {"languages": ["zh", "ru"], "states": ["new", "suggested"]}
    assert (job.payload["limit"], job.payload["model"]) == (1, BASE)
    assert bars(app) == ["Tiny for Chinese and Russian · new and suggested · waits for its turn"]


def test_where_everything_is_suggested_there_is_nothing_to_start(open_page, services, demo, keys):
    services.store.suggestions.add([NewSuggestion(k, BASE, (), "[]", "1", 1) for k in keys])

    app = open_page("queues", queue="oldest")
    press(app, "prepare_open")

    assert next(b for b in app.button if b.key == "prepare_do").disabled
    assert any("There is nothing to do" in text for text in said(app))
    app.checkbox(key="prepare_again").check().run()
    assert not next(b for b in app.button if b.key == "prepare_do").disabled


def test_a_running_job_shows_its_count_time_left_failures_and_the_workers_memory(
    open_page, services, demo, keys, monkeypatch
):
    monkeypatch.setattr("core.preparing.PACE_FROM", 3)
    job = start_preparation(services, Preparation(demo.id, BASE))
    add_done(services, job, keys, 2)
    show_life(services.home)

    app = open_page("queues", queue="oldest")

    assert bars(app) == ["Tiny for all that waits · 3 of 12 · 30 s left"]
    assert [e.label for e in app.expander if "failed" in e.label] == ["1 sample failed"]
    assert any("**坏-\\*1\\***: слишком длинный" in text for text in said(app))
    assert any(text.startswith("The worker holds ") for text in said(app))


def test_a_job_is_paused_resumed_and_cancelled_by_its_buttons(open_page, services, demo, keys):
    job = start_preparation(services, Preparation(demo.id, BASE))
    app = open_page("queues", queue="oldest")

    press(app, f"rest_{job}")
    assert services.store.jobs.get(job).state == "paused"
    assert bars(app) == ["Tiny for all that waits · paused"]
    press(app, f"rest_{job}")
    assert services.store.jobs.get(job).state == "queued"
    press(app, f"stop_{job}")
    assert services.store.jobs.get(job).state == "cancelled"
    assert bars(app) == ["Tiny for all that waits · cancelled"]
    assert not any(b.key == f"rest_{job}" for b in app.button)


def test_other_collections_and_work_ahead_of_people_are_not_in_the_list(open_page, services, demo):
    other = add_demo(services, "другая")
    pause_job(services, start_preparation(services, Preparation(other.id, BASE)))
    services.store.jobs.add("annotate", {"collection": demo.id, "person": "Ana"})

    app = open_page("queues", queue="oldest", collection="demo")

    assert bars(app) == []


def test_suggestions_with_problems_have_a_queue_that_says_what_is_wrong(
    open_page, services, demo, keys
):
    _add_problems(services, keys)

    app = open_page("queues", queue="problems")

    shown = app.dataframe[0].value
    assert list(shown["why"]) == [
        "2 problems, first: Launch needs place", "the same story in Russian does not have Launch",
    ]  # fmt: skip
    saved = services.store.queues.save(
        Queue(demo.id, "oldest", SampleFilter(problems=True), name="проблемы")
    )
    app = open_page("queues", queue=saved.link)
    assert len(app.dataframe[0].value) == 2


def test_the_workbench_is_told_what_is_wrong_and_where(open_page, services, demo, keys):
    _add_problems(services, keys)

    app = open_page("review", sample=str(keys[0]))

    checks = component_data(app, "workbench")["open"]["checks"]
    assert [(c["words"], c["event"], c["part"], c["is_rule"]) for c in checks] == [
        ("Launch needs place", "s0", "", True),
        (f"“{TEXTS['en'][1]}” is long for a trigger", "s0", "t", False),
    ]


def test_a_review_has_no_problems_of_a_suggestion(open_page, services, demo, keys):
    _add_problems(services, keys)
    services.store.samples.add_review(keys[0], (), person="Ana", schema_number=1)

    app = open_page("review", sample=str(keys[0]))

    assert component_data(app, "workbench")["open"]["checks"] == []


def _add_problems(services, keys):
    samples = services.store.samples
    of_launch = {"type": "launch", "event": 0}
    problems = [
        [
            Problem("missing_role", {**of_launch, "role": "place"}),
            Problem("long_trigger", {**of_launch, "words": TEXTS["en"][1]}),
        ],
        [Problem("contradiction", {
            "sample": "x", "language": "ru", "here": ["launch"], "there": [],
        })],
    ]  # fmt: skip
    services.store.suggestions.add(
        [
            NewSuggestion(
                key, BASE, [make_event_of(samples.get(key).sample, 0.9)], "", "1", 1, problems=found
            )
            for key, found in zip(keys, problems, strict=False)
        ]
    )


def test_opening_a_sample_lets_the_worker_prepare_what_comes_next_in_that_queue(
    open_page, services, demo, keys
):
    open_page("review", queue="random", language="ru")
    open_page("review", queue="random", language="ru")
    open_page("review", queue="", language="zh", sample=str(keys[1]))

    jobs = services.store.jobs.open("annotate")
    assert [j.payload["queue"]["reason"] for j in jobs] == ["random", "oldest"]
    assert [j.payload["queue"]["wanted"]["languages"] for j in jobs] == [["ru"], ["zh"]]
    assert {j.payload["person"] for j in jobs} == {"Ana"}
    assert jobs[1].payload["after"] == keys[1]
