"""A model behind a server: what comes back, and what is said when nothing good does."""

from __future__ import annotations

import json
import logging
import math
import socket
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from jsonschema import Draft202012Validator

from core.errors import CancelledError, ModelError, ModelUnreachable
from core.events import Argument, Event, span
from core.models.server import ServerBackend
from core.models.server_client import LARGEST, Patience, Server
from core.ports import Decoding, Prompting
from core.samples import Sample
from core.schema import EventType, Role, Schema
from tests.integration.model_server import ModelServer, give, reply, say

SCHEMA = Schema(
    (
        EventType("launch", roles=(Role("agent", required=True, multiple=False), Role("product"))),
        EventType("outage", roles=(Role("system"),)),
    )
)
SAMPLES = [
    Sample("en-1", "en", "text", "Nortia unveiled a modem."),
    Sample("zh-1", "zh", "text", "🚀晨星周二发布了芯片。"),
    Sample("es-1", "es", "text", "Nortia lanzó un módem."),
    Sample("ru-1", "ru", "text", "Нортия запустила спутник."),
]
WORDS = {
    "en-1": ("unveiled", "Nortia"), "zh-1": ("发布", "晨星"),
    "es-1": ("lanzó", "Nortia"), "ru-1": ("запустила", "Нортия"),
}  # fmt: skip
QUICK = Patience(tries=3, first_pause=0.01, longest_pause=0.5, connect=2, answer=5)
KEY = "sk-secret-0123456789"


def right_reply(trigger, agent):
    event = {"type": "launch", "trigger": trigger, "arguments": {"agent": [agent]}}
    return json.dumps({"events": [event]}, ensure_ascii=False)


def answer_rightly(handler, body):
    """What a good model says of the sample that stands in the prompt."""
    said = body["messages"][0]["content"]
    found = next(WORDS[s.id] for s in SAMPLES if s.text in said)
    reply(right_reply(*found))(handler, body)


def make_backend(server, **options):
    address = server if isinstance(server, str) else server.address
    known = {k: options.pop(k) for k in ("key_variable", "patience") if k in options}
    line = Server(address, **({"patience": QUICK} | known))
    return ServerBackend("vllm", line, "tiny", **options)


@pytest.fixture
def server():
    with ModelServer(answer_rightly) as started:
        yield started


def test_suggestions_come_back_in_order_with_exact_places(server):
    found = make_backend(server).suggest(SAMPLES, SCHEMA)

    for sample, suggested in zip(SAMPLES, found, strict=True):
        (event,) = suggested.events
        trigger, (agent,) = event.trigger, event.arguments
        assert sample.text[trigger.start : trigger.end] == WORDS[sample.id][0]
        assert sample.text[agent.mention.start : agent.mention.end] == WORDS[sample.id][1]
        assert suggested.problems == ()
        assert json.loads(suggested.raw_reply)["events"][0]["trigger"] == WORDS[sample.id][0]


def test_the_request_binds_the_reply_to_types_roles_and_their_number(server):
    make_backend(server).suggest(SAMPLES[:1], SCHEMA, decoding=Decoding(temperature=0.3, seed=7))

    (body,) = server.asked
    form = body["response_format"]
    schema = Draft202012Validator(form["json_schema"]["schema"])
    assert (form["type"], body["model"], body["temperature"]) == ("json_schema", "tiny", 0.3)
    assert schema.is_valid(json.loads(right_reply("unveiled", "Nortia")))
    assert not schema.is_valid({"events": [{"type": "launch", "trigger": "x", "arguments": {}}]})
    assert not schema.is_valid(
        json.loads(right_reply("unveiled", "Nortia").replace("agent", "who"))
    )


