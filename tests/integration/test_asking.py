"""Ways of asking a model: the default, steps, the comparison that the worker runs, and its use."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from core.errors import InputError
from core.events import Argument, Event, span
from core.ports import Decoding, Prompting, Suggested
from core.prompts import EXAMPLES, NATIVE, TUNED, ZERO_SHOT
from core.samples import Sample
from core.schema import EventType, Role, Schema
from core.strategy import Strategy, needs_another_look
from train import queue
from train.comparing import compare_strategies
from train.comparison import (
    best_by_language,
    compared,
    plan_comparison,
    strategies_to_compare,
    use_best,
)
from train.evaluate import evaluate_model
from train.jobs import handle_job
from train.registry import compare
from train.services import Services
from train.steps import ask_model
from train.strategies import (
    asked_now,
    choose_strategies,
    choose_strategy,
    last_choice,
    use_strategies,
)
from train.warm import WarmModel

SCHEMA = Schema((EventType("launch", roles=(Role("agent", required=True),)), EventType("crash")))
TEXTS = {
    "en": ("Nortia launched modem {}.", "launched", "Nortia"),
    "zh": ("晨星周二发布了第{}款芯片。", "发布", "晨星"),
    "es": ("Nortia lanzó el módem {}.", "lanzó", "Nortia"),
    "ru": ("Вега запустила чип {}.", "запустила", "Вега"),
}


def make_event(text: str, language: str, *, sure: float | None = None) -> Event:
    _, trigger, agent = TEXTS[language]
    at, who = text.index(trigger), text.index(agent)
    mention = span(text, who, who + len(agent), confidence=sure)
    return Event(
        "launch", span(text, at, at + len(trigger), confidence=sure), (Argument("agent", mention),),
        sure,
    )  # fmt: skip


def make_sample(language: str, number: int, split: str | None) -> Sample:
    text = TEXTS[language][0].format(number)
    events = (make_event(text, language),) if split else None
    return Sample(f"{language}-{number}", language, "text", text, split=split, events=events)


class Learner:
    """A model that is right where it is shown examples, or asked in Russian about a Russian text; it
    knows the first Chinese text anyway. It writes down how it was asked."""

    model_id = "base"
    reads = ("text",)
    decoding = Decoding.greedy()
    prompting = Prompting(ZERO_SHOT)

    def __init__(self) -> None:
        self.asked: list[tuple[str, int, list[str], bool]] = []

    def suggest(self, samples, schema, *, decoding=None, prompting=None, on_step=None):
        prompting = prompting or self.prompting
        shown = {s.id: len(prompting.examples.get(s.id, ())) for s in samples}
        is_free = (decoding or self.decoding).is_free
        ids = [s.id for s in samples]
        self.asked.append((prompting.version, max(shown.values()), ids, is_free))
        if on_step is not None:
            on_step(0.5)
        said = []
        for sample in samples:
            knows = shown[sample.id] or sample.id == "zh-100"
            knows = knows or (prompting.version == NATIVE and sample.language == "ru")
            sure = 0.9 if knows else 0.1
            event = make_event(sample.text, sample.language, sure=sure)
            wrong = replace(event, trigger=event.arguments[0].mention, arguments=())
            events = (event if knows else wrong,)
            said.append(Suggested(events, "[]", prompting.version, seconds=1.0))
        return said

    def fits(self, sample, schema, *, prompting=None) -> bool:
        return True

    def close(self) -> None:
        pass


@pytest.fixture
def services(home, store) -> Services:
    return Services(home, store)


@pytest.fixture
def collection(store) -> int:
    made = store.collections.create("спрос 询问", SCHEMA)
    samples = [make_sample(c, n, "train") for c in TEXTS for n in range(5)]
    samples += [make_sample(c, n, "dev") for c in TEXTS for n in (100, 101)]
    store.samples.add(made.id, samples, schema_number=1)
    store.models.add("base", title="Base", state="base", location="/nowhere")
    store.models.add(
        "tuned", title="Tuned", state="candidate", location="/nowhere", base_id="base",
        collection_id=made.id,
    )  # fmt: skip
    return made.id


@pytest.fixture
def learner() -> Learner:
    return Learner()


def dev(language: str = "ru") -> list[Sample]:
    return [replace(make_sample(language, n, None), split="dev") for n in (100, 101)]


def run_job(services: Services, learner: Learner, job_id: int) -> None:
    warm = WarmModel(services)
    warm._backend, warm._model_id = learner, "base"
    handle_job(services, warm, job_id)


# ---------------------------------------------------------------- the default


def test_a_base_is_shown_reviewed_samples_once_there_are_some_and_an_adapter_is_not(
    services, collection, store
):
    empty = store.collections.create("пусто", SCHEMA).id
    base, tuned = store.models.get("base"), store.models.get("tuned")

    assert choose_strategy(services, collection, base, "zh") == Strategy(EXAMPLES, 4)
    assert choose_strategy(services, empty, base, "zh") == Strategy(ZERO_SHOT)
    assert choose_strategy(services, collection, tuned, "zh") == Strategy(TUNED)


def test_a_choice_holds_for_its_model_and_languages_and_says_who_made_it(
    services, collection, store
):
    base, native = store.models.get("base"), Strategy(NATIVE, 2, in_steps=True)

    use_strategies(services, collection, "base", {"ru": native, "zh": native}, person="Анна")
    chosen = choose_strategies(services, collection, base, ["en", "ru", "zh"])
    said = last_choice(services, collection, "base")
    use_strategies(services, collection, "base", {}, person="李")

    default = Strategy(EXAMPLES, 4)
    assert chosen == {"en": default, "zh": native, "ru": native}
    assert said is not None
    assert said.person == "Анна"
    assert last_choice(services, collection, "base") is None
    assert choose_strategy(services, collection, base, "ru") == default


# ---------------------------------------------------------------- asking


def test_each_sample_is_asked_about_as_its_language_is_and_answers_keep_their_order(
    services, collection, learner
):
    samples = [s for pair in zip(dev("ru"), dev("zh"), strict=True) for s in pair]
    use_strategies(services, collection, "base", {"ru": Strategy(NATIVE)}, person=None)

    said = ask_model(services, learner, collection, samples, SCHEMA)

    assert [(v, k, ids) for v, k, ids, _ in learner.asked] == [
        (NATIVE, 0, ["ru-100", "ru-101"]),
        (EXAMPLES, 4, ["zh-100", "zh-101"]),
    ]
    assert [s.prompt_version for s in said] == [NATIVE, EXAMPLES] * 2
    assert [s.events[0].trigger.text for s in said] == ["запустила", "发布"] * 2


def test_prompts_that_begin_otherwise_are_never_in_one_batch(services, collection, learner):
    samples = [*dev("zh"), *dev("ru"), *dev("en")]

    ask_model(services, learner, collection, samples, SCHEMA, strategy=Strategy(NATIVE))
    ask_model(services, learner, collection, samples, SCHEMA, strategy=Strategy(EXAMPLES))

    assert [len(ids) for _, _, ids, _ in learner.asked] == [2, 2, 2, 6]


def test_the_second_step_asks_only_where_the_first_is_unsure_or_incomplete(
    services, collection, learner
):
    shares: list[float] = []
    way = Strategy(EXAMPLES, 3, in_steps=True)

    said = ask_model(
        services, learner, collection, dev("zh"), SCHEMA, strategy=way, on_step=shares.append
    )

    assert [(k, ids) for _, k, ids, _ in learner.asked] == [
        (0, ["zh-100", "zh-101"]), (3, ["zh-101"])
    ]  # fmt: skip
    assert [s.steps for s in said] == [1, 2]
    assert [s.seconds for s in said] == [1.0, 2.0]
    assert [s.events[0].trigger.text for s in said] == ["发布", "发布"]
    assert shares == sorted(shares)
    assert shares[-1] <= 1


def test_an_empty_first_answer_is_asked_for_again_since_nothing_says_how_sure_it_is():
    assert needs_another_look(Suggested((), "[]", EXAMPLES), SCHEMA)


def test_free_decoding_is_asked_of_the_backend(services, collection, learner):
    ask_model(
        services, learner, collection, dev(), SCHEMA, strategy=Strategy(ZERO_SHOT, is_free=True)
    )

    assert learner.asked[0][3] is True


@pytest.mark.parametrize(
    ("event", "again"),
    [
        (make_event(TEXTS["zh"][0], "zh", sure=0.9), False),
        (make_event(TEXTS["ru"][0], "ru", sure=0.2), True),
        (replace(make_event(TEXTS["es"][0], "es", sure=0.9), confidence=0.1), True),
        (replace(make_event(TEXTS["ru"][0], "ru", sure=0.9), arguments=()), True),
        (make_event(TEXTS["en"][0], "en", sure=None), False),
    ],
)
def test_a_first_answer_is_asked_for_again_where_it_is_unsure_or_lacks_a_required_role(
    event, again
):
    assert needs_another_look(Suggested((event,), "", EXAMPLES), SCHEMA) is again


# ---------------------------------------------------------------- the comparison


def test_the_worker_compares_the_ways_and_the_best_of_each_language_is_used(
    services, collection, store, learner
):
    plan = plan_comparison(services, collection, store.models.get("base"))
    job = queue.start_comparison(services, collection, "base")
    assert queue.start_comparison(services, collection, "base") == job

    run_job(services, learner, job)
    scores = compared(services, collection, "base")
    best = {code: s.strategy for code, s in best_by_language(scores).items()}
    use_best(services, collection, "base", person="Ana")

    assert store.jobs.get(job).state == "done"
    assert [s.strategy for s in scores] == list(plan.strategies)
    assert plan.samples == 8
    assert plan.seconds > 0
    zero, native, two = scores[0], scores[1], scores[2]
    assert zero.evaluation.scores["by_language"]["zh"]["tr_accuracy"] == 50
    assert native.evaluation.scores["by_language"]["ru"]["tr_accuracy"] == 100
    assert two.evaluation.scores["overall"]["arg_accuracy"] == 100
    assert zero.problems["missing_role"] == 7
    assert all(way.examples or (code, way.version) == ("ru", NATIVE) for code, way in best.items())
    assert choose_strategies(services, collection, store.models.get("base"), TEXTS) == best


def test_a_comparison_that_gives_way_to_a_person_does_nothing_twice(
    services, collection, store, learner
):
    waiting = store.samples.add(collection, [make_sample("ru", 200, None)], schema_number=1)[0]
    job = queue.start_comparison(services, collection, "base")
    ask = learner.suggest

    def ask_and_open(samples: Sequence[Sample], *rest, **more):
        answers = ask(samples, *rest, **more)
        if len(learner.asked) == 3:
            queue.request_suggestion(services, waiting)
        return answers

    learner.suggest = ask_and_open
    run_job(services, learner, job)
    between, done = store.jobs.get(job).state, len(compared(services, collection, "base"))
    for open_job in store.jobs.open("suggest"):
        store.jobs.cancel(open_job.id)
    run_job(services, learner, job)

    asked = [(v, k, tuple(ids)) for v, k, ids, _ in learner.asked]
    assert (between, store.jobs.get(job).state) == ("queued", "done")
    assert 0 < done < 6
    plain = [one for one in asked if one[0] == ZERO_SHOT]
    assert len(plain) == 1
    assert len(compared(services, collection, "base")) == 6


def test_a_comparison_that_is_cancelled_keeps_what_is_done(services, collection, store, learner):
    job = queue.start_comparison(services, collection, "base")
    ask = learner.suggest

    def ask_and_cancel(samples: Sequence[Sample], *rest, **more):
        if learner.asked:
            store.jobs.cancel(job)
        return ask(samples, *rest, **more)

    learner.suggest = ask_and_cancel
    run_job(services, learner, job)

    assert store.jobs.get(job).state == "cancelled"
    done = [s.strategy for s in compared(services, collection, "base")]
    assert done[0] == Strategy(ZERO_SHOT)
    assert len(done) < len(strategies_to_compare(services, collection, store.models.get("base")))


def test_a_comparison_disturbs_neither_the_scores_of_a_model_nor_its_promotion(
    services, collection, store, learner
):
    base = store.models.get("base")
    own = evaluate_model(services, collection, split="dev", model=base, backend=learner)
    compare_strategies(
        services, collection, base, [Strategy(ZERO_SHOT)], backend=learner, name="try"
    )

    found = store.models.evaluations(collection, model_id="base", split="dev")

    assert [e.id for e in found] == [own.id]
    assert compare(services, collection, "base").in_use == own


def test_a_score_counts_only_while_the_model_is_asked_as_it_was_then(
    services, collection, store, learner
):
    base = store.models.get("base")
    first = evaluate_model(services, collection, split="dev", model=base, backend=learner)

    use_strategies(services, collection, "base", {"ru": Strategy(NATIVE)}, person=None)
    stale = compare(services, collection, "base").in_use
    second = evaluate_model(
        services, collection, split="dev", model=base, backend=learner, reuse=True
    )

    every = store.models.evaluations(collection, model_id="base")
    assert stale is None
    assert second.id != first.id
    assert asked_now(services, collection, every) == [second]
    use_strategies(services, collection, "base", {}, person=None)
    assert asked_now(services, collection, every) == [first]


def test_free_decoding_is_compared_and_never_used(services, collection, store, learner):
    ways = [Strategy(EXAMPLES, 2, is_free=True), Strategy(ZERO_SHOT)]

    compare_strategies(
        services, collection, store.models.get("base"), ways, backend=learner, name="try"
    )

    scores = compared(services, collection, "base")
    assert [s.strategy for s in scores] == ways
    assert {s.strategy for s in best_by_language(scores).values()} == {Strategy(ZERO_SHOT)}


def test_what_cannot_be_compared_says_what_is_missing(services, collection, store, learner):
    empty = store.collections.create("пусто", SCHEMA).id
    base = store.models.get("base")

    with pytest.raises(InputError, match="dev split has no reviewed sample"):
        compare_strategies(services, empty, base, [Strategy(ZERO_SHOT)], backend=learner, name="x")
    with pytest.raises(InputError, match="prompts of base were not compared"):
        use_best(services, empty, "base", person=None)
    assert plan_comparison(services, empty, base).samples == 0
