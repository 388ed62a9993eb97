"""The radar: each reason alone, together, and what must not look odd."""

import pytest

from core.events import Argument, Event, Mention
from core.radar import Labels, compare_with_model, find_odd


def labels(
    key: int, *events: tuple[str, str], language: str = "ru", story: str | None = None
) -> Labels:
    return Labels(key, 100 + key, language, story, events)


TRIGGERS = [("ru", "запустила", "Запустила"), ("zh", "发布", "发布"), ("es", "lanzó", "LANZÓ")]


@pytest.mark.parametrize(("language", "words", "elsewhere"), TRIGGERS)
def test_a_trigger_that_is_another_type_everywhere_else_looks_odd(language, words, elsewhere):
    usual = [labels(i, ("launch", elsewhere), language=language) for i in range(5)]

    found = find_odd([*usual, labels(9, ("attack", words), language=language)])

    assert [(o.key, o.reason) for o in found] == [(9, "trigger_type")]
    assert found[0].values == {
        "words": words, "labelled": "attack", "usual": "launch", "count": 5, "total": 5, "also": [],
    }  # fmt: skip
    assert 0.5 < found[0].score < 1


def test_a_trigger_proves_nothing_in_another_language_or_beside_its_usual_type_or_seen_seldom():
    usual = [labels(i, ("launch", "запуск")) for i in range(5)]
    other = labels(9, ("attack", "запуск"), language="uk")
    both = labels(8, ("attack", "запуск"), ("launch", "запуск"))

    assert find_odd([*usual, other]) == []
    assert find_odd([*usual, both]) == []
    assert find_odd([*usual[:3], labels(9, ("attack", "запуск"))]) == []


def test_a_story_labelled_otherwise_than_in_its_other_languages_looks_odd():
    story = [
        labels(i, ("launch", "x"), language=c, story="芯片")
        for i, c in enumerate(["en", "zh", "es"])
    ]

    wrong_type = find_odd([*story, labels(9, ("attack", "y"), language="ru", story="芯片")])
    no_event = find_odd([*story, labels(9, language="ru", story="芯片")])
    fine = find_odd([*story, labels(9, ("launch", "y"), language="ru", story="芯片")])

    assert [(o.key, o.reason, o.values["labelled"]) for o in wrong_type] == [
        (9, "story_types", ["attack"])
    ]
    assert [(o.key, o.values["labelled"]) for o in no_event] == [(9, [])]
    assert fine == []


def test_nearly_equal_texts_contradict_and_merely_similar_ones_only_where_they_are_many():
    others = [labels(i, ("launch", f"запуск {i}")) for i in range(4)]
    odd, empty = labels(9, ("attack", "атака")), labels(9)

    copy = find_odd([*others, odd], near={9: [(0, 0.95)]}, same_from=0.6)
    pair = find_odd([*others, odd], near={9: [(0, 0.7), (1, 0.65)]}, same_from=0.6)
    many = find_odd([*others, odd], near={9: [(i, 0.3) for i in range(4)]}, same_from=0.6)
    few = find_odd([*others, odd], near={9: [(i, 0.3) for i in range(3)]}, same_from=0.6)
    none = find_odd([*others, empty], near={9: [(i, 0.3) for i in range(4)]}, same_from=0.6)

    assert [o.reason for o in (*copy, *pair, *many)] == ["neighbour_types"] * 3
    assert copy[0].score > pair[0].score > many[0].score
    assert few == none == []


def test_a_story_among_the_neighbours_votes_once():
    others = [labels(i, ("launch", f"x{i}"), language=c, story="s") for i, c in enumerate("abcd")]

    found = find_odd([*others, labels(9, ("attack", "y"))], near={9: [(i, 0.3) for i in range(4)]})

    assert found == []


ZH = "小米发布新手机"


def said(event_type: str, start: int, end: int, sure: float, *roles: tuple[str, int, int]) -> Event:
    def place(a: int, b: int) -> Mention:
        return Mention(ZH[a:b], a, b, confidence=sure)

    arguments = tuple(Argument(role, place(a, b)) for role, a, b in roles)
    return Event(event_type, place(start, end), arguments, confidence=sure)


MODEL = [
    ([said("launch", 2, 4, 0.9)], "model_type", {"labelled": "attack", "suggested": "launch"}),
    ([said("launch", 4, 7, 0.9)], "model_event", {"words": "新手机", "suggested": "launch"}),
    ([said("attack", 2, 4, 0.9, ("maker", 0, 2))], "model_role", {"labelled": "agent", "suggested": "maker"}),
    ([said("attack", 2, 4, 0.9, ("agent", 0, 2))], None, {}),
    ([said("launch", 2, 4, 0.7)], None, {}),
    ([], None, {}),
]  # fmt: skip


@pytest.mark.parametrize(("suggested", "reason", "values"), MODEL)
def test_a_model_speaks_up_only_where_it_is_sure_of_another_answer(suggested, reason, values):
    mine = [said("attack", 2, 4, 1, ("agent", 0, 2))]

    found = compare_with_model(7, mine, suggested)

    assert [o.reason for o in found] == ([reason] if reason else [])
    assert all(values.items() <= o.values.items() for o in found)


def test_a_model_that_is_seldom_right_is_believed_less():
    mine, other = [said("attack", 2, 4, 1)], [said("launch", 2, 4, 0.9)]

    sure = compare_with_model(7, mine, other, trust=0.9)
    unproven = compare_with_model(7, mine, other, trust=0.3)

    assert sure[0].score == pytest.approx(0.81)
    assert unproven[0].score == pytest.approx(0.27)


def test_reasons_add_up_and_the_strongest_one_is_told():
    usual = [labels(i, ("launch", "запуск")) for i in range(20)]
    odd = labels(99, ("attack", "запуск"))
    opinions = {99: ([said("attack", 2, 4, 1)], [said("launch", 2, 4, 0.9)])}

    alone = find_odd([*usual, odd])
    both = find_odd([*usual, odd], opinions=opinions, trust=0.5)

    assert both[0].score > alone[0].score
    assert (both[0].reason, both[0].values["also"]) == ("trigger_type", ["model_type"])
