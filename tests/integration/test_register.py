"""Models on the list: behind a server, or a script; what they are for, and what they are not."""

from __future__ import annotations

import json
import socket

import pytest

import cli
from core.errors import InputError, ModelError, ModelUnreachable, TrainingError
from core.samples import Sample
from core.schema import EventType, Role, Schema
from tests.integration.model_server import ModelServer, reply
from train.recipes import Recipe
from train.register import register_model, register_server
from train.registry import base_to_train
from train.runs import add_run
from train.services import Services, base_location, open_backend
from train.suggesting import suggest_events

SCHEMA = Schema((EventType("launch", roles=(Role("agent"),)),))
SAMPLES = [
    Sample("zh-1", "zh", "text", "晨星周二发布了芯片。"),
    Sample("ru-1", "ru", "text", "Нортия запустила спутник."),
]
KEY = "sk-secret-0123456789"
RIGHT = reply('{"events":[{"type":"launch","trigger":"发布","arguments":{"agent":["晨星"]}}]}')


@pytest.fixture
def services(home, store):
    return Services(home, store)


@pytest.fixture
def server():
    with ModelServer(RIGHT) as started:
        yield started


def add_collection(services):
    record = services.store.collections.create("демо", SCHEMA)
    services.store.samples.add(record.id, SAMPLES, schema_number=1)
    return record


def make_script(folder, name="script", **script):
    path = folder / f"{name}.json"
    path.write_text(json.dumps(script, ensure_ascii=False), encoding="utf-8")
    return path


def make_weights(folder):
    """What looks like a language model from outside."""
    (folder / "weights").mkdir()
    (folder / "weights" / "config.json").write_text('{"architectures": ["TinyForCausalLM"]}')
    (folder / "weights" / "model.safetensors").write_bytes(b"")
    return folder / "weights"


def test_a_server_is_asked_for_its_model_and_kept_with_what_is_needed_to_use_it(services, server):
    server.models = [{"id": "Qwen/Qwen3-4B", "max_model_len": 16384}]

    made = register_server(services, f" {server.address}/ ", title="通义")

    assert (made.id, made.title, made.kind, made.location) == (
        "qwen3-4b", "通义", "server", server.address,
    )  # fmt: skip
    assert made.manifest == {
        "kind": "server", "address": server.address, "name": "Qwen/Qwen3-4B", "key_variable": "",
        "context": 16384,
    }  # fmt: skip


def test_a_registered_server_suggests_through_the_one_pipeline(services, server):
    collection = add_collection(services)
    model = register_server(services, server.address)

    found = suggest_events(services, open_backend(services, model), collection.id, SAMPLES, SCHEMA)

    assert [e.trigger.start for e in found[0].events] == [4]
    assert server.asked[0]["model"] == "tiny"


@pytest.mark.parametrize("given", ["", "/", "/v1/chat/completions"])
def test_an_address_given_too_short_or_too_long_is_put_right(services, server, given):
    made = register_server(services, f"http://127.0.0.1:{server.port}{given}")

    assert made.location == server.address


def test_of_several_models_one_must_be_named(services, server):
    server.models = [{"id": "gemma3"}, {"id": "модель"}]

    with pytest.raises(InputError, match="name one: gemma3, модель"):
        register_server(services, server.address)
    with pytest.raises(InputError, match="no model '模型'"):
        register_server(services, server.address, name="模型")
    assert register_server(services, server.address, name="модель").manifest["name"] == "модель"


def test_the_same_model_again_is_one_and_another_of_that_name_is_two(services, server, tmp_path):
    first = register_server(services, server.address)
    again = register_server(services, server.address, title="Again")
    other = register_model(services, str(make_script(tmp_path, "tiny")))

    assert (first.id, again.id, other.id) == ("tiny", "tiny", "tiny-2")
    assert {m.id: m.title for m in services.store.models.all()} == {
        "tiny": "Again", "tiny-2": "tiny",
    }  # fmt: skip


def test_a_server_that_is_not_there_is_not_registered(services):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{taken.getsockname()[1]}/v1"

        with pytest.raises(ModelUnreachable, match=address):
            register_server(services, address)

    assert services.store.models.all() == []


