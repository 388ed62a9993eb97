"""Schema: labels, required roles, new versions; what is in use cannot be removed."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from core.schema import EventType, Role, Schema, schema_to_json
from tests.app.conftest import ROOT
from tests.app.data import SCHEMA, add_demo


@pytest.fixture
def reload_page(app: AppTest) -> Callable[[], AppTest]:
    """The page in a session of its own, as a reload of the browser opens it."""

    def go() -> AppTest:
        fresh = AppTest.from_file(str(ROOT / "app.py"), default_timeout=30)
        fresh.run()
        return fresh.switch_page("pages/schema.py").run()

    return go


def newest(services):
    record = services.store.collections.get("demo")
    return record.schema_number, services.store.collections.schema(record.id)


def test_a_label_becomes_a_new_version_with_its_note(open_page, services):
    add_demo(services)
    app = open_page("schema")

    app.text_input(key="type_0_0_label_ru").set_value("Запуск").run()
    unchanged = newest(services)[0]
    app.text_input(key="schema_note").set_value("Russian labels")
    app.button(key="schema_save").click().run()

    number, schema = newest(services)
    record = services.store.collections.get("demo")
    assert not app.exception
    assert (unchanged, number) == (1, 2)
    assert schema.types[0].labels == {"en": "Launch", "zh": "发布", "ru": "Запуск"}
    versions = services.store.collections.schema_versions(record.id)
    assert (versions[0]["note"], versions[0]["person"]) == ("Russian labels", "Ana")
    assert services.store.collections.schema(record.id, 1) == SCHEMA


def test_what_is_not_saved_yet_is_said_and_can_be_discarded(open_page, services):
    add_demo(services)
    app = open_page("schema")

    app.checkbox(key="type_0_0_role_1_required").check().run()
    told = "\n".join(m.value for m in app.markdown)
    app.button(key="schema_discard").click().run()

    assert "launch: place changed" in told
    assert not [b for b in app.button if b.key == "schema_save"]
    assert newest(services) == (1, SCHEMA)


def test_a_role_in_use_is_not_removed_and_the_count_is_given(open_page, services):
    add_demo(services)
    app = open_page("schema")

    app.button(key="type_0_0_role_0_remove").click().run()

    assert "20 times" in app.error[0].value
    assert "another label" in app.error[0].value
    assert newest(services) == (1, SCHEMA)


def test_a_type_in_use_is_neither_removed_nor_renamed(open_page, services):
    add_demo(services)
    app = open_page("schema")

    app.button(key="type_0_0_remove").click().run()

    assert "20 times" in app.error[0].value
    assert app.text_input(key="type_0_0_name").disabled


def test_an_unused_role_and_type_can_go(open_page, services):
    add_demo(services)
    app = open_page("schema")

    app.button(key="type_0_0_role_1_remove").click().run()
    app.radio(key="schema_type_1").set_value(1).run()
    app.button(key="type_1_1_remove").click().run()
    app.button(key="schema_save").click().run()

    _, schema = newest(services)
    assert schema.type("outage") is None
    assert [r.name for r in schema.types[0].roles] == ["agent"]


def test_a_type_and_a_role_are_added(open_page, services):
    add_demo(services)
    app = open_page("schema")

    app.text_input(key="new_type_name").set_value("Запуск спутника")
    app.button(key="add_type").click().run()
    app.radio(key="schema_type_1").set_value(2).run()
    app.text_input(key="type_1_2_new_role").set_value("地点")
    app.button(key="type_1_2_add_role").click().run()
    app.button(key="schema_save").click().run()

    assert newest(services)[1].types[2] == EventType("Запуск спутника", roles=(Role("地点"),))


def test_a_name_that_is_taken_is_refused(open_page, services):
    add_demo(services)
    app = open_page("schema")

    app.text_input(key="new_type_name").set_value("outage")
    app.button(key="add_type").click().run()

    assert "another name" in app.error[0].value


def test_a_schema_file_waits_to_be_saved(open_page, services):
    add_demo(services)
    app = open_page("schema")
    bigger = Schema((*SCHEMA.types, EventType("并购", {"zh": "并购"}, "", (Role("цель"),))))

    app.file_uploader[0].set_value(
        ("schema.json", schema_to_json(bigger).encode(), "application/json")
    )
    app.run()
    before = newest(services)[0]
    app.button(key="schema_save").click().run()

    assert before == 1
    assert newest(services) == (2, bigger)


def test_a_schema_file_that_would_lose_labels_is_refused_with_the_count(open_page, services):
    add_demo(services)
    app = open_page("schema")
    smaller = Schema(SCHEMA.types[1:])

    app.file_uploader[0].set_value(("s.json", schema_to_json(smaller).encode(), "application/json"))
    app.run()
    app.button(key="schema_save").click().run()

    assert "20 times" in app.error[0].value
    assert newest(services) == (1, SCHEMA)


@pytest.mark.parametrize("data", [b"{", b'{"types": [{"name": ""}]}', "не JSON".encode()])
def test_a_file_that_is_no_schema_is_refused(open_page, services, data):
    add_demo(services)
    app = open_page("schema")

    app.file_uploader[0].set_value(("s.json", data, "application/json"))
    app.run()

    assert not app.exception
    assert app.error


def test_the_kinds_of_a_role_are_chosen_typed_and_saved(open_page, services):
    add_demo(services)
    app = open_page("schema")

    app.multiselect(key="type_0_0_role_1_kinds").set_value(["место", "地点 "]).run()
    app.radio(key="schema_type_0").set_value(1).run()
    offered = app.multiselect(key="type_0_1_role_0_kinds").options
    app.button(key="schema_save").click().run()

    assert newest(services)[1].types[0].roles[1].entity_kinds == ("место", "地点")
    assert newest(services)[1].types[0].roles[0].entity_kinds == ()
    assert set(offered) == {"место", "地点"}


def test_a_kind_that_is_too_long_is_not_kept(open_page, reload_page, services):
    add_demo(services)
    app = open_page("schema")

    app.multiselect(key="type_0_0_role_1_kinds").set_value(["组织", "ж" * 121]).run()

    assert "120 characters" in app.error[0].value
    assert reload_page().multiselect(key="type_0_0_role_1_kinds").value == ["组织"]


def test_what_is_not_saved_yet_is_there_after_a_reload(open_page, reload_page, services):
    add_demo(services)
    app = open_page("schema")
    app.text_input(key="type_0_0_label_ru").set_value("Запуск").run()
    app.text_input(key="new_type_name").set_value("并购")
    app.button(key="add_type").click().run()

    again = reload_page()
    shown = again.text_input(key="type_0_0_label_ru").value
    again.button(key="schema_save").click().run()

    assert shown == "Запуск"
    number, schema = newest(services)
    assert number == 2
    assert schema.types[0].labels["ru"] == "Запуск"
    assert schema.types[2].name == "并购"
    last = reload_page()
    assert not [b for b in last.button if b.key == "schema_save"]


def test_what_was_discarded_or_typed_back_is_not_there_after_a_reload(
    open_page, reload_page, services
):
    record = add_demo(services)
    app = open_page("schema")
    app.checkbox(key="type_0_0_role_1_required").check().run()
    app.button(key="schema_discard").click().run()
    discarded = services.store.schema_drafts.get(record.id, "Ana")

    app = reload_page()
    app.checkbox(key="type_0_0_role_1_required").check().run()
    kept = services.store.schema_drafts.get(record.id, "Ana")
    app.checkbox(key="type_0_0_role_1_required").uncheck().run()

    assert discarded is None
    assert kept is not None
    assert services.store.schema_drafts.get(record.id, "Ana") is None


def test_a_draft_that_another_version_overtook_says_so_and_is_not_lost(
    open_page, reload_page, services
):
    record = add_demo(services)
    app = open_page("schema")
    app.text_input(key="type_0_0_label_ru").set_value("Запуск").run()
    bigger = Schema((*SCHEMA.types, EventType("并购")))
    services.store.collections.save_schema(record.id, bigger, note="", person="Bo")

    again = reload_page()
    again.button(key="schema_save").click().run()

    assert "Version 2 was saved in the meantime" in again.error[0].value
    assert again.text_input(key="type_0_0_label_ru").value == "Запуск"
    assert newest(services) == (2, bigger)


def test_two_types_of_one_name_wait_in_a_draft_until_one_is_renamed(
    open_page, reload_page, services
):
    record = add_demo(services)
    app = open_page("schema")
    app.text_input(key="new_type_name").set_value("并购")
    app.button(key="add_type").click().run()
    app.radio(key="schema_type_1").set_value(2).run()
    app.text_input(key="type_1_2_name").set_value("outage").run()

    again = reload_page()
    again.button(key="schema_save").click().run()

    assert "there twice" in again.error[0].value
    assert newest(services) == (1, SCHEMA)
    services.store.collections.set_person("Анна")
    assert services.store.schema_drafts.get(record.id, "Анна") is not None
    services.store.collections.delete(record.id)
    assert services.store.schema_drafts.get(record.id, "Анна") is None
