"""The real worker as a process: it does jobs, and a training run outlives it or fails with a reason."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from core.errors import ModelUnreachable, SetupError
from core.events import Event, span
from core.records import SampleFilter
from core.samples import Sample
from core.schema import EventType, Role, Schema
from train import queue, runs
from train.recipes import Recipe
from train.register import register_model
from train.registry import model_in_use
from train.services import Services
from train.supervise import check_port
from train.warm import WarmModel
from train.worker import Worker

LONG_AGO = datetime.now(UTC) - timedelta(hours=3)
ROOT = Path(__file__).resolve().parents[2]
LONG = replace(
    Recipe.laptop(), rank=2, alpha=4, epochs=100, batch_size=1, dropout=0.0, warmup_steps=0
)


def start_worker(home) -> subprocess.Popen[bytes]:
    env = os.environ | {"ARGUS_HOME": str(home.root)}
    return subprocess.Popen([sys.executable, "-m", "train.worker"], cwd=ROOT, env=env)


def wait_for(condition, *, seconds: float = 90) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.1)


def child_of(services: Services, run_id: int) -> int | None:
    """The process of this home's run: another Argus on this machine may be training too."""
    home = f"ARGUS_HOME={services.home.root}".encode()
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words = (folder / "cmdline").read_bytes().split(b"\0")
            mine = home in (folder / "environ").read_bytes().split(b"\0")
        except OSError:  # it ended while we looked
            continue
        if mine and words[-4:-1] == [b"-m", b"train.runs", str(run_id).encode()]:
            return int(folder.name)
    return None


@pytest.fixture
def services(home, store, tiny_model):
    services = Services(home, store)
    made = store.collections.create("работа", Schema((EventType("启动", roles=(Role("кто"),)),)))
    texts = [("ru", f"Вега запустила чип {i}", 5, 14) for i in range(6)]
    texts += [("zh", f"华为发布芯片{i}号", 2, 4) for i in range(6)]
    samples = [
        Sample(f"s{i}", code, "text", text, split="train",
               events=(Event("启动", span(text, start, end)),))
        for i, (code, text, start, end) in enumerate(texts)
    ]  # fmt: skip
    samples.append(Sample("new", "ru", "text", "Орбита открыла завод"))
    store.samples.add(made.id, samples, schema_number=1)
    register_model(services, str(tiny_model), "Tiny")
    # The embedded model would be the first base; here the tiny one is in use.
    tiny = next(m.id for m in store.models.all() if m.location == str(tiny_model))
    store.models.promote(made.id, tiny, previous_id=tiny, person=None, reason="", scores={})
    return services


@pytest.fixture
def worker(services):
    process = start_worker(services.home)
    wait_for(lambda: queue.worker_is_alive(services))
    yield process
    process.kill()
    process.wait()
    for run in services.store.runs.all():
        pid = child_of(services, run.id)
        if pid:
            os.kill(pid, signal.SIGKILL)


def collection_id(services) -> int:
    return services.store.collections.get("работа").id


def test_the_worker_suggests_for_the_sample_that_a_person_has_open(services, worker):
    key = services.store.samples.keys(SampleFilter(states=["new"]))[0]

    job = queue.request_suggestion(services, key)
    wait_for(lambda: services.store.jobs.get(job).state == "done")

    assert services.store.samples.suggestion(key) is not None


def test_work_asked_for_while_no_worker_runs_is_done_when_one_starts(services):
    key = services.store.samples.keys(SampleFilter(states=["new"]))[0]
    job = queue.request_suggestion(services, key)
    services.home.queue.unlink()  # the queue's file is only a carrier: the database knows

    process = start_worker(services.home)
    try:
        wait_for(lambda: services.store.jobs.get(job).state == "done")
    finally:
        process.terminate()
        process.wait()

    assert not queue.worker_is_alive(services)


def test_a_training_run_outlives_a_killed_worker_and_can_still_be_cancelled(services, worker):
    run_id = queue.start_run(services, collection_id(services), LONG)
    wait_for(lambda: services.store.runs.get(run_id).step >= 2)

    worker.kill()
    worker.wait()
    before = services.store.runs.get(run_id).step
    second = start_worker(services.home)
    try:
        wait_for(lambda: services.store.runs.get(run_id).step > before + 2)
        queue.cancel_run(services, run_id)
        wait_for(lambda: services.store.runs.get(run_id).state == "cancelled")
    finally:
        second.kill()
        second.wait()

    run = services.store.runs.get(run_id)
    assert services.store.models.get(run.model_id).state == "candidate"


def test_a_training_process_that_is_killed_fails_with_a_reason_and_the_next_run_starts(
    services, worker
):
    first = queue.start_run(services, collection_id(services), LONG)
    second = queue.start_run(services, collection_id(services), replace(LONG, epochs=0.1))
    wait_for(lambda: services.store.runs.get(first).step >= 1)

    os.kill(child_of(services, first), signal.SIGKILL)
    wait_for(lambda: services.store.runs.get(first).state == "failed")
    wait_for(lambda: services.store.runs.get(second).state == "done")

    reason = services.store.runs.get(first).reason
    assert "killed" in reason
    assert f"run-{first}.log" in reason


