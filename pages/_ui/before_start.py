"""Before a run starts: what it will do in one line, the whole of it folded away, and why it cannot."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from core.languages import in_order, name_of
from core.records import CollectionRecord
from pages._ui.catalogue import t, tn
from pages._ui.layout import error_boundary, escape, write_sentence
from pages._ui.progress import watch_jobs
from pages._ui.session import services
from pages._ui.words import write_by_language, write_duration, write_size, write_time
from train.forecast import Forecast
from train.launch import default_launch
from train.memory import BITS, GIB, paper_bits
from train.queue import start_measurement
from train.recipes import Recipe


def say_plan(forecast: Forecast) -> str:
    """What a run would do, in plain words."""
    plan = forecast.plan
    if not forecast.has_samples:
        return t("plan.nothing")
    if not plan.samples:
        return t("plan.all_too_long")
    split = plan.test_split_is
    time = None if forecast.seconds is None else write_duration(forecast.seconds)
    needed = sum(forecast.memory.values())
    return t(
        "plan", samples=tn("plan.samples", plan.samples), languages=write_by_language(plan.by_language),
        steps=f"{plan.steps:,}", base=escape(forecast.base),
        time=t("plan.time" if split == "none" else "plan.time.unscored", time=time) if time else "",
        memory=t("plan.memory", needed=_gib(needed), total=_gib(forecast.memory_here[0]))
        if needed and forecast.memory_here[0] else "",
        judged=t("plan.unjudged")
        if split == "none"
        else t("plan.judged", split=t(f"split.{split}"),
               n=tn("count.sample", plan.test if split == "test" else plan.dev)),
    )  # fmt: skip


def say_doubts(forecast: Forecast, recipe: Recipe) -> None:
    """What is repeated, what speaks against the run, and why it cannot work."""
    if forecast.plan.repeated:
        by = t(f"plan.by.{recipe.balance}")
        st.markdown(tn("plan.repeated", forecast.plan.repeated, by=by))
    if forecast.warnings and forecast.plan.samples:
        st.caption(escape(" ".join(forecast.warnings)))
    for refusal in forecast.refusals if forecast.has_samples else ():
        st.error(write_sentence(refusal))
    if not forecast.has_samples:
        st.page_link("pages/review.py", label=t("next.review.do"))


def show_details(
    chosen: CollectionRecord, forecast: Forecast, recipe: Recipe, *, launch: str, is_busy: bool
) -> None:
    """Samples a type and language, lengths, time, memory and disk, each with where it is from."""
    with st.expander(t("before.title"), key="before"):
        left, right = st.columns([6, 5], gap="medium")
        with left, st.container(key="figures_before"):
            st.table(types_table(forecast), border="horizontal", hide_index=True)
        with right:
            for name in ("lengths", "time", "memory", "disk", "paper"):
                st.markdown(f"**{t(f'before.{name}')}**  \n{_LINES[name](forecast, recipe)}")
                if name == "time":
                    _offer_measurement(chosen, recipe, launch=launch, is_busy=is_busy)


def types_table(forecast: Forecast) -> pd.DataFrame:
    """A row an event type, a column a language: the samples that have one."""
    codes = in_order(forecast.plan.by_language)
    rows = [
        [name or t("before.no_event"), *(f"{counts.get(c, 0):,}" for c in codes), f"{sum(counts.values()):,}"]
        for name, counts in forecast.by_type.items()
    ]  # fmt: skip
    columns = [t("before.type"), *(name_of(c) for c in codes), t("scores.all")]
    return pd.DataFrame(rows, columns=columns)


# ---------------------------------------------------------------- private


def _offer_measurement(
    chosen: CollectionRecord, recipe: Recipe, *, launch: str, is_busy: bool
) -> None:
    """Measure a few steps of this recipe, and how far that is."""
    store = services().store
    if store.jobs.open("measure", collection_id=chosen.id):
        watch_jobs(("measure",))
        return
    last = store.jobs.latest("measure", collection_id=chosen.id, limit=1)
    if last and last[0].state == "failed":
        st.error(write_sentence(last[0].message))
    if launch == default_launch() and not is_busy:
        with error_boundary():
            if st.button(t("before.measure"), key="measure", help=t("before.measure.help")):
                start_measurement(services(), chosen.id, recipe)
                st.rerun()


def _say_lengths(forecast: Forecast, recipe: Recipe) -> str:
    low, mid, high = (f"{forecast.lengths[k]:,}" for k in ("shortest", "median", "longest"))
    told = t("before.lengths.are", low=low, mid=mid, high=high)
    if not forecast.is_counted:
        return f"{told} {t('before.lengths.guessed')}"
    n, most = sum(forecast.left_out.values()), f"{recipe.max_tokens:,}"
    if not n:
        return f"{told} {t('before.lengths.none', most=most)}"
    where = write_by_language(dict(forecast.left_out))
    return f"{told} {tn('before.lengths.out', n, most=most, where=where)}"


def _say_time(forecast: Forecast, _recipe: Recipe) -> str:
    pace = forecast.pace
    if pace is None or forecast.seconds is None:
        return t("before.time.unknown")
    source = t(
        f"before.time.{pace.source}", run=pace.run, time=write_time(pace.moment) if pace.moment else ""
    )  # fmt: skip
    return t(
        "before.time.is", time=write_duration(forecast.seconds),
        speed=f"{pace.tokens_per_second:,.0f}", source=source,
    )  # fmt: skip


def _say_memory(forecast: Forecast, _recipe: Recipe) -> str:
    total, free = forecast.memory_here
    here = t("before.memory.here", total=_gib(total), free=_gib(free)) if total else ""
    if not forecast.memory:
        return f"{t('before.memory.unknown')} {here}"
    parts = ", ".join(f"{t(f'before.memory.{k}')} {_gib(v)}" for k, v in forecast.memory.items())
    told = t("before.memory.is", needed=_gib(sum(forecast.memory.values())), parts=parts)
    seen = forecast.pace.memory if forecast.pace else None
    peak = t("before.memory.seen", peak=_gib(seen)) if seen else ""
    return " ".join(part for part in (told, here, peak) if part)


def _say_disk(forecast: Forecast, _recipe: Recipe) -> str:
    return t(
        "before.disk.is", needed=write_size(forecast.disk), free=write_size(forecast.disk_free)
    )


def _say_paper(forecast: Forecast, recipe: Recipe) -> str:
    """The paper's equations 5 to 7, in its own terms."""
    shown = forecast.plan.samples + forecast.plan.repeated
    width = forecast.shape.width if forecast.shape else None
    bits = paper_bits(recipe)
    return t(
        "before.paper.is", most=f"{recipe.max_tokens:,}",
        width=f"{width:,}" if width else "?",
        size=f"{recipe.max_tokens * width:,}" if width else "?",
        epochs=f"{recipe.epochs:g}", samples=f"{shown:,}", batch=recipe.batch_size,
        steps=f"{recipe.epochs * shown / recipe.batch_size:,.0f}",
        precision=BITS[recipe.quantisation], bits=f"{bits:,}", size_of_bits=write_size(bits // 8),
    )  # fmt: skip


_LINES = {
    "lengths": _say_lengths, "time": _say_time, "memory": _say_memory, "disk": _say_disk,
    "paper": _say_paper,
}  # fmt: skip


def _gib(size: int) -> str:
    return f"{size / GIB:.1f}"
