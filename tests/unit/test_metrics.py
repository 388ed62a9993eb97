"""Scores, on pairs whose figures were worked out by hand."""

from __future__ import annotations

import pytest

from core.errors import InputError
from core.events import Argument, Event, Mention, span
from core.metrics import (
    errors_of,
    mean_of_languages,
    outcome_f1,
    sample_outcomes,
    score,
    score_sample,
    won_and_lost,
    worst_samples,
)
from core.samples import Sample

ZH = "华为发布5G芯片，华为发布手机"
RU = "Яндекс купил Яндекс.Еду, а Сбер купил Мегамаркет"
ES = "Telefónica lanzó 🚀 un servicio"
EN = "Intel cut jobs and Intel cut prices"


def at(text: str, words: str, nth: int = 1) -> Mention:
    """The nth occurrence of `words` in `text`."""
    start = -1
    for _ in range(nth):
        start = text.index(words, start + 1)
    return span(text, start, start + len(words))


def event(event_type: str, trigger: Mention | None, **roles: Mention | list[Mention]) -> Event:
    """An event with its arguments by role."""
    arguments = [
        Argument(role, mention)
        for role, given in roles.items()
        for mention in (given if isinstance(given, list) else [given])
    ]
    return Event(event_type, trigger, tuple(arguments))


LAUNCH_ZH = event("launch", at(ZH, "发布"), agent=at(ZH, "华为"), product=at(ZH, "5G芯片"))
BUY_1 = event("buy", at(RU, "купил"), buyer=at(RU, "Яндекс"), bought=at(RU, "Яндекс.Еду"))
BUY_2 = event("buy", at(RU, "купил", 2), buyer=at(RU, "Сбер"), bought=at(RU, "Мегамаркет"))
SWAPPED_1 = event("buy", at(RU, "купил"), buyer=at(RU, "Сбер"), bought=at(RU, "Мегамаркет"))
SWAPPED_2 = event("buy", at(RU, "купил", 2), buyer=at(RU, "Яндекс"), bought=at(RU, "Яндекс.Еду"))
LAUNCH_ES = event("launch", at(ES, "lanzó"), agent=at(ES, "Telefónica"))
CUT_1 = event("cut", at(EN, "cut"), agent=at(EN, "Intel"))
CUT_2 = event("cut", at(EN, "cut", 2), agent=at(EN, "Intel", 2))
BOX = Mention(text=None, media="m1", box=(0.1, 0.1, 0.5, 0.5))
CLIP = Mention(text=None, media="m1", range=(1.0, 2.5))

