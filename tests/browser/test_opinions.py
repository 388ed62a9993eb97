"""Two opinions on a sample side by side, of models and of people: only what differs, and either taken."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from playwright.sync_api import Page

from core.events import Argument, Event
from core.samples import Sample
from core.schema_change import RenameType
from storage.store import Store
from tests.browser.conftest import SCHEMA, RunningApp
from tests.browser.test_beside import TEXTS, launch, review
from tests.browser.workbench import Workbench, add_text, suggest, wait_for_review, words_of

pytestmark = pytest.mark.browser


def test_two_models_are_compared_and_either_side_is_taken(
    app: RunningApp, store: Store, page: Page
) -> None:
    text, trigger, agent, product = TEXTS["ru"]
    key = add_text(store, "opinions", "ru", text)
    store.models.add("tuned", title="Tuned", state="candidate", location="/nowhere")
    suggest(store, key, launch(text, trigger, agent))
    other = Event(
        "launch",
        words_of(text, trigger),
        (Argument("agent", words_of(text, agent)), Argument("product", words_of(text, product))),
    )
    attack = Event("attack", words_of(text, product))
    store.samples.add_suggestion(
        key, [other, attack], model_id="tuned", raw_reply="", prompt_version="full.v1",
        schema_number=1, decoding={}, seconds=0.1,
    )  # fmt: skip
    bench = Workbench(page, app.url)
    bench.open(key)

    bench.press("o")
    page.locator(".argus-wb .pair.at").wait_for()
    heads = page.locator(".argus-wb .heads select").evaluate_all(
        "all => all.map(s => s.selectedOptions[0].textContent)"
    )
    bench.press("1", "1", "Escape")
    shown = bench.shown()
    bench.press("Control+Enter")
    events = wait_for_review(store, key, page)

    assert sorted(heads) == ["Scripted", "Tuned"]
    names = [[e.event_type, len(e.arguments)] for e in events]
    assert names in ([["launch", 1]], [["launch", 2], ["attack", 0]])
    assert len(shown) == len(events)


PEOPLE = {  # a text; what both say; what Bo says; what Ana says, each in words
    "zh": ("😀华为在深圳推出手机，小米在北京收购了星火。", "推出", "华为", "手机", "收购", "小米", "星火"),
    "ru": ("Акме запустила сервис, а Вега атаковала Орион.", "запустила", "Акме", "сервис", "атаковала", "Вега", "Орион"),
}  # fmt: skip


@pytest.fixture
def two_people(store: Store, request: pytest.FixtureRequest) -> Callable[[str], int]:
    """A sample that Bo and then Ana reviewed. Bo left out the product and found an attack that
    Ana did not see; both say the same of one more launch on the trigger of the attack."""

    def add(language: str) -> int:
        text, trigger, agent, product, other, one, target = PEOPLE[language]
        key = add_text(store, f"{request.node.name}-{language}", language, text)
        at = words_of(text, trigger)
        given = Argument("agent", words_of(text, agent))
        both = Event("launch", words_of(text, other), (Argument("agent", words_of(text, one)),))
        attack = Event(
            "attack", words_of(text, other), (Argument("target", words_of(text, target)),)
        )
        review(store, key, Event("launch", at, (given,)), both, attack, person="Bo")
        longer = Event("launch", at, (given, Argument("product", words_of(text, product))))
        review(store, key, longer, both, person="Ana")
        return key

    return add


def heads(page: Page) -> list[str]:
    """Who is on the left and who on the right."""
    found: list[str] = page.locator(".argus-wb .heads select").evaluate_all(
        "all => all.map(s => s.selectedOptions[0].textContent)"
    )
    return found


def in_words(events: Sequence[Event]) -> list[Any]:
    """Events as lists of words, sorted: what was stored."""
    return sorted(
        [e.event_type, e.trigger.text if e.trigger else None, sorted(a.mention.text or "" for a in e.arguments)]
        for e in events
    )  # fmt: skip


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("language", PEOPLE)
@pytest.mark.parametrize("by", ["keys", "mouse"])
def test_of_two_people_either_side_is_taken(
    app: RunningApp, store: Store, page: Page, two_people: Callable[[str], int],
    by: str, language: str, side: str,
) -> None:  # fmt: skip
    key = two_people(language)
    bench = Workbench(page, app.url)
    bench.open(key)

    bench.press("o")
    page.locator(".argus-wb .pair.at").wait_for()
    who, pairs = heads(page), page.locator(".argus-wb .pair[role=group]").count()
    marked = page.locator(".argus-wb .opinion.taken").evaluate_all(
        "all => all.map(o => o.dataset.side)"
    )
    if by == "keys":
        bench.press(*(["1", "1"] if side == "left" else ["2", "2"]), "Escape")
    else:
        for i in range(2):
            pair = page.locator(".argus-wb .pair[role=group]").nth(i)
            pair.locator(f"[data-side={side}] button", has_text="Take").click()
        page.locator(".argus-wb .drawer-head button").click()
    bench.press("Control+Enter")
    events = wait_for_review(store, key, page, count=3)

    reviews = store.samples.reviews(key)
    assert (who, pairs, set(marked)) == (["Bo", "Ana"], 2, {"right"})
    assert in_words(events) == in_words(reviews[2 if side == "left" else 1].events)
    assert in_words(reviews[1].events) != in_words(reviews[2].events)
    assert reviews[0].person == "Ana"


@pytest.mark.parametrize("language", PEOPLE)
@pytest.mark.parametrize("by", ["keys", "mouse"])
def test_a_difference_of_two_people_is_edited(
    app: RunningApp, store: Store, page: Page, two_people: Callable[[str], int],
    by: str, language: str,
) -> None:  # fmt: skip
    _, trigger, agent, product, other, one, target = PEOPLE[language]
    key = two_people(language)
    bench = Workbench(page, app.url)
    bench.open(key)

    bench.press("o")
    page.locator(".argus-wb .pair.at").wait_for()
    if by == "keys":
        bench.press("ArrowDown", "e")  # the attack that the draft does not have: it comes in
    else:
        attack = page.locator(".argus-wb .pair[role=group]").nth(1)
        attack.locator("[data-side=left] button", has_text="Edit").click()
    closed = page.locator(".argus-wb .sheet").count() == 0
    focused = page.locator(".argus-wb .card.focused .head .type").inner_text()
    bench.press("1")
    bench.drag(one)
    bench.press("Control+Enter")
    events = wait_for_review(store, key, page, count=3)

    assert (closed, focused) == (True, "Attack")
    assert in_words(events) == sorted(
        [
            ["launch", trigger, sorted([agent, product])],
            ["launch", other, [one]],
            ["attack", other, sorted([one, target])],
        ]
    )


def test_a_person_is_put_beside_a_model_and_beside_who_says_nothing_happens(
    app: RunningApp, store: Store, page: Page
) -> None:
    text, trigger, agent, product = TEXTS["zh"]
    key = add_text(store, "person-model", "zh", text)
    suggest(store, key, launch(text, trigger, agent))
    review(store, key, person="Bo")
    review(store, key, launch(text, trigger, product), person="Ana")
    bench = Workbench(page, app.url)
    bench.open(key)

    bench.press("o")
    page.locator(".argus-wb .pair.at").wait_for()
    first = heads(page)
    page.locator(".argus-wb .heads select").first.select_option(label="Scripted")
    page.wait_for_function(
        "() => document.querySelectorAll('.argus-wb .pair.at .opinion [dir=auto]').length === 4"
    )
    bench.press("1")
    with_model = bench.shown()
    page.locator(".argus-wb .heads select").first.select_option(label="Bo")
    page.locator(".argus-wb .opinion[data-side=left]", has_text="no such event").wait_for()
    bench.press("1")
    emptied = bench.shown()
    bench.press("z", "z", "Shift+z", "Shift+z", "Escape", "Control+Enter")
    events = wait_for_review(store, key, page, count=3)

    assert first == ["Bo", "Ana"]
    assert with_model == [["Launch", [["trigger", trigger], ["Agent", agent]]]]
    assert emptied == []
    assert events == ()


def test_opinions_from_before_a_change_of_the_schema_are_under_todays_names(
    app: RunningApp, store: Store, page: Page
) -> None:
    text, trigger, agent, product = TEXTS["ru"]
    elsewhere = store.collections.create("Мир", SCHEMA).id
    key = store.samples.add(elsewhere, [Sample("r", "ru", "text", text)], schema_number=1)[0]
    review(store, key, launch(text, trigger, agent), person="Bo")
    review(store, key, launch(text, trigger, product), person="Ana")
    store.schema_changes.apply(elsewhere, RenameType("launch", "запуск"), person="Eva")
    bench = Workbench(page, app.url)
    bench.open(key)

    bench.press("o")
    page.locator(".argus-wb .pair.at").wait_for()
    choices = page.locator(".argus-wb .heads select").first.locator("option").all_inner_texts()
    bench.press("1", "Escape", "Control+Enter")
    events = wait_for_review(store, key, page, count=4)

    assert choices == ["Ana", "Bo"]
    assert in_words(events) == [["запуск", trigger, [agent]]]
