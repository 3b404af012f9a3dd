"""A sweep of three trials, two of them finished, without Ray."""

from pathlib import Path
from typing import Any

from core.sweeps.plan import plan
from core.sweeps.record import SweepRecord, merge, write_record
from core.sweeps.spec import parse_sweep
from core.sweeps.trials import train_trial

NAME = "rates"
FIELDS: dict[str, Any] = {
    "epochs": 1,
    "batch_size": 16,
    "image_sizes": [[32]],
    "learning_rate": [0.001, 0.01, 0.1],
}
FILE = {"dataset": "tiny", "recipes": ["report"], "fields": FIELDS}


def train_two_of_three(data_dir: Path, **changes: object) -> SweepRecord:
    """Trains all trials of a sweep but the last, without Ray."""
    sweep = parse_sweep({**FILE, **changes}, default_name=NAME)
    record = write_record(merge(sweep, plan(sweep), None), data_dir=data_dir)
    for trial in record.trials[:-1]:
        train_trial(sweep, trial.trial, data_dir=data_dir)
    return write_record(record, data_dir=data_dir)
