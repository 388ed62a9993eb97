"""Suggestions for samples with media by a model that reads only text: what it was given is told, what
it finds has its place in the medium."""

from __future__ import annotations

import io
import json
from dataclasses import replace

import pytest
from PIL import Image

from core.media_records import MediaFile
from core.placed_words import PlacedText, PlacedWord, placed_to_dict
from core.samples import Media, Sample
from core.schema import EventType, Role, Schema
from tests.integration.preparing_data import add_script, do, order_for, use
from train import media_parts as parts
from train.examples import write_example
from train.preparing import start_preparation
from train.queue import request_suggestion
from train.recipes import Recipe
from train.services import Services
from train.snapshot import take_snapshot

SCHEMA = Schema((EventType("deal", roles=(Role("buyer"), Role("price"), Role("time"))),))
READ = PlacedText(
    "Orbita €9",
    (
        PlacedWord("Orbita", 0, 6, (0.1, 0.2, 0.3, 0.1)),
        PlacedWord("€9", 7, 9, (0.5, 0.2, 0.1, 0.1)),
    ),
)
RULE = {
    "text": "Orbita",
    "reply": [["deal", "bought", [["buyer", "Orbita"], ["price", "€9"], ["time", "on Monday"]]]],
}
AUDIO = {"video": None, "audio": {"stream": 0, "codec": "pcm", "rate": 8000, "channels": 1}}


@pytest.fixture
def services(home, store):
    return Services(home, store)


@pytest.fixture
def bring(services):
    """Samples with a picture and a sound, all prepared; words and speech as they are given."""

    def make(*samples, words=READ, cues=(), meta=None):
        store, digests = services.store, []
        out = io.BytesIO()
        Image.new("RGB", (40, 30), (len(samples), 7, 90)).save(out, "PNG")
        for data in (out.getvalue(), b"RIFFsound"):
            digests.append(store.media.files.put(io.BytesIO(data)).sha256)
        picture = MediaFile(
            digests[0], 1, medium="image", width=40, height=30, pages=1, state="ready"
        )
        sound = MediaFile(
            digests[1], 1, medium="audio", duration=9.0, facts=AUDIO | {"container": "wav", "duration": 9.0},
            state="ready",
        )  # fmt: skip
        files = store.media.files
        if words is not None:
            data = json.dumps(placed_to_dict(words)).encode()
            files.put_derived(digests[0], parts.words(("en",)).derived, data)
        if cues:
            data = json.dumps({"engine": "x", "cues": list(cues)}).encode()
            files.put_derived(digests[1], parts.transcript().derived, data)
        record = store.imports.bring_in(
            "media", list(samples), schema=SCHEMA, note="", files={"a.png": picture, "a.wav": sound}
        )
        model = add_script(services, "reader", [RULE])
        use(store, record.id, model)
        return record.id, model

    return make


def sample(ident, text, *kinds, **more):
    paths = {"image": "a.png", "audio": "a.wav"}
    media = tuple(Media(f"m{i}", kind, paths[kind], meta=more) for i, kind in enumerate(kinds, 1))
    return Sample(ident, "en", "mixed", text, media=media)


CUES = [
    {"start": 2.0, "end": 3.5, "text": "on Monday", "words": [[2.0, 2.4, 0, 2], [2.5, 3.5, 3, 9]]}
]


def test_words_and_speech_are_read_and_what_is_found_has_its_place(services, bring):
    bring(sample("s", "She bought it.", "image", "audio"), cues=CUES)
    (key,) = services.store.samples.keys()

    ended = do(services, request_suggestion(services, key))
    said = services.store.samples.suggestion(key)

    assert (ended.state, ended.message) == ("done", "")
    (event,) = said.events
    buyer, price, time = (a.mention for a in event.arguments)
    assert (event.trigger.start, event.trigger.end, event.trigger.media) == (4, 10, None)
    assert (buyer.media, buyer.start, buyer.end, buyer.box) == ("m1", 0, 6, (0.1, 0.2, 0.3, 0.1))
    assert (price.text, price.box) == ("€9", (0.5, 0.2, 0.1, 0.1))
    assert (time.media, time.text, time.range) == ("m2", "on Monday", (2.0, 3.5))
    assert [(p.code, dict(p.values)) for p in said.problems] == [
        ("read_instead", {"what": ["words", "transcript"]})
    ]


def test_what_only_says_how_it_was_read_makes_no_sample_one_with_problems(services, bring):
    bring(sample("s", "She bought it.", "image", "audio"), cues=CUES)
    (key,) = services.store.samples.keys()
    do(services, request_suggestion(services, key))

    from core.records import SampleFilter

    assert services.store.samples.keys(SampleFilter(problems=True)) == []
    assert services.store.samples.keys(SampleFilter(problems=False)) == [key]