def test_reviewed_examples_are_shown_in_the_form_that_the_reply_has(server):
    text = "Компания «Нортия»\r\nзапустила спутник."
    at = text.index("запустила")
    argument = Argument("agent", span(text, 10, 16))
    shown = replace(
        SAMPLES[3], text=text, events=(Event("launch", span(text, at, at + 9), (argument,)),)
    )
    prompting = Prompting("english.v2", {"zh-1": [shown]})

    make_backend(server).suggest(SAMPLES[1:2], SCHEMA, prompting=prompting)

    said = server.asked[0]["messages"][0]["content"]
    assert right_reply("запустила", "Нортия") in said
    assert said.index("запустила спутник") < said.index(SAMPLES[1].text)
    assert said.endswith("Events:\n")


def test_the_same_seed_asks_the_same_of_a_sample_and_another_one_does_not(server):
    backend = make_backend(server)
    for seed in (1, 1, 2):
        backend.suggest(SAMPLES[3:], SCHEMA, decoding=Decoding(seed=seed))

    first, second, third = (body["seed"] for body in server.asked)
    assert first == second != third


def test_free_decoding_asks_without_a_schema(server):
    make_backend(server).suggest(SAMPLES[:1], SCHEMA, decoding=Decoding(is_free=True))

    assert "response_format" not in server.asked[0]


def test_probabilities_of_tokens_become_confidences(server):
    said = right_reply("发布", "晨星")
    raw = said.encode()
    at = raw.index("发布".encode())
    cuts = [0, at, at + 2, at + 3, at + 7, len(raw)]  # a token may end inside a character
    likely = [1.0, 0.9, 0.8, 0.5, 1.0]
    tokens = [
        {"token": "?", "bytes": list(raw[a:b]), "logprob": math.log(p)}
        for a, b, p in zip(cuts[:-1], cuts[1:], likely, strict=True)
    ]
    server.answers = [reply(said, logprobs={"content": tokens})]

    (found,) = make_backend(server).suggest(SAMPLES[1:2], SCHEMA)

    (event,) = found.events
    assert event.trigger.confidence == pytest.approx(0.9 * 0.8 * 0.5)
    assert event.confidence == 1.0


NO_PROBABILITIES = [
    None, {}, {"content": None}, {"content": [{"token": "other text", "logprob": -1}]},
    {"content": [{"token": right_reply("发布", "晨星"), "logprob": None}]},
    {"content": [{"token": right_reply("发布", "晨星"), "logprob": math.nan}]}, "text",
]  # fmt: skip


@pytest.mark.parametrize("said", NO_PROBABILITIES, ids=range(len(NO_PROBABILITIES)))
def test_without_probabilities_that_can_be_read_there_is_no_confidence(server, said):
    server.answers = [reply(right_reply("发布", "晨星"), logprobs=said)]

    (found,) = make_backend(server).suggest(SAMPLES[1:2], SCHEMA)

    assert found.events[0].trigger.text == "发布"
    assert found.events[0].trigger.confidence is None


def test_tokens_given_as_text_with_a_blank_before_the_reply_count_too(server):
    said = right_reply("запустила", "Нортия")
    tokens = [{"token": t, "logprob": math.log(0.5)} for t in (" ", said)]
    server.answers = [reply(said, logprobs={"content": tokens})]

    (found,) = make_backend(server).suggest(SAMPLES[3:], SCHEMA)

    assert found.events[0].trigger.confidence == pytest.approx(0.5)


def test_a_server_without_probabilities_or_the_newer_schema_form_is_asked_for_less(server):
    def as_llama_cpp_python(handler, body):
        form = body["response_format"]["type"]
        if form != "json_object":
            problem = [{"type": "literal_error", "loc": ["body", "response_format", "type"]}]
            say(422, {"detail": problem})(handler, body)
        elif body.get("logprobs"):
            told = "logprobs is not supported for models created with logits_all=False"
            say(500, {"error": {"message": told, "type": "internal_server_error"}})(handler, body)
        else:
            answer_rightly(handler, body)

    server.usual = as_llama_cpp_python
    backend = make_backend(server)
    found = backend.suggest(SAMPLES, SCHEMA)
    before = len(server.asked)
    backend.suggest(SAMPLES, SCHEMA)

    assert all(s.events for s in found)
    assert "schema" in server.asked[-1]["response_format"]
    assert len(server.asked) - before == len(SAMPLES)  # it is not asked for more again


