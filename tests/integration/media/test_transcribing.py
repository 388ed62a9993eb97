"""Clips written down by a Whisper model, once one is registered; what is said is a range of the clip."""

from __future__ import annotations

import json

import numpy as np
import pytest

from core.errors import ModelError
from core.models.whisper import RATE, Transcriber, _shared, load_whisper
from core.schema import EventType, Role, Schema
from tests.integration.media.made_clips import ffmpeg
from tests.integration.preparing_data import add_script, do, use
from tests.integration.tiny_models import make_llava, make_whisper
from train.media_import import import_bundle
from train.queue import request_suggestion
from train.reading import transcript_file
from train.register import register_model
from train.services import Services
from train.transcribing import transcribe_later, transcriber

SCHEMA = Schema((EventType("launch", roles=(Role("when"),)),))


@pytest.fixture
def services(home, store):
    return Services(home, store)


@pytest.fixture(scope="module")
def whisper(tmp_path_factory):
    return make_whisper(tmp_path_factory.mktemp("hearing") / "whisper")


@pytest.fixture
def spoken(services, tmp_path):
    """A collection with a sound, a silent clip, and a sound that has subtitles beside it."""
    ffmpeg("-f", "lavfi", "-i", "sine=d=3", tmp_path / "a.wav")
    ffmpeg("-f", "lavfi", "-i", "testsrc=size=64x48:rate=8:duration=1", tmp_path / "b.mp4")
    ffmpeg("-f", "lavfi", "-i", "sine=d=2:f=900", tmp_path / "c.wav")
    lines = [
        {"id": ident, "language": code, "modality": kind, "text": text,
         "media": [{"id": "m1", "kind": kind, "path": path}]}
        for ident, code, kind, text, path in (
            ("a", "es", "audio", None, "a.wav"), ("b", "zh", "video", "静", "b.mp4"),
            ("c", "ru", "audio", None, "c.wav"),
        )
    ]  # fmt: skip
    (tmp_path / "all.jsonl").write_text("\n".join(map(json.dumps, lines)))
    (tmp_path / "c.srt").write_text("1\n00:00:00,000 --> 00:00:01,000\nпуск\n")
    services.store.collections.create("spoken", SCHEMA)
    import_bundle(services, tmp_path / "all.jsonl", collection="spoken")
    return services.store.collections.get("spoken").id


def test_a_sound_is_heard_in_pieces_and_words_have_times_in_it(whisper):
    hearing = load_whisper(str(whisper))
    rng = np.random.default_rng(0)
    sound, asked = rng.normal(0, 0.1, RATE * 41).astype(np.float32), []

    def read(count):
        begin = sum(asked)
        asked.append(len(sound[begin : begin + count]))
        return sound[begin : begin + count]

    heard = list(hearing.transcribe(read, "es"))

    assert max(asked) <= 30 * RATE
    assert heard[-1][0] == pytest.approx(41)
    words = [word for _, part in heard for word in part]
    assert words
    assert all(0 <= start < end <= 41.05 for _, start, end in words)


def test_words_without_times_of_their_own_share_that_of_their_segment():
    assert _shared(["ab", " cd"], 1.0, 2.0) == [("ab", 1.0, 1.4), (" cd", 1.4, 2.0)]


def test_nothing_is_written_down_before_a_whisper_is_registered(services, spoken, tmp_path):
    assert transcriber(services) is None
    assert transcribe_later(services, spoken) is None
    with pytest.raises(ModelError, match="is no Whisper"):
        load_whisper(str(make_llava(tmp_path / "llava")))


def test_a_registered_whisper_writes_down_what_nobody_has(services, spoken, whisper, monkeypatch):
    told = []
    hear = Transcriber._hear

    def said(self, sound, language):
        told.append((len(sound) / RATE, language))
        words, reach = hear(self, sound, language)
        return (
            ([("en", 0.5, 1.0), (" martes", 1.0, 2.5)], reach)
            if language == "es"
            else (words, reach)
        )

    monkeypatch.setattr(Transcriber, "_hear", said)
    model = register_model(services, str(whisper))
    (job,) = services.store.jobs.open("transcribe", collection_id=spoken)
    ended = do(services, job.id)
    keys = {services.store.samples.get(k).sample.id: k for k in list(services.store.samples.keys())}
    digest = services.store.media.of(keys["a"])[0].file.sha256

    assert (model.transcribes, model.reads, transcriber(services).id) == (
        True,
        ("audio",),
        model.id,
    )
    assert (ended.state, ended.message) == ("done", f"1 of 1 clips written down by {model.id}")
    assert told == [(pytest.approx(3, abs=0.01), "es")]  # c has its subtitles, b no sound
    (cue,) = transcript_file(services, digest)
    assert (cue.start, cue.end, cue.text) == (0.5, 2.5, "en martes")
    assert transcribe_later(services, spoken) is None

    use(services.store, spoken, add_script(services, "s", [{"text": "en martes", "reply": [["launch", "en", [["when", "martes"]]]]}]))  # fmt: skip
    do(services, request_suggestion(services, keys["a"]))
    (event,) = services.store.samples.suggestion(keys["a"]).events
    assert event.arguments[0].mention.range == (1.0, 2.5)
    assert event.arguments[0].mention.media == "m1"


def test_a_job_that_gives_way_goes_on_where_it_was(services, spoken, whisper, monkeypatch):
    from train import transcribing

    register_model(services, str(whisper))
    heard, words = [], [("uno", 0.0, 1.0)]

    def hear_once(_self, read, _language):
        left = 0
        while len(part := read(RATE)):
            left += len(part)
        heard.append(left)
        yield 2.0, words
        raise KeyboardInterrupt

    monkeypatch.setattr(Transcriber, "transcribe", hear_once)
    one = next(transcribing._unheard(services, spoken))
    hearing = load_whisper(str(whisper))
    with pytest.raises(KeyboardInterrupt):
        transcribing._write_down(services, one, hearing, "w", lambda _share: None)
    with pytest.raises(KeyboardInterrupt):
        transcribing._write_down(services, one, hearing, "w", lambda _share: None)

    assert heard == [pytest.approx(3 * RATE, abs=400), pytest.approx(RATE, abs=400)]
    assert transcribing._HALF.pop(("w", one.file.sha256)) == (
        4.0,
        [("uno", 0.0, 1.0), ("uno", 2.0, 3.0)],
    )
