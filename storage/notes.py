"""What people leave on a sample beside reviews: flags, comments, and that they skipped it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Literal, cast

from sqlalchemy import delete, func, update
from sqlalchemy.engine import Engine
from sqlmodel import Session, col, select

from core.errors import InputError, NotFoundError, shown
from core.records import NoteRecord
from storage.database import reading, writing
from storage.tables import NoteRow, SampleRow, SkipRow

LONGEST = 4000  # characters of a note


class Notes:
    """Flags and comments; they are resolved, not deleted."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def add(
        self,
        key: int,
        *,
        person: str,
        kind: Literal["flag", "comment"] = "comment",
        text: str = "",
        start: int | None = None,
        end: int | None = None,
    ) -> int:
        """Add a flag or a comment, perhaps about `text[start:end]` of the sample; returns its id."""
        text = text.strip()
        if kind not in ("flag", "comment"):
            raise InputError(f"a note is a flag or a comment, not {shown(kind)}")
        if kind == "comment" and not text:
            raise InputError("a comment has no words yet: write some, or leave it out")
        if len(text) > LONGEST or "\0" in text:
            raise InputError(f"a note has up to {LONGEST:,} characters, not {len(text):,}")
        with writing(self._engine) as session:
            sample = _sample(session, key)
            note = NoteRow(
                sample_id=key, person=person, kind=kind, text=text, start=start, end=end,
                words=_words(sample, start, end),
            )  # fmt: skip
            session.add(note)
            session.flush()
            count_flags(session, [key])
            return cast(int, note.id)

    def list(self, key: int, *, only_open: bool = False) -> list[NoteRecord]:
        """The notes of a sample, oldest first."""
        with reading(self._engine) as session:
            query = select(NoteRow).where(NoteRow.sample_id == key)
            if only_open:
                query = query.where(col(NoteRow.resolved).is_(None))
            return [_record(row) for row in session.exec(query.order_by(col(NoteRow.id)))]

    def resolve(self, note_id: int, *, person: str, is_open: bool = False) -> None:
        """Mark a note as dealt with, or (`is_open`) as open again."""
        with writing(self._engine) as session:
            note = session.get(NoteRow, note_id)
            if note is None:
                raise NotFoundError(f"there is no note {note_id}: it may have been deleted")
            note.resolved = None if is_open else datetime.now(UTC)
            note.resolved_by = None if is_open else person
            session.flush()
            count_flags(session, [note.sample_id])

    def skip(self, key: int, *, person: str) -> None:
        """Put a sample at the end of this person's queues; again, and it goes to the end again."""
        with writing(self._engine) as session:
            _sample(session, key)
            _forget(session, key, person)
            session.add(SkipRow(sample_id=key, person=person))

    def is_skipped(self, key: int, *, person: str) -> bool:
        """Whether this person skipped a sample and has not reviewed it since."""
        with reading(self._engine) as session:
            query = select(SkipRow.id).where(SkipRow.sample_id == key, SkipRow.person == person)
            return session.exec(query).first() is not None


def count_flags(session: Session, keys: list[int]) -> None:
    """Write the number of open flags to samples, which queues filter by."""
    count = (
        select(func.count())
        .select_from(NoteRow)
        .where(
            NoteRow.sample_id == SampleRow.id,
            NoteRow.kind == "flag",
            col(NoteRow.resolved).is_(None),
        )
        .scalar_subquery()
    )
    session.execute(
        update(SampleRow)
        .where(col(SampleRow.id).in_(keys))
        .values(flags=count)
        .execution_options(synchronize_session=False)
    )


def _forget(session: Session, key: int, person: str) -> None:
    session.execute(
        delete(SkipRow).where(col(SkipRow.sample_id) == key, col(SkipRow.person) == person)
    )


def _words(sample: SampleRow, start: int | None, end: int | None) -> str | None:
    """The words of a span, checked against the text."""
    if start is None and end is None:
        return None
    text = sample.text or ""
    if start is None or end is None or not 0 <= start < end <= len(text):
        raise InputError(
            f"the span {start}–{end} is outside the text, which has {len(text)} characters: "
            "offsets are code points, the end exclusive"
        )
    return text[start:end]


def _sample(session: Session, key: int) -> SampleRow:
    row = session.get(SampleRow, key)
    if row is None:
        raise NotFoundError(f"there is no sample {key}: it may have been deleted")
    return row


def _record(row: NoteRow) -> NoteRecord:
    return NoteRecord(
        cast(int, row.id), row.sample_id, row.person, cast("Literal['flag', 'comment']", row.kind),
        row.text, row.start, row.end, row.words, row.created, row.resolved, row.resolved_by,
    )  # fmt: skip
