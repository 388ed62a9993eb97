"""Links to media: for one person, one part of one file, for a time; and the route that serves them."""

from __future__ import annotations

import asyncio
import base64
import io
import json
import os
import time

import pytest
from PIL import Image

from core.errors import NotFoundError
from core.media_records import MediaFile
from core.samples import Media, Sample
from core.schema import Schema
from storage.home import Home
from train.media_links import LinkExpired, LinkRefused, link_to, read_link
from train.media_parts import part_of, thumbnail
from train.media_route import PIECE, media_route
from train.services import Services

ANA = "Ана 安娜"


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body


def ask(services, address, *, method="GET", **headers):
    """What the route says, as any ASGI server would hear it."""
    from starlette.applications import Starlette

    app = Starlette(routes=[media_route(lambda: services)])
    sent = []

    async def receive():
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message):
        sent.append(message)

    scope = {
        "type": "http", "asgi": {"version": "3.0", "spec_version": "2.4"}, "http_version": "1.1", "method": method,
        "scheme": "http", "path": address, "raw_path": address.encode(), "query_string": b"",
        "root_path": "", "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 80),
        "headers": [(k.replace("_", "-").encode(), v.encode()) for k, v in headers.items()],
    }  # fmt: skip
    asyncio.run(app(scope, receive, send))
    start = sent[0]
    told = {k.decode(): v.decode() for k, v in start["headers"]}
    return Answer(start["status"], told, b"".join(m.get("body", b"") for m in sent[1:]))


@pytest.fixture
def services(home, store):
    store.collections.set_person(ANA)
    return Services(home, store)


@pytest.fixture
def data():
    out = io.BytesIO()
    Image.effect_noise((900, 700), 90).save(out, "PNG")
    return out.getvalue()


@pytest.fixture
def digest(services, data):
    kept = services.store.media.files.put(io.BytesIO(data))
    file = MediaFile(
        kept.sha256, kept.bytes, name="a.png", form="PNG", medium="image", mime="image/png",
        state="ready",
    )  # fmt: skip
    sample = Sample("a", "ru", "image", None, (Media("m1", "image", "a.png"),))
    services.store.imports.bring_in("c", [sample], schema=Schema(), note="", files={"a.png": file})
    return kept.sha256


# ---------------------------------------------------------------- tokens


def test_a_link_says_person_file_part_and_time_and_stays_the_same_for_an_hour(home):
    now = 1_000_000 * 3600
    first = link_to(home, ANA, "a" * 64, "view:2", now=now + 1)
    same = link_to(home, ANA, "a" * 64, "view:2", now=now + 3599)
    token = first.removeprefix("/files/")

    link = read_link(home, token, person=ANA, now=now + 2)

    assert (link.person, link.file, link.part) == (ANA, "a" * 64, "view:2")
    assert first == same
    assert link.expires >= now + 3599 + 12 * 3600
    with pytest.raises(LinkExpired, match="has expired"):
        read_link(home, token, person=ANA, now=link.expires)


def test_a_link_is_of_no_use_to_another_person_or_another_argus(home, tmp_path):
    token = link_to(home, ANA, "a" * 64).removeprefix("/files/")

    for where, person in ((home, "Бо"), (home, None), (Home(tmp_path / "other"), ANA)):
        with pytest.raises(LinkRefused):
            read_link(where, token, person=person)


def _forged(home, said):
    body = base64.urlsafe_b64encode(json.dumps(said).encode()).decode().rstrip("=")
    real = link_to(home, ANA, "a" * 64).split(".")[1]
    return f"{body}.{real}"


@pytest.mark.parametrize("number", range(8))
def test_a_forged_token_is_refused(home, number):
    far = int(time.time()) + 10**6
    token = link_to(home, ANA, "a" * 64).removeprefix("/files/")
    forged = [
        _forged(home, [ANA, "b" * 64, "original", far]), _forged(home, [ANA, "a" * 64, "view", far]),
        token[:-1] + ("A" if token[-1] != "A" else "B"), token + "A", token.split(".")[0],
        "..%2f..%2fetc%2fpasswd", "", token.replace(".", "..")
    ][number]  # fmt: skip

    with pytest.raises(LinkRefused):
        read_link(home, forged, person=ANA)


def test_the_secret_is_for_its_owner_alone(home):
    link_to(home, ANA, "a" * 64)

    assert os.stat(home.secret).st_mode & 0o777 == 0o600  # noqa: PTH116


@pytest.mark.parametrize(
    "key",
    ["../x", "view:-1", "view:1,2", "tile:1", "words", "proxy:1", "thumbnail/../..", "", "view:١"],
)
def test_only_known_parts_have_links(home, key):
    with pytest.raises(NotFoundError):
        part_of(key)
    with pytest.raises(NotFoundError):
        link_to(home, ANA, "a" * 64, key)


