"""Review: the sample, its events, the next one."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

import streamlit as st

from core.errors import ArgusError, StorageError
from core.queue_work import skip_sample
from core.records import CollectionRecord
from pages._ui import desk, desk_data, desk_media, desk_queue, desk_side
from pages._ui.catalogue import LANGUAGE, t
from pages._ui.desk_notes import take_note
from pages._ui.layout import empty_state, error_boundary
from pages._ui.review_address import (
    address_filter,
    address_queue,
    address_sample,
    is_open,
    read_key,
    remember_filter,
    remember_sample,
)
from pages._ui.session import collection, person, services
from pages._ui.workbench import show_workbench
from train.queue import cancel_job, keep_ahead

log = logging.getLogger(__name__)
_DONE = "review_done"  # ids of the messages that were dealt with
_PROBLEMS = "review_problems"  # [{id, message, retry}] of the last message
_STANDING = "review_standing"  # where the person is: looked up anew after all but drafts
_SIDE = "review_side"  # what was asked for beside the open sample: {sample, part: data}
_AHEAD = "review_ahead"  # the queue, and the sample in it behind which the worker prepares
_SESSION = "review_session"  # lets the browser see that the server, or its session, is a new one


def main() -> None:
    """Gather what the workbench shows, show it, and look after the suggestion on its way."""
    current = collection()
    standing = {} if current is None else _standing(current)
    if current is None or not standing["progress"]["total"]:
        st.session_state.pop(_STANDING, None)
        empty_state(t("review.empty"), action=t("review.empty.action"), page="pages/samples.py")
        return
    data = gather(current, standing)
    show_workbench(data, take)
    if data["suggesting"]["state"] in ("queued", "running"):
        watch(data["open"]["key"], data["suggesting"]["job"])
    if data["preparing"]["state"] in ("queued", "running"):
        watch_media(current.id, data["open"]["key"], data["preparing"])


def gather(current: CollectionRecord, standing: dict[str, Any]) -> dict[str, Any]:
    """Everything the workbench is given: the open sample and its neighbours, schema and filter."""
    store, state, place = services().store, st.session_state, standing["place"]
    named = place.queue if address_filter().queue else None
    suggesting: dict[str, Any] = {"state": "none"}
    preparing: dict[str, Any] = {"state": "none"}
    if place.key is not None:
        # before the sample is read: what ends meanwhile is either seen there or still watched
        suggesting = desk_data.ask_for_suggestion(services(), store.samples.get(place.key))
        preparing = desk_media.preparing_data(services(), current.id, place.key)
        if state.get(_AHEAD) != (place.queue, place.key):
            keep_ahead(services(), place.queue, after=place.key, person=person())
            state[_AHEAD] = (place.queue, place.key)
    around = {
        name: None
        if key is None
        else desk_data.sample_data(
            store, key, person=person() or "", queue=named, home=services().home
        )
        for name, key in (("open", place.key), ("next", place.next), ("previous", place.previous))
    }
    return {
        **around, "suggesting": suggesting, "preparing": preparing, "language": LANGUAGE, "person": person(),
        "session": state.setdefault(_SESSION, uuid4().hex),
        "schema": desk_data.schema_data(store.collections.schema(current.id)),
        "filter": {**address_filter().model_dump(), "languages": standing["languages"]},
        "queue": standing["queue"], "progress": standing["progress"],
        "side": state.get(_SIDE, {}) if state.get(_SIDE, {}).get("sample") == place.key else {},
        "done": state.get(_DONE, []), "problems": state.get(_PROBLEMS, []),
    }  # fmt: skip


def take(event: str, message: Mapping[str, Any]) -> None:
    """Deal with a message of the workbench; what went wrong is told there, at its place."""
    value, state = dict(message), st.session_state
    ident, at, left = str(value.pop("id", "")), value.pop("at", None), value.pop("from", None)
    problem: dict[str, Any] | None = None
    try:
        _act(event, value, at=at, left=left)
    except ArgusError as error:
        problem = {"id": ident, "message": str(error), "retry": isinstance(error, StorageError)}
    except Exception as error:  # a message without an answer would be sent for ever
        log.exception("the message %s (%s) could not be dealt with", ident, event)
        said = t("review.error.unexpected", error=f"{type(error).__name__}: {error}")
        problem = {"id": ident, "message": said, "retry": False}
    state[_PROBLEMS] = [problem] if problem else []
    if problem is None or not problem["retry"]:
        state[_DONE] = [*state.get(_DONE, []), ident][-20:]
    if event != "side" and _SIDE in state:  # the next message tells that what it had asked for came
        state[_SIDE] = {k: v for k, v in state[_SIDE].items() if k not in desk_side.OF_MEDIA}
    if event not in ("draft", "side", "note"):
        state.pop(_STANDING, None)


def _act(event: str, value: dict[str, Any], *, at: object, left: object) -> None:
    """One call an action. `at` is the sample on the screen now, `left` the one that was there."""
    store, name = services().store, person() or ""
    if event == "draft":
        desk.keep_draft(store, value, person=name)
    elif event == "submit":
        desk.submit_review(store, value, person=name)
        # One that comes again leads nobody away from where they are by now.
        if is_open(value["document"]["sample"]):
            remember_sample(read_key(at) if at is not None else _beside(left, 1))
    elif event == "open":
        step = -1 if value.get("step") == -1 else 1
        remember_sample(read_key(at) if at is not None else _beside(left, step))
    elif event == "filter":
        chosen = desk.read_filter(value)
        record = None if at is None else store.samples.get(read_key(at))
        remember_filter(chosen)
        stays = record is not None and desk_queue.is_in(
            store, desk_queue.queue_of(store, record.collection_id, chosen), record, person=name
        )
        remember_sample(record.key if record and stays else None)
    elif event == "skip":
        current, told = collection(), None if at is None else read_key(at)
        if current is not None:
            queue, key = address_queue(current), read_key(left)
            following = skip_sample(store, queue, key, person=name)
            remember_sample(following if told is None else told)
    elif event == "note":
        take_note(store, value, person=name)
    elif event == "side":
        _fetch_side(value, read_key(at))
    elif event == "ask" and value.get("act") == "cancel" and isinstance(value.get("job"), int):
        cancel_job(services(), value["job"])
    elif event == "ask" and value.get("act") == "prepare":
        desk_media.try_again(services(), read_key(at), str(value.get("media")))
    elif event == "ask":
        record = store.samples.get(read_key(at))
        desk_data.ask_for_suggestion(services(), record, again=True)


@st.fragment(run_every=1)
def watch(key: int, job_id: int) -> None:
    """While a suggestion is on its way: look every second, and rerun the page once it is there."""
    with error_boundary():
        store = services().store
        waits = store.jobs.get(job_id).state in ("queued", "running")
        if not waits or store.samples.get(key).state != "new":
            st.rerun()


@st.fragment(run_every=1)
def watch_media(collection_id: int, key: int, said: dict[str, Any]) -> None:
    """While media of the open sample are being made ready: rerun the page when there is news."""
    with error_boundary():
        now = desk_media.preparing_data(services(), collection_id, key)
        shown = ("state", "done", "total", "worker", "stand")
        if [now.get(name) for name in shown] != [said.get(name) for name in shown]:
            st.rerun()


def _standing(current: CollectionRecord) -> dict[str, Any]:
    """The open sample with its neighbours, and how far the collection is.

    Kept while only drafts change, ten seconds at most, since others work here too.
    """
    store, name, key = services().store, person() or "", address_sample(current)
    queue, named = address_queue(current), bool(address_filter().queue)
    of = (queue, key, int(time.monotonic() / 10))
    known = st.session_state.get(_STANDING)
    if known is None or known["of"] != of:
        place = desk_queue.find_place(store, queue, key=key, person=name)
        remember_sample(place.key)
        shown = desk_queue.queue_data(store, queue, key=place.key, person=name, is_named=named)
        standing = desk_data.standing_data(store, current.id)
        known = {"of": (queue, place.key, of[2]), "place": place, "queue": shown, **standing}
        st.session_state[_STANDING] = known
    return dict(known)


def _beside(left: object, step: int) -> int | None:
    """The next or previous sample from the one that was left."""
    current = collection()
    if current is None:
        return None
    place = desk_queue.find_place(
        services().store, address_queue(current), key=read_key(left), person=person() or ""
    )
    return place.next if step > 0 else place.previous


def _fetch_side(value: dict[str, Any], key: int) -> None:
    """Keep what the workbench asked for beside a sample, with what it asked for there before."""
    message = desk.read_message(desk_side.SideMessage, value)
    side = st.session_state.get(_SIDE, {})
    if side.get("sample") != key:
        side = {"sample": key}
    part = desk_side.side_data(services(), key, message, person=person() or "")
    kept = {k: v for k, v in side.items() if k not in desk_side.OF_MEDIA}
    st.session_state[_SIDE] = {**kept, message.act: part}


main()
