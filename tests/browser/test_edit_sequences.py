"""Random edit sequences on the workbench's own document, against a plain model of it.

State, undo and redo, the draft, the stored rows and what an export brings back agree after each.
"""

from __future__ import annotations

import itertools
import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from playwright.sync_api import Browser, Page

from core.events import Argument, Event, Mention
from core.review import REASONS, document_of_events, events_of_document, read_document
from core.samples import Sample
from core.schema import EventType, Role, Schema, check_events
from core.workflow import export_lines, import_file
from pages._ui import desk, desk_data
from pages._ui.workbench import read_script
from storage.database import sqlite_path
from storage.home import Home
from storage.store import Store, open_store
from tests.browser.plain_document import Doc, Part, Plain, cut, is_live, move_edge, snap

pytestmark = pytest.mark.browser

TEXTS = [
    ("zh", "😀昨天，𠮷田电信在马德里推出了5G服务，袭击之后又是袭击。👩‍👩‍👧\r\n第二行\t完。"),
    ("ru", "Во вторник «Яндекс» запустил в Москве новый сервис\r\nдоставки\tеды 🇷🇺."),
    ("es", "El martes cafe\u0301 Ñandú lanzó\ten Madrid un servicio 5G 👍🏽.\r\n\r\nDespués atacó otra vez."),
    ("en", "Acme cafe\u0301 launched, and launched again, in New York \U0001d49c.\u200b"),
    ("ar", "أطلقت شركة أكمي خدمةً جديدة في مدريد 👨‍👩‍👦، ثم هاجمت\r\nالسُّوق\tمن جديد."),
]  # fmt: skip
KINDS = ("person", "company")
SCHEMA = Schema(
    (
        EventType("launch", roles=(
            Role("agent", required=True, multiple=False, entity_kinds=KINDS), Role("product"), Role("place", multiple=False),
        )),
        EventType("attack", roles=(Role("agent", entity_kinds=KINDS), Role("target"))),
        EventType("rain"),
    )
)  # fmt: skip
TYPES = [t.name for t in SCHEMA.types]

# Mounts the workbench as Streamlit does, and does what keys do. A part is "", "t" or a number.
_DRIVER = """async script => {
  const M = await import(URL.createObjectURL(new Blob([script], {type: 'text/javascript'})));
  let parent, stop, B, unit, sent = [];
  const show = (data) => {
    stop = M.default({ data, parentElement: parent, setTriggerValue: (...message) => sent.push(message) });
    B = M.benches.get(parent.firstElementChild);
    B.byWord = unit;
  };
  const partOf = (event, part) => (typeof part === 'number' ? `a:${event.arguments[part].id}` : part);
  const state = () => ({
    doc: B.doc, undo: B.undo.length, redo: B.redo.length, sign: B.el.saved.textContent,
    rev: B.rev, offer: !!B.offer, sent: sent.splice(0),
  });
  Object.assign(window, {
    start(data, byWord, forget) {
      unit = byWord;
      stop?.(); parent?.remove();
      if (forget) localStorage.clear();
      sent = [];
      parent = document.body.appendChild(document.createElement('div'));
      parent.append(Object.assign(document.createElement('div'), { className: 'argus-wb' }));
      show(data);
      return state();
    },
    tell(data) { show(data); return state(); },
    act({ action, event, part, select, choose, threshold, call = [], times = 1 }) {
      B.armed = null;
      B.focus = event == null ? null : { event: B.doc.events[event].id, part: partOf(B.doc.events[event], part) };
      const range = select && M.snapRange(B.T, select[0], select[1], B.byWord);
      if (select && !range) return state();
      B.sel = range && { a: range[0], b: range[1] };
      if (threshold != null) B.el.threshold.value = String(threshold);
      for (let n = 0; n < times; n++) (M.ACTIONS[action] ?? ((of) => of[action](...call)))(B);
      if (choose != null) B.el.window.querySelectorAll('li')[choose]?.click();
      M.closeWindow(B);
      return state();
    },
    opinion(event, chosen) { B.change(M.takeOpinion(B.doc, B.doc.events[event] ?? null, chosen)); return state(); },
    restore(events) { B.change(M.restoreEvents(B.doc, events)); return state(); },
    candidates(words) { return M.findCandidates(B.T, words).map(({ a, b }) => [B.T.point(a), B.T.point(b)]); },
    rules() { return M.violationsOf(B.doc, B.types).map((v) => [B.doc.events.filter(M.isLive).findIndex((e) => e.id === v.event), v.kind, v.role]); },
    submit(why) {
      B.submit();
      const field = B.el.window.querySelector('textarea');
      if (field) { field.value = why; B.el.window.querySelector('.strong').click(); }
      return state();
    },
  });
}"""
_EXPORTED = (
    "benches, ACTIONS, snapRange, closeWindow, takeOpinion, restoreEvents, findCandidates, violationsOf, "
    "isLive"
)

