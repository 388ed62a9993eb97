"""Media of samples as rows: which file each has, what is known of a file, and how far it is prepared."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from datetime import UTC, datetime
from typing import Any, cast

from sqlalchemy import delete, exists, func, insert, update
from sqlalchemy.engine import Engine
from sqlmodel import Session, col, select

from core.errors import ArgusError, NotFoundError, StorageError
from core.media_records import TO_PREPARE, FileToPrepare, MediaFile, SampleMedia
from core.records import ENDED
from core.samples import Media as Medium
from core.samples import Sample
from storage import mapping
from storage.database import reading, writing
from storage.media_files import MediaFiles
from storage.tables import BulkItemRow, BulkRow, JobRow, MediaFileRow, MediaRow, SampleRow

log = logging.getLogger(__name__)
_FIELDS = tuple(field.name for field in fields(MediaFile))


class MediaRoom:
    """What hangs between samples and the media store; `files` are the bytes themselves."""

    def __init__(self, engine: Engine, files: MediaFiles) -> None:
        self._engine = engine
        self.files = files

    # ------------------------------------------------------------ looking

    def of(self, sample_key: int) -> list[SampleMedia]:
        """The media of a sample in their order, each with its file, or with why there is none."""
        with reading(self._engine) as session:
            rows = session.exec(
                select(MediaRow).where(MediaRow.sample_id == sample_key).order_by(col(MediaRow.id))
            ).all()
            known = _files(session, {row.file for row in rows if row.file})
            return [
                SampleMedia(
                    sample_key,
                    Medium(row.name, cast(Any, row.kind), row.path, row.sha256, row.meta),
                    known.get(row.file or ""),
                    row.problem,
                )
                for row in rows
            ]

    def of_samples(self, collection_id: int, idents: Sequence[str]) -> dict[str, list[SampleMedia]]:
        """The media of samples of a collection, by the samples' own ids."""
        with reading(self._engine) as session:
            keys: dict[str, int] = {}
            for part in mapping.chunks(idents):
                query = select(SampleRow.external_id, SampleRow.id).where(
                    SampleRow.collection_id == collection_id, col(SampleRow.external_id).in_(part)
                )
                keys |= {ident: cast(int, key) for ident, key in session.exec(query)}
        return {ident: self.of(key) for ident, key in keys.items()}

    def file(self, digest: str) -> MediaFile:
        """What is known of a file; raises `NotFoundError`."""
        with reading(self._engine) as session:
            found = _files(session, {digest}).get(digest)
        if found is None:
            raise NotFoundError(f"there is no media file {digest[:12]}…: it may have been deleted")
        return found

    def known(self, digests: Sequence[str]) -> dict[str, MediaFile]:
        """What is known of those of these files that there are."""
        with reading(self._engine) as session:
            return _files(session, set(digests))

    def by_path(self, collection_id: int) -> dict[str, dict[str, MediaFile]]:
        """{sample id: {media path: file}} of all that a collection has."""
        found: dict[str, dict[str, MediaFile]] = {}
        with reading(self._engine) as session:
            query = (
                select(SampleRow.external_id, MediaRow.path, MediaRow.file)
                .join(MediaRow, col(MediaRow.sample_id) == SampleRow.id)
                .where(SampleRow.collection_id == collection_id, col(MediaRow.file).is_not(None))
            )
            rows = session.exec(query).all()
            known = _files(session, {str(digest) for _, _, digest in rows})
        for ident, path, digest in rows:
            if digest in known:
                found.setdefault(ident, {})[path] = known[digest]
        return found

    def missing(self, collection_id: int, *, limit: int = 1000) -> list[tuple[int, str, str]]:
        """(sample key, path, problem) of media without a file."""
        with reading(self._engine) as session:
            query = (
                select(MediaRow.sample_id, MediaRow.path, MediaRow.problem)
                .join(SampleRow, col(MediaRow.sample_id) == SampleRow.id)
                .where(SampleRow.collection_id == collection_id, col(MediaRow.file).is_(None))
            )
            rows = session.exec(query.order_by(col(MediaRow.id)).limit(limit))
            return [(key, path, problem) for key, path, problem in rows]

    # ------------------------------------------------------------ files that come later

    def attach(self, collection_id: int, found: Mapping[tuple[str, str], MediaFile]) -> int:
        """Give media that had no file the one that came: {(sample id, path): file}; returns how
        many got one."""
        count = 0
        with writing(self._engine) as session:
            idents = sorted({ident for ident, _ in found})
            for part in mapping.chunks(idents):
                query = (
                    select(MediaRow, SampleRow.external_id)
                    .join(SampleRow, col(MediaRow.sample_id) == SampleRow.id)
                    .where(
                        SampleRow.collection_id == collection_id,
                        col(SampleRow.external_id).in_(part), col(MediaRow.file).is_(None),
                    )
                )  # fmt: skip
                for row, ident in session.exec(query).all():
                    file = found.get((ident, row.path))
                    if file is None:
                        continue
                    add_files(session, [file], self.files)
                    row.file, row.problem = file.sha256, ""
                    count += 1
        return count

    # ------------------------------------------------------------ preparing

    def waiting(
        self, collection_id: int, *, first: Sequence[int] = (), limit: int = 32
    ) -> list[FileToPrepare]:
        """Files to prepare next: of the samples `first` while they have some, then those that nobody
        has looked at, then the oldest."""
        with reading(self._engine) as session:
            for keys in (first, None):
                if keys is not None and not keys:
                    continue
                query = _waiting(collection_id)
                if keys is not None:
                    query = query.where(col(MediaRow.sample_id).in_(list(keys)))
                query = query.order_by(col(MediaFileRow.state) != "new", col(MediaRow.id))
                found: dict[str, FileToPrepare] = {}
                for row, medium, sample in session.exec(query.limit(limit)):
                    one = FileToPrepare(
                        _file(row), medium.sample_id, sample.external_id, languages_of(sample)
                    )
                    found.setdefault(row.sha256, one)
                if found:
                    return list(found.values())
        return []

    def reset(self, digest: str) -> list[int]:
        """A file waits to be prepared again, one that failed to be looked at first; returns the
        collections that have it."""
        with writing(self._engine) as session:
            for was, now in (("ready", "looked"), ("failed", "new")):
                session.execute(
                    update(MediaFileRow)
                    .where(col(MediaFileRow.sha256) == digest, col(MediaFileRow.state) == was)
                    .values(state=now, problem="")
                )
            query = select(SampleRow.collection_id).join(
                MediaRow, col(MediaRow.sample_id) == SampleRow.id
            )
            return list(session.exec(query.where(MediaRow.file == digest).distinct()))

    def count_waiting(self, collection_id: int) -> int:
        """How many files wait to be prepared."""
        with reading(self._engine) as session:
            query = (
                select(func.count(func.distinct(MediaFileRow.sha256)))
                .join(MediaRow, col(MediaRow.file) == MediaFileRow.sha256)
                .join(SampleRow, col(SampleRow.id) == MediaRow.sample_id)
                .where(
                    SampleRow.collection_id == collection_id,
                    col(MediaFileRow.state).in_(TO_PREPARE),
                )
            )
            return session.exec(query).one()

    def keep(
        self,
        file: MediaFile,
        *,
        job_id: int | None = None,
        failure: Mapping[str, Any] | None = None,
        seconds: float = 0.0,
    ) -> None:
        """Store what is known of a file now; once it is ready or failed, with how far the job is, in
        one transaction."""
        with writing(self._engine) as session:
            values = asdict(file) | {"facts": dict(file.facts), "notes": dict(file.notes)}
            session.execute(
                update(MediaFileRow).where(col(MediaFileRow.sha256) == file.sha256).values(**values)
            )
            if job_id is None:
                return
            job = session.get(JobRow, job_id)
            if job is None or job.state in ENDED:
                return
            if file.state == "ready":
                job.done += 1
            if failure is not None:
                job.failures = [*job.failures, dict(failure)]
            worked = job.done + len(job.failures)
            job.total = max(job.total, worked)
            job.progress = worked / max(1, job.total)
            job.seconds += seconds
            job.heartbeat = datetime.now(UTC)

    # ------------------------------------------------------------ room on the disk

    def original_bytes(self) -> int:
        """How much the files take that were taken in; each is kept once."""
        with reading(self._engine) as session:
            return session.exec(select(func.coalesce(func.sum(MediaFileRow.bytes), 0))).one()

    # ------------------------------------------------------------ deleting

    def sweep(self) -> int:
        """Delete the files that no sample has, and none in the bin of deleted samples would need to
        come back; returns how many."""
        with reading(self._engine) as session:
            if not session.exec(_unused().limit(1)).first():
                return 0
        count = 0
        with writing(self._engine) as session:
            unused = set(session.exec(_unused())) - _in_the_bin(session)
            for part in mapping.chunks(sorted(unused)):
                session.execute(delete(MediaFileRow).where(col(MediaFileRow.sha256).in_(part)))
            for digest in unused:
                # inside the transaction, so that no import counts on a file that goes
                try:
                    self.files.delete(digest)
                    count += 1
                except (OSError, ArgusError) as problem:
                    log.warning("the file %s could not be removed: %s", digest, problem)
        return count

    def forget(self, digests: Sequence[str]) -> None:
        """Remove files that were taken in for an import that did not happen."""
        with writing(self._engine) as session:
            known = _files(session, set(digests))
            for digest in digests:
                if digest not in known:
                    self.files.delete(digest)


