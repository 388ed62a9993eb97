"""The app as `argus run` starts it: pages and media from one port, without torch, and small."""

from __future__ import annotations

import io
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from core.media_records import MediaFile
from core.samples import Media, Sample
from core.schema import Schema
from storage.home import CHECKOUT
from train.media_links import link_to

MIB = 1 << 20


def get(address, **headers):
    request = urllib.request.Request(address, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, {k.lower(): v for k, v in answer.headers.items()}, answer.read()
    except urllib.error.HTTPError as problem:
        return problem.code, dict(problem.headers), problem.read()


@pytest.fixture
def address(home, store):
    """The app on a free port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [
        sys.executable, "-m", "streamlit", "run", str(CHECKOUT / "asgi.py"), "--server.port",
        str(port), "--server.address", "127.0.0.1", "--server.headless", "true",
    ]  # fmt: skip
    env = os.environ | {"ARGUS_HOME": str(home.root), "PYTHONPATH": str(CHECKOUT)}
    app = subprocess.Popen(command, cwd=CHECKOUT, env=env, stderr=subprocess.DEVNULL)
    address = f"http://127.0.0.1:{port}"
    end = time.monotonic() + 120
    while True:
        try:
            if get(f"{address}/_stcore/health")[0] == 200:
                break
        except OSError:
            assert app.poll() is None, "the app ended"
            assert time.monotonic() < end, "waited too long"
            time.sleep(0.2)
    yield address, app.pid
    app.terminate()
    app.wait()


def test_one_port_serves_the_pages_and_the_media(home, store, address):
    base, pid = address
    store.collections.set_person("Ана")
    data = bytes(range(256)) * 4 * 1024 * 40
    kept = store.media.files.put(io.BytesIO(data))
    file = MediaFile(kept.sha256, kept.bytes, name="a.mp4", mime="video/mp4", state="ready")
    sample = Sample("a", "ru", "video", None, (Media("m1", "video", "a.mp4"),))
    store.imports.bring_in("c", [sample], schema=Schema(), note="", files={"a.mp4": file})
    link = base + link_to(home, "Ана", kept.sha256)

    page = get(base + "/")
    part = get(link, Range="bytes=1000-1999")
    whole = get(link)
    forged = get(link[:-3] + "abc")

    assert (page[0], "<html" in page[2].decode().lower()) == (200, True)
    assert (part[0], part[2]) == (206, data[1000:2000])
    assert (whole[0], whole[2] == data, whole[1]["content-type"]) == (200, True, "video/mp4")
    assert forged[0] == 403
    memory = int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    assert memory < 300 * MIB
    assert "libtorch" not in Path(f"/proc/{pid}/maps").read_text()