# What Hypothesis draws knows no text: numbers are taken modulo what there is.
_NUMBER = st.integers(0, 99)
_MENTIONS = st.tuples(
    _NUMBER, st.integers(1, 4), st.sampled_from(["span", "span", "pieces", "lost"])
)
_EVENTS = st.lists(
    st.tuples(
        _NUMBER, st.none() | _MENTIONS, st.lists(st.tuples(_NUMBER, _MENTIONS), max_size=3),
        st.sampled_from([0.2, 0.6, 0.95]),
    ),
    min_size=1,
    max_size=4,
)  # fmt: skip
_SELECTIONS = st.tuples(_NUMBER, st.integers(1, 12))
_EMPTY = {"no_event": False, "override": None, "suggestion": None}


def make_events(text: str, drawn: list[Any], *, sure: bool) -> tuple[Event, ...]:
    """Events at what was drawn, with a model's confidence where `sure`."""
    characters = cut(text, by_word=False)

    def mention(number: int, length: int, how: str, confidence: float) -> Mention:
        if how == "lost":
            return Mention(text=f"потеряно {number % 3}", confidence=confidence if sure else None)
        first = number % (len(characters) - 6)
        a, b = characters[first][0], characters[first + length - 1][1]
        pieces = ((a, b), characters[first + length + 1]) if how == "pieces" else ((a, b),)
        return Mention(
            text=" ".join(text[x:y] for x, y in pieces), start=a, end=pieces[-1][1],
            fragments=pieces if how == "pieces" else (), confidence=confidence if sure else None,
        )  # fmt: skip

    found = []
    for number, trigger, arguments, confidence in drawn:
        kind = SCHEMA.types[number % len(SCHEMA.types)]
        placed = tuple(
            Argument(
                kind.roles[n % len(kind.roles)].name, mention(*m, confidence), 0.8 if sure else None
            )
            for n, m in arguments
            if kind.roles
        )
        head = mention(*trigger, confidence) if trigger else None
        found.append(Event(kind.name, head, placed, confidence if sure else None))
    return tuple(found)


def plain_document(document: Doc) -> Doc:
    """A document of the browser or the store as the plain model has it."""

    def pieces(slot: Doc) -> list[Any]:
        return slot["fragments"] or ([[slot["start"], slot["end"]]] if slot["start"] is not None else [])  # fmt: skip

    def item(of: Doc, was: Any) -> Doc:
        kept = {key: of[key] for key in ("origin", "decision", "reason", "confidence")}
        return {"id": "own" if of["origin"] == "person" else of["id"], "was": was, **kept}

    def slot(of: Doc) -> Doc:
        sure = [c for c in (of["confidence"], of["role_confidence"]) if c is not None]
        was = of["suggested"]
        was = was and [was["role"], pieces(was) or was["text"]]
        return item(of, was) | {
            "confidence": min(sure, default=None), "role": of["role"], "pieces": pieces(of),
            "words": of["text"], "kind": of["kind"],
        }  # fmt: skip

    events = [
        item(e, e["suggested"] and e["suggested"]["event_type"])
        | {"event_type": e["event_type"], "trigger": e["trigger"] and slot(e["trigger"]),
           "arguments": [slot(a) for a in e["arguments"]]}
        for e in document["events"]
    ]  # fmt: skip
    return {k: document[k] for k in ("no_event", "override", "suggestion")} | {"events": events}


