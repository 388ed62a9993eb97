"""The Queues page: what is listed, filtered, saved, done to many at once, and undone."""

from __future__ import annotations

import pytest

from core.queues import Queue
from core.records import SampleFilter
from tests.app.data import BASE, add_demo


@pytest.fixture
def demo(services):
    """The demo, a suggestion of known confidence for each of the four samples to review."""
    record = add_demo(services)
    samples = services.store.samples
    keys = samples.keys(SampleFilter(states=["new"]), collection_id=record.id)
    for key, sure in zip(keys, (0.95, 0.31, 0.99, 0.6), strict=True):
        sample = samples.get(key).sample
        event = make_event_of(sample, sure)
        samples.add_suggestion(
            key, [event], model_id=BASE, raw_reply="", prompt_version="1", schema_number=1,
            decoding={}, seconds=1.0,
        )  # fmt: skip
    return record, keys


def make_event_of(sample, sure):
    from core.events import Argument, Event, span
    from tests.app.data import TEXTS

    text, trigger, agent = TEXTS[sample.language]
    at, by = text.index(trigger), text.index(agent)
    argument = Argument("agent", span(text, by, by + len(agent), confidence=sure))
    return Event("launch", span(text, at, at + len(trigger), confidence=sure), (argument,), sure)


def table(app):
    return app.dataframe[0].value


def press(app, key):
    button = next(b for b in app.button if b.key == key)
    return button.click().run()


def field(app, name):
    every = [*app.selectbox, *app.multiselect, *app.text_input, *app.number_input]
    return next(w for w in every if w.key and w.key.startswith("queue_") and w.key.endswith(name))


def listed(app):
    return {b.key: b.label for b in app.button if (b.key or "").startswith(("queue_", "current_"))}


def test_each_reason_has_a_queue_with_its_count(open_page, demo):
    app = open_page("queues")

    labels = listed(app)
    assert not app.exception
    assert labels["current_oldest"] == "Oldest first :gray[4]"
    assert labels["queue_uncertain"] == "Model unsure :gray[4]"
    assert labels["queue_random"] == "Random audit :gray[24]"
    assert labels["queue_mine"] == "Mine :gray[0]"


def test_a_queue_shows_its_samples_in_order_with_the_reason_and_a_link_of_each(open_page, demo):
    _, keys = demo

    app = open_page("queues", queue="uncertain")

    shown = table(app)
    assert list(shown["language"]) == ["Chinese", "Russian", "English", "Spanish"]
    assert shown["why"][0] == "model unsure of the type: 0.31"
    assert shown["why"][3] == "model least sure of the type: 0.99"
    assert shown["open"][0] == f"review?sample={keys[1]}&queue=uncertain"


def test_a_filter_narrows_the_table_and_can_be_saved_as_a_queue_with_a_link(
    open_page, demo, services
):
    record, _ = demo
    app = open_page("queues", queue="uncertain")

    field(app, "_language").set_value(["ru", "zh"]).run()
    assert list(table(app)["language"]) == ["Chinese", "Russian"]
    assert next(b for b in app.button if b.key == "queue_open").disabled
    press(app, "queue_save_as")
    app.text_input(key="queue_name_input").set_value("Китай и Россия")
    press(app, "queue_name_save")

    (saved,) = services.store.queues.all(record.id)
    assert (saved.name, saved.wanted.languages) == ("Китай и Россия", ("ru", "zh"))
    assert app.query_params["queue"] in ([saved.link], saved.link)
    assert listed(app)[f"current_{saved.link}"] == "Китай и Россия :gray[2]"
    assert not next(b for b in app.button if b.key == "queue_open").disabled


def test_a_saved_queue_is_changed_renamed_and_deleted(open_page, demo, services):
    record, _ = demo
    store = services.store
    saved = store.queues.save(Queue(record.id, "oldest", name="中文"))
    app = open_page("queues", queue=saved.link)

    field(app, "_text").set_value("спутник").run()
    assert list(table(app)["language"]) == ["Russian"] * 6
    press(app, "queue_save")
    assert store.queues.get(saved.id).wanted.text == "спутник"
    press(app, "queue_rename")
    app.text_input(key="queue_name_input").set_value("Спутники")
    press(app, "queue_name_save")
    assert store.queues.get(saved.id).name == "Спутники"
    press(app, "queue_delete")
    press(app, "queue_delete_yes")

    assert store.queues.all(record.id) == []
    assert "current_oldest" in listed(app)


def test_changes_can_be_discarded(open_page, demo):
    app = open_page("queues", queue="uncertain")
    field(app, "_type").set_value(["outage"]).run()
    assert not app.dataframe

    press(app, "queue_discard")

    assert len(table(app)) == 4


