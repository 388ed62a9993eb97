"""Argus JSONL: every form is read and written again, every bad line is told with its remedy."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import FileError
from core.events import Argument, Event, Mention
from core.formats.argus_jsonl import read_file, write_line
from core.formats.json_lines import MAX_LINE_BYTES
from core.languages import CODES
from core.samples import MEDIA_KINDS, MODALITIES, SPLITS, Media, Sample, Source

TEXTS = {
    "en": "Intel 🚀 launched a chip",
    "zh": "华为🚀发布了5G芯片",
    "es": "Telefónica lanzó 🚀 un servicio",
    "ru": "«Яндекс» 🚀 представил чип",
    "ar": "أطلقت الشركة 🚀 شريحة",
    "hi": "कंपनी ने 🚀 चिप पेश की",
}


def line(**changes: Any) -> bytes:
    """A good line, changed; a value of `...` takes the key out."""
    sample: dict[str, Any] = {
        "id": "1", "language": "zh", "modality": "text", "text": TEXTS["zh"], "split": "train",
    }  # fmt: skip
    sample = {k: v for k, v in (sample | changes).items() if v is not ...}
    return json.dumps(sample, ensure_ascii=False).encode()


def labelled(**mention: Any) -> bytes:
    """A good line whose one trigger is `mention`."""
    return line(events=[{"event_type": "发布", "trigger": mention, "arguments": []}])


def read_one(data: bytes) -> Sample:
    found = read_file(data, name="file.jsonl")
    assert found.problems == []
    return found.samples[0][1]


# ---------------------------------------------------------------- good input


@pytest.mark.parametrize("language", TEXTS)
def test_a_span_after_an_emoji_is_read_in_code_points(language: str) -> None:
    text = TEXTS[language]
    start = text.index("🚀") + 1
    mention = {"start": start, "end": len(text), "text": text[start:]}
    event = {"event_type": "e", "trigger": mention, "arguments": [{"role": "r", **mention}]}

    sample = read_one(line(language=language, text=text, events=[event]))

    assert sample.events is not None
    assert sample.events[0].trigger == Mention(text[start:], start, len(text))
    assert sample.text == text


def test_short_forms_are_read() -> None:
    data = line(
        modality="image", media={"kind": "image", "path": "кадры/1.jpg"}, source="新华社",
        licence="CC BY 4.0", domain="科技", id=17, text=None,
    )  # fmt: skip

    sample = read_one(data)

    assert sample.id == "17"
    assert sample.media == (Media("m1", "image", "кадры/1.jpg"),)
    assert sample.source == Source(name="新华社", licence="CC BY 4.0")
    assert sample.meta == {"domain": "科技"}


def test_a_source_that_is_an_address_is_kept_as_one() -> None:
    assert read_one(line(source="https://example.org/1")).source.url == "https://example.org/1"


def test_unknown_keys_come_back_where_a_reader_of_the_full_form_looks() -> None:
    mention = {"text": "5G", "start": 6, "end": 8, "alias": ["五G"]}
    event = {"event_type": "e", "trigger": mention, "arguments": [], "polarity": 0.5}
    data = line(
        id="2", top=[1, 1.0, True], meta={"top": [1, 1, True], "inner": {"ключ": None}},
        media=[{"id": "m1", "kind": "image", "path": "1.jpg", "width": 640}],
        source={"name": "n", "crawler": "c", "licence": "one"}, licence="another", events=[event],
    )  # fmt: skip

    written = json.loads(write_line(read_one(data)))

    assert written["meta"] == {
        "top": [1, 1, True], "top (top)": [1, 1.0, True], "inner": {"ключ": None},
        "licence": "another",
    }  # fmt: skip
    assert written["media"][0]["width"] == 640
    assert written["source"] == {"name": "n", "crawler": "c", "licence": "one"}
    assert written["events"][0]["polarity"] == 0.5
    assert written["events"][0]["trigger"]["alias"] == ["五G"]


def test_not_labelled_and_no_event_are_two_things() -> None:
    assert read_one(line()).events is None
    assert read_one(line(events=None)).events is None
    assert read_one(line(events=[])).events == ()


def test_fragments_boxes_and_ranges_are_read() -> None:
    media = [{"id": "клип", "kind": "video", "path": "v.mp4"}]
    arguments = [
        {"role": "a", "fragments": [[9, 10], [0, 2]]},
        {"role": "b", "media": "клип", "page": 0, "box": [0, 0, 1, 0.5]},
        {"role": "c", "media": "клип", "range": [1, 2.5], "keyframes": [[1, 0, 0, 1, 1]]},
        {"role": "d", "media": "клип", "start": 90, "end": 99, "text": "из речи", "kind": "ORG"},
        {"role": "e", "text": "нигде"},
    ]
    event = {"event_type": "e", "trigger": None, "arguments": arguments}

    events = read_one(line(modality="mixed", media=media, events=[event])).events

    assert events is not None
    assert [a.mention for a in events[0].arguments] == [
        Mention(start=0, end=10, fragments=((0, 2), (9, 10))),
        Mention(media="клип", page=0, box=(0.0, 0.0, 1.0, 0.5)),
        Mention(media="клип", range=(1.0, 2.5), keyframes=((1.0, 0.0, 0.0, 1.0, 1.0),)),
        Mention("из речи", 90, 99, media="клип", entity_kind="ORG"),
        Mention("нигде"),
    ]


def test_whole_and_broken_numbers_of_one_place_have_one_hash() -> None:
    def boxed(box: list[float]) -> Sample:
        media = {"id": "m1", "kind": "image", "path": "1.jpg"}
        event = {"event_type": "e", "trigger": {"media": "m1", "box": box}, "arguments": []}
        return read_one(line(modality="image", text=None, media=media, events=[event]))

    assert boxed([0, 0, 1, 1]).content_hash == boxed([0.0, 0.0, 1.0, 1.0]).content_hash


def test_words_may_be_in_another_normal_form_and_the_text_stays_as_it_came() -> None:
    text = "cafe\u0301 lanzó"
    event = {"event_type": "e", "trigger": {"text": "café", "start": 0, "end": 5}, "arguments": []}

    sample = read_one(line(language="es", text=text, events=[event]))

    assert sample.text == text


@pytest.mark.parametrize(
    "data",
    [
        b"\xef\xbb\xbf" + line() + b"\n" + line(id="2"),
        line() + b"\r\n" + line(id="2") + b"\r\n",
        line() + b"\r" + line(id="2"),
        b"\n \n" + line() + b"\n\n\t\n" + line(id="2") + b"\n\n",
    ],
)
def test_a_bom_blank_lines_and_any_line_end_are_read(data: bytes) -> None:
    found = read_file(data, name="file.jsonl")

    assert found.problems == []
    assert [s.id for _, s in found.samples] == ["1", "2"]


def test_a_line_that_says_the_same_again_is_counted_and_read_once() -> None:
    found = read_file(line() + b"\n" + line(), name="file.jsonl")

    assert (len(found.samples), found.repeated, found.problems) == (1, 1, [])


def test_a_written_line_is_one_line_for_every_reader() -> None:
    sample = read_one(line(text="один\u2028два\u2029三\x85四\r\n五"))

    written = write_line(sample)

    assert len(written.splitlines()) == 1
    assert read_one(written.encode()) == sample


# ---------------------------------------------------------------- bad lines

BAD: dict[str, tuple[bytes, list[str]]] = {
    "not JSON": (b'{"id": "1", "language": zh}', ["not JSON", "character 25", "zh"]),
    "cut short": (line()[:-5], ["not JSON"]),
    "a JSON list": (b"[1, 2]", ["an array", "JSON object"]),
    "a JSON string": ('"строка"'.encode(), ["a string", "JSON object"]),
    "over the limit": (
        line(text="字" * (MAX_LINE_BYTES // 3)),
        ["4 MB", "4,000,000", "split"],
    ),
    "a NUL byte": (line(text="华@为").replace(b"@", b"\0"), ["NUL byte", "remove"]),
    "an escaped NUL": (line(text="华\0为"), ["text", "NUL", "\\u0000", "character 1"]),
    "invalid UTF-8": (line(text="é").replace("é".encode(), b"\xe9"), ["invalid UTF-8", "0xe9"]),
    "a UTF-8 surrogate": (line(text="@").replace(b"@", b"\xed\xa0\x80"), ["invalid UTF-8", "0xed"]),
    "half a pair in the text": (
        line(text="@").replace(b"@", b"\\ud83d"),
        ["text", "unpaired surrogate", "\\ud83d", "pair"],
    ),
    "half a pair in a value": (
        line(meta={"список": ["@"]}).replace(b"@", b"\\uDE00"),
        ["meta.список[0]", "unpaired surrogate", "\\ude00"],
    ),
    "half a pair in a key": (
        line(meta={"@": 1}).replace(b"@", b"\\ud83d"),
        ["meta", "a key", "unpaired surrogate"],
    ),
    "half a pair in a role": (
        line(events=[{"event_type": "e", "trigger": None, "arguments": [{"role": "@"}]}]).replace(
            b"@", b"\\udfff"
        ),
        ["events[0].arguments[0].role", "unpaired surrogate"],
    ),
    "nested too deep": (
        line(meta="@").replace(b'"@"', b"[" * 500 + b"]" * 500),
        ["nested more than 100 levels", "flatten"],
    ),
    "nested beyond Python": (
        line(meta="@").replace(b'"@"', b"[" * 100_000 + b"]" * 100_000),
        ["nested more than 100 levels", "flatten"],
    ),
    "NaN": (line(meta={"x": float("nan")}), ["NaN", "not JSON"]),
    "infinity": (line(meta={"x": float("-inf")}), ["-Infinity", "not JSON"]),
    "a number too large": (line(meta={"x": "@"}).replace(b'"@"', b"1e999"), ["1e999", "too large"]),
    "a number too long": (line(meta={"x": "@"}).replace(b'"@"', b"9" * 5000), ["too long"]),
    "a key twice": (b'{"id": "1", "id": "2", "language": "en", "text": "t"}', ["'id'", "twice"]),
    "no id": (line(id=...), ["no id", "give"]),
    "an empty id": (line(id=" "), ["id", "' '"]),
    "an id that is a list": (line(id=["1"]), ["id", "['1']"]),
    "a true id": (line(id=True), ["id", "True"]),
    "no language": (line(language=...), ["no language", "en, zh"]),
    "an unknown language": (line(language="xx"), ["'xx'", "ISO 639-1"]),
    "a language of three letters": (line(language="rus"), ["'rus'", "ISO 639-1"]),
    "a language in capitals": (line(language="EN"), ["'EN'", "ISO 639-1", "write 'en'"]),
    "a language with a region": (line(language="zh-CN"), ["'zh-CN'", "write 'zh'"]),
    "a language that is a number": (line(language=1), ["1", "ISO 639-1"]),
    "an unknown modality": (line(modality="texto"), ["'texto'", "text, image"]),
    "media without a modality": (
        line(modality=..., media={"kind": "image", "path": "1.jpg"}),
        ["no modality", "text, image"],
    ),
    "no text": (line(text=...), ["no text"]),
    "an empty text": (line(text=""), ["text is empty", "''"]),
    "a blank text": (line(text=" \u3000\n"), ["text is empty"]),
    "an invisible text": (line(text="\u200b\ufeff"), ["text is empty"]),
    "an empty text of a picture": (
        line(modality="image", text="", media={"kind": "image", "path": "1.jpg"}),
        ["text is empty", "null"],
    ),
    "neither text nor media": (line(modality="video", text=None), ["neither", "'video'"]),
    "a text that is a number": (line(text=5), ["text", "5"]),
    "an unknown split": (line(split="val"), ["'val'", "train, dev, test"]),
    "meta that is no object": (line(meta=[1]), ["meta", "[1]"]),
    "media that is a string": (line(media="1.jpg"), ["media", "'1.jpg'"]),
    "a medium of an unknown kind": (
        line(media={"kind": "gif", "path": "1"}),
        ["media[0].kind", "'gif'", "image, video"],
    ),
    "a medium without a path": (line(media=[{"kind": "image"}]), ["media[0].path", "None"]),
    "a medium with a wrong hash": (
        line(media={"kind": "image", "path": "1", "sha256": "abc"}),
        ["media[0].sha256", "'abc'", "64"],
    ),
    "two media of one id": (
        line(media=[{"id": "м", "kind": "image", "path": p} for p in "12"]),
        ["'м'", "twice"],
    ),
    "a source that is a number": (line(source=1), ["source", "1"]),
    "a date in words": (line(source={"published": "вчера"}), ["published", "'вчера'", "ISO 8601"]),
    "events that are no list": (line(events={}), ["events", "{}"]),
    "an event that is no object": (line(events=["发布"]), ["events[0]", "'发布'"]),
    "an event without a type": (line(events=[{"trigger": None}]), ["events[0].event_type"]),
    "a type with a blank at its end": (
        line(events=[{"event_type": "发布 ", "trigger": None}]),
        ["events[0].event_type", "'发布 '", "blank"],
    ),
    "a type that is too long": (
        line(events=[{"event_type": "发" * 200, "trigger": None}]),
        ["events[0].event_type", "200 characters", "120"],
    ),
    "an offset outside the text": (labelled(start=8, end=40), ["8–40", "outside", "10 characters"]),
    "an offset in UTF-16": (
        labelled(text="5G", start=7, end=9),
        ["events[0].trigger", "7–9", "'G芯'", "'5G'", "code points"],
    ),
    "offsets the wrong way round": (labelled(start=5, end=3), ["events[0].trigger", "5", "3"]),
    "a negative offset": (labelled(start=-1, end=3), ["events[0].trigger", "-1"]),
    "a true offset": (labelled(start=True, end=3), ["whole numbers", "True"]),
    "half an offset": (labelled(start=1), ["whole numbers", "None"]),
    "a broken offset": (labelled(start=1.0, end=3.0), ["whole numbers", "1.0"]),
    "an offset beyond any text": (
        line(
            media={"id": "m1", "kind": "audio", "path": "1.mp3"},
            events=[
                {"event_type": "e", "trigger": {"media": "m1", "start": 1, "end": 10**30}},
            ],
        ),
        ["events[0].trigger", "0 <= start < end"],
    ),
    "a box beyond the picture": (
        line(
            media={"id": "m1", "kind": "image", "path": "1.jpg"},
            events=[{"event_type": "e", "trigger": {"media": "m1", "box": [0, 0, 640, 480]}}],
        ),
        ["events[0].trigger.box", "fractions", "640"],
    ),
    "a box with a number beyond any": (
        line(
            media={"id": "m1", "kind": "image", "path": "1.jpg"},
            events=[{"event_type": "e", "trigger": {"media": "m1", "box": [0, 0, 1, 10**400]}}],
        ),
        ["events[0].trigger.box", "4 numbers"],
    ),
    "a medium that is not there": (labelled(media="m9", range=[0, 1]), ["'m9'", "none"]),
    "a range that runs back": (
        line(
            media={"id": "m1", "kind": "video", "path": "1.mp4"},
            events=[{"event_type": "e", "trigger": {"media": "m1", "range": [3, 1]}}],
        ),
        ["events[0].trigger.range", "forward"],
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_line_is_told_with_its_number_and_the_good_ones_are_read(case: str) -> None:
    bad, expected = BAD[case]
    data = b"\n".join([line(id="до"), bad, b"", line(id="后", language="ru", text="После")])

    found = read_file(data, name="file.jsonl")

    assert [(number, s.id) for number, s in found.samples] == [(1, "до"), (4, "后")]
    assert [p.line for p in found.problems] == [2]
    message = found.problems[0].message
    assert all(part in message for part in expected), message
    assert len(message) < 500


def test_an_id_with_other_content_is_told_with_the_line_and_what_differs() -> None:
    data = b"\n".join([line(), line(text="别的"), line(split="dev", meta={"a": 1})])

    found = read_file(data, name="file.jsonl")

    assert [s.text for _, s in found.samples] == [TEXTS["zh"]]
    assert [p.line for p in found.problems] == [2, 3]
    assert "on line 1 already" in found.problems[0].message
    assert "differs in: text" in found.problems[0].message
    assert "differs in: split, meta" in found.problems[1].message


def test_true_and_one_are_other_content() -> None:
    found = read_file(line(meta={"a": True}) + b"\n" + line(meta={"a": 1}), name="file.jsonl")

    assert len(found.problems) == 1


# ---------------------------------------------------------------- files of another kind

FOREIGN: dict[str, tuple[bytes, str]] = {
    "nothing": (b"", "is empty"),
    "only blanks": (b"\xef\xbb\xbf \r\n\n", "is empty"),
    "a picture": (b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 50 + b"\n{", "PNG"),
    "a web page": (
        "<!doctype html>\n<style>\nbody\n{ margin: 0 }\n</style>\nПривет".encode(),
        "HTML",
    ),
    "a JSON array": (b"[" + line() + b",\n" + line(id="2") + b"]", "one JSON array"),
    "an array of lines": (b"[\n" + line() + b",\n" + line(id="2") + b"\n]\n", "one JSON array"),
    "a JSON array on one line": (b"[" + line() + b"]", "one JSON array"),
    "an object over many lines": (
        json.dumps({"id": "1", "language": "zh", "text": "字"}, indent=2).encode(),
        "one JSON value over 5 lines",
    ),
    "UTF-16": (line().decode().encode("utf-16"), "UTF-16"),
    "an archive": (b"PK\x03\x04" + bytes(100), "ZIP"),
    "prose": ("Просто текст.\n只是文字。".encode(), "not JSON"),
}


@pytest.mark.parametrize("case", FOREIGN)
def test_a_file_of_another_kind_is_told_once_with_how_it_should_look(case: str) -> None:
    data, expected = FOREIGN[case]

    with pytest.raises(FileError, match=expected) as raised:
        read_file(data, name="файл.jsonl")

    assert "файл.jsonl" in str(raised.value)
    assert '{"id": "1"' in str(raised.value)


def test_a_single_bad_line_is_a_problem_of_that_line() -> None:
    found = read_file(line(language="zz"), name="file.jsonl")

    assert [p.line for p in found.problems] == [1]


# ---------------------------------------------------------------- predictions


def test_a_prediction_takes_from_gold_what_it_lacks_and_its_words_are_not_compared() -> None:
    gold = {"1": read_one(line())}
    data = json.dumps(
        {"id": 1, "events": [{"event_type": "e", "trigger": {"text": "X", "start": 6, "end": 8}}]}
    ).encode()

    found = read_file(data, name="pred.jsonl", known=gold, check_words=False)

    assert found.problems == []
    assert found.samples[0][1].text == TEXTS["zh"]
    assert found.samples[0][1].events == (Event("e", Mention("X", 6, 8)),)


# ---------------------------------------------------------------- any sample

names = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=12
).filter(lambda s: bool(s.strip()))
labels = names.map(str.strip).filter(bool)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(labels, inner, max_size=3),
    max_leaves=6,
)  # fmt: skip
seconds = st.floats(0, 1e6)


def extras(*known: str) -> st.SearchStrategy[dict[str, Any]]:
    return st.dictionaries(names.filter(lambda k: k not in known), json_values, max_size=2)


@st.composite
def mentions(draw: st.DrawFn, text: str | None, media: list[str]) -> Mention:
    kinds = ["unanchored"] + ["text"] * bool(text) + ["box", "range", "heard"] * bool(media)
    kind = draw(st.sampled_from(kinds))
    where: dict[str, Any] = {"text": draw(names)} if kind == "unanchored" else {}
    if kind == "text":
        assert text
        start = draw(st.integers(0, len(text) - 1))
        end = draw(st.integers(start + 1, len(text)))
        where = {"text": text[start:end], "start": start, "end": end}
        if end - start > 2 and draw(st.booleans()):
            where |= {"text": None, "fragments": ((start, start + 1), (end - 1, end))}
    elif kind != "unanchored":
        where = {"media": draw(st.sampled_from(media)), "text": draw(st.none() | names)}
        if kind == "heard":
            start = draw(st.integers(0, 10**6))
            where |= {"start": start, "end": start + draw(st.integers(1, 100))}
        elif kind == "box":
            x, y = draw(st.floats(0, 0.5)), draw(st.floats(0, 0.5))
            where |= {"box": (x, y, draw(st.floats(0.01, 0.5)), draw(st.floats(0.01, 0.5)))}
            where |= {"page": draw(st.none() | st.integers(0, 9))}
        else:
            begin, length = draw(seconds), draw(seconds)
            where |= {"range": (begin, begin + length), "keyframes": ((begin, 0.0, 0.0, 1.0, 1.0),)}
    return Mention(
        **where,
        entity_kind=draw(st.none() | names),
        confidence=draw(st.none() | st.floats(0, 1)),
        meta=draw(extras("role", "role_confidence", "text", "kind", "start", "end", "fragments", "media", "page",
                         "box", "range", "keyframes", "confidence")),
    )  # fmt: skip


@st.composite
def samples(draw: st.DrawFn) -> Sample:
    ids = draw(st.lists(names, max_size=2, unique=True))
    modality = draw(st.sampled_from(MODALITIES)) if ids else "text"
    visible = st.sampled_from(list(TEXTS.values())) | names.map(lambda s: s + "字🚀")
    text = draw(visible if modality == "text" else st.none() | visible)
    media = tuple(
        Media(
            ident, draw(st.sampled_from(MEDIA_KINDS)), draw(names),
            draw(st.none() | st.just("0f" * 32)), draw(extras("id", "kind", "path", "sha256")),
        )
        for ident in ids
    )  # fmt: skip
    mention = mentions(text, ids)
    events = st.builds(
        Event,
        labels,
        st.none() | mention,
        st.lists(st.builds(Argument, labels, mention, st.none() | st.floats(0, 1)), max_size=3).map(
            tuple
        ),
        st.none() | st.floats(0, 1),
        extras("event_type", "trigger", "arguments", "confidence"),
    )
    source = Source(
        draw(st.none() | names), draw(st.none() | names), draw(st.none() | names),
        draw(st.none() | st.sampled_from(["2026", "2026-11-03", "2026-11-03T10:00:00Z"])),
        draw(extras("url", "name", "licence", "published")),
    )  # fmt: skip
    return Sample(
        draw(names), draw(st.sampled_from(sorted(CODES))), modality, text, media, source,
        draw(st.none() | names), draw(st.none() | st.sampled_from(SPLITS)), draw(extras()),
        draw(st.none() | st.lists(events, max_size=2).map(tuple)),
    )  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(samples())
def test_what_is_written_reads_again_without_a_difference(sample: Sample) -> None:
    written = write_line(sample)

    again = read_one(written.encode())

    assert again == sample
    assert again.content_hash == sample.content_hash
    assert write_line(again) == written
