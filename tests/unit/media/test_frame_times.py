"""Times and frames: the frame at a time, the range of frames, the frames that VideoLLaMA2 takes."""

import json
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.frame_times import (
    FrameIndex,
    index_from_bytes,
    index_to_bytes,
    uniform_frames,
)

FIXTURE = Path(__file__).resolve().parents[4] / "shared/fixtures/preproc/preproc.json"
WORKED = [
    (1, 8, [0, 0, 0, 0, 0, 0, 0, 0]),
    (2, 8, [0, 0, 0, 0, 1, 1, 1, 1]),
    (3, 8, [0, 0, 1, 1, 1, 1, 2, 2]),
    (9, 8, [1, 2, 3, 4, 5, 6, 7, 8]),  # 0.5 and 1.5 round up, for the 1e-6
    (300, 8, [19, 56, 93, 131, 168, 206, 243, 280]),
    (17, 16, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16]),
    (4501, 16, [141, 422, 703, 984, 1266, 1547, 1828, 2109, 2391, 2672, 2953, 3234, 3516, 3797, 4078, 4359]),
]  # fmt: skip


def make_index(pts, *, base=Fraction(1, 600), keys=(0,), end=None, can_seek=True):
    return FrameIndex(
        base, np.array(pts, np.int64), np.array(keys, np.int64), end or pts[-1] + 20, can_seek
    )


@pytest.mark.parametrize(("total", "count", "wanted"), WORKED)
def test_frames_are_taken_from_the_middles_of_equal_segments(total, count, wanted):
    assert uniform_frames(total, count) == wanted


@pytest.mark.skipif(not FIXTURE.exists(), reason="the shared fixtures are not on this machine")
def test_every_case_of_the_fixture_gives_its_indices():
    cases = json.loads(FIXTURE.read_text())["frame_sample_uniform"]

    assert len(cases) > 30
    assert [uniform_frames(c["duration"], c["num_frames"]) for c in cases] == [c["indices"] for c in cases]  # fmt: skip


def test_nothing_is_taken_of_nothing():
    assert uniform_frames(0, 8) == []
    assert uniform_frames(8, 0) == []


def test_frames_of_a_range_begin_at_its_first():
    assert uniform_frames(3, 4, first=100) == [100, 101, 101, 102]


def test_a_frame_is_seen_from_its_time_until_the_next_one():
    index = make_index([0, 20, 50, 60])

    assert [index.frame_at(s) for s in (0, 0.0333, 20 / 600, 0.08, 50 / 600, 9)] == [0, 0, 1, 1, 2, 3]  # fmt: skip
    assert index.frame_at(-5) == 0


def test_a_time_rounded_to_millionths_still_means_its_frame():
    index = make_index(list(range(0, 3000, 10)), base=Fraction(1, 300))  # 1/30 s: 0.033333…

    assert [index.frame_at(round(index.time_of(n), 6)) for n in range(300)] == list(range(300))


@given(st.lists(st.integers(1, 5000), min_size=1, max_size=60), st.data())
def test_a_range_of_frames_is_read_back_as_those_frames(steps, data):
    pts = np.cumsum([7, *steps]).tolist()
    index = make_index(pts, base=Fraction(1, 90_000), end=pts[-1] + 3000)
    first = data.draw(st.integers(0, len(pts) - 1))
    last = data.draw(st.integers(first, len(pts) - 1))

    assert index.frames_of(*index.range_of(first, last)) == (first, last)


def test_a_moment_is_the_frame_seen_then():
    assert make_index([0, 20, 40]).frames_of(0.05, 0.05) == (1, 1)


def test_a_range_is_moved_to_the_borders_of_its_frames():
    assert make_index([0, 30, 60, 90]).snapped(0.06, 0.11) == (0.05, 0.15)


def test_a_frame_that_is_not_there_is_not_guessed():
    with pytest.raises(IndexError, match="frame 3 is not one of the 3 frames"):
        make_index([0, 20, 40]).time_of(3)
    with pytest.raises(IndexError, match="frame -1"):
        make_index([0, 20, 40]).end_of(-1)


def test_decoding_begins_at_the_key_frame_before_even_one_that_is_cut_away():
    index = make_index([0, 20, 40, 60], keys=(-40, 40))

    assert [index.key_before(n) for n in range(4)] == [-40, -40, 40, 40]
    assert make_index([0, 20], can_seek=False).key_before(1) is None


def test_a_rate_is_variable_where_steps_differ_by_more_than_rounding():
    assert not make_index([0, 33, 67, 100, 133]).is_variable
    assert make_index([0, 20, 60, 80]).is_variable
    assert not make_index([0]).is_variable


def test_an_index_is_kept_as_a_small_file_and_read_back():
    index = make_index([-5, 20, 2**40], keys=(-5, 20), can_seek=False)
    placed = replace(index, places=np.array([48, 9000, 2**33]))

    data = index_to_bytes(index)
    back = index_from_bytes(data)

    assert (back.pts.tolist(), back.keys.tolist()) == ([-5, 20, 2**40], [-5, 20])
    assert (back.time_base, back.end, back.can_seek) == (index.time_base, index.end, False)
    assert index_from_bytes(index_to_bytes(placed)).places.tolist() == [48, 9000, 2**33]
    with pytest.raises(ValueError, match="not a frame index"):
        index_from_bytes(data[:-1])