def test_a_server_without_models_or_with_something_else_is_not_registered(services, server):
    server.models = []
    with pytest.raises(ModelError, match="has no model"):
        register_server(services, server.address)

    with pytest.raises(ModelError, match="has no list of models"):
        register_server(services, f"http://127.0.0.1:{server.port}/elsewhere")
    assert services.store.models.all() == []


ADDRESSES = [
    ("", "not the address"), ("localhost:8080", "not the address"), ("ftp://a/v1", "not the address"),
    ("file:///etc/passwd", "not the address"), ("http://", "not the address"),
    ("http://a b/v1", "not the address"), ("http://a:x/v1", "not an address"),
    ("http://user:pa55word@host/v1", "without a name, key or password"),
    ("http://host/v1?api_key=pa55word", "without a name, key or password"),
    ("http://host/v1#pa55word", "without a name, key or password"),
]  # fmt: skip


@pytest.mark.parametrize(("address", "said"), ADDRESSES)
def test_what_is_no_address_or_holds_a_secret_is_refused(services, address, said):
    with pytest.raises(InputError, match=said) as told:
        register_server(services, address)

    assert "pa55word" not in str(told.value)


@pytest.mark.parametrize("pasted", [KEY, "sk_secret_0123456789", "Bearer X", "КЛЮЧ", "A" * 80])
def test_a_key_pasted_where_its_variable_belongs_is_refused_and_not_repeated(services, pasted):
    with pytest.raises(InputError, match="name of an environment variable") as told:
        register_server(services, "http://127.0.0.1:9/v1", key_variable=pasted)

    assert pasted not in str(told.value)


def test_the_key_is_sent_and_stands_nowhere_in_the_home_folder(services, server, monkeypatch):
    monkeypatch.setenv("MODEL_KEY", KEY)
    collection = add_collection(services)

    model = register_server(services, server.address, key_variable="MODEL_KEY")
    suggest_events(services, open_backend(services, model), collection.id, SAMPLES[:1], SCHEMA)

    sent = {r.headers.get("Authorization", r.headers.get("authorization")) for r in server.requests}
    files = [f for f in services.home.root.rglob("*") if f.is_file()]
    assert sent == {f"Bearer {KEY}"}
    assert files
    assert all(KEY.encode() not in f.read_bytes() for f in files)


def test_a_script_is_registered_says_what_it_is_and_suggests(services, tmp_path):
    rules = [{"text": "запустила", "reply": [["launch", "запустила", [["agent", "Нортия"]]]]}]
    collection = add_collection(services)
    model = register_model(
        services, str(make_script(tmp_path, "правила", rules=rules)), "По правилам"
    )

    found = suggest_events(services, open_backend(services, model), collection.id, SAMPLES, SCHEMA)

    assert (model.kind, model.title, model.can_be_trained) == ("scripted", "По правилам", False)
    assert [[e.trigger.text for e in s.events] for s in found] == [[], ["запустила"]]


def test_a_wrong_script_is_not_registered(services, tmp_path):
    with pytest.raises(ModelError, match="wrong at rules"):
        register_model(services, str(make_script(tmp_path, rules=3)))

    assert services.store.models.all() == []


def test_neither_a_server_nor_a_script_is_trained(services, server, tmp_path):
    collection = add_collection(services)
    behind = register_server(services, server.address)
    with pytest.raises(TrainingError, match="no other base model"):
        base_to_train(services, collection.id)
    script = register_model(services, str(make_script(tmp_path)))
    local = register_model(services, str(make_weights(tmp_path)))

    assert base_to_train(services, collection.id).id == local.id
    for model in (behind, script):
        with pytest.raises(TrainingError, match="cannot be trained"):
            add_run(services, collection.id, Recipe.laptop(), base_id=model.id)
        with pytest.raises(ModelError, match="no weights here"):
            base_location(services, model)


def test_the_command_line_registers_a_server(services, server, capsys):
    code = cli.main(["models", "--add-server", server.address, "--context", "2048", "--json"])

    listed = json.loads(capsys.readouterr().out)
    assert code == 0
    assert "tiny" in [m["model"] for m in listed]
    assert services.store.models.get("tiny").manifest["context"] == 2048
