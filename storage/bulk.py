"""Bulk operations over all samples of a queue: a preview, the work in small parts, and the way back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, cast

from sqlalchemy import delete, exists, func, or_
from sqlalchemy.engine import Engine
from sqlmodel import Session, col, select

from core.bulk import (
    CHECKED,
    EXAMPLES,
    BulkOrder,
    BulkPreview,
    BulkRecord,
    Refusal,
    check_order,
    settings_of,
    why_not_accept,
)
from core.errors import NotFoundError
from core.events import Event
from core.languages import in_order
from storage import mapping
from storage.bulk_steps import do_step, newest_schema, with_suggestions
from storage.bulk_undo import undo_step
from storage.database import reading, writing
from storage.orders import open_walk
from storage.tables import (
    BulkItemRow,
    BulkRow,
    DraftRow,
    NoteRow,
    ReviewRow,
    SampleRow,
    SampleTextRow,
    SuggestionRow,
    TypeSetMemberRow,
)
from storage.walk import Walk


class Bulk:
    """Each part of the work is a transaction of its own: what was cut short can be undone too."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def preview(self, order: BulkOrder, *, person: str) -> BulkPreview:
        """What an order would do: counts, what is left out and why, and ten examples."""
        order = check_order(order)
        with reading(self._engine) as session:
            walk = open_walk(session, order.queue, person)
            left_out, unchecked = _left_out(walk, order, person)
            chosen = _chosen(walk, order, person)
            by_language = dict(_counts(session, SampleRow.language, chosen))
            return BulkPreview(
                order=order,
                count=sum(by_language.values()) - left_out.get("rule", 0),
                by_language={code: by_language[code] for code in in_order(by_language)},
                by_type=_types(session, chosen),
                by_split={k or "none": n for k, n in _counts(session, SampleRow.split, chosen)},
                left_out={reason: n for reason, n in left_out.items() if n},
                examples=_examples(walk, order, person),
                along=_along(walk, order),
                unchecked=unchecked,
            )

    def begin(self, order: BulkOrder, *, person: str) -> tuple[int, list[int]]:
        """Write down that an operation begins; returns its id and the keys it is for."""
        order = check_order(order)
        with writing(self._engine) as session:
            walk = open_walk(session, order.queue, person)
            query = select(SampleRow.id).where(*_chosen(walk, order, person))
            keys = [cast(int, key) for key in session.exec(query.order_by(col(SampleRow.id)))]
            row = BulkRow(
                collection_id=order.queue.collection_id, person=person, kind=order.kind,
                settings=settings_of(order),
            )  # fmt: skip
            session.add(row)
            session.flush()
            return cast(int, row.id), keys

    def do(self, bulk_id: int, keys: Sequence[int]) -> Counter[str]:
        """Do a part of an operation; returns what was left out, by reason."""
        with writing(self._engine) as session:
            return do_step(session, _row(session, bulk_id), keys)

    def items(self, bulk_id: int) -> list[int]:
        """The numbers of what an operation did and nobody has undone, in its order."""
        with reading(self._engine) as session:
            query = select(BulkItemRow.id).where(BulkItemRow.bulk_id == bulk_id)
            return [cast(int, ident) for ident in session.exec(query.order_by(col(BulkItemRow.id)))]

    def undo(self, bulk_id: int, items: Sequence[int]) -> list[Refusal]:
        """Undo a part of an operation; returns what cannot be undone, and why."""
        with writing(self._engine) as session:
            bulk = _row(session, bulk_id)
            query = select(BulkItemRow).where(
                BulkItemRow.bulk_id == bulk_id, col(BulkItemRow.id).in_(items)
            )
            refused = undo_step(session, bulk, session.exec(query).all())
            bulk.undone = datetime.now(UTC)
            return refused

    def get(self, bulk_id: int) -> BulkRecord:
        """One operation."""
        with reading(self._engine) as session:
            return _record(session, _row(session, bulk_id))

    def latest(self, collection_id: int, *, limit: int = 5) -> list[BulkRecord]:
        """The newest operations of a collection, newest first."""
        with reading(self._engine) as session:
            query = select(BulkRow).where(BulkRow.collection_id == collection_id)
            rows = session.exec(query.order_by(col(BulkRow.id).desc()).limit(limit)).all()
            return [_record(session, row) for row in rows]

    def forget(self, bulk_id: int) -> None:
        """Forget an operation that did nothing."""
        with writing(self._engine) as session:
            session.execute(
                delete(BulkRow).where(col(BulkRow.id) == bulk_id, col(BulkRow.done) == 0)
            )

    def unrefreshed(self, bulk_id: int) -> list[int]:
        """The keys of the samples that a refresh has not come to yet, and nobody has undone."""
        with reading(self._engine) as session:
            made = exists().where(
                col(SuggestionRow.sample_id) == BulkItemRow.sample_id,
                col(SuggestionRow.bulk_id) == bulk_id,
            )
            query = select(BulkItemRow.sample_id).where(BulkItemRow.bulk_id == bulk_id, ~made)
            return list(session.exec(query.order_by(col(BulkItemRow.id))))


