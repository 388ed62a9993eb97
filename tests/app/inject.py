"""Send AppTest what a component of ours would send: the one place that touches Streamlit's inside.

AppTest shows a v2 component as an unknown element with its data, and has no way to fire its events.
The frontend sends them as JSON under one trigger widget a component; so does `fire`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from streamlit.components.v2.bidi_component.main import _make_trigger_id
from streamlit.proto.WidgetStates_pb2 import WidgetState
from streamlit.testing.v1 import AppTest


def component(at: AppTest, key: str) -> Any:
    """The component mounted under `key`."""
    found = [e for e in at.get("bidi_component") if e.key == key]
    assert found, f"no component {key!r} on the page; errors: {[e.value for e in at.error]}"
    return found[0]


def component_data(at: AppTest, key: str) -> dict[str, Any]:
    """What a component was given."""
    found: dict[str, Any] = json.loads(component(at, key).proto.json)
    return found


def fire(at: AppTest, key: str, event: str, value: Mapping[str, Any]) -> AppTest:
    """Let the component under `key` send an event, and run the page."""
    states = at._tree.get_widget_states()
    state = WidgetState()
    state.id = _make_trigger_id(component(at, key).proto.id, "events")
    state.json_trigger_value = json.dumps([{"event": event, "value": dict(value)}])
    states.widgets.append(state)
    return at._run(states)
