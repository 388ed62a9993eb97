"""Every page is reached through app.py, so through the sign-in gate.

Streamlit takes a folder called `pages/` for its older kind of pages until `st.navigation` has run
once in a process, and opens such a page by its address without app.py: the first page that is
reloaded after a restart, and each run of an `AppTest` that has switched pages.
"""

from __future__ import annotations

import sys
from pathlib import Path

import streamlit as st
from streamlit.runtime.pages_manager import PagesManager
from streamlit.runtime.scriptrunner import get_script_run_ctx, script_runner

_ENTERED = "entered"


def _run_app(main_script_path: str) -> None:
    """What Streamlit does with a main script that has no folder `pages/` beside it."""
    code = compile(Path(main_script_path).read_text(encoding="utf-8"), main_script_path, "exec")
    exec(code, sys.modules["__main__"].__dict__)  # as script_runner does with its own copy


def enter() -> None:
    """app.py says that this session came through it."""
    st.session_state[_ENTERED] = True


def check_entry() -> None:
    """Begin this run again where its page was opened by the older way, without app.py.

    Not while a module is imported: another session that waits for that module would get half of it.
    """
    if get_script_run_ctx() is not None and _ENTERED not in st.session_state:
        PagesManager.uses_pages_directory = False
        st.rerun()


script_runner._mpa_v1 = _run_app
