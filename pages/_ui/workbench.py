"""The workbench component: text, event cards and bottom bar in one, edited in the browser at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import streamlit as st

from pages._ui.catalogue_beside import BENCH_BESIDE
from pages._ui.catalogue_clips import BENCH_CLIPS
from pages._ui.catalogue_media import BENCH_MEDIA
from pages._ui.catalogue_problems import BENCH_PROBLEMS
from pages._ui.catalogue_review import BENCH

KEY = "workbench"
EVENTS = ("draft", "submit", "open", "filter", "ask", "skip", "note", "side")
# One module in the browser: each file may use what stands in those before it.
_PARTS = (
    "text", "document", "opinion", "sync", "evidence", "cards", "checks", "windows", "keys", "bench", "edits",
    "moves", "notes", "examples", "history", "compare", "outline", "stage", "boxes", "tiles",
    "reading", "pointing", "picture", "frames",
    "timeline", "track", "transcript", "player", "frame",
)  # fmt: skip
_WORDS = {**BENCH, **BENCH_BESIDE, **BENCH_MEDIA, **BENCH_CLIPS, **BENCH_PROBLEMS}
_FOLDER = Path(__file__).parent


def read_script() -> str:
    """The component's JavaScript without its comments and indents: it travels with each answer."""
    lines = [
        line.strip()
        for part in _PARTS
        for line in (_FOLDER / "workbench_js" / f"{part}.js").read_text("utf-8").splitlines()
    ]
    return "\n".join(line for line in lines if line and not line.startswith(("//", "/*", "*")))


_mount = st.components.v2.component(
    "argus_workbench",
    html='<div class="argus-wb"></div>',
    css="\n".join((_FOLDER / name).read_text("utf-8") for name in ("workbench.css", "media.css", "player.css")),
    js=read_script(),
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
    _mount(key=KEY, data={"words": _WORDS, **data}, **handlers)
