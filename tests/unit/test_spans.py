"""Where words lie: pieces, borders and occurrences in every script."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.spans import borders, likely_argument, likely_trigger, occurrences, pieces, without_breaks

PIECES = [
    (
        "Intel launched a 5G chip.",
        ["Intel", " ", "launched", " ", "a", " ", "5G", " ", "chip", "."],
    ),
    ("华为发布5G芯片。", ["华", "为", "发", "布", "5G", "芯", "片", "。"]),
    ("«Яндекс» открыл", ["«", "Яндекс", "»", " ", "открыл"]),
    ("¡Lanzó a José!", ["¡", "Lanzó", " ", "a", " ", "José", "!"]),
    ("Jose\u0301 vino", ["Jose\u0301", " ", "vino"]),  # a combining acute
    ("ok.🚀 go", ["ok", ".", "🚀", " ", "go"]),
    ("👩‍🔬来了", ["👩‍🔬", "来", "了"]),  # joined by a zero-width joiner
    ("👍🏽x", ["👍🏽", "x"]),
    ("शक्ति है", ["शक्ति", " ", "है"]),
    ("أطلقت الشركة", ["أطلقت", " ", "الشركة"]),
    ("a\r\nb", ["a", "\r", "\n", "b"]),
]


@pytest.mark.parametrize(("text", "wanted"), PIECES)
def test_a_text_is_cut_into_words_or_characters_by_its_script(text, wanted):
    assert pieces(text) == wanted


@given(st.text(max_size=200))
def test_pieces_joined_are_the_text(text):
    assert "".join(pieces(text)) == text


@given(st.text(min_size=1, max_size=60), st.data())
def test_a_planted_span_is_found_where_it_was_planted(text, data):
    edges = sorted(borders(text))
    start = data.draw(st.sampled_from(edges[:-1]))
    end = data.draw(st.sampled_from([e for e in edges if e > start]))

    assert start in occurrences(text, text[start:end])


def test_whole_words_are_preferred_to_parts_of_words():
    assert occurrences("AIR and AI", "AI") == [8]
    assert occurrences("комета и мета", "мета") == [9]


def test_part_of_a_word_is_found_where_no_whole_word_is():
    assert occurrences("AIR", "AI") == [0]


def test_every_character_of_chinese_is_a_border():
    assert occurrences("收购方收购了公司", "收购") == [0, 3]


def test_the_second_trigger_of_the_same_words_means_the_second_place():
    assert [likely_trigger([3, 17], n) for n in (0, 1, 2)] == [3, 17, 17]


def test_an_argument_means_the_place_nearest_to_its_trigger():
    assert likely_argument([0, 30], 5, (26, 29)) == 30
    assert likely_argument([0, 30], 5, (7, 9)) == 0
    assert likely_argument([4, 30], 5, None) == 4


@given(st.text(max_size=100))
def test_blanks_become_spaces_without_moving_an_offset(text):
    clean = without_breaks(text)

    assert len(clean) == len(text)
    assert not any(c in clean for c in "\n\r\t\0\u2028")
