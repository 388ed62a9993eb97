"""A sample that is open twice, in the workbench's own script and in the plain model of it."""

from __future__ import annotations

import itertools
import json
import sqlite3
from pathlib import Path
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize
from playwright.sync_api import Page

from core.events import Argument, Event, Mention
from core.samples import Sample
from core.schema import EventType, Role, Schema
from pages._ui import desk, desk_data
from pages._ui.workbench_script import read_script
from storage.store import Store
from tests.browser.plain_document import Doc, Part, Plain
from tests.browser.plain_text import cut, snap

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

EXPORTED = (
    "benches, ACTIONS, snapRange, closeWindow, takeOpinion, restoreEvents, findCandidates, violationsOf, "
    "isLive"
)

# What Hypothesis draws knows no text: numbers are taken modulo what there is.
NUMBERS = st.integers(0, 99)
MENTIONS = st.tuples(
    NUMBERS, st.integers(1, 4), st.sampled_from(["span", "span", "pieces", "lost"])
)
EVENTS = st.lists(
    st.tuples(
        NUMBERS, st.none() | MENTIONS, st.lists(st.tuples(NUMBERS, MENTIONS), max_size=3),
        st.sampled_from([0.2, 0.6, 0.95]),
    ),
    min_size=1,
    max_size=4,
)  # fmt: skip
SELECTIONS = st.tuples(NUMBERS, st.integers(1, 12))
EMPTY = {"no_event": False, "override": None, "suggestion": None}


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


def load_driver(page: Page) -> None:
    """An empty page with storage of its own, the workbench's script and the driver of it."""
    page.route("**/*", lambda route: route.fulfill(body="<body></body>", content_type="text/html"))
    page.goto("http://argus.test/")
    driver = Path(__file__).with_name("edit_driver.js").read_text("utf-8")
    page.evaluate(driver, f"{read_script()}\nexport {{ {EXPORTED} }};")


class OpenSample(RuleBasedStateMachine):
    """A sample open in the browser and in the plain model, and the desk that takes what is sent."""

    page: Page
    store: Store
    database: sqlite3.Connection
    numbers = itertools.count()
    finished = 0
    agrees = False
    chosen = 0

    @initialize(
        text=st.sampled_from(TEXTS),
        drawn=EVENTS,
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
