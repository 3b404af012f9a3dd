"""Run folders: where they are, what their files are called, and who may write one.

Nothing that a run folder holds is ever executed.
"""

import json
import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from core.errors import BusyError, RunError, quote, unwritable
from core.files import TEMPORARY_PREFIX, list_folder, read_regular, remove_tree, rename
from core.paths import TRAINED_DIR

RUN_ID_PATTERN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}")

CONFIG = "config.json"
STATUS = "status.json"
HISTORY = "history.jsonl"
CHECKPOINT = "checkpoint.safetensors"
KEPT_CHECKPOINT_PATTERN = re.compile(r"checkpoint-epoch(\d{3,})\.safetensors")
"""A checkpoint at the end of an epoch that stays, so that runs can branch from it."""
WEIGHTS = "weights.safetensors"
INITIAL_WEIGHTS = "initial.safetensors"
INITIAL_CHECKPOINT = "initial-checkpoint.safetensors"
"""The kept checkpoint of another run that a branch begins with."""
BEST_WEIGHTS_GLOB = "best-epoch*.safetensors"
"""The weights of the best epoch so far, where those are to be kept."""
TEACHER_DIR = "teacher"
"""Holds the teacher's `config.json` and `weights.safetensors` until training ends."""
TEACHER_ANSWERS = "teacher_answers.npy"
TRAIN_KEYS = "train_keys.npy"
ENVIRONMENT = "environment.json"
METRICS_FILE = "metrics.json"
ROBUSTNESS = "robustness.json"
STOP_REQUEST = "stop"
LOCK = "run.lock"

REMOVED_PREFIX = ".removed-"
CREATED_PREFIX = ".created-"
"""A run that an earlier version was deleting; one that a process is making."""

CHECKPOINT_INTERVAL_S = 45.0
"""With the time that a step and a save take, at most a minute is lost."""


def runs_dir(data_dir: Path) -> Path:
    """Returns the folder of the runs that this program makes."""
    return data_dir / "runs"


def kept_checkpoint(epoch: int) -> str:
    """Returns the name of the checkpoint that is kept after `epoch` epochs."""
    return f"checkpoint-epoch{epoch:03d}.safetensors"


def best_weights(epoch: int) -> str:
    """Returns the name of the weights of the best epoch so far."""
    return f"best-epoch{epoch:03d}.safetensors"


def kept_epochs(path: Path) -> list[int]:
    """Returns the epochs after which a run folder has kept a checkpoint, ascending."""
    matches = (KEPT_CHECKPOINT_PATTERN.fullmatch(p.name) for p in list_folder(path))
    return sorted(int(match[1]) for match in matches if match)


def check_run_id(run_id: str) -> None:
    """Raises `RunError` unless `run_id` can be a run's folder."""
    if not RUN_ID_PATTERN.fullmatch(run_id):
        raise RunError(
            "A run id is 1 to 80 letters, digits, '.', '_' or '-', and starts with a "
            "letter or digit. Received: {run}",
            run=quote(run_id),
        )


def lock_run(path: Path) -> FileLock:
    """Takes the right to write a run folder, until released or the process ends.

    Raises:
        BusyError: If another process has it.
        RunError: If the run has been removed.
    """
    lock = FileLock(path / LOCK)
    try:
        before = path.stat()
        lock.acquire(timeout=0)
    except Timeout as error:
        raise BusyError(
            "Run {run!r} is being trained or evaluated by another process.",
            run=path.name,
        ) from error
    except OSError as error:
        check_there(path)
        raise RunError(unwritable(path, error)) from error
    # Whoever removes a run renames it first, and the lock makes a missing folder.
    try:
        is_there = os.path.samestat(before, path.stat()) and not is_ghost(path)
    except OSError:
        is_there = False
    if not is_there:
        lock.release()
        clear_ghost(path)
        raise _removed(path)
    return lock


def is_held(path: Path, *, name: str = LOCK) -> bool:
    """Returns whether a process has the right to write a folder, such as a run's.

    To be asked only where one seems to: who takes the right at this very moment would
    be told that another has it.

    Args:
        path: The folder.
        name: Of its lock.
    """
    if not (path / name).exists():
        return False
    lock = FileLock(path / name)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return True
    except OSError:
        return False
    lock.release()
    return False


@contextmanager
def sitting(path: Path) -> Iterator[None]:
    """Holds the right to write a run folder, with no leftovers at its begin and end.

    Raises:
        RunError: See `lock_run`.
    """
    lock = lock_run(path)
    try:
        clear_leftovers(path)
        yield
    finally:
        clear_leftovers(path)
        lock.release()


