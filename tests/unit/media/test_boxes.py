"""Boxes are exact: within half a screen pixel at any zoom, and the same after every round trip."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import boxes
from core.errors import MediaError

SIZES = st.tuples(st.integers(1, 12_000), st.integers(1, 12_000))
ZOOMS = st.sampled_from([0.05, 0.25, 1 / 3, 1.0, 1.5, 2.0, 8.0])
FRACTION = st.floats(0, 1, allow_nan=False)


@st.composite
def some_box(draw):
    x, y = draw(st.floats(0, 0.99)), draw(st.floats(0, 0.99))
    return boxes.tidy((x, y, draw(st.floats(0.001, 1 - x)), draw(st.floats(0.001, 1 - y))))


@given(some_box(), SIZES, ZOOMS)
def test_each_edge_lies_within_half_a_screen_pixel_of_its_fraction(box, size, zoom):
    edges = boxes.pixel_edges(box, *size, zoom=zoom)

    x, y, w, h = box
    exact = [v * s * zoom for v, s in zip((x, y, x + w, y + h), size * 2, strict=True)]
    assert all(abs(a - b) <= 0.5 + 1e-9 for a, b in zip(edges, exact, strict=True))


@given(SIZES, ZOOMS, st.data())
def test_corners_drawn_on_the_screen_come_back_to_the_pixel(size, zoom, data):
    across, down = int(size[0] * zoom), int(size[1] * zoom)
    if across < 1 or down < 1:
        return
    left = data.draw(st.integers(0, across - 1))
    top = data.draw(st.integers(0, down - 1))
    right = data.draw(st.integers(left + 1, across))
    bottom = data.draw(st.integers(top + 1, down))

    box = boxes.box_of_edges(left, top, right, bottom, *size, zoom=zoom)

    assert boxes.pixel_edges(box, *size, zoom=zoom) == (left, top, right, bottom)


@given(some_box())
def test_a_box_stays_itself_through_a_crop_and_back(box):
    region = (0.0, 0.0, 1.0, 1.0)
    assert boxes.outside(boxes.inside(box, region), region) == pytest.approx(box, abs=1e-8)
    assert boxes.inside(box, box) == pytest.approx(boxes.WHOLE)


@given(some_box(), st.sampled_from([0, 90, 180, 270]))
def test_a_box_turned_four_times_is_where_it_was(box, degrees):
    turned = box
    for _ in range(4):
        turned = boxes.turn(turned, degrees)
    assert turned == pytest.approx(box, abs=1e-7)


def test_a_box_drawn_backwards_or_over_the_edge_is_put_right():
    assert boxes.box_of_edges(80, 60, 20, 40, 100, 100) == (0.2, 0.4, 0.6, 0.2)
    assert boxes.box_of_edges(-30, 50, 50, 400, 100, 100) == (0.0, 0.5, 0.5, 0.5)


@pytest.mark.parametrize(
    "corners", [(5, 5, 5, 50), (120, 5, 140, 50), (float("nan"), 0, 1, 1), (0, 0, float("inf"), 1)]
)
def test_a_box_without_an_area_on_the_picture_is_refused(corners):
    with pytest.raises(MediaError, match="box"):
        boxes.box_of_edges(*corners, 100, 100)


def test_overlap_is_what_geometry_says():
    assert boxes.iou((0, 0, 0.5, 0.5), (0, 0, 0.5, 0.5)) == 1
    assert boxes.iou((0, 0, 0.5, 0.5), (0.5, 0.5, 0.5, 0.5)) == 0
    assert boxes.iou((0, 0, 0.4, 1), (0.2, 0, 0.4, 1)) == pytest.approx(1 / 3)
    assert boxes.around([(0.1, 0.1, 0.1, 0.1), (0.5, 0.3, 0.2, 0.6)]) == (0.1, 0.1, 0.6, 0.8)


def test_a_box_between_keyframes_lies_on_the_straight_line():
    frames = [(2.0, 0.4, 0.2, 0.2, 0.4), (0.0, 0.0, 0.0, 0.2, 0.2)]

    assert boxes.box_at(frames, 0.5) == (0.1, 0.05, 0.2, 0.25)
    assert boxes.box_at(frames, -1) == (0.0, 0.0, 0.2, 0.2)
    assert boxes.box_at(frames, 9) == boxes.box_at(frames, 2.0) == (0.4, 0.2, 0.2, 0.4)
    assert boxes.box_at([], 1) is None


def test_keyframes_are_set_replaced_and_removed_in_order_of_time():
    frames = boxes.set_keyframe((), 1.0, (0.1, 0.1, 0.2, 0.2))
    frames = boxes.set_keyframe(frames, 0.0, (0.0, 0.0, 0.2, 0.2))
    frames = boxes.set_keyframe(frames, 1.0, (0.5, 0.1, 0.2, 0.2))

    assert frames == ((0.0, 0.0, 0.0, 0.2, 0.2), (1.0, 0.5, 0.1, 0.2, 0.2))
    assert boxes.remove_keyframe(frames, 0.9) == (frames[0],)
    assert boxes.remove_keyframe((), 1) == ()


@given(
    st.lists(
        st.tuples(st.floats(0, 60), FRACTION), min_size=1, max_size=40, unique_by=lambda p: p[0]
    )
)
def test_keyframes_left_out_are_those_that_the_others_say_already(points):
    frames = [(t, x * 0.5, 0.1, 0.3, 0.3) for t, x in points]

    needed = boxes.needed_keyframes(frames, tolerance=0.01)

    assert set(needed) <= set(frames)
    for time, *box in frames:
        assert boxes.box_at(needed, time) == pytest.approx(tuple(box), abs=0.0101)


def test_keyframes_on_one_line_need_only_their_ends():
    frames = [(t / 10, t / 100, 0.1, 0.2, 0.2) for t in range(50)]

    assert boxes.needed_keyframes(frames) == (frames[0], frames[-1])
