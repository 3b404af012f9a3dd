"""The cross-validation by which the training sketches of a dataset are asked."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from core.datasets.store import Dataset
from core.errors import RunError
from core.runs.folder import runs_dir
from core.runs.out_of_fold import OutOfFold, gather, write_out_of_fold
from core.sweeps.record import SweepRecord
from core.sweeps.spec import Sweep, parse_sweep

FOLDS = 4
"""Three quarters of train teach each network; a fold more is a training more."""


def suspects_sweep(
    dataset: Dataset,
    *,
    network: str,
    recipe: str = "best",
    folds: int = FOLDS,
    fields: Mapping[str, Any] | None = None,
    seed: int = 0,
) -> Sweep:
    """Describes the cross-validation of a dataset's training sketches.

    Its name is that of no other dataset or settings, so that none are mixed.

    Args:
        dataset: An installed dataset.
        network: A name of `models.NETWORKS`.
        recipe: A name of `core.runs.recipes.RECIPES`.
        folds: How many parts the training sketches are dealt into.
        fields: Settings that replace the recipe's.
        seed: Of the dealing and of the trainings.

    Raises:
        ConfigError: If an argument is out of range.
    """
    content = {
        "dataset": dataset.name,
        "networks": [network],
        "recipes": [recipe],
        # A list is a choice; a field that is a list is a choice of one.
        "fields": {
            name: [value] if isinstance(value, list) else value
            for name, value in (fields or {}).items()
        },
        "seeds": [seed],
        "fold_seed": seed,
        "folds": folds,
        "dealt": "train",
    }
    identity = json.dumps([dataset.fingerprint, content], sort_keys=True)
    digest = hashlib.sha256(identity.encode()).hexdigest()[:8]
    return parse_sweep(content, default_name=f"suspects-{dataset.name[:30]}-{digest}")


def finish_suspects(
    dataset: Dataset, record: SweepRecord, *, data_dir: Path
) -> OutOfFold:
    """Gathers the predictions of a finished cross-validation and stores them.

    Raises:
        RunError: If a fold's run isn't finished or evaluated.
    """
    if record.ended < record.total:
        raise RunError(
            "{ended} of {total} folds of dataset {dataset!r} are trained. The same "
            "command goes on.",
            ended=record.ended,
            total=record.total,
            dataset=dataset.name,
        )
    folder = runs_dir(data_dir)
    found = gather(dataset, [folder / trial.run_id for trial in record.trials])
    write_out_of_fold(dataset, found)
    return found
