"""Cutting a text into parts that fit: every script, between sentences where it can."""

from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from core.spans import borders
from core.text_parts import cut_text

SENTENCES = [
    ("en", "Intel opened a lab in Oslo. Nokia left! Did Ericsson stay? “Yes.” It did."),
    ("zh", "华为发布了芯片。小米也来了！谁留下？“他们都在。”完了。"),
    ("es", "Telefónica lanzó un servicio. ¡Vodafone no! ¿Quién queda? «Nadie.» Fin."),
    ("ru", "Яндекс открыл офис. МТС закрыла свой! Кто остался? «Никто.» Конец."),
    ("ar", "افتتحت الشركة مختبرا. هل بقيت؟ نعم بقيت. انتهى."),
    ("hi", "कंपनी ने प्रयोगशाला खोली। क्या वह रही? हाँ। समाप्त।"),
    ("ja", "会社は研究所を開いた。残ったか？はい。終わり。"),
    ("lines", "Sales rose\r\nCosts fell\r\n\r\nProfit stayed\n- one item\n- another item"),
]
SCRIPTS = st.text(
    st.sampled_from("ab Zя Ж。，.!?！华为芯片\r\n\t\"'«»\u0301\u200d👩🔬👍🏽🚀é ไทย")
    | st.characters(),
    max_size=400,
)


def shorter_than(limit):
    return lambda piece: len(piece) <= limit


@pytest.mark.parametrize(("name", "text"), SENTENCES)
def test_a_part_ends_with_a_sentence_and_the_next_begins_with_one(name, text):
    parts = cut_text(text, shorter_than(len(text) * 2 // 3))

    assert len(parts) >= 2
    for start, end in parts:
        before, after = text[:start].rstrip(" "), text[:end].rstrip(" ")
        assert not before or before[-1] in ".!?。！？؟।\n”»"
        assert end == len(text) or after[-1] in ".!?。！？؟।\n”»"


def test_the_last_sentences_of_a_part_are_read_again_with_the_next():
    text = "".join(f"Sentence number {n} is here. " for n in range(10, 60))

    parts = cut_text(text, shorter_than(300))

    for (start, end), (following, _) in pairwise(parts):
        assert start < following < end
        assert text[following:].startswith("Sentence")
        assert (end - following) <= (end - start) // 2


def test_a_text_is_cut_into_no_more_parts_than_the_overlap_needs():
    text = "公司发布了新的芯片。" * 100  # 1000 characters

    parts = cut_text(text, shorter_than(200))

    assert len(parts) == 7  # of 200, each beginning 50 before the end of the one before
    assert all(end - start == 200 for start, end in parts[:-1])


@pytest.mark.parametrize("text", ["слово " * 200, "芯片" * 400, "ไทยแลนด์" * 100, "x" * 900])
def test_a_sentence_that_does_not_fit_is_cut_inside(text):
    parts = cut_text(text, shorter_than(150))

    assert parts[0][0] == 0
    assert parts[-1][1] == len(text)
    assert all(0 < end - start <= 150 for start, end in parts)
    if " " in text:
        assert all({start, end} <= borders(text) for start, end in parts)


def test_a_long_sentence_does_not_break_up_the_short_one_before_it():
    text = "Short one. " + "word " * 18 + "end. Another short one."

    parts = cut_text(text, shorter_than(100))

    assert (text[slice(*parts[0])], text[slice(*parts[-1])][-4:]) == ("Short one. ", "one.")
    assert text[parts[1][0] :].startswith("word")


def test_where_nothing_fits_there_are_no_parts():
    assert cut_text("华为 launched", lambda _: False) == []


@given(SCRIPTS, st.integers(1, 120))
@example("a.\r\nb", 2)
@example("…" * 300, 7)
@example(" " * 300, 9)
def test_parts_fit_cover_the_text_and_move_on_whatever_the_text(text, limit):
    parts = cut_text(text, shorter_than(limit))

    assert all(0 < end - start <= limit for start, end in parts)
    assert [start for start, _ in parts[:1]] == [0] * bool(text)
    for (_, end), (start, following) in pairwise(parts):
        assert start <= end < following
    assert not text or parts[-1][1] == len(text)


@given(SCRIPTS, st.integers(2, 60))
def test_parts_fit_where_longer_texts_may_count_less(text, limit):
    """As with tokens, where one character more may join two tokens to one."""

    def fits(piece):
        return len(piece.encode("utf-8", "surrogatepass")) // 2 + piece.count(" ") % 2 <= limit

    parts = cut_text(text, fits)

    assert all(fits(text[start:end]) for start, end in parts)
    assert not text or parts[-1][1] == len(text)
