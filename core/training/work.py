"""The program's verbs on runs: create, train, evaluate, index. Trains nothing itself.

TensorFlow takes seconds to load, so it is loaded inside the functions that need it,
after everything that can be refused has been.
"""

import time
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filelock import FileLock

from core.datasets.store import Dataset
from core.datasets.versions import open_any
from core.errors import DatasetError, RunError, Sentence, SketchScopeError, message_of
from core.runs.config import RunConfig
from core.runs.dataset import find_dataset, find_drawings, hold_dataset
from core.runs.folder import (
    CHECKPOINT_INTERVAL_S,
    WEIGHTS,
    is_shipped,
    refuse_shipped,
    reporting_removal,
    sitting,
)
from core.runs.queueing import wait_for_turn
from core.runs.reading import check_weights, read_config, read_run
from core.runs.status import current_process, write_status
from core.runs.stopping import StopCheck, stop_requests
from core.training.backend import load_backend
from core.training.index import build_neighbours

if TYPE_CHECKING:
    from core.training.progress import Report

CALIBRATION = ("temperature", "temperature_from")
"""What an evaluation's metrics say of a temperature."""


def train_run_dir(
    run_dir: Path,
    *,
    data_dir: Path,
    wait: bool = False,
    report: "Report | None" = None,
    checkpoint_interval_s: float = CHECKPOINT_INTERVAL_S,
    evaluate: bool = True,
) -> bool:
    """Trains a run to its end, evaluates it if it is tested, and indexes it.

    SIGINT, SIGTERM and the run's stop file stop it at the next step; after the
    evaluation they leave it finished, without an index.

    Args:
        run_dir: A run's folder.
        data_dir: Where its dataset is installed.
        wait: Whether to wait until no other training runs.
        report: Told of progress.
        checkpoint_interval_s: Seconds between checkpoints within an epoch.
        evaluate: Whether to score it; what is only compared by validation leaves the
            test sketches alone.

    Returns:
        Whether it came to its end; False if it was asked to stop.

    Raises:
        RunError: If another process is at work on the run, or it is finished,
            damaged, or one that ships.
        DatasetError: If its dataset is not installed.
    """
    refuse_shipped(run_dir)
    read_config(run_dir)
    with sitting(run_dir), ExitStack() as held:
        # Another may have been made of this name before it was locked.
        config = read_config(run_dir)
        if read_run(run_dir).state == "finished":
            raise RunError(
                "Run {run!r} is finished; nothing is left to do.", run=run_dir.name
            )
        if (run_dir / WEIGHTS).exists() and not config.is_tested:
            raise RunError(
                "Run {run!r} is trained, and its dataset {dataset!r} has no test "
                "sketches; nothing is left to do.",
                run=run_dir.name,
                dataset=config.dataset,
            )
        find_dataset(config, data_dir=data_dir, exact=True)
        find_drawings(config, data_dir=data_dir)
        with stop_requests(run_dir) as is_stop_requested:
            if wait:
                turn = _wait(run_dir, is_stop_requested)
                if turn is None:
                    return False
                held.callback(turn.release)
            try:
                # Not before: others may be of these names by now.
                dataset = hold_dataset(config, data_dir=data_dir, exact=True)
                drawings = find_drawings(config, data_dir=data_dir)
                if drawings is not None:
                    drawings.hold()
            except DatasetError as error:
                if wait:
                    _say(run_dir, state="failed", message=message_of(error))
                raise
            if not (run_dir / WEIGHTS).exists():
                _say(run_dir, state="running", phase="starting", message="")
                try:
                    load_backend()
                except SketchScopeError as error:
                    # It has not failed: mended, it goes on where it is.
                    _say(run_dir, state="stopped", message=message_of(error))
                    raise
                from core.training.train import train_run

                if not train_run(
                    run_dir,
                    config,
                    dataset,
                    drawings=drawings,
                    is_stop_requested=is_stop_requested,
                    report=report,
                    checkpoint_interval_s=checkpoint_interval_s,
                ):
                    return False
        if config.is_tested and evaluate:
            _evaluate_locked(run_dir, config, dataset)
        else:
            _say(run_dir, state="trained", message=_why_unscored(run_dir, config))
        return True


def _why_unscored(run_dir: Path, config: RunConfig) -> Sentence:
    """Says why a trained run has no evaluation."""
    if config.is_tested:
        return Sentence(
            "It is not scored; `python -m core evaluate {run}` does that.",
            run=run_dir.name,
        )
    if config.origin is None:
        return Sentence("It was not evaluated.")
    return Sentence(
        "It was not evaluated: the dataset of run {run!r} was not installed, and "
        "drawings that are learned from are no test.",
        run=config.origin.run_id,
    )


