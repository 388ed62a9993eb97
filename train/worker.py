"""The worker: holds the model warm, does jobs, and starts each training run as a child process.

Run as: python -m train.worker
"""

from __future__ import annotations

import logging
import logging.handlers
import os
import signal
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime, timedelta

from huey.consumer import Consumer

from core.errors import ArgusError
from core.records import RunRecord
from storage.home import CHECKOUT
from storage.work import is_alive
from train.carrier import heartbeat_file, open_queue, put_job, put_number, put_run, show_life
from train.jobs import handle_job, queue_due
from train.launch import launch_command, launch_environment, starts_here, threads_to_use
from train.queue import calibrate_due
from train.run_log import log_file
from train.runs import end_broken_off, wait_for_device
from train.services import Services, open_services
from train.similar import look_after
from train.warm import WarmModel

log = logging.getLogger("argus.worker")
BEAT = 3.0
LOOK_EVERY = 60.0  # seconds between two looks whether texts wait to be compared, or reviews counted
SILENT = timedelta(minutes=10)  # a run of somebody else that is not heard of for longer is over
WARM_UP, MAKE_ROOM = 0, -1  # the numbers of no job: load the model before anybody asks, or give way
OPEN = ("queued", "running", "evaluating")


class Worker:
    """Three queues, a thread each: jobs with the warm model, media made ready, and runs, one child
    process at a time."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._warm = WarmModel(services)
        self._stopping = threading.Event()
        self._child: subprocess.Popen[bytes] | None = None
        self._followed: int | None = None  # the run whose process this worker waits for

    def run(self) -> None:
        """Work until SIGTERM or Ctrl-C; a run under way writes a checkpoint, and the next worker goes
        on from it."""
        consumers = []
        for name, handle in (("jobs", self._job), ("media", self._media), ("runs", self._run)):
            huey, _ = open_queue(self._services.home, name, handle)
            huey.flush()
            consumers.append(
                Consumer(
                    huey, workers=1, periodic=False, initial_delay=0.05, max_delay=0.1, backoff=1.0
                )
            )
        self._queue_open_work()
        put_number(self._services, WARM_UP)
        for consumer in consumers:
            consumer.start()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self._stopping.set())
        log.info("ready")
        looked = 0.0
        while not self._stopping.is_set():
            show_life(self._services.home)
            is_long_ago = time.monotonic() - looked > LOOK_EVERY
            self._look_after(all_of_it=is_long_ago)
            looked = time.monotonic() if is_long_ago else looked
            self._stopping.wait(BEAT)
        heartbeat_file(self._services.home).unlink(missing_ok=True)
        if self._child is not None and self._child.poll() is None:
            log.info("asking the training run to write a checkpoint")
            self._child.terminate()
            self._child.wait()
        log.info("stopped")
        # The consumers' threads may be inside a long job: its row is queued again at the next start.
        os._exit(0)

    def _queue_open_work(self) -> None:
        """Queue again what was open when the last worker stopped; what is paused stays so."""
        for job in self._services.store.jobs.open():
            if job.state == "running":
                self._services.store.jobs.requeue(job.id)
            if job.state in ("running", "queued"):
                put_job(self._services, job.id, job.kind)
        for run in self._services.store.runs.open():
            if run.state == "queued" or (run.state != "paused" and is_alive(run)):
                put_run(self._services, run.id)
            elif run.state != "paused":
                end_broken_off(self._services, run.id, _broken_off(run))

    def _end_silent_runs(self) -> None:
        """End the runs that somebody else did, in a terminal say, and that are silent for long."""
        for run in self._services.store.runs.open():
            heard = run.heartbeat or run.created
            is_silent = datetime.now(UTC) - heard > SILENT
            if run.state in ("running", "evaluating") and run.id != self._followed and is_silent:
                end_broken_off(self._services, run.id, _broken_off(run))

    def _look_after(self, *, all_of_it: bool) -> None:
        try:
            queue_due(self._services)
            if all_of_it:
                self._end_silent_runs()
                look_after(self._services)
                calibrate_due(self._services)
        except ArgusError as problem:  # a locked database: the next look will do
            log.warning("looking after what is due: %s", problem)

    def _job(self, job_id: int) -> None:
        if job_id == MAKE_ROOM:
            self._warm.make_room()
            return
        if job_id == WARM_UP:
            try:
                self._warm.prepare()
            except ArgusError as problem:
                log.warning("no suggestions yet: %s", problem)
            return
        handle_job(self._services, self._warm, job_id)

    def _media(self, job_id: int) -> None:
        if sys.platform == "linux":  # this thread and the ffmpeg that it starts
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 10)
        handle_job(self._services, self._warm, job_id)

    def _run(self, run_id: int) -> None:
        run = self._services.store.runs.get(run_id)
        if run.state not in OPEN or not starts_here(run.launch) or self._stopping.is_set():
            return  # what is queued is started by the next worker
        if run.state == "queued":  # a run of a terminal goes first
            wait_for_device(self._services, own=run_id, until=self._stopping.is_set)
            if self._stopping.is_set():
                return
        self._followed = run_id
        try:
            self._follow(run)
        finally:
            self._followed = None

    def _follow(self, run: RunRecord) -> None:
        """Start a run's process, or find that of an earlier worker, and wait for its end."""
        runs, run_id = self._services.store.runs, run.id
        if run.state != "queued":  # a child of an earlier worker that is still at it
            while (run := runs.get(run_id)).state in OPEN and is_alive(run):
                time.sleep(BEAT)
        else:
            self._services.home.logs.mkdir(parents=True, exist_ok=True)
            put_number(self._services, MAKE_ROOM)
            path = log_file(self._services.home, run_id)
            try:
                with path.open("ab") as out:
                    self._child = subprocess.Popen(
                        ["nice", "-n", "19", *launch_command(run.launch, run_id)],
                        stdout=out,
                        stderr=out,
                        stdin=subprocess.DEVNULL,
                        cwd=CHECKOUT,
                        env=os.environ | launch_environment(run.launch, threads=threads_to_use()),
                        start_new_session=True,
                    )
            except OSError as problem:
                runs.finish(run_id, "failed", f"its process could not be started: {problem}")
                return
            code = self._child.wait()
            log.info("run %d ended with code %d", run_id, code)
            put_number(self._services, WARM_UP)
        run = runs.get(run_id)
        if run.state in ("running", "evaluating"):
            end_broken_off(self._services, run_id, _broken_off(run))
        elif run.state == "queued" and not self._stopping.is_set():
            put_run(self._services, run_id)  # its process alone was asked to end


def _broken_off(run: RunRecord) -> str:
    return (
        f"the run's process ended at step {run.step} of {run.total_steps} without a word: it was "
        f"killed, most often for lack of memory, or the machine went down. See logs/run-{run.id}.log. "
        "The model in use is untouched; resume the run, and it goes on from its last checkpoint"
    )


def main() -> int:
    """Start the worker; its log goes to standard error and to `logs/worker.log`."""
    services = open_services()
    services.home.logs.mkdir(parents=True, exist_ok=True)
    to_file = logging.handlers.RotatingFileHandler(
        services.home.logs / "worker.log", maxBytes=2_000_000, backupCount=3, encoding="utf-8"
    )
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s worker %(message)s",
        handlers=[to_file, logging.StreamHandler()],
    )  # fmt: skip
    logging.getLogger("huey").setLevel(logging.WARNING)
    Worker(services).run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
