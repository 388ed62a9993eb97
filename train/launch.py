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
    """A launch profile. `needs_gpu`: it cannot start without. `is_by_hand`: a person starts it, with
    a command on each machine; the others are started by the worker."""

    name: str
    needs_gpu: bool = False
    is_by_hand: bool = False

    @property
    def file(self) -> Path:
        """Its accelerate configuration, which can be copied and changed."""
        return Path(__file__).with_name("profiles") / f"{self.name}.yaml"


PROFILES = {
    launch.name: launch
    for launch in (
        Launch("one_cpu"),
        Launch("one_gpu", needs_gpu=True),
        Launch("many_cpus"),
        Launch("many_gpus", needs_gpu=True),
        Launch("sharded_gpus", needs_gpu=True),
        Launch("many_machines", needs_gpu=True, is_by_hand=True),
    )
}


def default_launch() -> str:
    """The profile for one process on this machine."""
    return "one_gpu" if count_gpus() else "one_cpu"


def count_gpus() -> int:
    """The NVIDIA cards of this machine, as the driver lists them: asking torch would load it."""
    return len([p for p in Path("/dev").glob("nvidia[0-9]*") if p.name[6:].isdigit()])


def check_launch(name: str, recipe: Recipe) -> None:
    """Raise `TrainingError` where a profile cannot start a run with this recipe, and say what can."""
    if name not in PROFILES:
        raise TrainingError(
            f"there is no launch profile {name!r}: choose one of {', '.join(PROFILES)}"
        )
    if name == "sharded_gpus" and recipe.quantisation == "int8":
        raise TrainingError(
            "sharded_gpus cannot hold the base in int8: set quantisation to nf4, fp4 or none, or "
            "choose many_gpus"
        )
    if PROFILES[name].needs_gpu and not PROFILES[name].is_by_hand and not count_gpus():
        raise TrainingError(
            f"{name} needs an NVIDIA card, and this machine shows none: choose one_cpu, or "
            "many_machines with the commands run where the cards are"
        )


def launch_command(
    name: str, run_id: int, *, processes: int = 2, machine: int = 0, machines: int = 2,
    address: str = "127.0.0.1",
) -> list[str]:  # fmt: skip
    """The command that starts a run under a profile. `processes`: on all machines together;
    `machine`: which of the `machines` it is for, the first at `address`."""
    program = ["-m", "train.runs", str(run_id)]
    launch = PROFILES[name]
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


def written_commands(
    home: Home, name: str, run_id: int, *, machines: int = 2, gpus_each: int = 1,
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
                    name, run_id, processes=machines * gpus_each if many else max(2, count_gpus()),
                    machine=machine, machines=machines, address=address,
                )
            ),
        ])
        for machine in range(machines if many else 1)
    ]  # fmt: skip
