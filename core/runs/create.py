"""Makes runs: from scratch, from a trained one, or with kept drawings."""

import errno
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from core.datasets.folds import FoldedDataset
from core.datasets.store import Dataset
from core.datasets.variants import open_variants
from core.datasets.versions import open_any
from core.errors import ConfigError, DatasetError, RunError, damaged
from core.files import free_name, make_folder, new_folder, replacing, write_json
from core.paths import TRAINED_DIR
from core.runs.ancestry import (
    branch,
    check_origin,
    describe_origin,
    find_calibration,
    find_teacher,
    inherited,
)
from core.runs.config import ExtraDataset, RunConfig, Settings
from core.runs.dataset import find_tested, validation_split
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
    reporting_removal,
    runs_dir,
)
from core.runs.reading import (
    check_weights,
    read_config,
    read_train_keys,
    write_history,
)
from core.runs.recipes import make_settings, recipe_fields
from core.runs.status import Status, utc_now, write_status
from core.runs.weights import read_metadata

DEFAULT_RECIPE = "best"

MAX_STEM = 70
"""Letters of a mended name; an id has 80, and room for a number."""


def new_run_id(network: str, recipe: str, *, data_dir: Path, now: datetime) -> str:
    """Returns an unused id such as `simple-best-20261123-072600`."""
    stem = f"{network}-{recipe}-{now:%Y%m%d-%H%M%S}"
    run_id, number = stem, 2
    while (runs_dir(data_dir) / run_id).exists():
        run_id, number = f"{stem}-{number}", number + 1
    return run_id


def free_run_id(name: str, *, data_dir: Path) -> str | None:
    """Returns an unused id as near to a name as can be; None if nothing is left."""
    folders = (TRAINED_DIR, runs_dir(data_dir))
    return free_name(name, folders, max_stem=MAX_STEM)


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
        make_folder(path.parent)
        # Renamed at the end, which fails if there is a folder of that name, since none
        # of a run is empty. The machines of a cluster may share it.
        with new_folder(path, prefix=CREATED_PREFIX, is_shared=True) as made:
            status = Status(state="stopped", epochs=config.settings.epochs)
            if origin is not None:
                with reporting_removal(origin):
                    status = _copy_origin(origin, made, config, status)
            if teacher is not None:
                with reporting_removal(teacher):
                    (made / TEACHER_DIR).mkdir()
                    for name in (CONFIG, WEIGHTS):
                        shutil.copy(teacher / name, made / TEACHER_DIR / name)
            _copy_seen([path for path in (origin, teacher) if path is not None], made)
            write_json(made / CONFIG, config.model_dump(mode="json"))
            write_status(made, status)
    except OSError as error:
        if error.errno in (errno.EEXIST, errno.ENOTEMPTY, errno.ENOTDIR):
            raise RunError(
                "There is a run {run!r} already. Choose another --run-id, or go on "
                "with `python -m core train --resume {run}`.",
                run=config.run_id,
            ) from error
        raise RunError(
            "{path} can't be made: {reason}.", path=path, reason=error.strerror
        ) from error
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
        with reporting_removal(source):
            seen.append(read_train_keys(source))
    if seen:
        with replacing(made / TRAIN_KEYS) as temporary, temporary.open("wb") as stream:
            np.save(stream, np.unique(np.concatenate(seen)))


