"""Bulk operations: what the preview promises is what is done, and an undo really restores."""

from __future__ import annotations

import json
from collections import Counter

import pytest
import sqlalchemy as sa

from core.bulk import BulkOrder
from core.errors import InputError, RefusedError
from core.ports import Decoding, Prompting
from core.queue_work import run_bulk, undo_bulk
from core.queues import Queue, default_queue
from core.records import SampleFilter
from core.schema import Schema
from storage.database import reading
from storage.tables import Table
from tests.integration.queue_data import (
    ANA,
    TEXTS,
    make_event,
    make_sample,
    make_store,
    review,
    suggest,
)
from train.jobs import handle_job
from train.queue import start_refresh, stop_refresh
from train.services import Services

KINDS = ["accept", "split", "flag", "delete"]
# What an undo need not bring back: the operation itself, and counters whose rows may be zero.
OWN = {"bulk", "bulk_item", "alembic_version"}


def dump(store):
    """Every row of the database, as text; ids of what nothing points at may differ."""
    found = {}
    with reading(store.engine) as session:
        for table in Table.metadata.sorted_tables:
            if table.name in OWN:
                continue
            rows = [dict(row) for row in session.execute(sa.select(table)).mappings()]
            for row in rows:
                if table.name in ("note", "draft", "media", "mention"):
                    row.pop("id")
                row.pop("updated", None)
            if table.name == "correction":
                rows = [row for row in rows if row["seen"]]
            found[table.name] = sorted(json.dumps(row, default=str, sort_keys=True) for row in rows)
    return found


@pytest.fixture
def collection(store):
    return make_store(store)


@pytest.fixture
def keys(store, collection):
    """Ten samples: eight that wait (sure ones first), one reviewed, one that nobody suggested for."""
    samples = [make_sample(code, f"{code}-{n}") for n in range(2) for code in TEXTS]
    samples += [
        make_sample("ru", "old", event_type="launch", split="test"),
        make_sample("zh", "new"),
    ]
    found = store.samples.add(collection, samples, schema_number=1)
    for key, sure in zip(found[:8], (0.99, 0.97, 0.95, 0.92, 0.9, 0.6, 0.3, 0.1), strict=True):
        code = store.samples.get(key).sample.language
        suggest(store, key, make_event(code, sure=sure, role="agent"))
    return found


def order(collection, kind="accept", wanted=None, **more):
    return BulkOrder(Queue(collection, "oldest", wanted or SampleFilter()), kind, **more)


def make_order(collection, kind, wanted=None):
    return order(collection, kind, wanted, split="dev" if kind == "split" else None, text="看一下")


# ---------------------------------------------------------------- accept


def test_accepting_makes_reviews_of_the_suggestions_above_the_threshold(store, collection, keys):
    wanted = order(collection, threshold=0.9)

    preview = store.bulk.preview(wanted, person=ANA)
    result = run_bulk(store, wanted, person=ANA)

    assert preview.count == result.done == 4
    assert preview.by_language == {"en": 1, "zh": 1, "es": 1, "ru": 1}
    assert preview.by_type == {"launch": 4}
    assert preview.left_out == {"reviewed": 1, "unsure": 4, "incomplete": 1}
    assert [e["key"] for e in preview.examples] == keys[:4]
    assert store.samples.keys(SampleFilter(states=["reviewed"]), collection_id=collection) == [
        *keys[:4], keys[8],
    ]  # fmt: skip
    for key in keys[:4]:
        (made,) = store.samples.reviews(key)
        said = store.samples.suggestion(key)
        assert (made.person, made.origin, made.difference) == (ANA, "person", [])
        assert made.suggestion_id == said.id
        assert [e.event_type for e in made.events] == ["launch"]
        assert made.events[0].trigger.confidence is None
        assert store.samples.get(key).sample.split is not None


def test_a_suggestion_that_cannot_be_accepted_unseen_is_left_out_with_the_reason(
    store, collection, keys
):
    drafted, broken, lost, empty, unknown = keys[:5]
    store.samples.save_draft(drafted, "Вера", {"document": {}}, rev=1)
    suggest(store, broken, make_event("zh", "merger", sure=0.99))
    event = make_event("es", sure=0.99)
    suggest(
        store,
        lost,
        type(event)("launch", type(event.trigger)(text="lanza", confidence=0.99), (), 0.99),
    )
    suggest(store, empty)
    suggest(store, unknown, make_event("en", sure=None))
    wanted = order(collection, threshold=0.05)

    preview = store.bulk.preview(wanted, person=ANA)
    result = run_bulk(store, wanted, person=ANA)

    assert preview.count == result.done == 3
    assert preview.left_out == {"reviewed": 1, "incomplete": 4, "draft": 1, "rule": 1}
    assert all(store.samples.get(key).state == "suggested" for key in keys[:5])