def test_samples_without_a_text_are_suggested_for_and_those_with_nothing_say_so(services, bring):
    collection, model = bring(
        sample("caption", None, "audio", caption="Orbita bought it"),
        sample("picture", None, "image"),
        sample("silent", None, "audio"),
    )
    keys = {services.store.samples.get(k).sample.id: k for k in list(services.store.samples.keys())}

    ended = do(services, start_preparation(services, order_for(collection, model)))

    assert (ended.state, ended.done, ended.total) == ("done", 2, 3)
    assert [
        (f["id"], "nothing that this model can read" in f["message"]) for f in ended.failures
    ] == [("silent", True)]
    by_caption = services.store.samples.suggestion(keys["caption"])
    assert [p.code for p in by_caption.problems][:1] == ["not_in_text"]
    assert "in_caption" in [p.code for p in by_caption.problems]
    assert "no_transcript" in [p.code for p in by_caption.problems]
    (event,) = services.store.samples.suggestion(keys["picture"]).events
    assert event.arguments[0].mention.box == (0.1, 0.2, 0.3, 0.1)
    assert services.store.samples.suggestion(keys["silent"]) is None
    assert services.store.samples.get(keys["silent"]).state == "new"


def test_whoever_has_a_sample_with_nothing_to_read_open_is_told(services, bring):
    bring(sample("silent", None, "audio"))
    (key,) = services.store.samples.keys()

    ended = do(services, request_suggestion(services, key))

    assert ended.state == "failed"
    assert ended.message.startswith("there is nothing that this model can read")


def test_a_model_is_trained_on_what_it_will_be_given_of_media(services, bring):
    asked = replace(sample("s", "She bought it.", "image", "audio"), split="train")
    collection, _ = bring(asked, cues=CUES)
    (key,) = services.store.samples.keys()
    do(services, request_suggestion(services, key))
    suggested = services.store.samples.suggestion(key).events
    services.store.samples.add_review(key, suggested, person="Ana", schema_number=1)

    (taken,) = take_snapshot(services, collection, Recipe.laptop()).train
    prefix, rest, reply = write_example(taken, SCHEMA)

    assert reply == ('[["deal","bought",[["buyer","Orbita"],["price","€9"],["time","on Monday"]]]]')
    assert "Orbita €9" in prefix + rest
    assert "on Monday" in prefix + rest
    assert all(m.media is None for e in taken.events for m in e.mentions())


def test_media_that_cannot_be_read_are_named_with_the_reason(services, bring):
    bring(sample("s", "She bought it.", "image"), sample("blank", None, "image"))
    (key, blank) = services.store.samples.keys()
    file = services.store.media.of(key)[0].file
    services.store.media.keep(MediaFile(file.sha256, 1, name="a.png"))  # nobody looked at it
    with services.store.media.files.local(file.sha256) as path:
        path.chmod(0o600)
        path.write_bytes(b"\x89PNG\r\n\x1a\n of no picture")

    do(services, request_suggestion(services, key))
    of_blank = do(services, request_suggestion(services, blank))

    (unread,) = services.store.samples.suggestion(key).problems
    assert (unread.code, unread.values["media"]) == ("media_unread", "m1")
    assert "a.png" in unread.values["why"]
    assert of_blank.state == "failed"
    assert f"m1: {unread.values['why']}" in of_blank.message
    assert services.store.media.of(key)[0].file.state == "new"  # preparing it says why


def test_the_words_of_a_picture_that_nobody_prepared_are_read_now(services, bring, monkeypatch):
    from core.media import ocr

    bring(sample("s", None, "image"), words=None)
    file = services.store.media.of(services.store.samples.keys()[0])[0].file
    services.store.media.keep(
        MediaFile(file.sha256, 1, name="a.png", medium="image", state="looked")
    )
    monkeypatch.setattr(ocr, "check_engine", lambda _languages: None)
    monkeypatch.setattr(ocr, "read_words", lambda _path, **_more: READ)
    (key,) = services.store.samples.keys()

    do(services, request_suggestion(services, key))

    (event,) = services.store.samples.suggestion(key).events
    assert event.arguments[1].mention.box == (0.5, 0.2, 0.1, 0.1)


def test_a_picture_whose_words_cannot_be_read_says_why(services, bring, monkeypatch):
    from core.errors import SetupError
    from core.media import ocr

    def missing(_languages):
        raise SetupError("no engine: install one")

    bring(sample("s", "Orbita", "image"), words=None)
    file = services.store.media.of(services.store.samples.keys()[0])[0].file
    services.store.media.keep(
        MediaFile(file.sha256, 1, name="a.png", medium="image", state="looked")
    )
    monkeypatch.setattr(ocr, "check_engine", missing)
    (key,) = services.store.samples.keys()

    do(services, request_suggestion(services, key))

    problems = services.store.samples.suggestion(key).problems
    assert {"media": "m1", "why": "no engine: install one"} in [p.values for p in problems]
