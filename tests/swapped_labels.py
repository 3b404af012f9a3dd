"""How well suspects find wrong labels: `python -m tests.swapped_labels FOLDER`.

Installs the starter with 8 % of its training labels swapped by a seed, looks for
suspects, accepts all that are shown, trains on the labels as given and on the version,
and prints what was found and which network is better on the same test sketches.
"""

import dataclasses
from pathlib import Path

import numpy as np

from core.datasets.install import install
from core.datasets.starter import find_starter
from core.datasets.store import Dataset

NAME = "swapped"
SHARE = 0.08


def install_swapped(
    data_dir: Path, *, share: float = SHARE, seed: int = 0
) -> tuple[Dataset, dict[str, str]]:
    """Installs the starter with some training labels replaced by others at random.

    Returns:
        The dataset, and the true class of each sketch that has a wrong label.
    """
    source = find_starter()
    rng = np.random.default_rng(seed)
    train = [
        row for row, record in enumerate(source.records) if record.split == "train"
    ]
    chosen = set(rng.choice(train, size=round(share * len(train)), replace=False))
    true, records = {}, []
    for row, record in enumerate(source.records):
        if row in chosen:
            true[record.id] = source.class_names[record.label]
            step = int(rng.integers(1, len(source.class_names)))
            label = (record.label + step) % len(source.class_names)
            record = dataclasses.replace(record, label=label)
        records.append(record)
    drawn = {record.id: record for record in source.records}
    swapped = dataclasses.replace(
        source, records=records, read=lambda record: source.read(drawn[record.id])
    )
    return install(swapped, name=NAME, data_dir=data_dir), true
