"""How a model is asked in each language, what else was tried, and the way to what was best."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd
import streamlit as st

from core.languages import in_order, name_of
from core.records import CollectionRecord, ModelRecord
from core.strategy import Strategy
from pages._ui.catalogue import TEXTS, t, tn
from pages._ui.layout import confirm_note, error_boundary, escape, write_sentence
from pages._ui.progress import watch_jobs
from pages._ui.scores import figure_of
from pages._ui.session import person, services
from pages._ui.words import NO_FIGURE, write_duration, write_figure, write_list, write_time
from train.comparison import StrategyScore, best_by_language, compared, plan_comparison, use_best
from train.queue import start_comparison
from train.strategies import choose_strategies, last_choice, use_strategies


def show_prompts(chosen: CollectionRecord, model: ModelRecord) -> None:
    """The ways in use, the newest comparison, and what can be done; folded away."""
    with st.expander(t("prompts.title"), key=f"prompts_{model.id}"), error_boundary():
        scores = compared(services(), chosen.id, model.id)
        best = {code: s.strategy for code, s in best_by_language(scores).items()}
        codes = in_order({*services().store.reads.coverage(chosen.id).index, *best})
        now = choose_strategies(services(), chosen.id, model, codes)
        _say_now(chosen, model, now)
        jobs = services().store.jobs
        if scores:
            _show_table(scores)
        last = jobs.latest("compare", collection_id=chosen.id, limit=1)
        if jobs.open("compare", collection_id=chosen.id):
            watch_jobs(("compare",))
        else:
            if last and last[0].state == "failed" and last[0].payload["model"] == model.id:
                st.error(t("prompts.failed", why=write_sentence(last[0].message)))
            _offer(chosen, model, best=best, now=now)


def name_strategy(strategy: Strategy) -> str:
    """A way of asking in words."""
    key = f"prompts.{strategy.version}"
    said = t(key) if key in TEXTS["en"] else strategy.version
    if strategy.examples:
        said = tn("prompts.examples", strategy.examples, way=said)
    if strategy.in_steps:
        said = t("prompts.in_steps", way=said)
    return t("prompts.free", way=said) if strategy.is_free else said


def comparison_table(scores: Sequence[StrategyScore]) -> pd.DataFrame:
    """A row a way of asking; a column a language, the best of each in bold."""
    best = best_by_language(scores)
    rows = []
    for one in scores:
        cells = [_cell(one, None), *(_cell(one, code, is_best=best[code] is one) for code in best)]
        rows.append(
            [name_strategy(one.strategy), *cells, f"{sum(one.problems.values()):,}",
             f"{one.seconds:.1f}"]
        )  # fmt: skip
    names = [t("prompts.way"), t("scores.all"), *map(name_of, best)]
    return pd.DataFrame(rows, columns=[*names, t("prompts.problems"), t("prompts.seconds")])


# ---------------------------------------------------------------- private


def _cell(one: StrategyScore, language: str | None, *, is_best: bool = False) -> str:
    names = ("tr_accuracy", "arg_accuracy", "tri_c", "arg_c")
    tr, arg, tri_c, arg_c = (write_figure(figure_of(one.evaluation, n, language)) for n in names)
    if (tr, arg) == (NO_FIGURE, NO_FIGURE):
        return NO_FIGURE
    said = f"**{tr} / {arg}**" if is_best else f"{tr} / {arg}"
    # A narrow column breaks before the bracket, nowhere else.
    return " (".join(part.replace(" ", "\u00a0") for part in (said, f"{tri_c} / {arg_c})"))


def _say_now(chosen: CollectionRecord, model: ModelRecord, now: Mapping[str, Strategy]) -> None:
    for strategy in dict.fromkeys(now.values()):
        languages = write_list([name_of(code) for code in now if now[code] == strategy])
        st.markdown(t("prompts.now", way=name_strategy(strategy), languages=languages))
    last = last_choice(services(), chosen.id, model.id)
    if last is None:
        st.caption(t("prompts.by_default"))
    else:
        who = escape(last.person or "?")
        st.caption(t("prompts.since", time=write_time(last.created), person=who))


def _show_table(scores: Sequence[StrategyScore]) -> None:
    with st.container(key="figures_prompts"):
        st.table(comparison_table(scores), border="horizontal", hide_index=True)
    samples = tn("count.sample", scores[0].evaluation.samples)
    lines = [t("prompts.figures", samples=samples)]
    for one in scores:
        if one.strategy.in_steps:
            n = one.evaluation.settings["asked_twice"]
            lines.append(
                t("prompts.twice", way=name_strategy(one.strategy), n=f"{n:,}", samples=samples)
            )
    st.caption(" ".join(lines))


def _offer(
    chosen: CollectionRecord,
    model: ModelRecord,
    *,
    best: Mapping[str, Strategy],
    now: Mapping[str, Strategy],
) -> None:
    plan = plan_comparison(services(), chosen.id, model)
    if not best:
        st.caption(t("prompts.empty"))
    if not plan.samples:
        st.caption(t("prompts.no_dev"))
        return
    bound, free = len(plan.strategies), sum(not s.in_steps for s in plan.strategies)
    with_free = st.checkbox(
        t("prompts.with_free"), key=f"with_free_{model.id}", help=t("prompts.with_free.help")
    )
    ways = bound + free if with_free else bound
    with st.container(horizontal=True, vertical_alignment="center"):
        if st.button(t("prompts.compare"), key=f"compare_{model.id}"):
            start_comparison(services(), chosen.id, model.id, with_free=with_free)
            st.rerun()
        is_better = any(now[code] != strategy for code, strategy in best.items())
        if is_better and st.button(t("prompts.use"), key=f"use_best_{model.id}", type="primary"):
            use_best(services(), chosen.id, model.id, person=person())
            confirm_note(t("prompts.used"))
            st.rerun()
        if last_choice(services(), chosen.id, model.id) and st.button(
            t("prompts.default"), key=f"default_{model.id}"
        ):
            use_strategies(services(), chosen.id, model.id, {}, person=person())
            confirm_note(t("prompts.went_back"))
            st.rerun()
    st.caption(
        t(
            "prompts.estimate", ways=ways, time=write_duration(plan.seconds * ways / bound),
            samples=tn("count.sample", plan.samples),
        )
    )  # fmt: skip
