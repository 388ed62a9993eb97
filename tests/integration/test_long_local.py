"""A text longer than a local model's context: read in parts by the real decoder, with exact offsets."""

from __future__ import annotations

import pytest

from core.errors import ModelError
from core.long_text import suggest_whole
from core.models.local import LocalBackend, load_model
from core.ports import Decoding
from core.samples import Sample
from core.schema import EventType, Role, Schema

SCHEMA = Schema((EventType("launch", roles=(Role("agent"),)),))
SHORT = Decoding(temperature=0.0, max_new_tokens=60)
TEXTS = [
    ("zh", "晨星周二发布了新芯片。🚀股价上涨！\r\n" * 30),
    ("ru", "Нортия запустила спутник. Цена выросла!\n" * 40),
    ("en", "Nortia unveiled a modem in Madrid. Prices rose. " * 40),
    ("es", "módem sin puntos ni comas " * 80),
]


@pytest.fixture(scope="module")
def backend(tiny_model):
    model, tokenizer = load_model(str(tiny_model))
    return LocalBackend("tiny", model, tokenizer, decoding=SHORT)


@pytest.mark.parametrize(("language", "text"), TEXTS)
def test_a_long_text_is_read_in_parts_and_its_spans_are_those_of_the_whole(backend, language, text):
    sample = Sample("s", language, "text", text)
    assert not backend.fits(sample, SCHEMA)

    (found,) = suggest_whole(backend, [sample], SCHEMA)

    parts = [p.values["parts"] for p in found.problems if p.code == "read_in_parts"]
    mentions = [m for e in found.events for m in e.mentions()]
    assert len(parts) == 1
    assert parts[0] >= 2
    assert all(text[m.start : m.end] == m.text for m in mentions)
    assert len({e.identity for e in found.events}) == len(found.events)


def test_a_schema_that_leaves_no_room_is_told(backend):
    large = Schema(tuple(EventType(f"тип-{n}", roles=(Role("роль"),)) for n in range(200)))

    with pytest.raises(ModelError, match=r"200 event types.*tiny no room"):
        suggest_whole(backend, [Sample("s", "ru", "text", TEXTS[1][1])], large)
