"""Suggestions made, a batch at a time, and kept with the job that asked for them.

A sample that fails does not take the others with it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from core.errors import ModelError, ModelUnreachable
from core.ports import Backend, Step
from core.records import JobRecord, NewSuggestion, SampleRecord
from train.services import Services
from train.suggesting import suggest_events
from train.watch import watch_job

BATCH = 16  # samples at a time; what a person's request interrupts is begun again
FIRST_BATCH = 2  # at a start: whoever is interrupted often gets on in small batches all the same
_NOTHING = (
    "there is nothing that this model can read: no text, no caption, no words in its pictures and no "
    "transcript of its clips. Import a transcript, or use a model that reads pictures"
)
IN_A_ROW = 20  # samples that fail one after another before the model, not a sample, is to blame


@dataclass(slots=True)
class Made:
    """What came of some samples: suggestions, and {sample, id, message} of each that failed, of which
    `blank` have nothing that the model can read."""

    suggestions: list[NewSuggestion] = field(default_factory=list)
    failures: list[dict[str, Any]] = field(default_factory=list)
    blank: int = 0


def make_suggestions(
    services: Services, backend: Backend, records: Sequence[SampleRecord], step: Step
) -> list[NewSuggestion]:
    """Suggest for samples of one collection, under its newest schema."""
    collections = services.store.collections
    collection_id = records[0].collection_id
    number = next(c.schema_number for c in collections.all() if c.id == collection_id)
    schema = collections.schema(collection_id, number)
    suggested = suggest_events(
        services, backend, collection_id, [r.sample for r in records], schema, on_step=step
    )
    return [
        NewSuggestion(
            record.key, backend.model_id, s.events, s.raw_reply, s.prompt_version, number,
            asdict(backend.decoding), s.problems, s.seconds,
        )
        for record, s in zip(records, suggested, strict=True)
    ]  # fmt: skip


def make_each(
    services: Services, backend: Backend, records: Sequence[SampleRecord], step: Step
) -> Made:
    """Suggest for samples; where the model cannot do all of them, half by half, until the one that
    it cannot do is alone. A server that does not answer is no sample's fault, and is raised."""
    if not records:
        return Made()
    try:
        return _without_blank(records, make_suggestions(services, backend, records, step))
    except ModelUnreachable:
        raise
    except ModelError as problem:
        if len(records) == 1:
            one = records[0]
            failure = {"sample": one.key, "id": one.sample.id, "message": str(problem)}
            return Made(failures=[failure])
    middle = len(records) // 2
    left = make_each(services, backend, records[:middle], step)
    right = make_each(services, backend, records[middle:], step)
    return Made(
        left.suggestions + right.suggestions, left.failures + right.failures,
        left.blank + right.blank,
    )  # fmt: skip


def is_blank(made: NewSuggestion) -> bool:
    """Whether the model could read nothing of the sample."""
    return any(problem.code == "nothing_to_read" for problem in made.problems)


def why_blank(made: NewSuggestion) -> str:
    """What to tell whoever asked for a suggestion that `is_blank`, with the reason of each medium."""
    reasons = [p.values for p in made.problems if p.values.get("why")]
    return "; ".join([_NOTHING, *(f"{r['media']}: {r['why']}" for r in reasons)])


def _without_blank(records: Sequence[SampleRecord], made: Sequence[NewSuggestion]) -> Made:
    """What was not read is no suggestion: once there are words, it is asked about again."""
    idents = {record.key: record.sample.id for record in records}
    blank = [one for one in made if is_blank(one)]
    failures = [
        {"sample": one.sample_key, "id": idents[one.sample_key], "message": why_blank(one)}
        for one in blank
    ]
    return Made([one for one in made if not is_blank(one)], failures, len(blank))


class Work:
    """Makes suggestions for a job and keeps each batch with it, how far it is in one transaction.

    `backend` loads the model when there is something for it to do.
    """

    def __init__(
        self,
        services: Services,
        job: JobRecord,
        backend: Callable[[], Backend],
        *,
        bulk_id: int | None = None,
    ) -> None:
        self.job = job
        self._services, self._backend, self._bulk_id = services, backend, bulk_id
        self._step = watch_job(services, job, counts=True)
        self._size, self._in_a_row = FIRST_BATCH, 0

    @property
    def worked(self) -> int:
        """How many samples the job is done with, one way or the other."""
        return self.job.done + len(self.job.failures)

    @property
    def failed(self) -> list[int]:
        """The keys of the samples that could not be done."""
        return [failure["sample"] for failure in self.job.failures]

    def do(self, records: Sequence[SampleRecord]) -> None:
        """Suggest for samples of one collection. Raises what a step of `watch_job` raises, with the
        batches before it kept, and `ModelError` where one sample after another fails."""
        at = 0
        while at < len(records):
            part = records[at : at + self._size]
            self._step(0.0)
            began = time.monotonic()
            made = make_each(self._services, self._backend(), part, self._step)
            self.job = self._services.store.jobs.keep(
                self.job.id, made.suggestions, failures=made.failures, bulk_id=self._bulk_id,
                seconds=time.monotonic() - began,
            )  # fmt: skip
            broken = len(made.failures) - made.blank
            self._in_a_row = 0 if made.suggestions else self._in_a_row + broken
            if self._in_a_row >= IN_A_ROW:
                raise ModelError(
                    f"{self._in_a_row} samples in a row failed, the last with: "
                    f"{made.failures[-1]['message']}"
                )
            at += len(part)
            self._size = min(BATCH, 2 * self._size)
