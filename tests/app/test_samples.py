"""Samples: import by upload with its preview, filters, deletion that names what hangs."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from core.formats.argus_jsonl import write_line
from core.queues import default_queue
from core.samples import sample_to_dict
from core.schema import Schema
from tests.app.data import BASE, TEXTS, add_demo, add_score, make_sample


def lines(*samples: object) -> bytes:
    return "\n".join(s if isinstance(s, str) else write_line(s) for s in samples).encode()


def a_file(*, labelled: bool = True) -> bytes:
    return lines(*(make_sample(code, "a", split="dev", labelled=labelled) for code in TEXTS))


def upload(app, data: bytes, name: str = "新闻.jsonl"):
    app.file_uploader[0].set_value((name, data, "application/jsonl"))
    return app.run()


def said(app) -> str:
    parts = [*app.markdown, *app.caption, *app.warning, *app.error, *app.success]
    return "\n".join(str(element.value) for element in parts)


def test_a_file_is_previewed_with_its_counts_types_and_roles_before_anything_is_kept(
    open_page, services
):
    app = upload(open_page("samples"), a_file())

    table = app.table[0].value
    assert table.loc["Chinese", "dev"] == "1"
    assert table.loc["Russian", "all"] == "1"
    assert "4 labelled" in said(app)
    assert "**launch**: agent" in said(app)
    assert services.store.collections.all() == []


def test_importing_makes_a_collection_named_after_the_file_and_shows_it(open_page, services):
    app = upload(open_page("samples"), a_file())
    app.button(key="import_do").click().run()

    record = services.store.collections.get("新闻")
    assert not app.exception
    assert services.store.samples.count(collection_id=record.id) == 4
    assert app.selectbox(key="collection_switch").value == "新闻"
    assert "4 samples are in 新闻" in app.success[0].value


def test_another_name_can_be_given(open_page, services):
    app = upload(open_page("samples"), a_file(labelled=False))
    app.text_input(key="import_name_新闻.jsonl").set_value("Новости").run()
    app.button(key="import_do").click().run()

    assert [c.name for c in services.store.collections.all()] == ["Новости"]


def test_the_same_file_again_adds_nothing_and_says_so(open_page, services):
    app = upload(open_page("samples"), a_file())
    app.button(key="import_do").click().run()

    app = upload(app, a_file())

    assert "4 are there already and add nothing" in said(app)
    assert app.button(key="import_do").disabled


def test_a_bad_line_is_named_and_the_good_ones_are_imported(open_page, services):
    good = make_sample("ru", "a", split=None, labelled=True)
    outside = json.loads(write_line(make_sample("zh", "b", split=None, labelled=True)))
    outside["events"][0]["trigger"].update(start=900, end=902)
    data = lines(good, "not json", json.dumps(outside))

    app = upload(open_page("samples"), data)
    app.button(key="import_do").click().run()

    assert "**Line 2**" in said(app)
    assert "**Line 3**" in said(app)
    assert "outside the text" in said(app)
    assert services.store.samples.count() == 1


@pytest.mark.parametrize(
    ("data", "word"),
    [
        (b"\x89PNG\r\n\x1a\n\x00\x00", "新闻.jsonl"),
        (b"", "empty"),
        (b"<html></html>", "新闻.jsonl"),
    ],
    ids=["a picture", "nothing", "a web page"],
)
def test_a_file_that_is_not_json_lines_is_refused_in_one_message(open_page, services, data, word):
    app = upload(open_page("samples"), data)

    assert not app.exception
    assert word in said(app)
    assert services.store.collections.all() == []


def test_new_types_come_into_an_existing_schema_only_with_the_tick(open_page, services):
    record = add_demo(services)
    sample = json.loads(write_line(make_sample("es", "x", split="dev", labelled=True)))
    sample["events"][0]["event_type"] = "Новый тип"
    known = make_sample("ru", "y", split="dev", labelled=True)

    app = upload(open_page("samples"), lines(json.dumps(sample), known), name="demo.jsonl")
    without = app.button(key="import_do").label
    app.checkbox(key="import_extend_0").check().run()
    app.button(key="import_do").click().run()

    assert without == "Import 1 sample"
    assert services.store.collections.schema(record.id).type("Новый тип") is not None
    assert services.store.samples.count(collection_id=record.id) == 26


def test_the_list_is_filtered_by_the_address(open_page, services):
    add_demo(services)

    app = open_page("samples", language="zh", state="reviewed", split="test")

    shown = app.dataframe[0].value
    assert set(shown["language"]) == {"Chinese"}
    assert len(shown) == 2
    assert shown["open"].iloc[0].startswith("review?sample=")


def test_a_filter_goes_into_the_address(open_page, services):
    add_demo(services)
    app = open_page("samples")

    app.multiselect(key="filter_language").set_value(["ru"]).run()

    assert app.query_params["language"] in ("ru", ["ru"])
    assert "6 samples" in said(app)


def test_the_list_has_pages_of_a_hundred(open_page, services):
    record = add_demo(services)
    many = [make_sample("ru", f"m{i}", split=None, labelled=False) for i in range(230)]
    services.store.samples.add(record.id, many, schema_number=1)

    app = open_page("samples")

    assert len(app.dataframe[0].value) == 100
    assert "1 to 100 of 254 samples" in said(app)


def test_deleting_a_collection_names_what_hangs_on_it_and_wants_its_name(open_page, services):
    record = add_demo(services, "Новости")
    key = services.store.samples.keys(collection_id=record.id)[0]
    services.store.notes.add(key, person="Вера", kind="comment", text="проверить")
    services.store.notes.skip(key, person="Вера")
    services.store.queues.save(replace(default_queue(record.id, "oldest"), name="смена"))
    add_score(services, record, BASE, 10.0)
    services.store.models.promote(
        record.id, BASE, previous_id=BASE, person=None, reason="", scores={}
    )
    app = open_page("samples")
    named = said(app)

    app.text_input(key="drop_name").set_value("новости")
    app.button(key="drop_collection").click().run()
    refused = app.error[0].value
    app.text_input(key="drop_name").set_value("Новости")
    app.button(key="drop_collection").click().run()

    assert (
        "24 samples, 20 reviews, 1 flag or comment, 1 skip, 1 saved queue, 1 evaluation and "
        "1 promotion"
    ) in named
    assert "nothing was deleted" in refused
    assert services.store.collections.all() == []
    assert list((services.home.root / "backups").glob("*before-delete.db"))


def test_the_demo_is_offered_where_there_is_nothing(open_page, services):
    app = open_page("samples")
    app.button(key="load_demo").click().run()

    assert not app.exception
    assert services.store.collections.find("demo") is not None


def test_deleting_samples_names_what_hangs_on_them_and_undo_brings_it_back(open_page, services):
    record = add_demo(services)
    before = [
        sample_to_dict(r.sample) for r in services.store.samples.list(collection_id=record.id)
    ]
    keys = services.store.samples.keys(collection_id=record.id)[:2]
    services.store.notes.add(keys[0], person="Вера", kind="flag")
    services.store.notes.skip(keys[1], person="Вера")
    app = open_page("samples")

    app.session_state["samples_to_delete"] = tuple(keys)  # AppTest cannot tick rows of a table
    app.run()
    named = said(app)
    app.button(key="delete_samples_yes").click().run()
    left = services.store.samples.count(collection_id=record.id)
    deleted = said(app)
    next(b for b in app.button if b.key and b.key.startswith("undo_")).click().run()

    assert "2 samples, 2 reviews, 1 flag or comment and 1 skip" in named
    assert left == 22
    assert "2 samples deleted" in deleted
    after = [sample_to_dict(r.sample) for r in services.store.samples.list(collection_id=record.id)]
    assert after == before
    assert not [b for b in app.button if b.key and b.key.startswith("undo_")]


def test_undo_is_offered_where_the_last_sample_was_deleted(open_page, services):
    record = services.store.collections.create("新闻", Schema())
    samples = [make_sample(code, code, split=None, labelled=False) for code in ("zh", "ru")]
    keys = services.store.samples.add(record.id, samples, schema_number=1)
    app = open_page("samples")

    app.session_state["samples_to_delete"] = tuple(keys)
    app.run()
    app.button(key="delete_samples_yes").click().run()
    empty = services.store.samples.count(collection_id=record.id)
    next(b for b in app.button if b.key and b.key.startswith("undo_")).click().run()

    assert empty == 0
    assert services.store.samples.keys(collection_id=record.id) == keys
