"""A sweep on a Ray cluster of three nodes outlives the death of one."""

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import psutil
import pytest

from core.runs import list_runs
from core.sweeps.record import SITTINGS, read_record, sweep_dir
from tests.conftest import REPOSITORY, Cli, cli_environment

SWEEP = {
    "dataset": "starter",
    "fields": {"epochs": 1, "image_sizes": [[32]], "batch_size": 64},
    "seeds": list(range(12)),
}


def sittings(folder: Path) -> list[dict[str, Any]]:
    try:
        return [json.loads(s) for s in (folder / SITTINGS).read_text().splitlines()]
    except FileNotFoundError:
        return []


def ended(folder: Path) -> int:
    return sum(s["event"] == "finished" for s in sittings(folder))


def at_work(folder: Path, raylet: int) -> set[str]:
    """Returns the runs that a node's workers have begun and not ended."""
    working = {s["run_id"]: s["pid"] for s in sittings(folder)}
    for sitting in sittings(folder):
        if sitting["event"] != "begin":
            del working[sitting["run_id"]]
    workers = {child.pid for child in psutil.Process(raylet).children(recursive=True)}
    return {run_id for run_id, pid in working.items() if pid in workers}


@pytest.mark.slow
@pytest.mark.filterwarnings("default")
def test_no_trial_is_lost_with_a_node(cli: Cli, data_dir: Path, tmp_path: Path) -> None:
    pytest.importorskip(
        "ray", reason="Ray is not installed: pip install -r requirements-ray.txt"
    )
    from ray.cluster_utils import Cluster

    assert cli("dataset", "add", "starter").code == 0
    file = tmp_path / "twelve.yaml"
    file.write_text(json.dumps(SWEEP))
    folder = sweep_dir("twelve", data_dir=data_dir)
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
    process = None
    try:
        nodes = [cluster.add_node(num_cpus=1) for _ in range(2)]
        process = subprocess.Popen(
            [sys.executable, "-m", "core", "sweep", file, "--address", cluster.address],
            cwd=REPOSITORY,
            env=cli_environment(data_dir),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        [raylet] = nodes[0].all_processes["raylet"]
        cut_off = set[str]()
        while not cut_off and process.poll() is None:
            time.sleep(0.2)
            if ended(folder) >= 4:
                cut_off = at_work(folder, raylet.process.pid)
        cluster.remove_node(nodes[0], allow_graceful=False)
        before = ended(folder)
        printed, _ = process.communicate(timeout=900)
        assert process.returncode == 0, printed
        assert before < 12
    finally:
        if process is not None and process.poll() is None:
            os.kill(process.pid, signal.SIGKILL)
        cluster.shutdown()
    record = read_record(folder)
    assert record is not None
    assert [trial.state for trial in record.trials] == ["finished"] * 12
    runs = list_runs(data_dir=data_dir, trained_dir=tmp_path / "none")
    assert {run.run_id for run in runs} == {trial.run_id for trial in record.trials}
    finished = Counter(
        s["run_id"] for s in sittings(folder) if s["event"] == "finished"
    )
    assert set(finished.values()) == {1}
    assert len(finished) == 12
    # What the node was at is begun again, and nothing else.
    begun = Counter(s["run_id"] for s in sittings(folder) if s["event"] == "begin")
    assert {run_id for run_id, times in begun.items() if times > 1} == cut_off


def test_without_ray_a_sweep_says_how_to_install_it(
    data_dir: Path, tmp_path: Path
) -> None:
    (tmp_path / "ray.py").write_text("raise ImportError('none here')")
    result = subprocess.run(
        [sys.executable, "-m", "core", "sweep", str(tmp_path / "none.yaml")],
        cwd=REPOSITORY,
        env={**cli_environment(data_dir), "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 2
    assert result.stderr.count("\n") == 1
    assert "pip install -r requirements-ray.txt" in result.stderr


def test_folds_are_trained_once_and_pooled(
    cli: Cli, data_dir: Path, tmp_path: Path
) -> None:
    assert cli("dataset", "add", "starter").code == 0
    words = ["cross-validate", "simple", "--dataset=starter", "--folds=2"]
    words += ["--epochs=1", "--set=image_sizes=[32]", "--name=two"]
    first = cli(*words)
    assert first.code == 0, first.err
    folder = sweep_dir("two", data_dir=data_dir)
    [pooled] = json.loads((folder / "cross_validation.json").read_text())
    # Every one of the 1,200 sketches was asked once.
    assert pooled["n"] == sum(fold["n"] for fold in pooled["folds"]) == 1200
    low, high = pooled["interval"]
    assert low < pooled["top1"] == pooled["correct"] / 1200 < high
    assert "2 of 2 folds" in first.out
    before = sittings(folder)
    assert cli(*words).out == first.out
    assert sittings(folder) == before