# Of each: (predicted, gold, matched) by F1; (matched, gold) by accuracy.
CASES: dict[str, tuple[list[Event], list[Event], dict[str, tuple[int, ...]]]] = {
    "all right, in another order": (
        [BUY_1, BUY_2],
        [BUY_2, BUY_1],
        {
            "tri_i": (2, 2, 2), "tri_c": (2, 2, 2), "arg_i": (4, 4, 4), "arg_c": (4, 4, 4),
            "arg_i_plus": (4, 4, 4), "arg_c_plus": (4, 4, 4), "tr": (2, 2), "arg": (4, 4),
        },
    ),
    "a wrong role": (
        [LAUNCH_ZH],
        [event("launch", at(ZH, "发布"), agent=at(ZH, "华为"), price=at(ZH, "5G芯片"))],
        {
            "tri_c": (1, 1, 1), "arg_i": (2, 2, 2), "arg_c": (2, 2, 1), "arg_i_plus": (2, 2, 2),
            "arg_c_plus": (2, 2, 1), "tr": (1, 1), "arg": (1, 2),
        },
    ),
    "a wrong type": (
        [LAUNCH_ES],
        [event("buy", at(ES, "lanzó"), agent=at(ES, "Telefónica"))],
        {
            "tri_i": (1, 1, 1), "tri_c": (1, 1, 0), "arg_i": (1, 1, 0), "arg_c": (1, 1, 0),
            "arg_i_plus": (1, 1, 0), "tr": (0, 1), "arg": (1, 1),
        },
    ),
    "arguments swapped between two events of one type": (
        [BUY_1, BUY_2],
        [SWAPPED_1, SWAPPED_2],
        {
            "tri_c": (2, 2, 2), "arg_i": (4, 4, 4), "arg_c": (4, 4, 4), "arg_i_plus": (4, 4, 0),
            "arg_c_plus": (4, 4, 0), "tr": (2, 2), "arg": (4, 4),
        },
    ),
    "one span with two roles": (
        [event("launch", at(ZH, "发布"), agent=at(ZH, "华为"), owner=at(ZH, "华为"))],
        [event("launch", at(ZH, "发布"), agent=at(ZH, "华为"))],
        {"arg_i": (1, 1, 1), "arg_c": (1, 2, 1), "arg": (1, 2)},
    ),
    "an event predicted twice": (
        [LAUNCH_ZH],
        [LAUNCH_ZH, LAUNCH_ZH],
        {"tri_c": (1, 1, 1), "arg_c_plus": (2, 2, 2), "tr": (1, 1), "arg": (2, 2)},
    ),
    "the right words at another place": (
        [event("launch", at(ZH, "发布"))],
        [event("launch", at(ZH, "发布", 2))],
        {"tri_i": (1, 1, 0), "tri_c": (1, 1, 0), "tr": (1, 1), "arg": (0, 0)},
    ),
    "one prediction for two golds with the same words": (
        [CUT_1, CUT_2],
        [CUT_1],
        {"tri_c": (1, 2, 1), "arg_c": (1, 2, 1), "tr": (1, 2), "arg": (1, 2)},
    ),
    "words in another case, at the right place": (
        [event("launch", at(ES, "lanzó"))],
        [event("launch", Mention("LANZÓ", 11, 16))],
        {"tri_c": (1, 1, 1), "tr": (0, 1)},
    ),
    "nothing predicted": (
        [LAUNCH_ZH],
        [],
        {"tri_i": (0, 1, 0), "arg_c_plus": (0, 2, 0), "tr": (0, 1), "arg": (0, 2)},
    ),
    "nothing to find": (
        [],
        [LAUNCH_ES],
        {"tri_i": (1, 0, 0), "arg_i": (1, 0, 0), "tr": (0, 0), "arg": (0, 0)},
    ),
    "nothing at all": ([], [], {"tri_i": (0, 0, 0), "arg_c": (0, 0, 0), "tr": (0, 0)}),
    "a prediction that was not found in the text": (
        [LAUNCH_ES],
        [event("launch", Mention("lanzó"), agent=at(ES, "Telefónica"))],
        {
            "tri_i": (1, 1, 0), "tri_c": (1, 1, 0), "arg_c": (1, 1, 1), "arg_c_plus": (1, 1, 0),
            "tr": (1, 1), "arg": (1, 1),
        },
    ),
    "an event without a trigger": (
        [event("cut", None, agent=at(EN, "Intel"))],
        [event("cut", None, agent=at(EN, "Intel"))],
        {"tri_i": (0, 0, 0), "arg_c": (1, 1, 1), "arg_c_plus": (1, 1, 1), "tr": (0, 0)},
    ),
    "a box and a clip": (
        [event("launch", BOX, agent=CLIP)],
        [event("launch", BOX, agent=Mention(text=None, media="m1", range=(1.0, 2.0)))],
        {"tri_c": (1, 1, 1), "arg_i": (1, 1, 0), "tr": (1, 1), "arg": (0, 1)},
    ),
}  # fmt: skip


def sample(ident: str, language: str, events: list[Event] | None) -> Sample:
    return Sample(ident, language, "text", "…", events=None if events is None else tuple(events))


@pytest.mark.parametrize("case", CASES)
def test_counts_are_those_worked_out_by_hand(case: str) -> None:
    gold, pred, expected = CASES[case]

    scores = score_sample(gold, pred)

    for name, counts in expected.items():
        if len(counts) == 3:
            found = tuple(scores[name][key] for key in ("pred", "gold", "match"))
        else:
            found = (scores[f"{name}_correct"], scores[f"{name}_gold"])
        assert (name, found) == (name, counts)


def test_percentages_are_unrounded() -> None:
    gold = [CUT_1, CUT_2, event("cut", at(EN, "jobs"))]

    scores = score_sample(gold, [CUT_1])

    assert scores["tri_c"]["p"] == 100.0
    assert scores["tri_c"]["r"] == pytest.approx(100 / 3)
    assert scores["tri_c"]["f1"] == pytest.approx(50.0)
    assert scores["tr_accuracy"] == pytest.approx(100 / 3)


def test_an_accuracy_without_gold_is_none_and_f1_is_zero() -> None:
    scores = score_sample([], [LAUNCH_ES])

    assert scores["tr_accuracy"] is None
    assert scores["arg_accuracy"] is None
    assert scores["tri_c"] == {"p": 0.0, "r": 0.0, "f1": 0.0, "pred": 1, "gold": 0, "match": 0}


