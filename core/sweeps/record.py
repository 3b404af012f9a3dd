"""What a sweep's folder tells of it, readable without Ray."""

import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

from filelock import FileLock, Timeout
from pydantic import BaseModel, ConfigDict, ValidationError

from core.analysis.curves import kept_row
from core.errors import (
    BusyError,
    RunError,
    Sentence,
    damaged,
    message_of,
    quote,
    unreadable,
    unwritable,
)
from core.files import list_folder, make_folder, read_regular, write_json
from core.runs.folder import CONFIG, is_held, runs_dir
from core.runs.reading import Run, read_run
from core.runs.status import utc_now
from core.sweeps.plan import is_of
from core.sweeps.spec import NAME_PATTERN, Sweep, Trial

RECORD = "sweep.json"
LOCK = ".lock"
SITTINGS = "sittings.jsonl"
"""A line whenever a trial begins, ends or is cut off: who trained what, and when."""

STOPPED_EARLY = Sentence("Stopped early by its sweep")

TrialState = Literal[
    "planned",
    "queued",
    "running",
    "stopped",
    "pruned",
    "failed",
    "trained",
    "finished",
    "damaged",
]
"""A run's state; `planned` has no run yet, `pruned` was stopped early by the sweep."""

ENDED = ("finished", "pruned")
"""The states of trials that a sweep doesn't begin or go on with."""


class TrialRecord(Trial):
    """A trial, and what had become of it when the record was written.

    Attributes:
        state: Of its run.
        epoch: Epochs completed.
        val_top1: Validation top-1 accuracy of the epoch whose weights it has, the
            latest or the best, from 0 to 1.
        top1: Test top-1 accuracy, from 0 to 1, once evaluated.
        message: Why it failed, or "".
    """

    state: TrialState = "planned"
    epoch: int = 0
    val_top1: float | None = None
    top1: float | None = None
    message: str = ""

    @property
    def trial(self) -> Trial:
        """What was asked for."""
        return Trial(**{name: getattr(self, name) for name in Trial.model_fields})


class SweepRecord(BaseModel):
    """What `sweep.json` holds.

    Attributes:
        format_version: Of the file.
        sweep: What was asked for.
        trials: In the order in which they were planned or proposed.
        updated_at: ISO 8601, UTC.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    format_version: Literal[1] = 1
    sweep: Sweep
    trials: tuple[TrialRecord, ...] = ()
    updated_at: str = ""

    @property
    def total(self) -> int:
        """How many trials there are to be, those not yet proposed included."""
        if self.sweep.search == "optuna" and self.sweep.trials is not None:
            return self.sweep.trials
        return len(self.trials)

    @property
    def ended(self) -> int:
        """How many of them have ended."""
        return sum(trial.state in ENDED for trial in self.trials)

    def fail(self, run_id: str, message: str) -> "SweepRecord":
        """Returns the record with a trial that could not be trained, and why."""
        failed = {"state": "failed", "message": message}
        trials = tuple(
            trial.model_copy(update=failed) if trial.run_id == run_id else trial
            for trial in self.trials
        )
        return self.model_copy(update={"trials": trials})


def sweeps_dir(data_dir: Path) -> Path:
    """Returns the folder of all sweeps."""
    return data_dir / "sweeps"


def sweep_dir(name: str, *, data_dir: Path) -> Path:
    """Returns the folder of one sweep.

    Raises:
        RunError: If the name can be none.
    """
    if not NAME_PATTERN.fullmatch(name):
        raise RunError("There is no sweep {name}.", name=quote(name))
    return sweeps_dir(data_dir) / name


def read_record(path: Path) -> SweepRecord | None:
    """Reads a sweep's record; None where there is none.

    Raises:
        RunError: If it is damaged or can't be read.
    """
    try:
        return SweepRecord.model_validate_json(read_regular(path / RECORD))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise RunError(unreadable(path / RECORD, error)) from error
    except ValidationError as error:
        raise RunError(damaged(path / RECORD, error)) from error


def write_record(record: SweepRecord, *, data_dir: Path) -> SweepRecord:
    """Replaces a sweep's record, with what its runs are now; returns it."""
    now = utc_now().isoformat(timespec="seconds")
    fresh = refresh(record, data_dir=data_dir).model_copy(update={"updated_at": now})
    path = sweep_dir(record.sweep.name, data_dir=data_dir)
    try:
        make_folder(path)
        write_json(path / RECORD, fresh.model_dump(mode="json", by_alias=True))
    except OSError as error:
        raise RunError(unwritable(path, error)) from error
    return fresh


