"""What every page is made of: the frame with the collection switch, headers, empty states, errors."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import streamlit as st

from core.errors import ArgusError, InputError
from pages._ui.catalogue import t
from pages._ui.session import collection, services, set_collection

ICON = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="7"'
    ' fill="#4a68dc"/><path d="M5 16c3-5 7-7.5 11-7.5S24 11 27 16c-3 5-7 7.5-11 7.5S8 21 5 16z"'
    ' fill="none" stroke="#fff" stroke-width="2.4"/><circle cx="16" cy="16" r="4" fill="#fff"/></svg>'
)
WORDMARK = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 92 28"><style>text{fill:#1f2430}'
    "@media(prefers-color-scheme:dark){text{fill:#e4e7ee}}</style>"
    '<g transform="translate(0 2) scale(.75)">'
    + ICON.split(">", 1)[1].removesuffix("</svg>")
    + '</g><text x="33" y="20" font-family="Segoe UI,Noto Sans,Liberation Sans,Arial,sans-serif"'
    ' font-size="18" font-weight="600">Argus</text></svg>'
)
_SWITCH = "collection_switch"


def set_frame() -> None:
    """The browser tab's title and the style sheet; the first call of a run."""
    st.set_page_config(
        page_title=t("app.name"), page_icon=ICON, layout="wide", initial_sidebar_state="collapsed"
    )
    st.logo(WORDMARK, size="large")
    st.html(Path(__file__).with_name("shell.css"))


def ask_name() -> None:
    """The first visit: ask for the person's name, once, and keep it."""
    with (
        st.container(key="gate", horizontal_alignment="center"),
        st.container(width=420),
        st.form("name", border=False, enter_to_submit=True),
    ):
        st.markdown(f"# {t('app.name')}")
        st.markdown(t("gate.welcome"))
        name = st.text_input(t("gate.name"), key="name_input", max_chars=100)
        if st.form_submit_button(t("gate.start"), type="primary", key="name_save"):
            if not name or not name.strip():
                raise InputError(t("gate.empty"))
            services().store.collections.set_person(name)
            st.rerun()


def switch_collection() -> None:
    """The switch at the top right; it keeps its place on every page."""
    names = [c.name for c in services().store.collections.all()]
    current = collection()
    if current is None:
        return
    st.session_state[_SWITCH] = current.name
    with st.container(key="switch"):
        st.selectbox(
            t("switch.label"),
            names,
            key=_SWITCH,
            on_change=_switched,
            label_visibility="collapsed",
            help=None,
        )


def _switched() -> None:
    for name in ("sample", "queue"):  # they belong to the collection left behind
        st.query_params.pop(name, None)
    set_collection(st.session_state[_SWITCH])


def page_header(title: str, intro: str = "") -> None:
    """A page's title and one line below it."""
    st.markdown(f"# {title}")
    if intro:
        st.markdown(f":gray[{intro}]")


@contextmanager
def error_boundary(*, of_page: bool = False) -> Iterator[None]:
    """Show a person's error as it is written, with a way on where a whole page is missing.

    Fragments need their own: they run without the page.
    """
    try:
        yield
    except ArgusError as problem:
        show_error(problem)
        if of_page:
            st.button(t("action.try_again"), key="try_again")  # any click runs the page anew


def show_error(problem: ArgusError) -> None:
    """The error, as it is written, at its place."""
    st.error(write_sentence(str(problem)))


def write_sentence(text: str) -> str:
    """A message as a sentence of Markdown: a word at its start gets a capital, an id does not.

    >>> write_sentence("the file is empty"), write_sentence("batch_size must be 1 or more")
    ('The file is empty', 'batch_size must be 1 or more')
    """
    is_word = text.split(maxsplit=1)[:1] and text.split(maxsplit=1)[0].isalpha()
    return escape(text[:1].upper() + text[1:] if is_word else text)


_MARKUP = re.compile(
    r"""[*`\[<$~]                 # what always means something
    | \\(?=[!-/:-@\[-`{-~])      # a backslash that would take the next sign away
    | (?<!\w)_ | _(?!\w)         # an underscore that is not inside a word
    | :(?=[\w+-]+[:\[])          # a colon that begins an emoji or a colour
    | ^[#>]""",
    re.VERBOSE | re.MULTILINE,
)


def escape(text: str) -> str:
    """Text as Markdown shows it unchanged: names and messages are data, not markup.

    >>> escape("max_tokens: *a* :red[b]")
    'max_tokens: \\\\*a\\\\* \\\\:red\\\\[b]'
    """
    return _MARKUP.sub(lambda found: "\\" + found[0], text)


def empty_state(why: str, *, action: str, page: str, key: str = "empty_action") -> None:
    """An empty page: why it is empty, and the button that leads on."""
    with st.container(key="empty", border=True):
        st.markdown(why)
        if st.button(action, type="primary", key=key):
            st.switch_page(page)


def confirm_note(note: str) -> None:
    """Leave a line for the next run to show, since a rerun wipes the page."""
    st.session_state["note"] = note


def show_note() -> None:
    """The line that the last action left, once."""
    note = st.session_state.pop("note", None)
    if note:
        st.toast(escape(note))
