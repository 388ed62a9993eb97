"""The demo's pictures, clips and sounds are whole: every offset, box, range and sum."""

import hashlib
import json
import subprocess
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from core.boxes import box_at, clip
from core.formats.argus_jsonl import read_file
from core.languages import MAIN
from core.media.kinds import kind_of_file
from core.media.pictures import look_at, read_view
from core.schema import check_events, schema_from_json
from core.spans import borders
from tools.demo_media import words
from tools.demo_media.pictures import DRAWN

DEMO = Path(__file__).resolve().parents[3] / "storage" / "demo"
SAMPLES = [s for _, s in read_file((DEMO / "media.jsonl").read_bytes(), name="media.jsonl").samples]


def of_kind(*kinds):
    return [s for s in SAMPLES if s.media[0].kind in kinds]


def mentions(sample):
    return [m for event in sample.events for m in event.mentions()]


def test_there_are_pictures_clips_and_sounds_in_four_languages_under_two_megabytes():
    files = sorted((DEMO / "media").iterdir())
    problems = read_file((DEMO / "media.jsonl").read_bytes(), name="media.jsonl").problems

    assert problems == []
    assert (len(of_kind("image", "document")), len(of_kind("video")), len(of_kind("audio"))) == (
        28,
        8,
        4,
    )
    assert set(Counter(s.language for s in SAMPLES).values()) == {10}
    assert sum(f.stat().st_size for f in files) <= 1_800_000
    assert sorted(s.media[0].path for s in SAMPLES) == [f"media/{f.name}" for f in files]


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda s: s.id)
def test_a_file_is_what_the_sample_says_it_is(sample):
    (medium,) = sample.media
    path = DEMO / medium.path

    assert hashlib.sha256(path.read_bytes()).hexdigest() == medium.sha256
    kind = kind_of_file(path)
    assert kind.medium == medium.kind
    assert kind.suffix == path.suffix


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda s: s.id)
def test_a_span_says_what_the_text_says_there(sample):
    for mention in mentions(sample):
        if mention.start is not None:
            assert sample.text[mention.start : mention.end] == mention.text
            assert {mention.start, mention.end} <= borders(sample.text)
        assert mention.kind != "unanchored"


@pytest.mark.parametrize("sample", of_kind("image", "document"), ids=lambda s: s.id)
def test_a_box_lies_on_its_picture_and_something_is_drawn_in_it(sample):
    path = DEMO / sample.media[0].path
    facts = look_at(path)
    boxes = [m for m in mentions(sample) if m.box is not None]

    assert boxes
    assert facts.width / facts.height == pytest.approx(1.5, abs=0.01)
    for mention in boxes:
        assert clip(mention.box) == pytest.approx(mention.box)
        assert (mention.page or 0) < facts.pages
        crop = np.asarray(read_view(path, page=mention.page or 0, region=mention.box, longest=400))
        assert np.ptp(crop.astype(int), axis=(0, 1)).max() > 100


@pytest.mark.parametrize("sample", of_kind("video", "audio"), ids=lambda s: s.id)
def test_a_range_lies_in_its_clip_and_its_keyframes_in_the_range(sample):
    length = duration(DEMO / sample.media[0].path)
    timed = [m for m in mentions(sample) if m.range is not None]

    assert timed
    for mention in timed:
        start, end = mention.range
        assert 0 <= start < end <= length + 0.01
        times = [k[0] for k in mention.keyframes]
        assert times == sorted(set(times))
        assert all(start <= t <= end for t in times)
        for _, *box in mention.keyframes:
            assert clip(tuple(box)) == pytest.approx(tuple(box))
    assert sample.media[0].kind == "audio" or any(m.keyframes for m in timed)


def duration(path: Path) -> float:
    done = subprocess.run(
        ["ffprobe", "-v", "error", "-show_entries", "format=duration", "-of", "json", f"file:{path}"],
        capture_output=True, check=True,
    )  # fmt: skip
    return float(json.loads(done.stdout)["format"]["duration"])


def test_every_event_fits_the_demos_schema():
    schema = schema_from_json((DEMO / "schema.json").read_bytes())

    for sample in SAMPLES:
        assert check_events(schema, sample.events) == [], sample.id


