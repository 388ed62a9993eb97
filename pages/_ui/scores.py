"""Scores as people compare them: two accuracies with the F1 beside each, overall and per language."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from core.languages import in_order, name_of
from core.metrics import read_figure
from core.records import EvaluationRecord
from pages._ui.catalogue import t, tn
from pages._ui.words import write_figure

# Trigger accuracy and its F1, argument accuracy and its F1: never one without the other.
FIGURES = ("tr_accuracy", "tri_c", "arg_accuracy", "arg_c")


def figure_of(evaluation: EvaluationRecord | None, name: str, language: str | None) -> float | None:
    """One of `FIGURES`, of a language or (None) overall; None where there is no such score."""
    return None if evaluation is None else read_figure(evaluation.scores, name, language)


def languages_of(*evaluations: EvaluationRecord | None) -> list[str]:
    """The languages that any of these evaluations scored, in the order of every table."""
    return in_order({c for e in evaluations if e for c in e.scores["by_language"]})


def newest_of(
    evaluations: Sequence[EvaluationRecord], model_id: str, *, split: str
) -> EvaluationRecord | None:
    """A model's newest evaluation on a split (they come newest first)."""
    return next((e for e in evaluations if e.model_id == model_id and e.split == split), None)


def figures_table(
    after: EvaluationRecord | None, before: EvaluationRecord | None = None
) -> pd.DataFrame:
    """A row a figure, a column a language (all first); `37.0 → 49.1` where there is a before."""
    codes = [None, *languages_of(after, before)]
    rows = {}
    for name in FIGURES:
        cells = []
        for code in codes:
            new = write_figure(figure_of(after, name, code))
            old = write_figure(figure_of(before, name, code))
            cells.append(new if before is None else f"{old} → {new}")
        rows[t(f"scores.{name}")] = cells
    names = [t("scores.all") if code is None else name_of(code) for code in codes]
    return pd.DataFrame.from_dict(rows, orient="index", columns=names)


def show_figures(
    after: EvaluationRecord | None,
    before: EvaluationRecord | None = None,
    *,
    key: str,
    note: str = "",
) -> None:
    """The table of `figures_table`, with the split and the number of samples said below."""
    with st.container(key=f"figures_{key}"):
        st.table(figures_table(after, before), border="horizontal")
        st.caption(f"{say_split(after, before)} {note}")


def say_split(*evaluations: EvaluationRecord | None) -> str:
    """On which split and how many samples the figures are; both where they differ."""
    said = [
        t("scores.on", split=t(f"split.{e.split}"), n=tn("count.sample", e.samples))
        for e in evaluations
        if e
    ]
    return t("scores.percent", on=" / ".join(dict.fromkeys(said)))
