"""A role may say which kinds of things it takes; a mention of another kind breaks a rule."""

from __future__ import annotations

import pytest

from core.errors import SchemaError
from core.events import Argument, Event, Mention
from core.schema import EventType, Role, Schema, check_events, schema_from_dict, schema_to_dict

SCHEMA = Schema(
    (EventType("launch", roles=(Role("agent", entity_kinds=("组织", "персона")), Role("place"))),)
)


@pytest.mark.parametrize(
    ("role", "kind", "broken"),
    [
        ("agent", "组织", []),
        ("agent", "персона", []),
        ("agent", None, []),
        ("agent", "地点", ["wrong_kind"]),
        ("agent", "место", ["wrong_kind"]),
        ("place", "место", []),
    ],
)
def test_a_mention_of_a_kind_that_the_role_does_not_take_is_a_violation(
    role: str, kind: str | None, broken: list[str]
) -> None:
    event = Event("launch", None, (Argument(role, Mention(text="华为", entity_kind=kind)),))

    found = check_events(SCHEMA, [event])

    assert [v.kind for v in found] == broken
    assert not any(v.is_fatal for v in found)
    assert all(repr(kind) in v.message and "组织, персона" in v.message for v in found)


def test_kinds_are_in_the_schema_file_where_there_are_any() -> None:
    written = schema_to_dict(SCHEMA)

    agent, place = written["types"][0]["roles"]
    assert agent["entity_kinds"] == ["组织", "персона"]
    assert "entity_kinds" not in place
    assert schema_from_dict(written) == SCHEMA


def test_a_kind_without_a_name_is_refused_with_its_place() -> None:
    data = {"types": [{"name": "x", "roles": [{"name": "y", "entity_kinds": [" "]}]}]}

    with pytest.raises(SchemaError, match=r"types\.0\.roles\.0\.entity_kinds\.0"):
        schema_from_dict(data)
