"""Similar samples and odd labels in a real database, worked out by the worker's jobs."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core.errors import CancelledError, NotFoundError
from core.events import Event, Mention, span
from core.models.embedder import CharacterNgrams
from core.ports import Decoding, Prompting, Suggested
from core.records import PRIORITY, SampleFilter
from core.samples import Sample
from core.schema import EventType, Schema
from core.schema_change import RenameType
from train import queue
from train.embedding import embed_collection, find_similar
from train.jobs import handle_job
from train.radar import refresh_radar, trust_in
from train.services import Services
from train.similar import is_due, look_after
from train.warm import WarmModel

SCHEMA = Schema((EventType("launch"), EventType("attack")))
TEXTS = {
    "ru": "«Вега» запустила в Москве новый сервис связи",
    "zh": "小米公司周四在北京发布了新款折叠手机",
    "es": "Vega lanzó ayer en Madrid un servicio nuevo de telefonía",
}
WORDS = {"ru": "запустила", "zh": "发布", "es": "lanzó"}
TEXTS_IN_ALL = 36
OTHERS = {
    "ru": [
        "Учёные нашли вирус в пробах льда",
        "Центробанк снизил ставку",
        "Дождь залил поля под Рязанью",
    ],
    "zh": ["科学家在冰芯中发现古老病毒", "央行下调了基准利率", "暴雨淹没了南方的农田"],
    "es": ["Hallan un virus en el hielo", "El banco bajó los tipos", "La lluvia inundó los campos"],
}


def sample(
    language: str, number: int, event_type: str | None = "launch", *, split: str | None = "train",
    story: str | None = None,
) -> Sample:  # fmt: skip
    text = f"{TEXTS[language]} {number}"
    at = text.index(WORDS[language])
    events = (Event(event_type, span(text, at, at + len(WORDS[language]))),) if event_type else None
    return Sample(
        f"{language}-{number}",
        language,
        "text",
        text,
        parallel_group=story,
        split=split,
        events=events,
    )


@pytest.fixture
def services(home, store) -> Services:
    return Services(home, store)


@pytest.fixture
def collection(store) -> int:
    made = store.collections.create("похожие 相似", SCHEMA)
    samples = [sample(c, n) for c in TEXTS for n in range(6)]
    samples += [sample(c, 50, split="test") for c in TEXTS]
    samples += [sample(c, 60, story="故事") for c in TEXTS]
    samples += [sample(c, 70, None, split=None) for c in TEXTS]
    samples += [Sample("пусто", "ru", "image", None)]
    samples += [
        Sample(f"{c}-other-{n}", c, "text", text, split="train", events=())
        for c, texts in OTHERS.items()
        for n, text in enumerate(texts)
    ]
    store.samples.add(made.id, samples, schema_number=1)
    return made.id


def embed(services: Services, collection: int) -> int:
    return embed_collection(
        services, collection, step=lambda _share: None, embedder=CharacterNgrams()
    )


def key(store, collection: int, ident: str) -> int:
    (found,) = store.samples.keys(SampleFilter(ids=[ident]), collection_id=collection)
    return found


def test_similar_samples_are_reviewed_alike_and_never_of_the_test_split(services, collection):
    assert embed(services, collection) == TEXTS_IN_ALL

    for language in TEXTS:
        found = services.store.vectors.similar(key(services.store, collection, f"{language}-70"))
        assert len(found) >= 6
        assert {s.record.state for s in found} == {"reviewed"}
        assert "test" not in {s.record.sample.split for s in found}
        assert all(s.record.sample.events for s in found)
        assert [s.score for s in found] == sorted((s.score for s in found), reverse=True)
        assert services.store.vectors.similar(found[0].record.key, 2)[:1] != found[:1]


def test_a_story_is_no_example_of_itself(services, collection, store):
    more = [sample("ru", n, story="故事") for n in (61, 62)]
    store.samples.add(collection, more, schema_number=1)

    embed(services, collection)

    found = store.vectors.similar(key(store, collection, "ru-61"))
    assert found
    assert "故事" not in {s.record.sample.parallel_group for s in found}


def test_an_example_that_changed_since_is_checked_again_when_it_is_shown(
    services, collection, store
):
    embed(services, collection)
    mine = key(store, collection, "zh-70")
    first = store.vectors.similar(mine)[0].record.key

    store.samples.delete([first])

    assert first not in [s.record.key for s in store.vectors.similar(mine)]


def test_embedding_goes_on_where_it_was_stopped_and_does_nothing_twice(services, collection, store):
    calls: list[float] = []

    def stop(share: float) -> None:
        calls.append(share)
        if len(calls) == 2:
            raise CancelledError("cancelled by a person")

    with pytest.raises(CancelledError):
        embed_collection(services, collection, step=stop, embedder=CharacterNgrams())
    left = store.vectors.count_missing(collection, model=CharacterNgrams.name)

    assert 0 < left < TEXTS_IN_ALL
    assert embed(services, collection) == left
    assert embed(services, collection) == 0


def test_another_embedder_reads_everything_again(services, collection, store):
    embed(services, collection)
    other = CharacterNgrams()
    other.name = "другой"

    assert (
        embed_collection(services, collection, step=lambda _s: None, embedder=other) == TEXTS_IN_ALL
    )
    assert store.vectors.count_missing(collection, model=CharacterNgrams.name) == TEXTS_IN_ALL


def test_a_newly_reviewed_sample_becomes_an_example_once_the_worker_looks_again(
    services, collection, store
):
    embed(services, collection)
    mine, other = key(store, collection, "es-70"), key(store, collection, "es-0")
    events = sample("es", 70).events
    store.samples.add_review(mine, events, person="Анна", schema_number=1)
    store.samples.delete([key(store, collection, f"es-{n}") for n in (3, 4, 5)])

    find_similar(services, collection, step=lambda _share: None, embedder=CharacterNgrams())

    assert mine in [s.record.key for s in store.vectors.similar(other)]


def test_the_worker_embeds_once_and_again_after_enough_reviews(services, collection, store):
    assert len(look_after(services)) == 1
    assert len(look_after(services)) == 1
    job = store.jobs.open("embed")[0]

    handle_job(services, WarmModel(services), job.id)

    done = store.jobs.get(job.id)
    assert (done.state, done.progress) == ("done", 1.0)
    assert f"{TEXTS_IN_ALL} texts read by" in done.message
    assert look_after(services) == []
    for n in range(5):
        ident = key(store, collection, f"ru-{n}")
        store.samples.add_review(ident, sample("ru", n).events, person="Анна", schema_number=1)
    assert is_due(services, collection)


def test_embedding_gives_way_to_a_person(services, collection, store):
    look_after(services)
    job = store.jobs.open("embed")[0]
    queue.request_suggestion(services, key(store, collection, "zh-70"))

    handle_job(services, WarmModel(services), job.id)

    assert store.jobs.get(job.id).state == "queued"
    assert PRIORITY["embed"] < min(PRIORITY["annotate"], PRIORITY["suggest"])


# ---------------------------------------------------------------- the radar


def make_odd(store, collection: int, language: str) -> int:
    odd = replace(sample(language, 90, "attack"), id=f"odd-{language}")
    return store.samples.add(collection, [odd], schema_number=1)[0]


@pytest.mark.parametrize("language", list(TEXTS))
def test_an_odd_label_is_listed_with_its_reason(services, collection, store, language):
    odd = make_odd(store, collection, language)

    assert refresh_radar(services, collection) == 1

    ((found, score, reason, values),) = store.radar.list(collection)
    assert (found, reason) == (odd, "trigger_type")
    assert (values["words"], values["labelled"], values["usual"]) == (
        WORDS[language],
        "attack",
        "launch",
    )
    assert 0.5 < score < 1
    assert store.radar.why(odd)[1] == "trigger_type"
    assert store.radar.why(found + 1000) is None


def test_what_a_person_called_right_comes_back_only_after_its_labels_changed(
    services, collection, store
):
    odd = make_odd(store, collection, "zh")
    refresh_radar(services, collection)

    store.radar.dismiss(odd, person="李")
    refresh_radar(services, collection)
    assert store.radar.list(collection) == []
    store.schema_changes.apply(collection, RenameType("attack", "攻击"))
    refresh_radar(services, collection)
    assert store.radar.list(collection) == []

    again = Event("攻击", store.samples.get(odd).sample.events[0].trigger)
    store.samples.add_review(odd, [again], person="李", schema_number=2)
    refresh_radar(services, collection)
    assert [k for k, *_ in store.radar.list(collection)] == [odd]


def test_a_dismissal_can_be_taken_back_and_survives_an_empty_list(services, collection, store):
    odd = make_odd(store, collection, "ru")
    refresh_radar(services, collection)
    store.radar.dismiss(odd)
    store.radar.keep(collection, [], reviews={})
    refresh_radar(services, collection)
    assert store.radar.count(collection) == 0

    store.radar.offer_again(odd)

    assert store.radar.count(collection) == 1
    with pytest.raises(NotFoundError, match="is not on the radar"):
        store.radar.dismiss(123456)


def test_a_sample_leaves_the_list_at_once_when_somebody_reviews_it(services, collection, store):
    odd = make_odd(store, collection, "es")
    refresh_radar(services, collection)

    fixed = sample("es", 90).events
    store.samples.add_review(odd, fixed, person="Анна", schema_number=1)

    assert store.radar.list(collection) == []


class SureModel:
    """Says "attack" of everything, and is sure of it."""

    model_id = "sure"
    reads = ("text",)
    decoding = Decoding()
    prompting = Prompting("full.v1")

    def suggest(self, samples, schema, *, decoding=None, prompting=None, on_step=None):
        on_step(0.5)
        return [
            Suggested(
                tuple(
                    Event("attack", replace(e.trigger, confidence=0.95), confidence=0.97)
                    for e in s.events or ()
                ),
                "[]",
                "full.v1",
            )
            for s in samples
        ]

    def fits(self, sample, schema, *, prompting=None):
        return True

    def close(self) -> None:
        """Nothing to give back."""


def test_an_audit_asks_the_model_about_reviewed_samples_and_tells_where_it_disagrees(
    services, collection, store
):
    store.models.add("sure", title="Sure", state="base", location="/nowhere")
    warm = WarmModel(services)
    warm._backend, warm._model_id = SureModel(), "sure"
    job_id = queue.start_audit(services, collection, count=10)
    assert queue.start_audit(services, collection) == job_id

    handle_job(services, warm, job_id)

    assert store.jobs.get(job_id).state == "done"
    assert store.jobs.get(job_id).message.startswith("10 reviewed samples looked at by sure; ")
    assert {r for _, _, r, _ in store.radar.list(collection)} == {"model_type"}
    assert len(store.radar.unaudited(collection, "sure", limit=100)) == 23
    reviewed = store.samples.count(SampleFilter(states=["reviewed"]), collection_id=collection)
    assert reviewed == 33


def test_what_a_person_saw_and_corrected_is_no_odd_label(services, collection, store):
    store.models.add("sure", title="Sure", state="base", location="/nowhere")
    mine = key(store, collection, "ru-70")
    events = sample("ru", 70).events
    seen = store.samples.add_suggestion(
        mine, [Event("attack", Mention("запустила", 7, 16, confidence=0.99), confidence=0.99)],
        model_id="sure", raw_reply="", prompt_version="full.v1", schema_number=1, decoding={}, seconds=1,
    )  # fmt: skip
    store.samples.add_review(mine, events, person="Анна", schema_number=1, suggestion_id=seen)

    refresh_radar(services, collection)

    assert store.radar.list(collection) == []
    assert mine not in store.radar.unaudited(collection, "sure", limit=100)


def test_a_model_is_trusted_as_far_as_its_newest_score_goes(services, collection, store):
    model = store.models.add("sure", title="Sure", state="base", location="/nowhere")
    assert trust_in(services, collection, model) == 0.3
    store.models.add_evaluation(
        collection_id=collection, model_id="sure", split="test", test_hash="x", samples=3,
        scores={"overall": {"tri_c": {"p": 62.5}}}, outcomes=[], settings={}, seconds=1,
    )  # fmt: skip

    assert trust_in(services, collection, model) == 0.625


def test_a_collection_with_vectors_neighbours_and_odd_labels_can_be_deleted(
    services, collection, store
):
    make_odd(store, collection, "ru")
    embed(services, collection)
    refresh_radar(services, collection)

    store.collections.delete(collection)

    assert store.collections.all() == []