# ---------------------------------------------------------------- servers that are busy or broken


BUSY = [
    ("429 with seconds", say(429, {"error": {"message": "slow down"}}, Retry_After="0")),
    ("429 with a date", say(429, {}, Retry_After=format_datetime(datetime.now(UTC)))),
    ("429 with nonsense", say(429, {}, Retry_After="soon")),
    ("500", say(500, {"error": "cuda"})),
    ("502 with a page", lambda h, _: give(h, 502, b"<html>Bad gateway</html>", kind="text/html")),
    ("503", say(503, {"error": {"message": "Loading model", "code": 503}})),
    ("a cut body", lambda h, _: give(h, 200, b'{"choices": [', length=500)),
    ("cut JSON", lambda h, _: give(h, 200, b'{"choices": [{"message": {"content": "')),
    ("a closed connection", lambda h, _: h.connection.shutdown(socket.SHUT_RDWR)),
]


@pytest.mark.parametrize(("name", "trouble"), BUSY, ids=[name for name, _ in BUSY])
def test_trouble_that_may_pass_is_tried_again(server, name, trouble):
    server.answers = [trouble, trouble]

    found = make_backend(server).suggest(SAMPLES[3:], SCHEMA)

    assert found[0].events[0].trigger.text == "запустила"
    assert len(server.asked) == 3


@pytest.mark.parametrize(("name", "trouble"), BUSY, ids=[name for name, _ in BUSY])
def test_trouble_that_stays_is_told_with_the_address_and_what_to_do(server, name, trouble):
    server.usual = trouble

    with pytest.raises(ModelUnreachable) as told:
        make_backend(server).suggest(SAMPLES[:1], SCHEMA)

    assert server.address in str(told.value)
    assert "goes on when it is back" in str(told.value)
    assert len(server.asked) == QUICK.tries


@pytest.mark.parametrize("is_date", [False, True], ids=["s", "date"])
def test_a_server_that_asks_for_a_long_pause_is_left_alone(server, is_date):
    until = format_datetime(datetime.now(UTC) + timedelta(seconds=3600)) if is_date else "3600"
    server.usual = say(429, {"error": {"message": "дневной лимит"}}, Retry_After=until)

    with pytest.raises(
        ModelUnreachable, match=r"429, it says: дневной лимит.*wait 3,[56]\d\d seconds"
    ):
        make_backend(server).suggest(SAMPLES[:1], SCHEMA)

    assert len(server.asked) == 1


def test_a_server_that_is_too_slow_is_given_up(server):
    never = threading.Event()
    server.usual = lambda handler, body: never.wait(20)

    with pytest.raises(ModelUnreachable, match=r"no answer within 0\.2 seconds"):
        make_backend(server, patience=replace(QUICK, answer=0.2)).suggest(SAMPLES[:1], SCHEMA)
    never.set()
    assert len(server.asked) == 1  # it is not asked again, which would only lengthen its queue


def test_a_server_that_drips_is_given_up_as_a_slow_one(server):
    never = threading.Event()

    def drip(handler, body):
        give(handler, 200, b"{", length=10_000)
        while not never.wait(0.02):
            handler.wfile.write(b" ")

    server.usual = drip
    patience = replace(QUICK, answer=0.3)
    with pytest.raises(ModelUnreachable, match=r"no answer within 0\.3 seconds"):
        make_backend(server, patience=patience).suggest(SAMPLES[:1], SCHEMA)
    never.set()


def test_a_dead_server_is_told_with_its_address():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{taken.getsockname()[1]}/v1"
        backend = make_backend(address)

        with pytest.raises(ModelUnreachable) as told:
            backend.suggest(SAMPLES, SCHEMA)

    assert f"the server at {address} cannot be used now: no connection" in str(told.value)


# ---------------------------------------------------------------- answers that are wrong for good


