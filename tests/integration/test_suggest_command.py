"""`argus suggest`: what a filter matches, by a scripted model, and what could not be done."""

from __future__ import annotations

import json

import cli
from core.records import SampleFilter
from core.samples import Sample
from tests.integration.preparing_data import SCHEMA, add_script, make_samples, use
from train.services import Services


def test_suggest_prints_and_keeps_what_the_filter_matches_and_names_what_failed(
    home, store, capsys
):
    services = Services(home, store)
    collection = store.collections.create("работа", SCHEMA).id
    samples = [*make_samples(8), Sample("坏的", "zh", "text", "全坏了。")]
    store.samples.add(collection, samples, schema_number=1)
    use(store, collection, add_script(services, "script"))
    words = ["suggest", "--collection", "работа", "--filter", "language=zh,ru"]

    code = cli.main([*words, "--filter", "state=new"])
    refused = cli.main([*words, "--filter", "цвет=красный"])

    printed = capsys.readouterr()
    given = [json.loads(line) for line in printed.out.splitlines()]
    assert (code, refused) == (0, 1)
    assert {line["language"] for line in given} == {"zh", "ru"}
    assert [len(line["events"]) for line in given] == [1, 1, 1, 1]
    assert "坏的: the script cannot answer" in printed.err
    assert "a filter has no 'цвет'" in printed.err
    assert store.samples.count(SampleFilter(states=["suggested"])) == 4
