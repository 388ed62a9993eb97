"""The frame: the gate, the navigation, the collection switch, and pages with nothing to show."""

from __future__ import annotations

import pytest

from tests.app.data import add_demo

PAGES = ["home", "review", "samples", "schema", "training", "models", "overview"]


def said(app) -> str:
    """Everything that a page says, in one string."""
    parts = [*app.markdown, *app.caption, *app.info, *app.warning, *app.error, *app.success]
    return "\n".join(str(element.value) for element in parts)


def test_the_name_is_asked_once_and_kept(newcomer, home):
    newcomer.run()
    newcomer.text_input(key="name_input").set_value("  王芳 ")
    newcomer.button(key="name_save").click().run()

    assert not newcomer.exception
    assert not [field for field in newcomer.text_input if field.key == "name_input"]
    assert "王芳" in said(newcomer)


def test_an_empty_name_is_refused_with_what_to_do(newcomer):
    newcomer.run()
    newcomer.button(key="name_save").click().run()

    assert "type the name" in newcomer.error[0].value


def test_nothing_but_the_name_is_shown_before_it_is_given(newcomer):
    newcomer.run()

    assert len(newcomer.button) == 1
    assert not newcomer.selectbox


@pytest.mark.parametrize("page", PAGES)
def test_a_page_without_any_collection_says_why_and_offers_the_way_on(open_page, page):
    app = open_page(page)

    assert not app.exception
    assert app.button or app.file_uploader


@pytest.mark.parametrize("page", PAGES)
def test_a_page_opens_with_data(open_page, services, page):
    add_demo(services)

    app = open_page(page)

    assert not app.exception
    assert not app.error


def test_the_switch_changes_the_collection_and_the_address(open_page, services):
    add_demo(services)
    add_demo(services, "Новости")
    app = open_page("home")

    app.selectbox(key="collection_switch").select("Новости").run()

    assert "Новости" in said(app)
    assert app.query_params["collection"] == "Новости"


def test_the_address_chooses_the_collection_on_a_reload(open_page, services):
    add_demo(services)
    add_demo(services, "新闻")

    app = open_page("home", collection="新闻")

    assert app.selectbox(key="collection_switch").value == "新闻"


def test_a_link_to_a_sample_chooses_its_collection(open_page, services):
    add_demo(services)
    other = add_demo(services, "新闻")
    key = services.store.samples.keys(collection_id=other.id)[0]

    app = open_page("home", sample=str(key))

    assert app.selectbox(key="collection_switch").value == "新闻"


def test_a_locked_database_is_one_line_with_the_remedy(open_page, services, monkeypatch):
    from core.errors import StorageError
    from storage.reads import Reads

    add_demo(services)

    def refuse(*_: object) -> None:
        raise StorageError("the database is locked by another program: close it, then try again")

    monkeypatch.setattr(Reads, "coverage", refuse)
    app = open_page("home")

    assert not app.exception
    assert "close it, then try again" in app.error[0].value
