"""The media store: kept once, checked when read, whole or not there; and rows that say what is where."""

from __future__ import annotations

import hashlib
import io

import pytest

from core.bulk import BulkOrder
from core.errors import MediaError, NotFoundError, StorageError
from core.media_records import MediaFile
from core.queue_work import run_bulk, undo_bulk
from core.queues import default_queue
from core.samples import Media, Sample
from core.schema import Schema
from storage.media_files import Derived, open_files

THUMBNAIL = Derived("thumbnail", 1, "320", ".jpg")
DATA = "图片 и звук".encode() * 1000
ANA = "Ana"


@pytest.fixture(params=["folder", "fsspec"])
def files(request, tmp_path):
    url = None if request.param == "folder" else f"memory://argus-{tmp_path.name}"
    return open_files(tmp_path / "media", url)


def put(files, data=DATA, **more):
    return files.put(io.BytesIO(data), **more)


def bring(store, name, *paths, data=DATA, ids=("a",)):
    """A collection whose samples have these pictures, each with the same bytes."""
    kept = put(store.media.files, data)
    file = MediaFile(kept.sha256, kept.bytes, name=paths[0])
    samples = [
        Sample(
            i, "zh", "image", None, tuple(Media(f"m{n}", "image", p) for n, p in enumerate(paths))
        )
        for i in ids
    ]
    record = store.imports.bring_in(
        name, samples, schema=Schema(), note="", files=dict.fromkeys(paths, file)
    )
    return record.id, kept.sha256


# ---------------------------------------------------------------- files


def test_the_same_bytes_are_kept_once_and_read_back(files):
    first, second = put(files), put(files)

    assert (first.is_new, second.is_new) == (True, False)
    assert first.sha256 == hashlib.sha256(DATA).hexdigest()
    assert files.read(first.sha256) == DATA
    with files.open(first.sha256) as file:
        file.seek(5)
        assert file.read(7) == DATA[5:12]


def test_bytes_that_are_not_the_promised_ones_are_refused(files):
    with pytest.raises(MediaError, match="other bytes than its sha256 says"):
        put(files, expected="0" * 64)
    assert not files.has(hashlib.sha256(DATA).hexdigest())


def test_a_file_that_changed_on_the_disk_is_told(tmp_path):
    files = open_files(tmp_path)
    digest = put(files).sha256
    (tmp_path / "files" / digest[:2] / digest).write_bytes(b"other")

    with pytest.raises(StorageError, match="has changed on the disk"):
        files.read(digest)
    with pytest.raises(StorageError, match="has changed on the disk"):
        files.copy_to(digest, tmp_path / "copy")
    assert not (tmp_path / "copy").exists()


def test_what_is_made_of_a_file_can_be_dropped_and_goes_with_it(files):
    digest = put(files).sha256
    files.put_derived(digest, THUMBNAIL, b"small")

    assert files.read_derived(digest, THUMBNAIL) == b"small"
    assert files.derived_names(digest) == ["thumbnail-1-320.jpg"]
    files.drop_derived(digest)
    assert not files.has_derived(digest, THUMBNAIL)
    files.put_derived(digest, THUMBNAIL, b"small")
    files.delete(digest)
    assert not files.has(digest)
    assert not files.has_derived(digest, THUMBNAIL)


def test_a_part_that_fails_while_it_is_made_leaves_nothing(files):
    digest = put(files).sha256

    def fail():
        with files.making(digest, THUMBNAIL) as part:
            part.write_bytes(b"half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()

    assert not files.has_derived(digest, THUMBNAIL)


@pytest.mark.parametrize("digest", ["../../etc/passwd", "A" * 64, "", "0" * 63, "0" * 64 + "\n"])
def test_only_a_hash_names_a_file(files, digest):
    with pytest.raises(NotFoundError, match="64 hexadecimal digits"):
        files.open(digest)


def test_a_full_disk_leaves_nothing_half_written(tmp_path, full_disk):
    files = open_files(tmp_path)

    with full_disk(1000), pytest.raises(StorageError, match="the disk is full"):
        put(files)

    assert [p for p in tmp_path.rglob("*") if p.is_file()] == []


# ---------------------------------------------------------------- rows


def test_a_sample_has_its_file_and_one_without_says_so(store):
    collection, digest = bring(store, "照片", "снимок.png")
    lost = Sample("b", "ru", "image", None, (Media("m1", "image", "нет.png"),))
    store.imports.bring_in("照片", [lost], schema=None, note="")

    (first, second) = (
        store.media.of(key)[0] for key in store.samples.keys(collection_id=collection)
    )

    assert first.file is not None
    assert (first.file.sha256, first.file.bytes, first.problem) == (digest, len(DATA), "")
    assert second.file is None
    assert "нет.png was not there" in second.problem
    assert store.media.missing(collection)[0][1] == "нет.png"


def test_a_file_that_comes_later_is_attached(store):
    lost = Sample("b", "ru", "image", None, (Media("m1", "image", "нет.png"),))
    record = store.imports.bring_in("c", [lost], schema=Schema(), note="")
    kept = put(store.media.files)

    count = store.media.attach(record.id, {("b", "нет.png"): MediaFile(kept.sha256, kept.bytes)})

    assert count == 1
    assert store.media.missing(record.id) == []


def test_a_file_goes_with_the_last_sample_that_has_it(store):
    _, digest = bring(store, "one", "a.png", ids=("a", "b"))
    bring(store, "two", "c.png")
    keys = store.samples.keys()

    store.samples.delete(keys[:1])
    store.samples.delete(keys[1:2])
    assert store.media.files.has(digest)
    store.samples.delete(keys[2:])

    assert not store.media.files.has(digest)
    with pytest.raises(NotFoundError):
        store.media.file(digest)


def test_a_deleted_collection_takes_its_files_along(store):
    collection, digest = bring(store, "one", "a.png")

    store.collections.delete(collection)

    assert not store.media.files.has(digest)


def test_a_bulk_deletion_can_be_undone_with_its_files(store):
    collection, digest = bring(store, "one", "a.png")
    other, _ = bring(store, "two", "c.png", data=b"other")
    result = run_bulk(store, BulkOrder(default_queue(collection, "oldest"), "delete"), person=ANA)

    store.collections.delete(other)  # sweeps
    assert store.media.files.has(digest)
    undo_bulk(store, result.bulk_id)

    (key,) = store.samples.keys(collection_id=collection)
    assert store.media.of(key)[0].file.sha256 == digest


def test_an_import_whose_file_has_gone_meanwhile_brings_in_nothing(store):
    lost = Sample("b", "ru", "image", None, (Media("m1", "image", "x.png"),))

    with pytest.raises(StorageError, match="has gone from the media store"):
        store.imports.bring_in(
            "c", [lost], schema=Schema(), note="", files={"x.png": MediaFile("0" * 64, 1)}
        )

    assert store.collections.find("c") is None
