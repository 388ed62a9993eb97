"""The typed difference between suggested and decided events: one entry a correction.

Kinds: event_added, event_removed, type_changed, trigger_added, trigger_removed, trigger_moved,
argument_added, argument_removed, argument_moved, role_changed. `event` counts suggested events and
`decided` the decided ones, both from 0; `reason` is a code of `core.review.REASONS`, where given.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from core.boxes import clip
from core.events import Argument, Event, Mention
from core.review import ReviewDocument, place_of, reasons_of

Entry = dict[str, Any]
Links = tuple[tuple[int | None, int | None], ...]


@dataclass(frozen=True, slots=True)
class Pair:
    """What became of an event: its two numbers (None: there is none), and its arguments' numbers."""

    suggested: int | None
    decided: int | None
    arguments: Links = ()


def difference(
    suggested: Sequence[Event],
    decided: Sequence[Event],
    *,
    pairs: Sequence[Pair] | None = None,
    reasons: Mapping[str, str] | None = None,
) -> list[Entry]:
    """Every correction, in the order of the suggested events, added events last.

    Without `pairs` events are matched by identity, then trigger, then type and what they share.
    `reasons` are by item id (`s0`, `s0.t`, `s0.a1`).
    """
    found: list[Entry] = []
    reasons = reasons or {}
    for pair in match_events(suggested, decided) if pairs is None else pairs:
        old = None if pair.suggested is None else suggested[pair.suggested]
        new = None if pair.decided is None else decided[pair.decided]
        if old is None and new is not None:
            found.append(_whole("event_added", pair, new, None))
        elif old is not None and new is None:
            found.append(_whole("event_removed", pair, old, reasons.get(f"s{pair.suggested}")))
        elif old is not None and new is not None:
            found += _changes(pair, old, new, reasons)
    return found


def difference_of(
    document: ReviewDocument, suggested: Sequence[Event], decided: Sequence[Event]
) -> list[Entry]:
    """The difference as the document records it: `decided` are its live events, in its order."""
    pairs: dict[int, Pair] = {i: Pair(i, None) for i in range(len(suggested))}
    added: list[Pair] = []
    for number, item in enumerate(e for e in document.events if e.is_live):
        index = _index(item.id, r"s(\d+)", len(suggested))
        if index is None or pairs[index].decided is not None:
            added.append(Pair(None, number))
            continue
        count = len(suggested[index].arguments)
        links: dict[int, tuple[int | None, int | None]] = {a: (a, None) for a in range(count)}
        fresh: list[tuple[int | None, int | None]] = []
        for at, slot in enumerate(s for s in item.arguments if s.is_live):
            origin = _index(slot.id, rf"s{index}\.a(\d+)", count)
            if origin is None or links[origin][1] is not None:
                fresh.append((None, at))
            else:
                links[origin] = (origin, at)
        pairs[index] = Pair(index, number, (*links.values(), *fresh))
    return difference(
        suggested, decided, pairs=[*pairs.values(), *added], reasons=reasons_of(document)
    )


def match_events(suggested: Sequence[Event], decided: Sequence[Event]) -> list[Pair]:
    """Which decided event each suggested one became; each is used once."""
    tests: list[Callable[[Event, Event], bool]] = [
        lambda a, b: a.identity == b.identity,
        lambda a, b: a.event_type == b.event_type and _same(a.trigger, b.trigger) and _share(a, b),
        lambda a, b: a.event_type == b.event_type and _same(a.trigger, b.trigger),
        lambda a, b: a.trigger is not None and _same(a.trigger, b.trigger),
        lambda a, b: a.event_type == b.event_type and _overlap(a.trigger, b.trigger),
        lambda a, b: a.event_type == b.event_type and _share(a, b),
    ]
    links = _match(suggested, decided, tests)
    return [
        Pair(i, j, () if i is None or j is None else _match_arguments(suggested[i], decided[j]))
        for i, j in links
    ]


# ---------------------------------------------------------------- private