def plain_rows(doc: Doc) -> list[tuple[Any, ...]]:
    """What SQLite must hold of a document: a row a mention, at least one an event."""
    rows: list[tuple[Any, ...]] = []
    for n, event in enumerate(filter(is_live, doc["events"])):
        slots = [s for s in (event["trigger"], *event["arguments"]) if is_live(s)]
        for s in slots:
            at = [s["pieces"][0][0], s["pieces"][-1][1]] if s["pieces"] else [None, None]
            several = s["pieces"] if len(s["pieces"]) > 1 else []
            rows.append((n, event["event_type"], s["role"], s["words"], *at, several, s["kind"]))
        rows += [] if slots else [(n, event["event_type"], *[None] * 4, [], None)]
    return rows


_ROWS = """
  SELECT event.position, event_type, role, text, start, "end", fragments, entity_kind
  FROM event LEFT JOIN mention ON event_id = event.id WHERE review_id = ?
  ORDER BY event.position, mention.position
"""


class Editing(RuleBasedStateMachine):
    """One sample from opening to re-import, in the browser and in the plain model."""

    page: Page
    store: Store
    database: sqlite3.Connection
    numbers = itertools.count()
    finished = 0
    agrees = False
    chosen = 0

    @initialize(
        text=st.sampled_from(TEXTS),
        drawn=_EVENTS,
        by_word=st.booleans(),
        suggested=st.sampled_from([True, True, False]),
    )
    def open_sample(
        self, text: tuple[str, str], drawn: list[Any], by_word: bool, suggested: bool
    ) -> None:
        self.language, self.text = text
        self.by_word = by_word and self.language != "zh"  # words without spaces are ICU's affair
        self.collection = f"c{next(self.numbers)}"
        found = self.store.collections.create(self.collection, SCHEMA)
        sample = Sample("s", self.language, "text", self.text)
        (self.key,) = self.store.samples.add(found.id, [sample], schema_number=1)
        self.drawn = drawn
        if suggested:
            self.suggest()
        self.sent: list[Any] = []
        self.start(forget=True)
        self.model_from_page()

    # ------------------------------------------------------------ the page and the server

    def suggest(self) -> None:
        self.store.samples.add_suggestion(
            self.key, make_events(self.text, self.drawn, sure=True), model_id="m", raw_reply="[]",
            prompt_version="full.v1", schema_number=1, decoding={}, seconds=0.1,
        )  # fmt: skip

    def data(self, done: tuple[str, ...] = ()) -> Doc:
        """What Streamlit would give the workbench now."""
        is_done = self.store.samples.get(self.key).state == "reviewed"
        return {
            "words": {}, "person": "Ana", "session": "s", "language": "en", "done": done,
            "open": None if is_done else desk_data.sample_data(self.store, self.key, person="Ana"),
            "next": None, "previous": None, "suggesting": {"state": "none"}, "problems": [],
            "schema": desk_data.schema_data(SCHEMA), "side": {}, "queue": {"choices": []},
            "filter": {"queue": "", "language": "", "unreviewed": True, "languages": []},
            "progress": {"reviewed": 0, "total": 1},
        }  # fmt: skip

    def ask(self, name: str, *given: Any) -> Any:
        """What a function of the driver answers; as text, since Playwright is slow with objects."""
        call = "([name, given]) => JSON.stringify(window[name](...JSON.parse(given)))"
        return json.loads(self.page.evaluate(call, [name, json.dumps(given)]))

    def take(self, name: str, *given: Any) -> None:
        """Let the driver do something, and see what there is after it."""
        self.shown = self.ask(name, *given)
        self.sent += self.shown["sent"]

    def start(self, *, forget: bool) -> None:
        self.take("start", self.data(), self.by_word, forget)

    def act(self, action: str, i: int | None = None, part: Part = "", **more: Any) -> None:
        self.take("act", {"action": action, "event": i, "part": part, **more})

    def server_takes(self) -> tuple[str, ...]:
        """The desk deals with what was sent; the ids of it."""
        sent, self.sent = self.sent, []
        for kind, message in sent:
            value = {k: v for k, v in message.items() if k not in ("id", "at", "from")}
            if kind == "draft":
                desk.keep_draft(self.store, value, person="Ana")
            elif kind == "submit":
                desk.submit_review(self.store, value, person="Ana")
        return tuple(message["id"] for _, message in sent)

    def deliver(self) -> None:
        while self.sent:
            self.take("tell", self.data(self.server_takes()))

    def model_from_page(self) -> None:
        schema = {t.name: {r.name: r.multiple for r in t.roles} for t in SCHEMA.types}
        self.plain = Plain(self.text, schema, plain_document(self.shown["doc"]))

    # ------------------------------------------------------------ what the rules choose from

    @property
    def events(self) -> list[Doc]:
        return self.plain.events

    def choose_event(self, number: int) -> int:
        """An event, every other time the one that was chosen before."""
        if number % 2 or self.chosen >= len(self.events):
            self.chosen = number // 2 % len(self.events)
        return self.chosen

    def choose(self, number: int, *, slots: bool = True) -> tuple[int, Part]:
        """An event and a part of it."""
        event = self.events[self.choose_event(number)]
        parts: list[Part] = [*range(len(event["arguments"])), *["t"] * bool(event["trigger"])]
        parts = parts if slots and parts else ["", *parts]
        return self.chosen, parts[number // 8 % len(parts)]

    def select(self, at: tuple[int, int]) -> tuple[list[int], list[list[int]]]:
        """A drawn selection in UTF-16 units, and the piece that it becomes."""
        units = len(self.text.encode("utf-16-le")) // 2
        start = at[0] % units
        end = min(units, start + at[1])
        return [start, end], snap(self.text, start, end, by_word=self.by_word)

    # ------------------------------------------------------------ what a person does

    @rule(name=st.sampled_from(TYPES), at=st.none() | _SELECTIONS)
    def add_an_event(self, name: str, at: tuple[int, int] | None) -> None:
        units, pieces = self.select(at) if at else (None, [])
        if units and not pieces:
            return
        self.act("new", select=units, choose=TYPES.index(name))
        self.plain.add(name, pieces)

    @precondition(lambda self: self.events)
    @rule(number=_NUMBER, at=_SELECTIONS)
    def fill_a_role(self, number: int, at: tuple[int, int]) -> None:
        i = self.choose_event(number)
        event = self.events[i]
        roles = list(self.plain.schema[event["event_type"]])
        units, pieces = self.select(at)
        self.act("digit", i, select=units, call=[number % 3 + 1])
        if pieces and is_live(event) and number % 3 < len(roles):
            self.plain.put_role(i, roles[number % 3], pieces)

    @precondition(lambda self: self.events)
    @rule(number=_NUMBER, at=_SELECTIONS)
    def put_words_into_a_slot(self, number: int, at: tuple[int, int]) -> None:
        i, part = self.choose(number)
        units, pieces = self.select(at)
        self.act("put", i, part, select=units)
        if pieces and is_live(self.events[i]) and (part != "" or not self.events[i]["trigger"]):
            self.plain.put(i, "t" if part == "" else part, pieces)

    @precondition(lambda self: self.events)
    @rule(number=_NUMBER, at=_SELECTIONS)
    def add_a_fragment(self, number: int, at: tuple[int, int]) -> None:
        i, part = self.choose(number)
        slot = self.plain.part(i, part)
        units, pieces = self.select(at)
        self.act("fragment", i, part, select=units)
        if part != "" and slot and slot["pieces"] and pieces and is_live(self.events[i]):
            self.plain.put(i, part, slot["pieces"] + pieces)

    @precondition(lambda self: self.events)
    @rule(number=_NUMBER, edge=st.sampled_from(["start", "end"]), by=st.sampled_from([-1, 1]))
    def move_an_edge(self, number: int, edge: str, by: int) -> None:
        i, part = self.choose(number)
        slot = self.plain.part(i, part)
        self.act(f"{edge}_{'right' if by > 0 else 'left'}", i, part)
        if part != "" and slot and slot["pieces"]:
            pieces, at = list(slot["pieces"]), 0 if edge == "start" else -1
            pieces[at] = move_edge(self.text, pieces[at], edge, by, by_word=self.by_word)
            if pieces != slot["pieces"]:
                self.plain.put(i, part, pieces)

    @precondition(lambda self: self.events)
    @rule(number=_NUMBER, slots=st.booleans())
    def accept(self, number: int, slots: bool) -> None:
        i, part = self.choose(number, slots=slots)
        self.act("accept", i, part)
        self.plain.accept(i, part)

    @rule(threshold=st.sampled_from([0, 0.5, 0.7, 0.9]))
    def accept_all(self, threshold: float) -> None:
        self.act("accept_all", threshold=threshold)
        self.plain.accept_all(threshold)

    @precondition(lambda self: self.events)
    @rule(number=_NUMBER, slots=st.booleans(), reason=st.none() | st.sampled_from(REASONS))
    def reject(self, number: int, slots: bool, reason: str | None) -> None:
        i, part = self.choose(number, slots=slots)
        self.act("reject", i, part, choose=REASONS.index(reason) if reason else None)
        self.plain.reject(i, part, reason)

    @precondition(lambda self: self.events)
    @rule(number=_NUMBER, name=st.sampled_from(TYPES))
    def change_the_type(self, number: int, name: str) -> None:
        i = self.choose_event(number)
        self.act("change_type", i, choose=TYPES.index(name))
        self.plain.set_type(i, name)

    @precondition(lambda self: self.events)
    @rule(number=_NUMBER, chosen=_NUMBER)
    def change_the_role(self, number: int, chosen: int) -> None:
        i, part = self.choose(number)
        roles = list(self.plain.schema[self.events[i]["event_type"]])
        if isinstance(part, int) and roles:
            self.act("change_type", i, part, choose=chosen % len(roles))
            self.plain.set_role(i, part, roles[chosen % len(roles)])

    @precondition(lambda self: self.events)
    @rule(number=_NUMBER, kind=st.sampled_from([*KINDS, None]))
    def change_the_kind(self, number: int, kind: str | None) -> None:
        i, part = self.choose(number)
        slot = self.plain.part(i, part)
        known = self.plain.schema[self.events[i]["event_type"]]
        self.act("kind", i, part, choose=[*KINDS, None].index(kind))
        if isinstance(part, int) and slot and slot["role"] == "agent" and "agent" in known:
            self.plain.set_kind(i, part, kind)

    @precondition(lambda self: self.events)
    @rule(number=_NUMBER, chosen=_NUMBER)
    def find_lost_words(self, number: int, chosen: int) -> None:
        i, part = self.choose(number)
        slot = self.plain.part(i, part)
        if part == "" or not slot or slot["pieces"]:
            return
        found = self.ask("candidates", slot["words"])
        self.act("findWords", i, part, choose=chosen % len(found) if found else None)
        if found and is_live(self.events[i]):
            self.plain.put(i, part, [found[chosen % len(found)]])

    @precondition(lambda self: self.events)
    @rule(number=_NUMBER)
    def duplicate(self, number: int) -> None:
        i = self.choose_event(number)
        self.act("duplicate", i)
        self.plain.duplicate(i)

    @precondition(lambda self: self.events)
    @rule(number=_NUMBER, slots=st.booleans())
    def split(self, number: int, slots: bool) -> None:
        i, part = self.choose(number, slots=slots)
        self.act("split", i, part)
        if is_live(self.events[i]):
            self.plain.split(i, part)

    @precondition(lambda self: self.events)
    @rule(number=_NUMBER)
    def merge(self, number: int) -> None:
        i = self.choose_event(number)
        self.act("merge", i)
        if is_live(self.events[i]):
            self.plain.merge(i)

    @rule(regretted=st.sampled_from([True, True, False]))
    def say_no_event(self, regretted: bool) -> None:
        self.act("none")
        self.plain.toggle_no_event()
        if regretted:
            self.undo_or_redo(-1)

    @rule(drawn=_EVENTS, number=_NUMBER, none=st.sampled_from(["target", "opinion", ""]))
    def take_another_opinion(self, drawn: list[Any], number: int, none: str) -> None:
        events = document_of_events(make_events(self.text, drawn, sure=False), prefix="l.")
        chosen = events[number % len(events)] if events and none != "opinion" else None
        i = number % len(self.events) if self.events and none != "target" else None
        self.take("opinion", i, chosen)
        plain = plain_document({**_EMPTY, "events": [chosen]})["events"][0] if chosen else None
        self.plain.take_opinion(i, plain)

    @rule(drawn=st.just([]) | _EVENTS)
    def restore_a_version(self, drawn: list[Any]) -> None:
        events = document_of_events(make_events(self.text, drawn, sure=False), prefix="v1.")
        self.take("restore", events)
        self.plain.restore(plain_document({**_EMPTY, "events": events})["events"])

    @rule(by=st.sampled_from([-3, -1, 1, 2]))
    def undo_or_redo(self, by: int) -> None:
        self.act("undo" if by < 0 else "redo", times=abs(by))
        self.plain.step(by)

    # ------------------------------------------------------------ what happens meanwhile

    @rule()
    def server_answers(self) -> None:
        self.deliver()
        assert self.shown["sign"] == ("saved.draft" if self.shown["rev"] else "")

    @rule(unsent=st.sampled_from(["answered", "arrives", "is lost"]))
    def open_again(self, unsent: str) -> None:
        """A reload; in a browser that knows nothing where the server has answered everything."""
        if unsent == "answered":
            self.server_answers()
        elif unsent == "arrives":
            self.server_takes()
        self.sent = []
        self.start(forget=unsent == "answered")

    @precondition(lambda self: self.shown["doc"]["suggestion"] is None)
    @rule(taken=st.booleans())
    def a_suggestion_comes(self, taken: bool) -> None:
        self.suggest()
        self.server_answers()
        self.take("tell", self.data())
        if not self.shown["rev"]:
            self.model_from_page()
        elif taken and self.shown["offer"]:
            self.act("takeOffer")
            self.plain.take_offer(plain_document(self.data()["open"]["fresh"]))

    # ------------------------------------------------------------ what must be so

    @invariant()
    def the_page_has_what_the_model_has(self) -> None:
        self.agrees = False
        assert plain_document(self.shown["doc"]) == self.plain.doc
        assert self.shown["undo"] == self.plain.at
        assert self.shown["redo"] == len(self.plain.states) - 1 - self.plain.at
        self.agrees = True

    def teardown(self) -> None:
        if not self.agrees:
            return
        self.server_answers()
        self.check_the_draft()
        self.check_undo_and_redo()
        self.repair()
        self.submit()
        self.check_export()
        Editing.finished += 1

    def check_the_draft(self) -> None:
        draft = self.store.samples.draft(self.key, "Ana")
        assert (draft is not None) == (self.shown["rev"] > 0)
        if draft:
            assert draft.rev == self.shown["rev"]
            assert plain_document(draft.document["document"]) == self.plain.doc

    def check_undo_and_redo(self) -> None:
        for by in filter(None, (-self.plain.at, len(self.plain.states) - 1)):
            self.undo_or_redo(by)
            self.the_page_has_what_the_model_has()
        self.server_answers()

    def repair(self) -> None:
        """Reject what no schema lets through: roles that the type does not have; then say so."""
        for i, event in enumerate(self.events):
            known = self.plain.schema[event["event_type"]]
            for n in reversed(range(len(event["arguments"]))):
                slot = event["arguments"][n]
                if is_live(event) and is_live(slot) and slot["role"] not in known:
                    self.act("reject", i, n, choose=REASONS.index("role"))
                    self.plain.reject(i, n, "role")
        if not any(map(is_live, self.events)) and not self.plain.doc["no_event"]:
            self.say_no_event(regretted=False)
        self.the_page_has_what_the_model_has()

    def submit(self) -> None:
        document = read_document(self.shown["doc"])
        events = events_of_document(document, text=self.text)
        broken = {(v.event, v.kind, v.role) for v in check_events(SCHEMA, events)}
        assert {tuple(rule) for rule in self.ask("rules")} == broken

        self.take("submit", "because")
        self.deliver()

        (review,) = self.store.samples.reviews(self.key)
        rows = [
            (*row[:6], json.loads(row[6] or "[]"), row[7])
            for row in self.database.execute(_ROWS, [review.id])
        ]
        assert rows == plain_rows(self.plain.doc)
        assert self.store.samples.draft(self.key, "Ana") is None
        self.check_difference(document.suggestion, review.difference, len(events))

    def check_difference(self, suggestion: int | None, difference: Any, count: int) -> None:
        if suggestion is None:
            return
        record = self.store.samples.suggestion(self.key)
        assert record is not None
        kinds = [entry["kind"] for entry in difference]
        before = len(record.events)
        assert count == before - kinds.count("event_removed") + kinds.count("event_added")

    def check_export(self) -> None:
        lines = "".join(export_lines(self.store, collection=self.collection))
        again = f"{self.collection} again"
        done = import_file(self.store, lines.encode(), collection=again, name="a.jsonl")
        (key,) = self.store.samples.keys(collection_id=self.store.collections.get(again).id)

        assert (done.added, list(done.problems)) == (1, [])
        assert self.store.samples.get(key).sample == self.store.samples.get(self.key).sample


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """An empty page with storage of its own and the workbench's script."""
    context = browser.new_context()
    opened = context.new_page()
    opened.route(
        "**/*", lambda route: route.fulfill(body="<body></body>", content_type="text/html")
    )
    opened.goto("http://argus.test/")
    opened.evaluate(_DRIVER, f"{read_script()}\nexport {{ {_EXPORTED} }};")
    yield opened
    context.close()


@pytest.mark.parametrize("sequences", [100, pytest.param(1000, marks=pytest.mark.slow)])
def test_random_edits_agree_with_a_plain_model_up_to_the_stored_rows_and_a_new_import(
    page: Page, tmp_path: Path, sequences: int
) -> None:
    home = Home(tmp_path)
    store = open_store(home)
    store.models.add("m", title="M", state="base", location="/nowhere")
    Editing.page, Editing.store, Editing.finished = page, store, 0
    Editing.database = sqlite3.connect(sqlite_path(home.database_url) or "")

    run_state_machine_as_test(
        Editing,
        settings=settings(
            max_examples=sequences, stateful_step_count=50, deadline=None, database=None,
            phases=[Phase.generate, Phase.shrink], suppress_health_check=list(HealthCheck),
        ),
    )  # fmt: skip

    assert Editing.finished >= sequences
    Editing.database.close()
    store.engine.dispose()
