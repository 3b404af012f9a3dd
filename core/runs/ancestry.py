"""What a new run takes from others: its origin, its teacher, its temperature.

Here it is found, checked and described; `core.runs.create.create_run_dir` copies it.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from core.datasets.store import Dataset
from core.errors import ConfigError, RunError
from core.files import sha256
from core.runs.config import Calibration, Origin, RunConfig, Settings, Teacher
from core.runs.dataset import validation_split
from core.runs.folder import WEIGHTS, kept_checkpoint, kept_epochs, reporting_removal
from core.runs.reading import check_weights, read_config, read_run, read_train_keys
from core.runs.recipes import make_settings
from models import NETWORKS

FORMLESS = ("dropout", "zero_last_gamma")
"""Options of networks that a run may change and still begin with the same weights."""


def inherited(theirs: RunConfig, recipe: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the settings of an origin that a recipe leaves open.

    Its weights fit one form and size of the network, and validation must go on with
    the sketches that it held out.
    """
    settings = theirs.settings
    fixed = {
        **{name: getattr(settings, name) for name in _forms(theirs.network)},
        "seed": settings.seed,
        "val_fraction": settings.val_fraction,
        "image_sizes": (settings.test_image_size,),
    }
    return {field: value for field, value in fixed.items() if field not in recipe}


def branch(
    origin: Path,
    epoch: int,
    network: str,
    recipe: str | None,
    overrides: Mapping[str, Any],
) -> tuple[str, Settings]:
    """Returns the recipe and settings of a branch.

    Raises:
        ConfigError: If a setting is unknown or out of range, or a recipe is named.
        RunError: If the origin has kept no such checkpoint, or a setting doesn't
            fit it.
    """
    config = read_config(origin)
    theirs = config.settings
    if recipe is not None and recipe != config.recipe:
        raise ConfigError(
            "A branch goes on with the recipe of its origin, {recipe!r}. Leave "
            "--recipe out; `--set FIELD=VALUE` changes single fields.",
            recipe=config.recipe,
        )
    if network != config.network:
        raise _other_network(origin, config, network)
    if epoch not in (kept := kept_epochs(origin)):
        if not kept:
            raise RunError("Run {run!r} has kept no checkpoint.", run=origin.name)
        raise RunError(
            "Run {run!r} has kept no checkpoint after epoch {epoch}. Choose one of: "
            "{options}.",
            run=origin.name,
            epoch=epoch,
            options=", ".join(f"{origin.name}@{number}" for number in kept),
        )
    settings = make_settings(
        network, config.recipe, {**theirs.model_dump(), **overrides}
    )
    for field, (wanted, has) in _unfit(network, theirs, settings).items():
        raise RunError(
            "The checkpoint of run {origin!r} needs `{field}={wanted}`, which a "
            "branch can't change. Received: {field}={has}",
            origin=origin.name,
            field=field,
            wanted=wanted,
            has=has,
        )
    if settings.epochs <= epoch:
        raise ConfigError(
            "A branch after epoch {epoch} must have more epochs in all. Received: "
            "epochs={epochs}",
            epoch=epoch,
            epochs=settings.epochs,
        )
    return config.recipe, settings


def describe_origin(origin: Path, epoch: int | None) -> Origin:
    """Returns what a config says of an origin, or of where a branch leaves it."""
    with reporting_removal(origin):
        run = read_run(origin)
        earlier_epochs: int | None = 0
        earlier_s: float | None = 0.0
        if run.config is not None and run.config.origin is not None:
            earlier_epochs = run.config.origin.earlier_epochs
            earlier_s = run.config.origin.earlier_s
        if epoch is None:
            # A branch has these rows in its own history.
            trained_s = run.history[-1]["elapsed_s"] if run.history else 0.0
            if not run.history or earlier_epochs is None or earlier_s is None:
                earlier_epochs = earlier_s = None
            else:
                earlier_epochs += len(run.history)
                earlier_s += trained_s
        file = WEIGHTS if epoch is None else kept_checkpoint(epoch)
        return Origin(
            run_id=origin.name,
            weights_sha256=sha256(origin / file),
            epoch=epoch,
            earlier_epochs=earlier_epochs,
            earlier_s=earlier_s,
        )


def find_teacher(
    teacher: Path | None,
    *,
    class_names: Sequence[str],
    dataset: Dataset,
    settings: Settings,
) -> Teacher | None:
    """Describes the run that a new one learns from.

    Raises:
        ConfigError: If `distillation` asks for another than is named.
        RunError: If it is not evaluated, has other classes, or has learned from a
            test sketch of the dataset.
    """
    if teacher is None:
        if settings.distillation:
            raise ConfigError(
                "`distillation={distillation:g}` needs a run to learn from. Add "
                "`--teacher RUN`.",
                distillation=settings.distillation,
            )
        return None
    if not settings.distillation:
        raise ConfigError(
            "A teacher is listened to by the share `distillation`, which is 0. Add "
            "`--set distillation=0.5`, say."
        )
    config = read_config(teacher)
    check_weights(teacher)
    if set(config.class_names) != set(class_names):
        raise RunError(
            "Run {teacher!r} knows other classes than the new run is to learn, so it "
            "can't be its teacher.",
            teacher=teacher.name,
        )
    metrics = read_run(teacher).metrics
    if metrics is None:
        raise RunError(
            "Run {teacher!r} is not evaluated, so its temperature is not known. "
            "`python -m core evaluate {teacher}` makes that good.",
            teacher=teacher.name,
        )
    with reporting_removal(teacher):
        seen = read_train_keys(teacher)
        test = dataset.keys[dataset.indices("test")]
        known = int(np.isin(test, seen).any(axis=1).sum()) if len(test) else 0
        if known:
            raise RunError(
                "Run {teacher!r} was trained on {known} of the {count} test sketches "
                "of dataset {dataset!r}; what it teaches would tell of them.",
                teacher=teacher.name,
                known=known,
                count=len(test),
                dataset=dataset.name,
            )
        return Teacher(
            run_id=teacher.name,
            weights_sha256=sha256(teacher / WEIGHTS),
            temperature=metrics["temperature"],
        )


