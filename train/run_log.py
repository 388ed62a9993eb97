"""The log of a run as a person reads it: its last lines, without what only a terminal makes sense of."""

from __future__ import annotations

from pathlib import Path

from storage.home import Home

READ = 64_000  # bytes from the end that are looked at
_NOISE = ("Loading weights", "Writing model shards", "it/s]", "FutureWarning", "DeprecationWarning")


def log_file(home: Home, run_id: int) -> Path:
    """The log of a run, whole."""
    return home.logs / f"run-{run_id}.log"


def read_log_tail(home: Home, run_id: int, *, lines: int = 30) -> list[str]:
    """The last lines of a run's log, oldest first; empty where there is none yet."""
    try:
        with log_file(home, run_id).open("rb") as log:
            log.seek(0, 2)
            log.seek(max(0, log.tell() - READ))
            text = log.read().decode("utf-8", "replace")
    except FileNotFoundError:
        return []
    shown = (line.rsplit("\r", 1)[-1].rstrip() for line in text.split("\n"))
    return [line for line in shown if line and not any(n in line for n in _NOISE)][-lines:]
