"""The panels of schema changes and odd labels, driven as a person would."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from core.events import Argument, Event, span
from core.samples import Sample
from core.schema import EventType, Role, Schema
from core.schema_change import SplitType
from train.radar import refresh_radar
from train.services import Services

TEXTS = {
    "zh": ("小米周四在北京发布新手机", "发布", "小米"),
    "ru": ("«Вега» запустила сервис", "запустила", "«Вега»"),
}


def script() -> None:
    import streamlit as st

    from pages._ui.layout import show_note
    from pages._ui.radar import show_radar
    from pages._ui.schema_changes import show_schema_changes
    from storage.home import Home
    from storage.store import open_store
    from train.services import Services

    home = Home.from_environment()
    services = Services(home, open_store(home))
    collection = services.store.collections.all()[0]
    show_note()
    show_schema_changes(services, collection, "Анна")
    show_radar(services, collection, "Анна")
    st.caption("end")


@pytest.fixture
def collection(store) -> int:
    roles = (Role("agent", multiple=False), Role("maker"))
    made = store.collections.create(
        "панель", Schema((EventType("launch", roles=roles), EventType("attack")))
    )
    samples = []
    for language, (text, trigger, agent) in TEXTS.items():
        for n in range(6):
            at, by = text.index(trigger), text.index(agent)
            arguments = (Argument("agent", span(text, by, by + len(agent))),)
            event = Event(
                "launch" if n else "attack",
                span(text, at, at + len(trigger)),
                arguments if n else (),
            )
            samples.append(Sample(f"{language}-{n}", language, "text", text, events=(event,)))
    store.samples.add(made.id, samples, schema_number=1)
    return made.id


@pytest.fixture
def app(collection) -> AppTest:
    return AppTest.from_function(script, default_timeout=30).run()


def said(app: AppTest) -> str:
    return "\n".join(
        [m.value for m in app.markdown]
        + [c.value for c in app.caption]
        + [e.value for e in app.error]
    )


def test_a_rename_is_previewed_done_and_taken_back(app, store, collection):
    app.button(key="evolve_start").click().run()
    app.text_input(key="evolve_name_launch").set_value("запуск").run()
    app.button(key="evolve_show").click().run()
    assert "**10 annotations touched**, none needs a person, in 10 samples." in said(app)
    assert "Chinese 5, Russian 5" in said(app)
    assert "launch (agent) → запуск (agent)" in said(app)

    app.button(key="evolve_apply").click().run()

    assert not app.exception
    done = store.schema_changes.all(collection)[0]
    assert (done.annotations, done.person) == (10, "Анна")
    assert store.collections.schema(collection).type("запуск")
    assert "launch is called запуск" in said(app)
    app.button(key=f"evolve_undo_{done.id}").click().run()
    assert store.collections.schema(collection).type("launch")
    assert "Taken back by Анна" in said(app)


def test_a_split_by_language_asks_for_names_and_cases_and_tells_who_waits(app, store, collection):
    app.button(key="evolve_start").click().run()
    app.segmented_control(key="evolve_action").set_value("split").run()
    assert "Fill in the fields above" in said(app)
    app.multiselect(key="evolve_parts").set_value(["launch", "attack"]).run()
    app.selectbox(key="evolve_case_language_zh").set_value("attack").run()

    app.button(key="evolve_show").click().run()

    assert "**5 need a person**" in said(app)
    assert "5 samples go back to the queue with all their labels." in said(app)
    assert "no case of the rule for launch fits" in said(app)


def test_a_change_that_cannot_be_done_is_told_in_the_dialog(app, store, collection):
    app.button(key="evolve_start").click().run()
    app.text_input(key="evolve_name_launch").set_value("attack").run()

    app.button(key="evolve_show").click().run()

    assert "already: choose another name, or merge the two" in said(app)
    assert store.schema_changes.all(collection) == []


def test_what_waits_for_a_person_is_told_on_the_page(store, collection, app):
    store.schema_changes.apply(collection, SplitType("launch", ("a", "b")))

    app.run()

    assert "10 samples wait for a person because of a change." in said(app)


def test_an_odd_label_is_shown_with_its_reason_and_can_be_called_right(
    app, home, store, collection
):
    refresh_radar(Services(home, store), collection)
    app.run()
    assert "2 samples look odd" in said(app)
    assert "“запустила” is attack here and launch in 5 of 5 other places" in said(app)
    odd = store.radar.list(collection)[0][0]

    app.button(key=f"radar_right_{odd}").click().run()

    assert "1 sample looks odd" in said(app)
    assert odd not in [key for key, *_ in store.radar.list(collection)]
    app.button(key="radar_again").click().run()
    assert odd in [key for key, *_ in store.radar.list(collection)]
    app.button(key=f"radar_right_{odd}").click().run()
    app.button(key="radar_audit").click().run()
    assert store.jobs.open("audit")[0].payload == {"collection": collection, "count": 40}
    assert "The model is looking at reviewed samples" in said(app)