# ---------------------------------------------------------------- what other rooms use


def add_files(session: Session, found: Sequence[MediaFile], files: MediaFiles) -> None:
    """Write down files that are in the store, those that are not known yet; raises `StorageError`
    where one has gone since it was taken in."""
    wanted = {file.sha256: file for file in found}
    known = _files(session, set(wanted))
    new = [file for digest, file in wanted.items() if digest not in known]
    for digest in wanted:
        if not files.has(digest):
            raise StorageError(
                f"the file {wanted[digest].name or digest[:12]} has gone from the media store while it "
                "was taken in: nothing was imported, try again"
            )
    if new:
        now = datetime.now(UTC)
        session.execute(
            insert(MediaFileRow.__table__),  # type: ignore[attr-defined]
            [
                asdict(file)
                | {"facts": dict(file.facts), "notes": dict(file.notes), "created": now}
                for file in new
            ],
        )


def languages_of(sample: SampleRow | Sample) -> tuple[str, ...]:
    """The languages that words in a sample's pictures may be in: what its meta says as `ocr` (none
    for an empty list), else its own."""
    asked = sample.meta.get("ocr")
    if isinstance(asked, list) and all(isinstance(code, str) for code in asked):
        return tuple(asked)
    return (sample.language,)


# ---------------------------------------------------------------- private


