"""A student of a trained run: it learns, and ends the same when it was killed."""

import random
import signal
import time
from pathlib import Path

import numpy as np
import pytest

from core.datasets.store import Dataset
from core.runs.evaluation import read_evaluation
from core.runs.folder import TEACHER_ANSWERS, TEACHER_DIR, WEIGHTS, runs_dir
from core.runs.reading import read_run
from tests.conftest import Cli, start_command
from tests.integration.test_training import train_words, wait_for_step, without_times

EPOCHS = 60
MIXED = ("--set=mixing=sketch", "--set=mixup=0.3", "--set=cutmix=0.3")


def train_teacher(cli: Cli) -> None:
    """Trains a run at a larger size than its students'."""
    words = [*train_words("teacher", epochs=12), "--set=image_sizes=[48]"]
    result = cli(*words)
    assert result.code == 0, result.err


def student_words(run_id: str, share: float, *, epochs: int = EPOCHS) -> list[str]:
    return [
        *train_words(run_id, epochs=epochs),
        "--teacher=teacher",
        f"--set=distillation={share}",
        "--set=dropout=0.3",
    ]


@pytest.mark.slow
def test_a_student_that_sees_no_label_learns_its_teacher_s_answers(
    tiny: Dataset, data_dir: Path, cli: Cli
) -> None:
    train_teacher(cli)
    result = cli(*student_words("student", 1, epochs=40), "--set=views=8")
    assert result.code == 0, result.err
    taught, teacher = (
        read_evaluation(runs_dir(data_dir) / name) for name in ("student", "teacher")
    )
    assert np.mean(taught.y_pred == teacher.y_pred) > 0.7
    run = read_run(runs_dir(data_dir) / "student")
    assert run.history[-1]["loss"] < run.history[0]["loss"]
    assert not (run.path / TEACHER_DIR).exists()
    assert not (run.path / TEACHER_ANSWERS).exists()


@pytest.mark.slow
@pytest.mark.parametrize("fields", [(), ("--set=views=4", *MIXED)], ids=["", "views"])
def test_a_student_that_was_killed_ends_like_one_that_was_not(
    fields: tuple[str, ...], tiny: Dataset, data_dir: Path, cli: Cli
) -> None:
    train_teacher(cli)
    result = cli(*student_words("whole", 0.6), *fields)
    assert result.code == 0, result.err
    whole = read_run(runs_dir(data_dir) / "whole")
    run_dir = runs_dir(data_dir) / "killed"
    chance = random.Random(0)
    often = "--checkpoint-every=0.05"
    process = start_command(data_dir, *student_words("killed", 0.6), *fields, often)
    reached = [(0, 0)]
    for _ in range(3):
        wait_for_step(run_dir, process, beyond=max(reached))
        time.sleep(chance.uniform(0, 0.5))
        assert process.poll() is None, "it ended before it was killed three times"
        process.send_signal(signal.SIGKILL)
        process.wait()
        status = read_run(run_dir).status
        reached.append((status.epoch, status.step))
        process = start_command(data_dir, "train", "--resume=killed", often)
    assert process.wait() == 0
    run = read_run(run_dir)
    assert run.state == "finished"
    assert without_times(run.history) == without_times(whole.history), reached
    assert (run_dir / WEIGHTS).read_bytes() == (whole.path / WEIGHTS).read_bytes()