def test_a_name_that_is_taken_is_said_in_the_dialog(open_page, demo, services):
    record, _ = demo
    services.store.queues.save(Queue(record.id, "oldest", name="очередь"))
    app = open_page("queues")

    press(app, "queue_new")
    app.text_input(key="queue_name_input").set_value("очередь")
    press(app, "queue_name_save")

    assert "already" in app.error[0].value
    assert len(services.store.queues.all(record.id)) == 1


def test_a_range_that_matches_nothing_is_said_and_the_page_stays(open_page, demo):
    app = open_page("queues")

    field(app, "_confidence_from").set_value(0.9)
    field(app, "_confidence_to").set_value(0.1).run()

    assert not app.exception
    assert "swap" in app.error[0].value


def test_a_link_to_a_queue_that_is_gone_leads_to_the_list_and_says_so(open_page, demo):
    app = open_page("queues", queue="99")

    assert not app.exception
    assert "99" in app.toast[0].value
    assert "current_oldest" in listed(app)


def test_the_link_of_a_queue_opens_its_own_collection(open_page, demo, services):
    other = add_demo(services, "новости")
    saved = services.store.queues.save(Queue(other.id, "random", name="Проверка", seed=3))

    app = open_page("queues", queue=saved.link)

    assert listed(app)[f"current_{saved.link}"] == "Проверка :gray[24]"
    assert app.session_state["collection_name"] == "новости"


def test_suggestions_are_accepted_with_a_preview_and_undone(open_page, demo, services):
    record, keys = demo
    samples = services.store.samples
    app = open_page("queues", queue="uncertain")

    press(app, "bulk_accept")
    preview = " ".join(m.value for m in app.markdown)
    assert "English **1** · Spanish **1**" in preview
    assert "Left out: 2 are less certain." in preview
    press(app, "bulk_do")
    done = [samples.get(key).state for key in keys]
    record_id = services.store.bulk.latest(record.id)[0].id
    assert "2 suggestions accepted" in app.toast[0].value
    press(app, f"undo_{record_id}")

    assert done == ["reviewed", "suggested", "reviewed", "suggested"]
    assert [samples.get(key).state for key in keys] == ["suggested"] * 4
    assert "2 samples" in app.toast[0].value


def test_the_threshold_decides_what_is_accepted(open_page, demo):
    app = open_page("queues", queue="uncertain")
    press(app, "bulk_accept")

    app.slider(key="bulk_threshold").set_value(0.97).run()

    assert next(b for b in app.button if b.key == "bulk_do").label == "Accept 1 suggestion"


def test_an_undo_names_the_samples_that_were_changed_since(open_page, demo, services):
    record, keys = demo
    app = open_page("queues", queue="uncertain")
    press(app, "bulk_accept")
    press(app, "bulk_do")
    services.store.samples.add_review(keys[0], [], person="Вера", schema_number=1)

    press(app, f"undo_{services.store.bulk.latest(record.id)[0].id}")

    assert "1 sample stays as it is" in app.warning[0].value
    assert f"#{keys[0]}" in app.warning[0].value
    assert "Вера reviewed it again since" in app.warning[0].value
    assert services.store.samples.get(keys[2]).state == "suggested"


@pytest.mark.parametrize("kind", ["split", "flag", "delete"])
def test_the_other_operations_are_done_and_undone(open_page, demo, services, kind):
    record, keys = demo
    store = services.store
    app = open_page("queues")

    press(app, f"bulk_{kind}")
    press(app, "bulk_do")
    (done,) = store.bulk.latest(record.id)
    press(app, f"undo_{done.id}")

    assert not app.exception
    assert done.kind == kind
    assert done.done == (12 if kind == "split" else 4)  # the same texts stay in one split
    assert store.bulk.get(done.id).left == 0
    assert [store.samples.get(key).sample.split for key in keys] == [None] * 4
    assert store.samples.count(SampleFilter(flagged=True), collection_id=record.id) == 0


def test_suggesting_again_queues_a_job_and_its_undo_ends_it(open_page, demo, services):
    record, _ = demo
    store = services.store
    app = open_page("queues")

    press(app, "bulk_refresh")
    press(app, "bulk_do")
    (job,) = store.jobs.open("refresh")
    press(app, f"undo_{store.bulk.latest(record.id)[0].id}")

    assert job.payload["collection"] == record.id
    assert store.jobs.get(job.id).state == "cancelled" or store.jobs.get(job.id).cancel_requested


def test_without_a_collection_the_page_leads_to_the_import(open_page):
    app = open_page("queues")

    assert not app.exception
    assert any("nothing to queue" in m.value for m in app.markdown)
