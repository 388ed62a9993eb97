"""Queues in words: the name of an order, what a filter asks for, and why a sample is there."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from core.languages import name_of
from core.queues import Queue, Why
from core.records import SampleFilter
from core.schema import Schema, label
from pages._ui.catalogue import LANGUAGE, t, tn
from pages._ui.problem_words import write_problem
from pages._ui.words import browser_zone, write_list

UNSURE = 0.5  # a lowest confidence from here on is not called unsure


def queue_name(queue: Queue) -> str:
    """The name of a saved queue, or of the reason."""
    return queue.name or t(f"queue.{queue.reason}")


def type_name(schema: Schema | None, name: str) -> str:
    """An event type as people see it called."""
    known = schema.type(name) if schema else None
    return label(known, LANGUAGE) if known else name


def write_why(why: Why, schema: Schema | None = None) -> str:
    """Why a sample is in a queue, with the figure: `model unsure of the type: 0.31`."""
    if why.key != "queue.why.mine" and why.values.get("skipped"):
        values = {name: value for name, value in why.values.items() if name != "skipped"}
        return f"{write_why(Why(why.key, values), schema)} · {t('queue.why.mine.skipped')}"
    values = dict(why.values)
    if why.key.startswith("queue.why.uncertain."):
        figure = float(values["figure"])
        key = why.key if figure < UNSURE else why.key.replace("uncertain", "sure")
        return t(key, figure=f"{figure:.2f}", role=values["role"])
    if why.key == "queue.why.disagree":
        what = t(f"queue.differs.{str(values['kind']).partition('_')[0]}")
        return tn(why.key, values["n"], what=what)
    if why.key == "queue.why.problems":
        return tn(why.key, values["n"], problem=write_problem(values["problem"], schema))
    if why.key == "queue.why.mine":
        return _mine(values)
    if "type" in values:
        values["type"] = type_name(schema, values["type"])
        values["language"] = name_of(values["language"])
    if why.key == "queue.why.rare" and not values["n"]:
        return t("queue.why.rare.none", type=values["type"])
    if isinstance(values.get("since"), datetime):
        values["since"] = write_day(values["since"])
    return t(why.key, **values)


def write_day(moment: datetime) -> str:
    """The day of a time, written out, in the browser's zone."""
    day = moment.astimezone(browser_zone())
    return t("review.date", day=day.day, month=t(f"month.{day.month}"), year=day.year)


def describe_filter(wanted: SampleFilter, schema: Schema | None = None) -> str:
    """What a filter asks for in a line; empty where it asks for nothing."""
    parts = [
        write_list([name_of(code) for code in wanted.languages]),
        write_list([type_name(schema, name) for name in wanted.event_types]),
        write_list([t(f"state.{state}") for state in wanted.states]),
        write_list([t(f"split.{split}") for split in wanted.splits]),
        write_list([t(f"modality.{kind}") for kind in wanted.modalities]),
        write_list(list(wanted.sources)),
        f"“{wanted.text}”" if wanted.text else "",
        _range(wanted.confidence_from, wanted.confidence_to, t("queues.col.confidence").lower()),
        _range(wanted.published_from, wanted.published_to, ""),
    ]
    if wanted.flagged is not None:
        parts.append(t(f"queues.flagged.{'yes' if wanted.flagged else 'no'}"))
    if wanted.problems is not None:
        parts.append(t(f"queues.problems.{'yes' if wanted.problems else 'no'}"))
    return " · ".join(part for part in parts if part)


def _range(low: object, high: object, what: str) -> str:
    if low is None and high is None:
        return ""
    return f"{what} {'' if low is None else low}–{'' if high is None else high}".strip()


def _mine(values: Mapping[str, Any]) -> str:
    parts = [t("queue.why.mine.draft")] if values["draft"] else []
    if values["flag"] is not None:
        text = str(values["flag"])
        parts.append(t("queue.why.mine.flag_text", text=text) if text else t("queue.why.mine.flag"))
    parts += [t("queue.why.mine.skipped")] if values["skipped"] else []
    return write_list(parts) or t("queue.why.filter")
