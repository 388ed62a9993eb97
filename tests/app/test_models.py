"""Models: comparison, promotion and its refusal, the way back, registration."""

from __future__ import annotations

import pytest

from tests.app.data import BASE, add_demo, add_run, add_score


def said(app) -> str:
    parts = [*app.markdown, *app.caption, *app.warning, *app.error, *app.info, *app.success]
    return "\n".join(str(element.value) for element in parts)


@pytest.fixture
def candidate(services):
    """A function that adds a candidate which scores `value`, its base scoring 40."""

    def add(value: float | None) -> str:
        record = add_demo(services)
        add_score(services, record, BASE, 40.0)
        name = f"run-{add_run(services, record)}"
        if value is not None:
            add_score(services, record, name, value)
        return name

    return add


def in_use(services) -> str | None:
    return services.store.models.in_use(services.store.collections.get("demo").id)


def test_the_figures_stand_beside_those_of_the_model_in_use_with_the_split_said(
    open_page, candidate
):
    candidate(55.0)

    app = open_page("models")

    every, one = app.table[0].value, app.table[1].value
    assert list(every["Scored on"]) == ["test, 8", "test, 8"]
    assert one.loc["Triggers, F1 (Tri-C)", "Russian"] == "40.0 → 55.0"
    assert "on the test split, 8 samples" in said(app)


def test_a_better_candidate_is_promoted_and_one_click_goes_back(open_page, services, candidate):
    name = candidate(55.0)
    app = open_page("models")

    app.button(key=f"promote_{name}").click().run()
    promoted = in_use(services)
    app.button(key="roll_back").click().run()

    assert not app.exception
    assert (promoted, in_use(services)) == (name, BASE)


def test_a_worse_candidate_is_refused_with_the_figures(open_page, services, candidate):
    name = candidate(30.0)
    app = open_page("models")

    app.button(key=f"promote_{name}").click().run()

    assert "Tri-C F1 40.0 → 30.0" in app.error[0].value
    assert in_use(services) is None


def test_only_a_written_reason_overrides_the_refusal(open_page, services, candidate):
    name = candidate(30.0)
    app = open_page("models")

    app.button(key=f"promote_{name}").click().run()
    app.button(key=f"override_{name}_yes").click().run()
    without = in_use(services)
    app.text_input(key=f"reason_{name}").set_value("Лучше на русском")
    app.button(key=f"override_{name}_yes").click().run()

    assert without is None
    assert in_use(services) == name
    assert "Лучше на русском" in said(app)


def test_a_candidate_without_a_score_asks_for_an_evaluation(open_page, services, candidate):
    name = candidate(None)
    app = open_page("models")

    app.button(key=f"evaluate_{name}").click().run()

    job = services.store.jobs.open("evaluate")[0]
    assert (job.payload["model"], job.payload["split"]) == (name, "test")
    assert "Cannot be compared yet" in said(app)


def test_a_failed_evaluation_says_why(open_page, services, candidate):
    candidate(None)
    record = services.store.collections.get("demo")
    job = services.store.jobs.add(
        "evaluate", {"collection": record.id, "model": BASE, "split": "test"}
    )
    services.store.jobs.finish(job, "failed", "the folder /nowhere has no weights")

    app = open_page("models")

    assert "has no weights" in app.error[0].value


def test_the_terms_of_the_base_model_are_shown(open_page, services):
    add_demo(services)

    app = open_page("models")
    app.selectbox(key="model").set_value(services.store.models.get(BASE)).run()

    assert "Use it kindly." in said(app)


def test_what_is_neither_a_folder_nor_an_id_is_not_registered(open_page, services):
    add_demo(services)
    app = open_page("models")

    app.text_input(key="model_location").set_value("нет такой папки")
    app.button(key="register").click().run()

    assert "neither a folder" in app.error[0].value


def test_a_hub_id_is_registered(open_page, services):
    add_demo(services)
    app = open_page("models")

    app.text_input(key="model_location").set_value("Qwen/Qwen3-0.6B")
    app.text_input(key="model_title").set_value("通义")
    app.button(key="register").click().run()

    assert "通义" in [m.title for m in services.store.models.all()]


def test_disk_use_is_said(open_page, services):
    add_demo(services)

    app = open_page("models")

    assert "On the disk: models" in said(app)


def test_a_lead_sets_the_promotion_rule_and_it_holds_at_once(open_page, services, candidate):
    name = candidate(55.0)
    app = open_page("models")

    app.checkbox(key="rule_significant").check().run()
    app.button(key="rule_save").click().run()
    app.button(key=f"promote_{name}").click().run()

    assert not app.exception
    assert "no gain is significant at 0.05" in app.error[0].value
    assert in_use(services) is None


def test_what_a_model_reads_is_said(open_page, services):
    add_demo(services)
    services.store.models.add(
        "sees", title="Sees", state="base", location="a/b", is_remote=True,
        manifest={"task": "vision", "reads": ["text", "image", "video"]},
    )  # fmt: skip

    app = open_page("models")
    assert "reads text ·" in said(app)
    app.selectbox(key="model").set_value(services.store.models.get("sees")).run()

    assert "reads text, pictures and clips" in said(app)