def refresh(record: SweepRecord, *, data_dir: Path) -> SweepRecord:
    """Returns a record with what its trials' runs are now."""
    trials = tuple(
        _look(trial, data_dir=data_dir) if trial.state != "finished" else trial
        for trial in record.trials
    )
    return record.model_copy(update={"trials": trials})


def merge(
    sweep: Sweep, planned: Sequence[Trial], earlier: SweepRecord | None
) -> SweepRecord:
    """Returns the record to go on with: what is planned, and what is known of it.

    With `search: optuna`, where nothing is planned, that is what was proposed before:
    if there are more such trials than asked for, those that have ended come first.

    Args:
        sweep: What is asked for now.
        planned: Its trials.
        earlier: The record so far.
    """
    if sweep.search == "optuna":
        before = [t for t in earlier.trials if is_of(sweep, t)] if earlier else []
        kept = sorted(before, key=lambda t: t.state not in ENDED)[: sweep.trials]
        return SweepRecord(
            sweep=sweep, trials=tuple(trial for trial in before if trial in kept)
        )
    known = {trial.run_id: trial for trial in earlier.trials} if earlier else {}
    return SweepRecord(
        sweep=sweep,
        trials=tuple(
            known.get(trial.run_id, TrialRecord(**trial.model_dump()))
            for trial in planned
        ),
    )


@contextmanager
def sweeping(name: str, *, data_dir: Path) -> Iterator[None]:
    """Holds the right to train a sweep's trials and to write its record.

    Raises:
        BusyError: If another process has it.
    """
    path = sweep_dir(name, data_dir=data_dir)
    try:
        make_folder(path)
        lock = FileLock(path / LOCK)
        lock.acquire(timeout=0)
    except Timeout as error:
        raise BusyError(
            "Sweep {sweep!r} is being trained by another process.", sweep=name
        ) from error
    except OSError as error:
        raise RunError(unwritable(path, error)) from error
    try:
        yield
    finally:
        lock.release()


def is_being_trained(name: str, *, data_dir: Path) -> bool:
    """Returns whether a process has the right to train a sweep's trials."""
    return is_held(sweep_dir(name, data_dir=data_dir), name=LOCK)


def note_sitting(path: Path, **event: Any) -> None:
    """Adds a line to a sweep's list of sittings."""
    line = json.dumps({"at": utc_now().isoformat(), **event}) + "\n"
    # One write in append mode, so that lines of several processes don't mix.
    handle = os.open(path / SITTINGS, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    try:
        os.write(handle, line.encode())
    finally:
        os.close(handle)


def _look(trial: TrialRecord, *, data_dir: Path) -> TrialRecord:
    """Returns what is known of a trial from its run."""
    run_dir = runs_dir(data_dir) / trial.run_id
    if not (run_dir / CONFIG).is_file():
        state = "failed" if trial.state == "failed" else "planned"
        return trial.model_copy(update={"state": state})
    run = read_run(run_dir)
    return trial.model_copy(update=_figures(run))


def _figures(run: Run) -> dict[str, Any]:
    state: TrialState = run.state
    if state == "stopped" and run.status.message.startswith(STOPPED_EARLY):
        state = "pruned"
    return {
        "state": state,
        "epoch": len(run.history),
        "val_top1": (kept_row(run) or {}).get("val_top1"),
        "top1": run.metrics["top1"] if run.metrics else None,
        "message": run.status.message if state == "failed" else "",
    }


def list_sweeps(data_dir: Path) -> tuple[list[SweepRecord], list[str]]:
    """Returns the records of all sweeps, latest first, and what is damaged, in words.

    The records are as they were last written; `refresh` looks at their runs.
    """
    records, problems = [], []
    for path in list_folder(sweeps_dir(data_dir)):
        try:
            record = read_record(path)
        except RunError as error:
            problems.append(message_of(error))
        else:
            # A folder that was renamed by hand would write to another one.
            if record is not None and record.sweep.name == path.name:
                records.append(record)
    records.sort(key=lambda record: record.updated_at, reverse=True)
    return records, problems