def test_overall_is_over_all_events_and_the_mean_over_languages() -> None:
    gold = [
        sample("a", "es", [LAUNCH_ES]),
        sample(
            "b", "zh", [LAUNCH_ZH, event("launch", at(ZH, "发布", 2)), event("a", at(ZH, "手机"))]
        ),
    ]
    pred = [sample("a", "es", [LAUNCH_ES])]

    scores = score(gold, pred)

    assert list(scores["by_language"]) == ["zh", "es"]
    assert scores["overall"]["tr_accuracy"] == 25.0
    assert scores["by_language"]["es"]["tr_accuracy"] == 100.0
    assert scores["by_language"]["zh"]["tri_c"]["f1"] == 0.0
    assert mean_of_languages(scores) == {
        "tr_accuracy": 50.0, "arg_accuracy": 50.0, "tri_c": 50.0, "arg_c": 50.0,
    }  # fmt: skip


def test_the_mean_leaves_out_a_language_without_gold() -> None:
    gold = [sample("a", "es", [LAUNCH_ES]), sample("b", "ru", [])]

    scores = score(gold, gold)

    assert scores["by_language"]["ru"]["tr_accuracy"] is None
    assert mean_of_languages(scores)["tr_accuracy"] == 100.0


def test_events_of_one_place_in_two_samples_are_two() -> None:
    gold = [sample("a", "zh", [LAUNCH_ZH]), sample("b", "zh", [LAUNCH_ZH])]
    pred = [sample("b", "zh", [LAUNCH_ZH])]

    scores = score(gold, pred)

    assert scores["overall"]["tri_c"]["gold"] == 2
    assert scores["overall"]["tri_c"]["match"] == 1


def test_the_language_is_that_of_gold() -> None:
    scores = score([sample("a", "zh", [LAUNCH_ZH])], [sample("a", "en", [LAUNCH_ZH])])

    assert list(scores["by_language"]) == ["zh"]


REFUSED: list[tuple[list[Sample], list[Sample], str]] = [
    ([sample("甲", "zh", [])], [sample("乙", "zh", [])], "乙"),
    ([sample("а", "ru", []), sample("а", "ru", [])], [], "twice"),
    ([sample("a", "en", [])], [sample("a", "en", []), sample("a", "en", [])], "twice"),
    ([sample("нет", "ru", None)], [], "not labelled"),
]


@pytest.mark.parametrize(("gold", "pred", "message"), REFUSED)
def test_what_cannot_be_scored_is_an_error_that_names_it(
    gold: list[Sample], pred: list[Sample], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        score(gold, pred)


def test_worst_samples_come_first_and_right_ones_not_at_all() -> None:
    gold = [
        sample("right", "es", [LAUNCH_ES]),
        sample("half", "ru", [BUY_1, BUY_2]),
        sample("none", "zh", [LAUNCH_ZH]),
    ]
    pred = [sample("right", "es", [LAUNCH_ES]), sample("half", "ru", [BUY_1, CUT_2])]

    outcomes = sample_outcomes(gold, pred)
    worst = worst_samples(outcomes)

    assert [row["id"] for row in worst] == ["half", "none"]
    assert errors_of(worst[0]) == 5
    assert worst_samples(outcomes, limit=1) == worst[:1]


def test_samples_won_and_lost_are_those_whose_errors_change() -> None:
    gold = [sample("ru", "ru", [BUY_1]), sample("zh", "zh", [LAUNCH_ZH]), sample("es", "es", [])]
    before = sample_outcomes(gold, [sample("ru", "ru", [BUY_1])])
    after = sample_outcomes(gold, [sample("zh", "zh", [LAUNCH_ZH])])

    won, lost = won_and_lost(before, after)

    assert ([o["id"] for o in won], [o["id"] for o in lost]) == (["zh"], ["ru"])
    assert won_and_lost(after, after) == ([], [])


def test_the_f1_of_outcomes_is_that_of_their_samples() -> None:
    gold = [sample("ru", "ru", [BUY_1, BUY_2]), sample("zh", "zh", [LAUNCH_ZH])]
    pred = [sample("ru", "ru", [BUY_1, CUT_2]), sample("zh", "zh", [LAUNCH_ZH])]

    outcomes, scores = sample_outcomes(gold, pred), score(gold, pred)["overall"]

    assert [outcome_f1(outcomes, f) for f in ("tri_c", "arg_c")] == [
        scores[f]["f1"] for f in ("tri_c", "arg_c")
    ]
    assert outcome_f1([], "tri_c") is None