def check_there(path: Path) -> None:
    """Raises `RunError` if a run that was found before has been removed."""
    if not path.is_dir() or is_ghost(path):
        raise _removed(path)


@contextmanager
def reporting_removal(path: Path) -> Iterator[None]:
    """Makes of whatever the removal of a run breaks one clear `RunError`."""
    try:
        yield
    except (OSError, RunError):
        check_there(path)
        raise


def is_ghost(path: Path) -> bool:
    """Returns whether a folder holds nothing of a run but a lock, at most."""
    try:
        return {entry.name for entry in path.iterdir()} <= {LOCK}
    except OSError:
        return False


def clear_ghost(path: Path) -> None:
    """Deletes the folder that a lock has made anew where a run was removed."""
    if is_ghost(path):
        with suppress(OSError):
            (path / LOCK).unlink(missing_ok=True)
            path.rmdir()


def trash_dir(data_dir: Path) -> Path:
    """Returns the folder of the runs that were removed and can be put back."""
    return data_dir / "trash"


def remove_run(run_id: str, *, data_dir: Path) -> Path:
    """Moves one of the program's own runs into the trash, which `doctor` empties.

    Returns:
        Its folder there, for `restore_run`.

    Raises:
        RunError: If there is none, or it is being trained or evaluated.
    """
    check_run_id(run_id)
    path = runs_dir(data_dir) / run_id
    if not path.is_dir():
        raise RunError(
            "There is no run {run!r} in {folder}.",
            run=run_id,
            folder=runs_dir(data_dir),
        )
    lock = lock_run(path)
    try:
        removed = trash_dir(data_dir) / f"{time.time_ns()}-{run_id}"
        removed.parent.mkdir(exist_ok=True)
        rename(path, removed)
    finally:
        lock.release()
    return removed


def restore_run(removed: Path, *, data_dir: Path) -> str:
    """Puts a run back that `remove_run` has moved into the trash.

    Returns:
        Its id.

    Raises:
        RunError: If it is no longer in the trash, or its name is another run's now.
    """
    run_id = removed.name.partition("-")[2]
    path = runs_dir(data_dir) / run_id
    if removed.parent != trash_dir(data_dir) or not removed.is_dir():
        raise RunError("Run {run!r} is no longer in the trash.", run=run_id)
    if path.exists() and not is_ghost(path):
        raise RunError("There is another run {run!r} now.", run=run_id)
    if path.exists():
        clear_ghost(path)
    rename(removed, path)
    return run_id


def clear_leftovers(path: Path) -> None:
    """Deletes what a killed write left in a run folder; the caller holds its lock."""
    for leftover in list_folder(path, f"{TEMPORARY_PREFIX}*"):
        leftover.unlink(missing_ok=True)
    (path / STOP_REQUEST).unlink(missing_ok=True)
    if (path / WEIGHTS).exists():
        remove_intermediate(path)


def remove_intermediate(path: Path) -> None:
    """Deletes what only a training needs; a kept checkpoint stays."""
    for name in (CHECKPOINT, INITIAL_WEIGHTS, INITIAL_CHECKPOINT, TEACHER_ANSWERS):
        (path / name).unlink(missing_ok=True)
    for best in list_folder(path, BEST_WEIGHTS_GLOB):
        best.unlink(missing_ok=True)
    if (path / TEACHER_DIR).exists():
        remove_tree(path / TEACHER_DIR)


DAMAGE = (OSError, ValueError, TypeError, KeyError, RecursionError)
"""What reading a damaged file raises; a `ValidationError` is a `ValueError`."""


def _removed(path: Path) -> RunError:
    return RunError("Run {run!r} was removed meanwhile.", run=path.name)


def read_object(path: Path) -> dict[str, Any]:
    """Reads a file of JSON; raises one of `DAMAGE` unless it holds an object."""
    value = json.loads(read_regular(path))
    if not isinstance(value, dict):
        raise ValueError("it holds no JSON object")
    return value


def is_shipped(run_dir: Path) -> bool:
    """Returns whether a run is one that the program ships."""
    return run_dir.resolve().is_relative_to(TRAINED_DIR)


def refuse_shipped(run_dir: Path) -> None:
    """Raises `RunError` for a run that may not be written to."""
    if is_shipped(run_dir):
        raise RunError(
            "Run {run!r} ships with the program and is not written to.",
            run=run_dir.name,
        )
