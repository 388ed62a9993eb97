"""Overview: how far each language is, whether training helps, how the runs went."""

from __future__ import annotations

import streamlit as st

from core.languages import name_of
from core.records import CollectionRecord, EvaluationRecord
from pages._ui import charts
from pages._ui.catalogue import t, tn
from pages._ui.layout import empty_state, escape, page_header
from pages._ui.radar import show_radar
from pages._ui.run_charts import loss_figure
from pages._ui.scores import FIGURES, figure_of, languages_of, newest_of, say_split, show_figures
from pages._ui.session import collection, person, services
from pages._ui.standing import Standing, gather_standing, tuned_and_base
from pages._ui.words import NO_FIGURE, write_figure, write_size
from train.registry import media_use
from train.snapshot import judged_split

STATES = ("new", "suggested", "reviewed")
RUNS = 5  # whose losses are drawn


def show_headline(
    standing: Standing, tuned: EvaluationRecord | None, base: EvaluationRecord | None
) -> None:
    """Four figures: how much is reviewed, how much waits, how good the model is at each task."""
    cells = st.columns(4)
    reviewed, all_of = standing.total("reviewed"), standing.total(*STATES)
    of = t("overview.of", reviewed=f"{reviewed:,}", n=f"{all_of:,}")
    fresh = standing.fresh if standing.has_run and standing.fresh else None
    cells[0].metric(
        t("overview.reviewed"), of, fresh, border=True, height="stretch",
        delta_description=t("overview.since_run") if fresh else None,
    )  # fmt: skip
    waiting = f"{all_of - reviewed:,}"
    cells[1].metric(t("overview.waiting"), waiting, border=True, height="stretch")
    shown = tuned or base
    for cell, accuracy, f1 in (
        (cells[2], FIGURES[0], FIGURES[1]),
        (cells[3], FIGURES[2], FIGURES[3]),
    ):
        value, before = figure_of(shown, accuracy, None), figure_of(base, accuracy, None)
        gain = (
            None if tuned is None or value is None or before is None else round(value - before, 1)
        )
        cell.metric(
            t(f"overview.{accuracy}"), NO_FIGURE if value is None else f"{value:.1f} %", gain,
            delta_description=t("overview.against_base") if gain is not None else None,
            border=True, height="stretch",
            help=t("overview.f1", name=t(f"scores.{f1}"), f1=write_figure(figure_of(shown, f1, None)),
                   on=say_split(shown)) if shown else t("overview.unscored"),
        )  # fmt: skip


def show_coverage(standing: Standing) -> None:
    """New, suggested and reviewed a language; each count leads to its samples."""
    st.markdown(f"## {t('overview.coverage')}")
    plot, table = st.columns([1, 1], gap="large", vertical_alignment="center")
    with plot:
        charts.show(
            charts.coverage_figure(standing.coverage), key="coverage", alt=t("overview.coverage")
        )
    with table.container(key="counts", gap="xsmall"):
        widths = [1.4, 1, 1, 1, 1]
        names = ["samples.language", *(f"state.{s}" for s in STATES), "import.total"]
        for cell, name in zip(st.columns(widths, gap="xsmall"), names, strict=True):
            cell.caption(t(name).capitalize())
        for code, counts in standing.coverage.items():
            cells = st.columns(widths, gap="xsmall", vertical_alignment="center")
            cells[0].caption(name_of(code))
            for cell, state in zip(cells[1:], STATES, strict=False):
                _link(cell, counts[state], {"language": code, "state": state})
            _link(cells[4], sum(counts.values()), {"language": code})


def _link(cell: st.delta_generator.DeltaGenerator, count: int, params: dict[str, str]) -> None:
    if count:
        cell.page_link("pages/samples.py", label=f"{count:,}", query_params=params)
    else:
        cell.caption(NO_FIGURE)


def show_gain(
    tuned: EvaluationRecord | None, base: EvaluationRecord | None, *, names: tuple[str, str]
) -> None:
    """Zero-shot and tuned accuracy a language, with the F1 beside them in the table."""
    st.markdown(f"## {t('overview.gain')}")
    if tuned is None and base is None:
        st.markdown(t("overview.unscored"))
        st.page_link("pages/models.py", label=t("overview.evaluate"))
        return
    bars = {
        t(f"scores.{name}"): {
            code: (figure_of(base, name, code), figure_of(tuned, name, code))
            for code in languages_of(base, tuned)
        }
        for name in ("tr_accuracy", "arg_accuracy")
    }
    figure = charts.accuracy_figure(bars, before=names[0], after=names[1])
    charts.show(figure, key="accuracy", alt=t("overview.gain"))
    if tuned and base:
        show_figures(
            tuned,
            base,
            key="gain",
            note=t("overview.before_after", before=names[0], after=names[1]),
        )
        if tuned.test_hash != base.test_hash:
            st.caption(t("overview.other_set"))
    else:
        show_figures(tuned or base, key="gain")


def base_name(base: EvaluationRecord | None, model: str) -> str:
    """What the bar of a base is called: by how many examples it was shown before it answered."""
    ways = (base.settings.get("strategies") or {}).values() if base else ()
    counts = {way["examples"] for way in ways} or {0}
    if counts == {0}:
        return t("overview.zero_shot", model=model)
    if len(counts) == 1:
        return tn("overview.shown", counts.pop(), model=model)
    return t("overview.shown_up_to", n=max(counts), model=model)


def show_losses(chosen: CollectionRecord) -> None:
    """The loss of the last runs, step by step."""
    st.markdown(f"## {t('overview.losses')}")
    store = services().store
    runs = {
        t("run.name", n=r.id): store.runs.losses(r.id) for r in store.runs.all(chosen.id)[:RUNS]
    }
    drawn = {name: points for name, points in runs.items() if points}
    if not drawn:
        st.markdown(t("overview.no_runs"))
        st.page_link("pages/training.py", label=t("next.train.do"))
        return
    charts.show(loss_figure(drawn, height=300), key="losses", alt=t("chart.loss"))


@st.cache_data(ttl=60, show_spinner=False)
def _media_bytes(home: str) -> dict[str, int]:
    """What media take; looked up once a minute, since a store has many files."""
    return media_use(services())


def say_media() -> None:
    """How much room pictures, clips and sounds take, and how to free what no sample has any more."""
    used = _media_bytes(str(services().home.root))
    if used["originals"]:
        sizes = {name: write_size(size) for name, size in used.items()}
        st.caption(t("overview.media", **sizes))


page_header(t("page.overview"), t("overview.intro"))
chosen = collection()
standing = gather_standing(services(), chosen)
if chosen is None or not standing.coverage:
    empty_state(t("overview.empty"), action=t("next.no_collection.do"), page="pages/samples.py")
    st.stop()
split = judged_split(services(), chosen.id)
evaluations = services().store.models.evaluations(chosen.id)
tuned, base = tuned_and_base(services(), chosen, evaluations, split=split)
scored_tuned = None if tuned is None else newest_of(evaluations, tuned.id, split=split)
scored_base = None if base is None else newest_of(evaluations, base.id, split=split)
show_headline(standing, scored_tuned, scored_base)
show_coverage(standing)
show_gain(
    scored_tuned,
    scored_base,
    names=(
        base_name(scored_base, escape("" if base is None else base.title)),
        t("overview.untuned") if tuned is None else t("overview.tuned", model=escape(tuned.title)),
    ),
)
show_losses(chosen)
show_radar(services(), chosen, person())
say_media()
