"""Plotly figures in the theme's colours; a language has the same colour on every plot."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from core.languages import name_of
from pages._ui.catalogue import t

LANGUAGE_COLOURS = {"en": "#4477aa", "zh": "#ee6677", "es": "#ccbb44", "ru": "#228833"}
_OTHERS = ("#66ccee", "#aa3377", "#bb8844")
ACCENT = "#5c78e6"
QUIET = "#9aa1b0"
_DARK_TEXT, _MID_TEXT = "#1f2430", "#7d8596"
STATE_SHADE = {"reviewed": 1.0, "suggested": 0.55, "new": 0.22}
_BEFORE, _AFTER = 0.4, 1.0


def colour_of(language: str) -> str:
    """The colour of a language, for the main four and for any other."""
    return LANGUAGE_COLOURS.get(language) or _OTHERS[sum(map(ord, language)) % len(_OTHERS)]


def show(figure: Any, *, key: str, alt: str) -> None:
    """Put a figure on the page, without the tool bar that nobody asked for."""
    st.plotly_chart(figure, key=key, config={"displayModeBar": False}, alt=alt)


def coverage_figure(coverage: Mapping[str, Mapping[str, int]]) -> Any:
    """A bar a language, stacked by state: the fuller the colour, the further the work."""
    import plotly.graph_objects as go

    codes = list(coverage)[::-1]  # plotly draws from the bottom
    figure = go.Figure()
    for state, shade in STATE_SHADE.items():
        counts = [coverage[code][state] for code in codes]
        figure.add_bar(
            y=[name_of(code) for code in codes],
            x=counts,
            orientation="h",
            marker={"color": [shaded(colour_of(code), shade) for code in codes]},
            text=[f"{n:,}" if n else "" for n in counts],
            textposition="inside",
            insidetextanchor="middle",
            insidetextfont={"color": [_text_on(colour_of(code), shade) for code in codes]},
            hovertemplate="%{y}: %{x:,} " + t(f"state.{state}") + "<extra></extra>",
            showlegend=False,
        )
        _add_shade(figure, t(f"state.{state}"), shade)
    figure.update_layout(barmode="stack", bargap=0.35, **frame(70 + 38 * len(codes)))
    figure.update_xaxes(showgrid=True, zeroline=False)
    return figure


def accuracy_figure(
    bars: Mapping[str, Mapping[str, tuple[float | None, float | None]]], *, before: str, after: str
) -> Any:
    """Zero-shot and tuned accuracy side by side: {measure: {language: (before, after)}}."""
    from plotly.subplots import make_subplots

    figure = make_subplots(
        rows=1,
        cols=len(bars),
        subplot_titles=list(bars),
        shared_yaxes=True,
        horizontal_spacing=0.05,
    )
    for column, by_language in enumerate(bars.values(), start=1):
        codes = list(by_language)
        for which, (name, shade) in enumerate(((before, _BEFORE), (after, _AFTER))):
            values = [by_language[code][which] for code in codes]
            figure.add_bar(
                row=1, col=column,
                x=[name_of(code) for code in codes],
                y=values,
                marker={"color": [shaded(colour_of(code), shade) for code in codes]},
                text=["" if v is None else f"{v:.1f}" for v in values],
                textposition="outside",
                cliponaxis=False,
                hovertemplate="%{x}, " + name + ": %{y:.1f} %<extra></extra>",
                showlegend=False,
            )  # fmt: skip
    for name, shade in ((before, _BEFORE), (after, _AFTER)):
        _add_shade(figure, name, shade)
    figure.update_layout(barmode="group", bargap=0.3, **frame(320, top=72, legend_at=1.16))
    figure.update_annotations(font_size=14)
    figure.update_yaxes(range=[0, 105], ticksuffix=" %", zeroline=False)
    return figure


def sweep_figure(series: Mapping[str, Sequence[tuple[str, float]]], *, title: str) -> Any:
    """A line a figure over the settings that were tried, in their order."""
    import plotly.graph_objects as go

    figure = go.Figure()
    dashes = ("solid", "dash", "solid", "dash")
    colours = (ACCENT, ACCENT, QUIET, QUIET)
    for (name, points), dash, colour in zip(series.items(), dashes, colours, strict=True):
        figure.add_scatter(
            x=[x for x, _ in points], y=[y for _, y in points], name=name, mode="lines+markers",
            line={"color": colour, "width": 2, "dash": dash}, marker={"size": 8},
            hovertemplate="%{x}: %{y:.1f} %<extra>" + name + "</extra>",
        )  # fmt: skip
    figure.update_layout(**frame(300, top=60))
    figure.update_xaxes(title=title, type="category")
    figure.update_yaxes(ticksuffix=" %", rangemode="tozero", zeroline=False)
    return figure


def shaded(colour: str, shade: float) -> str:
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red},{green},{blue},{shade})"


def _text_on(colour: str, shade: float) -> str:
    """A text colour that can be read on a bar, on a light page and on a dark one."""
    if shade < 1.0:
        return _MID_TEXT
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return _DARK_TEXT if 0.3 * red + 0.59 * green + 0.11 * blue > 130 else "#ffffff"


def _add_shade(figure: Any, name: str, shade: float) -> None:
    """A line of the legend that explains a shade: the bars have their language's colour."""
    figure.add_scatter(
        x=[None], y=[None], mode="markers", name=name,
        marker={"color": shaded(QUIET, shade), "symbol": "square", "size": 11},
    )  # fmt: skip


def frame(height: int, *, top: int = 34, legend_at: float = 1.0) -> dict[str, Any]:
    """The layout of every figure: no margins, the legend above."""
    return {
        "height": height,
        "margin": {"l": 0, "r": 8, "t": top, "b": 0},
        "legend": {
            "orientation": "h",
            "x": 0,
            "y": legend_at,
            "yanchor": "bottom",
            "traceorder": "normal",
        },
        "hoverlabel": {"align": "left"},
    }
