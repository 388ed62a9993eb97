"""Samples, a schema, runs and scores for the tests of the pages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from core.events import Argument, Event, span
from core.records import CollectionRecord
from core.samples import Sample, Split
from core.schema import EventType, Role, Schema
from train.evaluate import split_hash
from train.recipes import Recipe, recipe_to_dict
from train.services import Services

BASE = "tiny-base"
SCHEMA = Schema(
    (
        EventType("launch", {"en": "Launch", "zh": "发布"}, "", (Role("agent", required=True), Role("place"))),
        EventType("outage", {"en": "Outage"}, "", (Role("system"),)),
    )
)  # fmt: skip
TEXTS = {
    "en": ("Nortia unveiled a modem in Madrid.", "unveiled", "Nortia"),
    "zh": ("🚀晨星周二发布了新芯片。", "发布", "晨星"),
    "es": ("Nortia lanzó un módem en Madrid.", "lanzó", "Nortia"),
    "ru": ("Компания Нортия запустила спутник.", "запустила", "Нортия"),
}


def make_sample(language: str, name: str, *, split: Split | None, labelled: bool) -> Sample:
    """A sample with one launch, whose trigger and agent are in the text."""
    text, trigger, agent = TEXTS[language]
    events = None
    if labelled:
        at, who = text.index(trigger), text.index(agent)
        event = Event(
            "launch",
            span(text, at, at + len(trigger)),
            (Argument("agent", span(text, who, who + len(agent))),),
        )
        events = (event,)
    return Sample(f"{name}-{language}", language, "text", text, split=split, events=events)


def add_demo(services: Services, name: str = "demo") -> CollectionRecord:
    """A collection of 24: in each language 3 train, 2 test reviewed, 1 to review."""
    record = services.store.collections.create(name, SCHEMA)
    splits: list[Split | None] = ["train", "train", "train", "test", "test"]
    samples = [
        make_sample(language, f"s{i}", split=split, labelled=True)
        for i, split in enumerate(splits)
        for language in TEXTS
    ]
    samples += [make_sample(language, "new", split=None, labelled=False) for language in TEXTS]
    services.store.samples.add(record.id, samples, schema_number=1)
    services.store.models.add(
        BASE, title="Tiny", state="base", location="/nowhere", terms="Use it kindly."
    )
    return record


def add_score(
    services: Services,
    record: CollectionRecord,
    model: str,
    value: float,
    *,
    outcomes: Sequence[Mapping[str, Any]] = (),
    settings: Mapping[str, Any] | None = None,
) -> None:
    """An evaluation on the test split whose four figures are all `value`."""
    triple = {"p": value, "r": value, "f1": value, "pred": 8, "gold": 8, "match": 4}
    part: Mapping[str, Any] = {
        "tri_i": triple, "tri_c": triple, "arg_i": triple, "arg_c": triple,
        "tr_accuracy": value, "tr_correct": 4, "tr_gold": 8,
        "arg_accuracy": value, "arg_correct": 4, "arg_gold": 8,
    }  # fmt: skip
    services.store.models.add_evaluation(
        collection_id=record.id, model_id=model, split="test", samples=8,
        test_hash=split_hash(services, record.id, "test"), outcomes=outcomes,
        settings=settings or {}, seconds=1.0,
        scores={"overall": part, "by_language": dict.fromkeys(TEXTS, part)},
    )  # fmt: skip


def add_run(
    services: Services, record: CollectionRecord, *, state: str = "done", **values: Any
) -> int:
    """A training run on the base; a done one made the candidate `run-N`."""
    runs = services.store.runs
    run = runs.add(record.id, base_id=BASE, recipe=recipe_to_dict(Recipe.laptop()))
    runs.update(run, state=state, **values)
    if state == "done":
        services.store.models.add(
            f"run-{run}", title=f"Tiny + run {run}", state="candidate", location="/nowhere",
            base_id=BASE, collection_id=record.id, run_id=run,
        )  # fmt: skip
        runs.update(run, model_id=f"run-{run}")
        runs.finish(run, "done")
    return run
