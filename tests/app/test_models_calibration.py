"""Models: how reliable a model's confidences are, before and after calibration."""

from __future__ import annotations

import random

import pytest

from core.calibration import KINDS, Pair
from core.fitting import LEAST
from core.reliability import calibrate
from tests.app.data import BASE, TEXTS, add_demo
from tests.app.test_models import said


@pytest.fixture
def calibrated(services):
    """The demo collection with a base whose confidences were 30 points off or so."""
    record, draw = add_demo(services), random.Random(5)
    pairs = []
    for language in TEXTS:
        for kind in KINDS:
            for number in range(60):
                sure = draw.uniform(0.5, 1.0)
                pairs.append(
                    Pair(language, f"{language}{number}", kind, sure, draw.random() < sure**3)
                )
    services.store.calibrations.add(record.id, BASE, calibrate(pairs, samples=88))
    return record


def test_what_is_not_known_yet_says_what_it_takes_and_offers_it(open_page, services):
    record = add_demo(services)
    app = open_page("models")

    app.button(key=f"calibrate_{BASE}").click().run()

    assert not app.exception
    assert f"it takes {LEAST} suggested parts" in said(app)
    (job,) = services.store.jobs.open("calibrate")
    assert job.payload == {"collection": record.id, "model": BASE}
    assert not [b for b in app.button if b.key == f"calibrate_{BASE}"]


def test_too_few_reviews_are_counted(open_page, services):
    record = add_demo(services)
    pairs = [Pair("zh", "s", "type", 0.9, True)] * 7
    services.store.calibrations.add(record.id, BASE, calibrate(pairs, samples=3))

    app = open_page("models")

    assert "7 parts of 3 samples are too few" in said(app)


def test_the_error_stands_before_and_after_for_each_language_and_part(
    open_page, calibrated, services
):
    app = open_page("models")

    table = next(
        t.value for t in app.table if "Parts" in t.value.columns and "Words" in t.value.columns
    )
    found = services.store.calibrations.newest(calibrated.id, BASE)
    assert list(table.index) == ["All", "English", "Chinese", "Spanish", "Russian"]
    assert table.loc["Chinese", "Parts"] == "240"
    for language in table.index:
        before, after = map(float, table.loc[language, "All"].split(" → "))
        assert after < before / 2
    assert f"On {found.pairs} parts of 88 samples" in said(app)


@pytest.mark.parametrize(("language", "name"), [("zh", "Chinese"), ("ru", "Russian")])
def test_the_plot_has_its_figures_beside_it_for_the_language_that_is_chosen(
    open_page, calibrated, services, language, name
):
    app = open_page("models")
    app.selectbox(key=f"calibration_{BASE}").set_value(language).run()

    bins = next(t.value for t in app.table if "Mean" in t.value.columns)
    figure = services.store.calibrations.newest(calibrated.id, BASE).figure(language, "trigger")
    mine = bins[(bins["Part"] == "Trigger") & (bins["Confidence"] == "calibrated")]
    assert not app.exception
    assert app.selectbox(key=f"calibration_{BASE}").options[2] == "Chinese"
    assert list(mine["Mean"]) == [f"{b.confidence:.2f}" for b in figure.after]
    assert list(mine["Right"]) == [f"{b.right:.2f}" for b in figure.after]
    assert name in app.selectbox(key=f"calibration_{BASE}").options