def test_the_newest_suggestion_decides_and_an_equal_confidence_is_not_above(
    store, collection, keys
):
    suggest(store, keys[0], make_event("en", sure=0.2))
    suggest(store, keys[7], make_event("ru", sure=0.9))

    result = run_bulk(store, order(collection, threshold=0.9), person=ANA)

    assert result.done == 3
    assert store.samples.get(keys[0]).state == store.samples.get(keys[7]).state == "suggested"


def test_an_accepted_story_goes_to_the_split_its_story_is_in(store, collection):
    story = [
        make_sample("en", "a", event_type="launch", split="test", parallel_group="故事"),
        make_sample("zh", "b", parallel_group="故事"),
    ]
    _, key = store.samples.add(collection, story, schema_number=1)
    suggest(store, key, make_event("zh", sure=0.99))

    run_bulk(store, order(collection), person=ANA)

    assert store.samples.get(key).sample.split == "test"


def test_accepting_counts_as_a_decision_that_changed_nothing(store, collection, keys):
    from storage.figures import read_figures

    def corrections():
        with reading(store.engine) as session:
            return read_figures(session, collection).corrections

    result = run_bulk(store, order(collection, threshold=0.9), person=ANA)
    counted = corrections()
    undo_bulk(store, result.bulk_id)

    assert counted == {("launch", code): (0, 1) for code in TEXTS}
    assert set(corrections().values()) == {(0, 0)}


# ---------------------------------------------------------------- undo


@pytest.mark.parametrize("kind", KINDS)
def test_an_undo_restores_every_row(store, collection, keys, kind):
    store.notes.skip(keys[0], person=ANA)
    store.notes.add(keys[1], person="Вера", text="почему?", start=1, end=3)
    review(store, keys[2], make_event("es", "outage"))
    store.samples.save_draft(keys[6], "Вера", {"document": {"events": []}}, rev=3)
    before = dump(store)

    result = run_bulk(store, make_order(collection, kind), person=ANA)
    changed = dump(store)
    undone = undo_bulk(store, result.bulk_id)

    assert changed != before
    assert undone.done == result.done > 0
    assert undone.refused == []
    assert dump(store) == before
    record = store.bulk.get(result.bulk_id)
    assert (record.done, record.left, record.undone is not None) == (result.done, 0, True)


@pytest.mark.parametrize("kind", KINDS)
def test_a_second_undo_does_nothing(store, collection, keys, kind):
    result = run_bulk(store, make_order(collection, kind), person=ANA)
    undo_bulk(store, result.bulk_id)
    before = dump(store)

    assert undo_bulk(store, result.bulk_id).done == 0
    assert dump(store) == before


def test_what_was_reviewed_or_begun_since_an_acceptance_stays_and_is_named(store, collection, keys):
    result = run_bulk(store, order(collection, threshold=0.9), person=ANA)
    again, begun, gone = keys[:3]
    review(store, again, make_event("en", "outage"))
    store.samples.save_draft(begun, "Вера", {"document": {}}, rev=1)
    store.samples.delete([gone])

    undone = undo_bulk(store, result.bulk_id)

    assert undone.done == 1
    said = {refusal.sample_key: refusal.why for refusal in undone.refused}
    assert "Ana reviewed it again" in said[again]
    assert "Вера has a draft" in said[begun]
    assert "deleted" in said[gone]
    assert [store.samples.get(k).state for k in (again, begun, keys[3])] == [
        "reviewed", "reviewed", "suggested",
    ]  # fmt: skip
    assert store.bulk.get(result.bulk_id).left == 3
    with store.engine.begin() as database:
        database.exec_driver_sql("DELETE FROM draft")
    assert undo_bulk(store, result.bulk_id).done == 1


def test_a_split_moved_again_and_a_flag_dealt_with_stay(store, collection, keys):
    moved = run_bulk(store, order(collection, "split", split="dev"), person=ANA)
    one = SampleFilter(ids=["zh-0"])
    run_bulk(store, order(collection, "split", one, split="train"), person=ANA)
    flagged = run_bulk(store, order(collection, "flag"), person=ANA)
    store.notes.resolve(store.notes.list(keys[3])[0].id, person=ANA)

    splits, flags = undo_bulk(store, moved.bulk_id), undo_bulk(store, flagged.bulk_id)

    assert [r.why for r in splits.refused] == ["it was moved to train since"] * len(splits.refused)
    assert {r.sample_key for r in splits.refused} >= {keys[1]}
    assert [(r.sample_key, "dealt with" in r.why) for r in flags.refused] == [(keys[3], True)]


