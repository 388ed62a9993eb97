"""Typed access to what a page works with: the services, the person, the collection chosen."""

from __future__ import annotations

import streamlit as st

from core.errors import NotFoundError
from core.records import CollectionRecord
from pages._ui.entry import check_entry
from train.services import Services, open_services

_CHOSEN = "collection_name"


def services() -> Services:
    """The store and the home folder, opened once a process, for who came in through app.py."""
    check_entry()
    return _open()


@st.cache_resource(show_spinner=False)
def _open() -> Services:
    return open_services()


def person() -> str | None:
    """The name of the one person who works here, or None before they were asked."""
    return services().store.collections.person()


def collection() -> CollectionRecord | None:
    """The collection that the switch shows, or None where there is none at all."""
    every = services().store.collections.all()
    chosen = st.session_state.get(_CHOSEN)
    return next((c for c in every if c.name == chosen), every[0] if every else None)


def set_collection(name: str) -> None:
    """Choose the collection for this session and in the address, so that a reload keeps it."""
    st.session_state[_CHOSEN] = name
    if st.query_params.get("collection") != name:
        st.query_params["collection"] = name


def choose_collection() -> None:
    """Settle the collection at the start of a run: the open sample's, the address's, the session's."""
    params = st.query_params
    asked = _of_sample(params.get("sample")) or _of_queue(params.get("queue"))
    asked = asked or params.get("collection")
    if asked and services().store.collections.find(asked):
        st.session_state[_CHOSEN] = asked
    chosen = collection()
    if chosen:
        set_collection(chosen.name)


def _of_sample(key: str | None) -> str | None:
    if not key or not key.isdecimal():
        return None
    store = services().store
    try:
        owner = store.samples.get(int(key)).collection_id
    except NotFoundError:  # the page that opens the sample says so, with the way on
        return None
    return _name_of(owner)


def _of_queue(link: str | None) -> str | None:
    if not link or not link.isdecimal() or len(link) > 17:
        return None
    try:
        return _name_of(services().store.queues.get(int(link)).collection_id)
    except NotFoundError:  # the page that opens the queue says so, with the way on
        return None


def _name_of(collection_id: int) -> str | None:
    every = services().store.collections.all()
    return next((c.name for c in every if c.id == collection_id), None)
