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

import numpy as np
from filelock import FileLock

from core.datasets.folds import Fold, FoldedDataset, fold_dataset
from core.datasets.splits import split_size
from core.datasets.store import Dataset, list_datasets, open_dataset
from core.datasets.variants import open_variants
from core.errors import ConfigError, DatasetError, RunError
from core.paths import TRAINED_DIR
from core.runs.ancestry import (
    branch,
    check_origin,
    describe_origin,
    find_calibration,
    find_teacher,
    inherited,
)
from core.runs.config import RunConfig, Settings, TrainedBesides
from core.runs.folder import (
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
    telling_removal,
    utc_now,
    write_status,
)
from core.runs.neighbours import build_neighbours
from core.runs.queueing import wait_for_turn
from core.runs.recipes import RECIPES, make_settings
from core.runs.stopping import StopCheck, stop_requests
from core.training.backend import load_backend

if TYPE_CHECKING:
    from core.training.train import Report

DEFAULT_RECIPE = "best"

CALIBRATION = ("temperature", "temperature_from")
"""What an evaluation's figures say of a temperature."""


def create_run(
    network: str,
    dataset_name: str,
    recipe: str | None = None,
    *,
    data_dir: Path,
    run_id: str | None = None,
    overrides: Mapping[str, Any] | None = None,
    origin: Path | None = None,
    origin_epoch: int | None = None,
    teacher: Path | None = None,
    calibration: Path | None = None,
    fold: tuple[int, int, int] | None = None,
) -> Path:
    """Makes the folder of a new run; `train_run_dir` then trains it.

    Args:
        network: A name of `models.NETWORKS`.
        dataset_name: An installed dataset. From one without test sketches, such as
            kept drawings, a run learns besides the dataset of its origin, on which
            it is validated and scored. Where that is not installed, it is
            validated on a part of the drawings, and not scored.
        recipe: A name of `core.runs.recipes.RECIPES`; by default `best`. A branch has its
            origin's.
        data_dir: The folder that everything is written to.
        run_id: Its name; by default network, recipe and time.
        overrides: Settings that replace the recipe's, or at a branch the origin's.
        origin: A run of the same network to go on from; what is needed of it is
            copied, so that it may be removed afterwards. The new run has its
            classes, of which the dataset may have fewer. Where it begins with the
            weights of a trained run, it has some of its settings where the recipe
            has none.
        origin_epoch: Where to branch from the origin, by the epochs completed in a
            checkpoint that it has kept: the new run goes on with its optimizer and
            history as if it had been the same run, with all of its settings.
        teacher: A trained and evaluated run of the same classes whose answers the
            new run learns from, by the share `distillation`; it is copied.
        calibration: An evaluated run whose temperature the new one takes, if that
            holds nothing out to fit one on; by default the teacher, else the
            origin, as far as they are evaluated.
        fold: How many parts a cross-validation deals the dataset into, which of
            them, from 0, is the test, and the seed of the dealing.

    Raises:
        ConfigError: If a setting is unknown or out of range, settings or arguments
            don't fit each other, or a fold is to go on from a run, which may have
            learned from its test.
        DatasetError: If there is no such dataset, or it is too small, or
            has no stroke variants where the settings draw from them.
        RunError: If the run id is taken or unfit, or the origin, the teacher or
            the calibration doesn't fit.
    """
    if run_id is not None:
        check_new_run_id(run_id, data_dir=data_dir)
    dataset = open_dataset(dataset_name, data_dir=data_dir)
    if fold is not None:
        if origin is not None:
            raise ConfigError(
                "A fold's run begins with random weights: those of another run may "
                "have learned from its test sketches."
            )
        k, index, seed = fold
        dataset = fold_dataset(dataset, k=k, index=index, seed=seed)
    class_names = dataset.class_names
    drawings = None
    if origin is not None:
        theirs = read_config(origin)
        class_names = theirs.class_names
    if origin_epoch is not None:
        if origin is None:
            raise ConfigError("A branch needs a run to leave from.")
        recipe, settings = branch(
            origin, origin_epoch, network, recipe, overrides or {}
        )
    else:
        recipe = recipe or DEFAULT_RECIPE
        taken: dict[str, Any] = {}
        if origin is not None:
            taken = inherited(theirs, RECIPES.get(recipe, {}).get(network))
        settings = make_settings(network, recipe, {**taken, **(overrides or {})})
    if not dataset.num_test:
        if origin is None:
            raise DatasetError(
                f"Dataset {dataset.name!r} has no test sketches; a run can only go on "
                "with it from a trained one. Add `--from RUN`."
            )
        drawings = dataset
        dataset = find_tested(theirs, data_dir=data_dir) or drawings
        _refuse_test_sketches(drawings, dataset)
        if "batch_size" not in (overrides or {}):
            most = max(_epoch_size(dataset, drawings, settings), 1)
            batch_size = min(settings.batch_size, most)
            settings = settings.model_copy(update={"batch_size": batch_size})
    if origin is not None:
        if origin_epoch is None:
            check_weights(origin)
        check_origin(origin, network, dataset, drawings, settings)
    taught = find_teacher(
        teacher, class_names=class_names, dataset=dataset, settings=settings
    )
    _check_size(dataset, drawings, settings)
    variants = open_variants(dataset) if settings.stroke_variants else None
    now = utc_now()
    config = RunConfig(
        run_id=run_id or new_run_id(network, recipe, data_dir=data_dir, now=now),
        network=network,
        dataset=dataset.name,
        dataset_fingerprint=dataset.fingerprint,
        split_fingerprint=dataset.split_fingerprint,
        attribution=dataset.attribution,
        class_names=class_names,
        recipe=recipe,
        settings=settings,
        origin=None if origin is None else describe_origin(origin, origin_epoch),
        teacher=taught,
        drawings=None
        if drawings is None
        else TrainedBesides(dataset=drawings.name, fingerprint=drawings.fingerprint),
        variants_fingerprint=None if variants is None else variants.fingerprint,
        fold=dataset.fold if isinstance(dataset, FoldedDataset) else None,
        calibration=find_calibration(
            calibration,
            teacher,
            origin,
            class_names=class_names,
            settings=settings,
        ),
        created_at=now.isoformat(timespec="seconds"),
    )
    return create_run_dir(
        config,
        data_dir=data_dir,
        origin=origin,
        teacher=teacher,
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
    _refuse_shipped(run_dir)
    read_config(run_dir)
    lock = lock_run(run_dir)
    turn = None
    try:
        # Another may have been made of this name before it was locked.
        config = read_config(run_dir)
        if read_run(run_dir).state == "finished":
            raise RunError(f"Run {run_dir.name!r} is finished; nothing is left to do.")
        if (run_dir / WEIGHTS).exists() and not config.is_tested:
            raise RunError(
                f"Run {run_dir.name!r} is trained, and its dataset "
                f"{config.dataset!r} has no test sketches; nothing is left to do."
            )
        find_dataset(config, data_dir=data_dir, exact=True)
        _find_drawings(config, data_dir=data_dir)
        clear_leftovers(run_dir)
        with stop_requests(run_dir) as is_stop_requested:
            if wait:
                turn = _wait(run_dir, is_stop_requested)
                if turn is None:
                    return False
            try:
                # Not before: others may be of these names by now.
                dataset = hold_dataset(config, data_dir=data_dir, exact=True)
                drawings = _find_drawings(config, data_dir=data_dir)
                if drawings is not None:
                    drawings.hold()
            except DatasetError as error:
                if wait:
                    _say(run_dir, state="failed", message=str(error))
                raise
            if not (run_dir / WEIGHTS).exists():
                _say(run_dir, state="running", phase="starting", message="")
                load_backend()
                from core.training.train import train_run

                finished = train_run(
                    run_dir,
                    config,
                    dataset,
                    drawings=drawings,
                    is_stop_requested=is_stop_requested,
                    report=report,
                    checkpoint_interval_s=checkpoint_interval_s,
                )
                if not finished:
                    return False
        if config.is_tested and evaluate:
            _evaluate_locked(run_dir, config, dataset)
        elif config.is_tested:
            message = (
                f"It is not scored; `python -m core evaluate {run_dir.name}` does that."
            )
            _say(run_dir, state="trained", message=message)
        else:
            message = (
                f"It was not evaluated: the dataset of run {config.origin.run_id!r} "
                "was not installed, and drawings that are learned from are no test."
                if config.origin
                else "It was not evaluated."
            )
            _say(run_dir, state="trained", message=message)
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
        dataset = hold_dataset(config, data_dir=data_dir)
    else:
        dataset = open_dataset(dataset_name, data_dir=data_dir)
        dataset.hold()
    own = dataset.fingerprint == config.dataset_fingerprint and config.is_tested
    metrics = read_run(run_dir).metrics
    if own and not is_shipped(run_dir):
        lock = lock_run(run_dir)
        try:
            clear_leftovers(run_dir)
            return _evaluate_locked(run_dir, config, dataset)
        finally:
            clear_leftovers(run_dir)
            lock.release()
    load_backend()
    from core.training.evaluate import evaluate_run

    with telling_removal(run_dir):
        evaluation, _ = evaluate_run(
            run_dir,
            config,
            dataset,
            calibration=_calibration(config, metrics),
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
    _refuse_shipped(run_dir)
    dataset = hold_dataset(config, data_dir=data_dir)
    lock = lock_run(run_dir)
    try:
        clear_leftovers(run_dir)
        load_backend()
        with stop_requests(run_dir) as is_stop_requested:
            return build_neighbours(
                run_dir, config, dataset, is_stop_requested=is_stop_requested
            )
    finally:
        clear_leftovers(run_dir)
        lock.release()


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

    if (fold := config.fold) is not None:
        installed = _folded(fold, data_dir=data_dir)
    else:
        installed = list_datasets(data_dir)
    candidates = [
        dataset
        for dataset in installed
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


def _folded(fold: Fold, *, data_dir: Path) -> list[Dataset]:
    """Deals the installed copies of a fold's dataset anew."""
    return [
        fold_dataset(dataset, k=fold.k, index=fold.index, seed=fold.seed)
        for dataset in list_datasets(data_dir)
        if dataset.fingerprint == fold.dataset_fingerprint
    ]


def hold_dataset(config: RunConfig, *, data_dir: Path, exact: bool = False) -> Dataset:
    """Finds the dataset of a run, and holds it: it may be removed then.

    Raises:
        DatasetError: If it is not installed, or damaged.
    """
    while True:
        dataset = find_dataset(config, data_dir=data_dir, exact=exact)
        try:
            dataset.hold()
        except DatasetError:
            if find_dataset(config, data_dir=data_dir, exact=exact) == dataset:
                raise
        else:
            return dataset


def find_tested(config: RunConfig, *, data_dir: Path) -> Dataset | None:
    """Returns the dataset that a run is scored on, if it is installed.

    It is the very one, whose validation part the run has not learned from.
    """
    try:
        dataset = find_dataset(config, data_dir=data_dir, exact=True)
    except DatasetError:
        return None
    return dataset if dataset.num_test else None


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


def _find_drawings(config: RunConfig, *, data_dir: Path) -> Dataset | None:
    """Finds what a run learns from besides its dataset, if anything."""
    wanted = config.drawings
    if wanted is None or not config.is_tested:
        return None
    for dataset in list_datasets(data_dir):
        if dataset.fingerprint == wanted.fingerprint:
            return dataset
    raise DatasetError(
        f"Dataset {wanted.dataset!r}, with the drawings that run {config.run_id!r} "
        "began with, is not installed any more. Start a new run with those of now."
    )


def _epoch_size(dataset: Dataset, drawings: Dataset | None, settings: Settings) -> int:
    """Returns how many sketches an epoch learns from."""
    held_out = split_size(dataset.num_train, fraction=settings.val_fraction)
    left = dataset.num_train - held_out
    if drawings is None or drawings is dataset:
        return left
    return drawings.num_train + min(settings.rehearsal * drawings.num_train, left)


def _check_size(dataset: Dataset, drawings: Dataset | None, settings: Settings) -> None:
    """Raises `DatasetError` if a run's sketches don't fill one batch."""
    if settings.val_fraction and dataset.num_train < 2:
        raise DatasetError(
            f"Dataset {dataset.name!r} has {dataset.num_train} training sketch; it "
            "takes at least one to train on and one for validation."
        )
    left = _epoch_size(dataset, drawings, settings)
    if left < settings.batch_size:
        raise DatasetError(
            f"Dataset {(drawings or dataset).name!r} has {left} sketches to train on, "
            f"fewer than one batch of {settings.batch_size}. Add "
            f"`--set batch_size={left}` or less."
        )


def _refuse_test_sketches(drawings: Dataset, dataset: Dataset) -> None:
    """Raises `DatasetError` if a kept drawing is a test sketch of a dataset."""
    test = dataset.keys[dataset.indices("test"), 1]
    for row in np.flatnonzero(np.isin(drawings.keys[:, 1], test))[:1]:
        raise DatasetError(
            f"Drawing {drawings.records[row].id} is a test sketch of dataset "
            f"{dataset.name!r}, which no run may learn from. Remove it with `python -m "
            f"core drawings remove {drawings.records[row].id}` and make the dataset "
            "anew."
        )


def _evaluate_locked(
    run_dir: Path, config: RunConfig, dataset: Dataset
) -> dict[str, Any]:
    """Evaluates and indexes a run whose lock is held, and writes its status."""
    _say(run_dir, state="running", phase="evaluating", message="")
    missed = "It was not evaluated"
    try:
        load_backend()
        from core.runs.evaluation import write_evaluation
        from core.training.evaluate import evaluate_run

        evaluation, class_rows = evaluate_run(
            run_dir, config, dataset, calibration=_calibration(config)
        )
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
    write_status(
        run_dir,
        replace(
            read_run(run_dir).status,
            **current_process(),
            **changes,
        ),
    )
