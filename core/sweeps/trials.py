"""Trains one trial of a sweep: an ordinary run, made or gone on with."""

import os
import socket
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from core.datasets.folds import fold_dataset
from core.datasets.versions import open_any
from core.errors import BusyError, RunError, Sentence
from core.runs.create import create_run
from core.runs.folder import CONFIG, STOP_REQUEST, lock_run, runs_dir, sitting
from core.runs.reading import Run, read_config, read_run
from core.runs.recipes import make_settings
from core.runs.status import Status, write_status
from core.sweeps.record import STOPPED_EARLY, note_sitting, sweep_dir
from core.sweeps.spec import Sweep, Trial
from core.training.work import train_run_dir

BUSY_TIMEOUT_S = 120.0
"""A worker whose machine has died may hold its run for some time yet."""

BUSY_POLL_S = 1.0

OnEpoch = Callable[[dict[str, Any]], bool]
"""Called with the history's row of each epoch; returns whether to go on."""


def open_trial(sweep: Sweep, trial: Trial, *, data_dir: Path) -> Path:
    """Returns the folder of a trial's run, made if there is none yet.

    Raises:
        RunError: If there is a run of that name that is none of this trial.
    """
    run_dir = runs_dir(data_dir) / trial.run_id
    fold: dict[str, Any] | None = None
    if trial.fold is not None and sweep.folds is not None:
        fold = {"k": sweep.folds, "index": trial.fold, "seed": sweep.fold_seed}
        fold["dealt"] = sweep.dealt
    if not (run_dir / CONFIG).is_file():
        dataset = open_any(sweep.dataset, data_dir=data_dir)
        try:
            return create_run(
                trial.network,
                dataset if fold is None else fold_dataset(dataset, **fold),
                trial.recipe,
                data_dir=data_dir,
                run_id=trial.run_id,
                overrides=trial.overrides,
            )
        except RunError:
            # Another worker may have been quicker.
            if not (run_dir / CONFIG).is_file():
                raise
    config = read_config(run_dir)
    settings = make_settings(trial.network, trial.recipe, trial.overrides)
    theirs = config.fold and config.fold.model_dump(exclude={"dataset_fingerprint"})
    if (config.network, config.settings, theirs) != (trial.network, settings, fold):
        raise RunError(
            "Run {run!r} has other settings than sweep {sweep!r} asks for; an earlier "
            "version made it. Give the sweep another `name`.",
            run=trial.run_id,
            sweep=sweep.name,
        )
    return run_dir


def train_trial(
    sweep: Sweep,
    trial: Trial,
    *,
    data_dir: Path,
    wait: bool = False,
    on_epoch: OnEpoch | None = None,
) -> Run:
    """Trains a trial's run from where it is to its end; a finished one stays so.

    Args:
        sweep: What the trial is of.
        trial: The trial.
        data_dir: Where its dataset is installed and its run is written.
        wait: Whether to wait until no other training runs.
        on_epoch: Told of each epoch, those of earlier sittings included, but of the
            last one only when the run is finished: nothing is stopped before its
            evaluation that has been trained to its end.

    Returns:
        The run: `finished`, or `stopped` if it was asked to stop, by `on_epoch` or
        otherwise.

    Raises:
        SketchScopeError: If it can't be trained.
    """
    run_dir = open_trial(sweep, trial, data_dir=data_dir)
    folder = sweep_dir(sweep.name, data_dir=data_dir)
    folder.mkdir(parents=True, exist_ok=True)
    who = {"run_id": trial.run_id, "host": socket.gethostname(), "pid": os.getpid()}
    _wait_until_free(run_dir)
    run = read_run(run_dir)
    if run.state != "finished":
        note_sitting(folder, event="begin", epoch=len(run.history), **who)
        following = _Following(run_dir, on_epoch)
        train_run_dir(
            run_dir,
            data_dir=data_dir,
            wait=wait,
            report=following.report,
            checkpoint_interval_s=sweep.checkpoint_every_s,
        )
        run = read_run(run_dir)
        note_sitting(
            folder, event=run.state, epoch=len(run.history), **following.start, **who
        )
    if run.state == "finished" and run.history and on_epoch is not None:
        on_epoch(run.history[-1])
    return run


class _Following:
    """Follows a sitting: hands on its epochs, and ends it where that is answered.

    Attributes:
        start: From where it went on, `from_epoch` and `from_step`, once it does.
    """

    def __init__(self, run_dir: Path, on_epoch: OnEpoch | None) -> None:
        self.start: dict[str, int] = {}
        self._is_ended = False
        self._run_dir = run_dir
        self._on_epoch = on_epoch
        self._reported = 0

    def report(self, status: Status, history: Sequence[dict[str, Any]]) -> None:
        if not self.start and status.phase == "training":
            self.start = {"from_epoch": status.epoch, "from_step": status.step}
        for row in history[self._reported : status.epochs - 1]:
            self._reported += 1
            if self._on_epoch is None or self._is_ended:
                continue
            if not self._on_epoch(row):
                self._is_ended = True
                (self._run_dir / STOP_REQUEST).touch()


def mark_stopped_early(run_dir: Path, *, timeout_s: float = BUSY_TIMEOUT_S) -> None:
    """Says of an unfinished run that its sweep won't go on with it.

    Raises:
        BusyError: If another process is at work on it, and still is after so long.
    """
    _wait_until_free(run_dir, timeout_s=timeout_s)
    with sitting(run_dir):
        run = read_run(run_dir)
        if run.state == "finished":
            return
        message = Sentence(
            "{stopped} after epoch {epoch}: it lagged behind. Go on with `python -m "
            "core train --resume {run}`.",
            stopped=STOPPED_EARLY,
            epoch=len(run.history),
            run=run_dir.name,
        )
        write_status(
            run_dir,
            Status(
                state="stopped",
                epoch=run.status.epoch,
                epochs=run.status.epochs,
                step=run.status.step,
                steps_per_epoch=run.status.steps_per_epoch,
                elapsed_s=run.status.elapsed_s,
                message=message,
            ),
        )


def _wait_until_free(run_dir: Path, *, timeout_s: float = BUSY_TIMEOUT_S) -> None:
    """Waits while another process is at work on a run.

    Raises:
        BusyError: If it still is after so long.
    """
    deadline = time.monotonic() + timeout_s
    while True:
        try:
            lock_run(run_dir).release()
        except BusyError:
            if time.monotonic() >= deadline:
                raise
            time.sleep(BUSY_POLL_S)
        else:
            return
