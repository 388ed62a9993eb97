"""Nothing in an archive leaves its folder, hides behind a link, or unpacks without end."""

import gzip
import io
import random
import struct
import tarfile
import zipfile

import pytest

from core.errors import MediaError
from core.media.archives import Limits, list_members, open_members

FILES = {"фото/кот.jpg": b"a" * 300, "图片/猫.png": b"b" * 70, "samples.jsonl": b""}


def make_zip(path, files=FILES, *, mode=None, compression=zipfile.ZIP_DEFLATED):
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, data in files.items():
            info = zipfile.ZipInfo(name)
            info.compress_type = compression
            if mode is not None:
                info.external_attr = mode << 16
            archive.writestr(info, data)
    return path


def make_tar(path, files=FILES, *, mode="w", **entry):
    with tarfile.open(path, mode) as archive:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            for key, value in entry.items():
                setattr(info, key, value)
            archive.addfile(info, io.BytesIO(data) if info.isreg() else None)
    return path


def read_all(path):
    return {member.path: file.read() for member, file in open_members(path)}


@pytest.mark.parametrize("mode", ["zip", "w", "w:gz", "w:bz2", "w:xz"])
def test_every_file_comes_out_as_it_went_in(tmp_path, mode):
    path = tmp_path / "archive"
    make_zip(path) if mode == "zip" else make_tar(path, mode=mode)

    assert {m.path: m.size for m in list_members(path)} == {k: len(v) for k, v in FILES.items()}
    assert read_all(path) == FILES


def test_what_a_mac_or_windows_adds_is_passed_over(tmp_path):
    extra = {
        "__MACOSX/._a.jpg": b"x",
        "a/.DS_Store": b"x",
        "a/b.jpg": b"picture",
        "Thumbs.db": b"x",
    }

    assert [m.path for m in list_members(make_zip(tmp_path / "a.zip", extra))] == ["a/b.jpg"]


BAD_NAMES = [
    ("../выход.jpg", r"\.\."), ("a/../../b.jpg", r"\.\."), ("/etc/passwd", "absolute"),
    ("C:/Windows/x.jpg", "absolute"), ("a\\..\\b.jpg", "backslash"), ("a\nb.jpg", "no usable name"),
    ("/".join("a" * 40), "too long"), ("长" * 400 + ".jpg", "too long"), ("./", "no usable name"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "reason"), BAD_NAMES)
@pytest.mark.parametrize("make", [make_zip, make_tar])
def test_a_member_that_leads_elsewhere_is_refused(tmp_path, make, name, reason):
    path = make(tmp_path / "a", {"good.jpg": b"x", name: b"y"})

    with pytest.raises(MediaError, match=reason):
        list_members(path, name="архив")
    with pytest.raises(MediaError, match=reason):
        next(iter(open_members(path)))


@pytest.mark.parametrize(
    ("kind", "reason"),
    [(tarfile.SYMTYPE, "symbolic link"), (tarfile.LNKTYPE, "hard link"), (tarfile.CHRTYPE, "device"),
     (tarfile.FIFOTYPE, "pipe")],
)  # fmt: skip
def test_a_link_or_a_device_in_a_tar_is_refused(tmp_path, kind, reason):
    path = make_tar(tmp_path / "a.tar", {"a.jpg": b""}, type=kind, linkname="/etc/passwd")

    with pytest.raises(MediaError, match=reason):
        list_members(path)


def test_a_link_in_a_zip_is_refused(tmp_path):
    path = make_zip(tmp_path / "a.zip", {"a.jpg": b"/etc/passwd"}, mode=0o120777)

    with pytest.raises(MediaError, match="link"):
        list_members(path)


def test_two_names_for_one_place_are_refused(tmp_path):
    path = make_zip(tmp_path / "a.zip", {"Кот.JPG": b"1", "кот.jpg": b"2"})

    with pytest.raises(MediaError, match="twice"):
        list_members(path)


@pytest.mark.parametrize("make", [make_zip, lambda path, files: make_tar(path, files, mode="w:gz")])
def test_a_bomb_is_refused_before_it_goes_off(tmp_path, make):
    path = make(tmp_path / "bomb", {"a.bin": bytes(30_000_000)})

    with pytest.raises(MediaError, match="decompression bomb"):
        list_members(path)


def test_counts_and_sums_have_a_limit(tmp_path):
    path = make_zip(tmp_path / "a.zip", {f"{i}.txt": b"abc" for i in range(20)})

    with pytest.raises(MediaError, match="says it has 20 members"):
        list_members(path, limits=Limits(members=10))
    with pytest.raises(MediaError, match="unpacks to more than"):
        list_members(path, limits=Limits(total_bytes=50))
    tar = make_tar(tmp_path / "a.tar", {f"{i}.txt": b"abc" for i in range(20)})
    with pytest.raises(MediaError, match="more than 10 members"):
        list_members(tar, limits=Limits(members=10))


def test_members_that_lie_over_each_other_are_refused(tmp_path):
    path = make_zip(tmp_path / "a.zip", {"a.bin": b"x" * 400, "b.bin": b"y" * 400})
    data = bytearray(path.read_bytes())
    second = data.rindex(b"PK\x01\x02")
    data[second + 42 : second + 46] = struct.pack(
        "<I", 0
    )  # the second points at the first one's bytes
    path.write_bytes(data)

    with pytest.raises(MediaError, match="over each other"):
        list_members(path)


def test_a_member_longer_or_shorter_than_it_says_is_an_error_while_it_is_read(tmp_path):
    path = make_zip(tmp_path / "a.zip", {"a.bin": b"x" * 400}, compression=zipfile.ZIP_STORED)
    data = bytearray(path.read_bytes())
    directory = data.rindex(b"PK\x01\x02")
    data[directory + 24 : directory + 28] = struct.pack("<I", 4_000_000)
    path.write_bytes(data)

    with pytest.raises(MediaError, match=r"a\.bin in a\.zip"):
        read_all(path)


def test_a_tar_header_that_claims_gigabytes_is_refused(tmp_path):
    header = tarfile.TarInfo("x")
    header.type, header.size = tarfile.XHDTYPE, 4 * 2**30
    path = tmp_path / "a.tar.gz"
    path.write_bytes(gzip.compress(header.tobuf(tarfile.GNU_FORMAT) + bytes(1024)))

    with pytest.raises(MediaError, match="header in it claims"):
        list_members(path)


@pytest.mark.parametrize("cut", [0.3, 0.6, 0.8])
@pytest.mark.parametrize("mode", ["zip", "w:gz"])
def test_an_archive_cut_off_is_an_error_with_a_remedy(tmp_path, mode, cut):
    path = tmp_path / "a"
    files = {f"{i}.txt": random.Random(i).randbytes(3_000) for i in range(9)}
    make_zip(path, files) if mode == "zip" else make_tar(path, files, mode=mode)
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * cut)])

    with pytest.raises(MediaError, match="again"):
        read_all(path)


def test_a_file_that_is_no_archive_is_named(tmp_path):
    path = tmp_path / "a.zip"
    path.write_bytes(b"GIF89a" + bytes(50))

    with pytest.raises(MediaError, match="GIF"):
        list_members(path)