def _changes(pair: Pair, old: Event, new: Event, reasons: Mapping[str, str]) -> list[Entry]:
    ident = f"s{pair.suggested}"
    at = {"event": pair.suggested, "decided": pair.decided}
    found: list[Entry] = []

    def add(kind: str, item: str, **values: Any) -> None:
        reason = reasons.get(item)
        found.append({"kind": kind, **at, **values} | ({"reason": reason} if reason else {}))

    if old.event_type != new.event_type:
        add("type_changed", ident, **{"from": old.event_type, "to": new.event_type})
    if not _same(old.trigger, new.trigger):
        kind = (
            "trigger_added" if old.trigger is None
            else "trigger_removed" if new.trigger is None else "trigger_moved"
        )  # fmt: skip
        add(kind, f"{ident}.t", **_move(old.trigger, new.trigger))
    for i, j in pair.arguments:
        before = None if i is None else old.arguments[i]
        after = None if j is None else new.arguments[j]
        item = f"{ident}.a{i}"
        if before is None and after is not None:
            add("argument_added", item, role=after.role, **_move(None, after.mention))
        elif before is not None and after is None:
            add("argument_removed", item, role=before.role, **_move(before.mention, None))
        elif before is not None and after is not None:
            if before.role != after.role:
                add("role_changed", item, **{"from": before.role, "to": after.role})
            if not _same(before.mention, after.mention):
                move = _move(before.mention, after.mention)
                add("argument_moved", item, role=after.role, **move)
    return found


def _whole(kind: str, pair: Pair, event: Event, reason: str | None) -> Entry:
    entry: Entry = {
        "kind": kind, "event": pair.suggested, "decided": pair.decided,
        "event_type": event.event_type, "trigger": place_of(event.trigger),
        "arguments": len(event.arguments),
    }  # fmt: skip
    return entry | ({"reason": reason} if reason else {})


def _move(old: Mention | None, new: Mention | None) -> Entry:
    return {"from": place_of(old), "to": place_of(new)}


def _index(ident: str, pattern: str, count: int) -> int | None:
    found = re.fullmatch(pattern, ident)
    number = int(found[1]) if found and len(found[1]) < 6 else count
    return number if number < count else None


def _match_arguments(old: Event, new: Event) -> Links:
    tests: list[Callable[[Argument, Argument], bool]] = [
        lambda a, b: a.role == b.role and _same(a.mention, b.mention),
        lambda a, b: _same(a.mention, b.mention),
        lambda a, b: a.role == b.role and _overlap(a.mention, b.mention),
    ]
    return tuple(_match(old.arguments, new.arguments, tests))


def _match(
    left: Sequence[Any], right: Sequence[Any], tests: Iterable[Callable[[Any, Any], bool]]
) -> list[tuple[int | None, int | None]]:
    links: dict[int, int] = {}
    for test in tests:
        for i, a in enumerate(left):
            if i not in links:
                free = (j for j in range(len(right)) if j not in links.values())
                j = next((j for j in free if test(a, right[j])), None)
                if j is not None:
                    links[i] = j
    used = set(links.values())
    return [(i, links.get(i)) for i in range(len(left))] + [
        (None, j) for j in range(len(right)) if j not in used
    ]


def _same(a: Mention | None, b: Mention | None) -> bool:
    """Whether both lie at the same place, and in a range have the same boxes."""
    if a is None or b is None:
        return a is b
    return (a.place, a.keyframes) == (b.place, b.keyframes)


def _overlap(a: Mention | None, b: Mention | None) -> bool:
    if a is None or b is None:
        return a is b
    if (a.media, a.page) != (b.media, b.page):
        return False
    if a.range and b.range:
        return a.range[0] < b.range[1] and b.range[0] < a.range[1]
    if a.box and b.box:
        return clip(a.box, b.box) is not None
    if a.start is None or b.start is None or a.end is None or b.end is None:
        return False
    return a.start < b.end and b.start < a.end


def _share(a: Event, b: Event) -> bool:
    return bool({x.mention.place for x in a.arguments} & {x.mention.place for x in b.arguments})
