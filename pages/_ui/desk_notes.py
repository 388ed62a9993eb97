"""Flags and comments of the workbench: read from its messages, and shown with the sample."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from core.records import NoteRecord
from pages._ui.desk import Message, read_message
from storage.notes import LONGEST
from storage.store import Store


class NoteMessage(Message):
    """A new flag or comment on a sample, or one that is resolved or opened again."""

    sample: int
    act: Literal["flag", "comment", "resolve", "reopen"]
    text: Annotated[str, StringConstraints(max_length=LONGEST)] = ""
    start: int | None = Field(default=None, ge=0)
    end: int | None = Field(default=None, ge=0)
    note: int | None = None


def take_note(store: Store, data: Mapping[str, Any], *, person: str) -> None:
    """Do what a message about a note asks; the same new note twice is one."""
    message = read_message(NoteMessage, data)
    if message.act in ("resolve", "reopen"):
        store.notes.resolve(message.note or 0, person=person, is_open=message.act == "reopen")
        return
    wanted = (person, message.act, message.text.strip(), message.start, message.end)
    known = store.notes.list(message.sample, only_open=True)
    if any((n.person, n.kind, n.text, n.start, n.end) == wanted for n in known):
        return
    store.notes.add(
        message.sample, person=person, kind="flag" if message.act == "flag" else "comment",
        text=message.text, start=message.start, end=message.end,
    )  # fmt: skip


def note_data(note: NoteRecord) -> dict[str, Any]:
    """A note as the workbench shows it."""
    return {
        "id": note.id, "person": note.person, "kind": note.kind, "text": note.text,
        "start": note.start, "end": note.end, "words": note.words,
        "resolved_by": note.resolved_by if note.resolved else None,
        "resolved": note.resolved is not None,
    }  # fmt: skip
