"""The workbench component: text, event cards and bottom bar in one, edited in the browser at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import streamlit as st

from pages._ui.catalogue import t
from pages._ui.workbench_script import read_loader

KEY = "workbench"
EVENTS = ("draft", "submit", "open", "filter", "ask", "skip", "note", "side")

_mount = st.components.v2.component(
    "argus_workbench",
    html='<div class="argus-wb"></div>',
    js=read_loader(),
    isolate_styles=False,  # a selection inside a shadow root differs between browsers
)


def show_workbench(data: Mapping[str, Any], on: Callable[[str, Mapping[str, Any]], None]) -> None:
    """Mount the workbench with `data`; `on(event, value)` is called with what it sends back."""

    def handler(event: str) -> Callable[[], None]:
        def act() -> None:
            value = st.session_state[KEY][event]
            if isinstance(value, Mapping):
                on(event, value)

        return act

    handlers: dict[str, Any] = {f"on_{event}_change": handler(event) for event in EVENTS}
    _mount(key=KEY, data={"unloaded": t("review.unloaded"), **data}, **handlers)
