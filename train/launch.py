"""Launch profiles: how many processes a run has, on what, and the exact command that starts it.

A run is an accelerate program: every process runs `python -m train.runs`, and each profile is an
accelerate configuration that says how many there are. One process needs no launcher.
"""

from __future__ import annotations

import os
import shlex
import sys
from dataclasses import dataclass
from pathlib import Path

from core.errors import TrainingError
from storage.home import Home
from train.recipes import Recipe

PORT = 29500  # where the first machine of several waits for the others


@dataclass(frozen=True, slots=True)
class Launch:
    """A launch profile. `gpus`: how many NVIDIA cards a machine must have for it. `is_by_hand`: a
    person starts it, with a command on each machine; the others are started by the worker.
    `is_proven`: runs were made with it, rather than only its configuration read."""

    name: str
    gpus: int = 0
    is_by_hand: bool = False
    is_proven: bool = True

    @property
    def file(self) -> Path:
        """Its accelerate configuration, which can be copied and changed."""
        return Path(__file__).with_name("profiles") / f"{self.name}.yaml"


PROFILES = {
    launch.name: launch
    for launch in (
        Launch("one_cpu"),
        Launch("one_gpu", gpus=1, is_proven=False),
        Launch("many_cpus"),
        Launch("many_gpus", gpus=2, is_proven=False),
        Launch("sharded_gpus", gpus=2, is_by_hand=True, is_proven=False),
        Launch("many_machines", gpus=1, is_by_hand=True, is_proven=False),
    )
}


def default_launch() -> str:
    """The profile for one process on this machine."""
    return "one_gpu" if count_gpus() else "one_cpu"


def count_gpus() -> int:
    """The NVIDIA cards of this machine, as the driver lists them: asking torch would load it."""
    return len([p for p in Path("/dev").glob("nvidia[0-9]*") if p.name[6:].isdigit()])


def starts_here(name: str) -> bool:
    """Whether the worker of this machine starts a run of this profile, rather than a person."""
    return not PROFILES[name].is_by_hand and count_gpus() >= PROFILES[name].gpus


def check_launch(name: str, recipe: Recipe, *, by_hand: bool = False) -> None:
    """Raise `TrainingError` where a profile cannot start a run with this recipe, and say what can.
    `by_hand`: a person will start it, where the cards are."""
    if name not in PROFILES:
        raise TrainingError(
            f"there is no launch profile {name!r}: choose one of {', '.join(PROFILES)}"
        )
    if name == "sharded_gpus" and recipe.quantisation == "int8":
        raise TrainingError(
            "sharded_gpus cannot hold the base in int8: set quantisation to nf4, fp4 or none, or "
            "choose many_gpus"
        )
    wanted, found = PROFILES[name].gpus, count_gpus()
    if found < wanted and not (by_hand or PROFILES[name].is_by_hand):
        cards = "an NVIDIA card" if wanted == 1 else f"{wanted} NVIDIA cards"
        raise TrainingError(
            f"{name} needs {cards}, and this machine shows {found or 'none'}: choose "
            f"{default_launch()}, or run its command on a machine that has them"
        )


def launch_command(
    name: str, run: int | str, *, processes: int | None = None, machine: int = 0, machines: int = 2,
    address: str = "127.0.0.1",
) -> list[str]:  # fmt: skip
    """The command that starts a run under a profile. `processes`: on all machines together, without
    it one a card of this machine, or two; `machine`: which of the `machines` it is for, the first
    at `address`."""
    program = ["-m", "train.runs", str(run)]
    launch = PROFILES[name]
    processes = processes or max(2, count_gpus() if launch.gpus else 2)
    if name in ("one_cpu", "one_gpu"):
        return [sys.executable, *program]
    if name == "many_cpus":  # accelerate's own launcher starts several CPU processes only under MPI
        return [
            sys.executable, "-m", "torch.distributed.run", "--standalone",
            "--nproc_per_node", str(processes), *program,
        ]  # fmt: skip
    command = [
        sys.executable, "-m", "accelerate.commands.launch", "--config_file", str(launch.file),
        "--num_processes", str(processes),
    ]  # fmt: skip
    if name == "many_machines":
        command += [
            "--num_machines", str(machines), "--machine_rank", str(machine),
            "--main_process_ip", address, "--main_process_port", str(PORT),
        ]  # fmt: skip
    return [*command, *program]


def launch_environment(name: str, *, threads: int | None = None) -> dict[str, str]:
    """What a profile sets in the environment of its processes. `threads`: cores to use, all told."""
    wanted = {"ACCELERATE_USE_CPU": "true"} if name in ("one_cpu", "many_cpus") else {}
    if threads is not None:
        wanted["OMP_NUM_THREADS"] = str(max(1, threads // 2) if name == "many_cpus" else threads)
    return wanted


def threads_to_use() -> int:
    """One core less than there are: threads that wait for each other at every step lose far more to a
    busy core than a core is worth, and the app and the suggestions need one."""
    return max(1, (os.cpu_count() or 2) - 1)


def written_commands(
    home: Home, name: str, run: int | str, *, machines: int = 2, gpus_each: int = 1,
    address: str = "FIRST_MACHINE",
) -> list[str]:  # fmt: skip
    """The commands as a person types them, in the checkout, one a machine. All machines share the
    folder of Argus and its database."""
    shared = {
        "ARGUS_HOME": str(home.root),
        "ARGUS_DATABASE_URL": os.environ.get("ARGUS_DATABASE_URL", ""),
        **launch_environment(name),
    }
    words = [f"{key}={shlex.quote(value)}" for key, value in shared.items() if value]
    many = name == "many_machines"
    return [
        " ".join([
            *words,
            shlex.join(
                launch_command(
                    name, run, processes=machines * gpus_each if many else None,
                    machine=machine, machines=machines, address=address,
                )
            ),
        ])
        for machine in range(machines if many else 1)
    ]  # fmt: skip
