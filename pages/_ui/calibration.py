"""How reliable a model's confidences are, before and after calibration: a plot, its figures, a way on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd
import streamlit as st

from core.calibration import ALL, KINDS
from core.fitting import LEAST
from core.languages import in_order, name_of
from core.records import CollectionRecord, ModelRecord
from core.reliability import Bin, Calibration, Figure, calibration_error
from pages._ui.catalogue import t, tn
from pages._ui.charts import ACCENT, QUIET, frame, show
from pages._ui.progress import watch_jobs
from pages._ui.session import services
from pages._ui.words import NO_FIGURE, write_figure, write_time
from train.queue import calibrate_later

_LINES = {"before": (QUIET, "dot", "circle-open"), "after": (ACCENT, "solid", "circle")}


def show_calibration(chosen: CollectionRecord, model: ModelRecord) -> None:
    """The section of a model's card."""
    st.markdown(f"#### {t('calibration.title')}")
    store = services().store
    found = store.calibrations.newest(chosen.id, model.id)
    open_jobs = store.jobs.open("calibrate", collection_id=chosen.id)
    is_open = any(job.payload.get("model") == model.id for job in open_jobs)
    if found is not None and found.figures:
        _show_figures(found, model)
    else:
        st.info(_why_none(found))
    if is_open:
        watch_jobs(("calibrate",))
    else:
        again = found is not None and bool(found.figures)
        st.button(
            t("calibration.again" if again else "calibration.do"), key=f"calibrate_{model.id}",
            on_click=_start, args=(chosen.id, model.id),
        )  # fmt: skip


def errors_table(found: Calibration) -> pd.DataFrame:
    """A row a language (all first): how many parts, and `36.0 → 4.8` points for each kind of part."""
    rows = {}
    for language in _languages(found):
        every = found.figure(language)
        cells = [f"{every.parts:,}" if every else NO_FIGURE]
        cells += [_change(found.figure(language, kind)) for kind in (None, *KINDS)]
        rows[_name(language)] = cells
    names = [
        t("calibration.col.parts"),
        *(t(f"calibration.kind.{k or 'all'}") for k in (None, *KINDS)),
    ]
    return pd.DataFrame.from_dict(rows, orient="index", columns=names)


def bins_table(found: Calibration, language: str) -> pd.DataFrame:
    """The points of the plot: a row each."""
    rows = []
    for kind in KINDS:
        figure = found.figure(language, kind)
        for which in _LINES if figure else ():
            rows += [
                (
                    t(f"calibration.kind.{kind}"), t(f"calibration.{which}"), f"{b.confidence:.2f}",
                    f"{b.right:.2f}", f"{b.count:,}",
                )
                for b in getattr(figure, which)
            ]  # fmt: skip
    names = ("kind", "which", "mean", "right", "count")
    return pd.DataFrame(rows, columns=[t(f"calibration.col.{name}") for name in names])


def reliability_figure(found: Calibration, language: str) -> Any:
    """A panel a kind of part: the share that was right over confidence, before and after."""
    from plotly.subplots import make_subplots

    titles = [t(f"calibration.kind.{kind}") for kind in KINDS]
    figure = make_subplots(
        rows=1, cols=len(KINDS), subplot_titles=titles, shared_yaxes=True, horizontal_spacing=0.03
    )
    for column, kind in enumerate(KINDS, start=1):
        place = {"row": 1, "col": column}
        figure.add_scatter(
            x=[0, 1], y=[0, 1], mode="lines", line={"color": QUIET, "width": 1},
            name=t("calibration.even"), showlegend=column == 1, hoverinfo="skip", **place,
        )  # fmt: skip
        shown = found.figure(language, kind)
        for which, (colour, dash, symbol) in _LINES.items():
            bins: Sequence[Bin | None] = getattr(shown, which) if shown else (None,)
            figure.add_scatter(
                x=[b and b.confidence for b in bins], y=[b and b.right for b in bins],
                customdata=[b and b.count for b in bins], mode="lines+markers",
                line={"color": colour, "width": 2, "dash": dash},
                marker={"color": colour, "size": 8, "symbol": symbol},
                name=t(f"calibration.{which}"), showlegend=column == 1,
                hovertemplate=t("calibration.hover") + "<extra></extra>", **place,
            )  # fmt: skip
    figure.update_layout(**frame(320, top=70, legend_at=1.2))
    figure.update_annotations(font_size=14)
    figure.update_xaxes(range=[-0.03, 1.03], tickvals=[0, 0.5, 1], title=t("calibration.x"))
    figure.update_yaxes(range=[-0.03, 1.03], tickvals=[0, 0.5, 1], zeroline=False)
    figure.update_yaxes(title=t("calibration.y"), col=1)
    return figure


# ---------------------------------------------------------------- private


def _show_figures(found: Calibration, model: ModelRecord) -> None:
    every = found.figure()
    if every is not None:
        st.markdown(
            t(
                "calibration.said", parts=tn("calibration.parts", every.parts),
                samples=tn("count.sample", found.samples), before=_points(every.before),
                after=_points(every.after),
            )
        )  # fmt: skip
    languages = _languages(found)
    language = st.selectbox(
        t("calibration.language"), languages, format_func=_name, width=220,
        key=f"calibration_{model.id}",
    )  # fmt: skip
    figure = reliability_figure(found, language)
    show(figure, key=f"reliability_{model.id}_{language}", alt=t("calibration.alt"))
    with st.container(key=f"figures_calibration_{model.id}"):
        st.table(errors_table(found), border="horizontal")
    said = t("calibration.made", time=write_time(found.created)) if found.created else ""
    st.caption(f"{t('calibration.what')} {said}")
    with st.expander(t("calibration.figures"), key=f"bins_{model.id}"):
        st.table(bins_table(found, language), border="horizontal", hide_index=True)


def _why_none(found: Calibration | None) -> str:
    if found is None or not found.pairs:
        return t("calibration.none", n=LEAST)
    return t(
        "calibration.few", parts=tn("calibration.parts", found.pairs), n=LEAST,
        samples=tn("count.sample", found.samples),
    )  # fmt: skip


def _languages(found: Calibration) -> list[str]:
    return [ALL, *in_order({f.language for f in found.figures} - {ALL})]


def _name(language: str) -> str:
    return t("calibration.kind.all") if language == ALL else name_of(language)


def _change(figure: Figure | None) -> str:
    if figure is None:
        return NO_FIGURE
    return f"{_points(figure.before)} → {_points(figure.after)}"


def _points(bins: Any) -> str:
    error = calibration_error(bins)
    return write_figure(None if error is None else 100 * error)


def _start(collection_id: int, model_id: str) -> None:
    calibrate_later(services(), collection_id, model_id)
