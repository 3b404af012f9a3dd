"""Sweeps without Ray: one trial after another, in a process of their own."""

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from core.datasets.store import Dataset
from core.errors import RunError
from core.runs.folder import runs_dir
from core.runs.launch import read_log
from core.runs.reading import read_run
from core.runs.status import Status, current_process
from core.sweeps.record import is_being_trained, read_record, sweep_dir
from core.sweeps.spec import parse_sweep
from core.sweeps.starting import LOG, create_sweep, launch_sweep
from tests.conftest import (
    HANGING_S,
    REPOSITORY,
    Cli,
    cli_environment,
    end_pretending,
    pretend,
)

SWEEP: dict[str, Any] = {
    "dataset": "tiny",
    "fields": {"epochs": 1, "image_sizes": [[32]], "batch_size": 16},
}


def sweep_without_ray(
    content: dict[str, Any], *words: str, data_dir: Path, folder: Path
) -> "subprocess.CompletedProcess[str]":
    (folder / "ray.py").write_text("raise ImportError('none here')")
    file = folder / "alone.yaml"
    file.write_text(json.dumps(content))
    return subprocess.run(
        [sys.executable, "-m", "core", "sweep", str(file), *words],
        cwd=REPOSITORY,
        env={**cli_environment(data_dir), "PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("changes", "words"), [({"asha": {}}, ()), ({}, ("--address", "127.0.0.1:1"))]
)
def test_what_needs_ray_says_how_to_install_it(
    changes: dict[str, Any], words: tuple[str, ...], data_dir: Path, tmp_path: Path
) -> None:
    content = SWEEP | changes
    result = sweep_without_ray(content, *words, data_dir=data_dir, folder=tmp_path)
    assert result.returncode == 2
    assert result.stderr.count("\n") == 1
    assert "pip install -r requirements-ray.txt" in result.stderr


def test_a_search_that_learns_does_not_train_one_after_another(
    cli: Cli, tmp_path: Path
) -> None:
    file = tmp_path / "both.yaml"
    fields = {"learning_rate": {"from": 0.001, "to": 0.01}}
    content = {"dataset": "tiny", "fields": fields, "search": "optuna", "trials": 2}
    file.write_text(json.dumps(content))
    result = cli("sweep", file, "--wait")
    assert result.code == 2
    assert result.err.startswith("Error: `--wait` trains one trial after another")


@pytest.mark.slow
def test_without_ray_a_trial_that_fails_leaves_the_others_their_turn(
    tiny: Dataset, data_dir: Path, tmp_path: Path
) -> None:
    # Pictures have no strokes to vary.
    fields = {**SWEEP["fields"], "stroke_variants": [0.5, 0]}
    content = {**SWEEP, "fields": fields, "seeds": [0]}
    result = sweep_without_ray(content, data_dir=data_dir, folder=tmp_path)
    record = read_record(sweep_dir("alone", data_dir=data_dir))
    assert record is not None
    assert [trial.state for trial in record.trials] == ["failed", "finished"]
    failed = record.trials[0]
    assert failed.message
    assert result.returncode == 2
    assert f"Error: Trial {failed.run_id!r} failed: {failed.message}" in result.stderr


@pytest.mark.slow
def test_a_launched_sweep_waits_its_turn_and_ends(
    tiny: Dataset, data_dir: Path
) -> None:
    busy = runs_dir(data_dir) / "busy"
    busy.mkdir(parents=True)
    pretend(busy, Status("running", "training", **current_process()))
    sweep = parse_sweep({**SWEEP, "seeds": [0, 1]}, default_name="launched")
    folder = create_sweep(sweep, data_dir=data_dir)
    launch_sweep(folder, data_dir=data_dir)
    begun = read_record(folder)
    assert begun is not None
    assert len(begun.trials) == 2
    with pytest.raises(RunError, match=r"'launched' .* by another process"):
        launch_sweep(folder, data_dir=data_dir)
    first = runs_dir(data_dir) / begun.trials[0].run_id

    def is_so(claim: Callable[[], bool]) -> bool:
        deadline = time.monotonic() + HANGING_S
        while not (so := claim()) and time.monotonic() < deadline:
            time.sleep(0.1)
        return so

    assert is_so(lambda: first.exists() and read_run(first).state == "queued")
    end_pretending(busy, Status("stopped"))
    assert is_so(lambda: not is_being_trained("launched", data_dir=data_dir)), read_log(
        folder / LOG
    )
    record = read_record(folder)
    assert record is not None
    assert [trial.state for trial in record.trials] == ["finished"] * 2
    assert "2 of 2 trials have ended." in read_log(folder / LOG)
