"""The program's verbs on runs: create, train, evaluate, index. Trains nothing itself.

TensorFlow takes seconds to load, so it is loaded inside the functions that need it,
after everything that can be refused has been.
"""

import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filelock import FileLock

from core.backend import load_backend
from core.config import Origin, RunConfig, Settings, make_settings
from core.datasets.store import Dataset, list_datasets, open_dataset
from core.errors import DatasetError, RunError
from core.files import sha256
from core.neighbours import build_neighbours
from core.paths import TRAINED_DIR
from core.queueing import wait_for_turn
from core.runs import (
    CHECKPOINT_INTERVAL_S,
    WEIGHTS,
    check_run_id,
    check_weights,
    clear_leftovers,
    create_run_dir,
    current_process,
    lock_run,
    new_run_id,
    read_config,
    read_run,
    runs_dir,
    utc_now,
    write_status,
)
from core.splits import split_size
from core.stopping import StopCheck, stop_requests

if TYPE_CHECKING:
    from core.training import Report


def create_run(
    network: str,
    dataset_name: str,
    recipe: str,
    *,
    data_dir: Path,
    run_id: str | None = None,
    overrides: Mapping[str, Any] | None = None,
    origin: Path | None = None,
) -> Path:
    """Makes the folder of a new run; `train_run_dir` then trains it.

    Args:
        network: A name of `models.NETWORKS`.
        dataset_name: An installed dataset.
        recipe: A name of `core.config.RECIPES`.
        data_dir: The folder that everything is written to.
        run_id: Its name; by default network, recipe and time.
        overrides: Settings that replace the recipe's.
        origin: A trained run of the same network to go on from; its weights are
            copied, so that it may be removed afterwards.

    Raises:
        ConfigError: If a setting is unknown or out of range.
        DatasetError: If there is no such dataset, or it is too small.
        RunError: If the run id is taken or unfit, or the origin doesn't fit.
    """
    if run_id is not None:
        check_new_run_id(run_id, data_dir=data_dir)
    settings = make_settings(network, recipe, overrides)
    dataset = open_dataset(dataset_name, data_dir=data_dir)
    _check_size(dataset, settings)
    if origin is not None:
        _check_origin(origin, network, dataset, settings)
    now = utc_now()
    config = RunConfig(
        run_id=run_id or new_run_id(network, recipe, data_dir=data_dir, now=now),
        network=network,
        dataset=dataset.name,
        dataset_fingerprint=dataset.fingerprint,
        split_fingerprint=dataset.split_fingerprint,
        attribution=dataset.attribution,
        class_names=dataset.class_names,
        recipe=recipe,
        settings=settings,
        origin=None
        if origin is None
        else Origin(run_id=origin.name, weights_sha256=sha256(origin / WEIGHTS)),
        created_at=now.isoformat(timespec="seconds"),
    )
    return create_run_dir(
        config,
        data_dir=data_dir,
        origin=origin,
    )


def check_new_run_id(run_id: str, *, data_dir: Path) -> None:
    """Raises `RunError` unless a new run may have a name.

    The names of runs that ship are taken: an address with one means that run.
    """
    check_run_id(run_id)
    if (TRAINED_DIR / run_id).exists():
        raise RunError(
            f"{run_id!r} is the name of a run that ships. Choose another name."
        )
    if (runs_dir(data_dir) / run_id).exists():
        raise RunError(
            f"There is a run {run_id!r} already. Choose another name, or go on with "
            f"`python -m core train --resume {run_id}`."
        )


