"""Makes up out-of-fold predictions of an installed dataset, without a training."""

import numpy as np

from core.datasets.store import Dataset
from core.runs.out_of_fold import OutOfFold, write_out_of_fold

RIGHT, OTHER = 6.0, 7.0
"""Logits: of the label's class, and of the one that a suspect is taken for."""


def suspect_labels(dataset: Dataset, count: int) -> list[str]:
    """Stores predictions by which the first training sketches are suspects.

    Each is taken for the class after its label's.

    Returns:
        The suspects' ids, in their order.
    """
    rows = dataset.indices("train")
    labels = dataset.labels[rows]
    n, classes = len(rows), dataset.num_classes
    logits = np.zeros((n, classes), dtype=np.float16)
    logits[np.arange(n), labels] = RIGHT
    logits[:count] = 0
    logits[np.arange(count), (labels[:count] + 1) % classes] = OTHER
    asked = (np.arange(n) % 2).astype(np.int32)
    found = OutOfFold(
        dataset=dataset.name,
        dataset_fingerprint=dataset.fingerprint,
        class_names=dataset.class_names,
        runs=("fold-0", "fold-1"),
        ids=tuple(dataset.records[row].id for row in rows),
        labels=labels.astype(np.int32),
        logits=logits,
        asked=asked,
        learned=np.stack([asked != 0, asked != 1]),
    )
    write_out_of_fold(dataset, found)
    return list(found.ids[:count])
