"""The embedded model at its full size: a merged export answers as its base with the adapter does."""

from __future__ import annotations

import json
import sys
import time
from dataclasses import replace

import pytest

from core.models import embedded
from core.prompts import TUNED, fill_prompt
from storage.home import CHECKOUT, folder_bytes
from tests.integration.sentences import SCHEMA, WORDS, labelled
from train.artefacts import export_model
from train.recipes import Recipe
from train.runs import add_run, execute_run
from train.services import Services, register_embedded

pytestmark = pytest.mark.slow

RECIPE = replace(
    Recipe.laptop(), rank=8, alpha=16, epochs=2, warmup_steps=0, learning_rate=2e-3, dropout=0.0,
    evaluate_every=0,
)  # fmt: skip


@pytest.fixture
def trained(home, store):
    """An adapter on the embedded model, from a few steps."""
    services = Services(home, store)
    home.models.mkdir(parents=True)
    location = home.models / embedded.NAME
    location.symlink_to(embedded.convert(CHECKOUT / "var" / "models"))
    register_embedded(services)
    collection = store.collections.create("цепь 链", SCHEMA)
    samples = [labelled(WORDS, code, n, "train") for code in WORDS for n in range(4)]
    store.samples.add(collection.id, samples, schema_number=1)
    run = add_run(services, collection.id, RECIPE)
    execute_run(services, run, judge=False)
    return services, store.models.get(store.runs.get(run).model_id), str(location)


def replies(model, tokenizer) -> list[list[int]]:
    """What the model says, word for word, by transformers' own greedy decoding."""
    said = []
    for code in WORDS:
        prompt = fill_prompt(TUNED, SCHEMA, replace(labelled(WORDS, code, 9, None), events=None))
        ids = tokenizer(prompt.prefix + prompt.rest, return_tensors="pt")["input_ids"]
        out = model.generate(ids, max_new_tokens=40, do_sample=False)
        said.append(out[0, ids.shape[1] :].tolist())
    return said


def test_a_merged_model_says_word_for_word_what_base_and_adapter_say(trained, tmp_path):
    import torch
    from peft import PeftModel
    from transformers import AutoModelForCausalLM, AutoTokenizer

    services, model, location = trained
    began = time.monotonic()

    folder = export_model(services, model, tmp_path / "合并", form="merged")

    took, size = time.monotonic() - began, folder_bytes(folder)
    base = AutoModelForCausalLM.from_pretrained(location, dtype=torch.bfloat16)
    tuned = PeftModel.from_pretrained(base, model.location)
    merged = AutoModelForCausalLM.from_pretrained(str(folder), dtype=torch.bfloat16)
    tokenizer = AutoTokenizer.from_pretrained(str(folder))
    wanted = replies(tuned, AutoTokenizer.from_pretrained(location))
    untuned = replies(
        AutoModelForCausalLM.from_pretrained(location, dtype=torch.bfloat16), tokenizer
    )
    assert replies(merged, tokenizer) == wanted
    assert untuned != wanted
    manifest = json.loads((folder / "argus.json").read_text(encoding="utf-8"))
    assert manifest["form"] == "merged"
    assert size > 500_000_000
    sys.stderr.write(
        f"merged export: {took:.1f} s, {size / 1e6:.0f} MB; said "
        f"{[tokenizer.decode(ids) for ids in wanted]}\n"
    )
