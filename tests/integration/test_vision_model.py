"""Vision-language models: pixels reach the model, its reply is decoded, its places are read and checked."""

from __future__ import annotations

import base64
import io
import json

import numpy as np
import pytest
from PIL import Image

from core.errors import ModelError
from core.models.vision import VisionBackend, load_vision_model
from core.ports import Decoding, Prompting, Shown
from core.prompts import SIGHT, SIGHT_CHAT
from core.records import SampleFilter
from core.samples import Sample
from core.schema import EventType, Role, Schema
from tests.integration.media.made_clips import ffmpeg
from tests.integration.model_server import ModelServer, reply
from tests.integration.preparing_data import do, use
from tests.integration.tiny_models import make_idefics, make_llava, make_qwen
from train.media_import import import_bundle
from train.queue import request_suggestion
from train.register import register_model, register_server
from train.registry import base_to_train, model_in_use
from train.services import Services, open_backend

SCHEMA = Schema((EventType("launch", roles=(Role("agent"), Role("place"))),))
PICTURES = [
    Shown("m1", np.full((60, 100, 3), 200, dtype=np.uint8)),
    Shown("m2", np.zeros((40, 40, 3), dtype=np.uint8), time=1.25),
]
HOT = Decoding(temperature=1.0, top_p=1.0, max_new_tokens=150)
MAKERS = {"qwen": make_qwen, "llava": make_llava, "idefics": make_idefics}


@pytest.fixture
def services(home, store):
    return Services(home, store)


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    root = tmp_path_factory.mktemp("tiny")
    return {name: make(root / name) for name, make in MAKERS.items()}


def ask(backend, text, pictures, **more):
    prompting = Prompting(SIGHT, look=lambda _ident: pictures)
    sample = Sample("s", "en", "mixed", text)
    return backend.suggest(
        [sample], SCHEMA, prompting=prompting, decoding=more.get("decoding", HOT)
    )[0]


@pytest.mark.parametrize("kind", MAKERS)
def test_the_pixels_reach_the_model_and_its_reply_keeps_to_the_grammar(folders, kind):
    backend = VisionBackend("v", *load_vision_model(str(folders[kind])))
    given = {}
    generate = backend._model.generate
    backend._model.generate = lambda **inputs: given.update(inputs) or generate(**inputs)

    said = ask(backend, "Nortia launched a probe.", PICTURES)
    blank = ask(backend, None, [])

    assert backend.reads == ("text", "image", "video")
    assert given["pixel_values"].float().abs().sum() > 0
    json.loads(said.raw_reply)
    assert {p.code for p in said.problems} <= {"not_in_text", "repeated", "cut_reply"}
    assert said.prompt_version == SIGHT
    assert blank.raw_reply == "[]"


def test_other_pixels_are_another_question(folders):
    import torch

    backend = VisionBackend("v", *load_vision_model(str(folders["llava"])))
    sample, prompting = Sample("s", "en", "image", None), Prompting(SIGHT)
    rows = []
    for level in (0, 255):
        pictures = [Shown("m1", np.full((40, 40, 3), level, dtype=np.uint8))]
        inputs = backend._inputs(sample, SCHEMA, prompting, pictures)
        inputs["pixel_values"] = inputs["pixel_values"].to(backend._model.dtype)
        with torch.inference_mode():
            rows.append(backend._model(**inputs).logits[0, -1].float())

    assert not torch.equal(*rows)


def test_the_same_question_has_the_same_answer_and_a_step_can_end_it(folders):
    backend = VisionBackend("v", *load_vision_model(str(folders["llava"])))

    assert ask(backend, "Nortia.", PICTURES).events == ask(backend, "Nortia.", PICTURES).events
    with pytest.raises(KeyboardInterrupt):
        backend.suggest([Sample("s", "en", "text", "Nortia.")], SCHEMA, on_step=end_it)
    sample = Sample("s", "en", "text", "Nortia " * 2000)
    assert not backend.fits(sample, SCHEMA)
    with pytest.raises(ModelError, match="too long"):
        backend.suggest([sample], SCHEMA)


def end_it(_share):
    raise KeyboardInterrupt


# ---------------------------------------------------------------- the whole path


@pytest.fixture
def seen(services, tmp_path):
    """A collection of a picture without words and a clip, as they come in from a folder."""
    Image.new("RGB", (90, 60), (10, 200, 60)).save(tmp_path / "a.png")
    ffmpeg("-f", "lavfi", "-i", "testsrc=size=64x48:rate=8:duration=2", str(tmp_path / "b.mp4"))
    media = [
        {"id": "m1", "kind": "image", "path": "a.png"}, {"id": "m2", "kind": "video", "path": "b.mp4"},
    ]  # fmt: skip
    line = {"id": "s", "language": "en", "modality": "mixed", "text": None, "media": media}
    (tmp_path / "a.jsonl").write_text(json.dumps(line))
    services.store.collections.create("seen", SCHEMA)
    import_bundle(services, tmp_path / "a.jsonl", collection="seen")
    return services.store.collections.get("seen").id


