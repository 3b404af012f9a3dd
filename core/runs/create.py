"""Makes runs: from scratch, from a trained one, or with kept drawings."""

import errno
import os
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from core.datasets.folds import FoldedDataset, fold_dataset
from core.datasets.splits import split_size
from core.datasets.store import Dataset, open_dataset
from core.datasets.variants import open_variants
from core.errors import ConfigError, DatasetError, RunError
from core.files import replacing, write_json
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
from core.runs.dataset import find_tested
from core.runs.folder import (
    CONFIG,
    CREATED_PREFIX,
    DAMAGE,
    INITIAL_CHECKPOINT,
    INITIAL_WEIGHTS,
    TEACHER_DIR,
    TRAIN_KEYS,
    WEIGHTS,
    check_run_id,
    kept_checkpoint,
    runs_dir,
    telling_removal,
)
from core.runs.reading import (
    check_weights,
    damaged,
    read_config,
    read_train_keys,
    write_history,
)
from core.runs.recipes import RECIPES, make_settings
from core.runs.status import Status, utc_now, write_status
from core.runs.weights import read_metadata

DEFAULT_RECIPE = "best"


def new_run_id(network: str, recipe: str, *, data_dir: Path, now: datetime) -> str:
    """Returns an unused id such as `simple-best-20261123-072600`."""
    stem = f"{network}-{recipe}-{now:%Y%m%d-%H%M%S}"
    run_id, number = stem, 2
    while (runs_dir(data_dir) / run_id).exists():
        run_id, number = f"{stem}-{number}", number + 1
    return run_id


def create_run_dir(
    config: RunConfig,
    *,
    data_dir: Path,
    origin: Path | None = None,
    teacher: Path | None = None,
) -> Path:
    """Makes the folder of a new run, with its config and a first status.

    Args:
        config: Its config.
        data_dir: The folder that everything is written to.
        origin: The run that it goes on from; its weights, or the checkpoint that the
            config names, are copied.
        teacher: The trained run that it learns from; config and weights are copied.

    Raises:
        RunError: If the id is taken, the folder can't be written, or what is to be
            copied is damaged.
    """
    check_run_id(config.run_id)
    path = runs_dir(data_dir) / config.run_id
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # Renamed at the end: who is killed before has made no run.
        made = Path(
            tempfile.mkdtemp(prefix=f"{CREATED_PREFIX}{os.getpid()}-", dir=path.parent)
        )
        try:
            status = Status(state="stopped", epochs=config.settings.epochs)
            if origin is not None:
                with telling_removal(origin):
                    status = _copy_origin(origin, made, config, status)
            if teacher is not None:
                with telling_removal(teacher):
                    (made / TEACHER_DIR).mkdir()
                    for name in (CONFIG, WEIGHTS):
                        shutil.copy(teacher / name, made / TEACHER_DIR / name)
            _copy_seen([path for path in (origin, teacher) if path is not None], made)
            write_json(made / CONFIG, config.model_dump(mode="json"))
            write_status(made, status)
            made.chmod(0o755)
            # Fails if there is a folder of that name, since none of a run is empty.
            made.rename(path)
        except (OSError, RunError):
            shutil.rmtree(made, ignore_errors=True)
            raise
    except OSError as error:
        if error.errno in (errno.EEXIST, errno.ENOTEMPTY, errno.ENOTDIR):
            raise RunError(
                f"There is a run {config.run_id!r} already. Choose another --run-id, "
                f"or go on with `python -m core train --resume {config.run_id}`."
            ) from error
        raise RunError(f"{path} can't be made: {error.strerror}.") from error
    return path


def _copy_origin(origin: Path, made: Path, config: RunConfig, status: Status) -> Status:
    """Copies what a run begins with from its origin; returns how far that is."""
    epoch = config.origin.epoch if config.origin else None
    if epoch is None:
        shutil.copy(origin / WEIGHTS, made / INITIAL_WEIGHTS)
        return status
    source = origin / kept_checkpoint(epoch)
    shutil.copy(source, made / INITIAL_CHECKPOINT)
    saved = read_metadata(source)
    try:
        rows, elapsed_s = list(saved["history"]), float(saved["elapsed_s"])
        if (saved["epoch"], len(rows)) != (epoch, epoch):
            raise ValueError(f"it is not of epoch {epoch}")
    except DAMAGE as error:
        raise RunError(damaged(source, error)) from error
    # Until it has trained further, its course is that of its origin.
    write_history(made, rows)
    return replace(status, epoch=epoch, elapsed_s=elapsed_s)


def _copy_seen(sources: Sequence[Path], made: Path) -> None:
    """Writes what a run's origin and teacher have seen: that counts as seen by it."""
    seen = []
    for source in sources:
        with telling_removal(source):
            seen.append(read_train_keys(source))
    if seen:
        with replacing(made / TRAIN_KEYS) as temporary, temporary.open("wb") as stream:
            np.save(stream, np.unique(np.concatenate(seen)))


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
        recipe: A name of `core.runs.recipes.RECIPES`; by default `best`. A branch
            has its origin's.
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
