"""The loop on a tiny model: run, score, promote, go back; and every way a run can end."""

from dataclasses import replace

import pytest

from core.errors import PromotionRefused, RefusedError, TrainingError
from core.queues import Queue
from core.records import SampleFilter
from core.schema import EventType, Role, Schema
from tests.integration.sentences import labelled
from train import queue, registry
from train.evaluate import evaluate_model
from train.jobs import handle_job
from train.recipes import Recipe
from train.register import register_model
from train.runs import add_run, execute_run
from train.services import Services
from train.snapshot import judged_split, plan_run
from train.suggest import suggest_samples
from train.warm import WarmModel

SCHEMA = Schema((EventType("launch", roles=(Role("agent"), Role("product"))),))
RECIPE = replace(
    Recipe.laptop(), rank=2, alpha=4, epochs=1, batch_size=4, dropout=0.0, warmup_steps=0
)
WORDS = {
    "en": ("Intel launched chip {}", "launched", "Intel"),
    "zh": ("🚀华为发布芯片{}号", "发布", "华为"),
    "es": ("José lanzó el móvil {}", "lanzó", "José"),
    "ru": ("Вега выпустила чип {}", "выпустила", "Вега"),
}


@pytest.fixture
def services(home, store, tiny_model) -> Services:
    return Services(home, store)


@pytest.fixture
def collection(services, tiny_model) -> int:
    made = services.store.collections.create("цепь", SCHEMA)
    samples = [labelled(WORDS, c, n, "train") for c in WORDS for n in range(2)]
    samples += [labelled(WORDS, c, n, "test") for c in WORDS for n in range(2, 4)]
    samples += [replace(labelled(WORDS, c, 9, None), events=None) for c in WORDS]
    services.store.samples.add(made.id, samples, schema_number=1)
    register_model(services, str(tiny_model), "Tiny")
    return made.id


def base_id(services) -> str:
    return next(m.id for m in services.store.models.all() if m.is_base)


def fake_scores(services, collection, model_id, f1: float) -> None:
    """Scores as an evaluation would keep them, so that the rule can be tried without a model."""
    digest = registry.split_hash(services, collection, "test")
    part = {"tri_c": {"f1": f1}, "arg_c": {"f1": f1}}
    services.store.models.add_evaluation(
        collection_id=collection, model_id=model_id, split="test", test_hash=digest, samples=8,
        scores={"overall": part}, outcomes=[], settings={}, seconds=1.0,
    )  # fmt: skip


def candidate(services, collection) -> str:
    return services.store.models.add(
        "adapter-1", title="A", state="candidate", base_id=base_id(services),
        collection_id=collection, location="/nowhere",
    ).id  # fmt: skip


def test_a_run_ends_with_a_candidate_scored_beside_its_base(services, collection):
    run_id = add_run(services, collection, RECIPE)

    execute_run(services, run_id)

    run = services.store.runs.get(run_id)
    model = services.store.models.get(run.model_id)
    assert (run.state, run.step, run.total_steps) == ("done", 2, 2)
    assert (model.state, model.base_id) == ("candidate", base_id(services))
    assert model.manifest["snapshot"] == run.snapshot["hash"]
    assert len(services.store.runs.losses(run_id)) == 2
    scored = services.store.models.evaluations(collection, split="test")
    assert {e.model_id for e in scored} == {model.id, base_id(services)}
    assert {e.samples for e in scored} == {8}
    assert set(scored[0].scores["by_language"]) == set(WORDS)


def test_a_cancelled_run_keeps_what_it_learned_as_a_candidate(services, collection):
    run_id = add_run(services, collection, replace(RECIPE, epochs=50))

    def cancel_at_first_step(run, point, _text) -> None:
        if point is not None:
            services.store.runs.cancel(run_id)

    execute_run(services, run_id, say=cancel_at_first_step)

    run = services.store.runs.get(run_id)
    assert run.state == "cancelled"
    assert 1 <= run.step < run.total_steps
    assert "kept as a candidate" in run.reason
    assert services.store.models.get(run.model_id).state == "candidate"


def test_a_run_cancelled_while_it_waits_does_nothing(services, collection):
    run_id = add_run(services, collection, RECIPE)
    services.store.runs.cancel(run_id)

    execute_run(services, run_id)

    assert services.store.runs.get(run_id).state == "cancelled"
    assert services.store.runs.get(run_id).step == 0


def test_a_run_without_reviews_fails_with_the_way_on(services, collection):
    empty = services.store.collections.create("пусто", SCHEMA)
    run_id = add_run(services, empty.id, RECIPE)

    with pytest.raises(TrainingError, match="nothing to train on"):
        execute_run(services, run_id)

    run = services.store.runs.get(run_id)
    assert run.state == "failed"
    assert "Review some samples" in run.reason


def test_a_recipe_for_other_layers_fails_and_says_which(services, collection):
    run_id = add_run(services, collection, replace(RECIPE, target_modules=("нет_такого",)))

    with pytest.raises(TrainingError, match="target_modules do not fit"):
        execute_run(services, run_id)

    assert services.store.runs.get(run_id).state == "failed"


def test_a_better_candidate_is_promoted_and_the_way_back_is_one_step(services, collection):
    base, adapter = base_id(services), candidate(services, collection)
    fake_scores(services, collection, base, 20.0)
    fake_scores(services, collection, adapter, 30.0)

    registry.promote(services, collection, adapter, person="Анна")

    assert registry.model_in_use(services, collection).id == adapter
    assert services.store.models.get(adapter).state == "promoted"
    back = registry.roll_back(services, collection)
    assert back.id == base
    assert registry.model_in_use(services, collection).id == base
    assert services.store.models.get(adapter).state == "retired"