def test_an_answer_that_is_too_long_is_not_read_to_its_end(server):
    def flood(handler, body):
        give(handler, 200, b"", length=10**12)
        for _ in range(1000):
            handler.wfile.write(b" " * 1_000_000)

    server.usual = flood
    with pytest.raises(ModelError, match=f"more than {LARGEST:,} bytes"):
        make_backend(server).suggest(SAMPLES[:1], SCHEMA)


def test_a_redirect_is_not_followed_and_neither_text_nor_key_go_elsewhere(server, monkeypatch):
    monkeypatch.setenv("MODEL_KEY", KEY)
    with ModelServer(answer_rightly) as other:
        server.usual = say(307, {}, Location=f"{other.address}/chat/completions")

        with pytest.raises(ModelError, match="sends its callers elsewhere") as told:
            make_backend(server, key_variable="MODEL_KEY").suggest(SAMPLES[:1], SCHEMA)

        assert other.requests == []
    assert not isinstance(told.value, ModelUnreachable)


WRONG = [
    ("a page", lambda h, _: give(h, 200, b"<html>Welcome</html>", kind="text/html"), "Welcome"),
    ("no choices", say(200, {"choices": []}), "none of a model"),
    ("a list", say(200, []), "none of a model"),
    ("no message", say(200, {"choices": [{"text": "x"}]}), "none of a model"),
    ("400", say(400, {"error": {"message": "контекст превышен"}}), "контекст превышен"),
    ("404", say(404, {"error": {"message": "model not found"}}), "does not know the model 'tiny'"),
    ("401", say(401, {"error": {"message": "bad key"}}), "refuses a request without key"),
]


@pytest.mark.parametrize(("name", "answer", "said"), WRONG, ids=[c[0] for c in WRONG])
def test_what_does_not_pass_is_told_at_once_with_the_servers_words(server, name, answer, said):
    server.usual = answer

    with pytest.raises(ModelError, match=said) as told:
        make_backend(server).suggest(SAMPLES[1:2], SCHEMA)

    assert not isinstance(told.value, ModelUnreachable)
    assert "'zh-1'" in str(told.value)
    assert len(server.asked) == 1


REPLIES = [
    ("nothing", None, ["not_a_reply"], 0),
    ("words", "There are no events, 没有事件。", ["not_a_reply"], 0),
    ("an unknown type", '{"events":[{"type":"война","trigger":"发布"}]}', ["unknown_type"], 0),
    ("an unknown role", '[["launch","发布",[["who","晨星"]]]]', ["unknown_role"], 1),
    ("other words", right_reply("发售", "晨星"), ["not_in_text"], 1),
    ("the compact form", '[["launch","发布",[["agent","晨星"]]]]', [], 1),
    ("half a surrogate pair", right_reply("发布", "\ud83d"), ["not_in_text"], 1),
]


@pytest.mark.parametrize(
    ("name", "content", "codes", "events"), REPLIES, ids=[c[0] for c in REPLIES]
)
def test_a_reply_of_the_wrong_kind_is_a_problem_of_its_sample(server, name, content, codes, events):
    server.answers = [reply(content)]

    (found,) = make_backend(server).suggest(SAMPLES[1:2], SCHEMA)

    assert [p.code for p in found.problems] == codes
    assert len(found.events) == events
    found.raw_reply.encode("utf-8")


def test_a_reply_that_the_token_limit_cut_keeps_what_was_whole(server):
    whole = right_reply("запустила", "Нортия")
    server.answers = [reply(whole[:-4], finish="length"), reply('{"ev', finish="length")]

    found = make_backend(server, parallel=1).suggest([SAMPLES[3]] * 2, SCHEMA)

    assert found[0].events[0].trigger.text == "запустила"
    assert found[1].events == ()
    assert [[p.code for p in s.problems] for s in found] == [["cut_reply"], ["cut_reply"]]


def test_where_there_is_nothing_to_find_the_server_is_not_asked(server):
    backend = make_backend(server)

    (blank,) = backend.suggest([replace(SAMPLES[0], text=" \n")], SCHEMA)
    (untyped,) = backend.suggest(SAMPLES[:1], Schema((EventType("gone", retired=True),)))

    assert (blank.events, untyped.events, server.requests) == ((), (), [])