def test_each_story_is_told_in_four_languages_and_lies_in_one_split():
    for group in {s.parallel_group for s in SAMPLES}:
        told = [s for s in SAMPLES if s.parallel_group == group]
        assert sorted(s.language for s in told) == sorted(MAIN)
        assert len({s.split for s in told}) == 1
        assert len({tuple(a.role for e in s.events for a in e.arguments) for s in told}) == 1


def test_an_event_reaches_over_text_and_picture():
    across = [s for s in SAMPLES if len({m.media for m in mentions(s)}) > 1]

    assert len(across) >= 24


def test_the_rocket_is_in_its_box_at_every_time():
    sample = next(s for s in SAMPLES if s.id == "media-liftoff-en")
    track = next(m for m in mentions(sample) if m.keyframes)
    done = subprocess.run(
        ["ffmpeg", "-v", "error", "-nostdin", "-i", f"file:{DEMO / sample.media[0].path}", "-f", "rawvideo",
         "-pix_fmt", "rgb24", "pipe:1"], capture_output=True, check=True,
    )  # fmt: skip
    frames = np.frombuffer(done.stdout, np.uint8).reshape(-1, 270, 480, 3).astype(int)

    assert len(frames) == 72
    for number in range(0, int(track.range[1] * 12) - 4, 6):
        x, y, w, h = box_at(track.keyframes, number / 12)
        white = (frames[number].min(axis=2) > 232)[: round(270 * (y + h))]
        columns = np.flatnonzero(white.sum(axis=0) > 20)  # the body, not the noise around smoke
        assert columns.min() >= 480 * x - 1
        assert columns.max() <= 480 * (x + w) + 1


@pytest.mark.parametrize("language", ["ru", "zh"])
def test_a_picture_drawn_again_has_its_boxes_where_the_gold_events_have_them(language):
    try:
        sheet = DRAWN["investment"](language, words.INVESTMENT[language])
    except OSError:
        pytest.skip("apt-get install fonts-liberation fonts-noto-cjk")
    sample = next(s for s in SAMPLES if s.id == f"media-investment-{language}")

    found = {m.text: m.box for m in mentions(sample)}
    for name, text in sheet.words.items():
        assert found[text] == pytest.approx(sheet.boxes[name], abs=0.004)


# ---------------------------------------------------------------- as `argus demo` loads it


@pytest.fixture(scope="module")
def loaded(tmp_path_factory):
    """What `argus demo --media` leaves, twice."""
    import cli
    from storage.home import Home
    from train.services import open_services

    root = tmp_path_factory.mktemp("demo")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ARGUS_HOME", str(root))
        assert [cli.main(["demo", "--media"]), cli.main(["demo"])] == [0, 0]
        services = open_services(Home(root))
        yield services, services.store.collections.get("Demo: pictures and clips")
        services.store.engine.dispose()


def test_the_demo_leaves_its_media_for_the_worker_and_repeats_nothing(loaded):
    services, collection = loaded
    store = services.store

    assert len(store.samples.keys(collection_id=collection.id)) == 40
    assert len(store.samples.keys(collection_id=store.collections.get("demo").id)) == 256
    (job,) = store.jobs.open("media", collection_id=collection.id)
    assert job.state == "queued"
    assert store.media.count_waiting(collection.id) == 40
    assert store.media.missing(collection.id) == []


def test_every_gold_mention_points_inside_its_medium(loaded):
    from train.media import look_at_path

    services, collection = loaded
    store, pointed = services.store, 0
    for record in store.samples.list(collection_id=collection.id):
        (one,) = store.media.of(record.key)
        with store.media.files.local(one.file.sha256) as path:
            file = look_at_path(path, one.file, keep=lambda _data: None)
        for mention in mentions(record.sample):
            if mention.media is None:
                assert record.sample.text[mention.start : mention.end] == mention.text
                continue
            pointed += 1
            assert mention.media == one.media.id
            assert (
                mention.start is None
            )  # else its words would have to be those that are read there
            if mention.range is not None:
                assert 0 <= mention.range[0] < mention.range[1] <= file.duration + 0.01
            else:
                assert mention.box == pytest.approx(clip(mention.box))
                assert (mention.page or 0) < file.pages
    assert pointed >= 100
