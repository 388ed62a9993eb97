"""How often each event type was reviewed and corrected: what rare types and past errors mean."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from sqlmodel import Session, col, select

from core.queues import LEAST_CHANGED, Reason
from storage.tables import (
    CorrectionRow,
    EventRow,
    SuggestionRow,
    TypeSetMemberRow,
    TypeSetRow,
)


@dataclass(slots=True)
class KnownSet:
    """Event types that samples of one language have together, and how many samples that are."""

    id: int
    language: str
    waiting: int
    reviewed: int
    types: tuple[str, ...] = ()


@dataclass(slots=True)
class Figures:
    """The figures of a collection: `reviewed` samples by type, and by (type, language);
    `corrections` are (changed, seen) suggested events by (type, language)."""

    sets: list[KnownSet] = field(default_factory=list)
    by_type: dict[str, int] = field(default_factory=dict)
    by_language: dict[tuple[str, str], int] = field(default_factory=dict)
    corrections: dict[tuple[str, str], tuple[int, int]] = field(default_factory=dict)

    def types_of(self, set_id: int | None) -> Collection[str]:
        """The types of a set; none without one."""
        return next((s.types for s in self.sets if s.id == set_id), ())

    def set_id(self, types: Iterable[str], language: str) -> int | None:
        """The set with exactly these types, or None."""
        wanted = set(types)
        found = (s.id for s in self.sets if s.language == language and set(s.types) == wanted)
        return next(found, None)

    def rarest(self, types: Iterable[str], language: str) -> tuple[int, int, str] | None:
        """Reviewed samples of the rarest of some types, those in the language, and its name."""
        return min(
            ((self.by_type.get(t, 0), self.by_language.get((t, language), 0), t) for t in types),
            default=None,
        )

    def worst(self, types: Iterable[str], language: str) -> tuple[int, int, str] | None:
        """Changed and seen events of the most often corrected of some types, and its name."""
        known = [(*self.corrections.get((t, language), (0, 0)), t) for t in types]
        often = [k for k in known if k[0] >= LEAST_CHANGED]
        return max(often, key=lambda k: (k[0] / max(1, k[1]), k[0], k[2]), default=None)

    def rank(
        self, reason: Reason, types: Iterable[str], language: str
    ) -> tuple[float, float] | None:
        """Where samples with these types come in the order of a reason; the lowest comes first."""
        if reason == "rare":
            rarest = self.rarest(types, language)
            return None if rarest is None else (rarest[0], rarest[1])
        worst = self.worst(types, language)
        return None if worst is None else (-worst[0] / max(1, worst[1]), -worst[0])


def read_figures(session: Session, collection_id: int) -> Figures:
    """The figures of a collection as they are now."""
    figures = Figures()
    connection = session.connection()  # plain rows: there may be thousands of sets
    mine = TypeSetRow.collection_id == collection_id
    members: dict[int, list[str]] = defaultdict(list)
    for set_id, event_type in connection.execute(
        select(TypeSetMemberRow.set_id, TypeSetMemberRow.event_type)
        .join(TypeSetRow, col(TypeSetRow.id) == TypeSetMemberRow.set_id)
        .where(mine)
    ):
        members[set_id].append(event_type)
    totals: dict[str, int] = defaultdict(int)
    here: dict[tuple[str, str], int] = defaultdict(int)
    for ident, language, waiting, reviewed in connection.execute(
        select(TypeSetRow.id, TypeSetRow.language, TypeSetRow.waiting, TypeSetRow.reviewed)
        .where(mine)
        .order_by(col(TypeSetRow.id))
    ):
        types = tuple(members[ident])
        figures.sets.append(KnownSet(ident, language, waiting, reviewed, types))
        for name in types:
            totals[name] += reviewed
            here[name, language] += reviewed
    figures.by_type, figures.by_language = dict(totals), dict(here)
    figures.corrections = {
        (event_type, language): (changed, seen)
        for event_type, language, changed, seen in connection.execute(
            select(
                CorrectionRow.event_type, CorrectionRow.language,
                CorrectionRow.changed, CorrectionRow.seen,
            ).where(CorrectionRow.collection_id == collection_id)
        )
    }  # fmt: skip
    return figures


def suggested_types(session: Session, key: int) -> set[str]:
    """The event types of a sample's newest suggestion."""
    newest = (
        select(SuggestionRow.id)
        .where(SuggestionRow.sample_id == key)
        .order_by(col(SuggestionRow.id).desc())
        .limit(1)
    )
    return set(
        session.exec(
            select(EventRow.event_type).where(EventRow.suggestion_id == newest.scalar_subquery())
        )
    )
