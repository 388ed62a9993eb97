"""The curves of training runs: one run as it goes on, or several over each other."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from core.records import LossPoint
from pages._ui.catalogue import t
from pages._ui.charts import ACCENT, QUIET, frame, shaded

Points = Mapping[str, Sequence[LossPoint]]
SMOOTHING = 0.15
GIB = 1024**3
DRAWN = 300  # points of a run that are drawn
# A small plot each: (its title's key, [(name's key, how to read a point, dash)]).
_PLOTS: tuple[tuple[str, list[tuple[str, Callable[[LossPoint], float | None], str]]], ...] = (
    ("chart.rate", [("chart.rate", lambda p: p.learning_rate, "solid")]),
    ("chart.speed", [("chart.speed", lambda p: p.tokens_per_second, "solid")]),
    ("chart.memory", [("chart.memory", lambda p: p.memory and p.memory / GIB, "solid")]),
    (
        "chart.dev",
        [("chart.tr", lambda p: p.tr, "solid"), ("chart.arg", lambda p: p.arg, "dash")],
    ),
)


def loss_figure(runs: Points, *, height: int = 240, steps_to_come: int = 0) -> Any:
    """The loss of each run by step: the smoothed course, every point pale where there is one run, and
    the loss on dev as dots.

    `steps_to_come` keeps the axis as long as the run will be, so that nothing shifts as it goes on.
    """
    import plotly.graph_objects as go

    figure = go.Figure()
    is_one = len(runs) == 1
    for (name, points), colour in zip(runs.items(), _line_colours(len(runs)), strict=True):
        course = dict(zip(points, smooth([p.loss for p in points]), strict=True))
        drawn = thin_out(points)
        steps = [p.step for p in drawn]
        if is_one:
            figure.add_scatter(
                x=steps, y=[p.loss for p in drawn], mode="lines", line={"color": colour, "width": 1}, opacity=0.3,
                hoverinfo="skip", showlegend=False,
            )  # fmt: skip
        figure.add_scatter(
            x=steps, y=[course[p] for p in drawn], mode="lines", name=t("chart.train") if is_one else name,
            line={"color": colour, "width": 2}, hovertemplate=t("chart.loss.hover", run=name),
        )  # fmt: skip
        tried = [(p.step, p.eval_loss) for p in points if p.eval_loss is not None]
        if tried:
            figure.add_scatter(
                x=[x for x, _ in tried], y=[y for _, y in tried], mode="lines+markers",
                name=t("chart.eval"), showlegend=is_one, marker={"size": 7},
                line={"color": colour, "width": 1, "dash": "dot"},
                hovertemplate=t("chart.eval.hover", run=name),
            )  # fmt: skip
    figure.update_layout(**frame(height), showlegend=len(figure.data) > 2)
    figure.update_xaxes(title=t("chart.loss.x"), range=[0, _last_step(runs, steps_to_come)])
    figure.update_yaxes(title=t("chart.loss.y"), rangemode="tozero", zeroline=False)
    return figure


def course_figure(runs: Points, *, steps_to_come: int = 0) -> Any:
    """Learning rate, speed, memory, and Tr and Arg on dev of each run, a small plot each."""
    from plotly.subplots import make_subplots

    titles = [t(title) for title, _ in _PLOTS]
    figure = make_subplots(
        rows=2, cols=2, subplot_titles=titles, horizontal_spacing=0.08, vertical_spacing=0.2
    )
    thinned = {name: thin_out(points) for name, points in runs.items()}
    for (name, points), colour in zip(thinned.items(), _line_colours(len(runs)), strict=True):
        for place, (_, lines) in enumerate(_PLOTS):
            for label, read, dash in lines:
                values = [(p.step, v) for p in points if (v := read(p)) is not None]
                said = name if len(lines) == 1 else f"{name}, {t(label)}"
                figure.add_scatter(
                    row=place // 2 + 1, col=place % 2 + 1, x=[x for x, _ in values],
                    y=[y for _, y in values], name=said,
                    mode="lines+markers" if len(values) < 12 else "lines",
                    line={"color": colour, "width": 2, "dash": dash}, marker={"size": 6},
                    hovertemplate=t("chart.course.hover", run=said), legendgroup=name,
                    showlegend=len(runs) > 1 and place == 0,
                )  # fmt: skip
    figure.update_layout(**frame(400, top=56, legend_at=1.1))
    figure.update_annotations(font_size=13)
    figure.update_xaxes(range=[0, _last_step(runs, steps_to_come)])
    figure.update_yaxes(rangemode="tozero", zeroline=False)
    figure.update_yaxes(tickformat=".0e", row=1, col=1)
    return figure


def thin_out(points: Sequence[LossPoint], *, most: int = DRAWN) -> list[LossPoint]:
    """About `most` of the points, evenly, with every evaluation and the last one: a long run is drawn
    anew every two seconds."""
    every = max(1, len(points) // most)
    return [
        p
        for i, p in enumerate(points)
        if i % every == 0 or p.eval_loss is not None or i == len(points) - 1
    ]


def smooth(values: Sequence[float]) -> list[float]:
    """An exponential moving average that starts at the first value.

    >>> smooth([2.0, 2.0, 1.0])
    [2.0, 2.0, 1.85]
    """
    out: list[float] = []
    for value in values:
        out.append(value if not out else out[-1] + SMOOTHING * (value - out[-1]))
    return out


def _last_step(runs: Points, steps_to_come: int) -> int:
    return max(steps_to_come, *(points[-1].step for points in runs.values()))


def _line_colours(n: int) -> list[str]:
    """The newest run in the accent, the older ones in greys that fade."""
    fading = (0.9, 0.65, 0.45, 0.3)
    older = [shaded(QUIET, fading[min(i, len(fading) - 1)]) for i in range(n - 1)]
    return [ACCENT, *older][:n]
