"""Samples with their newest review, and the reviews, suggestions and drafts that hang on them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, cast

from sqlalchemy import delete, func
from sqlalchemy.engine import Engine
from sqlmodel import Session, col, select

from core.errors import NotFoundError
from core.events import Event
from core.problems import Problem, problem_from_dict
from core.records import (
    DraftRecord,
    NewSuggestion,
    ReviewRecord,
    SampleFilter,
    SampleRecord,
    SuggestionRecord,
)
from core.samples import Sample, split_of
from storage import mapping
from storage.calibrations import suggested_events
from storage.collections import delete_samples
from storage.database import reading, writing
from storage.filters import conditions
from storage.imports import add_samples
from storage.standing import stand_after_review
from storage.suggestions import add_suggestions
from storage.tables import (
    DraftRow,
    MediaRow,
    NoteRow,
    ReviewRow,
    SampleRow,
    SkipRow,
    SuggestionRow,
)
from storage.type_sets import recount

# Inside `Samples` the name `list` is its method.
Keys = list[int]
Records = list[SampleRecord]
Reviews = list[ReviewRecord]
Texts = list[str]


class Samples:
    """Samples of collections. Reviews and suggestions are only ever added."""

    def __init__(self, engine: Engine, *, on_deleted: Callable[[], object] | None = None) -> None:
        self._engine = engine
        self._on_deleted = on_deleted

    # ------------------------------------------------------------ samples

    def hashes(self, collection_id: int) -> dict[str, str]:
        """{sample id: content hash at import} of everything in a collection."""
        with reading(self._engine) as session:
            rows = session.exec(
                select(SampleRow.external_id, SampleRow.content_hash).where(
                    SampleRow.collection_id == collection_id
                )
            )
            return dict(rows.all())

    def add(self, collection_id: int, samples: Sequence[Sample], *, schema_number: int) -> Keys:
        """Write samples (see `storage.imports.add_samples`); returns their keys."""
        with writing(self._engine) as session:
            return add_samples(session, collection_id, samples, schema_number=schema_number)

    def get(self, key: int) -> SampleRecord:
        """One sample by its key."""
        found = self.list(SampleFilter(keys=[key]))
        if not found:
            raise NotFoundError(f"there is no sample {key}: it may have been deleted")
        return found[0]

    def list(
        self,
        wanted: SampleFilter | None = None,
        *,
        collection_id: int | None = None,
        limit: int | None = None,
        offset: int = 0,
    ) -> Records:
        """Samples in order of arrival, each with the events of its newest review."""
        with reading(self._engine) as session:
            query = select(SampleRow).where(*conditions(wanted, collection_id))
            query = query.order_by(col(SampleRow.id)).offset(offset)
            rows = session.exec(query if limit is None else query.limit(limit)).all()
            return self._records(session, rows)

    def keys(self, wanted: SampleFilter | None = None, *, collection_id: int | None = None) -> Keys:
        """The keys only, in order of arrival."""
        with reading(self._engine) as session:
            query = select(SampleRow.id).where(*conditions(wanted, collection_id))
            return [cast(int, k) for k in session.exec(query.order_by(col(SampleRow.id)))]

    def count(self, wanted: SampleFilter | None = None, *, collection_id: int | None = None) -> int:
        """How many samples match."""
        with reading(self._engine) as session:
            query = select(func.count()).select_from(SampleRow)
            return session.exec(query.where(*conditions(wanted, collection_id))).one()

    def parallel(self, record: SampleRecord) -> Records:
        """The same story in other languages."""
        if not record.sample.parallel_group:
            return []
        with reading(self._engine) as session:
            rows = session.exec(
                select(SampleRow).where(
                    SampleRow.collection_id == record.collection_id,
                    SampleRow.parallel_group == record.sample.parallel_group,
                    SampleRow.id != record.key,
                )
            ).all()
            return self._records(session, rows)

    def what_hangs_on(self, keys: Sequence[int]) -> dict[str, int]:
        """How much deleting these samples would delete, by kind."""
        found = dict.fromkeys(("samples", "reviews", "drafts", "suggestions", "notes", "skips"), 0)
        with reading(self._engine) as session:
            for part in mapping.chunks(keys):
                for kind, column in (
                    ("samples", col(SampleRow.id)),
                    ("reviews", col(ReviewRow.sample_id)),
                    ("drafts", col(DraftRow.sample_id)),
                    ("suggestions", col(SuggestionRow.sample_id)),
                    ("notes", col(NoteRow.sample_id)),
                    ("skips", col(SkipRow.sample_id)),
                ):
                    query = select(func.count(column)).where(column.in_(part))
                    found[kind] += session.exec(query).one()
        return found

    def delete(self, keys: Sequence[int]) -> None:
        """Delete samples with their reviews, suggestions, drafts, and media that nothing else has."""
        owners: set[int] = set()
        with writing(self._engine) as session:
            for part in mapping.chunks(keys):
                query = select(SampleRow.collection_id).where(col(SampleRow.id).in_(part))
                owners.update(session.exec(query.distinct()))
                delete_samples(session, part)
            for collection_id in owners:
                recount(session, collection_id)
        if self._on_deleted:
            self._on_deleted()

    # ------------------------------------------------------------ reviews

    def add_review(
        self,
        key: int,
        events: Sequence[Event],
        *,
        person: str,
        schema_number: int,
        suggestion_id: int | None = None,
        difference: Sequence[Mapping[str, Any]] = (),
        seconds: float | None = None,
    ) -> int:
        """Add a review, mark the sample reviewed, settle its split, drop the person's draft."""
        with writing(self._engine) as session:
            row = _sample(session, key)
            review = ReviewRow(
                sample_id=key, suggestion_id=suggestion_id, person=person, origin="person",
                difference=[dict(d) for d in difference], seconds=seconds,
                schema_number=schema_number,
            )  # fmt: skip
            session.add(review)
            session.flush()
            mapping.add_events(session, "review_id", [(cast(int, review.id), events)])
            stand_after_review(session, row, review, events)
            if row.split is None:
                taken = session.exec(
                    select(SampleRow.split).where(
                        SampleRow.collection_id == row.collection_id,
                        SampleRow.split_group == row.split_group,
                        col(SampleRow.split).is_not(None),
                    )
                ).first()
                row.split = taken or split_of(row.split_group)
            _drop_draft(session, key, person)
            return cast(int, review.id)

    def reviews(self, key: int, *, limit: int | None = None) -> Reviews:
        """The reviews of a sample, newest first."""
        with reading(self._engine) as session:
            rows = session.exec(
                select(ReviewRow)
                .where(ReviewRow.sample_id == key)
                .order_by(col(ReviewRow.id).desc())
                .limit(limit)
            ).all()
            events = mapping.events_of(session, "review_id", [cast(int, r.id) for r in rows])
            return [
                ReviewRecord(
                    cast(int, r.id), r.sample_id, r.suggestion_id, r.person, cast(Any, r.origin),
                    events[cast(int, r.id)], r.difference, r.seconds, r.schema_number, r.created,
                )
                for r in rows
            ]  # fmt: skip

    # ------------------------------------------------------------ suggestions

    def add_suggestion(
        self,
        key: int,
        events: Sequence[Event],
        *,
        model_id: str,
        raw_reply: str,
        prompt_version: str,
        schema_number: int,
        decoding: Mapping[str, Any],
        problems: Sequence[Problem] = (),
        seconds: float,
        bulk_id: int | None = None,
    ) -> int:
        """Add a suggestion (perhaps of a bulk operation) and mark a new sample suggested."""
        one = NewSuggestion(
            key, model_id, events, raw_reply, prompt_version, schema_number, decoding, problems,
            seconds,
        )  # fmt: skip
        with writing(self._engine) as session:
            _sample(session, key)
            return add_suggestions(session, [one], bulk_id=bulk_id)[0]

    def suggestion(
        self, key: int, *, model_id: str | None = None, suggestion_id: int | None = None
    ) -> SuggestionRecord | None:
        """The newest suggestion for a sample (of one model, or the one of that id), or None."""
        with reading(self._engine) as session:
            query = select(SuggestionRow).where(SuggestionRow.sample_id == key)
            if suggestion_id is not None:
                query = query.where(SuggestionRow.id == suggestion_id)
            if model_id is not None:
                query = query.where(SuggestionRow.model_id == model_id)
            row = session.exec(query.order_by(col(SuggestionRow.id).desc())).first()
            if row is None:
                return None
            ident = cast(int, row.id)
            events = suggested_events(session, [ident])[ident]
            return SuggestionRecord(
                ident, key, row.model_id, events, row.raw_reply, row.prompt_version,
                row.schema_number, row.decoding, [problem_from_dict(p) for p in row.problems],
                row.seconds, row.created,
            )  # fmt: skip

    def models_of(self, key: int) -> Texts:
        """The models that made suggestions for a sample, the newest suggestion first."""
        with reading(self._engine) as session:
            model = col(SuggestionRow.model_id)
            query = select(model).where(SuggestionRow.sample_id == key).group_by(model)
            return [*session.exec(query.order_by(func.max(SuggestionRow.id).desc()))]

    # ------------------------------------------------------------ drafts

    def save_draft(
        self, key: int, person: str, document: Mapping[str, Any], *, rev: int, after: int = 0
    ) -> int:
        """Keep a person's unfinished review; returns the `rev` now stored.

        An older `rev` never replaces a newer one, and what another `writer` stored is replaced only
        by one who has seen it: whose draft goes on from `after`, or a later one.
        """
        with writing(self._engine) as session:
            _sample(session, key)
            row = session.exec(
                select(DraftRow).where(DraftRow.sample_id == key, DraftRow.person == person)
            ).first()
            if row is None:
                row = DraftRow(sample_id=key, person=person, document=dict(document), rev=rev)
                session.add(row)
                return rev
            is_same = row.document.get("writer") == document.get("writer")
            if rev >= row.rev and (is_same or row.rev <= after):
                row.document, row.rev, row.updated = dict(document), rev, datetime.now(UTC)
            return row.rev

    def draft(self, key: int, person: str) -> DraftRecord | None:
        """A person's unfinished review of a sample, or None."""
        with reading(self._engine) as session:
            row = session.exec(
                select(DraftRow).where(DraftRow.sample_id == key, DraftRow.person == person)
            ).first()
            return DraftRecord(key, person, row.document, row.rev, row.updated) if row else None

    def drop_draft(self, key: int, person: str) -> None:
        """Delete a person's unfinished review of a sample, if there is one."""
        with writing(self._engine) as session:
            _drop_draft(session, key, person)

    # ------------------------------------------------------------ private

    def _records(self, session: Session, rows: Sequence[SampleRow]) -> Records:
        keys = [cast(int, row.id) for row in rows]
        # A sample that a change of the schema left to a person waits again, with its labels.
        reviewed = [cast(int, row.id) for row in rows if row.state != "new"]
        newest: dict[int, int] = {}
        media: dict[int, list[MediaRow]] = defaultdict(list)
        for part in mapping.chunks(reviewed):
            newest.update(
                cast(
                    Any,
                    session.exec(
                        select(ReviewRow.sample_id, func.max(ReviewRow.id))
                        .where(col(ReviewRow.sample_id).in_(part))
                        .group_by(col(ReviewRow.sample_id))
                    ).all(),
                )
            )
        for part in mapping.chunks(keys):
            query = select(MediaRow).where(col(MediaRow.sample_id).in_(part))
            for m in session.exec(query.order_by(col(MediaRow.id))):
                media[m.sample_id].append(m)
        events = mapping.events_of(session, "review_id", list(newest.values()))
        return [
            SampleRecord(
                key,
                row.collection_id,
                mapping.to_sample(row, media[key], events[newest[key]] if key in newest else None),
                cast(Any, row.state),
                row.imported,
            )
            for key, row in zip(keys, rows, strict=True)
        ]


def _drop_draft(session: Session, key: int, person: str) -> None:
    mine = col(DraftRow.sample_id) == key, col(DraftRow.person) == person
    session.execute(delete(DraftRow).where(*mine))


def _sample(session: Session, key: int) -> SampleRow:
    row = session.get(SampleRow, key)
    if row is None:
        raise NotFoundError(f"there is no sample {key}: it may have been deleted")
    return row
