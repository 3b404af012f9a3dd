"""Makes runs: from scratch, from a trained one, or with kept drawings."""

from pathlib import Path

from core.datasets.store import Dataset
from core.runs.folder import WEIGHTS, list_runs


def is_needed(dataset: Dataset, *, data_dir: Path) -> bool:
    """Returns whether a run that is not trained yet learns from a dataset."""
    return any(
        run.config is not None
        and run.config.drawings is not None
        and run.config.drawings.fingerprint == dataset.fingerprint
        and not (run.path / WEIGHTS).exists()
        for run in list_runs(data_dir=data_dir, trained_dir=data_dir / "none")
    )
