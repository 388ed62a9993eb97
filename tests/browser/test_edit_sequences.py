"""Random edit sequences on the workbench's own document, against a plain model of it.

State, undo and redo, the draft, the stored rows and what an export brings back agree after each.
"""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import invariant, precondition, rule, run_state_machine_as_test
from playwright.sync_api import Page

from core.review import REASONS, document_of_events, events_of_document, read_document
from core.schema import check_events
from core.workflow import export_lines, import_file
from storage.database import sqlite_path
from storage.home import Home
from storage.store import open_store
from tests.browser.open_sample import (
    EMPTY,
    EVENTS,
    KINDS,
    NUMBERS,
    SCHEMA,
    SELECTIONS,
    TYPES,
    OpenSample,
    load_driver,
    make_events,
    plain_document,
)
from tests.browser.plain_document import Doc, is_live
from tests.browser.plain_text import move_edge

pytestmark = pytest.mark.browser

_ROWS = """
  SELECT event.position, event_type, role, text, start, "end", fragments, entity_kind
  FROM event LEFT JOIN mention ON event_id = event.id WHERE review_id = ?
  ORDER BY event.position, mention.position
"""


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


class Editing(OpenSample):
    """What a person does, what happens meanwhile, and what must be so after each and at the end."""

    # ------------------------------------------------------------ what a person does

    @rule(name=st.sampled_from(TYPES), at=st.none() | SELECTIONS)
    def add_an_event(self, name: str, at: tuple[int, int] | None) -> None:
        units, pieces = self.select(at) if at else (None, [])
        if units and not pieces:
            return
        self.act("new", select=units, choose=TYPES.index(name))
        self.plain.add(name, pieces)

    @precondition(lambda self: self.events)
    @rule(number=NUMBERS, at=SELECTIONS)
    def fill_a_role(self, number: int, at: tuple[int, int]) -> None:
        i = self.choose_event(number)
        event = self.events[i]
        roles = list(self.plain.schema[event["event_type"]])
        units, pieces = self.select(at)
        self.act("digit", i, select=units, call=[number % 3 + 1])
        if pieces and is_live(event) and number % 3 < len(roles):
            self.plain.put_role(i, roles[number % 3], pieces)

    @precondition(lambda self: self.events)
    @rule(number=NUMBERS, at=SELECTIONS)
    def put_words_into_a_slot(self, number: int, at: tuple[int, int]) -> None:
        i, part = self.choose(number)
        units, pieces = self.select(at)
        self.act("put", i, part, select=units)
        if pieces and is_live(self.events[i]) and (part != "" or not self.events[i]["trigger"]):
            self.plain.put(i, "t" if part == "" else part, pieces)

    @precondition(lambda self: self.events)
    @rule(number=NUMBERS, at=SELECTIONS)
    def add_a_fragment(self, number: int, at: tuple[int, int]) -> None:
        i, part = self.choose(number)
        slot = self.plain.part(i, part)
        units, pieces = self.select(at)
        self.act("fragment", i, part, select=units)
        if part != "" and slot and slot["pieces"] and pieces and is_live(self.events[i]):
            self.plain.put(i, part, slot["pieces"] + pieces)

    @precondition(lambda self: self.events)
    @rule(number=NUMBERS, edge=st.sampled_from(["start", "end"]), by=st.sampled_from([-1, 1]))
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
    @rule(number=NUMBERS, slots=st.booleans())
    def accept(self, number: int, slots: bool) -> None:
        i, part = self.choose(number, slots=slots)
        self.act("accept", i, part)
        self.plain.accept(i, part)

    @rule(threshold=st.sampled_from([0, 0.5, 0.7, 0.9]))
    def accept_all(self, threshold: float) -> None:
        self.act("accept_all", threshold=threshold)
        self.plain.accept_all(threshold)

    @precondition(lambda self: self.events)
    @rule(number=NUMBERS, slots=st.booleans(), reason=st.none() | st.sampled_from(REASONS))
    def reject(self, number: int, slots: bool, reason: str | None) -> None:
        i, part = self.choose(number, slots=slots)
        self.act("reject", i, part, choose=REASONS.index(reason) if reason else None)
        self.plain.reject(i, part, reason)

    @precondition(lambda self: self.events)
    @rule(number=NUMBERS, name=st.sampled_from(TYPES))
    def change_the_type(self, number: int, name: str) -> None:
        i = self.choose_event(number)
        self.act("change_type", i, choose=TYPES.index(name))
        self.plain.set_type(i, name)

    @precondition(lambda self: self.events)
    @rule(number=NUMBERS, chosen=NUMBERS)
    def change_the_role(self, number: int, chosen: int) -> None:
        i, part = self.choose(number)
        roles = list(self.plain.schema[self.events[i]["event_type"]])
        if isinstance(part, int) and roles:
            self.act("change_type", i, part, choose=chosen % len(roles))
            self.plain.set_role(i, part, roles[chosen % len(roles)])

    @precondition(lambda self: self.events)
    @rule(number=NUMBERS, kind=st.sampled_from([*KINDS, None]))
    def change_the_kind(self, number: int, kind: str | None) -> None:
        i, part = self.choose(number)
        slot = self.plain.part(i, part)
        known = self.plain.schema[self.events[i]["event_type"]]
        self.act("kind", i, part, choose=[*KINDS, None].index(kind))
        if isinstance(part, int) and slot and slot["role"] == "agent" and "agent" in known:
            self.plain.set_kind(i, part, kind)

    @precondition(lambda self: self.events)
    @rule(number=NUMBERS, chosen=NUMBERS)
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
    @rule(number=NUMBERS)
    def duplicate(self, number: int) -> None:
        i = self.choose_event(number)
        self.act("duplicate", i)
        self.plain.duplicate(i)

    @precondition(lambda self: self.events)
    @rule(number=NUMBERS, slots=st.booleans())
    def split(self, number: int, slots: bool) -> None:
        i, part = self.choose(number, slots=slots)
        self.act("split", i, part)
        if is_live(self.events[i]):
            self.plain.split(i, part)

    @precondition(lambda self: self.events)
    @rule(number=NUMBERS)
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

    @rule(drawn=EVENTS, number=NUMBERS, none=st.sampled_from(["target", "opinion", ""]))
    def take_another_opinion(self, drawn: list[Any], number: int, none: str) -> None:
        events = document_of_events(make_events(self.text, drawn, sure=False), prefix="l.")
        chosen = events[number % len(events)] if events and none != "opinion" else None
        i = number % len(self.events) if self.events and none != "target" else None
        self.take("opinion", i, chosen)
        plain = plain_document({**EMPTY, "events": [chosen]})["events"][0] if chosen else None
        self.plain.take_opinion(i, plain)

    @rule(drawn=st.just([]) | EVENTS)
    def restore_a_version(self, drawn: list[Any]) -> None:
        events = document_of_events(make_events(self.text, drawn, sure=False), prefix="v1.")
        self.take("restore", events)
        self.plain.restore(plain_document({**EMPTY, "events": events})["events"])

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


@pytest.mark.parametrize("sequences", [100, pytest.param(1000, marks=pytest.mark.slow)])
def test_random_edits_agree_with_a_plain_model_up_to_the_stored_rows_and_a_new_import(
    page: Page, tmp_path: Path, sequences: int
) -> None:
    home = Home(tmp_path)
    store = open_store(home)
    load_driver(page)
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
