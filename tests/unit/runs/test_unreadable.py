"""What the system refuses of one run spoils no other."""

import shutil
import sys
from pathlib import Path

import pytest

from core.errors import BusyError, RunError
from core.paths import TRAINED_DIR
from core.runs.launch import LOG, MAX_LOG_BYTES, launch_training, turn_log
from core.sweeps.record import sweeping
from tests.processes import as_an_ordinary_user

LIST = """
import sys
from pathlib import Path
from core.cli.examination import examine
from core.paths import TRAINED_DIR
from core.runs.reading import list_runs
data_dir = Path(sys.argv[1])
for run in list_runs(data_dir=data_dir, trained_dir=TRAINED_DIR):
    print(run.run_id, run.state)
for finding in examine(data_dir=data_dir, trained_dir=TRAINED_DIR):
    print(finding.severity, finding.subject)
"""


def test_one_folder_that_can_not_be_read_is_one_bad_row(data_dir: Path) -> None:
    for name in ("closed", "open"):
        shutil.copytree(TRAINED_DIR / "simple", data_dir / "runs" / name)
    (data_dir / "runs" / "closed").chmod(0)
    try:
        done = as_an_ordinary_user("-c", LIST, str(data_dir))
    finally:
        (data_dir / "runs" / "closed").chmod(0o755)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert "closed damaged" in lines
    assert "open finished" in lines
    assert "problem run closed" in lines


def test_a_process_that_the_system_does_not_start_is_a_sentence(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_dir = data_dir / "runs" / "given"
    shutil.copytree(TRAINED_DIR / "simple", run_dir)
    (run_dir / "status.json").write_text('{"state": "stopped"}', encoding="utf-8")
    # Python is not where it was.
    monkeypatch.setattr(sys, "executable", str(data_dir / "no-python"))
    with pytest.raises(RunError, match="'given' could not be started: No such file"):
        launch_training(run_dir, data_dir=data_dir)


def test_a_log_turns_while_it_is_written(tmp_path: Path) -> None:
    with (tmp_path / LOG).open("ab", buffering=0) as log:
        log.write(b"x" * MAX_LOG_BYTES)
        turn_log(tmp_path / LOG)
        assert (tmp_path / LOG).stat().st_size == MAX_LOG_BYTES
        log.write(b"y")
        turn_log(tmp_path / LOG)
        log.write(b"after")
    assert (tmp_path / LOG).read_bytes() == b"after"
    assert (tmp_path / f"{LOG}.1").stat().st_size == MAX_LOG_BYTES + 1


def test_two_sweeps_of_one_name_do_not_train_at_once(data_dir: Path) -> None:
    with sweeping("mine", data_dir=data_dir):
        with (
            pytest.raises(BusyError, match="'mine' is being trained by another"),
            sweeping("mine", data_dir=data_dir),
        ):
            pass
        with sweeping("yours", data_dir=data_dir):
            pass
    with sweeping("mine", data_dir=data_dir):
        pass
