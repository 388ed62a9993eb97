"""Review: the sample, its events, the next one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from core.errors import ArgusError, InputError, NotFoundError, StorageError
from core.records import CollectionRecord
from pages._ui import desk
from pages._ui.catalogue import LANGUAGE, t
from pages._ui.layout import confirm_note, empty_state, error_boundary
from pages._ui.session import collection, person, services
from pages._ui.workbench import show_workbench
from train.queue import cancel_job, keep_ahead

_DONE = "review_done"  # ids of the messages that were dealt with
_PROBLEMS = "review_problems"  # [{id, message, retry}] of the last messages
_AHEAD = "review_ahead"  # the sample after which the worker prepares suggestions


def main() -> None:
    """Gather what the workbench shows, show it, and look after the suggestion on its way."""
    current = collection()
    if current is None or not services().store.samples.count(collection_id=current.id):
        empty_state(t("review.empty"), action=t("review.empty.action"), page="pages/samples.py")
        return
    data = gather(current)
    show_workbench(data, take)
    if data["suggesting"]["state"] in ("queued", "running"):
        watch(data["open"]["key"], data["suggesting"]["job"])


def gather(current: CollectionRecord) -> dict[str, Any]:
    """Everything the workbench is given: the open sample and its neighbours, schema and filter."""
    store, chosen = services().store, _filter()
    wanted = desk.wanted_samples(chosen)
    place = desk.find_place(store, current.id, wanted, key=_open_key(current))
    _remember(place.key)
    around = {
        name: None if key is None else desk.sample_data(store, key, person=person() or "")
        for name, key in (("open", place.key), ("next", place.next), ("previous", place.previous))
    }
    suggesting: dict[str, Any] = {"state": "none"}
    if place.key is not None:
        suggesting = desk.ask_for_suggestion(services(), store.samples.get(place.key))
        if st.session_state.get(_AHEAD) != place.key:
            keep_ahead(services(), current.id, after=place.key)
            st.session_state[_AHEAD] = place.key
    total = store.samples.count(collection_id=current.id)
    waiting = store.samples.count(desk.UNREVIEWED, collection_id=current.id)
    return {
        **around, "suggesting": suggesting, "language": LANGUAGE, "person": person(),
        "schema": desk.schema_data(store.collections.schema(current.id)),
        "filter": {
            "language": chosen.language, "unreviewed": chosen.unreviewed,
            "languages": desk.language_data(store, current.id),
        },
        "progress": {"reviewed": total - waiting, "total": total},
        "done": st.session_state.get(_DONE, []), "problems": st.session_state.get(_PROBLEMS, []),
    }  # fmt: skip


def take(event: str, message: Mapping[str, Any]) -> None:
    """Deal with a message of the workbench; what went wrong is told there, at its place."""
    value = dict(message)
    ident, at, from_ = str(value.pop("id", "")), value.pop("at", None), value.pop("from", None)
    problem: dict[str, Any] | None = None
    try:
        _act(event, value, at=at, from_=from_)
    except ArgusError as error:
        problem = {"id": ident, "message": str(error), "retry": isinstance(error, StorageError)}
    st.session_state[_PROBLEMS] = [problem] if problem else []
    if problem is None or not problem["retry"]:
        st.session_state[_DONE] = [*st.session_state.get(_DONE, []), ident][-20:]


def _act(event: str, value: dict[str, Any], *, at: object, from_: object) -> None:
    store, name = services().store, person() or ""
    if event == "draft":
        desk.keep_draft(store, value, person=name)
    elif event == "submit":
        desk.submit_review(store, value, person=name)
        _remember(_key(at) if at is not None else _after(_key(from_)))
    elif event == "open":
        step = value.get("step")
        _remember(_key(at) if at is not None else _after(_key(from_), -1 if step == -1 else 1))
    elif event == "filter":
        chosen = desk.read_filter(value)
        st.query_params["language"] = chosen.language
        st.query_params["all"] = "" if chosen.unreviewed else "1"
        open_now = None if at is None else store.samples.get(_key(at))
        fits = open_now is not None and desk.fits(open_now, chosen)
        _remember(_key(at) if fits else None)
    elif event == "ask" and value.get("act") == "cancel" and isinstance(value.get("job"), int):
        cancel_job(services(), value["job"])
    elif event == "ask":
        desk.ask_for_suggestion(services(), store.samples.get(_key(at)), again=True)


@st.fragment(run_every=1)
def watch(key: int, job_id: int) -> None:
    """While a suggestion is on its way: look every second, and rerun the page once it is there."""
    with error_boundary():
        store = services().store
        state = store.samples.get(key).state
        if state != "new" or store.jobs.get(job_id).state not in ("queued", "running"):
            st.rerun()


# ---------------------------------------------------------------- the address


def _filter() -> desk.FilterMessage:
    params = st.query_params
    return desk.FilterMessage(
        language=params.get("language", "")[:10], unreviewed=params.get("all") != "1"
    )


def _open_key(current: CollectionRecord) -> int | None:
    """The sample in the address, if it is one of this collection."""
    asked = st.query_params.get("sample")
    if not asked:
        return None
    try:
        record = services().store.samples.get(_key(asked))
    except (NotFoundError, InputError):
        confirm_note(t("review.missing", asked=asked))
        return None
    return record.key if record.collection_id == current.id else None


def _after(key: int, step: int = 1) -> int | None:
    current = collection()
    if current is None:
        return None
    place = desk.find_place(
        services().store, current.id, desk.wanted_samples(_filter()), key=key
    )
    return place.next if step > 0 else place.previous


def _remember(key: int | None) -> None:
    """Keep the open sample and the filter in the address, so that a reload and a link find them."""
    params = st.query_params
    if key is None:
        params.pop("sample", None)
    elif params.get("sample") != str(key):
        params["sample"] = str(key)
    for name in ("language", "all"):
        if params.get(name) == "":
            params.pop(name, None)


def _key(value: object) -> int:
    if isinstance(value, bool) or not str(value).isdecimal() or len(str(value)) > 18:
        raise InputError(t("review.error.key", value=value))
    return int(str(value))


main()
