"""Changes of a schema as values: what becomes of names, what is left to a person, and the way back."""

import pytest

from core.errors import RefusedError, SchemaError
from core.events import Argument, Event, span
from core.grammar import reply_grammar
from core.parsing import read_reply
from core.prompts import ZERO_SHOT, fill_prompt
from core.samples import Sample
from core.schema import (
    EventType,
    Role,
    Schema,
    check_events,
    offered,
    schema_from_json,
    schema_to_json,
    without_retired,
)
from core.schema_change import (
    MergeRoles,
    MergeTypes,
    RenameRole,
    RenameType,
    RetireRole,
    RetireType,
    Rule,
    SplitRole,
    SplitType,
    change_from_dict,
    change_to_dict,
    describe_change,
)
from core.schema_relabel import change_events
from core.schema_reshape import change_schema, undo_in_schema

SCHEMA = Schema(
    (
        EventType(
            "launch",
            {"en": "Launch", "zh": "发布", "ru": "Запуск"},
            "A product is shown.",
            (
                Role("agent", required=True, multiple=False),
                Role("product", multiple=True),
                Role("maker", multiple=False),
                Role("place", multiple=False),
            ),
        ),
        EventType("release", roles=(Role("agent"), Role("version", multiple=False))),
        EventType("выпуск", roles=(Role("агент"),)),
    )
)
ZH = "小米周四在北京发布新手机"
RU = "«Вега» запустила сервис в Москве"


def zh(event_type: str = "launch", *, trigger: str = "发布", **roles: str) -> Event:
    return event_in(ZH, event_type, trigger, roles)


def ru(event_type: str = "launch", *, trigger: str = "запустила", **roles: str) -> Event:
    return event_in(RU, event_type, trigger, roles)


def event_in(text: str, event_type: str, trigger: str, roles: dict[str, str]) -> Event:
    def place(words: str):
        return span(text, text.index(words), text.index(words) + len(words))

    arguments = tuple(Argument(role, place(words)) for role, words in roles.items())
    return Event(event_type, place(trigger), arguments)


def applied(change, *events: Event, language: str = "zh", schema: Schema = SCHEMA):
    after = change_schema(schema, change)
    return change_events(change, events, language=language, before=schema, after=after)


def names(event: Event) -> tuple[str, list[str]]:
    return event.event_type, [a.role for a in event.arguments]


BY_LANGUAGE = Rule("language", (("zh", "发布会"), ("ru", "показ")), "launch")
BY_ROLE = Rule("role", (("place", "event"), ("product", "device")), None)
CASES = [
    (RenameType("launch", "发布"), "zh", zh(agent="小米"), ("发布", ["agent"]), 1),
    (RenameType("launch", "запуск"), "ru", ru(agent="«Вега»"), ("запуск", ["agent"]), 1),
    (RenameRole("launch", "agent", "主体"), "zh", zh(agent="小米"), ("launch", ["主体"]), 1),
    (RenameRole(None, "agent", "кто"), "ru", ru(agent="«Вега»"), ("launch", ["кто"]), 1),
    (MergeTypes(("launch", "release"), "release"), "zh", zh(agent="小米"), ("release", ["agent"]), 1),
    (MergeTypes(("launch", "выпуск"), "новинка"), "ru", ru(agent="«Вега»"), ("новинка", ["agent"]), 1),
    (MergeRoles("launch", ("maker",), "agent"), "zh", zh(maker="小米"), ("launch", ["agent"]), 1),
    (
        MergeRoles("launch", ("product", "place"), "где"), "ru",
        ru(agent="«Вега»", product="сервис", place="Москве"), ("launch", ["agent", "где", "где"]), 2,
    ),
    (SplitType("launch", ("发布会", "показ", "launch"), BY_LANGUAGE), "zh", zh(agent="小米"), ("发布会", ["agent"]), 1),
    (SplitType("launch", ("发布会", "показ", "launch"), BY_LANGUAGE), "ru", ru(agent="«Вега»"), ("показ", ["agent"]), 1),
    (SplitType("launch", ("发布会", "показ", "launch"), BY_LANGUAGE), "es", ru(agent="«Вега»"), ("launch", ["agent"]), 0),
    (SplitType("launch", ("event", "device"), BY_ROLE), "ru", ru(product="сервис", place="Москве"), ("event", ["product", "place"]), 1),
    (SplitType("launch", ("event", "device"), BY_ROLE), "zh", zh(product="新手机"), ("device", ["product"]), 1),
    (
        SplitRole("launch", "product", ("app", "service"), Rule("language", (("ru", "service"),), "app")), "ru",
        ru(agent="«Вега»", product="сервис"), ("launch", ["agent", "service"]), 1,
    ),
    (RetireType("launch"), "zh", zh(agent="小米"), ("launch", ["agent"]), 0),
    (RetireRole("launch", "product"), "ru", ru(product="сервис"), ("launch", ["product"]), 0),
    (RetireRole("launch", "product", "remove"), "zh", zh(agent="小米", product="新手机"), ("launch", ["agent"]), 1),
]  # fmt: skip