def test_a_deleted_sample_comes_back_with_the_number_it_had_and_no_other_gets_it(
    store, collection, keys
):
    result = run_bulk(store, order(collection, "delete"), person=ANA)
    new = store.samples.add(collection, [make_sample("ru", "свежий")], schema_number=1)
    undone = undo_bulk(store, result.bulk_id)

    assert undone.done == len(keys)
    assert new[0] not in keys
    assert store.samples.keys(collection_id=collection) == [*keys, *new]
    assert store.samples.suggestion(keys[1]).events[0].trigger.text == "发布"


def test_a_deleted_sample_that_is_there_again_or_no_longer_fits_is_refused(store, collection, keys):
    result = run_bulk(store, order(collection, "delete"), person=ANA)
    store.samples.add(collection, [make_sample("zh", "zh-0")], schema_number=1)
    kept = store.collections.schema(collection)
    store.collections.save_schema(
        collection, Schema(tuple(t for t in kept.types if t.name != "launch")), note="без"
    )

    undone = undo_bulk(store, result.bulk_id)

    said = {refusal.sample_key: refusal.why for refusal in undone.refused}
    assert "'zh-0' again" in said[keys[1]]
    assert "'launch'" in said[keys[0]]
    assert undone.done == 1


def test_moving_a_split_takes_the_whole_story_along_and_says_so(store, collection):
    story = [make_sample(code, code, parallel_group="история", split="test") for code in TEXTS]
    keys = store.samples.add(collection, story, schema_number=1)
    wanted = order(collection, "split", SampleFilter(languages=["ru"]), split="train")

    preview = store.bulk.preview(wanted, person=ANA)
    result = run_bulk(store, wanted, person=ANA)

    assert (preview.count, preview.along, preview.by_split) == (4, 3, {"test": 4})
    assert result.done == 4
    assert {store.samples.get(key).sample.split for key in keys} == {"train"}


def test_flagging_passes_over_what_this_person_has_flagged(store, collection, keys):
    store.notes.add(keys[0], person=ANA, kind="flag", text="раньше")
    store.notes.add(keys[1], person="Вера", kind="flag")
    wanted = order(collection, "flag", text="看一下")

    preview = store.bulk.preview(wanted, person=ANA)
    run_bulk(store, wanted, person=ANA)

    assert (preview.count, preview.left_out) == (9, {"flagged": 1})
    assert [n.text for n in store.notes.list(keys[0])] == ["раньше"]
    assert store.samples.count(SampleFilter(flagged=True), collection_id=collection) == 10


# ---------------------------------------------------------------- the whole of it


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_done_is_what_the_preview_counted_in_many_parts(
    store, collection, monkeypatch, kind
):
    monkeypatch.setattr("core.queue_work.PART", 7)
    samples = [make_sample(code, f"{code}-{n}") for n in range(10) for code in TEXTS]
    keys = store.samples.add(collection, samples, schema_number=1)
    for key in keys[::2]:
        suggest(store, key, make_event(store.samples.get(key).sample.language, sure=0.99))
    wanted = make_order(collection, kind, SampleFilter(languages=["zh", "ru", "en"]))
    before, shares = dump(store), []

    preview = store.bulk.preview(wanted, person=ANA)
    result = run_bulk(store, wanted, person=ANA, on_step=shares.append)
    undone = undo_bulk(store, result.bulk_id)

    assert result.done == preview.count == undone.done
    assert shares == sorted(shares)
    assert shares[-1] == 1
    assert dump(store) == before


def test_work_that_was_cut_short_can_be_undone(store, collection, keys, monkeypatch):
    monkeypatch.setattr("core.queue_work.PART", 3)
    before = dump(store)

    def stop(share):
        if share > 0.5:
            raise RefusedError("the browser went away")

    with pytest.raises(RefusedError, match="browser"):
        run_bulk(store, order(collection, "flag"), person=ANA, on_step=stop)
    (record,) = store.bulk.latest(collection)

    assert record.done == record.left == 6
    undo_bulk(store, record.id)
    assert dump(store) == before


@pytest.mark.parametrize("kind", KINDS)
def test_an_operation_for_no_sample_is_refused_and_leaves_nothing(store, collection, keys, kind):
    wanted = make_order(collection, kind, SampleFilter(text="нет такого"))

    assert store.bulk.preview(wanted, person=ANA).count == 0
    with pytest.raises(RefusedError, match="nothing was changed"):
        run_bulk(store, wanted, person=ANA)
    assert store.bulk.latest(collection) == []


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"kind": "accept", "threshold": 1.0}, "1.0"),
        ({"kind": "accept", "threshold": -0.1}, "-0.1"),
        ({"kind": "split"}, "train, dev, test"),
        ({"kind": "split", "split": "учебный"}, "учебный"),
        ({"kind": "praise"}, "praise"),
        ({"kind": "flag", "text": "я" * 4001}, "4,001"),
    ],
)
def test_an_order_that_makes_no_sense_says_why(store, collection, more, said):
    for act in (store.bulk.preview, lambda o, person: run_bulk(store, o, person=person)):
        with pytest.raises(InputError, match=said):
            act(order(collection, **more), person=ANA)


