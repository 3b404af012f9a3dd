"""Finds the dataset of a run: its own, a fold of it, or what it can be scored on."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from core.datasets import eitz
from core.datasets.drawings_dataset import install_drawings
from core.datasets.folds import Fold, fold_dataset
from core.datasets.splits import (
    BLOCK,
    GivenSplit,
    mend_split,
    stratified_split,
    units,
)
from core.datasets.store import Dataset, Progress, list_datasets
from core.datasets.versions import list_all
from core.errors import DatasetError, RunError
from core.runs.config import RunConfig, Settings
from core.runs.evaluation import read_evaluation
from core.runs.folder import CONFIG, WEIGHTS
from core.runs.reading import list_runs


def make_drawings_dataset(
    data_dir: Path, *, progress: Progress | None = None
) -> Dataset:
    """Makes the kept drawings the dataset `my-drawings`, anew if they have changed.

    An earlier `my-drawings` that a run still needs to go on is kept under another
    name.

    Raises:
        DrawingError: If no drawings are kept.
        DatasetError: If a dataset of that name holds something else, or the disk is
            full.
        ImageError: If a picture is damaged.
    """
    return install_drawings(
        data_dir,
        is_needed=lambda dataset: is_needed(dataset, data_dir=data_dir),
        progress=progress,
    )


def is_needed(dataset: Dataset, *, data_dir: Path) -> bool:
    """Returns whether a run that is not trained yet learns from a dataset."""
    return any(
        run.config is not None
        and run.config.drawings is not None
        and run.config.drawings.fingerprint == dataset.fingerprint
        and not (run.path / WEIGHTS).exists()
        for run in list_runs(data_dir=data_dir, trained_dir=data_dir / "none")
    )


def shipped_split(trained_dir: Path) -> GivenSplit | None:
    """Returns the split of the TU-Berlin networks that ship, if there are any.

    Args:
        trained_dir: The folder of shipped runs.
    """
    for path in sorted(trained_dir.glob(f"*/{CONFIG}")):
        try:
            evaluation = read_evaluation(path.parent)
        except RunError:
            continue
        if len(evaluation.class_names) == eitz.NUM_CLASSES:
            blocks = {
                (int(sketch_id) - 1) // BLOCK: evaluation.class_names[label]
                for sketch_id, label in zip(
                    evaluation.ids, evaluation.y_true.tolist(), strict=True
                )
            }
            return GivenSplit(
                evaluation.class_names,
                frozenset(evaluation.ids),
                class_of_block=blocks,
                attribution=eitz.ATTRIBUTION,
            )
    return None


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

    def match_quality(dataset: Dataset) -> tuple[bool, bool]:
        is_same = dataset.fingerprint == config.dataset_fingerprint
        return is_same, dataset.name == config.dataset

    if (fold := config.fold) is not None:
        installed = _folded(fold, data_dir=data_dir)
    else:
        installed = list_all(data_dir)
    candidates = [
        dataset
        for dataset in installed
        if dataset.fingerprint == config.dataset_fingerprint
        or (not exact and dataset.split_fingerprint == config.split_fingerprint)
    ]
    candidates.sort(key=match_quality, reverse=True)
    if not candidates:
        raise DatasetError(
            "Dataset {dataset!r}, with the sketches and the split that run {run!r} was "
            "made with, is not installed. Add it with `python -m core dataset add`.",
            dataset=config.dataset,
            run=config.run_id,
        )
    return candidates[0]


def _folded(fold: Fold, *, data_dir: Path) -> list[Dataset]:
    """Deals the installed copies of a fold's dataset anew."""
    return [
        fold_dataset(dataset, **fold.model_dump(exclude={"dataset_fingerprint"}))
        for dataset in list_all(data_dir)
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


def rows_of(dataset: Dataset, ids: Sequence[str]) -> list[int]:
    """Returns the rows of the sketches that a run was scored on.

    Raises:
        DatasetError: If one is not there, or has another name.
    """
    try:
        return [dataset.rows[name] for name in ids]
    except KeyError as error:
        raise DatasetError(
            "Dataset {dataset!r} has no sketch {sketch!r}, though it may hold the same "
            "picture by another name. Add it from where it came from before.",
            dataset=dataset.name,
            sketch=error.args[0],
        ) from error


def find_tested(config: RunConfig, *, data_dir: Path) -> Dataset | None:
    """Returns the dataset that a run is scored on, if it is installed.

    It is the very one, whose validation part the run has not learned from.
    """
    try:
        dataset = find_dataset(config, data_dir=data_dir, exact=True)
    except DatasetError:
        return None
    return dataset if dataset.num_test else None


def find_drawings(config: RunConfig, *, data_dir: Path) -> Dataset | None:
    """Finds what a run learns from besides its dataset, if anything."""
    wanted = config.drawings
    if wanted is None or not config.is_tested:
        return None
    for dataset in list_datasets(data_dir):
        if dataset.fingerprint == wanted.fingerprint:
            return dataset
    raise DatasetError(
        "Dataset {dataset!r}, with the drawings that run {run!r} began with, is not "
        "installed any more. Start a new run with those of now.",
        dataset=wanted.dataset,
        run=config.run_id,
    )


def validation_split(dataset: Dataset, settings: Settings) -> tuple[Any, Any]:
    """Returns the rows of train proper and of validation, ascending.

    Copies of a picture, and what is of one group, are in one of them.
    """
    rows = dataset.indices("train")
    _, held_out = stratified_split(
        dataset.labels[rows], fraction=settings.val_fraction, seed=settings.seed
    )
    is_held_out = np.zeros(len(rows), dtype=bool)
    is_held_out[held_out] = True
    groups = [dataset.records[row].group for row in rows]
    unit = units(dataset.keys[rows, 1], groups)
    mended = mend_split(
        dataset.labels[rows], is_held_out, unit, fraction=settings.val_fraction
    )
    # Where each class has one sketch, there is nothing to hold out but some of these.
    is_held_out = mended if mended.any() else is_held_out
    return rows[~is_held_out], rows[is_held_out]