def test_a_registered_folder_says_that_it_reads_pictures_and_its_places_become_mentions(
    services, seen, folders, monkeypatch
):
    model = register_model(services, str(folders["llava"]))
    use(services.store, seen, model.id)
    (key,) = services.store.samples.keys()
    shown = []

    def answer(backend, inputs, writer, _decoding):
        shown.append(inputs["pixel_values"].shape)
        said = '[["launch","m1 [100,200,500,900]",[["agent","m2 0.5-1.5 [0,0,500,500]"],["place","m2 9-12"]]]]'
        writer.tokens = backend._vocabulary.write(said)
        writer.probabilities = [0.5] * len(writer.tokens)
        writer._guide.is_over = True

    monkeypatch.setattr(VisionBackend, "_write", answer)
    ended = do(services, request_suggestion(services, key))
    said = services.store.samples.suggestion(key)

    assert ended.message == ""
    assert (model.reads, model.can_be_trained) == (("text", "image", "video"), False)
    assert model_in_use(services, seen).id == model.id
    assert shown[0][0] == 1 + 8  # the picture, and eight frames of the clip
    (event,) = said.events
    agent, place = (a.mention for a in event.arguments)
    assert (event.trigger.media, event.trigger.box) == ("m1", pytest.approx((0.1, 0.2, 0.4, 0.7)))
    assert (agent.media, agent.range, agent.keyframes) == (
        "m2",
        (0.5, 1.5),
        ((0.5, 0, 0, 0.5, 0.5),),
    )
    assert (place.kind, place.text) == ("unanchored", "m2 9-12")
    assert [p.code for p in said.problems] == ["bad_place"]


def test_the_real_thing_goes_through_too(services, seen, folders):
    model = register_model(services, str(folders["qwen"]))
    use(services.store, seen, model.id)
    (key,) = services.store.samples.keys()

    ended = do(services, request_suggestion(services, key))

    assert (ended.state, ended.message) == ("done", "")
    said = services.store.samples.suggestion(key)
    assert said.prompt_version == SIGHT
    json.loads(said.raw_reply)
    assert services.store.samples.get(key).state == "suggested"


def test_a_model_that_sees_is_not_trained_and_one_that_hears_suggests_nothing(
    services, folders, tmp_path
):
    from core.errors import TrainingError

    record = services.store.collections.create("a", SCHEMA)
    register_model(services, str(folders["idefics"]))
    with pytest.raises(TrainingError, match="cannot be trained"):
        base_to_train(services, record.id)

    hearing = register_model(services, "openai/whisper-tiny", task="speech")
    assert hearing.transcribes
    assert model_in_use(services, record.id).id != hearing.id
    with pytest.raises(ModelError, match="suggests no events"):
        open_backend(services, hearing)


# ---------------------------------------------------------------- a server


def test_a_server_whose_model_reads_pictures_is_sent_them(services, seen):
    said = {
        "events": [
            {"type": "launch", "trigger": "m1 [0,0,500,500]", "arguments": {"place": ["m2 0-1"]}}
        ]
    }
    with ModelServer(reply(json.dumps(said))) as server:
        model = register_server(services, server.address, reads_pictures=True, context=8192)
        use(services.store, seen, model.id)
        (key,) = services.store.samples.keys()
        ended = do(services, request_suggestion(services, key))
        content = server.asked[0]["messages"][0]["content"]

    assert ended.message == ""
    assert [part["type"] for part in content] == ["text", "image_url"] * 9 + ["text"]
    assert content[0]["text"] == "m1: "
    assert content[2]["text"].startswith("m2 0.")
    head, data = content[1]["image_url"]["url"].split(",")
    assert head == "data:image/jpeg;base64"
    assert Image.open(io.BytesIO(base64.b64decode(data))).size == (90, 60)
    (event,) = services.store.samples.suggestion(key).events
    assert event.trigger.box == (0, 0, 0.5, 0.5)
    assert event.arguments[0].mention.range == (0, 1)
    assert services.store.samples.suggestion(key).prompt_version == SIGHT_CHAT


def test_a_server_that_reads_text_is_sent_none(services, seen):
    with ModelServer(reply('{"events": []}')) as server:
        model = register_server(services, server.address)
        use(services.store, seen, model.id)
        (key,) = services.store.samples.keys()
        do(services, request_suggestion(services, key))

    assert not any(isinstance(a["messages"][0]["content"], list) for a in server.asked)
    assert services.store.samples.keys(SampleFilter(states=("suggested",))) == []
