"""Overview: counts a language that lead to their samples, zero-shot against tuned, losses."""

from __future__ import annotations

import io
import json

import pytest

from core.records import LossPoint
from core.strategy import Strategy, strategy_to_dict
from tests.app.data import BASE, add_demo, add_run, add_score


def charts(app) -> dict[str, dict]:
    return {c.proto.alt: json.loads(c.proto.spec) for c in app.get("plotly_chart")}


def links(app) -> list[tuple[str, str]]:
    return [(p.proto.label, p.proto.query_string) for p in app.get("page_link")]


def test_each_count_is_there_and_leads_to_its_samples(open_page, services):
    add_demo(services)

    app = open_page("overview")

    assert ("5", "language=zh&state=reviewed") in links(app)
    assert ("1", "language=ru&state=new") in links(app)
    assert ("6", "language=en") in links(app)


def test_the_bars_count_new_suggested_and_reviewed(open_page, services):
    record = add_demo(services)
    key = services.store.samples.keys(collection_id=record.id)[-1]
    services.store.samples.add_suggestion(
        key, [], model_id=BASE, raw_reply="[]", prompt_version="v1", schema_number=1,
        decoding={}, seconds=1.0,
    )  # fmt: skip

    app = open_page("overview")

    bars = [t for t in charts(app)["How far is each language?"]["data"] if t["type"] == "bar"]
    totals = [sum(int(n or 0) for n in bar["text"]) for bar in bars]
    assert totals == [20, 1, 3]


def test_zero_shot_and_tuned_accuracy_stand_side_by_side_with_the_f1(open_page, services):
    record = add_demo(services)
    add_score(services, record, BASE, 10.0)
    run = add_run(services, record)
    add_score(services, record, f"run-{run}", 45.0)

    app = open_page("overview")

    table = app.table[0].value
    assert table.loc["Arguments, accuracy", "Spanish"] == "10.0 → 45.0"
    assert table.loc["Triggers, F1 (Tri-C)", "All"] == "10.0 → 45.0"
    bars = [t for t in charts(app)["Does training help?"]["data"] if t["type"] == "bar"]
    assert [bar["text"][0] for bar in bars] == ["10.0", "45.0", "10.0", "45.0"]


@pytest.mark.parametrize(
    ("examples", "name"),
    [
        ({}, "Zero-shot: Tiny"),
        ({"en": 0, "zh": 0}, "Zero-shot: Tiny"),
        ({"en": 4, "zh": 4}, "Base, 4 examples: Tiny"),
        ({"en": 1}, "Base, 1 example: Tiny"),
        ({"en": 0, "zh": 4}, "Base, up to 4 examples: Tiny"),
    ],
)
def test_the_bar_of_a_base_is_named_by_the_examples_it_was_shown(
    open_page, services, examples, name
):
    record = add_demo(services)
    strategies = {
        code: strategy_to_dict(Strategy("full.v1", shown)) for code, shown in examples.items()
    }
    add_score(services, record, BASE, 10.0, settings={"strategies": strategies})

    app = open_page("overview")

    bars = charts(app)["Does training help?"]["data"]
    assert name in [bar.get("name") for bar in bars]


def test_a_language_has_the_same_colour_on_every_plot(open_page, services):
    record = add_demo(services)
    add_score(services, record, BASE, 10.0)
    run = add_run(services, record)
    add_score(services, record, f"run-{run}", 45.0)

    app = open_page("overview")

    found = charts(app)
    coverage = found["How far is each language?"]["data"][0]
    accuracy = next(
        t
        for t in found["Does training help?"]["data"]
        if t["type"] == "bar" and t["text"][0] == "45.0"
    )
    colours = dict(zip(coverage["y"], coverage["marker"]["color"], strict=True))
    assert colours == dict(zip(accuracy["x"], accuracy["marker"]["color"], strict=True))


def test_the_loss_of_the_runs_is_drawn(open_page, services):
    record = add_demo(services)
    for _ in range(2):
        run = add_run(services, record)
        services.store.runs.add_losses(
            run, [LossPoint(i, 0.1, 2.0 - i / 10, 1e-4, 90.0, float(i)) for i in range(1, 5)]
        )

    app = open_page("overview")

    assert [line["name"] for line in charts(app)["Loss by step"]["data"]] == ["Run 2", "Run 1"]


def test_what_media_take_is_said_and_how_to_free_it(open_page, services):
    from core.media_records import MediaFile
    from core.samples import Media, Sample

    record = add_demo(services)
    kept = services.store.media.files.put(io.BytesIO(bytes(3000)))
    sample = Sample("picture", "en", "image", None, media=(Media("m1", "image", "a.png"),))
    services.store.imports.bring_in(
        record.name, [sample], schema=None, note="",
        files={"a.png": MediaFile(kept.sha256, kept.bytes, name="a.png")},
    )  # fmt: skip

    app = open_page("overview")

    told = " ".join(str(c.value) for c in app.caption)
    assert "Pictures, clips and sounds take 3 kB" in told
    assert "argus sweep" in told
