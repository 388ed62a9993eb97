"""Bring samples in: a collection, its schema version and the samples in one transaction."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import cast

from sqlalchemy import insert
from sqlalchemy.engine import Engine
from sqlmodel import Session, col, select

from core.media_records import MediaFile
from core.queues import fold
from core.records import CollectionRecord
from core.samples import Sample, split_of
from core.schema import Schema
from storage import mapping
from storage.collections import (
    add_schema_version,
    collection_record,
    create_collection,
)
from storage.database import writing
from storage.media import add_files
from storage.media_files import MediaFiles
from storage.tables import CollectionRow, MediaRow, ReviewRow, SampleRow, SampleTextRow
from storage.type_sets import add_to_sets, find_sets


class Imports:
    """What a file brings in is all there afterwards, or nothing of it is."""

    def __init__(self, engine: Engine, files: MediaFiles) -> None:
        self._engine = engine
        self._files = files

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
        """Add samples to the collection called `collection`, which is made if there is none.

        `schema` is the one to be in force from now on; None keeps the collection's own. `files`
        of the media store are by the path that the samples give; `problems` say why a path has
        none.
        """
        with writing(self._engine) as session:
            row = session.exec(
                select(CollectionRow).where(CollectionRow.name == collection)
            ).first()
            if row is None:
                record = create_collection(session, collection, schema or Schema(), person=person)
            else:
                if schema is not None:
                    add_schema_version(session, cast(int, row.id), schema, note=note, person=person)
                    session.flush()
                record = collection_record(session, row)
            add_files(session, list((files or {}).values()), self._files)
            add_samples(
                session, record.id, samples, schema_number=record.schema_number, files=files,
                problems=problems,
            )  # fmt: skip
            return record


def add_samples(
    session: Session,
    collection_id: int,
    samples: Sequence[Sample],
    *,
    schema_number: int,
    files: Mapping[str, MediaFile] | None = None,
    problems: Mapping[str, str] | None = None,
) -> list[int]:
    """Write samples with their media and, where labelled, a first review; returns their keys.

    A labelled sample without a split gets one by its group, so that it never moves later.
    """
    taken = _splits_of_groups(session, collection_id, samples)
    rows = [mapping.sample_row(collection_id, s, split=_split_for(s, taken)) for s in samples]
    kinds = [(s.language, frozenset(e.event_type for e in s.events or ())) for s in samples]
    sets = find_sets(session, collection_id, {kind for kind in kinds if kind[1]})
    for row, kind in zip(rows, kinds, strict=True):
        row["type_set_id"] = sets.get(kind)
    add_to_sets(session, Counter(sets[kind] for kind in kinds if kind[1]), waiting=False)
    keys = mapping.insert_all(session, SampleRow, rows)
    folded = [
        {"sample_id": key, "folded": fold(s.text)}
        for key, s in zip(keys, samples, strict=True)
        if s.text
    ]
    if folded:
        session.execute(insert(SampleTextRow), folded)
    media = [
        mapping.media_row(key, m) | _file_of(m.path, files or {}, problems or {})
        for key, s in zip(keys, samples, strict=True)
        for m in s.media
    ]
    mapping.insert_all(session, MediaRow, media)
    labelled = [
        (key, s.events) for key, s in zip(keys, samples, strict=True) if s.events is not None
    ]
    reviews = mapping.insert_all(
        session,
        ReviewRow,
        [
            {"sample_id": key, "origin": "import", "schema_number": schema_number}
            for key, _ in labelled
        ],
    )
    mapping.add_events(
        session,
        "review_id",
        [(r, events) for r, (_, events) in zip(reviews, labelled, strict=True)],
    )
    return keys


def _file_of(
    path: str, files: Mapping[str, MediaFile], problems: Mapping[str, str]
) -> dict[str, str | None]:
    if path in files:
        return {"file": files[path].sha256, "problem": ""}
    missing = (
        f"the file {path} was not there when this was imported: import it again with its media"
    )
    return {"file": None, "problem": problems.get(path, missing)}


def _splits_of_groups(
    session: Session, collection_id: int, samples: Iterable[Sample]
) -> dict[str, str]:
    """The split that each group of a collection has already, or gets from these samples."""
    taken = dict(
        session.exec(
            select(SampleRow.split_group, SampleRow.split)
            .where(SampleRow.collection_id == collection_id, col(SampleRow.split).is_not(None))
            .distinct()
        ).all()
    )
    for sample in samples:
        if sample.split:
            taken.setdefault(sample.group, sample.split)
    return cast(dict[str, str], taken)


def _split_for(sample: Sample, taken: Mapping[str, str]) -> str | None:
    if sample.split or sample.events is None:
        return sample.split
    return taken.get(sample.group) or split_of(sample.group)
