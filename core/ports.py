"""What the domain needs from outside, as small protocols."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from math import log
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from core.events import Event
from core.media_records import MediaFile
from core.problems import Problem
from core.records import (
    CollectionRecord,
    ReviewRecord,
    SampleFilter,
    SampleRecord,
    SchemaChangeRecord,
    SuggestionRecord,
)
from core.samples import Sample
from core.schema import Schema

Reads = Literal["text", "image", "video", "audio"]

# Called between two steps with a share done (0 to 1); raises `CancelledError` to stop the work.
Step = Callable[[float], None]


def share_step(on_step: Step | None, done: int, part: int, total: int) -> Step | None:
    """The step of a part of the work, which begins at `done` of `total`."""
    if on_step is None:
        return None
    step = on_step
    return lambda share: step((done + share * part) / max(1, total))


@dataclass(frozen=True, slots=True)
class Decoding:
    """How a model chooses words. `temperature` 0 is greedy; the paper's zero-shot is 0.2 and 0.9.

    `stop_odds`: under a grammar, how much likelier the end of a list of arguments or events must be
    than another one, as a natural logarithm. Confidences are the model's own either way.
    """

    temperature: float = 0.2
    top_p: float = 0.9
    seed: int = 0
    max_new_tokens: int = 400
    stop_odds: float = 0.0
    is_free: bool = False  # the paper's way: no grammar, its errors counted as problems

    @classmethod
    def greedy(cls) -> Decoding:
        """Always the likeliest word; what is as likely as one in three is said, since a wrong suggestion
        is rejected by two keys and a missing one is estimated to cost four more than one that is there."""
        return cls(temperature=0.0, top_p=1.0, stop_odds=log(2))


@dataclass(frozen=True, slots=True, eq=False)
class Shown:
    """A picture that a model is shown: of which medium, its pixels (height, width, RGB) upright; the
    page of a document, the time in seconds of a clip's frame."""

    media: str
    pixels: NDArray[np.uint8]
    page: int | None = None
    time: float | None = None


def look_at_nothing(_ident: str) -> Sequence[Shown]:
    """There are no pictures."""
    return ()


@dataclass(frozen=True, slots=True)
class Prompting:
    """What a model is shown with a sample: a prompt version, and reviewed samples as examples.

    `examples` are by sample id, the nearest last; a sample that is not there gets none. `look` gives
    the pictures of a sample by its id, to a model that reads them.
    """

    version: str
    examples: Mapping[str, Sequence[Sample]] = field(default_factory=dict)
    look: Callable[[str], Sequence[Shown]] = look_at_nothing


@dataclass(frozen=True, slots=True)
class Suggested:
    """What a backend says of one sample: events located in it, and the reply they were read from.

    `steps`: how often the model was asked (`core.strategy`).
    """

    events: tuple[Event, ...]
    raw_reply: str
    prompt_version: str
    problems: tuple[Problem, ...] = ()
    seconds: float = 0.0
    steps: int = 1


class Backend(Protocol):
    """A model that suggests events."""

    model_id: str
    reads: tuple[
        Reads, ...
    ]  # modalities; what it does not read it is told in words (`core.reading`)
    decoding: Decoding  # what `suggest` uses without one of its own
    prompting: Prompting  # the same

    def suggest(
        self,
        samples: Sequence[Sample],
        schema: Schema,
        *,
        decoding: Decoding | None = None,
        prompting: Prompting | None = None,
        on_step: Step | None = None,
    ) -> list[Suggested]:
        """One suggestion a sample, in order; without `decoding` or `prompting` the model's own.

        Every sample must fit (`fits`); one that does not raises `ModelError`.
        """
        ...

    def fits(self, sample: Sample, schema: Schema, *, prompting: Prompting | None = None) -> bool:
        """Whether the model reads the sample, prompt and reply included, in one piece."""
        ...

    def close(self) -> None:
        """Give the memory back."""
        ...


class Embedder(Protocol):
    """What turns texts into vectors whose cosine says how alike they are."""

    name: str  # kept with each vector: vectors of two embedders cannot be compared
    alike_from: float  # from this cosine on (`core.similar`) two texts are worth showing together
    same_from: float  # from this one on they say nearly the same

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """A row of length 1 for each text, in order."""
        ...


class CollectionsPort(Protocol):
    """Where collections and their schemas are kept."""

    def all(self) -> Sequence[CollectionRecord]:
        """Every collection, oldest first."""
        ...

    def find(self, name: str) -> CollectionRecord | None:
        """The collection called `name`, or None."""
        ...

    def get(self, name: str) -> CollectionRecord:
        """The collection called `name`; raises `NotFoundError`."""
        ...

    def schema(self, collection_id: int, number: int | None = None) -> Schema:
        """A version of the schema; the newest without `number`."""
        ...


class SamplesPort(Protocol):
    """Where samples are kept, each with the events of its newest review."""

    def get(self, key: int) -> SampleRecord:
        """One sample by its key; raises `NotFoundError`."""
        ...

    def reviews(self, key: int) -> Sequence[ReviewRecord]:
        """The reviews of a sample, newest first."""
        ...

    def suggestion(
        self, key: int, *, model_id: str | None = None, suggestion_id: int | None = None
    ) -> SuggestionRecord | None:
        """The newest suggestion for a sample (of one model, or the one of that id), or None."""
        ...

    def add_review(
        self,
        key: int,
        events: Sequence[Event],
        *,
        person: str,
        schema_number: int,
        difference: Sequence[Mapping[str, Any]] = (),
    ) -> int:
        """Add a review and return its id."""
        ...

    def hashes(self, collection_id: int) -> Mapping[str, str]:
        """{sample id: content hash at import} of everything in a collection."""
        ...

    def keys(
        self, wanted: SampleFilter | None = None, *, collection_id: int | None = None
    ) -> Sequence[int]:
        """The keys of matching samples, in order of arrival."""
        ...

    def list(
        self, wanted: SampleFilter | None = None, *, collection_id: int | None = None
    ) -> Sequence[SampleRecord]:
        """The matching samples, in order of arrival."""
        ...


class ImportsPort(Protocol):
    """Brings samples in, all of them or none."""

    def bring_in(
        self,
        collection: str,
        samples: Sequence[Sample],
        *,
        schema: Schema | None,
        note: str,
        person: str | None = None,
        files: Mapping[str, MediaFile] | None = None,
        problems: Mapping[str, str] | None = None,
    ) -> CollectionRecord:
        """Add samples to a collection, which is made if there is none; None keeps its schema.
        `files` are by the path that a medium has; `problems` say why one has none."""
        ...


class SchemaChangesPort(Protocol):
    """What was changed of schemas."""

    def since(self, collection_id: int, number: int) -> Sequence[SchemaChangeRecord]:
        """The changes after schema version `number` that still hold, oldest first."""
        ...


class StorePort(Protocol):
    """What `core.workflow` needs of the store."""

    @property
    def collections(self) -> CollectionsPort:
        """The collections."""
        ...

    @property
    def samples(self) -> SamplesPort:
        """The samples."""
        ...

    @property
    def imports(self) -> ImportsPort:
        """The way in."""
        ...

    @property
    def schema_changes(self) -> SchemaChangesPort:
        """What was changed of schemas."""
        ...
