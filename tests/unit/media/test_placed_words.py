"""A span in the text of a picture is also a box, and a box is also a span."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.boxes import iou
from core.errors import LineError
from core.media.ocr import engine_for, lines_of_tsv
from core.placed_words import (
    PlacedText,
    ReadLine,
    boxes_of_span,
    join_pages,
    place_lines,
    placed_from_dict,
    placed_to_dict,
    span_of_box,
)

WORDS = [
    ["Verbena", "Labs", "released", "Tula", "3"],
    list("韦尔贝纳实验室周四推出"),
    ["Компания", "выпустила", "«Тулу", "3»", "😀"],
]


def line(words, row, *, glue=" "):
    """Words side by side, each as wide as it has letters."""
    placed, at = [], 0.02
    for word in words:
        placed.append((word, (at, row, 0.012 * len(word), 0.05), 0.9))
        at += 0.012 * (len(word) + len(glue))
    return ReadLine(glue.join(words), tuple(placed))


TEXT = place_lines([line(WORDS[0], 0.1), line(WORDS[1], 0.2, glue=""), line(WORDS[2], 0.3)])


def test_each_word_says_what_the_text_says_at_its_offsets():
    assert (
        TEXT.text
        == "Verbena Labs released Tula 3\n韦尔贝纳实验室周四推出\nКомпания выпустила «Тулу 3» 😀"
    )
    assert [w.text for w in TEXT.words] == [w for row in WORDS for w in row]
    for word in TEXT.words:
        assert TEXT.text[word.start : word.end] == word.text


@given(st.data())
def test_the_box_of_whole_words_gives_their_span_again(data):
    words = TEXT.words
    first = data.draw(st.integers(0, len(words) - 1))
    row = words[first].box[1]
    last = data.draw(
        st.sampled_from([i for i in range(first, len(words)) if words[i].box[1] == row])
    )
    span = (words[first].start, words[last].end)

    boxes = boxes_of_span(TEXT, *span)

    assert len(boxes) == 1
    assert span_of_box(TEXT, boxes[0][1]) == span


def test_a_span_over_two_lines_has_a_box_for_each():
    boxes = boxes_of_span(TEXT, TEXT.text.index("Tula"), TEXT.text.index("尔") + 1)

    assert [round(box[1], 2) for _, box in boxes] == [0.1, 0.2]


def test_a_span_inside_a_word_takes_its_share_of_the_box():
    word = TEXT.words[2]
    ((_, box),) = boxes_of_span(TEXT, word.start, word.start + 4)

    assert iou(box, word.box) == pytest.approx(0.5, abs=1e-6)


def test_what_lies_nowhere_has_no_box_and_no_span():
    assert boxes_of_span(TEXT, len(TEXT.text), len(TEXT.text) + 3) == ()
    assert span_of_box(TEXT, (0.9, 0.9, 0.1, 0.1)) is None
    assert span_of_box(TEXT, (0, 0, 1, 1), page=1) is None
    assert place_lines([]) == PlacedText("")


def test_pages_are_joined_and_words_keep_their_page():
    pages = [place_lines([line(["один"], 0.1)], page=0, engine="a"), place_lines([]),
             place_lines([line(["два", "три"], 0.1)], page=2, engine="a")]  # fmt: skip

    joined = join_pages(pages)

    assert joined.text == "один\n\nдва три"
    assert [(joined.text[w.start : w.end], w.page) for w in joined.words] == [
        ("один", 0), ("два", 2), ("три", 2)
    ]  # fmt: skip
    assert joined.engine == "a"


def test_a_word_that_its_line_does_not_have_is_left_out():
    odd = ReadLine("Tula 3", (("Tula", (0, 0, 0.1, 0.1), None), ("Lira", (0.2, 0, 0.1, 0.1), None)))

    assert [w.text for w in place_lines([odd]).words] == ["Tula"]


def test_the_text_and_its_words_survive_json():
    assert placed_from_dict(placed_to_dict(TEXT)) == TEXT
    for broken in ({"text": None}, {"text": "a", "words": [[0, 9, 0, 0, 0, 1, 1, None]]},
                   {"text": "a", "words": [[0, 1]]}, {"text": "a", "words": [["0", 1, 0, 0, 0, 1, 1, None]]}):  # fmt: skip
        with pytest.raises(LineError):
            placed_from_dict(broken)


@pytest.mark.parametrize(
    ("languages", "engine"),
    [(["en"], "rapidocr"), (["zh", "en"], "rapidocr"), (["es"], "rapidocr"), (["ru"], "tesseract"),
     (["ru", "en"], "tesseract"), (["hi"], "tesseract"), ([], "tesseract")],
)  # fmt: skip
def test_each_language_has_its_engine(languages, engine):
    assert engine_for(languages) == engine


def test_a_quotation_mark_in_tesseracts_table_is_a_letter():
    head = "level\tpage_num\tblock_num\tpar_num\tline_num\tword_num\tleft\ttop\twidth\theight\tconf\ttext\n"
    rows = '5\t1\t1\t1\t1\t1\t10\t20\t30\t10\t96.5\t"Тула\n5\t1\t1\t1\t1\t2\t50\t20\t10\t10\t-1\t3"\n4\t1\t1\t1\t2\t0\t0\t0\t9\t9\t-1\t\n'

    (found,) = lines_of_tsv(head + rows, 100, 100)

    assert found.text == '"Тула 3"'
    assert found.words[0] == ('"Тула', (0.1, 0.2, 0.3, 0.1), 0.965)
    assert found.words[1][2] == 0
