"""Jobs, models and training runs, each in a module of its own, under one roof."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from core.records import JobRecord, RunRecord
from storage.jobs import Jobs
from storage.models import Models
from storage.runs import Runs

__all__ = ["ALIVE", "Jobs", "Models", "Runs", "is_alive"]

ALIVE = timedelta(seconds=30)  # without a heartbeat for longer, whoever did the work is gone


def is_alive(record: JobRecord | RunRecord) -> bool:
    """Whether whoever does this work has been heard of lately."""
    return record.heartbeat is not None and datetime.now(UTC) - record.heartbeat < ALIVE
