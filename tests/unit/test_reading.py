"""What a text-only model is given of media, and where what it finds belongs; places that models write."""

from dataclasses import replace

import pytest

from core.events import Argument, Event, Mention, span
from core.formats.subtitles import Cue, transcript_of
from core.placed_words import PlacedText, PlacedWord
from core.places import Surface, read_places
from core.problems import Problem
from core.reading import Part, join_parts, place_events, read_events
from core.samples import Media, Sample

OWN = "Орбита 🚀 buys."
WORDS = PlacedText(
    "Fjord Sensors\n€210 million",
    (
        PlacedWord("Fjord", 0, 5, (0.1, 0.2, 0.1, 0.05)),
        PlacedWord("Sensors", 6, 13, (0.22, 0.2, 0.14, 0.05)),
        PlacedWord("€210", 14, 18, (0.1, 0.4, 0.08, 0.05)),
        PlacedWord("million", 19, 26, (0.2, 0.4, 0.14, 0.05)),
    ),
)
SAID = transcript_of([Cue(1.5, 2.5, "в понедельник"), Cue(3, 4, "утром")])
SAMPLE = Sample("s1", "ru", "mixed", OWN, media=(Media("m1", "image", "a.png"),))
PARTS = [
    Part("m1", "caption", "A slide"),
    Part("m1", "words", WORDS.text, placed=WORDS, has_pages=True),
    Part("m2", "transcript", SAID.text, transcript=SAID),
]


def find(reading, words, *, longer=0):
    at = reading.sample.text.index(words)
    return span(reading.sample.text, at, at + len(words) + longer, confidence=0.5)


def placed(mention, reading):
    (event,), problems = place_events([Event("x", mention)], reading)
    return event.trigger, problems


def test_the_parts_stand_behind_the_text_each_under_what_it_is():
    reading = join_parts(SAMPLE, PARTS)

    assert reading.sample.text == (
        f"{OWN}\n\n[m1: caption]\nA slide\n\n[m1: words in the picture]\nFjord Sensors\n€210 million"
        "\n\n[m2: what is said]\nв понедельник\nутром"
    )
    assert reading.what == ["caption", "words", "transcript"]
    assert join_parts(SAMPLE, [Part("m1", "words", " ")]).sample is SAMPLE


def test_a_span_of_the_text_stays_one_and_ends_with_the_text():
    reading = join_parts(SAMPLE, PARTS)

    own, problems = placed(find(reading, "🚀 buys"), reading)
    long, _ = placed(find(reading, "buys.", longer=5), reading)

    assert (own.text, own.start, own.end, own.media, problems) == ("🚀 buys", 7, 13, None, ())
    assert (long.text, long.start, long.end) == ("buys.", 9, 14)


def test_a_span_of_the_words_is_a_span_and_a_box_of_the_picture():
    reading = join_parts(SAMPLE, PARTS)

    found, _ = placed(find(reading, "Fjord Sensors"), reading)
    below, _ = placed(find(reading, "€210 million", longer=4), reading)

    assert (found.media, found.page, found.start, found.end) == ("m1", 0, 0, 13)
    assert found.box == pytest.approx((0.1, 0.2, 0.26, 0.05))
    assert found.confidence == 0.5
    assert WORDS.text[below.start : below.end] == below.text == "€210 million"
    assert below.box == pytest.approx((0.1, 0.4, 0.24, 0.05))


def test_a_span_of_the_transcript_is_a_range_of_the_clip():
    reading = join_parts(SAMPLE, PARTS)

    found, _ = placed(find(reading, "понедельник\nутром"), reading)

    assert (found.media, found.start, found.end, found.range) == ("m2", 2, 19, (1.5, 4))
    assert found.box is None
    assert found.text == SAID.text[2:19]


def test_words_of_a_caption_have_no_place_and_those_of_a_heading_are_not_in_the_text():
    reading = join_parts(SAMPLE, PARTS)

    caption, told = placed(find(reading, "slide"), reading)
    heading, missed = placed(find(reading, "what is said"), reading)

    assert (caption.kind, caption.media, caption.text) == ("unanchored", "m1", "slide")
    assert told == (Problem("in_caption", {"words": "slide", "media": "m1"}),)
    assert (heading.kind, heading.text) == ("unanchored", "what is said")
    assert missed == (Problem("not_in_text", {"words": "what is said"}),)


def test_a_sample_without_a_text_is_its_parts():
    reading = join_parts(replace(SAMPLE, text=None), PARTS[1:2])

    found, _ = placed(find(reading, "Fjord"), reading)

    assert (found.media, found.start, found.end) == ("m1", 0, 5)
    assert not reading.is_blank
    assert join_parts(replace(SAMPLE, text=None), []).is_blank


