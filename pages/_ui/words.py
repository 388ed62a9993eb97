"""Figures, sizes and times as people read them; times are stored in UTC, shown in the browser's zone."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import streamlit as st

from core.languages import name_of
from pages._ui.catalogue import t, tn

NO_FIGURE = "–"


def browser_zone() -> tzinfo:
    """The browser's time zone; UTC where it does not say, or names one that is unknown here."""
    name = st.context.timezone
    try:
        return ZoneInfo(name) if name else UTC
    except (ZoneInfoNotFoundError, ValueError):
        return UTC


def write_time(moment: datetime, *, zone: tzinfo | None = None) -> str:
    """A time written out: `3 November 2026, 14:05`."""
    local = moment.astimezone(zone or browser_zone())
    return t(
        "time.written", day=local.day, month=t(f"month.{local.month}"), year=local.year,
        clock=f"{local:%H:%M}",
    )  # fmt: skip


def write_duration(seconds: float) -> str:
    """A length of time in its two largest units.

    >>> write_duration(42), write_duration(1500), write_duration(7500)
    ('42 s', '25 min', '2 h 5 min')
    """
    if seconds < 90:
        return t("time.seconds", n=max(0, round(seconds)))
    minutes = round(seconds / 60)
    if minutes < 60:
        return t("time.minutes", n=minutes)
    return t("time.hours", h=minutes // 60, m=minutes % 60)


def write_size(size: int) -> str:
    """Bytes on the disk in a unit that fits.

    >>> write_size(900), write_size(5_300_000), write_size(1_640_000_000)
    ('1 kB', '5 MB', '1.6 GB')
    """
    if size >= 1_000_000_000:
        return f"{size / 1e9:.1f} GB"
    if size >= 1_000_000:
        return f"{size / 1e6:.0f} MB"
    return f"{-(-size // 1000)} kB"


def write_figure(value: float | None) -> str:
    """A percentage with one decimal, or a dash where there is none."""
    return NO_FIGURE if value is None else f"{value:.1f}"


def write_list(parts: list[str]) -> str:
    """`a, b and c`.

    >>> write_list(["a", "b", "c"])
    'a, b and c'
    """
    if len(parts) < 2:
        return "".join(parts)
    return t("list.and", head=", ".join(parts[:-1]), last=parts[-1])


def write_by_language(counts: dict[str, int]) -> str:
    """`English 120, Chinese 140`."""
    return ", ".join(f"{name_of(code)} {n:,}" for code, n in counts.items())


def write_hanging(counts: dict[str, int]) -> str:
    """`240 samples, 160 reviews and 1 draft`: what goes when something is deleted."""
    return write_list([tn(f"hangs.{kind}", n) for kind, n in counts.items() if n])