# ---------------------------------------------------------------- the route


def test_a_file_is_served_whole_with_what_keeps_a_browser_safe(services, digest, data):
    answer = ask(services, link_to(services.home, ANA, digest))

    assert (answer.status, answer.body == data) == (200, True)
    assert answer.headers["content-type"] == "image/png"
    assert answer.headers["content-length"] == str(len(data))
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-security-policy"].startswith("sandbox")
    assert answer.headers["cache-control"].startswith("private")
    assert answer.headers["accept-ranges"] == "bytes"


@pytest.mark.parametrize(
    ("asked", "first", "last"),
    [("bytes=0-0", 0, 0), ("bytes=10-", 10, -1), ("bytes=-7", -7, -1), ("bytes=5-99999999999", 5, -1),
     (f"bytes=1-{PIECE + 10}", 1, PIECE + 10)],
)  # fmt: skip
def test_a_range_gives_exactly_its_bytes(services, digest, data, asked, first, last):
    size = len(data)
    first, last = first % size, last % size

    answer = ask(services, link_to(services.home, ANA, digest), range=asked)

    assert answer.status == 206
    assert answer.body == data[first : last + 1]
    assert answer.headers["content-range"] == f"bytes {first}-{last}/{size}"


@pytest.mark.parametrize("asked", ["bytes=99999999999-", "bytes=-0"])
def test_a_range_beyond_the_end_is_refused_with_the_size(services, digest, data, asked):
    answer = ask(services, link_to(services.home, ANA, digest), range=asked)

    assert answer.status == 416
    assert answer.headers["content-range"] == f"bytes */{len(data)}"


@pytest.mark.parametrize("asked", ["bytes=5-2", "lines=1-2", "bytes=0-1,4-5", "bytes=-"])
def test_what_is_no_plain_range_gives_the_whole_file(services, digest, data, asked):
    answer = ask(services, link_to(services.home, ANA, digest), range=asked)

    assert (answer.status, len(answer.body)) == (200, len(data))


def test_a_browser_that_has_the_file_gets_nothing_and_one_with_another_all_of_it(
    services, digest, data
):
    address = link_to(services.home, ANA, digest)
    etag = ask(services, address, method="HEAD").headers["etag"]

    known = ask(services, address, if_none_match=etag)
    same = ask(services, address, range="bytes=0-3", if_range=etag)
    other = ask(services, address, range="bytes=0-3", if_range='"other"')

    assert (known.status, known.body) == (304, b"")
    assert (same.status, same.body) == (206, data[:4])
    assert (other.status, len(other.body)) == (200, len(data))


def test_head_says_all_and_sends_nothing(services, digest, data):
    answer = ask(services, link_to(services.home, ANA, digest), method="HEAD", range="bytes=0-3")

    assert (answer.status, answer.body) == (206, b"")
    assert answer.headers["content-length"] == "4"


def test_forged_foreign_expired_and_unknown_links_have_their_own_answers(services, digest):
    home = services.home
    expired = link_to(home, ANA, digest, now=time.time() - 100 * 3600)
    answers = {
        "forged": ask(services, link_to(home, ANA, digest)[:-2] + "xx"),
        "foreign": ask(services, link_to(home, "Бо", digest)),
        "expired": ask(services, expired),
        "unknown": ask(services, link_to(home, ANA, "0" * 64)),
        "from another page": ask(services, link_to(home, ANA, digest), sec_fetch_site="cross-site"),
    }

    assert {name: a.status for name, a in answers.items()} == {
        "forged": 403, "foreign": 403, "expired": 410, "unknown": 404, "from another page": 403,
    }  # fmt: skip
    assert all(a.headers["cache-control"] == "no-store" for a in answers.values())


def test_a_part_that_was_deleted_is_made_again(services, digest):
    answer = ask(services, link_to(services.home, ANA, digest, "thumbnail"))

    (job,) = services.store.jobs.open("media")
    assert answer.status == 404
    assert services.store.media.file(digest).state == "looked"
    assert job.state == "queued"


def test_a_part_is_served_as_what_it_is(services, digest):
    services.store.media.files.put_derived(digest, thumbnail().derived, b"\xff\xd8small")

    answer = ask(services, link_to(services.home, ANA, digest, "thumbnail"))

    assert (answer.status, answer.body) == (200, b"\xff\xd8small")
    assert answer.headers["content-type"] == "image/jpeg"


def test_a_file_that_could_not_be_read_is_not_served(services, digest):
    from dataclasses import replace

    file = services.store.media.file(digest)
    services.store.media.keep(replace(file, state="failed", problem="сломан"))

    assert ask(services, link_to(services.home, ANA, digest)).status == 404