def train_run_dir(
    run_dir: Path,
    *,
    data_dir: Path,
    wait: bool = False,
    report: "Report | None" = None,
    checkpoint_interval_s: float = CHECKPOINT_INTERVAL_S,
) -> bool:
    """Trains a run from where it is to its end, evaluates it and indexes its sketches.

    SIGINT, SIGTERM and the run's stop file stop it at the next step; after the
    evaluation they leave it finished, without an index.

    Args:
        run_dir: A run's folder.
        data_dir: Where its dataset is installed.
        wait: Whether to wait until no other training runs.
        report: Told of progress.
        checkpoint_interval_s: Seconds between checkpoints within an epoch.

    Returns:
        Whether it came to its end; False if it was asked to stop.

    Raises:
        RunError: If another process is at work on the run, or it is finished,
            damaged, or one that ships.
        DatasetError: If its dataset is not installed.
    """
    config = read_config(run_dir)
    _refuse_shipped(run_dir)
    lock = lock_run(run_dir)
    turn = None
    try:
        if read_run(run_dir).state == "finished":
            raise RunError(f"Run {run_dir.name!r} is finished; nothing is left to do.")
        dataset = find_dataset(config, data_dir=data_dir, exact=True)
        clear_leftovers(run_dir)
        with stop_requests(run_dir) as is_stop_requested:
            if wait:
                turn = _wait(run_dir, is_stop_requested)
                if turn is None:
                    return False
            if not (run_dir / WEIGHTS).exists():
                _say(run_dir, state="running", phase="starting", message="")
                load_backend()
                from core.training import train_run

                finished = train_run(
                    run_dir,
                    config,
                    dataset,
                    is_stop_requested=is_stop_requested,
                    report=report,
                    checkpoint_interval_s=checkpoint_interval_s,
                )
                if not finished:
                    return False
        _evaluate_locked(run_dir, config, dataset)
        return True
    finally:
        if turn is not None:
            turn.release()
        clear_leftovers(run_dir)
        lock.release()


def evaluate_run_dir(
    run_dir: Path, *, data_dir: Path, dataset_name: str | None = None
) -> dict[str, Any]:
    """Scores a trained run on the test sketches.

    The result is written into the run's folder if it is scored on its own dataset
    and is not one that ships.

    Args:
        run_dir: A run with weights.
        data_dir: Where datasets are installed.
        dataset_name: Another dataset than the run's own.

    Returns:
        The figures, as in `metrics.json`.

    Raises:
        RunError: If the run has no weights, is busy or damaged, or has seen some
            of the test sketches in training.
        DatasetError: If the dataset is not installed.
    """
    config = read_config(run_dir)
    check_weights(run_dir)
    if dataset_name is None:
        dataset = find_dataset(config, data_dir=data_dir)
    else:
        dataset = open_dataset(dataset_name, data_dir=data_dir)
    own = dataset.fingerprint == config.dataset_fingerprint
    metrics = read_run(run_dir).metrics
    if own and not is_shipped(run_dir):
        lock = lock_run(run_dir)
        try:
            return _evaluate_locked(run_dir, config, dataset)
        finally:
            lock.release()
    load_backend()
    from core.evaluation import evaluate_run

    evaluation, _ = evaluate_run(
        run_dir,
        config,
        dataset,
        temperature=metrics["temperature"] if metrics else None,
    )
    return evaluation.metrics


def index_run_dir(run_dir: Path, *, data_dir: Path) -> bool:
    """Makes a run's index of its training sketches anew; see `core.neighbours`.

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
    _refuse_shipped(run_dir)
    dataset = find_dataset(config, data_dir=data_dir)
    lock = lock_run(run_dir)
    try:
        load_backend()
        with stop_requests(run_dir) as is_stop_requested:
            return build_neighbours(
                run_dir, config, dataset, is_stop_requested=is_stop_requested
            )
    finally:
        clear_leftovers(run_dir)
        lock.release()


def find_dataset(config: RunConfig, *, data_dir: Path, exact: bool = False) -> Dataset:
    """Finds the dataset of a run, whatever its name is here.

    Args:
        config: The run's.
        data_dir: Where datasets are installed.
        exact: Whether it must be the very one, and not only another copy of its
            sketches with the same split.

    Raises:
        DatasetError: If it is not installed.
    """

    def likeness(dataset: Dataset) -> tuple[bool, bool]:
        is_same = dataset.fingerprint == config.dataset_fingerprint
        return is_same, dataset.name == config.dataset

    candidates = [
        dataset
        for dataset in list_datasets(data_dir)
        if dataset.fingerprint == config.dataset_fingerprint
        or (not exact and dataset.split_fingerprint == config.split_fingerprint)
    ]
    candidates.sort(key=likeness, reverse=True)
    if not candidates:
        raise DatasetError(
            f"Dataset {config.dataset!r}, with the sketches and the split that run "
            f"{config.run_id!r} was made with, is not installed. Add it with "
            "`python -m core dataset add`."
        )
    return candidates[0]


def is_shipped(run_dir: Path) -> bool:
    """Returns whether a run is one that the program ships."""
    return run_dir.resolve().is_relative_to(TRAINED_DIR)


def _refuse_shipped(run_dir: Path) -> None:
    """Raises `RunError` for a run that may not be written to."""
    if is_shipped(run_dir):
        raise RunError(
            f"Run {run_dir.name!r} ships with the program and is not written to."
        )


def _wait(run_dir: Path, is_stop_requested: StopCheck) -> FileLock | None:
    """Waits for a run's turn; returns None if it was asked to stop first."""
    _say(run_dir, state="queued", queued_at=time.time(), message="")
    turn = wait_for_turn(run_dir, is_stop_requested=is_stop_requested)
    if turn is None:
        state = "trained" if (run_dir / WEIGHTS).exists() else "stopped"
        message = "Stopped before it began. It can be resumed."
        _say(run_dir, state=state, message=message)
    return turn


