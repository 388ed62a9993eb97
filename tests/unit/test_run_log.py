"""The log of a run: its last lines, without progress bars."""

from train.run_log import read_log_tail


def test_progress_bars_and_warnings_are_left_out_and_the_last_lines_kept(home):
    home.logs.mkdir(parents=True)
    lines = [
        "Loading weights:   0%\rLoading weights: 100%", "x.py:3: FutureWarning: старое", "",
        *(f"step {n} of 90, loss 1.2 模型" for n in range(10, 60, 10)), "Ошибка: мало места",
    ]  # fmt: skip
    (home.logs / "run-7.log").write_text("\n".join(lines) + "\n", encoding="utf-8")

    tail = read_log_tail(home, 7, lines=3)

    assert tail == [
        "step 40 of 90, loss 1.2 模型", "step 50 of 90, loss 1.2 模型", "Ошибка: мало места",
    ]  # fmt: skip


def test_a_run_without_a_log_has_no_lines(home):
    assert read_log_tail(home, 7) == []
