"""Boxes, ranges and tracks go out to COCO, Label Studio and M2E2 and come back where they were."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from core.errors import FileError
from core.events import Argument, Event, Mention, span
from core.formats.coco import read_coco, write_coco
from core.formats.label_studio import read_tasks
from core.formats.label_studio_regions import (
    box_of_value,
    frames_of_range,
    range_of_frames,
    tracks_of_value,
)
from core.formats.label_studio_write import write_config, write_tasks
from core.formats.m2e2 import read_m2e2
from core.samples import Media, Sample

# Real files of the formats, where this checkout has them beside it.
REAL = Path(__file__).resolve().parents[4] / "shared" / "data" / "formats"
needs_files = pytest.mark.skipif(
    not REAL.is_dir(), reason="the example files are not beside the checkout"
)

TEXT = "😀 Компания «Вербена» выпустила Тулу 3 / 韦尔贝纳实验室推出图拉3"
SIZES = {"pics/лист.png": (1_234, 777), "b.jpg": (9_999, 3)}


def boxes_only():
    trigger = Mention(text="Тула 3", media="m1", box=(0.1, 0.2, 0.3, 0.123456789))
    product = Mention(text="图拉3", media="m1", box=(0.5, 0.25, 0.5, 0.75), entity_kind="PRODUCT")
    events = (Event("product_launch", trigger, (Argument("product", product), Argument("agent", product))),
              Event("test", None, (Argument("object", trigger),)))  # fmt: skip
    return Sample(
        "лист-1", "ru", "image", None, (Media("m1", "image", "pics/лист.png"),), events=events
    )


def across_media():
    start = TEXT.index("выпустила")
    track = Mention(media="clip", range=(0.4, 2.0), keyframes=((0.4, 0.1, 0.1, 0.2, 0.2), (2.0, 0.5, 0.1, 0.2, 0.3)))  # fmt: skip
    events = (
        Event(
            "product_launch", span(TEXT, start, start + 9),
            (
                Argument("product", Mention(media="m1", box=(0.125, 0.25, 0.5, 0.5))),
                Argument("agent", span(TEXT, 12, 19)),
                Argument("time", Mention(media="sound", range=(1.25, 2.5))),
                Argument("place", Mention(media="clip", range=(0.2, 1.6))),
                Argument("product", track),
            ),
        ),
        Event("test", None, (Argument("object", Mention(media="m1", box=(0.5, 0.5, 0.25, 0.25))),)),
    )  # fmt: skip
    media = (Media("m1", "image", "pics/лист.png"), Media("clip", "video", "a.mp4"), Media("sound", "audio", "a.ogg"))  # fmt: skip
    return Sample("смесь", "ru", "mixed", TEXT, media, events=events)


# ---------------------------------------------------------------- COCO


def test_boxes_come_back_from_coco_where_they_were_in_their_events():
    sample = boxes_only()

    written = write_coco([sample], sizes=SIZES)
    read = read_coco(written.data, name="boxes.json")

    assert written.left_out == read.problems == []
    (back,) = read.samples
    assert (back.id, back.language, back.media) == (sample.id, "ru", sample.media)
    for ours, theirs in zip(sample.events, back.events, strict=True):
        assert (ours.event_type, [a.role for a in ours.arguments]) == (
            theirs.event_type, [a.role for a in theirs.arguments])  # fmt: skip
        for one, other in zip(ours.mentions(), theirs.mentions(), strict=True):
            assert replace(other, box=None) == replace(one, box=None)
            assert other.box == pytest.approx(one.box, abs=1e-8)


def test_coco_has_pixels_and_a_category_for_each_role():
    whole = json.loads(write_coco([boxes_only()], sizes=SIZES).data)

    assert [c["name"] for c in whole["categories"]] == [
        "product_launch", "product_launch.product", "product_launch.agent", "test.object"]  # fmt: skip
    assert whole["annotations"][1]["bbox"] == [617, 194.25, 617, 582.75]
    assert (whole["images"][0]["width"], whole["images"][0]["height"]) == SIZES["pics/лист.png"]


def test_what_coco_cannot_hold_is_said():
    written = write_coco([across_media()], sizes={})

    assert len(written.left_out) == 7
    assert any("size of pics/лист.png is not known" in line for line in written.left_out)


def test_a_coco_file_of_others_gives_an_event_for_each_box():
    data = {
        "images": [{"id": 7, "file_name": "a\\b.jpg", "width": 200, "height": 100}, {"id": 8, "file_name": "c.jpg"}],
        "categories": [{"id": 1, "name": "person"}],
        "annotations": [
            {"id": 1, "image_id": 7, "category_id": 1, "bbox": [150, 50, 100, 25], "iscrowd": 1},
            {"id": 2, "image_id": 7, "category_id": 9, "bbox": [0, 0, 1, 1]},
            {"id": 3, "image_id": 8, "category_id": 1, "bbox": [0, 0, 1, 1]},
            {"id": 4, "image_id": 7, "category_id": 1, "bbox": [0, 0, "1", 1]},
            {"id": 5, "image_id": 7, "category_id": 1, "bbox": [300, 0, 10, 10]},
        ],
    }  # fmt: skip

    read = read_coco(json.dumps(data).encode(), name="a.json", language="en")

    first, second = read.samples
    assert (first.id, first.media[0].path) == ("a/b.jpg", "a/b.jpg")
    assert first.events == (Event("person", Mention(media="m1", box=(0.75, 0.5, 0.25, 0.25)), meta={"coco": {"iscrowd": 1}}),)  # fmt: skip
    assert second.events == ()
    told = " ".join(p.message for p in read.problems)
    for reason in ("category_id is 9", "no width and height", "must be [x, y", "no area"):
        assert reason in told


@pytest.mark.parametrize(
    "data", [b"{", b"[]", b'{"images": {}}', b'{"images": [], "annotations": [1]}']
)
def test_a_file_that_is_no_coco_is_refused(data):
    with pytest.raises(FileError, match=r"a\.json"):
        read_coco(data, name="a.json")


# ---------------------------------------------------------------- Label Studio


def test_an_event_over_four_media_comes_back_from_label_studio():
    sample = across_media()

    written = write_tasks([sample], fps={"a.mp4": 25.0}, frames={"a.mp4": 100})
    read = read_tasks(written.data, name="tasks.json")

    assert written.left_out == read.problems == []
    (back,) = read.samples
    assert (back.id, back.text, back.media, back.language) == (sample.id, TEXT, sample.media, "ru")
    for ours, theirs in zip(sample.events, back.events, strict=True):
        assert [a.role for a in ours.arguments] == [a.role for a in theirs.arguments]
        assert (ours.trigger is None) == (theirs.trigger is None)
        for one, other in zip(ours.mentions(), theirs.mentions(), strict=True):
            assert (other.start, other.end, other.media) == (one.start, one.end, one.media)
            assert other.box == one.box
            assert other.range == (pytest.approx(one.range, abs=0.5 / 25) if one.range else None)
            assert len(other.keyframes) == len(one.keyframes)
            for a, b in zip(one.keyframes, other.keyframes, strict=True):
                assert b == pytest.approx(a, abs=0.04)


@pytest.mark.parametrize("fps", [24, 25, 29.97, 30, 60])
def test_ranges_on_frames_come_back_exactly(fps):
    for first in range(1, 400, 7):
        for last in (first, first + 1, first + 33):
            assert frames_of_range(*range_of_frames(first, last, fps), fps) == (first, last)


def test_a_clip_without_a_frame_rate_is_said_and_the_rest_is_written():
    written = write_tasks([across_media()])

    assert len(written.left_out) == 2
    assert all("frame rate of a.mp4 is not known" in line for line in written.left_out)
    assert len(json.loads(written.data)[0]["annotations"][0]["result"]) == 10


def test_the_configuration_names_every_medium_label_and_role():
    config = write_config([across_media(), boxes_only()])

    for part in ('value="product_launch"', '<Relation value="agent"/>', '<Image name="m1" value="$m1"/>',
                 '<Video name="clip" value="$clip" framerate="$fps"/>', "<Audio", "<Text"):  # fmt: skip
        assert part in config


def test_a_rotated_rectangle_gives_the_upright_box_around_it():
    value = {"x": 50, "y": 50, "width": 20, "height": 10, "rotation": 90}

    assert box_of_value(value) == pytest.approx((0.4, 0.5, 0.1, 0.2))
    assert box_of_value(value, aspect=2) == pytest.approx((0.45, 0.5, 0.05, 0.4))
    assert box_of_value({"x": 30, "y": 40, "width": -10, "height": -20}) == pytest.approx(
        (0.2, 0.2, 0.1, 0.2)
    )


def test_a_track_that_is_switched_off_and_on_is_two_ranges():
    def key(frame, *, enabled):
        return {"frame": frame, "enabled": enabled, "x": frame, "y": 10, "width": 10, "height": 10}

    value = {"framesCount": 100, "sequence": [key(1, enabled=True), key(11, enabled=False), key(51, enabled=True)]}  # fmt: skip

    first, second = tracks_of_value(value, fps=10, medium="m1")

    assert (first.range, second.range) == ((0.0, 1.0), (5.0, 10.0))
    assert [k[0] for k in first.keyframes] == [0.0, 1.0]


def test_offsets_counted_as_a_browser_counts_are_told_by_their_words():
    def task(start, end, words):
        value = {"start": start, "end": end, "text": words, "labels": ["A"]}
        return {"data": {"text": TEXT}, "annotations": [{"result": [{"id": "r", "type": "labels", "value": value}]}]}  # fmt: skip

    tasks = [task(2, 10, "Компания"), task(3, 11, "Компания"), task(0, 4, "nowhere")]
    read = read_tasks(json.dumps(tasks).encode(), name="a.json")

    triggers = [s.events[0].trigger for s in read.samples]
    assert [(t.start, t.end, t.text) for t in triggers] == [
        (2, 10, "Компания"), (2, 10, "Компания"), (None, None, "nowhere")]  # fmt: skip


def test_regions_that_cannot_be_used_are_said_and_the_others_are_read():
    result = [
        {"id": "a", "to_name": "img", "value": {"x": 10, "y": 10, "width": 10, "height": 10, "rectanglelabels": ["Car"]}},
        {"id": "b", "to_name": "img", "value": {"x": "?", "y": 10, "width": 10, "height": 10, "rectanglelabels": ["Car"]}},
        {"id": "c", "to_name": "v", "value": {"ranges": [{"start": 1, "end": 5}], "timelinelabels": ["Car"]}},
        {"type": "relation", "from_id": "a", "to_id": "b", "labels": ["part"]},
    ]  # fmt: skip
    task = {
        "data": {"img": "/data/local-files/?d=img/кот.jpg"},
        "annotations": [{"result": result}],
    }

    read = read_tasks(json.dumps([task]).encode(), name="a.json")

    assert read.samples[0].media == (Media("img", "image", "img/кот.jpg"),)
    assert [e.event_type for e in read.samples[0].events] == ["Car"]
    told = " ".join(p.message for p in read.problems)
    for reason in ("region b", "region c", "no region that was read"):
        assert reason in told


@needs_files
@pytest.mark.parametrize(
    ("name", "samples", "events", "problems"),
    [("image_rectanglelabels.json", 1, None, 0), ("image_rectanglelabels.export.json", 2, None, 0),
     ("text_ner.json", 1, 1, 0), ("text_relations.CONSTRUCTED.json", 1, None, 0)],
)  # fmt: skip
def test_real_exports_are_read(name, samples, events, problems):
    read = read_tasks((REAL / "label_studio" / name).read_bytes(), name=name)

    assert (len(read.samples), len(read.problems)) == (samples, problems)
    assert all(s.events for s in read.samples)
    assert events is None or len(read.samples[0].events) == events


@needs_files
def test_a_real_timeline_needs_the_frame_rate_and_then_is_in_seconds():
    data = (REAL / "label_studio" / "video_timelinelabels.json").read_bytes()

    without, read = read_tasks(data, name="a"), read_tasks(data, name="a", fps=25)

    assert "frame rate is not known" in without.problems[0].message
    assert [e.trigger.range for e in read.samples[0].events] == [(0.0, 0.4), (0.16, 0.6)]


@needs_files
def test_a_real_track_tells_its_own_frame_rate():
    whole = json.loads((REAL / "label_studio" / "video_videorectangle.json").read_bytes())
    whole["data"] = {"video": "possum.mp4"}

    read = read_tasks(json.dumps(whole).encode(), name="a")

    first = read.samples[0].events[0].trigger
    assert first.range == pytest.approx((0, 4 / 24))
    assert len(first.keyframes) == 2
    # the last track was drawn from below its picture's edge upward
    assert all(
        0 <= v <= 1 for e in read.samples[0].events for k in e.trigger.keyframes for v in k[1:]
    )


# ---------------------------------------------------------------- M2E2


def small_corpus():
    text = [{
        "sentence_id": "N_1_5", "sentence": "Police arrest a man in Казань", "words": ["Police", "arrest", "a", "man", "in", "Казань", "."],
        "golden-entity-mentions": [{"start": 5, "end": 6, "text": "Казань", "entity-type": "GPE"}],
        "golden-event-mentions": [{
            "trigger": {"start": 1, "end": 2, "text": "arrest"}, "event_type": "Justice:Arrest-Jail",
            "arguments": [{"role": "Place", "start": 5, "end": 6, "text": "Казань"}]}],
        "image": ["N_1_0.jpg", "N_1_9.jpg"]}]  # fmt: skip
    pictures = {
        "N_1_0": {"event_type": "Justice:Arrest-Jail", "role": {"Person": [["1", 50, 20, 150, 70], ["0", 0, 0, 200, 100]]}},
        "N_1_1": {"event_type": "Contact:Meet", "role": {"Entity": [["1", 0, 0, 100, 50]]}},
        "N_2_0": {"event_type": "Contact:Meet", "role": {"Entity": [["1", 0, 0, 100, 50]]}},
    }  # fmt: skip
    coreference = "N_1_5\tN_1_0.jpg\tJustice:Arrest-Jail\n"
    return {
        "text": json.dumps(text).encode(), "pictures": json.dumps(pictures).encode(), "coreference": coreference.encode(),
    }  # fmt: skip


def test_a_sentence_and_its_picture_are_one_event():
    read = read_m2e2(**small_corpus(), sizes={"N_1_0.jpg": (200, 100), "N_1_1.jpg": (200, 100)})

    sentence, picture = read.samples
    (event,) = sentence.events
    assert (event.trigger.start, event.trigger.end, event.trigger.text) == (7, 13, "arrest")
    assert [(a.role, a.mention.text, a.mention.box) for a in event.arguments] == [
        ("Place", "Казань", None), ("Person", None, (0.25, 0.2, 0.5, 0.5)), ("Person", None, (0, 0, 1, 1))]  # fmt: skip
    assert event.arguments[0].mention.entity_kind == "GPE"
    assert event.arguments[2].mention.meta == {"m2e2_flag": "0"}
    assert (picture.id, picture.events[0].trigger, picture.parallel_group) == ("N_1_1", None, "N_1")


def test_pictures_that_are_not_there_are_listed_and_their_boxes_left_out():
    read = read_m2e2(**small_corpus(), sizes={})

    assert read.missing == ["N_1_0.jpg", "N_1_1.jpg", "N_1_9.jpg", "N_2_0.jpg"]
    (sentence,) = read.samples
    assert [a.role for a in sentence.events[0].arguments] == ["Place"]
    assert read.problems == []


@needs_files
def test_the_real_corpus_is_read_whole():
    folder = REAL / "m2e2"
    pictures = (folder / "image_multimedia_event.json").read_bytes()
    sizes = {f"{stem}.jpg": (9_000, 9_000) for stem in json.loads(pictures)}

    read = read_m2e2(
        text=(folder / "text_multimedia_event.sample.json").read_bytes(), pictures=pictures,
        coreference=(folder / "crossmedia_coref.txt").read_bytes(), sizes=sizes,
    )  # fmt: skip

    sentences = [s for s in read.samples if s.text]
    assert len(sentences) == 12
    assert read.problems == []
    assert sum(m.box is not None for s in sentences for e in s.events for m in e.mentions()) >= 12
    for sample in sentences:
        for event in sample.events:
            for mention in event.mentions():
                assert mention.kind != "unanchored"
                assert (
                    mention.start is None
                    or sample.text[mention.start : mention.end] == mention.text
                )
