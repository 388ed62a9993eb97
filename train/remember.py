"""A model that remembers what it said: work that gave way to a person goes on where it was."""

from __future__ import annotations

from collections.abc import Sequence

from core.ports import Backend, Decoding, Prompting, Step, Suggested, share_step
from core.samples import Sample
from core.schema import Schema

SLICE = 32  # samples that are asked at once, and lost together when something comes between

Said = dict[tuple[object, ...], Suggested]


class Remembering:
    """Asks another backend a slice at a time, and keeps in `said` what is answered."""

    def __init__(self, backend: Backend, said: Said) -> None:
        self.model_id, self.reads = backend.model_id, backend.reads
        self.decoding, self.prompting = backend.decoding, backend.prompting
        self._backend, self._said = backend, said

    def suggest(
        self,
        samples: Sequence[Sample],
        schema: Schema,
        *,
        decoding: Decoding | None = None,
        prompting: Prompting | None = None,
        on_step: Step | None = None,
    ) -> list[Suggested]:
        """One suggestion a sample, in order; those that are known are not asked for again."""
        decoding, prompting = decoding or self.decoding, prompting or self.prompting
        keys = [self._key(sample, decoding, prompting) for sample in samples]
        todo = [i for i, key in enumerate(keys) if key not in self._said]
        todo.sort(key=lambda i: len(samples[i].text or ""))  # those of one length go together
        for at in range(0, len(todo), SLICE):
            part = todo[at : at + SLICE]
            before = len(samples) - len(todo) + at
            said = self._backend.suggest(
                [samples[i] for i in part], schema, decoding=decoding, prompting=prompting,
                on_step=share_step(on_step, before, len(part), len(samples)),
            )  # fmt: skip
            self._said.update(zip((keys[i] for i in part), said, strict=True))
        return [self._said[key] for key in keys]

    def fits(self, sample: Sample, schema: Schema, *, prompting: Prompting | None = None) -> bool:
        """As the other backend."""
        return self._backend.fits(sample, schema, prompting=prompting)

    def close(self) -> None:
        """The other backend is somebody else's."""

    def _key(self, sample: Sample, decoding: Decoding, prompting: Prompting) -> tuple[object, ...]:
        shown = tuple(example.id for example in prompting.examples.get(sample.id, ()))
        return (self.model_id, sample.id, sample.text, decoding, prompting.version, shown)