@pytest.mark.parametrize(("change", "language", "event", "expected", "touched"), CASES)
def test_a_change_gives_labels_their_new_names(change, language, event, expected, touched):
    found = applied(change, event, language=language)

    assert names(found.events[0]) == expected
    assert found.touched == touched
    assert found.undecided == ()
    assert found.events[0].mentions() == [
        m for m in event.mentions() if m in found.events[0].mentions()
    ]


PERSON = [
    (SplitType("launch", ("a", "b")), "zh", [zh(agent="小米")], "by_hand", None),
    (SplitType("launch", ("event", "device"), BY_ROLE), "ru", [ru(agent="«Вега»")], "no_case", None),
    (SplitRole("launch", "product", ("a", "b")), "zh", [zh(agent="小米", product="新手机")], "by_hand", "product"),
    (MergeRoles("launch", ("maker", "agent"), "agent"), "zh", [zh(agent="小米", maker="新手机")], "filled_twice", "agent"),
    (MergeTypes(("выпуск",), "launch"), "ru", [ru("выпуск", агент="«Вега»")], "lacks_role", "agent"),
    (MergeTypes(("release",), "launch"), "zh", [zh(agent="小米"), zh("release", agent="新手机")], "same_trigger", None),
    (RetireType("launch", "ask"), "ru", [ru(agent="«Вега»")], "retired", None),
    (RetireRole("launch", "place", "ask"), "zh", [zh(agent="小米", place="北京")], "retired", "place"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "language", "events", "why", "role"), PERSON)
def test_what_a_rule_cannot_decide_keeps_its_name_and_is_left_to_a_person(
    change, language, events, why, role
):
    found = applied(change, *events, language=language)

    assert [(u.why, u.role) for u in found.undecided] == [(why, role)]
    assert found.events == tuple(events)
    assert found.touched == 0


def test_two_labels_that_become_equal_are_joined_and_nothing_else_is():
    merged = applied(
        MergeTypes(("launch", "release"), "release"), zh(agent="小米"), zh("release", agent="小米")
    )
    twice = applied(RenameType("launch", "发布"), zh(agent="小米"), zh(agent="小米"))
    roles = applied(
        MergeRoles("launch", ("maker", "agent"), "agent"), ru(agent="«Вега»", maker="«Вега»")
    )

    assert [names(e) for e in merged.events] == [("release", ["agent"])]
    assert len(twice.events) == 2
    assert names(roles.events[0]) == ("launch", ["agent"])
    assert all(found.undecided == () for found in (merged, twice, roles))


def test_two_merged_events_on_one_trigger_both_go_back_to_a_person():
    change = MergeTypes(("launch", "release"), "новинка")

    found = applied(change, ru(agent="«Вега»"), ru("release", version="сервис"), language="ru")

    assert [e.event_type for e in found.events] == ["launch", "release"]
    assert [(u.event, u.why) for u in found.undecided] == [(0, "same_trigger"), (1, "same_trigger")]


def test_a_removed_event_moves_the_numbers_of_those_after_it():
    schema = change_schema(SCHEMA, RetireRole("release", "version"))
    change = RetireType("launch", "remove")

    found = applied(change, zh(agent="小米"), zh("release"), schema=schema)

    assert [e.event_type for e in found.events] == ["release"]
    assert found.touched == 2


def test_a_rule_that_was_broken_before_the_change_is_no_reason_to_ask():
    without_agent = ru(place="Москве")

    found = applied(RenameType("launch", "запуск"), without_agent, language="ru")

    assert (found.touched, found.undecided) == (1, ())


