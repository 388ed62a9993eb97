"""Any two runs beside each other: recipes, losses, figures, and the samples won and lost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import streamlit as st

from core.languages import name_of
from core.metrics import errors_of, outcome_f1, won_and_lost
from core.records import CollectionRecord, EvaluationRecord, RunRecord, SampleFilter
from core.significance import paired_bootstrap
from pages._ui.catalogue import t, tn
from pages._ui.charts import show
from pages._ui.promotion_rule import say_differences
from pages._ui.run_charts import course_figure, loss_figure
from pages._ui.scores import FIGURES, figure_of, newest_of, show_figures
from pages._ui.session import services
from pages._ui.words import NO_FIGURE, write_duration, write_figure, write_time
from train.promotion import FIGURES as JUDGED

SHOWN = 20  # samples listed on each side
OVERLAID = 4  # runs whose curves lie over each other at first
_KEY = ("preset", "epochs", "learning_rate", "rank")  # settings that the table shows


def runs_table(
    runs: Sequence[RunRecord], evaluations: Sequence[EvaluationRecord], *, split: str
) -> pd.DataFrame:
    """A row a run, newest first: when, how long, on what, with which recipe, how good."""
    rows = []
    for run in runs:
        scored = newest_of(evaluations, run.model_id or "", split=split)
        took = (
            write_duration((run.finished - run.started).total_seconds())
            if run.started and run.finished
            else NO_FIGURE
        )
        rows.append(
            [
                run.id, t(f"run.state.{run.state}"), write_time(run.finished or run.created), took,
                run.base_id, run.snapshot.get("samples"), *(run.recipe.get(k) for k in _KEY),
                t("sweep.mean") if run.mean_of else str(run.recipe.get("seed")),
                *(write_figure(figure_of(scored, name, None)) for name in FIGURES),
            ]
        )  # fmt: skip
    names = ["compare.run", "compare.state", "compare.when", "compare.took", "compare.base",
             "compare.samples", *(f"recipe.{k}" for k in (*_KEY, "seed")), *(f"scores.{f}" for f in FIGURES)]  # fmt: skip
    return pd.DataFrame(rows, columns=[t(name) for name in names])


def show_comparison(
    chosen: CollectionRecord,
    runs: Sequence[RunRecord],
    evaluations: Sequence[EvaluationRecord],
    *,
    split: str,
) -> None:
    """All runs in a table, and two of them beside each other."""
    st.dataframe(runs_table(runs, evaluations, split=split), hide_index=True, key="runs_table")
    if len(runs) < 2:
        st.caption(t("compare.one"))
        return
    _show_curves(runs)
    left, right = st.columns(2)
    after = left.selectbox(t("compare.this"), runs, 0, format_func=_name, key="compare_this")
    others = [run for run in runs if run.id != after.id]
    before = right.selectbox(t("compare.with"), others, 0, format_func=_name, key="compare_with")
    _show_recipes(after, before)
    new, old = (newest_of(evaluations, r.model_id or "", split=split) for r in (after, before))
    if new is None or old is None:
        unscored = [_name(r) for r, e in ((after, new), (before, old)) if e is None]
        st.info(t("compare.unscored", runs=", ".join(unscored), split=t(f"split.{split}")))
        return
    note = t("compare.note", before=_name(before), after=_name(after))
    show_figures(new, old, key="compare", note=note)
    if new.test_hash != old.test_hash:
        st.caption(t("overview.other_set"))
        return
    if new.outcomes and old.outcomes:
        found = {key: paired_bootstrap(old.outcomes, new.outcomes, key) for key, _ in JUDGED}
        st.caption(say_differences(found))
        _show_modalities(new, old)
        _show_samples(chosen, new, old)


def _name(run: RunRecord) -> str:
    return t("run.name", n=run.id)


def _show_curves(runs: Sequence[RunRecord]) -> None:
    """The curves of some runs over each other, the newest in the accent."""
    wanted = st.multiselect(
        t("curves.runs"), runs, list(runs[:OVERLAID]), format_func=_name, key="curves_runs"
    )
    points = {_name(r): services().store.runs.losses(r.id) for r in runs if r in wanted}
    drawn = {name: p for name, p in points.items() if len(p) > 1}
    if drawn:
        show(loss_figure(drawn), key="compare_losses", alt=t("chart.loss"))
        show(course_figure(drawn), key="compare_courses", alt=t("chart.more"))


def _show_recipes(after: RunRecord, before: RunRecord) -> None:
    """The settings that differ, and only those."""
    rows = recipe_differences(before, after)
    if not rows:
        st.caption(t("compare.same_recipe"))
        return
    columns = [t("compare.setting"), _name(before), _name(after)]
    with st.container(key="figures_recipes"):
        st.table(pd.DataFrame(rows, columns=columns), border="horizontal", hide_index=True)


def recipe_differences(before: RunRecord, after: RunRecord) -> list[tuple[str, str, str]]:
    """(setting, before, after) for each that differs; base, snapshot and what it averages are too."""
    sides: list[dict[str, Any]] = [
        {
            **r.recipe, "base": r.base_id, "snapshot": str(r.snapshot.get("hash", ""))[:12],
            "mean_of": r.mean_of or None,
        }
        for r in (before, after)
    ]  # fmt: skip
    names = dict.fromkeys([*sides[0], *sides[1]])
    found = []
    for name in names:
        old, new = (side.get(name) for side in sides)
        if old != new:
            of_run = name in ("base", "snapshot", "mean_of")
            label = t(f"compare.{name}") if of_run else t(f"recipe.{name}")
            found.append((label, _shown(old), _shown(new)))
    return found


def _shown(value: Any) -> str:
    if value is None:
        return NO_FIGURE
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def _show_modalities(new: EvaluationRecord, old: EvaluationRecord) -> None:
    """Figures a modality, where there is more than one."""
    kinds = sorted({o["modality"] for o in new.outcomes})
    if len(kinds) < 2:
        return
    rows = []
    for kind in kinds:
        cells = [t(f"modality.{kind}")]
        for key, _ in JUDGED:
            sides = (
                outcome_f1([o for o in e.outcomes if o["modality"] == kind], key)
                for e in (old, new)
            )
            cells.append(" → ".join(write_figure(v) for v in sides))
        rows.append(cells)
    names = [t("compare.modality"), *(t(f"difference.{key}") for key, _ in JUDGED)]
    with st.container(key="figures_modalities"):
        st.table(pd.DataFrame(rows, columns=names), border="horizontal", hide_index=True)


def _show_samples(chosen: CollectionRecord, new: EvaluationRecord, old: EvaluationRecord) -> None:
    """The samples that the later run has more right, and those that it has less right."""
    before = {o["id"]: errors_of(o) for o in old.outcomes}
    won, lost = won_and_lost(old.outcomes, new.outcomes)
    for column, name, found in zip(st.columns(2), ("won", "lost"), (won, lost), strict=True):
        with column:
            st.markdown(f"**{tn(f'compare.{name}', len(found))}**")
            if found:
                st.dataframe(
                    _samples_table(chosen, found[:SHOWN], before), hide_index=True,
                    key=f"compare_{name}",
                    column_config={
                        t("compare.open"): st.column_config.LinkColumn(display_text=r"#(.*)")
                    },
                )  # fmt: skip


def _samples_table(
    chosen: CollectionRecord, outcomes: Sequence[Mapping[str, Any]], before: Mapping[str, int]
) -> pd.DataFrame:
    wanted = SampleFilter(ids=[o["id"] for o in outcomes])
    known = services().store.samples.list(wanted, collection_id=chosen.id)
    keys = {r.sample.id: r.key for r in known}
    rows = [
        (
            f"review?sample={keys[o['id']]}&all=1#{o['id']}" if o["id"] in keys else None,
            name_of(o["language"]), f"{before[o['id']]} → {errors_of(o)}",
        )
        for o in outcomes
    ]  # fmt: skip
    names = ["compare.open", "compare.language", "compare.errors"]
    return pd.DataFrame(rows, columns=[t(name) for name in names])
