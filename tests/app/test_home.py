"""Home: what to do next, where the collection stands, what runs."""

from __future__ import annotations

from core.events import Event
from tests.app.data import BASE, add_demo, add_run
from train.recipes import Recipe, recipe_to_dict


def lines(app) -> list[str]:
    return [str(m.value) for m in app.markdown]


def bars(app) -> list[str]:
    return [bar.proto.text for bar in app.get("progress")]


def test_three_lines_say_what_is_next_and_where_the_collection_stands(open_page, services):
    add_demo(services, "新闻")

    app = open_page("home")

    said = lines(app)
    assert "# 4 samples wait for your review" in said
    assert "**新闻** holds 24 samples in 4 languages: 20 reviewed, 4 waiting." in said
    assert any("Nothing was trained here yet" in line for line in said)
    assert app.button(key="next_step").label == "Review the next sample"


def test_without_a_collection_the_next_thing_is_to_import(open_page):
    app = open_page("home")

    assert app.button(key="next_step").label == "Import a file"


def test_when_nothing_waits_the_next_thing_is_training(open_page, services):
    record = add_demo(services)
    for key in services.store.samples.keys(collection_id=record.id)[-4:]:
        services.store.samples.add_review(key, [], person="Ana", schema_number=1)

    app = open_page("home")

    assert app.button(key="next_step").label == "Go to training"


def test_a_new_candidate_comes_before_more_reviews(open_page, services):
    record = add_demo(services)
    add_run(services, record)

    app = open_page("home")

    assert app.button(key="next_step").label == "Compare and promote"


def test_a_candidate_that_was_reviewed_past_no_longer_comes_first(open_page, services):
    record = add_demo(services)
    add_run(services, record)
    key = services.store.samples.keys(collection_id=record.id)[-1]
    services.store.samples.add_review(key, [Event("launch", None)], person="Ana", schema_number=1)

    app = open_page("home")

    assert app.button(key="next_step").label == "Review the next sample"


def test_a_stopped_worker_is_said_with_how_to_start_it(open_page, services):
    add_demo(services)

    app = open_page("home")

    assert "make run" in app.warning[0].value


def test_a_running_worker_is_not_mentioned(open_page, services):
    from train.carrier import heartbeat_file

    add_demo(services)
    heartbeat_file(services.home).touch()

    app = open_page("home")

    assert not app.warning


def test_a_run_under_way_is_shown_and_can_be_cancelled(open_page, services):
    record = add_demo(services)
    run = add_run(services, record, state="running", step=3, total_steps=9)
    app = open_page("home")

    app.button(key=f"keep_run_{run}").click().run()

    assert services.store.runs.get(run).cancel_requested
    assert "Stopping after this step" in "\n".join(c.value for c in app.caption)


def test_of_several_runs_the_one_at_work_is_shown_not_the_newest(open_page, services):
    record = add_demo(services)
    running = add_run(services, record, state="running", step=3, total_steps=9)
    add_run(services, record, state="queued")

    app = open_page("home")

    assert any(f"Run {running}: " in text for text in bars(app))


def test_of_queued_runs_the_next_one_is_shown(open_page, services):
    record = add_demo(services)
    first = add_run(services, record, state="queued")
    add_run(services, record, state="queued")

    app = open_page("home")

    assert f"Run {first} waits for the worker" in bars(app)


def test_a_run_that_waits_for_a_person_does_not_stand_in_the_way_of_training(open_page, services):
    record = add_demo(services)
    for key in services.store.samples.keys(collection_id=record.id)[-4:]:
        services.store.samples.add_review(key, [], person="Ana", schema_number=1)
    services.store.runs.add(
        record.id, base_id=BASE, recipe=recipe_to_dict(Recipe.laptop()), launch="many_machines"
    )

    app = open_page("home")

    assert app.button(key="next_step").label == "Go to training"
    assert not any("Run" in text for text in bars(app))


def test_a_mean_of_runs_has_not_learned_from_newer_reviews(open_page, services):
    record, runs = add_demo(services), services.store.runs
    recipe = recipe_to_dict(Recipe.laptop())
    runs.finish(old := runs.add(record.id, base_id=BASE, recipe=recipe), "done")
    for key in services.store.samples.keys(collection_id=record.id)[-4:]:
        services.store.samples.add_review(key, [], person="Ana", schema_number=1)
    runs.finish(runs.add(record.id, base_id=BASE, recipe=recipe, mean_of=[old, old]), "done")

    app = open_page("home")

    assert app.button(key="next_step").label == "Go to training"


def test_an_evaluation_under_way_is_shown(open_page, services):
    record = add_demo(services)
    job = services.store.jobs.add(
        "evaluate", {"collection": record.id, "model": BASE, "split": "test"}
    )

    app = open_page("home")

    assert app.button(key=f"cancel_job_{job}")


def test_media_that_are_made_ready_and_clips_written_down_are_seen(open_page, services):
    record = add_demo(services)
    for kind in ("media", "transcribe"):
        services.store.jobs.add(kind, {"collection": record.id})

    app = open_page("home")

    told = " ".join(bars(app))
    assert "Making pictures, clips and sounds ready" in told
    assert "Writing down what is said in clips" in told


def test_work_on_another_collection_says_on_which(open_page, services):
    add_demo(services, "新闻")
    other = add_demo(services, "Новости")
    services.store.jobs.add("annotate", {"collection": other.id})

    app = open_page("home", collection="新闻")

    (bar,) = [told for told in bars(app) if "Preparing" in told]
    assert bar.startswith("Preparing suggestions ahead, in Новости · ")
