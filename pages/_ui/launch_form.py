"""Where a run is computed: a launch profile, what this machine has for it, and the exact commands."""

from __future__ import annotations

import os

import psutil
import streamlit as st

from core.records import CollectionRecord
from pages._ui.catalogue import t, tn
from pages._ui.session import services
from train.launch import PROFILES, count_gpus, default_launch, starts_here, written_commands
from train.memory import GIB
from train.recipes import Recipe, command_line

MANY = "many_machines"
PLACE = "RUN"  # stands for the number that a run will get


def chosen_launch() -> str:
    """The profile that was chosen further down the page, the usual one before that."""
    name = st.session_state.get("launch_profile")
    return name if name in PROFILES else default_launch()


def choose_launch(chosen: CollectionRecord, recipe: Recipe) -> None:
    """The profiles, folded away; the command of the one that is chosen."""
    names = list(PROFILES)
    with st.expander(t("launch.title", name=t(f"launch.{chosen_launch()}")), key="launch"):
        st.caption(t("launch.machine", cores=tn("launch.core", os.cpu_count() or 1),
                     memory=f"{psutil.virtual_memory().total / GIB:.0f}",
                     cards=tn("launch.card", count_gpus()) if count_gpus() else t("launch.no_card")))  # fmt: skip
        name = st.selectbox(
            t("launch.profile"), names, names.index(default_launch()), key="launch_profile",
            format_func=lambda n: t(f"launch.{n}"),
        )  # fmt: skip
        st.markdown(t(f"launch.about.{name}"))
        if not PROFILES[name].is_proven:
            st.markdown(t("launch.unproven"))
        if starts_here(name):
            if name == default_launch():  # `argus train` knows no other
                st.caption(t("training.command"))
                st.code(command_line(recipe, chosen.name), language=None, wrap_lines=True)
            st.caption(t("launch.starts", place=PLACE))
        else:
            st.caption(t("launch.elsewhere", place=PLACE))
        show_commands(name, PLACE)


def show_commands(name: str, run: int | str) -> None:
    """The commands that start a run, one a machine, to be copied."""
    machines, cards, address = 2, 1, "FIRST_MACHINE"
    if name == MANY:
        left, middle, right = st.columns(3)
        machines = left.number_input(
            t("launch.machines"), 2, 64, machines, key=f"launch_machines_{run}"
        )
        cards = middle.number_input(t("launch.cards"), 1, 16, cards, key=f"launch_cards_{run}")
        address = right.text_input(t("launch.address"), address, key=f"launch_address_{run}")
    commands = written_commands(
        services().home, name, run, machines=machines, gpus_each=cards, address=address
    )
    for command in commands:
        st.code(command, language=None, wrap_lines=True)


def why_not_here(name: str) -> str:
    """Why this machine does not start a profile, in a sentence; empty where it does."""
    if starts_here(name):
        return ""
    if PROFILES[name].is_by_hand:
        return t("launch.by_hand", name=t(f"launch.{name}"))
    wanted, found = PROFILES[name].gpus, count_gpus()
    return t(
        "launch.lacks", name=t(f"launch.{name}"), wanted=tn("launch.card", wanted),
        found=tn("launch.card", found) if found else t("launch.no_card"),
    )  # fmt: skip
