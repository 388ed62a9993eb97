"""Type sets: the event types that samples of one language have together, and how many samples have."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, cast

from sqlalchemy import bindparam, func, insert, update
from sqlmodel import Session, col, select

from core.queues import types_digest
from storage import mapping
from storage.tables import SampleRow, TypeSetMemberRow, TypeSetRow

TypeSet = tuple[str, frozenset[str]]  # a language and event types


def find_sets(
    session: Session, collection_id: int, wanted: Iterable[TypeSet]
) -> dict[TypeSet, int]:
    """The ids of type sets; those that nobody had yet are made."""
    digests = {(language, types_digest([*types])): (language, types) for language, types in wanted}
    found: dict[TypeSet, int] = {}
    for part in mapping.chunks(sorted({digest for _, digest in digests})):
        rows = session.exec(
            select(TypeSetRow).where(
                TypeSetRow.collection_id == collection_id, col(TypeSetRow.digest).in_(part)
            )
        )
        for row in rows:
            if (row.language, row.digest) in digests:
                found[digests[row.language, row.digest]] = cast(int, row.id)
    missing = [(key, kind) for key, kind in digests.items() if kind not in found]
    ids = mapping.insert_all(
        session,
        TypeSetRow,
        [
            {"collection_id": collection_id, "language": language, "digest": digest}
            for (language, digest), _ in missing
        ],
    )
    members = []
    for ident, (_, kind) in zip(ids, missing, strict=True):
        found[kind] = ident
        members += [{"set_id": ident, "event_type": name} for name in sorted(kind[1])]
    if members:
        session.execute(insert(TypeSetMemberRow), members)
    return found


def add_to_sets(session: Session, counts: Mapping[int, int], *, waiting: bool) -> None:
    """Count samples in (or with a negative number out of) their type sets."""
    plain = cast(Any, TypeSetRow).__table__
    column = plain.c.waiting if waiting else plain.c.reviewed
    change = update(plain).where(plain.c.id == bindparam("ident"))
    rows = [{"ident": ident, "more": count} for ident, count in counts.items() if count]
    if rows:
        session.execute(change.values({column: column + bindparam("more")}), rows)


def recount(session: Session, collection_id: int) -> None:
    """Count the samples of every type set again."""

    def samples(*, waiting: bool) -> Any:
        return (
            select(func.count())
            .select_from(SampleRow)
            .where(
                SampleRow.collection_id == collection_id,
                col(SampleRow.waiting).is_(waiting),
                SampleRow.type_set_id == TypeSetRow.id,
            )
            .scalar_subquery()
        )

    session.execute(
        update(TypeSetRow)
        .where(col(TypeSetRow.collection_id) == collection_id)
        .values(waiting=samples(waiting=True), reviewed=samples(waiting=False))
        .execution_options(synchronize_session=False)
    )