def _check_size(dataset: Dataset, settings: Settings) -> None:
    """Raises `DatasetError` if a dataset doesn't fill one batch."""
    if dataset.num_train < 2:
        raise DatasetError(
            f"Dataset {dataset.name!r} has {dataset.num_train} training sketch; it "
            "takes at least one to train on and one for validation."
        )
    held_out = split_size(dataset.num_train, fraction=settings.val_fraction)
    left = dataset.num_train - held_out
    if left < settings.batch_size:
        raise DatasetError(
            f"Dataset {dataset.name!r} has {left} sketches to train on, fewer than one "
            f"batch of {settings.batch_size}. Add `--set batch_size={left}` or less."
        )


def _check_origin(
    origin: Path, network: str, dataset: Dataset, settings: Settings
) -> None:
    """Raises `RunError` unless a run's weights may be the start of a new one."""
    config = read_config(origin)
    check_weights(origin)
    theirs = config.settings
    if config.network != network:
        raise RunError(
            f"Run {origin.name!r} is of network {config.network!r}; a run of "
            f"{network!r} can't go on from it."
        )
    if config.class_names != dataset.class_names:
        raise RunError(
            f"Run {origin.name!r} and dataset {dataset.name!r} have different classes."
        )
    if theirs.shortcut != settings.shortcut:
        raise RunError(
            f"Run {origin.name!r} was trained with `shortcut={theirs.shortcut}`. Add "
            f"`--set shortcut={theirs.shortcut}`."
        )
    # Otherwise the new run would be validated on what the old one learned.
    held_out = (theirs.seed, theirs.val_fraction)
    if (
        dataset.fingerprint == config.dataset_fingerprint
        and (settings.seed, settings.val_fraction) != held_out
    ):
        raise RunError(
            f"Run {origin.name!r} held out another part for validation. Add "
            f"`--seed {theirs.seed} --set val_fraction={theirs.val_fraction:g}`."
        )


def _evaluate_locked(
    run_dir: Path, config: RunConfig, dataset: Dataset
) -> dict[str, Any]:
    """Evaluates and indexes a run whose lock is held, and writes its status."""
    _say(run_dir, state="running", phase="evaluating", message="")
    missed = "It was not evaluated"
    try:
        load_backend()
        from core.evaluation import evaluate_run
        from core.results import write_evaluation

        evaluation, class_rows = evaluate_run(run_dir, config, dataset)
        write_evaluation(run_dir, evaluation, class_rows=class_rows)
        missed = "Its training sketches were not indexed"
        with stop_requests(run_dir) as is_stop_requested:
            is_indexed = build_neighbours(
                run_dir, config, dataset, is_stop_requested=is_stop_requested
            )
    except BaseException as error:
        # The weights are as good as before; an earlier evaluation counts on.
        reason = str(error) or type(error).__name__
        with suppress(OSError):
            _say(run_dir, state="trained", message=f"{missed}: {reason}")
        raise
    message = ""
    if not is_indexed:
        message = f"{missed}. `python -m core runs index {run_dir.name}` does it."
    _say(run_dir, state="finished", message=message)
    return evaluation.metrics


def _say(run_dir: Path, **changes: Any) -> None:
    """Changes a run's status in the name of this process."""
    pid, process_started = current_process()
    write_status(
        run_dir,
        replace(
            read_run(run_dir).status,
            pid=pid,
            process_started=process_started,
            **changes,
        ),
    )
