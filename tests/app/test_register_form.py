"""Registering a model on the Models page, and what its card and the Training page say of it."""

from __future__ import annotations

import json

import pytest

from tests.app.data import add_demo
from tests.integration.model_server import ModelServer, reply
from train.register import register_model, register_server


def said(app) -> str:
    parts = [*app.markdown, *app.caption, *app.error, *app.warning, *app.success, *app.code]
    return "\n".join(str(element.value) for element in parts)


@pytest.fixture
def server():
    with ModelServer(reply("[]"), models=[{"id": "通义-4b"}, {"id": "gemma"}]) as started:
        yield started


@pytest.fixture
def form(open_page, services):
    """The Models page with the form for a server open."""
    add_demo(services)
    app = open_page("models")
    return app.segmented_control(key="register_kind").set_value("server").run()


def test_a_server_is_registered_and_its_card_says_where_it_is(form, services, server):
    form.text_input(key="server_address").set_value(server.address)
    form.text_input(key="server_name").set_value("通义-4b")
    form.number_input(key="server_context").set_value(8192)
    form.text_input(key="model_title").set_value("Наша модель")
    form.button(key="register").click().run()

    (model,) = [m for m in services.store.models.all() if m.kind == "server"]
    form.selectbox(key="model").set_value(model).run()
    assert not form.exception
    assert f"on the server {server.address} as 通义-4b, reads 8,192 tokens at once" in said(form)


def test_what_is_wrong_with_it_is_said_at_its_place(form, services, server):
    form.text_input(key="server_address").set_value(server.address)
    form.text_input(key="server_variable").set_value("sk-pasted-key")
    form.button(key="register").click().run()

    assert "must be the name of an environment variable" in form.error[0].value
    assert "sk-pasted-key" not in form.error[0].value
    assert not [m for m in services.store.models.all() if m.kind == "server"]


def test_a_server_that_does_not_answer_is_told_with_its_address(form):
    form.text_input(key="server_address").set_value("http://127.0.0.1:9/v1")
    form.button(key="register").click().run()

    assert (
        "server at http://127.0.0.1:9/v1 cannot be used now: no connection (" in form.error[0].value
    )


def test_the_card_of_a_script_says_that_it_is_no_model(open_page, services, tmp_path):
    add_demo(services)
    path = tmp_path / "rules.json"
    path.write_text(json.dumps({"rules": []}))
    model = register_model(services, str(path))

    app = open_page("models")
    app.selectbox(key="model").set_value(model).run()

    assert "scripted: answers from rules, not a model" in said(app)


def test_training_takes_another_base_while_a_server_suggests(open_page, services, server):
    record = add_demo(services)
    model = register_server(services, server.address, name="gemma")
    services.store.models.promote(
        record.id, model.id, previous_id="tiny-base", person="Ana", reason="", scores={}
    )

    app = open_page("training")

    assert not app.exception
    assert " on tiny-base" in said(app)
