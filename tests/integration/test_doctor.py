"""`python -m core doctor`."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from filelock import FileLock
from safetensors.numpy import save

from core.cli.examination import Finding, examine
from core.datasets.store import Dataset
from core.paths import TRAINED_DIR
from core.runs.create import create_run
from core.runs.folder import CONFIG, kept_checkpoint, runs_dir
from core.runs.launch import LOG, MAX_LOG_BYTES, launch_training, read_log
from core.runs.queueing import TURN_LOCK
from core.runs.status import read_status
from core.runs.stopping import request_stop
from tests.conftest import Cli


def subjects(report: Any, severity: str) -> dict[str, str]:
    """The findings of one severity by subject."""
    return {
        finding["subject"]: finding["detail"]
        for finding in report["findings"]
        if finding["severity"] == severity
    }


def make_run(run_id: str, data_dir: Path) -> Path:
    """Makes a run that has not begun."""
    return create_run(
        "simple",
        "tiny",
        "report",
        data_dir=data_dir,
        run_id=run_id,
        overrides={"batch_size": 16},
    )


def test_a_fresh_installation_is_fine(cli: Cli) -> None:
    report = cli("doctor", "--json")
    assert report.code == 0
    fine = subjects(report.json, "fine")
    assert not subjects(report.json, "problem")
    assert {"packages", "processor", "disk", "owner", "runs", "datasets"} <= set(fine)
    shipped = len(list(TRAINED_DIR.glob("*/config.json")))
    assert fine["runs"] == f"{shipped} of {shipped} runs are whole."
    assert "fine" in cli("doctor").out


def test_it_names_what_is_damaged_and_leaves_it_alone(
    cli: Cli, tiny: Dataset, data_dir: Path
) -> None:
    make_run("torn", data_dir)
    (runs_dir(data_dir) / "torn" / CONFIG).write_text('{"format_version": 1')
    shutil.copytree(tiny.path, tiny.path.with_name("short"))
    (tiny.path.with_name("short") / "images.npy").write_bytes(b"\x93NUMPY")
    for arguments in (("doctor", "--json"), ("doctor", "--fix", "--json")):
        report = cli(*arguments)
        assert report.code == 1
        problems = subjects(report.json, "problem")
        assert set(problems) == {"run torn", "dataset short"}
        assert "config.json is damaged" in problems["run torn"]
        assert "add it again" in problems["dataset short"]
        assert not report.json["mended"]
    assert (runs_dir(data_dir) / "torn" / CONFIG).exists()


def test_it_says_where_a_run_can_t_be_branched(tiny: Dataset, data_dir: Path) -> None:
    run_dir = make_run("given", data_dir)
    whole = save({"a": np.zeros(9, np.float32)}, {"metadata": "{}"})
    (run_dir / kept_checkpoint(3)).write_bytes(whole)
    (run_dir / kept_checkpoint(5)).write_bytes(whole[:-4])
    found = examine(data_dir=data_dir, trained_dir=TRAINED_DIR)
    (problem,) = (finding for finding in found if finding.severity == "problem")
    assert kept_checkpoint(5) in problem.detail
    assert "can't be branched there" in problem.detail


def test_it_clears_what_killed_processes_left(
    cli: Cli, tiny: Dataset, data_dir: Path
) -> None:
    run_dir = make_run("given", data_dir)
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    left = (
        data_dir / "datasets" / f".partial-{gone.pid}-abc",
        data_dir / f".upload-{gone.pid}-abc",
        runs_dir(data_dir) / ".removed-old-1",
    )
    busy = data_dir / "datasets" / f".partial-{os.getpid()}-abc"
    for path in (*left, busy):
        path.mkdir()
    (run_dir / ".writing-abc").touch()
    report = cli("doctor", "--fix", "--json")
    assert report.code == 0
    assert len(report.json["mended"]) == 4
    assert not any(path.exists() for path in left)
    assert busy.exists()
    assert sorted(path.name for path in run_dir.iterdir()) == [
        "config.json",
        "run.lock",
        "status.json",
    ]


def test_it_ends_a_training_whose_run_is_gone(tiny: Dataset, data_dir: Path) -> None:
    run_dir = make_run("given", data_dir)

    def stray() -> list[Finding]:
        found = examine(data_dir=data_dir, trained_dir=TRAINED_DIR)
        return [finding for finding in found if finding.subject == "stray process"]

    with FileLock(run_dir.parent / TURN_LOCK):
        launch_training(run_dir, data_dir=data_dir)
        process = psutil.Process(read_status(run_dir).pid)
        assert not stray()
        shutil.rmtree(run_dir)
        (finding,) = stray()
        assert f"Process {process.pid} trains run 'given'" in finding.detail
        assert finding.mend is not None
        finding.mend()
        psutil.wait_procs([process], timeout=600)
    assert not stray()


def test_a_long_log_is_put_aside(tiny: Dataset, data_dir: Path) -> None:
    run_dir = make_run("given", data_dir)
    (run_dir / LOG).write_bytes(b"x" * (MAX_LOG_BYTES + 1))
    with FileLock(run_dir.parent / TURN_LOCK):
        launch_training(run_dir, data_dir=data_dir)
        request_stop(run_dir)
        psutil.wait_procs([psutil.Process(read_status(run_dir).pid)], timeout=600)
    assert (run_dir / f"{LOG}.1").stat().st_size == MAX_LOG_BYTES + 1
    assert "xxx" not in read_log(run_dir / LOG)