# ---------------------------------------------------------------- which samples


def _chosen(walk: Walk, order: BulkOrder, person: str) -> list[Any]:
    """The samples that an order is for, as conditions."""
    ident, split = col(SampleRow.id), col(SampleRow.split)
    if order.kind == "accept":
        drafted = select(DraftRow.sample_id)
        return [
            *walk.member, col(SampleRow.waiting).is_(True), col(SampleRow.is_complete).is_(True),
            col(SampleRow.confidence) > order.threshold, ident.not_in(drafted),
        ]  # fmt: skip
    if order.kind == "split":
        groups = select(SampleRow.split_group).where(*walk.member)
        return [
            SampleRow.collection_id == order.queue.collection_id,
            col(SampleRow.split_group).in_(groups),
            or_(split.is_(None), split != order.split),
        ]
    if order.kind == "flag":
        return [*walk.member, ident.not_in(_flagged(person))]
    if order.kind == "refresh":
        return [*walk.member, ident.in_(select(SampleTextRow.sample_id))]
    return list(walk.member)


def _left_out(walk: Walk, order: BulkOrder, person: str) -> tuple[dict[str, int], int]:
    """The samples of the queue that an order leaves out, by reason, and how many are unchecked."""
    session = walk.session
    sure, complete = col(SampleRow.confidence), col(SampleRow.is_complete)
    if order.kind == "accept":
        waiting = [*walk.member, col(SampleRow.waiting).is_(True)]
        certain = [*waiting, complete.is_(True), sure > order.threshold]
        rule, unchecked = _breaking(walk, order, person)
        left_out = {
            "reviewed": _count(session, *walk.member, col(SampleRow.waiting).is_(False)),
            "incomplete": _count(session, *waiting, complete.is_(False)),
            "unsure": _count(session, *waiting, complete.is_(True), sure <= order.threshold),
            "draft": _count(session, *certain, col(SampleRow.id).in_(select(DraftRow.sample_id))),
            "rule": rule,
        }
        return left_out, unchecked
    if order.kind == "split":
        return {"same_split": _count(session, *walk.member, SampleRow.split == order.split)}, 0
    if order.kind == "flag":
        flagged = col(SampleRow.id).in_(_flagged(person))
        return {"flagged": _count(session, *walk.member, flagged)}, 0
    if order.kind == "refresh":
        without = col(SampleRow.id).not_in(select(SampleTextRow.sample_id))
        return {"no_text": _count(session, *walk.member, without)}, 0
    return {}, 0


def _breaking(walk: Walk, order: BulkOrder, person: str) -> tuple[int, int]:
    """How many of the first suggestions break a rule of the schema, and how many come after those."""
    session = walk.session
    _, schema = newest_schema(session, order.queue.collection_id)
    chosen = _chosen(walk, order, person)
    total = _count(session, *chosen)
    query = select(SampleRow).where(*chosen).order_by(col(SampleRow.id)).limit(CHECKED)
    found = with_suggestions(session, session.exec(query).all())
    broken = sum(
        why_not_accept(events, threshold=order.threshold, schema=schema) is not None
        for _, _, events in found
    )
    return broken, max(0, total - CHECKED)


