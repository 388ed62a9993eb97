"""What becomes of training samples that repeat a held-out one: left out, or kept and told."""

from __future__ import annotations

from train import leakage
from train.leakage import Leak, check_leaks, decide_leaks
from train.services import Services

LEAKS = [Leak(f"样本{i}", "проба", 0.9) for i in range(3)]


def test_a_few_leaks_are_left_out():
    found = decide_leaks(LEAKS, 15)

    assert (list(found.left_out), found.leaks_kept) == (LEAKS, 0)


def test_too_many_leaks_are_kept_and_counted():
    found = decide_leaks(LEAKS, 14)

    assert (found.left_out, found.leaks_kept) == ((), 3)


def test_leaks_that_stay_are_also_told_in_the_log(home, store, monkeypatch, caplog):
    services = Services(home, store)
    monkeypatch.setattr(leakage, "find_leaks", lambda *_: LEAKS)

    found = check_leaks(services, 1)

    assert found.leaks_kept == 3
    assert "The scores flatter" in caplog.text
