"""Figures, times, sizes and messages as the pages write them."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from core.records import LossPoint
from pages._ui.layout import escape, write_sentence
from pages._ui.progress import seconds_left
from pages._ui.words import (
    write_duration,
    write_figure,
    write_hanging,
    write_list,
    write_size,
    write_time,
)


def test_a_time_is_written_out_in_the_zone_of_the_browser():
    moment = datetime(2026, 11, 3, 23, 30, tzinfo=UTC)

    written = write_time(moment, zone=timezone(timedelta(hours=9)))

    assert written == "4 November 2026, 08:30"


@pytest.mark.parametrize(
    ("seconds", "written"),
    [
        (0, "0 s"),
        (89, "89 s"),
        (90, "2 min"),
        (1500, "25 min"),
        (3600, "1 h 0 min"),
        (7500, "2 h 5 min"),
    ],
)
def test_a_length_of_time_is_written_in_its_largest_units(seconds, written):
    assert write_duration(seconds) == written


@pytest.mark.parametrize(
    ("size", "written"), [(0, "0 kB"), (1, "1 kB"), (5_300_000, "5 MB"), (1_640_000_000, "1.6 GB")]
)
def test_bytes_are_written_in_a_unit_that_fits(size, written):
    assert write_size(size) == written


def test_no_figure_is_a_dash_and_not_a_nought():
    assert write_figure(None) == "–"
    assert write_figure(0.0) == "0.0"


def test_what_hangs_on_something_is_a_list_without_noughts():
    said = write_hanging({"samples": 240, "reviews": 1, "drafts": 0, "suggestions": 2})

    assert said == "240 samples, 1 review and 2 suggestions"
    assert write_list([]) == ""


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("max_tokens is 5: too few", "max_tokens is 5: too few"),
        ("*новости* [1] :red[a] $5", r"\*новости\* \[1] \:red\[a] \$5"),
        ("事件_类型", "事件_类型"),
        ("_начало", r"\_начало"),
        ("# нет", r"\# нет"),
    ],
)
def test_data_is_shown_as_it_is_and_not_as_markup(text, shown):
    assert escape(text) == shown


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        ("the file is empty", "The file is empty"),
        ("файл пуст", "Файл пуст"),
        ("batch_size must be 1 or more", "batch_size must be 1 or more"),
        ("run-3 is worse", "run-3 is worse"),
        ("", ""),
    ],
)
def test_a_message_begins_with_a_capital_unless_it_begins_with_an_id(message, shown):
    assert write_sentence(message) == shown


def test_the_time_left_follows_the_pace_of_the_last_steps():
    points = [LossPoint(i, 0.0, 1.0, 1e-4, 90.0, 4.0 * i) for i in range(1, 11)]

    assert seconds_left(points, 20) == pytest.approx(40)
    assert seconds_left(points[:1], 20) is None
    assert seconds_left(points, 5) == 0
