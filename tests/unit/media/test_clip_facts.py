"""What ffprobe says of a clip becomes facts, and what cannot be becomes an error."""

import json
from fractions import Fraction

import pytest

from core.errors import MediaError
from core.media.probe import facts_of
from core.media_facts import facts_from_dict, facts_to_dict

VIDEO = {
    "index": 0, "codec_type": "video", "codec_name": "h264", "width": 320, "height": 180,
    "time_base": "1/12800", "r_frame_rate": "25/1", "avg_frame_rate": "25/1",
    "sample_aspect_ratio": "4:3", "start_time": "0.080000", "duration": "4.000000",
}  # fmt: skip
AUDIO = {
    "index": 1, "codec_type": "audio", "codec_name": "aac", "sample_rate": "44100", "channels": 2,
    "start_time": "N/A",
}  # fmt: skip


def answer(*streams, **form):
    return {
        "format": {"format_name": "mov,mp4", "duration": "4.0", **form},
        "streams": list(streams),
    }


def test_the_facts_of_a_clip_are_read():
    facts = facts_of(answer(VIDEO, AUDIO, start_time="0.08"), name="a.mp4")

    assert (facts.kind, facts.container, facts.duration, facts.start) == ("video", "mov", 4.0, 0.08)
    assert facts.video
    assert (facts.video.rate, facts.video.time_base) == (25, Fraction(1, 12800))
    assert facts.audio
    assert (facts.audio.rate, facts.audio.channels, facts.audio.start) == (44100, 2, 0.0)


@pytest.mark.parametrize(
    ("turned", "rotation", "size", "aspect"),
    [
        ({"side_data_list": [{"rotation": -90}]}, 90, (180, 320), Fraction(3, 4)),
        ({"side_data_list": [{"rotation": 90}]}, 270, (180, 320), Fraction(3, 4)),
        ({"side_data_list": [{"rotation": 180}]}, 180, (320, 180), Fraction(4, 3)),
        ({"tags": {"rotate": "90"}}, 90, (180, 320), Fraction(3, 4)),
        ({"tags": {"rotate": "вверх"}}, 0, (320, 180), Fraction(4, 3)),
    ],
)
def test_the_size_is_that_of_the_upright_picture(turned, rotation, size, aspect):
    video = facts_of(answer(VIDEO | turned), name="a.mp4").video

    assert video
    assert (video.rotation, (video.width, video.height), video.pixel_aspect) == (rotation, size, aspect)  # fmt: skip


def test_the_cover_of_a_record_is_not_its_picture():
    cover = VIDEO | {"disposition": {"attached_pic": 1}}

    assert facts_of(answer(cover, AUDIO), name="a.mp3").kind == "audio"


def test_the_stream_that_players_choose_is_read():
    second = VIDEO | {"index": 2, "width": 640, "disposition": {"default": 1}}

    video = facts_of(answer(VIDEO, second), name="a.mkv").video

    assert video
    assert (video.stream, video.width) == (2, 640)


def test_frames_that_come_unevenly_are_variable_whatever_the_header_says():
    packets = [{"stream_index": 0, "pts": pts, "flags": "K_"} for pts in (0, 40, 80, 200)]

    assert facts_of(answer(VIDEO) | {"packets": packets}, name="a").video.is_variable
    assert not facts_of(answer(VIDEO) | {"packets": packets[:3]}, name="a").video.is_variable


def test_words_of_the_maker_stay_words():
    facts = facts_of(answer(AUDIO, tags={"title": "<script>alert('标题')</script>"}), name="a")

    assert facts.tags["title"] == "<script>alert('标题')</script>"


@pytest.mark.parametrize(
    ("said", "message"),
    [
        (answer(), "holds neither pictures nor sound"),
        (answer({"codec_type": "subtitle"}), "holds neither pictures nor sound"),
        (answer(VIDEO | {"width": 65_535, "height": 65_535}), "65,535 × 65,535 pixels"),
        (answer(VIDEO | {"width": 0}), "have no size"),
        (answer(VIDEO | {"time_base": "0/0"}), "have no times"),
        (answer(VIDEO, duration="4294967296"), "lasts 1,193,046 hours"),
        (answer(VIDEO | {"duration": "4294967296"}), "lasts 1,193,046 hours"),
        (answer(AUDIO | {"sample_rate": "4294967295"}), "4,294,967,295 samples a second"),
        (answer(*[AUDIO] * 100), "has 100 streams"),
    ],
)
def test_a_header_that_cannot_be_true_is_refused(said, message):
    with pytest.raises(MediaError, match=message):
        facts_of(said, name="клип.mp4")


def test_facts_are_kept_as_json_and_read_back():
    facts = facts_of(answer(VIDEO, AUDIO, tags={"title": "名"}), name="a.mp4")
    sound = facts_of(answer(AUDIO), name="a.m4a")

    assert facts_from_dict(json.loads(json.dumps(facts_to_dict(facts)))) == facts
    assert facts_from_dict(json.loads(json.dumps(facts_to_dict(sound)))) == sound