def _along(walk: Walk, order: BulkOrder) -> int:
    """How many samples outside the queue move with their story."""
    if order.kind != "split":
        return 0
    split = col(SampleRow.split)
    inside = _count(walk.session, *walk.member, or_(split.is_(None), split != order.split))
    return _count(walk.session, *_chosen(walk, order, "")) - inside


def _examples(walk: Walk, order: BulkOrder, person: str) -> list[dict[str, Any]]:
    """The first samples of the queue that an order is for, with what their suggestion says."""
    inside = open_walk(walk.session, order.queue, person)
    chosen = _chosen(inside, order, person)
    if order.kind == "split":
        chosen = [*inside.member, *chosen]
    inside.member = inside.near = chosen
    keys = inside.page(EXAMPLES, 0)
    rows = walk.session.exec(select(SampleRow).where(col(SampleRow.id).in_(keys))).all()
    told = {row.id: (row, events) for row, _, events in with_suggestions(walk.session, rows)}
    reviewed = _reviewed_events(walk.session, rows)
    return [
        {
            "key": key, "id": row.external_id, "language": row.language, "split": row.split,
            "state": row.state, "text": (row.text or "")[:300], "confidence": row.confidence,
            "events": [(e.event_type, e.trigger.text if e.trigger else None) for e in events],
        }
        for key in keys
        for row, suggested in [told[key]]
        for events in [reviewed.get(key, suggested)]
    ]  # fmt: skip


def _reviewed_events(
    session: Session, rows: Sequence[SampleRow]
) -> dict[int | None, tuple[Event, ...]]:
    """The events of the newest review, of those that have one."""
    keys = [row.id for row in rows if row.state == "reviewed"]
    query = select(ReviewRow.sample_id, func.max(ReviewRow.id)).where(
        col(ReviewRow.sample_id).in_(keys)
    )
    newest = dict(session.exec(query.group_by(col(ReviewRow.sample_id))).all())
    events = mapping.events_of(session, "review_id", cast("list[int]", list(newest.values())))
    return {key: events[cast(int, review)] for key, review in newest.items()}


def _flagged(person: str) -> Any:
    return select(NoteRow.sample_id).where(
        NoteRow.person == person, NoteRow.kind == "flag", col(NoteRow.resolved).is_(None)
    )


# ---------------------------------------------------------------- counts


def _count(session: Session, *where: Any) -> int:
    return session.exec(select(func.count()).select_from(SampleRow).where(*where)).one()


def _counts(session: Session, column: Any, where: Sequence[Any]) -> list[tuple[Any, int]]:
    query = select(column, func.count()).where(*where).group_by(column)
    return [(value, count) for value, count in session.exec(query)]


def _types(session: Session, where: Sequence[Any]) -> dict[str, int]:
    """Samples by event type, the most frequent first; one with two types counts for both."""
    count = func.count()
    query = (
        select(TypeSetMemberRow.event_type, count)
        .join(SampleRow, col(SampleRow.type_set_id) == TypeSetMemberRow.set_id)
        .where(*where)
        .group_by(col(TypeSetMemberRow.event_type))
        .order_by(count.desc(), col(TypeSetMemberRow.event_type))
    )
    return dict(cast(Any, session.exec(query).all()))


def _row(session: Session, bulk_id: int) -> BulkRow:
    row = session.get(BulkRow, bulk_id)
    if row is None:
        raise NotFoundError(f"there is no bulk operation {bulk_id}: its collection may be gone")
    return row


def _record(session: Session, row: BulkRow) -> BulkRecord:
    query = select(func.count()).select_from(BulkItemRow).where(BulkItemRow.bulk_id == row.id)
    return BulkRecord(
        cast(int, row.id), row.collection_id, row.person, cast(Any, row.kind), row.settings,
        row.done, session.exec(query).one(), row.created, row.undone,
    )  # fmt: skip
