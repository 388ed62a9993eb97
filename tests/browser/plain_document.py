"""A plain model of the review document: lists and dicts, and nothing of the product's own code.

A document is {no_event, override, events}; an event has a type, a trigger (a slot or None) and
arguments (slots); a slot has a role, pieces ([[start, end], …] in code points, none where its words
were not found), words and a kind. Both say where they come from, what was decided and why. A part of
an event is "" (the event), "t" (its trigger) or the number of an argument.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from copy import deepcopy
from typing import Any

from tests.browser.plain_text import join

Item = dict[str, Any]  # an event or a slot
Doc = dict[str, Any]
Part = str | int
OWN = {"id": "own", "origin": "person", "decision": "accepted", "reason": None, "confidence": None, "was": None}  # fmt: skip


def is_live(item: Item | None) -> bool:
    """Whether an item is there and not rejected."""
    return item is not None and item["decision"] != "rejected"


def own_slot(role: str | None, pieces: Sequence[Any], words: str | None, kind: Any = None) -> Item:
    """A slot of a person's own."""
    return {**OWN, "role": role, "pieces": list(pieces), "words": words, "kind": kind}


def own(item: Item) -> Item:
    """A copy of an item as a person's own."""
    return {**deepcopy(item), **OWN}


def place_of(slot: Item) -> Any:
    """Where a slot's words lie, or which words were found nowhere."""
    return slot["pieces"] or slot["words"]


def said_by(slot: Item) -> Any:
    """What an argument says: its role and its place."""
    return slot["role"], place_of(slot)


def _settle(slot: Item) -> Item:
    """The slot after an edit: accepted where it is as it was suggested, else edited."""
    role, place = slot["was"] or (slot["role"], place_of(slot))
    reason = "boundary" if place_of(slot) != place else "role" if slot["role"] != role else None
    return slot | {"decision": "edited" if reason else "accepted", "reason": reason}


def _take(slot: Item | None, wanted: Item) -> Item:
    """A slot that says what another says."""
    said = {key: deepcopy(wanted[key]) for key in ("role", "pieces", "words", "kind")}
    return own(wanted) if slot is None else _settle(slot | said)


def _drop(slot: Item | None) -> Item | None:
    """A slot that is not wanted: gone where it is a person's own, else rejected."""
    if slot is None or slot["origin"] == "person":
        return None
    return slot | {"decision": "rejected", "reason": slot["reason"] or "other"}


def _slot_at(event: Item, part: Part) -> tuple[Any, Any]:
    """The container and the key of a slot."""
    return (event["arguments"], part) if isinstance(part, int) else (event, "trigger")


# ---------------------------------------------------------------- what a person does


