"""Scores as people compare them: two accuracies with the F1 beside each, overall and per language."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import streamlit as st

from core.languages import in_order, name_of
from core.records import EvaluationRecord
from pages._ui.catalogue import t, tn
from pages._ui.words import write_figure

# Trigger accuracy and its F1, argument accuracy and its F1: never one without the other.
FIGURES = ("tr_accuracy", "tri_c", "arg_accuracy", "arg_c")


def figure_of(scores: Mapping[str, Any] | None, name: str) -> float | None:
    """One of `FIGURES` from a score; None where there is no score."""
    if not scores or name not in scores:
        return None
    value = scores[name]
    return float(value["f1"] if isinstance(value, Mapping) else value)


def score_of(evaluation: EvaluationRecord | None, language: str | None) -> Mapping[str, Any] | None:
    """The score of a language, or the overall one without a language."""
    if evaluation is None:
        return None
    if language is None:
        overall: Mapping[str, Any] = evaluation.scores["overall"]
        return overall
    found: Mapping[str, Any] | None = evaluation.scores["by_language"].get(language)
    return found


def languages_of(*evaluations: EvaluationRecord | None) -> list[str]:
    """The languages that any of these evaluations scored, in the order of every table."""
    return in_order({c for e in evaluations if e for c in e.scores["by_language"]})


def newest_of(evaluations: Sequence[EvaluationRecord], model_id: str) -> EvaluationRecord | None:
    """A model's newest evaluation (they come newest first)."""
    return next((e for e in evaluations if e.model_id == model_id), None)


def figures_table(
    rows: Sequence[tuple[str, EvaluationRecord | None]], *, languages: Sequence[str]
) -> pd.DataFrame:
    """A row a language (all first) and model, the four figures as columns."""
    out = []
    for code in [None, *languages]:
        for name, evaluation in rows:
            found = score_of(evaluation, code)
            out.append(
                [t("scores.all") if code is None else name_of(code), name]
                + [write_figure(figure_of(found, f)) for f in FIGURES]
            )
    columns = [t("scores.language"), t("scores.model"), *(t(f"scores.{f}") for f in FIGURES)]
    return pd.DataFrame(out, columns=columns)


def show_figures(
    rows: Sequence[tuple[str, EvaluationRecord | None]], *, key: str, note: str = ""
) -> None:
    """The table of `figures_table`, with the split and the number of samples said below."""
    known = [e for _, e in rows if e]
    table = figures_table(rows, languages=languages_of(*known))
    if len(rows) == 1:
        table = table.drop(columns=[t("scores.model")])
    with st.container(key=f"figures_{key}"):
        st.table(table, border="horizontal", hide_index=True)
        if known:
            said = {
                t("scores.on", split=t(f"split.{e.split}"), n=tn("count.sample", e.samples))
                for e in known
            }
            st.caption(" · ".join(sorted(said)) + t("scores.percent") + (f" {note}" if note else ""))