# ---------------------------------------------------------------- work in parallel, and its end


def test_no_more_requests_run_at_a_time_than_allowed(server):
    together = threading.Barrier(3)

    def answer_together(handler, body):
        together.wait(20)
        answer_rightly(handler, body)

    server.usual = answer_together
    shares = []
    make_backend(server, parallel=3).suggest(SAMPLES[:3] * 4, SCHEMA, on_step=shares.append)

    assert server.busiest == 3
    assert shares == sorted(shares)
    assert shares[-1] == 1.0


def test_work_that_is_called_off_ends_while_the_server_still_thinks(server):
    thinking, never = threading.Event(), threading.Event()

    def think(handler, body):
        thinking.set()
        never.wait(30)

    def call_off(share):
        if thinking.is_set():
            raise CancelledError("cancelled by a person")

    server.usual = think
    with pytest.raises(CancelledError):
        make_backend(server, parallel=2).suggest(SAMPLES * 5, SCHEMA, on_step=call_off)

    assert len(server.asked) <= 2
    never.set()


def test_work_that_is_called_off_does_not_wait_for_a_pause_between_tries(server):
    server.usual = say(503, {}, Retry_After="300")

    def call_off(share):
        if server.asked:
            raise CancelledError("cancelled by a person")

    patience = replace(QUICK, longest_pause=600)
    with pytest.raises(CancelledError):
        make_backend(server, patience=patience).suggest(SAMPLES[:1], SCHEMA, on_step=call_off)


def test_a_long_sample_does_not_fit_and_is_not_sent(server):
    backend = make_backend(server, context=1200)
    long = replace(SAMPLES[1], text=SAMPLES[1].text * 60)

    assert backend.fits(SAMPLES[1], SCHEMA)
    assert not backend.fits(long, SCHEMA)
    with pytest.raises(ModelError, match="'zh-1' may be too long for vllm, which reads 1,200"):
        backend.suggest([long], SCHEMA)
    assert server.requests == []


# ---------------------------------------------------------------- the key


def test_the_key_comes_from_the_environment_at_each_use(server, monkeypatch):
    backend = make_backend(server, key_variable="MODEL_KEY")
    monkeypatch.setenv("MODEL_KEY", f"{KEY}\n")
    backend.suggest(SAMPLES[:1], SCHEMA)
    monkeypatch.setenv("MODEL_KEY", "another")
    backend.suggest(SAMPLES[:1], SCHEMA)

    sent = [{k.lower(): v for k, v in r.headers.items()}["authorization"] for r in server.requests]
    assert sent == [f"Bearer {KEY}", "Bearer another"]


@pytest.mark.parametrize("key", [None, "", "ключ-тайна", "two\nlines"])
def test_without_a_usable_key_the_variable_is_named_and_nothing_is_sent(server, monkeypatch, key):
    if key is None:
        monkeypatch.delenv("MODEL_KEY", raising=False)
    else:
        monkeypatch.setenv("MODEL_KEY", key)

    with pytest.raises(ModelError, match="MODEL_KEY") as told:
        make_backend(server, key_variable="MODEL_KEY").suggest(SAMPLES[:1], SCHEMA)

    assert not key or key not in str(told.value)
    assert server.requests == []


@pytest.mark.parametrize("status", [400, 401, 403, 404, 500])
def test_a_key_that_the_server_repeats_is_neither_told_nor_logged(
    server, monkeypatch, caplog, status
):
    monkeypatch.setenv("MODEL_KEY", KEY)
    caplog.set_level(logging.DEBUG)

    def repeat(handler, body):
        told = {"error": {"message": f"bad header {handler.headers['authorization']}"}}
        say(status, told)(handler, body)

    server.usual = repeat
    with pytest.raises(ModelError) as told:
        make_backend(server, key_variable="MODEL_KEY").suggest(SAMPLES[:1], SCHEMA)

    assert KEY not in str(told.value)
    assert "bad header Bearer …" in str(told.value)
    assert KEY not in caplog.text