BAD = [
    (RenameType("нет", "x"), "no event type 'нет'"),
    (RenameType("launch", "release"), "'release' already"),
    (RenameType("launch", "  "), "needs a name"),
    (RenameRole("launch", "agent", "place"), "'place' already"),
    (RenameRole(None, "没有", "x"), "no event type has a role '没有'"),
    (MergeTypes(("launch",), "launch"), "two names"),
    (MergeRoles("launch", ("没有", "agent"), "agent"), "has no role '没有'"),
    (SplitType("launch", ("a",)), "two names"),
    (SplitType("launch", ("a", "b"), Rule("language", (("zh", "c"),))), "chooses 'c'"),
    (SplitType("launch", ("a", "b"), Rule("language")), "has no case"),
    (RetireRole("launch", "нет"), "has no role 'нет'"),
]


@pytest.mark.parametrize(("change", "message"), BAD)
def test_a_change_that_cannot_be_done_says_which_name_is_wrong(change, message):
    with pytest.raises(SchemaError, match=message):
        change_schema(SCHEMA, change)


def test_what_is_retired_stays_in_the_schema_and_in_its_file_and_is_offered_nowhere():
    schema = change_schema(SCHEMA, MergeTypes(("launch", "выпуск"), "release"))
    schema = change_schema(schema, RetireRole("release", "version"))
    sample = Sample("s", "ru", "text", RU)

    assert schema_from_json(schema_to_json(schema)) == schema
    assert schema.type("выпуск").retired
    assert [t.name for t in offered(schema).types] == ["release"]
    for said in (reply_grammar(schema, RU), fill_prompt(ZERO_SHOT, schema, sample).prefix):
        assert "release" in said
        assert "выпуск" not in said
        assert "version" not in said
    assert read_reply('[["выпуск","запустила",[]]]', RU, schema).events == ()


@pytest.mark.parametrize(
    ("event", "kind", "message"),
    [
        (
            zh(agent="小米"),
            "retired_type",
            "event type 'launch' is retired: give the event another",
        ),
        (ru("release", version="сервис"), "retired_role", "role 'version' of 'release' is retired"),
    ],
)
def test_a_new_review_with_a_retired_name_is_refused_with_the_way_on(event, kind, message):
    schema = change_schema(SCHEMA, RetireType("launch"))
    schema = change_schema(schema, RetireRole("release", "version"))

    found = check_events(schema, [event])

    assert [v.kind for v in found] == [kind]
    assert found[0].is_fatal
    assert message in found[0].message


def test_a_model_is_not_taught_what_is_retired():
    schema = change_schema(SCHEMA, RetireRole("launch", "place"))
    schema = change_schema(schema, RetireType("выпуск"))

    kept = without_retired(schema, [ru(agent="«Вега»", place="Москве"), ru("выпуск")])

    assert [names(e) for e in kept] == [("launch", ["agent"])]


ALL = [case[0] for case in CASES] + [case[0] for case in PERSON]


@pytest.mark.parametrize("change", ALL)
def test_a_change_is_read_back_from_its_record_and_said_in_a_sentence(change):
    assert change_from_dict(change_to_dict(change)) == change
    assert describe_change(change)


@pytest.mark.parametrize("change", ALL)
def test_undoing_a_change_gives_the_schema_that_was(change):
    after = change_schema(SCHEMA, change)

    assert undo_in_schema(after, before=SCHEMA, after=after) == SCHEMA


def test_undoing_keeps_later_edits_elsewhere_and_refuses_to_lose_one_of_the_same_type():
    after = change_schema(SCHEMA, RenameType("launch", "запуск"))
    elsewhere = change_schema(after, RenameType("release", "版本"))
    same = change_schema(after, RenameRole("запуск", "place", "место"))

    undone = undo_in_schema(elsewhere, before=SCHEMA, after=after)

    assert [t.name for t in undone.types] == ["launch", "выпуск", "版本"]
    with pytest.raises(RefusedError, match="'запуск' was edited after this change"):
        undo_in_schema(same, before=SCHEMA, after=after)


def test_names_that_labels_still_carry_stay_retired_when_a_change_is_undone():
    after = change_schema(SCHEMA, SplitType("launch", ("发布会", "показ"), BY_LANGUAGE_TWO))

    undone = undo_in_schema(after, before=SCHEMA, after=after, still_used=[("показ", None)])

    assert undone.type("показ").retired
    assert undone.type("发布会") is None
    assert not undone.type("launch").retired


BY_LANGUAGE_TWO = Rule("language", (("zh", "发布会"),), "показ")
