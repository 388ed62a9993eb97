"""Media made ready by the worker: one bad file is told, a person goes first, a kill costs nothing."""

from __future__ import annotations

import io
import json
import signal
from dataclasses import replace

import pytest
from PIL import Image

from core.errors import MediaError, SetupError
from core.media_records import MediaFile
from core.records import PRIORITY
from core.samples import Media, Sample
from core.schema import Schema
from tests.integration.media.made_clips import ffmpeg, make_b_frames
from tests.integration.preparing_data import start_worker, wait_for
from train import media_parts as parts
from train.jobs import handle_job
from train.media import frame_index, prepare_media, remake_parts
from train.services import Services
from train.warm import WarmModel


def picture(number, size=(64, 48), form="PNG"):
    out = io.BytesIO()
    Image.new("RGB", size, (number % 256, number // 256, 90)).save(out, form)
    return out.getvalue()


def add(store, datas, *, languages=()):
    """A collection with a sample a file, none of them looked at."""
    files, samples = {}, []
    for number, data in enumerate(datas):
        kept = store.media.files.put(io.BytesIO(data))
        path = f"файл-{number}"
        files[path] = MediaFile(kept.sha256, kept.bytes, name=path)
        media = (Media("m1", "image", path),)
        samples.append(
            Sample(f"s{number}", "zh", "image", None, media, meta={"ocr": list(languages)})
        )
    record = store.imports.bring_in("媒体", samples, schema=Schema(), note="", files=files)
    return record.id, [files[f"файл-{n}"].sha256 for n in range(len(files))]


@pytest.fixture
def services(home, store):
    return Services(home, store)


def do(services, collection, **more):
    job = prepare_media(services, collection, **more)
    handle_job(services, WarmModel(services), job)
    return services.store.jobs.get(job)


def test_media_never_make_other_work_wait(services):
    assert PRIORITY["media"] == min(PRIORITY.values())


def test_each_file_is_made_ready_and_a_bad_one_is_told(services, store):
    collection, digests = add(
        store, [picture(1), b"<svg><script>1</script></svg>", picture(2, (3000, 100)), b""]
    )

    ended = do(services, collection)

    files = [store.media.file(digest) for digest in digests]
    assert (ended.state, ended.done, ended.total, len(ended.failures)) == ("done", 2, 4, 2)
    assert [f.state for f in files] == ["ready", "failed", "ready", "failed"]
    assert {f["id"] for f in ended.failures} == {"s1", "s3"}
    assert "0 bytes" in files[3].problem
    made = store.media.files.derived_names(digests[2])
    assert "view-1-2048-p0.jpg" in made
    assert "tile-1-512-p0-0-0-0.jpg" in made
    assert prepare_media(services, collection) is None


def test_a_clip_gets_its_copy_its_outline_and_its_frames(services, store, tmp_path):
    clip = make_b_frames(tmp_path / "ролик.mp4")
    ffmpeg("-f", "lavfi", "-i", "sine=d=2", tmp_path / "звук.wav")
    collection, (video, sound) = add(
        store, [clip.read_bytes(), (tmp_path / "звук.wav").read_bytes()]
    )

    ended = do(services, collection)

    file = store.media.file(video)
    assert (ended.state, ended.done) == ("done", 2)
    assert (file.medium, file.width, file.height, file.rate) == ("video", 320, 180, 25.0)
    assert 3.9 < file.duration < 4.2
    assert len(frame_index(store.media.files, file)) == 100
    read = store.media.files.read_derived
    told = json.loads(read(video, parts.filmstrip_times().derived))
    assert len(told["times"]) == 20
    assert json.loads(read(video, parts.scenes().derived)) == []
    wave = json.loads(read(sound, parts.waveform().derived))
    assert max(wave["high"]) > 5
    for digest, has_pictures in ((video, True), (sound, False)):
        proxy = parts.proxy(has_pictures=has_pictures).derived
        assert read(digest, proxy)[4:8] == b"ftyp"


def test_a_long_clip_has_the_scenes_that_its_key_frames_tell(
    services, store, tmp_path, monkeypatch
):
    path = tmp_path / "scenes.mp4"
    ffmpeg("-f", "lavfi", "-i", "color=black:s=160x90:r=25:d=1", "-f", "lavfi", "-i",
           "color=white:s=160x90:r=25:d=1", "-filter_complex", "concat=n=2",
           "-c:v", "libx264", "-sc_threshold", "0", "-g", "20", path)  # fmt: skip
    monkeypatch.setattr("train.media.SCENE_SECONDS", 1)
    collection, (digest,) = add(store, [path.read_bytes()])

    do(services, collection)

    scenes = store.media.files.read_derived(digest, parts.scenes().derived)
    assert json.loads(scenes) == [1.6]


def test_the_sample_that_a_person_has_open_goes_first(services, store, monkeypatch):
    collection, digests = add(store, [picture(n) for n in range(6)])
    keys = store.samples.keys(collection_id=collection)
    order = []
    from train import media

    real = media.make_parts
    monkeypatch.setattr(
        media,
        "make_parts",
        lambda files, file, **more: order.append(file.sha256) or real(files, file, **more),
    )

    job = prepare_media(services, collection)
    assert prepare_media(services, collection, first=keys[4]) == job
    handle_job(services, WarmModel(services), job)

    assert order[0] == digests[4]
    assert sorted(order) == sorted(digests)


def test_a_cancelled_job_stops_and_what_is_made_stays(services, store, monkeypatch):
    monkeypatch.setattr("train.watch.LOOK", 0.0)
    collection, digests = add(store, [picture(n) for n in range(5)])
    from train import media

    real = media.make_parts
    job = prepare_media(services, collection)

    def cancel(files, file, **more):
        store.jobs.cancel(job)
        return real(files, file, **more)

    monkeypatch.setattr(media, "make_parts", cancel)
    handle_job(services, WarmModel(services), job)

    ended = store.jobs.get(job)
    assert (ended.state, ended.done) == ("cancelled", 0)
    assert all(store.media.file(d).state == "looked" for d in digests)


def test_what_is_deleted_is_made_again_on_demand(services, store):
    collection, (digest,) = add(store, [picture(1)])
    do(services, collection)
    store.media.files.drop_derived(digest)

    remake_parts(services, digest)
    (job,) = store.jobs.open("media")
    handle_job(services, WarmModel(services), job.id)

    assert "view-1-2048-p0.jpg" in store.media.files.derived_names(digest)


def test_what_failed_is_looked_at_again_and_says_what_is_wrong_now(services, store):
    collection, (good, bad) = add(store, [picture(1), b"no picture at all"])
    do(services, collection)
    before = store.media.file(bad).problem
    store.media.keep(replace(store.media.file(good), state="failed", problem="too little memory"))

    for digest in (good, bad):
        remake_parts(services, digest)
    waiting = [store.media.file(d) for d in (good, bad)]
    (job,) = store.jobs.open("media")
    handle_job(services, WarmModel(services), job.id)

    assert [(file.state, file.problem) for file in waiting] == [("new", ""), ("new", "")]
    assert (store.media.file(good).state, store.media.file(good).problem) == ("ready", "")
    assert (store.media.file(bad).state, store.media.file(bad).problem) == ("failed", before)
    assert len(store.jobs.get(job.id).failures) == 1


@pytest.mark.parametrize(
    ("part", "problem"),
    [
        ("check_engine", SetupError("tesseract is missing: install tesseract-ocr")),
        ("read_words", MediaError("кадр.png: tesseract did not finish a page")),
    ],
)
def test_words_that_cannot_be_read_are_a_note_and_no_failure(
    services, store, monkeypatch, part, problem
):
    def fail(*_, **__):
        raise problem

    monkeypatch.setattr("core.media.ocr.check_engine", lambda _: None)
    monkeypatch.setattr(f"core.media.ocr.{part}", fail)
    collection, (digest,) = add(store, [picture(1)], languages=["ru"])

    ended = do(services, collection)

    file = store.media.file(digest)
    assert (ended.state, file.state) == ("done", "ready")
    assert file.notes["words"] == str(problem)


def test_a_worker_that_is_killed_makes_no_file_twice(services, store):
    collection, digests = add(store, [picture(n, (700, 500)) for n in range(12)])
    job = prepare_media(services, collection)
    seen: dict[str, float] = {}

    def ready():
        return [d for d in digests if store.media.file(d).state == "ready"]

    def view_times(some):
        folder = services.home.media / "made"
        return {d: (folder / d[:2] / d / "view-1-2048-p0.jpg").stat().st_mtime_ns for d in some}

    for kill_at in (2, 6):
        worker = start_worker(services)
        wait_for(lambda at=kill_at: len(ready()) >= at, seconds=300)
        worker.send_signal(signal.SIGKILL)
        worker.wait()
        assert all(seen[d] == t for d, t in view_times(seen).items())
        seen |= view_times(ready())
    worker = start_worker(services)
    wait_for(lambda: store.jobs.get(job).state == "done", seconds=300)
    worker.terminate()
    worker.wait()

    ended = store.jobs.get(job)
    assert (ended.done, ended.total, list(ended.failures)) == (12, 12, [])
    assert all(seen[d] == t for d, t in view_times(seen).items())