def test_an_operation_on_a_queue_takes_only_what_is_in_the_queue(store, collection, keys):
    store.samples.save_draft(keys[5], ANA, {"document": {}}, rev=1)
    uncertain = BulkOrder(default_queue(collection, "uncertain"), "flag")
    mine = BulkOrder(default_queue(collection, "mine"), "delete")

    assert run_bulk(store, uncertain, person=ANA).done == 8
    assert Counter(e["key"] for e in store.bulk.preview(mine, person="Вера").examples) == {}
    assert store.bulk.preview(mine, person=ANA).count == 8


# ---------------------------------------------------------------- refresh


class Scripted:
    """A model that always says the same, as sure as it is told."""

    model_id = "large"
    reads = ("text",)
    decoding = Decoding()
    prompting = Prompting("1")

    def __init__(self, sure=0.7):
        self.sure, self.asked = sure, []

    def suggest(self, samples, schema, *, decoding=None, prompting=None, on_step=None):
        from core.ports import Suggested

        self.asked += [s.id for s in samples]
        return [
            Suggested((make_event(s.language, "outage", sure=self.sure),), "{}", "1")
            for s in samples
        ]

    def fits(self, sample, schema, *, prompting=None):
        return True


@pytest.fixture
def refreshing(home, store, collection, keys, monkeypatch):
    """Services whose worker asks the scripted model, and that model."""
    model = Scripted()
    monkeypatch.setattr("train.jobs.model_in_use", lambda services, _: store.models.get("large"))
    warm = type("Warm", (), {"get": lambda self, _: model})()
    return Services(home, store), warm, model


def test_a_refresh_asks_the_model_again_and_its_undo_takes_the_answers_back(
    store, collection, keys, refreshing
):
    services, warm, model = refreshing
    before = dump(store)
    wanted = order(collection, "refresh", SampleFilter(states=["suggested", "new"]))

    preview = store.bulk.preview(wanted, person=ANA)
    result = run_bulk(store, wanted, person=ANA)
    job = start_refresh(services, result.bulk_id)
    handle_job(services, warm, job)
    changed = [store.samples.suggestion(key).model_id for key in keys if key != keys[8]]
    stop_refresh(services, result.bulk_id)
    undone = undo_bulk(store, result.bulk_id)

    assert preview.count == result.done == undone.done == len(model.asked) == 9
    assert store.jobs.get(job).state == "done"
    assert set(changed) == {"large"}
    after = dump(store)
    after.pop("job"), before.pop("job")
    assert _known_sets(after) == _known_sets(before)


def test_a_new_suggestion_that_a_review_was_made_from_stays(store, collection, keys, refreshing):
    services, warm, _ = refreshing
    result = run_bulk(store, order(collection, "refresh"), person=ANA)
    handle_job(services, warm, start_refresh(services, result.bulk_id))
    said = store.samples.suggestion(keys[3])
    review(store, keys[3], *said.events, suggestion=said.id)
    said = store.samples.suggestion(keys[1])
    store.samples.save_draft(keys[1], ANA, {"document": {"suggestion": said.id}}, rev=1)

    undone = undo_bulk(store, result.bulk_id)

    assert {r.sample_key for r in undone.refused} == {keys[1], keys[3]}
    assert store.samples.suggestion(keys[0]).model_id == "small"
    assert store.samples.get(keys[9]).state == "new"


def test_a_refresh_that_was_undone_before_the_worker_came_does_nothing(
    store, collection, keys, refreshing
):
    services, warm, model = refreshing
    result = run_bulk(store, order(collection, "refresh"), person=ANA)
    job = start_refresh(services, result.bulk_id)
    stop_refresh(services, result.bulk_id)
    undo_bulk(store, result.bulk_id)

    handle_job(services, warm, job)

    assert model.asked == []
    assert store.jobs.get(job).state == "cancelled"


def _known_sets(rows):
    """The rows without type sets that nothing is in: one made by a refresh stays, empty."""
    sets = [json.loads(row) for row in rows["type_set"]]
    used = {row["id"] for row in sets if row["waiting"] or row["reviewed"]}
    members = [r for r in rows["type_set_member"] if json.loads(r)["set_id"] in used]
    kept = [json.dumps(row, sort_keys=True) for row in sets if row["id"] in used]
    return rows | {"type_set": kept, "type_set_member": members}