def test_a_worker_that_is_asked_to_stop_lets_the_next_one_go_on_with_the_run(services, worker):
    run_id = queue.start_run(services, collection_id(services), LONG)
    wait_for(lambda: services.store.runs.get(run_id).step >= 2)

    worker.terminate()
    worker.wait(timeout=60)

    waiting = services.store.runs.get(run_id)
    second = start_worker(services.home)
    try:
        wait_for(lambda: services.store.runs.get(run_id).step > waiting.step + 1)
        queue.cancel_run(services, run_id)
        wait_for(lambda: services.store.runs.get(run_id).state == "cancelled")
    finally:
        second.kill()
        second.wait()
    assert waiting.state == "queued"
    assert "it goes on by itself" in waiting.reason
    steps = [p.step for p in services.store.runs.losses(run_id)]
    assert steps == list(range(1, len(steps) + 1))


def test_a_paused_run_stays_paused_when_the_worker_starts_again(services):
    store = services.store
    run_id = runs.add_run(services, collection_id(services), LONG)
    store.runs.update(run_id, state="paused", heartbeat=LONG_AGO)

    Worker(services)._queue_open_work()

    assert store.runs.get(run_id).state == "paused"


@pytest.mark.parametrize(
    ("state", "ends_as"),
    [("running", "failed"), ("evaluating", "failed"), ("paused", "paused"), ("queued", "queued")],
)
def test_a_run_of_a_terminal_that_is_silent_for_long_is_over(services, state, ends_as):
    store = services.store
    run_id = runs.add_run(services, collection_id(services), LONG)
    store.runs.update(run_id, state=state, heartbeat=LONG_AGO)

    Worker(services)._end_silent_runs()

    assert store.runs.get(run_id).state == ends_as


def test_a_run_that_was_heard_of_lately_is_not_over(services):
    run_id = runs.add_run(services, collection_id(services), LONG)
    services.store.runs.update(run_id, state="running")

    Worker(services)._end_silent_runs()

    assert services.store.runs.get(run_id).state == "running"


def test_a_run_of_a_terminal_is_waited_for_as_long_as_it_is_heard_of(services):
    run_id = runs.add_run(services, collection_id(services), LONG)
    services.store.runs.update(run_id, state="running")
    waited = []

    def heard_no_more():
        if waited:
            services.store.runs.update(run_id, heartbeat=LONG_AGO)
        return False

    runs.wait_for_device(services, own=run_id + 1, say=waited.append, until=heard_no_more)

    assert [run.id for run in waited] == [run_id]


def test_the_suggestion_model_makes_room_for_a_run_and_comes_back_when_it_ends(
    services, monkeypatch
):
    free = [1 << 40]
    monkeypatch.setattr("train.warm.machine_memory", lambda on_gpu: (1 << 40, free[0]))
    warm, store = WarmModel(services), services.store
    model = model_in_use(services, collection_id(services))
    first = warm.get(model)
    run_id = runs.add_run(services, collection_id(services), LONG)

    warm.make_room()
    assert warm.get(model) is first  # there is room for both
    free[0] = 1 << 20
    warm.make_room()
    store.runs.update(run_id, state="running")
    with pytest.raises(ModelUnreachable, match=f"run {run_id} needs the memory"):
        warm.get(model)
    store.runs.finish(run_id, "done", "")

    assert warm.get(model) is not first


def test_a_taken_port_is_told_with_another_to_try():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        with pytest.raises(SetupError, match=rf"port {port} is taken .*--port {port + 1}"):
            check_port(port)


def test_what_runs_stops_together_and_what_falls_is_started_again(home, store):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    env = os.environ | {"ARGUS_HOME": str(home.root)}
    argus = subprocess.Popen(
        [sys.executable, "cli.py", "run", "--port", str(port)], cwd=ROOT, env=env,
        stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip

    def children() -> list[int]:
        found = subprocess.run(
            ["pgrep", "-P", str(argus.pid)], capture_output=True, text=True, check=False
        )
        return [int(pid) for pid in found.stdout.split()]

    try:
        wait_for(lambda: queue.worker_is_alive(Services(home, store)) and len(children()) == 2)
        old = children()
        os.kill(old[0], signal.SIGKILL)
        wait_for(lambda: len(children()) == 2 and children() != old)
        argus.send_signal(signal.SIGINT)
        _, said = argus.communicate(timeout=60)
    finally:
        argus.kill()

    assert argus.returncode == 0
    assert f"http://127.0.0.1:{port}" in said
    assert "starting it again" in said
    assert not queue.worker_is_alive(Services(home, store))
