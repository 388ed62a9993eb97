"""What the workbench is told of a clip: links to what is there, and when its words are said."""

from __future__ import annotations

import pytest

from core.formats.subtitles import Cue
from core.media_facts import AudioFacts, ClipFacts, facts_to_dict
from core.media_records import MediaFile
from core.samples import Media, Sample
from core.transcripts import with_transcript
from pages._ui.desk_clips import clip_data, transcript_data
from storage.home import Home
from storage.media_files import Folder, MediaFiles
from train.media_links import read_link
from train.media_parts import transcript

DIGEST = "ab" * 32
FACTS = facts_to_dict(
    ClipFacts("mov", 4.0, start=1.5, audio=AudioFacts(1, "aac", 48_000, 2, start=1.5))
)
PLAYED = {"proxy", "thumbnail", "filmstrip", "filmstriptimes", "frames", "scenes", "waveform"}


@pytest.fixture
def home(tmp_path):
    return Home(tmp_path)


@pytest.fixture
def files(tmp_path):
    return MediaFiles(Folder(tmp_path / "media"), tmp_path / "scratch")


def clip(state, medium="video", facts=FACTS):
    return MediaFile(DIGEST, 9, medium=medium, facts=facts, state=state, duration=4.0, rate=25.0)


def links(data):
    return {name for name, value in data.items() if str(value).startswith("/files/")}


@pytest.mark.parametrize(
    ("file", "wanted"),
    [
        (clip("new", facts={}), set()),
        (clip("looked"), {"thumbnail"}),
        (clip("ready"), PLAYED),
        (clip("ready", facts={**FACTS, "audio": None}), PLAYED - {"waveform"}),
        (clip("ready", medium="audio"), {"sound", "waveform"}),
    ],
)
def test_there_is_a_link_to_each_part_that_is_made(home, files, file, wanted):
    data = clip_data(home, files, file, person="Ana")

    assert links(data) == wanted
    assert all(read_link(home, data[n][7:], person="Ana").part == n for n in wanted)


def test_a_clip_says_when_it_begins(home, files):
    data = clip_data(home, files, clip("ready"), person="Ana")

    assert (data["start"], data["duration"], data["sounds"]) == (1.5, 4.0, True)


def test_what_a_model_wrote_down_is_linked_once_it_is_there(home, files):
    before = links(clip_data(home, files, clip("ready"), person="Ana"))
    files.put_derived(DIGEST, transcript().derived, b'{"cues": []}')

    assert links(clip_data(home, files, clip("ready"), person="Ana")) - before == {"transcript"}


def test_the_words_of_a_transcript_have_times_and_those_of_another_text_have_none():
    media = (Media("m1", "audio", "речь.wav"),)
    silent = Sample("s", "ru", "audio", None, media)
    said = with_transcript(silent, [Cue(0, 1, "Акме"), Cue(1.5, 2, "запустила")], "m1")

    assert transcript_data(said) == {
        "media": "m1", "spans": [[0, 4, 0.0, 1.0], [5, 14, 1.5, 2.0]],
    }  # fmt: skip
    assert transcript_data(silent) is None
