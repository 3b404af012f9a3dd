"""Sweeps on Ray: nothing is lost with a node or a worker, nothing trains twice."""

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import psutil
import pytest

from core.datasets.store import Dataset
from core.runs.folder import CHECKPOINT, runs_dir
from core.runs.reading import list_runs, read_run
from core.runs.status import read_status
from core.runs.weights import read_tensors
from core.sweeps.plan import make_trial
from core.sweeps.record import (
    SITTINGS,
    TrialRecord,
    read_record,
    sweep_dir,
    write_record,
)
from core.sweeps.spec import read_sweep
from tests.conftest import (
    HANGING_S,
    REPOSITORY,
    Cli,
    cli_environment,
)

pytestmark = pytest.mark.xdist_group("ray")

TRIALS = 6
SWEEP: dict[str, Any] = {
    "dataset": "tiny",
    "fields": {"epochs": 1, "image_sizes": [[32]], "batch_size": 16},
    "seeds": list(range(TRIALS)),
}


HEAD = {"num_cpus": 1, "include_dashboard": False}
SMALL = {"image_sizes": [[32]], "batch_size": 64, "warmup_epochs": 0}

needs_ray = pytest.mark.skipif(
    find_spec("ray") is None,
    reason="Ray is not installed: pip install -r requirements-ray.txt",
)


def sittings(folder: Path) -> list[dict[str, Any]]:
    try:
        return [json.loads(s) for s in (folder / SITTINGS).read_text().splitlines()]
    except FileNotFoundError:
        return []


def ended(folder: Path) -> int:
    return sum(s["event"] == "finished" for s in sittings(folder))


def at_work(folder: Path, workers: list[psutil.Process], data_dir: Path) -> set[str]:
    """Returns the runs that some workers have begun and not finished."""
    working = {s["run_id"]: s["pid"] for s in sittings(folder) if s["event"] == "begin"}
    pids = {worker.pid for worker in workers}
    # A run has finished a moment before the list of sittings says so.
    return {
        run_id
        for run_id, pid in working.items()
        if pid in pids and read_run(runs_dir(data_dir) / run_id).state != "finished"
    }


def signal_all(processes: list[psutil.Process], number: int) -> None:
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.send_signal(number)


def last_lines(folder: Path) -> dict[str, dict[str, Any]]:
    """Returns the last line of each run's sittings."""
    return {sitting["run_id"]: sitting for sitting in sittings(folder)}


@contextmanager
def one_core() -> Iterator[str]:
    """Yields the address of a Ray cluster that trains one trial at a time."""
    from ray.cluster_utils import Cluster

    cluster = Cluster(initialize_head=True, head_node_args=HEAD)
    try:
        yield cluster.address
    finally:
        cluster.shutdown()