def _file(row: MediaFileRow) -> MediaFile:
    return MediaFile(**{name: getattr(row, name) for name in _FIELDS})


def _files(session: Session, digests: set[str]) -> dict[str, MediaFile]:
    found: dict[str, MediaFile] = {}
    for part in mapping.chunks(sorted(digests)):
        query = select(MediaFileRow).where(col(MediaFileRow.sha256).in_(part))
        found |= {row.sha256: _file(row) for row in session.exec(query)}
    return found


def _waiting(collection_id: int) -> Any:
    return (
        select(MediaFileRow, MediaRow, SampleRow)
        .join(MediaRow, col(MediaRow.file) == MediaFileRow.sha256)
        .join(SampleRow, col(SampleRow.id) == MediaRow.sample_id)
        .where(SampleRow.collection_id == collection_id, col(MediaFileRow.state).in_(TO_PREPARE))
    )


def _unused() -> Any:
    used = exists().where(col(MediaRow.file) == MediaFileRow.sha256)
    return select(MediaFileRow.sha256).where(~used)


def _in_the_bin(session: Session) -> set[str]:
    """The files of samples that a bulk operation deleted, and that can come back."""
    query = (
        select(BulkItemRow.before)
        .join(BulkRow, col(BulkRow.id) == BulkItemRow.bulk_id)
        .where(BulkRow.kind == "delete")
    )
    return {
        row["file"]
        for before in session.exec(query)
        for row in before.get("media", [])
        if row.get("file")
    }
