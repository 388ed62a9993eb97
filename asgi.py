"""The app with its routes: `streamlit run asgi.py`, or any ASGI server with `asgi:app`."""

from functools import lru_cache
from pathlib import Path

import streamlit as st

from pages._ui.workbench_script import workbench_route
from train.media_route import media_route
from train.services import Services, open_services


@lru_cache(maxsize=1)
def _services() -> Services:
    return open_services()


app = st.App(
    str(Path(__file__).resolve().parent / "app.py"),
    routes=[media_route(_services), workbench_route()],
)