class Plain:
    """A document and every state it had: each edit that changes something is a new state."""

    def __init__(self, text: str, schema: dict[str, dict[str, bool]], opened: Doc) -> None:
        self.text = text
        self.schema = schema  # {type: {role: takes several}}
        self.states = [opened]
        self.at = 0

    @property
    def doc(self) -> Doc:
        """The document as it is now."""
        return self.states[self.at]

    @property
    def events(self) -> list[Item]:
        """Its events."""
        return self.doc["events"]  # type: ignore[no-any-return]

    def part(self, i: int, part: Part) -> Item | None:
        """The item that a part of event `i` names, or None."""
        where, key = _slot_at(self.events[i], part)
        return self.events[i] if part == "" else where[key]

    @contextmanager
    def edit(self) -> Iterator[Doc]:
        """A copy to alter; an event after all takes "no event" back."""
        doc = deepcopy(self.doc)
        yield doc
        doc["no_event"] = doc["no_event"] and not any(map(is_live, doc["events"]))
        if doc != self.doc:
            self.states[self.at + 1 :] = [doc]
            self.at += 1

    def step(self, by: int) -> None:
        """Undo (-1) or redo (1), where there is something to."""
        self.at = max(0, min(len(self.states) - 1, self.at + by))

    # ------------------------------------------------------------ slots

    def _place(self, slot: Item | None, pieces: Sequence[Any]) -> Item:
        pieces = join(pieces)
        words = " ".join(self.text[a:b] for a, b in pieces)
        return _settle({**(slot or own_slot(None, [], None)), "pieces": pieces, "words": words})

    def put(self, i: int, part: Part, pieces: Sequence[Any]) -> None:
        """Put pieces into a slot that is there, or into the trigger."""
        with self.edit() as doc:
            where, key = _slot_at(doc["events"][i], part)
            where[key] = self._place(where[key], pieces)

    def put_role(self, i: int, role: str, pieces: Sequence[Any]) -> None:
        """Give an event an argument: one that has these pieces already, or the only one, is used."""
        with self.edit() as doc:
            event = doc["events"][i]
            slots = event["arguments"]
            known = [n for n, a in enumerate(slots) if a["role"] == role]
            used = [n for n in known if slots[n]["pieces"] == join(pieces)]
            if not used and not self.schema[event["event_type"]][role]:
                used = [n for n in known if is_live(slots[n])]
            if not used:
                slots.append(own_slot(role, [], None))
            n = used[0] if used else -1
            slots[n] = self._place(slots[n], pieces)

    def set_role(self, i: int, part: int, role: str) -> None:
        """Give an argument another role."""
        with self.edit() as doc:
            slots = doc["events"][i]["arguments"]
            slots[part] = _settle(slots[part] | {"role": role})

    def set_kind(self, i: int, part: int, kind: str | None) -> None:
        """Say what kind of thing an argument is; that accepts it."""
        with self.edit() as doc:
            slot = doc["events"][i]["arguments"][part]
            slot["kind"] = kind
            if slot["decision"] == "open":
                slot["decision"] = "accepted"

    # ------------------------------------------------------------ decisions

    def accept(self, i: int, part: Part) -> None:
        """Accept a slot, or an event with all in it that is undecided."""
        with self.edit() as doc:
            event = doc["events"][i]
            if part == "":
                self._type(event, event["event_type"])
                for slot in filter(None, [event["trigger"], *event["arguments"]]):
                    if slot["decision"] == "open":
                        slot |= {"decision": "accepted", "reason": None}
                return
            where, key = _slot_at(event, part)
            if where[key]["decision"] in ("open", "rejected"):
                where[key] = _settle(where[key])

    def accept_all(self, threshold: float) -> None:
        """Accept all that is undecided and sure enough."""
        with self.edit() as doc:
            for event in filter(is_live, doc["events"]):
                for item in filter(None, [event, event["trigger"], *event["arguments"]]):
                    sure = item["confidence"] is None or item["confidence"] >= threshold
                    if item["decision"] == "open" and sure:
                        item |= {"decision": "accepted", "reason": None}

    def _reject(self, doc: Doc, i: int, part: Part, reason: str | None) -> None:
        event = doc["events"][i]
        where, key = _slot_at(event, part)
        item = event if part == "" else where[key]
        if item["origin"] != "person":
            item |= {"decision": "rejected", "reason": reason}
        elif part == "":
            del doc["events"][i]
        elif part == "t":
            event["trigger"] = None
        else:
            del event["arguments"][part]

    def reject(self, i: int, part: Part, reason: str | None) -> None:
        """Reject, then say why; what is a person's own goes, and needs no reason."""
        item = self.part(i, part)
        assert item is not None
        stays = item["origin"] != "person"
        with self.edit() as doc:
            self._reject(doc, i, part, item["reason"])
        if stays and reason:
            with self.edit() as doc:
                self._reject(doc, i, part, reason)

    def toggle_no_event(self) -> None:
        """Say that nothing happens here, or take that back."""
        with self.edit() as doc:
            doc["no_event"] = not doc["no_event"]
            if doc["no_event"]:
                doc["events"] = [e for e in doc["events"] if e["origin"] != "person"]
                for event in filter(is_live, doc["events"]):
                    event |= {"decision": "rejected", "reason": "hallucinated"}

    # ------------------------------------------------------------ events

    def _type(self, event: Item, name: str) -> None:
        edited = event["was"] not in (None, name)
        event |= {"event_type": name, "decision": "edited" if edited else "accepted",
                  "reason": "type" if edited else None}  # fmt: skip

    def set_type(self, i: int, name: str) -> None:
        """Give an event another type; its arguments stay, with roles that may not be the type's."""
        with self.edit() as doc:
            self._type(doc["events"][i], name)

    def add(self, name: str, pieces: Sequence[Any]) -> None:
        """A new event, with a trigger where something is selected."""
        trigger = self._place(own_slot(None, [], None), pieces) if pieces else None
        event = {**OWN, "event_type": name, "trigger": trigger, "arguments": []}
        with self.edit() as doc:
            doc["events"].append(event)

    def _own_event(self, event: Item, arguments: Sequence[Item]) -> Item:
        trigger = own(event["trigger"]) if is_live(event["trigger"]) else None
        return {**own(event), "trigger": trigger, "arguments": [own(a) for a in arguments]}

    def duplicate(self, i: int) -> None:
        """A copy of what is not rejected, at the end."""
        copy = self._own_event(self.events[i], list(filter(is_live, self.events[i]["arguments"])))
        with self.edit() as doc:
            doc["events"].append(copy)

    def split(self, i: int, part: Part) -> None:
        """A new event of the same type and trigger, which takes the argument along."""
        with self.edit() as doc:
            event = deepcopy(doc["events"][i])
            moved = [event["arguments"][part]] if isinstance(part, int) else []
            if moved:
                self._reject(doc, i, part, "other")
            doc["events"].append(self._own_event(event, moved))

    def merge(self, i: int) -> None:
        """Give the live event above what it lacks of this one, and reject this one as a duplicate."""
        above = [n for n in range(i) if is_live(self.events[n])]
        if not above:
            return
        with self.edit() as doc:
            upper, lower = doc["events"][above[-1]], doc["events"][i]
            if not is_live(upper["trigger"]) and is_live(lower["trigger"]):
                upper["trigger"] = _take(upper["trigger"], lower["trigger"])
            known = [said_by(a) for a in upper["arguments"] if is_live(a)]
            upper["arguments"] += [
                own(a) for a in lower["arguments"] if is_live(a) and said_by(a) not in known
            ]
            self._reject(doc, i, "", "duplicate")

    # ------------------------------------------------------------ whole opinions

    def take_offer(self, offered: Doc) -> None:
        """Add the events of a suggestion whose type and trigger the document does not have."""

        def sign(event: Item) -> Any:
            trigger = event["trigger"]
            rest = place_of(trigger) if trigger else [said_by(a) for a in event["arguments"]]
            return event["event_type"], bool(trigger), rest

        known = [sign(e) for e in self.events]
        new = [deepcopy(e) for e in offered["events"] if sign(e) not in known]
        with self.edit() as doc:
            doc |= {"events": doc["events"] + new, "suggestion": offered["suggestion"]}

    def restore(self, events: Sequence[Item]) -> None:
        """Take a version instead of all there is."""
        with self.edit() as doc:
            doc |= {"events": deepcopy(list(events)), "no_event": not events}

    def take_opinion(self, i: int | None, chosen: Item | None) -> None:
        """Let event `i` say what another opinion says; without the one or the other, add or reject."""
        with self.edit() as doc:
            if chosen is None:
                if i is not None:
                    self._reject(doc, i, "", "other")
                return
            if i is None:
                doc["events"].append(self._own_event(chosen, chosen["arguments"]))
                return
            event, wanted, found = doc["events"][i], list(chosen["arguments"]), {}
            for is_same in (
                lambda a, b: said_by(a) == said_by(b),
                lambda a, b: a["role"] == b["role"] and is_live(a),
            ):
                for n, slot in enumerate(event["arguments"]):
                    match = next((w for w in wanted if n not in found and is_same(slot, w)), None)
                    if match is not None:
                        wanted.remove(match)
                        found[n] = match
            self._type(event, chosen["event_type"])
            event["trigger"] = (
                _take(event["trigger"], chosen["trigger"]) if chosen["trigger"]
                else _drop(event["trigger"])
            )  # fmt: skip
            kept = [
                _take(slot, found[n]) if n in found else _drop(slot)
                for n, slot in enumerate(event["arguments"])
            ]
            event["arguments"] = [a for a in kept if a] + [own(w) for w in wanted]
