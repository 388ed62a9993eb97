"""The curves of runs: thinned out where a run is long, and nothing that was measured on dev is lost."""

from __future__ import annotations

from core.records import LossPoint
from pages._ui.run_charts import DRAWN, course_figure, loss_figure, thin_out


def points(n: int) -> list[LossPoint]:
    return [
        LossPoint(i, 0.0, 1 / i, 1e-4, 100.0, 2.0 * i, 1 << 30, *((0.5, 40.0, 30.0) if i % 97 == 0 else ()))
        for i in range(1, n + 1)
    ]  # fmt: skip


def test_a_long_run_is_thinned_out_but_not_its_evaluations_nor_its_end():
    whole = points(5000)

    drawn = thin_out(whole)

    tried = [p for p in whole if p.eval_loss is not None]
    assert len(drawn) < DRAWN + len(tried) + 20
    assert [p for p in drawn if p.eval_loss is not None] == tried
    assert (drawn[0], drawn[-1]) == (whole[0], whole[-1])
    assert thin_out(whole[:50]) == whole[:50]


def test_one_run_has_its_loss_on_dev_as_dots_and_an_axis_as_long_as_it_will_be():
    figure = loss_figure({"Запуск 1": points(200)}, steps_to_come=900)

    named = [trace.name for trace in figure.data if trace.name]
    assert named == ["loss", "loss on dev"]
    assert list(figure.data[-1].x) == [97, 194]
    assert figure.layout.xaxis.range == (0, 900)


def test_runs_over_each_other_share_their_names_between_the_plots():
    figure = course_figure({"运行 2": points(200), "运行 1": points(100)})

    shown = [trace.name for trace in figure.data if trace.showlegend]
    assert shown == ["运行 2", "运行 1"]
    assert {trace.legendgroup for trace in figure.data} == set(shown)
    assert len(figure.data) == 2 * 5
