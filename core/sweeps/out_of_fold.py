"""The cross-validation by which the training sketches of a dataset are asked."""

from pathlib import Path

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
    epochs: int | None = None,
    seed: int = 0,
) -> Sweep:
    """Describes the cross-validation of a dataset's training sketches.

    Its name holds the dataset's fingerprint: one that was replaced has another.

    Raises:
        ConfigError: If an argument is out of range.
    """
    return parse_sweep(
        {
            "dataset": dataset.name,
            "networks": [network],
            "recipes": [recipe],
            "fields": {} if epochs is None else {"epochs": epochs},
            "seeds": [seed],
            "fold_seed": seed,
            "folds": folds,
            "dealt": "train",
        },
        default_name=f"suspects-{dataset.name[:30]}-{dataset.fingerprint[:8]}",
    )


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
