"""Trainings that outlive who started them, and wait for one another."""

import os
import shlex
import signal
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from core.datasets.store import Dataset
from core.errors import RunError
from core.runs.create import create_run
from core.runs.folder import CONFIG, remove_run, runs_dir
from core.runs.launch import (
    LOG,
    launch_training,
    list_interrupted,
    read_log,
    train_command,
)
from core.runs.queueing import runs_ahead, wait_for_turn
from core.runs.reading import read_run
from core.runs.recipes import parse_overrides
from core.runs.status import Status, current_process, write_status
from core.runs.stopping import request_stop
from tests.conftest import TINY_SETTINGS, Cli, end_pretending, hurry, pretend

SETTINGS = parse_overrides([word.removeprefix("--set=") for word in TINY_SETTINGS])
TIMEOUT_S = 1800


def new_run(run_id: str, data_dir: Path, *, epochs: int) -> Path:
    return create_run(
        "simple",
        "tiny",
        "best",
        data_dir=data_dir,
        run_id=run_id,
        overrides={**SETTINGS, "epochs": epochs},
    )


def wait_for(claim: Callable[[], bool]) -> None:
    deadline = time.monotonic() + TIMEOUT_S
    while not claim():
        assert time.monotonic() < deadline, "it did not come to pass"
        time.sleep(0.05)


def launch(run_dir: Path, *, data_dir: Path) -> None:
    """Launches a training that other tests do not hold up."""
    launch_training(run_dir, data_dir=data_dir)
    hurry(read_run(run_dir).status.pid)


def state_of(run_dir: Path) -> str:
    return read_run(run_dir).state


def waiting(runs: Path, name: str, *, since: float, alive: bool = True) -> Path:
    """A run that waits in the name of this process, or of a dead one."""
    path = runs / name
    path.mkdir(parents=True)
    process = current_process() if alive else {"pid": os.getpid()}
    status = Status("queued", "starting", **process, queued_at=since)
    pretend(path, status) if alive else write_status(path, status)
    return path


def test_who_waited_longer_goes_first(tmp_path: Path) -> None:
    first = waiting(tmp_path, "z-first", since=1)
    second = waiting(tmp_path, "a-second", since=2)
    waiting(tmp_path, "dead", since=0, alive=False)
    assert runs_ahead(first) == []
    assert runs_ahead(second) == ["z-first"]


def test_only_one_gets_the_turn(tmp_path: Path) -> None:
    first = waiting(tmp_path, "first", since=1)
    turn = wait_for_turn(first, is_stop_requested=lambda: False)
    assert turn is not None
    # As if its clock had been set back.
    second = waiting(tmp_path, "second", since=0)
    looks = iter([False, False, True])
    stopped = wait_for_turn(
        second, is_stop_requested=lambda: next(looks), poll_interval_s=0.01
    )
    assert stopped is None
    turn.release()
    later = wait_for_turn(second, is_stop_requested=lambda: False)
    assert later is not None
    later.release()


def test_a_damaged_status_stops_no_one(tmp_path: Path) -> None:
    mine = waiting(tmp_path, "mine", since=1)
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "status.json").write_text("{")
    assert runs_ahead(mine) == []


@pytest.mark.slow
def test_a_second_run_waits_and_starts_by_itself(tiny: Dataset, data_dir: Path) -> None:
    first = new_run("first", data_dir, epochs=400)
    second = new_run("second", data_dir, epochs=1)
    launch(first, data_dir=data_dir)
    launch(second, data_dir=data_dir)
    assert state_of(second) == "queued"
    assert runs_ahead(second) == ["first"]
    with pytest.raises(RunError, match="under way already"):
        launch_training(second, data_dir=data_dir)
    with pytest.raises(RunError, match="by another process"):
        remove_run("second", data_dir=data_dir)
    wait_for(lambda: read_run(first).status.epoch > 0)
    assert state_of(second) == "queued"
    request_stop(first)
    wait_for(lambda: state_of(first) == "stopped")
    wait_for(lambda: state_of(second) == "finished")
    assert "epoch 1/1" in read_log(second / LOG)
    assert read_run(second).metrics is not None


@pytest.mark.slow
def test_a_waiting_run_can_be_stopped_or_killed_and_then_resumed(
    tiny: Dataset, data_dir: Path, cli: Cli
) -> None:
    busy = runs_dir(data_dir) / "busy"
    busy.mkdir(parents=True)
    pretend(busy, Status("running", "training", **current_process()))
    run_dir = new_run("patient", data_dir, epochs=1)
    launch(run_dir, data_dir=data_dir)
    assert state_of(run_dir) == "queued"
    request_stop(run_dir)
    wait_for(lambda: state_of(run_dir) == "stopped")
    launch(run_dir, data_dir=data_dir)
    os.kill(read_run(run_dir).status.pid, signal.SIGKILL)
    wait_for(lambda: state_of(run_dir) == "failed")
    assert "while it waited" in read_run(run_dir).status.message
    end_pretending(busy, Status("stopped"))
    resumed = cli("runs", "resume")
    assert (resumed.code, resumed.out.split("\n")[0]) == (0, "Run patient goes on.")
    hurry(read_run(run_dir).status.pid)
    wait_for(lambda: state_of(run_dir) == "finished")
    assert "No training was interrupted." in cli("runs", "resume").out


def test_of_interrupted_runs_those_that_trained_go_on_first(tmp_path: Path) -> None:
    runs = runs_dir(tmp_path)
    waiting(runs, "a-second", since=2, alive=False)
    waiting(runs, "b-first", since=1, alive=False)
    waiting(runs, "waits", since=0)
    for name in ("c-trained", "d-stopped", "broken"):
        (runs / name).mkdir()
    write_status(runs / "c-trained", Status("running", pid=os.getpid()))
    write_status(runs / "d-stopped", Status("stopped"))
    (runs / "broken" / "status.json").write_text("{")
    names = [path.name for path in list_interrupted(tmp_path)]
    assert names == ["c-trained", "b-first", "a-second"]


@pytest.mark.slow
def test_a_launched_run_leaves_the_processor_to_others(
    tiny: Dataset, data_dir: Path
) -> None:
    run_dir = new_run("meek", data_dir, epochs=400)
    launch_training(run_dir, data_dir=data_dir)
    process = psutil.Process(read_run(run_dir).status.pid)
    assert process.nice() > psutil.Process().nice()
    hurry(process.pid)
    process.terminate()
    wait_for(lambda: state_of(run_dir) == "stopped")


def test_a_run_that_can_not_start_says_why(tiny: Dataset, data_dir: Path) -> None:
    run_dir = new_run("broken", data_dir, epochs=1)
    (run_dir / CONFIG).write_text("{")
    with pytest.raises(RunError, match=r"could not be started: .*config\.json"):
        launch_training(run_dir, data_dir=data_dir)


@pytest.mark.slow
def test_the_command_line_makes_the_same_run(
    tiny: Dataset, data_dir: Path, cli: Cli
) -> None:
    command = train_command(
        "simple",
        "tiny",
        "best",
        overrides={"epochs": 1, "seed": 3, "image_sizes": [32], "batch_size": 16},
        run_id="same",
    )
    assert command == (
        "python -m core train simple --dataset tiny --recipe best --run-id same "
        "--epochs 1 --seed 3 --set 'image_sizes=[32]' --set batch_size=16"
    )
    assert cli(*shlex.split(command)[3:], "--set=deterministic=true").code == 0
    config = read_run(runs_dir(data_dir) / "same").config
    assert config is not None
    assert (config.settings.seed, config.settings.batch_size) == (3, 16)
    assert config.settings.image_sizes == (32,)
