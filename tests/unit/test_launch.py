"""Launch profiles: each is a configuration that accelerate reads, and has its exact command."""

import shlex
import sys
from dataclasses import replace

import pytest

from core.errors import TrainingError
from train import launch
from train.launch import PROFILES, check_launch, launch_command, written_commands
from train.recipes import Recipe


@pytest.mark.parametrize(
    ("name", "kind", "is_cpu"),
    [
        ("one_cpu", "NO", True),
        ("one_gpu", "NO", False),
        ("many_cpus", "MULTI_CPU", True),
        ("many_gpus", "MULTI_GPU", False),
        ("sharded_gpus", "FSDP", False),
        ("many_machines", "MULTI_GPU", False),
    ],
)
def test_every_profile_is_a_configuration_that_accelerate_reads(name, kind, is_cpu):
    from accelerate.commands.config.config_args import load_config_from_file

    config = load_config_from_file(str(PROFILES[name].file))

    assert str(config.distributed_type).split(".")[-1] == kind
    assert config.use_cpu is is_cpu


def test_one_process_needs_no_launcher():
    assert launch_command("one_cpu", 14) == [sys.executable, "-m", "train.runs", "14"]


def test_many_gpus_are_started_by_accelerate_with_the_profiles_configuration():
    command = launch_command("sharded_gpus", 14, processes=4)

    assert command[1:3] == ["-m", "accelerate.commands.launch"]
    assert command[command.index("--config_file") + 1] == str(PROFILES["sharded_gpus"].file)
    assert command[command.index("--num_processes") + 1] == "4"
    assert command[-3:] == ["-m", "train.runs", "14"]


def test_many_machines_get_a_command_each_and_share_folder_and_database(home, monkeypatch):
    monkeypatch.setenv("ARGUS_DATABASE_URL", "postgresql://server/новости 新闻")

    commands = written_commands(
        home, "many_machines", 14, machines=3, gpus_each=2, address="192.0.2.7"
    )

    words = [shlex.split(command) for command in commands]
    assert [w[w.index("--machine_rank") + 1] for w in words] == ["0", "1", "2"]
    assert all(w[w.index("--num_processes") + 1] == "6" for w in words)
    assert all(w[w.index("--main_process_ip") + 1] == "192.0.2.7" for w in words)
    assert all(f"ARGUS_HOME={home.root}" in w for w in words)
    assert all("ARGUS_DATABASE_URL=postgresql://server/новости 新闻" in w for w in words)


@pytest.mark.parametrize(
    ("name", "recipe", "told"),
    [
        ("восемь_gpu", Recipe.laptop(), "no launch profile 'восемь_gpu': choose one of one_cpu"),
        ("one_gpu", Recipe.laptop(), "needs an NVIDIA card, and this machine shows none"),
        ("many_gpus", Recipe.laptop(), "needs 2 NVIDIA cards, and this machine shows none"),
        ("sharded_gpus", replace(Recipe.laptop(), quantisation="int8"), "set quantisation to nf4"),
    ],
)
def test_a_profile_that_cannot_start_is_refused_with_what_can(monkeypatch, name, recipe, told):
    monkeypatch.setattr(launch, "count_gpus", lambda: 0)

    with pytest.raises(TrainingError, match=told):
        check_launch(name, recipe)


@pytest.mark.parametrize(("cards", "name"), [(0, "one_cpu"), (2, "one_gpu")])
def test_a_run_is_started_on_the_card_where_there_is_one(monkeypatch, cards, name):
    monkeypatch.setattr(launch, "count_gpus", lambda: cards)

    assert launch.default_launch() == name