def test_a_worse_candidate_is_refused_with_the_figures_and_needs_a_reason(services, collection):
    base, adapter = base_id(services), candidate(services, collection)
    fake_scores(services, collection, base, 30.0)
    fake_scores(services, collection, adapter, 29.9)

    with pytest.raises(PromotionRefused, match=r"Tri-C F1 30\.0 → 29\.9, Arg-C F1 30\.0 → 29\.9"):
        registry.promote(services, collection, adapter)
    assert registry.model_in_use(services, collection).id == base

    registry.promote(services, collection, adapter, reason="俄语更好")
    assert services.store.models.promotions(collection)[0].reason == "俄语更好"


def test_a_candidate_without_scores_is_refused_until_it_is_evaluated(services, collection):
    adapter = candidate(services, collection)

    with pytest.raises(PromotionRefused, match="has no score on the test split"):
        registry.promote(services, collection, adapter)


def test_scores_of_a_split_that_has_changed_since_do_not_count(services, collection):
    base, adapter = base_id(services), candidate(services, collection)
    fake_scores(services, collection, base, 20.0)
    fake_scores(services, collection, adapter, 30.0)
    services.store.samples.add(collection, [labelled(WORDS, "ru", 77, "test")], schema_number=1)

    assert registry.compare(services, collection, adapter).verdict == "unknown"


def test_a_run_whose_model_is_in_use_cannot_be_deleted(services, collection):
    run_id = add_run(services, collection, RECIPE)
    execute_run(services, run_id, judge=False)
    model_id = services.store.runs.get(run_id).model_id
    registry.promote(services, collection, model_id, reason="первый")

    with pytest.raises(RefusedError, match="is the model in use"):
        registry.delete_run(services, run_id)

    registry.roll_back(services, collection)
    assert registry.delete_run(services, run_id) > 0
    assert services.store.models.get(model_id).state == "deleted"


def test_a_collection_without_a_test_split_is_judged_on_dev(services):
    made = services.store.collections.create("без теста", SCHEMA)
    samples = [labelled(WORDS, "ru", 1, "train"), labelled(WORDS, "zh", 2, "dev")]
    services.store.samples.add(made.id, samples, schema_number=1)

    assert judged_split(services, made.id) == "dev"
    plan = plan_run(services, made.id, RECIPE)
    assert plan.test_split_is == "dev"
    assert any("judged on dev" in w for w in plan.warnings)
    assert any("Few samples in Russian (1)" in w for w in plan.warnings)


def test_an_evaluation_is_taken_again_only_where_asked(services, collection):
    model = services.store.models.get(base_id(services))
    first = evaluate_model(services, collection, split="test", model=model)

    assert (
        evaluate_model(services, collection, split="test", model=model, reuse=True).id == first.id
    )
    again = evaluate_model(services, collection, split="test", model=model)
    assert again.id != first.id
    assert again.scores == first.scores


def test_the_worker_suggests_for_the_open_sample_and_ahead_of_the_queue(services, collection):
    warm = WarmModel(services)
    keys = services.store.samples.keys(SampleFilter(states=["new"]), collection_id=collection)
    job_id = queue.request_suggestion(services, keys[1])
    assert queue.request_suggestion(services, keys[1]) == job_id

    handle_job(services, warm, job_id)

    assert services.store.jobs.get(job_id).state == "done"
    assert services.store.samples.suggestion(keys[1]).model_id == base_id(services)
    assert services.store.samples.get(keys[1]).state == "suggested"
    queue.keep_ahead(services, Queue(collection, "oldest"), after=keys[1], person="Анна")
    ahead = services.store.jobs.open("annotate")[0]
    handle_job(services, warm, ahead.id)
    assert all(services.store.samples.suggestion(key) for key in keys)


def test_a_persons_request_interrupts_work_ahead_which_goes_on_later(services, collection):
    warm = WarmModel(services)
    keys = services.store.samples.keys(SampleFilter(states=["new"]), collection_id=collection)
    queue.keep_ahead(services, Queue(collection, "oldest"), after=0, person="Анна")
    ahead = services.store.jobs.open("annotate")[0]
    asked = queue.request_suggestion(services, keys[-1])

    handle_job(services, warm, ahead.id)
    assert services.store.jobs.get(ahead.id).state == "queued"

    handle_job(services, warm, asked)
    handle_job(services, warm, ahead.id)
    assert services.store.jobs.get(ahead.id).state == "done"
    assert all(services.store.samples.suggestion(key) for key in keys)


def test_a_job_that_fails_tells_the_person_why_and_spares_the_worker(services, collection):
    services.store.models.add("gone", title="Gone", state="base", location="/nowhere/at/all")
    services.store.models.promote(
        collection, "gone", previous_id=base_id(services), person=None, reason="", scores={}
    )
    key = services.store.samples.keys(SampleFilter(states=["new"]), collection_id=collection)[0]
    job_id = queue.request_suggestion(services, key)

    handle_job(services, WarmModel(services), job_id)

    job = services.store.jobs.get(job_id)
    assert job.state == "failed"
    assert "/nowhere/at/all is not a folder" in job.message


def test_suggestions_from_a_terminal_are_kept_and_given_with_confidence(services, collection):
    given = list(suggest_samples(services, collection, limit=3))

    assert [s.language for s in given] == ["en", "zh", "es"]
    mentions = [m for s in given for e in s.events for m in e.mentions()]
    assert all(m.confidence is not None for m in mentions)


def test_an_adapter_cannot_be_trained_on_an_adapter(services, collection):
    with pytest.raises(TrainingError, match="is an adapter"):
        add_run(services, collection, RECIPE, base_id=candidate(services, collection))
