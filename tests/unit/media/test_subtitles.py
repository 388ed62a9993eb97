"""SRT and WebVTT: cues with times, words with times, and all other markup kept as text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import FileError, InputError
from core.formats.subtitles import (
    Cue,
    cues_of_words,
    read_subtitles,
    transcript_of,
    write_srt,
    write_vtt,
)

SRT = """1
00:00:01,000 --> 00:00:02,500
Intel купила <i>завод</i>
в Дрездене

2
00:00:02,500 --> 00:01:04,050
华为发布了🚀芯片
"""
VTT = """WEBVTT - речь

NOTE a note --> that is no cue

STYLE
::cue { color: url(http://example.org) }

intro
00:01.000 --> 00:03.000 align:start position:0%
<v Ana>Hola <00:01.500><c.loud>Madrid</c> <00:02.000>&lt;hoy&gt;
"""


def cues_in(text: str, name: str = "a.srt") -> list[Cue]:
    cues, problems = read_subtitles(text.encode(), name=name)
    assert problems == []
    return cues


def test_an_srt_file_is_read():
    assert cues_in(SRT) == [
        Cue(1.0, 2.5, "Intel купила завод\nв Дрездене"),
        Cue(2.5, 64.05, "华为发布了🚀芯片"),
    ]


def test_a_vtt_file_is_read_with_the_times_of_its_words():
    (cue,) = cues_in(VTT)

    assert (cue.start, cue.end, cue.text) == (1.0, 3.0, "Hola Madrid <hoy>")
    assert [(a, b, cue.text[i:j]) for a, b, i, j in cue.words] == [
        (1.0, 1.5, "Hola"), (1.5, 2.0, "Madrid"), (2.0, 3.0, "<hoy>"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (SRT.replace("\n", "\r\n"), "Intel купила завод\nв Дрездене"),
        (SRT.replace("\n", "\r"), "Intel купила завод\nв Дрездене"),
        ("\ufeff" + SRT, "Intel купила завод\nв Дрездене"),
        ("00:00:01,000 --> 00:00:02,000\nбез номера", "без номера"),
        ("1\n00:00:01.000 --> 00:00:02.000\n{\\an8}точка", "точка"),
        ("1\n0:0:01,5 --> 0:0:02,000\nкороткие", "короткие"),
        ("1\n0:0:1 --> 0:0:2\nx", None),
        ("1\n00:00:01,000-->00:00:02,000\n紧", "紧"),
        ("1\n00:00:01,000 --> 00:00:02,000\n甲\n2\n00:00:03,000 --> 00:00:04,000\n乙", "甲"),
        ("1\n00:00:01,000 --> 00:00:02,000\n2024\n\n", "2024"),
    ],
)
def test_what_other_programs_write_is_read(text, wanted):
    cues, problems = read_subtitles(text.encode(), name="a.srt")

    assert [c.text for c in cues][:1] == ([wanted] if wanted else [])
    assert bool(problems) is (wanted is None)


@pytest.mark.parametrize("coding", ["utf-16", "utf-8-sig"])
def test_files_with_a_byte_order_mark_are_read(coding):
    cues, _ = read_subtitles(SRT.encode(coding), name="a.srt")

    assert cues[1].text == "华为发布了🚀芯片"


@pytest.mark.parametrize(
    "hostile",
    [
        "<script>alert(1)</script>",
        '<img src="http://example.org/x.png" onerror=alert(1)>',
        "<svg/onload=alert(1)>",
        "</body><iframe src=javascript:alert(1)>",
        "{{7*7}} ${x} [x](javascript:y) :red[x]",
        "a < b && c > d &amp; --&gt;",
    ],
)
def test_hostile_markup_is_text_like_any_other(hostile):
    srt = cues_in(f"1\n00:00:01,000 --> 00:00:02,000\n{hostile}\n")
    vtt = cues_in(write_vtt(srt).decode(), name="a.vtt")

    assert [c.text for c in srt] == [c.text for c in vtt] == [hostile]


def test_what_cannot_be_used_is_told_by_line_and_the_rest_is_kept():
    text = SRT + "\n3\n00:00:09,000 --> 00:00:08,000\nback\n\n4\n1 --> 2\nx\n"

    cues, problems = read_subtitles(text.encode(), name="a.srt")

    assert len(cues) == 2
    assert [(p.line, p.message[:45]) for p in problems] == [
        (11, "the times '00:00:09,000 --> 00:00:08,000' can"),
        (15, "the times '1 --> 2' cannot be used: write `00"),
    ]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "has no subtitles"),
        (b"WEBVTT\n\nNOTE nothing\n", "has no subtitles"),
        ("просто текст".encode(), "has no subtitles"),
        ("1\n00:00:01,000 --> 00:00:02,000\nЗавод".encode("cp1251"), "is not UTF-8 \\(byte 33\\)"),
        (b"\0" * 50, "holds NUL characters"),
        (b"x" * 16_000_001, "has 16,000,001 bytes"),
    ],
)
def test_a_file_that_is_no_subtitle_says_why(data, message):
    with pytest.raises(FileError, match=message):
        read_subtitles(data, name="субтитры.srt")


TEXTS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=30).filter(
    lambda t: t.strip() == t and t and "\u2028" not in t and "\u2029" not in t
)


@given(st.lists(st.tuples(st.integers(0, 10**7), st.integers(0, 10**4), TEXTS), min_size=1, max_size=8))  # fmt: skip
def test_what_is_written_as_vtt_is_read_back(parts):
    cues = sorted((Cue(a / 1000, (a + n) / 1000, t) for a, n, t in parts), key=lambda c: (c.start, c.end))  # fmt: skip

    assert cues_in(write_vtt(cues).decode(), name="a.vtt") == cues


def test_what_is_written_as_srt_is_read_back_without_its_blank_lines():
    cues = [Cue(0.0, 1.5, "一\n\n二"), Cue(3661.007, 3662.0, "три")]

    assert (
        write_srt(cues).decode().startswith("1\n00:00:00,000 --> 00:00:01,500\n一\n二\n\n2\n01:01")
    )
    assert [c.text for c in cues_in(write_srt(cues).decode())] == ["一\n二", "три"]


def test_words_keep_their_times_through_a_vtt_file():
    cues = cues_of_words([(" Bonn", 0.5, 0.9), (" <&", 1.0, 1.4), (" 2", 1.4, 2.0)])

    (back,) = cues_in(write_vtt(cues).decode(), name="a.vtt")

    assert back.text == cues[0].text == "Bonn <& 2"
    assert [back.text[i:j] for _, _, i, j in back.words] == ["Bonn", "<&", "2"]
    assert [a for a, *_ in back.words] == [0.5, 1.0, 1.4]


def test_a_time_before_the_beginning_is_not_written():
    with pytest.raises(InputError, match="cannot stand at -1"):
        write_srt([Cue(-1.0, 1.0, "x")])


def test_a_span_of_a_transcript_is_a_range_and_a_range_is_a_span():
    transcript = transcript_of(cues_in(SRT) + cues_in(VTT, name="a.vtt"))

    at = transcript.text.index("Madrid")
    rocket = transcript.text.index("🚀")

    assert transcript.range_of(at, at + 6) == (1.5, 2.0)
    assert transcript.range_of(rocket, at + 2) == (1.0, 64.05)
    assert transcript.range_of(rocket, rocket + 1) == (2.5, 64.05)
    assert transcript.span_of(1.6, 1.6) == (0, at + 6)
    assert transcript.span_of(70, 80) is None
    assert transcript.range_of(29, 30) is None or transcript.text[29] != "\n"


def test_words_of_a_speech_model_become_cues_of_sentences():
    words = [
        (" Hello", 0.0, 0.4), (" world.", 0.4, 0.8), (" Next", 0.9, 1.2), (" one", 3.0, 3.3),
    ]  # fmt: skip

    assert [(c.start, c.end, c.text) for c in cues_of_words(words)] == [
        (0.0, 0.8, "Hello world."), (0.9, 1.2, "Next"), (3.0, 3.3, "one"),
    ]  # fmt: skip


def test_words_of_a_language_without_spaces_are_joined():
    cues = cues_of_words(
        [("华为", 0.0, 0.5), ("发布", 0.5, 1.0), ("🚀。", 1.0, 1.2), ("好", 1.3, 1.5)]
    )

    transcript = transcript_of(cues)
    at = transcript.text.index("发布")
    assert transcript.text == "华为发布🚀。\n好"
    assert transcript.range_of(at, at + 2) == (0.5, 1.0)


def test_a_cue_of_words_does_not_grow_too_long():
    words = [(f" слово{n}", n * 0.5, n * 0.5 + 0.4) for n in range(100)]

    cues = cues_of_words(words)

    assert max(c.end - c.start for c in cues) <= 6
    assert " ".join(c.text for c in cues) == "".join(w for w, _, _ in words).strip()
    assert cues_of_words([]) == []
