"""Events and samples as rows, and back: the only place that knows both shapes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, TypeVar, cast

from sqlalchemy import insert
from sqlalchemy import select as sqlalchemy_select
from sqlmodel import Session, col

from core.events import Argument, Event, Mention
from core.queues import day_of, shuffle_of
from core.samples import Media, Sample, Source, sample_to_dict
from storage.tables import EventRow, MediaRow, MentionRow, SampleRow

Owner = Literal["review_id", "suggestion_id"]
T = TypeVar("T")
CHUNK = 500  # ids in one IN (…): SQLite's limit on variables is not the same everywhere


def chunks(values: Sequence[T]) -> Iterable[Sequence[T]]:
    """`values` in pieces that fit one IN (…)."""
    return (values[i : i + CHUNK] for i in range(0, len(values), CHUNK))


def insert_all(session: Session, table: type[Any], rows: Sequence[Mapping[str, Any]]) -> list[int]:
    """Insert rows in one go; returns their ids in order.

    Into the plain table: for a mapped class SQLAlchemy leaves out what is None, and so needs a
    statement for every change of what is left out.
    """
    if not rows:
        return []
    plain = table.__table__
    statement = insert(plain).returning(plain.c.id, sort_by_parameter_order=True)
    return list(session.scalars(statement, list(rows)))


def add_events(
    session: Session, owner: Owner, owned: Iterable[tuple[int, Sequence[Event]]]
) -> None:
    """Write the events of reviews or suggestions, many at a time."""
    flat = [(key, i, event) for key, events in owned for i, event in enumerate(events)]
    ids = insert_all(
        session,
        EventRow,
        [
            {
                "review_id": None,
                "suggestion_id": None,
                owner: key,
                "position": i,
                "event_type": event.event_type,
                "confidence": event.confidence,
                "meta": dict(event.meta),
            }
            for key, i, event in flat
        ],
    )
    mentions = []
    for event_id, (_, _, event) in zip(ids, flat, strict=True):
        if event.trigger:
            mentions.append(_mention_row(event_id, 0, event.trigger))
        mentions += [
            _mention_row(event_id, i, a.mention, argument=a)
            for i, a in enumerate(event.arguments, start=1 if event.trigger else 0)
        ]
    if mentions:
        session.execute(insert(MentionRow.__table__), mentions)  # type: ignore[attr-defined]


def events_of(session: Session, owner: Owner, keys: Sequence[int]) -> dict[int, tuple[Event, ...]]:
    """The events of each review or suggestion, in their order; every key has an entry.

    Plain columns, not mapped rows: a change of the schema reads a hundred thousand.
    """
    column = getattr(EventRow, owner)
    found: dict[int, list[Event]] = {key: [] for key in keys}
    for part in chunks(keys):
        rows = session.execute(
            sqlalchemy_select(*EventRow.__table__.columns)  # type: ignore[attr-defined]
            .where(column.in_(part))
            .order_by(column, col(EventRow.position))
        ).all()
        mentions: dict[int, list[Any]] = defaultdict(list)
        for some in chunks([row.id for row in rows]):
            for mention in session.execute(
                sqlalchemy_select(*MentionRow.__table__.columns)  # type: ignore[attr-defined]
                .where(col(MentionRow.event_id).in_(some))
                .order_by(col(MentionRow.event_id), col(MentionRow.position))
            ):
                mentions[mention.event_id].append(mention)
        for row in rows:
            found[getattr(row, owner)].append(_event(row, mentions[row.id]))
    return {key: tuple(events) for key, events in found.items()}


def sample_row(collection_id: int, sample: Sample, *, split: str | None) -> dict[str, Any]:
    """The row of a sample, without its events and media."""
    return {
        "collection_id": collection_id,
        "external_id": sample.id,
        "content_hash": sample.content_hash,
        "language": sample.language,
        "modality": sample.modality,
        "text": sample.text,
        "source": sample_to_dict(sample).get("source", {}),
        "parallel_group": sample.parallel_group,
        "split_group": sample.group,
        "split": split,
        "meta": dict(sample.meta),
        "state": "new" if sample.events is None else "reviewed",
        "source_name": (sample.source.name or "")[:200] or None,
        "published": day_of(sample.source.published),
        "shuffle": shuffle_of(sample.id),
    }


def media_row(sample_key: int, media: Media) -> dict[str, Any]:
    """The row of one medium of a sample."""
    return {
        "sample_id": sample_key, "name": media.id, "kind": media.kind, "path": media.path,
        "sha256": media.sha256, "meta": dict(media.meta),
    }  # fmt: skip


def to_sample(
    row: SampleRow, media: Sequence[MediaRow], events: tuple[Event, ...] | None
) -> Sample:
    """The sample that a row stands for."""
    known = ("url", "name", "licence", "published")
    return Sample(
        id=row.external_id,
        language=row.language,
        modality=cast(Any, row.modality),
        text=row.text,
        media=tuple(Media(m.name, cast(Any, m.kind), m.path, m.sha256, m.meta) for m in media),
        source=Source(
            **{k: row.source.get(k) for k in known},
            meta={k: v for k, v in row.source.items() if k not in known},
        ),
        parallel_group=row.parallel_group,
        split=cast(Any, row.split),
        meta=row.meta,
        events=events,
    )


def _mention_row(
    event_id: int, position: int, m: Mention, *, argument: Argument | None = None
) -> dict[str, Any]:
    x, y, width, height = m.box or (None, None, None, None)
    begin, end = m.range or (None, None)
    return {
        "event_id": event_id, "position": position, "kind": m.kind, "text": m.text,
        "role": argument.role if argument else None,
        "role_confidence": argument.confidence if argument else None,
        "start": m.start, "end": m.end, "fragments": [list(f) for f in m.fragments],
        "media": m.media, "page": m.page, "x": x, "y": y, "width": width, "height": height,
        "range_start": begin, "range_end": end, "keyframes": [list(k) for k in m.keyframes],
        "entity_kind": m.entity_kind, "confidence": m.confidence, "meta": dict(m.meta),
    }  # fmt: skip


def _event(row: Any, mentions: Sequence[Any]) -> Event:
    trigger = next((_mention(m) for m in mentions if m.role is None), None)
    arguments = tuple(
        Argument(m.role, _mention(m), m.role_confidence) for m in mentions if m.role is not None
    )
    return Event(row.event_type, trigger, arguments, row.confidence, row.meta)


def _mention(row: Any) -> Mention:
    box = None
    if row.x is not None:
        box = (row.x, cast(float, row.y), cast(float, row.width), cast(float, row.height))
    time = None
    if row.range_start is not None:
        time = (row.range_start, cast(float, row.range_end))
    return Mention(
        text=row.text, start=row.start, end=row.end,
        fragments=tuple((f[0], f[1]) for f in row.fragments), media=row.media, page=row.page,
        box=box, range=time, keyframes=cast(Any, tuple(tuple(k) for k in row.keyframes)),
        entity_kind=row.entity_kind, confidence=row.confidence, meta=row.meta,
    )  # fmt: skip
