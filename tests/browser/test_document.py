"""The document in the browser and the document in Python agree, whatever a person does to it."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest
from playwright.sync_api import Browser

from core.difference import difference_of
from core.events import Argument, Event, span, without_confidence
from core.records import SampleRecord, SuggestionRecord
from core.review import document_from, document_to_dict, events_of_document, read_document
from core.samples import Sample
from core.schema import check_events
from pages._ui.desk_data import schema_data
from pages._ui.workbench import read_script
from tests.browser.conftest import SCHEMA
from tests.unit.test_review import NOW

pytestmark = pytest.mark.browser

TEXTS = [
    ("zh", "😀昨天，𠮷田电信在马德里推出了5G服务，袭击之后又是袭击。👩‍👩‍👧"),
    ("ru", "Во вторник «Яндекс» запустил в Москве новый сервис\r\nдоставки\tеды."),
    ("en", "Acme cafe\u0301 launched, and launched again, in New York \U0001d49c."),
]

# Plays `moves` on a document: every one is [name, …numbers]. Gives back all documents and steps.
_PLAY = """async ([script, payload]) => {
  window.argusModule ??= await import(URL.createObjectURL(new Blob([script], {type: 'text/javascript'})));
  const M = window.argusModule, { text, language, schema, start, moves } = payload;
  const T = M.makeText(text, language), types = new Map(schema.map(t => [t.name, t]));
  let doc = start; const docs = [doc], steps = [];
  const pick = (list, n) => list.length ? list[n % list.length] : null;
  for (const [name, a, b, c, d] of moves) {
    const event = pick(doc.events, a);
    const range = M.snapRange(T, c % (text.length + 1), d % (text.length + 1), b % 2 === 0);
    const spans = range && [[T.point(range[0]), T.point(range[1])]];
    const type = event && types.get(event.event_type);
    const part = event && pick(['', ...M.partsOf(event, type)], b);
    const slot = event && M.slotOf(event, part);
    let next = doc;
    if (name === 'add') next = M.addEvent(doc, pick(schema, a).name, spans, T)[0];
    else if (name === 'none') next = M.toggleNoEvent(doc);
    else if (name === 'all') next = M.acceptAll(doc, (b % 10) / 10);
    else if (!event) continue;
    else if (name === 'role' && spans && type && M.isLive(event)) next = M.putSpans(doc, event.id, 'r:' + pick(type.roles, b).name, spans, T, type)[0];
    else if (name === 'put' && spans && (part === 't' || slot)) next = M.putSpans(doc, event.id, part, spans, T, type)[0];
    else if (name === 'piece' && spans && M.spansOf(slot).length) next = M.putSpans(doc, event.id, part, [...M.spansOf(slot), ...spans], T, type)[0];
    else if (name === 'edge' && M.spansOf(slot).length === 1) {
      const moved = M.moveEdge(T, M.spansOf(slot)[0].map(T.unit), c % 2 ? 'start' : 'end', d % 2 ? 1 : -1, a % 2 === 0).map(T.point);
      next = M.putSpans(doc, event.id, part, [moved], T, type)[0];
    }
    else if (name === 'accept' && (part === '' || slot)) next = M.acceptPart(doc, event.id, part);
    else if (name === 'reject' && (part === '' || slot)) next = M.rejectPart(doc, event.id, part, pick(M.REASONS, c));
    else if (name === 'type') next = M.setType(doc, event.id, pick(schema, b).name);
    else if (name === 'rename' && part.startsWith('a:') && type) next = M.setRole(doc, event.id, part, pick(type.roles, c).name);
    else if (name === 'copy') next = M.duplicateEvent(doc, event.id)[0];
    else if (name === 'merge' && M.isLive(event)) next = M.mergeEvent(doc, event.id)[0];
    else if (name === 'split' && slot && M.isLive(slot)) next = M.splitEvent(doc, event.id, part)[0];
    else if (name === 'undo' && steps.length) { const step = steps.pop(); doc = M.applyStep(doc, step, 0); docs.push(doc); continue; }
    next = M.tidy(next);
    const step = M.stepBetween(doc, next);
    if (M.isEmptyStep(step)) continue;
    steps.push(JSON.parse(JSON.stringify(step)));
    doc = next; docs.push(doc);
  }
  let back = doc; for (const step of [...steps].reverse()) back = M.applyStep(back, step, 0);
  let forth = back; for (const step of steps) forth = M.applyStep(forth, step, 1);
  const rules = M.violationsOf(doc, types).map(v => [doc.events.filter(M.isLive).findIndex(e => e.id === v.event), v.kind, v.role]);
  return { docs, back, forth, rules };
}"""
_EXPORTED = (
    "makeText, snapRange, moveEdge, partsOf, slotOf, spansOf, isLive, addEvent, putSpans, acceptPart, "
    "rejectPart, setType, setRole, duplicateEvent, mergeEvent, splitEvent, toggleNoEvent, acceptAll, "
    "tidy, stepBetween, isEmptyStep, applyStep, violationsOf, REASONS"
)
_MOVES = [
    "add", "role", "role", "put", "piece", "edge", "accept", "reject", "type", "rename", "copy",
    "merge", "split", "none", "all", "undo",
]  # fmt: skip


def suggested(text: str, rng: random.Random) -> tuple[Event, ...]:
    """A few events at random places."""

    def somewhere() -> tuple[int, int]:
        a = rng.randrange(len(text) - 1)
        return a, min(len(text), a + rng.randint(1, 6))

    return tuple(
        Event(
            kind.name,
            span(text, *somewhere(), confidence=rng.random()) if rng.random() < 0.9 else None,
            tuple(
                Argument(role.name, span(text, *somewhere(), confidence=rng.random()))
                for role in kind.roles
                if rng.random() < 0.6
            ),
            confidence=rng.random(),
        )
        for kind in rng.choices(SCHEMA.types, k=rng.randint(0, 3))
    )


@pytest.mark.parametrize(("language", "text"), TEXTS, ids=[t[0] for t in TEXTS])
def test_random_edits_undo_redo_and_what_is_stored_agree(
    browser: Browser, language: str, text: str
) -> None:
    page = browser.new_page()
    script = f"{read_script()}\nexport {{ {_EXPORTED} }};"
    record = SampleRecord(1, 1, Sample("s", language, "text", text), "new", NOW)

    for seed in range(120):
        rng = random.Random(seed)
        events = suggested(text, rng)
        suggestion = SuggestionRecord(3, 1, "m", events, "[]", "full.v1", 1, {}, [], 0.1, NOW)
        start = document_to_dict(document_from(record, suggestion))
        moves = [[rng.choice(_MOVES), *(rng.randrange(1000) for _ in range(4))] for _ in range(25)]
        payload = {
            "text": text, "language": language, "schema": schema_data(SCHEMA), "start": start,
            "moves": moves,
        }  # fmt: skip
        played: dict[str, Any] = page.evaluate(_PLAY, [script, payload])
        last = played["docs"][-1]
        read = [read_document(json.loads(json.dumps(d))) for d in played["docs"]]
        stored = [events_of_document(d, text=text) for d in read]
        rules = [[v.event, v.kind, v.role] for v in check_events(SCHEMA, stored[-1])]

        assert played["back"] == start, seed
        assert played["forth"] == last, seed
        assert document_to_dict(read[-1]) == last, seed
        assert {*map(str, played["rules"])} == {*map(str, rules)}, seed
        assert not (last["no_event"] and stored[-1]), seed
        changes = difference_of(read[-1], without_confidence(events), stored[-1])
        gone = sum(c["kind"] == "event_removed" for c in changes)
        new = sum(c["kind"] == "event_added" for c in changes)
        assert len(stored[-1]) == len(events) - gone + new, seed
    page.close()