def create_run(
    network: str,
    dataset: str | Dataset,
    recipe: str | None = None,
    *,
    data_dir: Path,
    run_id: str | None = None,
    overrides: Mapping[str, Any] | None = None,
    origin: Path | None = None,
    origin_epoch: int | None = None,
    teacher: Path | None = None,
    calibration: Path | None = None,
) -> Path:
    """Makes the folder of a new run; `train_run_dir` then trains it.

    Args:
        network: A name of `models.NETWORKS`.
        dataset: An installed dataset or a version by name, or a fold. From one without
            test sketches, such as kept drawings, a run learns besides the dataset of
            its origin, on which it is validated and scored. Where that is not
            installed, it is validated on a part of the drawings, and not scored.
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
    if isinstance(dataset, str):
        dataset = open_any(dataset, data_dir=data_dir)
    fields = overrides or {}
    if origin is None:
        if origin_epoch is not None:
            raise ConfigError("A branch needs a run to leave from.")
        begin = _fresh(network, dataset, recipe, fields)
    else:
        begin = _from_origin(origin, origin_epoch, network, dataset, recipe, fields)
        if not dataset.num_test:
            begin = _from_drawings(begin, origin, data_dir=data_dir)
        if origin_epoch is None:
            check_weights(origin)
        check_origin(origin, network, begin.dataset, begin.drawings, begin.settings)
    if origin_epoch is None:
        begin = _fit_batch(begin, fields)
    taught = find_teacher(
        teacher,
        class_names=begin.class_names,
        dataset=begin.dataset,
        settings=begin.settings,
    )
    _check_size(begin)
    settings, drawings = begin.settings, begin.drawings
    variants = open_variants(begin.dataset) if settings.stroke_variants else None
    now = utc_now()
    config = RunConfig(
        run_id=run_id or new_run_id(network, begin.recipe, data_dir=data_dir, now=now),
        network=network,
        dataset=begin.dataset.name,
        dataset_fingerprint=begin.dataset.fingerprint,
        split_fingerprint=begin.dataset.split_fingerprint,
        attribution=begin.dataset.attribution,
        class_names=begin.class_names,
        recipe=begin.recipe,
        settings=settings,
        origin=None if origin is None else describe_origin(origin, origin_epoch),
        teacher=taught,
        drawings=None
        if drawings is None
        else ExtraDataset(dataset=drawings.name, fingerprint=drawings.fingerprint),
        variants_fingerprint=None if variants is None else variants.fingerprint,
        fold=dataset.fold if isinstance(dataset, FoldedDataset) else None,
        calibration=find_calibration(
            calibration,
            teacher,
            origin,
            class_names=begin.class_names,
            settings=settings,
        ),
        created_at=now.isoformat(timespec="seconds"),
    )
    return create_run_dir(config, data_dir=data_dir, origin=origin, teacher=teacher)


@dataclass(frozen=True)
class _Begin:
    """What a run begins with: of what it learns which classes, and how."""

    dataset: Dataset
    class_names: tuple[str, ...]
    recipe: str
    settings: Settings
    drawings: Dataset | None = None

    @property
    def epoch_size(self) -> int:
        """How many sketches an epoch learns from."""
        left = self.dataset.num_train
        if self.settings.val_fraction and left > 1:
            left = len(validation_split(self.dataset, self.settings)[0])
        if self.drawings is None or self.drawings is self.dataset:
            return left
        drawn = self.drawings.num_train
        return drawn + min(self.settings.rehearsal * drawn, left)


def _fresh(
    network: str, dataset: Dataset, recipe: str | None, overrides: Mapping[str, Any]
) -> _Begin:
    """Begins with random weights."""
    recipe = recipe or DEFAULT_RECIPE
    settings = make_settings(network, recipe, overrides)
    if not dataset.num_test:
        raise DatasetError(
            "Dataset {dataset!r} has no test sketches; a run can only go on with "
            "it from a trained one. Add `--from RUN`.",
            dataset=dataset.name,
        )
    return _Begin(dataset, dataset.class_names, recipe, settings)


def _from_origin(
    origin: Path,
    epoch: int | None,
    network: str,
    dataset: Dataset,
    recipe: str | None,
    overrides: Mapping[str, Any],
) -> _Begin:
    """Begins with another run's weights, or with its checkpoint after an epoch."""
    if isinstance(dataset, FoldedDataset):
        raise ConfigError(
            "A fold's run begins with random weights: those of another run may "
            "have learned from its test sketches."
        )
    theirs = read_config(origin)
    if epoch is not None:
        recipe, settings = branch(origin, epoch, network, recipe, overrides)
    else:
        recipe = recipe or DEFAULT_RECIPE
        taken = inherited(theirs, recipe_fields(network, recipe))
        settings = make_settings(network, recipe, {**taken, **overrides})
    return _Begin(dataset, theirs.class_names, recipe, settings)


def _from_drawings(begin: _Begin, origin: Path, *, data_dir: Path) -> _Begin:
    """Learns drawings besides the origin's dataset, where that is installed."""
    drawings = begin.dataset
    dataset = find_tested(read_config(origin), data_dir=data_dir) or drawings
    _refuse_test_sketches(drawings, dataset)
    return replace(begin, dataset=dataset, drawings=drawings)


def _fit_batch(begin: _Begin, overrides: Mapping[str, Any]) -> _Begin:
    """Makes a batch as small as there are sketches, unless its size is said."""
    if "batch_size" in overrides:
        return begin
    batch_size = min(begin.settings.batch_size, max(begin.epoch_size, 1))
    settings = begin.settings.model_copy(update={"batch_size": batch_size})
    return replace(begin, settings=settings)


def check_new_run_id(run_id: str, *, data_dir: Path) -> None:
    """Raises `RunError` unless a new run may have a name.

    The names of runs that ship are taken: an address with one means that run.
    """
    check_run_id(run_id)
    if (TRAINED_DIR / run_id).exists():
        raise RunError(
            "{run!r} is the name of a run that ships. Choose another name.", run=run_id
        )
    if (runs_dir(data_dir) / run_id).exists():
        raise RunError(
            "There is a run {run!r} already. Choose another name, or go on with "
            "`python -m core train --resume {run}`.",
            run=run_id,
        )


def _check_size(begin: _Begin) -> None:
    """Raises `DatasetError` if a run's sketches don't fill one batch."""
    dataset, settings, left = begin.dataset, begin.settings, begin.epoch_size
    if settings.val_fraction and dataset.num_train < 2:
        raise DatasetError(
            "Dataset {dataset!r} has {num_train} training sketch; it takes at least "
            "one to train on and one for validation.",
            dataset=dataset.name,
            num_train=dataset.num_train,
        )
    if left < settings.batch_size:
        raise DatasetError(
            "Dataset {dataset!r} has {left} sketches to train on, fewer than one batch "
            "of {batch_size}. Add `--set batch_size={left}` or less.",
            dataset=(begin.drawings or dataset).name,
            left=left,
            batch_size=settings.batch_size,
        )


def _refuse_test_sketches(drawings: Dataset, dataset: Dataset) -> None:
    """Raises `DatasetError` if a kept drawing is a test sketch of a dataset."""
    test = dataset.keys[dataset.indices("test"), 1]
    for row in np.flatnonzero(np.isin(drawings.keys[:, 1], test))[:1]:
        raise DatasetError(
            "Drawing {drawing} is a test sketch of dataset {dataset!r}, which no run "
            "may learn from. Remove it with `python -m core drawings remove {drawing}` "
            "and make the dataset anew.",
            drawing=drawings.records[row].id,
            dataset=dataset.name,
        )