def test_mentions_of_media_go_where_their_words_are_read_and_come_back_as_they_were():
    reading = join_parts(SAMPLE, PARTS)
    told = Event(
        "deal",
        find(reading, "buys"),
        (
            Argument("target", find(reading, "Fjord Sensors")),
            Argument("price", find(reading, "€210 million")),
            Argument("time", find(reading, "утром")),
        ),
    )

    (placed_event,), _ = place_events([told], reading)
    (back,) = read_events([placed_event], reading)

    assert [a.mention.media for a in placed_event.arguments] == ["m1", "m1", "m2"]
    assert [m.place for m in back.mentions()] == [m.place for m in told.mentions()]
    assert [m.text for m in back.mentions()] == [m.text for m in told.mentions()]


def test_of_media_what_has_no_words_to_read_is_left_out():
    reading = join_parts(SAMPLE, PARTS)
    logo = Mention(None, media="m1", box=(0, 0, 0.1, 0.1))
    drawn = Mention("slide", media="m1", box=(0, 0, 0.5, 0.5))
    lift_off = Mention(None, media="m2", range=(0, 2))
    unread = Mention("Selene", media="m3", box=(0, 0, 0.1, 0.1))
    roles = [Argument("a", m) for m in (logo, drawn, unread)]

    (event,) = read_events([Event("deal", lift_off, tuple(roles))], reading)

    assert event.trigger is None
    (kept,) = event.arguments
    assert reading.sample.text[kept.mention.start : kept.mention.end] == "slide"
    assert kept.mention.media is None
    assert kept.mention.box is None


# ---------------------------------------------------------------- places

SURFACES = {
    "m1": Surface("m1", "image", words=WORDS),
    "m2": Surface("m2", "video", duration=20.0),
    "m 3": Surface("m 3", "document", pages=3),
    "m4": Surface("m4", "audio", duration=9.0),
}


def read(words):
    event = Event("x", None, (Argument("r", Mention(text=words, confidence=0.25)),))
    (event,), problems, known = read_places([event], SURFACES)
    return event.arguments[0].mention, problems, known


@pytest.mark.parametrize(
    ("words", "media", "page", "box", "range_", "frames"),
    [
        ("m1 [500,250,1000,750]", "m1", None, (0.5, 0.25, 0.5, 0.5), None, ()),
        ("m1 [0.5, 0.25, 1, 0.75]", "m1", None, (0.5, 0.25, 0.5, 0.5), None, ()),
        ("m 3 p2 [0,0,10,10]", "m 3", 1, (0, 0, 0.01, 0.01), None, ()),
        ("m2 12.4-15.0", "m2", None, None, (12.4, 15.0), ()),
        ("m2 3-20.4s", "m2", None, None, (3, 20), ()),
        ("m2 1-2 [100,100,200,300]", "m2", None, None, (1, 2), ((1, 0.1, 0.1, 0.1, 0.2),)),
        ("m4 0-9", "m4", None, None, (0, 9), ()),
    ],
)
def test_a_place_is_read(words, media, page, box, range_, frames):
    found, problems, known = read(words)

    assert (found.media, found.page, found.range, found.keyframes) == (media, page, range_, frames)
    assert found.box == (box and pytest.approx(box))
    assert (problems, known, found.confidence) == ((), {words}, 0.25)


def test_a_box_has_the_words_that_were_read_in_it():
    found, _, _ = read("m1 [90,190,365,260]")

    assert (found.text, found.start, found.end) == ("Fjord Sensors", 0, 13)


@pytest.mark.parametrize(
    "words",
    [
        "m1 [0,0,1001,10]", "m1 [500,0,400,10]", "m1 [5,5,5,5]", "m1 [-1,0,5,5]", "m1 1-2",
        "m1 p2 [0,0,9,9]", "m 3 p9 [0,0,9,9]", "m 3 p0 [0,0,9,9]", "m2 19-99", "m2 5-4", "m2 7-7",
        "m2 [0,0,9,9]", "m4 1-2 [0,0,9,9]", "m2 999999999-999999999", "m2 20.5-20.7",
    ],
)  # fmt: skip
def test_a_place_that_is_not_in_the_medium_is_a_problem_and_keeps_its_words(words):
    found, problems, known = read(words)

    assert (found.kind, found.text) == ("unanchored", words)
    assert problems == (Problem("bad_place", {"words": words}),)
    assert known == {words}


@pytest.mark.parametrize(
    "words", ["m9 [0,0,9,9]", "m1", "a train", "m1 [1,2,3]", "[0,0,9,9]", "m2 soon"]
)
def test_words_that_are_no_place_stay_words(words):
    found, problems, known = read(words)

    assert (found.text, found.kind, problems, known) == (words, "unanchored", (), frozenset())