def evaluate_run_dir(
    run_dir: Path,
    *,
    data_dir: Path,
    dataset_name: str | None = None,
    is_whole: bool = False,
) -> dict[str, Any]:
    """Scores a trained run on the test sketches.

    The result is written into the run's folder if it is scored on the test part of its
    own dataset and is not one that ships.

    Args:
        run_dir: A run with weights.
        data_dir: Where datasets are installed.
        dataset_name: Another dataset than the run's own.
        is_whole: Whether to score it on all sketches of that dataset.

    Returns:
        The metrics, as in `metrics.json`.

    Raises:
        RunError: If the run has no weights, is busy or damaged, or has seen some
            of the test sketches in training.
        DatasetError: If the dataset is not installed.
    """
    config = read_config(run_dir)
    check_weights(run_dir)
    if dataset_name is None:
        dataset = hold_dataset(config, data_dir=data_dir)
    else:
        dataset = open_any(dataset_name, data_dir=data_dir)
        dataset.hold()
    own = dataset.fingerprint == config.dataset_fingerprint and config.is_tested
    metrics = read_run(run_dir).metrics
    if own and not is_whole and not is_shipped(run_dir):
        with sitting(run_dir):
            return _evaluate_locked(run_dir, config, dataset)
    load_backend()
    from core.training.evaluate import evaluate_run

    with reporting_removal(run_dir):
        evaluation, _ = evaluate_run(
            run_dir,
            config,
            dataset,
            calibration=_calibration(config, metrics),
            is_whole=is_whole,
        )
    return evaluation.metrics


def index_run_dir(run_dir: Path, *, data_dir: Path) -> bool:
    """Makes a run's index of its training sketches anew; see `core.runs.neighbours`.

    SIGINT, SIGTERM and the run's stop file end it, and leave an earlier index.

    Args:
        run_dir: A run with weights.
        data_dir: Where its dataset is installed.

    Returns:
        Whether it came to its end; False if it was asked to stop.

    Raises:
        RunError: If the run has no weights, is busy or damaged, or ships.
        DatasetError: If the dataset is not installed.
    """
    config = read_config(run_dir)
    check_weights(run_dir)
    refuse_shipped(run_dir)
    dataset = hold_dataset(config, data_dir=data_dir)
    with sitting(run_dir):
        load_backend()
        with stop_requests(run_dir) as is_stop_requested:
            return build_neighbours(
                run_dir, config, dataset, is_stop_requested=is_stop_requested
            )


def _calibration(
    config: RunConfig, metrics: Mapping[str, Any] | None = None
) -> dict[str, Any] | None:
    """Returns what an evaluation says of a temperature, or None if it is to fit one.

    Args:
        config: The run's.
        metrics: Of an evaluation whose temperature goes on to hold.
    """
    if metrics is not None:
        return {name: metrics[name] for name in CALIBRATION if name in metrics}
    if (taken := config.calibration) is not None:
        return {"temperature": taken.temperature, "temperature_from": taken.run_id}
    # What it held out of a few drawings is too little to fit one on.
    if config.is_tested and config.settings.val_fraction:
        return None
    return {"temperature": 1.0, "temperature_from": None}


def _wait(run_dir: Path, is_stop_requested: StopCheck) -> FileLock | None:
    """Waits for a run's turn; returns None if it was asked to stop first."""
    _say(run_dir, state="queued", queued_at=time.time(), message="")
    turn = wait_for_turn(run_dir, is_stop_requested=is_stop_requested)
    if turn is None:
        state = "trained" if (run_dir / WEIGHTS).exists() else "stopped"
        message = Sentence("Stopped before it began. It can be resumed.")
        _say(run_dir, state=state, message=message)
    return turn


def _evaluate_locked(
    run_dir: Path, config: RunConfig, dataset: Dataset
) -> dict[str, Any]:
    """Evaluates and indexes a run whose lock is held, and writes its status."""
    _say(run_dir, state="running", phase="evaluating", message="")
    missed = Sentence("It was not evaluated")
    try:
        load_backend()
        from core.runs.evaluation import write_evaluation
        from core.training.evaluate import evaluate_run

        evaluation, class_rows = evaluate_run(
            run_dir, config, dataset, calibration=_calibration(config)
        )
        write_evaluation(run_dir, evaluation, class_rows=class_rows)
        missed = Sentence("Its training sketches were not indexed")
        with stop_requests(run_dir) as is_stop_requested:
            is_indexed = build_neighbours(
                run_dir, config, dataset, is_stop_requested=is_stop_requested
            )
    except BaseException as error:
        # The weights are as good as before; an earlier evaluation counts on.
        message = Sentence("{missed}: {reason}", missed=missed, reason=error)
        with suppress(OSError):
            _say(run_dir, state="trained", message=message)
        raise
    message = Sentence(
        "Its training sketches were not indexed. `{command}` does it.",
        command=f"python -m core runs index {run_dir.name}",
    )
    _say(run_dir, state="finished", message="" if is_indexed else message)
    return evaluation.metrics


def _say(run_dir: Path, **changes: Any) -> None:
    """Changes a run's status in the name of this process."""
    write_status(
        run_dir,
        replace(
            read_run(run_dir).status,
            **current_process(),
            **changes,
        ),
    )
