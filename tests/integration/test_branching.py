"""Branches, final fits and students: from a kept checkpoint to an evaluation."""

import json
from pathlib import Path

import numpy as np
import pytest

from core.datasets.store import Dataset
from core.report import make_report
from core.runs.create import create_run
from core.runs.folder import (
    INITIAL_CHECKPOINT,
    TEACHER_DIR,
    WEIGHTS,
    kept_epochs,
    remove_run,
    runs_dir,
)
from core.runs.reading import read_config, read_run, read_train_keys
from tests.conftest import Cli
from tests.integration.test_training import train_words, without_times

KEPT = 3
FALL = ("--set=schedule=wsd", "--set=decay_share=0.5", "--set=ema=0.9")
"""The rate falls in the last three of six epochs."""


@pytest.mark.slow
def test_a_branch_that_changes_nothing_is_the_same_run_bit_for_bit(
    tiny: Dataset, data_dir: Path, cli: Cli
) -> None:
    mixing = ("--set=mixup=0.3", "--set=cutmix=0.3", "--set=mixing=sketch")
    result = cli(*train_words("whole"), *FALL, *mixing, "--set=unmixed_epochs=1")
    assert result.code == 0, result.err
    whole = read_run(runs_dir(data_dir) / "whole")
    weights = (whole.path / WEIGHTS).read_bytes()
    assert kept_epochs(whole.path) == [KEPT]
    shown = cli("runs", "show", "whole")
    assert f"can be branched at whole@{KEPT}." in shown.out

    run_dir = create_run(
        "simple",
        "tiny",
        data_dir=data_dir,
        run_id="branch",
        origin=whole.path,
        origin_epoch=KEPT,
    )
    # All that is needed of the origin has been copied.
    remove_run("whole", data_dir=data_dir)
    result = cli("train", "--resume=branch")
    assert result.code == 0, result.err
    branch = read_run(run_dir)
    assert branch.state == "finished"
    assert without_times(branch.history) == without_times(whole.history)
    assert (run_dir / WEIGHTS).read_bytes() == weights
    assert not (run_dir / INITIAL_CHECKPOINT).exists()
    # The hours of both legs, and each once.
    times = [row["elapsed_s"] for row in branch.history]
    assert times[:KEPT] == [row["elapsed_s"] for row in whole.history[:KEPT]]
    assert times == sorted(times)
    assert times[-1] > times[KEPT - 1]
    shown = cli("runs", "show", "branch")
    assert f"It went on from whole after epoch {KEPT}." in shown.out
    assert "All trainings that led to it: 6 epochs" in shown.out
    document = cli("runs", "show", "branch", "--json").json
    assert (document["origin"], document["origin_epoch"]) == ("whole", KEPT)
    assert document["total_epochs"] == 6


@pytest.mark.slow
def test_a_final_fit_learns_everything_and_has_its_origin_s_temperature(
    tiny: Dataset, data_dir: Path, cli: Cli
) -> None:
    assert cli(*train_words("whole"), *FALL).code == 0
    words = ["train", "simple", "--dataset=tiny", "--run-id=final", "--seed=0"]
    result = cli(*words, f"--from=whole@{KEPT}", "--set=val_fraction=0")
    assert result.code == 0, result.err
    assert "without validation" in result.err
    assert "Temperature: 1.00, which is that of run whole" in result.out
    assert "which is that of run whole" in result.out
    whole, final = (read_run(runs_dir(data_dir) / name) for name in ("whole", "final"))
    assert (final.state, final.problem) == ("finished", "")
    assert ["val_top1" in row for row in final.history] == [True] * 3 + [False] * 3
    # 64 sketches make four steps of 16, where 48 made three.
    steps = [row["step"] for row in final.history]
    assert steps[:KEPT] == [3, 6, 9]
    assert np.diff(steps[KEPT:]).tolist() == [4, 4]
    # The rate falls by the same epochs.
    rates = [[row["learning_rate"] for row in run.history] for run in (whole, final)]
    assert rates[1] == pytest.approx(rates[0], abs=2e-4)
    assert rates[1][-1] < rates[1][KEPT] < rates[1][KEPT - 1]
    assert whole.metrics is not None
    assert final.metrics is not None
    assert final.metrics["temperature"] == whole.metrics["temperature"]
    assert final.metrics["temperature_from"] == "whole"
    assert {"top1_flip_averaged", "top1_six_view_averaged"} <= set(final.metrics)
    train = np.unique(tiny.keys[tiny.indices("train")])
    assert (read_train_keys(final.path) == train).all()

    record = cli("runs", "record", "final").json
    (row,) = record["runs"]
    assert (row["val_fraction"], row["val_top1"]) == (0, None)
    assert row["temperature_from"] == "whole"
    assert (row["origin"], row["origin_epoch"], row["total_epochs"]) == ("whole", 3, 6)
    # The origin was scored on the same sketches, asked for or not.
    assert {found["run_id"] for found in record["scored"]} == {"whole", "final"}
    report = make_report([final.path, whole.path], data_dir=data_dir)
    page = report.files["report.html"].decode()
    assert "Nothing was held out to validate on." in page
    assert "final held nothing out and has that of whole." in page
    assert "whole after epoch 3" in page

    # A copy keeps what is said of it, and evaluating anew changes nothing of that.
    copy = data_dir / "copy"
    assert cli("runs", "export", "final", copy).code == 0
    assert (
        json.loads((copy / "metrics.json").read_text())["temperature_from"] == "whole"
    )
    again = cli("evaluate", "final", "--json").json
    assert again["temperature_from"] == "whole"
    assert again["top1"] == final.metrics["top1"]
    refused = cli(*words[:3], "--recipe=best", "--from=final", "--set=image_sizes=[32]")
    assert refused.code == 2
    assert "learned from all training sketches" in refused.err


@pytest.mark.slow
def test_without_anyone_s_temperature_a_final_fit_says_so(
    tiny: Dataset, data_dir: Path, cli: Cli
) -> None:
    result = cli(*train_words("all", epochs=1), "--set=val_fraction=0")
    assert result.code == 0, result.err
    assert "Temperature: 1.00, since there was nothing to fit one on" in result.out
    run = read_run(runs_dir(data_dir) / "all")
    assert run.metrics is not None
    assert (run.metrics["temperature"], run.metrics["temperature_from"]) == (1.0, None)
    assert "val_top1" not in run.history[0]


@pytest.mark.slow
def test_a_student_learns_from_a_teacher_that_is_gone(
    tiny: Dataset, data_dir: Path, cli: Cli
) -> None:
    assert cli(*train_words("teacher", epochs=3)).code == 0
    refused = cli(*train_words("student"), "--teacher=teacher")
    assert refused.code == 2
    assert "listened to by the share `distillation`" in refused.err
    run_dir = create_run(
        "simple",
        "tiny",
        "best",
        data_dir=data_dir,
        run_id="student",
        overrides={
            "epochs": 2,
            "image_sizes": [32],
            "batch_size": 16,
            "distillation": 0.5,
        },
        teacher=runs_dir(data_dir) / "teacher",
    )
    remove_run("teacher", data_dir=data_dir)
    result = cli("train", "--resume=student")
    assert result.code == 0, result.err
    run = read_run(run_dir)
    assert (run.state, run.problem) == ("finished", "")
    assert not (run_dir / TEACHER_DIR).exists()
    config = read_config(run_dir)
    assert config.teacher is not None
    assert config.teacher.run_id == "teacher"
    assert cli("runs", "show", "student", "--json").json["teacher"] == "teacher"