def find_calibration(
    named: Path | None,
    *others: Path | None,
    class_names: Sequence[str],
    settings: Settings,
) -> Calibration | None:
    """Finds the temperature of a run that holds out nothing to fit one on.

    Args:
        named: The run whose it is to be.
        others: Runs that may give theirs otherwise, the first first.
        class_names: The new run's.
        settings: The new run's.

    Raises:
        ConfigError: If the new run fits its own.
        RunError: If the named run has none, or knows other classes.
    """
    if settings.val_fraction:
        if named is not None:
            raise ConfigError(
                "A run that is validated fits a temperature of its own; --calibration "
                "goes with `--set val_fraction=0`. Received: "
                "val_fraction={val_fraction:g}",
                val_fraction=settings.val_fraction,
            )
        return None
    if named is not None:
        if set(read_config(named).class_names) != set(class_names):
            raise RunError(
                "Run {run!r} knows other classes than the new run, so its temperature "
                "is no guess at the new one's.",
                run=named.name,
            )
        if (temperature := _temperature(named)) is None:
            raise RunError(
                "Run {run!r} has no temperature that was fitted on validation.",
                run=named.name,
            )
        return temperature
    known = (_temperature(path) for path in others if path is not None)
    return next((run for run in known if run is not None), None)


def check_origin(
    origin: Path,
    network: str,
    dataset: Dataset,
    drawings: Dataset | None,
    settings: Settings,
) -> None:
    """Raises `RunError` unless a run's weights may be the start of a new one."""
    learned = drawings or dataset
    config = read_config(origin)
    theirs = config.settings
    if config.network != network:
        raise _other_network(origin, config, network)
    unknown = sorted(set(learned.class_names) - set(config.class_names))
    if unknown:
        raise RunError(
            "Run {run!r} doesn't know class {class_name!r} of dataset {dataset!r}; a "
            "run can only go on with classes that it knows.",
            run=origin.name,
            class_name=unknown[0],
            dataset=learned.name,
        )
    for name in _forms(network):
        if (value := getattr(theirs, name)) != getattr(settings, name):
            raise RunError(
                "Run {run!r} was trained with `{name}={value}`. Add `--set "
                "{name}={value}`.",
                run=origin.name,
                name=name,
                value=value,
            )
    if settings.val_fraction:
        _check_validation(origin, config, dataset, settings)


def _check_validation(
    origin: Path, config: RunConfig, dataset: Dataset, settings: Settings
) -> None:
    """Raises `RunError` if a run would be validated on what its origin has learned.

    Training keys are of the whole training part, validation included, so they tell
    nothing where both hold out the same sketches.
    """
    theirs = config.settings
    held_out = (theirs.seed, theirs.val_fraction)
    is_same = dataset.fingerprint == config.dataset_fingerprint
    if is_same and (settings.seed, settings.val_fraction) == held_out:
        return
    if is_same and not theirs.val_fraction:
        raise RunError(
            "Run {run!r} has learned from all training sketches, so none is left "
            "to validate on. Add `--set val_fraction=0`.",
            run=origin.name,
        )
    if is_same:
        raise RunError(
            "Run {run!r} held out another part for validation. Add `--seed {seed} "
            "--set val_fraction={val_fraction:g}`.",
            run=origin.name,
            seed=theirs.seed,
            val_fraction=theirs.val_fraction,
        )
    _, held = validation_split(dataset, settings)
    with reporting_removal(origin):
        seen = read_train_keys(origin)
    known = int(np.isin(dataset.keys[held], seen).any(axis=1).sum())
    if known:
        raise RunError(
            "Run {run!r} may have learned from {known} of the {total} sketches of "
            "dataset {dataset!r} that would validate the new run. Add `--set "
            "val_fraction=0`.",
            run=origin.name,
            known=known,
            total=len(held),
            dataset=dataset.name,
        )


def _forms(network: str) -> list[str]:
    """Returns the settings that decide which weights a network has."""
    return [name for name in NETWORKS[network].options if name not in FORMLESS]


def _unfit(
    network: str, theirs: Settings, settings: Settings
) -> dict[str, tuple[Any, Any]]:
    """Returns the fields that an origin's network and optimizer can't go on with."""
    fields = [*_forms(network), "optimizer"]
    pairs = {name: (getattr(theirs, name), getattr(settings, name)) for name in fields}
    if not NETWORKS[network].any_size:
        pairs["image_sizes"] = (list(theirs.image_sizes), list(settings.image_sizes))
    return {
        name: (wanted, has) for name, (wanted, has) in pairs.items() if wanted != has
    }


def _temperature(run_dir: Path) -> Calibration | None:
    """Returns a run's temperature and on whose validation part that was fitted."""
    metrics = read_run(run_dir).metrics
    source = (metrics or {}).get("temperature_from", run_dir.name)
    if metrics is None or source is None:
        return None
    return Calibration(run_id=source, temperature=metrics["temperature"])


def _other_network(origin: Path, config: RunConfig, network: str) -> RunError:
    return RunError(
        "Run {run!r} is of network {network!r}; a run of {wanted!r} can't go on from "
        "it.",
        run=origin.name,
        network=config.network,
        wanted=network,
    )
