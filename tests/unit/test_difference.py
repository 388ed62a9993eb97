"""The typed difference between what was suggested and what was decided."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from core.difference import difference, difference_of
from core.events import Argument, Event, Mention, span
from core.review import EventItem, ReviewDocument, Slot

TEXTS = {
    "zh": ("华为周二推出手机服务。", "华为", "周二", "推出", "手机", "手机服务"),
    "ru": ("Акме в среду запустила сервис доставки.", "Акме", "в среду", "запустила", "сервис", "сервис доставки"),
}  # fmt: skip


def at(language: str, words: str) -> Mention:
    """The place of `words`."""
    text = TEXTS[language][0]
    return span(text, text.index(words), text.index(words) + len(words))


def launch(language: str, **roles: str) -> Event:
    """A launch with arguments by role."""
    arguments = tuple(Argument(role, at(language, words)) for role, words in roles.items())
    return Event("launch", at(language, TEXTS[language][3]), arguments)


def kinds(entries: list[dict[str, Any]]) -> list[str]:
    """The kinds alone."""
    return [e["kind"] for e in entries]


@pytest.mark.parametrize("language", TEXTS)
def test_each_correction_has_its_own_kind(language: str) -> None:
    _, agent, time, trigger, short, long = TEXTS[language]
    old = launch(language, agent=agent, product=short, place=time)
    cases: list[tuple[Event | None, list[str]]] = [
        (old, []),
        (None, ["event_removed"]),
        (replace(old, event_type="attack"), ["type_changed"]),
        (replace(old, trigger=None), ["trigger_removed"]),
        (replace(old, trigger=at(language, trigger[:-1])), ["trigger_moved"]),
        (launch(language, agent=agent, product=long, place=time), ["argument_moved"]),
        (launch(language, agent=agent, product=short, time=time), ["role_changed"]),
        (launch(language, agent=agent, product=short), ["argument_removed"]),
        (
            launch(language, agent=agent, product=short, place=time, time=trigger),
            ["argument_added"],
        ),
    ]

    found = [kinds(difference([old], [] if new is None else [new])) for new, _ in cases]

    assert found == [expected for _, expected in cases]


@pytest.mark.parametrize("language", TEXTS)
def test_an_added_event_comes_last_and_a_trigger_may_be_added(language: str) -> None:
    _, agent, _, _, short, _ = TEXTS[language]
    bare = replace(launch(language, agent=agent), trigger=None)
    whole = launch(language, agent=agent)
    extra = Event("attack", at(language, short))

    entries = difference([bare], [extra, whole])

    assert kinds(entries) == ["trigger_added", "event_added"]
    assert entries[0]["from"] is None
    assert (entries[1]["decided"], entries[1]["event"]) == (0, None)


@pytest.mark.parametrize("language", TEXTS)
def test_two_events_on_one_trigger_are_not_taken_for_each_other(language: str) -> None:
    _, agent, time, _, short, _ = TEXTS[language]
    first, second = launch(language, agent=agent), launch(language, agent=time)

    entries = difference([first, second], [second, replace(first, event_type="test")])

    assert [(e["kind"], e["event"], e["decided"]) for e in entries] == [("type_changed", 0, 1)]
    assert difference([first], [first, launch(language, product=short)])[0]["kind"] == "event_added"


@pytest.mark.parametrize("language", TEXTS)
def test_the_document_knows_what_became_of_each_item_and_why(language: str) -> None:
    _, agent, time, trigger, short, long = TEXTS[language]
    suggested = [launch(language, agent=agent, product=short), launch(language, agent=time)]

    def slot(ident: str, words: str, role: str | None = None, **more: Any) -> Slot:
        place = at(language, words)
        return Slot(id=ident, role=role, text=words, start=place.start, end=place.end, **more)

    document = ReviewDocument(
        sample=1,
        suggestion=1,
        events=[
            EventItem(
                id="s0", origin="suggested", decision="edited", reason="type", event_type="test",
                trigger=slot("s0.t", trigger),
                arguments=[
                    slot("s0.a0", agent, "agent", decision="rejected", reason="hallucinated"),
                    slot("s0.a1", long, "product", decision="edited", reason="boundary"),
                    slot("p1", time, "time"),
                ],
            ),
            EventItem(id="s1", decision="rejected", reason="duplicate", event_type="launch"),
        ],
    )  # fmt: skip
    decided = [
        Event(
            "test", at(language, trigger),
            (Argument("product", at(language, long)), Argument("time", at(language, time))),
        )
    ]  # fmt: skip

    entries = difference_of(document, suggested, decided)

    assert [(e["kind"], e.get("role"), e.get("reason")) for e in entries] == [
        ("type_changed", None, "type"),
        ("argument_removed", "agent", "hallucinated"),
        ("argument_moved", "product", "boundary"),
        ("argument_added", "time", None),
        ("event_removed", None, "duplicate"),
    ]


def test_an_id_that_claims_a_suggestion_there_is_not_counts_as_added() -> None:
    document = ReviewDocument(sample=1, events=[EventItem(id="s9", event_type="launch")])

    entries = difference_of(document, [], [Event("launch", None)])

    assert kinds(entries) == ["event_added"]


BOX, BESIDE, APART = ((0.1, 0.1, 0.3, 0.3), (0.2, 0.1, 0.3, 0.3), (0.6, 0.6, 0.2, 0.2))
MOVING = ((0.0, *BOX), (2.0, *BESIDE))


@pytest.mark.parametrize(
    ("old", "new", "kind"),
    [
        (Mention(media="m", box=BOX), Mention(media="m", box=BESIDE), "argument_moved"),
        (Mention(media="m", page=1, box=BOX), Mention(media="m", page=1, box=BESIDE), "argument_moved"),
        (Mention(media="m", range=(0, 2)), Mention(media="m", range=(1, 3)), "argument_moved"),
        (Mention(media="m", range=(0, 3), keyframes=MOVING), Mention(media="m", range=(0, 3)), "argument_moved"),
        (Mention(media="m", box=BOX), Mention(media="m", box=APART), "argument_removed"),
        (Mention(media="m", page=1, box=BOX), Mention(media="m", page=2, box=BESIDE), "argument_removed"),
        (Mention(media="m", box=BOX), Mention(media="n", box=BESIDE), "argument_removed"),
        (Mention(media="m", range=(0, 2)), Mention(media="m", range=(2, 3)), "argument_removed"),
    ],
)  # fmt: skip
def test_a_place_in_a_picture_or_clip_is_moved_where_the_two_touch(
    old: Mention, new: Mention, kind: str
) -> None:
    one, other = (Event("attack", None, (Argument("target", m),)) for m in (old, new))

    found = kinds(difference([one], [other]))

    assert found == ([kind] if kind == "argument_moved" else [kind, "argument_added"])
    assert difference([one], [one]) == difference([other], [other]) == []


def test_events_without_a_trigger_are_matched_by_what_they_share() -> None:
    first, second, third = (Argument("target", Mention(media="m", box=(x, 0, 0.1, 0.1))) for x in (0, 0.3, 0.6))  # fmt: skip
    old = [Event("attack", None, (first,)), Event("attack", None, (second,))]
    new = [Event("attack", None, (second, third)), Event("attack", None, (first, third))]

    found = difference(old, new)

    assert [(e["kind"], e["event"], e["decided"]) for e in found] == [
        ("argument_added", 0, 1), ("argument_added", 1, 0),
    ]  # fmt: skip
