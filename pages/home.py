"""Home: in three lines what to do next and where the collection stands; what is running below."""

from __future__ import annotations

import streamlit as st

from core.errors import ModelError
from core.languages import name_of
from core.records import CollectionRecord
from pages._ui.catalogue import t, tn
from pages._ui.layout import escape, write_sentence
from pages._ui.progress import watch_jobs, worker_notice
from pages._ui.run_watch import watch_run
from pages._ui.session import collection, person, services
from pages._ui.standing import Standing, Step, gather_standing, next_step
from train.registry import model_in_use

LONG_JOBS = ("evaluate", "annotate", "prepare", "renew", "fetch", "media", "transcribe")


def offer_step(step: Step) -> None:
    """The button of the next thing, the only one in the accent."""
    if st.button(step.action, type="primary", key="next_step"):
        st.switch_page(step.page, query_params=dict(step.params))


def stand_line(standing: Standing) -> str:
    """Where the collection stands."""
    if standing.collection is None:
        return t("home.stand.none")
    name = escape(standing.collection.name)
    if not standing.coverage:
        return t("home.stand.empty", collection=name)
    return t(
        "home.stand", collection=name, samples=tn("count.sample", standing.total("new", "suggested", "reviewed")),
        languages=tn("count.language", len(standing.coverage)),
        reviewed=f"{standing.total('reviewed'):,}",
        waiting=f"{standing.total('new', 'suggested'):,}",
    )  # fmt: skip


def model_line(chosen: CollectionRecord, standing: Standing) -> str:
    """Where the suggestions come from, and what has been learned since."""
    try:
        model = model_in_use(services(), chosen.id)
    except ModelError as problem:
        return write_sentence(str(problem))
    kind = t("home.model.base") if model.is_base else t("home.model.tuned")
    since = t("home.fresh.never") if not standing.has_run else tn("home.fresh", standing.fresh)
    return t("home.model", model=escape(model.title), kind=kind, since=since)


def show_coverage(standing: Standing) -> None:
    """A language a column: how much of it is reviewed, and the way to what waits."""
    for column, (code, counts) in zip(
        st.columns(max(4, len(standing.coverage))), standing.coverage.items(), strict=False
    ):
        total = sum(counts.values())
        waiting = total - counts["reviewed"]
        column.progress(
            counts["reviewed"] / total,
            text=t("home.language", language=name_of(code), done=f"{counts['reviewed']:,}", all=f"{total:,}"),
        )  # fmt: skip
        if waiting:
            column.page_link(
                "pages/samples.py",
                label=tn("home.waiting", waiting),
                query_params={"language": code, "state": ["new", "suggested"]},
            )


chosen = collection()
standing = gather_standing(services(), chosen)
st.markdown(f":gray[{t('home.hello', name=escape(person() or ''))}]")
step = next_step(standing)
st.markdown(f"# {escape(step.sentence)}")
st.markdown(stand_line(standing))
if chosen is not None:
    st.markdown(model_line(chosen, standing))
offer_step(step)
if chosen is not None:
    st.space("small")
    show_coverage(standing)
worker_notice()
if standing.open_run is not None:
    watch_run(standing.open_run, plot=False)
if any(j.kind in LONG_JOBS for j in services().store.jobs.open()):
    watch_jobs(LONG_JOBS)
