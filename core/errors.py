"""Every error a person can see. The message says what happened, with the value, and what to do.

ArgusError
├── InputError            something given to Argus is wrong: a file, a line, a value
│   ├── FileError         a file cannot be read at all
│   ├── LineError         one line of a file cannot be used; the others can
│   └── SchemaError       an event schema is wrong, or events do not fit it
├── NotFoundError         a name or id that Argus does not know
├── RefusedError          Argus could do it and will not
│   └── PromotionRefused  the candidate scores lower than the model in use
├── ModelError            a model is missing, incomplete, or could not run
│   ├── ModelUnreachable  the server of a model does not answer; it may be back later
│   └── ReplyError        a model's reply cannot be read
├── MediaError            a picture, clip or sound cannot be read or made
├── TrainingError         a run cannot start, or ended early
├── CancelledError        a person stopped the work
├── StorageError          the database or the disk would not take or give something
└── SetupError            something is missing on this machine: a port, a package, a program
"""

from __future__ import annotations


class ArgusError(Exception):
    """Something a person can act on. Pages and the command line show `str(error)` as it is."""


class InputError(ArgusError):
    """Use it where something given to Argus is wrong."""


class FileError(InputError):
    """Use it where a whole file cannot be read."""


class LineError(InputError):
    """Use it where one line of a file, or one sample, cannot be used."""


class SchemaError(InputError):
    """Use it where a schema is wrong, or where events do not fit the schema."""


class NotFoundError(ArgusError):
    """Use it where a collection, sample, model or run does not exist."""


class RefusedError(ArgusError):
    """Use it where an action is possible but would lose something, or breaks a rule."""


class PromotionRefused(RefusedError):
    """Use it where a candidate's score is lower than that of the model in use."""


class ModelError(ArgusError):
    """Use it where a model is missing, incomplete or could not run."""


class ModelUnreachable(ModelError):
    """Use it where a model's server does not answer: work that can wait waits for it."""


class ReplyError(ModelError):
    """Use it where a reply is not what the prompt asked for."""


class MediaError(ArgusError):
    """Use it where a picture, clip, sound or document cannot be read, or nothing made of it."""


class TrainingError(ArgusError):
    """Use it where a training run cannot start, or ended early."""


class CancelledError(ArgusError):
    """Use it where a person stopped the work before it was done."""


class StorageError(ArgusError):
    """Use it where the database or the disk refused."""


class SetupError(ArgusError):
    """Use it where this machine lacks something: a free port, a package, a program."""


def shown(value: object) -> str:
    """A value as a message shows it: quoted, and short."""
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "…"
