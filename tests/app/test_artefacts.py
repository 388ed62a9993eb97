"""What is handed out, on the pages: exports and cards of models, data cards, repetitions in the plan."""

from __future__ import annotations

import pytest

from core.samples import Sample
from tests.app.data import BASE, add_demo, add_run
from train.artefacts import export_folder, write_card
from train.fitting import DATA_CARD, run_folder


def said(app) -> str:
    parts = [*app.markdown, *app.caption, *app.warning, *app.error, *app.info]
    return "\n".join(str(element.value) for element in parts)


def downloads(app) -> list[str]:
    return [d.proto.label for d in app.get("download_button")]


def test_an_export_is_asked_for_in_the_form_that_was_chosen(open_page, services):
    name = f"run-{add_run(services, add_demo(services))}"
    app = open_page("models")

    app.segmented_control(key=f"export_form_{name}").set_value("gguf").run()
    app.button(key=f"export_{name}_do").click().run()

    folder = export_folder(services.home, name, "gguf")
    (job,) = services.store.jobs.open("export")
    assert not app.exception
    assert (job.payload["model"], job.payload["form"]) == (name, "gguf")
    assert f"It will lie in {folder}" in said(app)
    assert app.button(key=f"cancel_job_{job.id}")
    assert f"export_{name}_do" not in [b.key for b in app.button]


def test_a_finished_export_says_where_it_lies(open_page, services):
    name = f"run-{add_run(services, add_demo(services))}"
    folder = export_folder(services.home, name, "peft")
    folder.mkdir(parents=True)
    (folder / "argus.json").write_text("{}")

    app = open_page("models")

    assert f"In {folder} since" in said(app)


@pytest.mark.parametrize("why", ["диск полон", "磁盘已满"])
def test_a_failed_export_says_why_and_can_be_tried_again(open_page, services, why):
    record = add_demo(services)
    name = f"run-{add_run(services, record)}"
    payload = {"collection": record.id, "model": name, "form": "peft"}
    services.store.jobs.finish(services.store.jobs.add("export", payload), "failed", why)

    app = open_page("models")

    assert why in app.error[0].value.lower()
    assert app.button(key=f"export_{name}_do")


def test_a_base_model_has_a_card_and_no_export(open_page, services):
    add_demo(services)

    app = open_page("models")

    assert not app.exception
    assert "Download model card" in downloads(app)
    assert [b.key for b in app.button if b.key and b.key.startswith("export_")] == []


def test_a_run_says_what_was_left_out_and_hands_out_its_data_card(open_page, services):
    record = add_demo(services)
    snapshot = {
        "samples": 14, "by_language": {"zh": 4, "ru": 5}, "leaks": 3, "repeated": 5,
    }  # fmt: skip
    run = add_run(services, record, snapshot=snapshot)
    folder = run_folder(services.home, run)
    folder.mkdir(parents=True)
    (folder / DATA_CARD).write_text("# Data: 新闻\n", encoding="utf-8")

    app = open_page("training")

    assert not app.exception
    assert "3 samples left out: they repeat a held-out sample." in said(app)
    assert "5 repetitions of rare samples." in said(app)
    assert "9 samples (Chinese 4, Russian 5)" in said(app)
    app.session_state[f"details_{run}"] = True
    assert "Download data card" in downloads(app.run())


def test_a_run_without_a_data_card_offers_none(open_page, services):
    run = add_run(services, add_demo(services))
    app = open_page("training")

    app.session_state[f"details_{run}"] = True
    app.run()

    assert not app.exception
    assert "Download data card" not in downloads(app)
    assert "left out" not in said(app)


def test_the_plan_says_how_often_rare_samples_are_repeated(open_page, services):
    record = add_demo(services)
    more = [
        Sample(f"zh-more-{n}", "zh", "text", f"第{n}颗卫星。", split="train", events=())
        for n in range(3)
    ]
    services.store.samples.add(record.id, more, schema_number=1)
    app = open_page("training")
    without = said(app)

    app.selectbox(key="recipe_laptop_balance").set_value("language").run()

    assert "Rare samples are repeated" not in without
    assert "Rare samples are repeated by language: 9 repetitions an epoch." in said(app)
    assert "**15 corrected samples**" in said(app)


def test_the_card_of_a_base_says_its_terms_and_that_it_has_no_score(services):
    record = add_demo(services, "демо")

    card = write_card(services, services.store.models.get(BASE), collection_id=record.id)

    assert card.startswith("# Tiny\n")
    assert "Not scored yet." in card
    assert "Use it kindly." in card