@needs_ray
@pytest.mark.slow
def test_no_trial_is_lost_with_a_node(
    tiny: Dataset, data_dir: Path, tmp_path: Path
) -> None:
    from ray.cluster_utils import Cluster

    file = tmp_path / "six.yaml"
    file.write_text(json.dumps(SWEEP))
    folder = sweep_dir("six", data_dir=data_dir)
    cluster = Cluster(initialize_head=True, head_node_args=HEAD)
    process = None
    try:
        node = cluster.add_node(num_cpus=1)
        process = subprocess.Popen(
            [sys.executable, "-m", "core", "sweep", file, "--address", cluster.address],
            cwd=REPOSITORY,
            env=cli_environment(data_dir),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        [raylet] = node.all_processes["raylet"]
        cut_off = set[str]()
        workers: list[psutil.Process] = []
        while not cut_off and process.poll() is None:
            time.sleep(0.02)
            if ended(folder) >= 1:
                # Held still: what is at work now is so when the node is lost.
                workers = psutil.Process(raylet.process.pid).children(recursive=True)
                signal_all(workers, signal.SIGSTOP)
                cut_off = at_work(folder, workers, data_dir)
                if not cut_off:
                    signal_all(workers, signal.SIGCONT)
        cluster.remove_node(node, allow_graceful=False)
        signal_all(workers, signal.SIGKILL)
        before = ended(folder)
        printed, _ = process.communicate(timeout=HANGING_S)
        assert process.returncode == 0, printed
        assert before < TRIALS
    finally:
        if process is not None and process.poll() is None:
            os.kill(process.pid, signal.SIGKILL)
        cluster.shutdown()
    record = read_record(folder)
    assert record is not None
    assert [trial.state for trial in record.trials] == ["finished"] * TRIALS
    runs = list_runs(data_dir=data_dir, trained_dir=tmp_path / "none")
    assert {run.run_id for run in runs} == {trial.run_id for trial in record.trials}
    finished = Counter(
        s["run_id"] for s in sittings(folder) if s["event"] == "finished"
    )
    assert set(finished.values()) == {1}
    assert len(finished) == TRIALS
    # What the node was at is begun again, and nothing else.
    begun = Counter(s["run_id"] for s in sittings(folder) if s["event"] == "begin")
    assert {run_id for run_id, times in begun.items() if times > 1} == cut_off


@needs_ray
@pytest.mark.slow
def test_a_trial_that_lags_behind_is_stopped_and_can_go_on(
    starter: Dataset, cli: Cli, data_dir: Path, tmp_path: Path
) -> None:
    hopeless = 1e-7
    file = tmp_path / "halving.yaml"
    content = {
        "dataset": "starter",
        "fields": {
            **SMALL,
            "batch_size": 32,
            "schedule": "constant",
            "deterministic": True,
            "epochs": [3, 1],
            "learning_rate": [0.003, hopeless],
        },
        "asha": {"grace_epochs": 1, "reduction": 4},
    }
    file.write_text(json.dumps(content))
    folder = sweep_dir("halving", data_dir=data_dir)
    with one_core() as address:
        result = cli("sweep", file, "--address", address)
    assert result.code == 0, result.err
    record = read_record(folder)
    assert record is not None
    # Who is at its last epoch is evaluated, however much it lags behind.
    assert {
        (trial.fields["epochs"], trial.fields["learning_rate"], trial.state)
        for trial in record.trials
    } == {
        (3, 0.003, "finished"),
        (3, hopeless, "pruned"),
        (1, 0.003, "finished"),
        (1, hopeless, "finished"),
    }
    for trial in record.trials:
        run = read_run(runs_dir(data_dir) / trial.run_id)
        assert not run.problem
        assert last_lines(folder)[trial.run_id]["event"] == run.state
        assert (run.metrics is not None) == (trial.state == "finished")
        assert len(run.history) == (1 if trial.state == "pruned" else run.status.epochs)
        if trial.state == "pruned":
            assert run.state == "stopped"
            assert "lagged behind" in run.status.message
            pruned = trial.run_id
    # A worker that has trained before trains no differently.
    first_losses = {
        (trial.fields["learning_rate"], read_run(path).history[0]["val_loss"])
        for trial in record.trials
        for path in [runs_dir(data_dir) / trial.run_id]
    }
    assert len(first_losses) == 2
    before = sittings(folder)
    assert cli("sweep", file).code == 0
    assert sittings(folder) == before
    assert cli("train", "--resume", pruned).code == 0
    resumed = read_run(runs_dir(data_dir) / pruned)
    assert (resumed.state, len(resumed.history)) == ("finished", 3)


@needs_ray
@pytest.mark.slow
def test_a_trial_whose_worker_dies_goes_on_within_its_epoch(
    starter: Dataset, data_dir: Path, tmp_path: Path
) -> None:
    file = tmp_path / "killed.yaml"
    content = {
        "dataset": "starter",
        "fields": {**SMALL, "batch_size": 1, "epochs": 1},
        "checkpoint_every_s": 0.5,
    }
    file.write_text(json.dumps(content))
    folder = sweep_dir("killed", data_dir=data_dir)
    process = subprocess.Popen(
        [sys.executable, "-m", "core", "sweep", file],
        cwd=REPOSITORY,
        env=cli_environment(data_dir),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        while not (begun := sittings(folder)) and process.poll() is None:
            time.sleep(0.02)
        run_dir = runs_dir(data_dir) / begun[0]["run_id"]
        while not (run_dir / CHECKPOINT).exists() and process.poll() is None:
            time.sleep(0.02)
        os.kill(begun[0]["pid"], signal.SIGKILL)
        _, saved = read_tensors(run_dir / CHECKPOINT)
        shown = read_status(run_dir)
        printed, _ = process.communicate(timeout=HANGING_S)
        assert process.returncode == 0, printed
    finally:
        if process.poll() is None:
            process.kill()
    assert saved["epoch"] == shown.epoch == 0
    assert 0 < saved["step"] < shown.steps_per_epoch
    [killed, again, end] = sittings(folder)
    assert (killed["event"], again["event"], end["event"]) == (
        "begin",
        "begin",
        "finished",
    )
    assert killed["pid"] != again["pid"] == end["pid"]
    # Only what came after the checkpoint is trained again.
    assert (end["from_epoch"], end["from_step"]) == (0, saved["step"])
    [row] = read_run(run_dir).history
    assert row["step"] == shown.steps_per_epoch


@needs_ray
@pytest.mark.slow
def test_a_search_that_learns_goes_on_and_repeats_nothing(
    tiny: Dataset, cli: Cli, data_dir: Path, tmp_path: Path
) -> None:
    pytest.importorskip("optuna")
    file = tmp_path / "learned.yaml"
    content = {
        "dataset": "tiny",
        "recipes": ["best", "report"],
        "fields": {
            **SMALL,
            "epochs": 1,
            "batch_size": [16, 32],
            "learning_rate": {"from": 1e-4, "to": 1e-2, "log": True},
        },
        "search": "optuna",
        "cpus": 2,
    }
    folder = sweep_dir("learned", data_dir=data_dir)
    file.write_text(json.dumps({**content, "trials": 3}))
    result = cli("sweep", file)
    assert result.code == 0, result.err
    record = read_record(folder)
    assert record is not None
    assert [trial.state for trial in record.trials] == ["finished"] * 3
    assert len({trial.run_id for trial in record.trials}) == 3
    before = sittings(folder)
    assert len(before) == 6
    assert cli("sweep", file).code == 0
    assert sittings(folder) == before
    # One that was left is gone on with, and exactly one more is proposed.
    sweep = read_sweep(file)
    fields = {**record.trials[0].fields, "learning_rate": 0.005}
    left = make_trial(sweep, "simple", "best", fields, 0, None)
    trials = (*record.trials, TrialRecord(**left.model_dump()))
    write_record(record.model_copy(update={"trials": trials}), data_dir=data_dir)
    file.write_text(json.dumps({**content, "trials": 5}))
    result = cli("sweep", file)
    assert result.code == 0, result.err
    after = read_record(folder)
    assert after is not None
    assert after.trials[:3] == record.trials
    assert [trial.state for trial in after.trials] == ["finished"] * 5
    begun = [s["run_id"] for s in sittings(folder)[6:] if s["event"] == "begin"]
    assert begun[0] == left.run_id
    assert begun == [trial.run_id for trial in after.trials[3:]]


def test_folds_are_trained_once_and_pooled(
    tiny: Dataset, cli: Cli, data_dir: Path, tmp_path: Path
) -> None:
    words = ["cross-validate", "simple", "--dataset=tiny", "--folds=2", "--name=two"]
    words += ["--epochs=1", "--set=image_sizes=[32]", "--set=batch_size=16"]
    first = cli(*words)
    assert first.code == 0, first.err
    folder = sweep_dir("two", data_dir=data_dir)
    [pooled] = json.loads((folder / "cross_validation.json").read_text())
    # Every one of the 80 sketches was asked once.
    assert pooled["n"] == sum(fold["n"] for fold in pooled["folds"]) == 80
    low, high = pooled["interval"]
    assert low < pooled["top1"] == pooled["correct"] / 80 < high
    assert "2 of 2 folds" in first.out
    before = sittings(folder)
    assert cli(*words).out == first.out
    assert sittings(folder) == before
