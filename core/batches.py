"""Feeds networks straight from the packed array."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from core.datasets.store import Dataset


def batches(
    dataset: Dataset, rows: NDArray[np.int64], *, batch_size: int
) -> Iterator[tuple[NDArray[np.uint8], NDArray[np.float32]]]:
    """Reads sketches and their one-hot targets, batch by batch.

    Args:
        dataset: Where they are.
        rows: Which of them, in the order in which they are fed.
        batch_size: Sketches a batch; the last is smaller where rows don't fill it.

    Yields:
        Gray values of shape `(batch, 128, 128)`, and targets of shape
        `(batch, num_classes)`.
    """
    images, labels = dataset.images, dataset.labels
    targets = np.eye(dataset.num_classes, dtype=np.float32)
    for start in range(0, len(rows), batch_size):
        chosen = rows[start : start + batch_size]
        yield np.asarray(images[chosen]), targets[labels[chosen]]


def epoch_order(
    rows: NDArray[np.int64], *, seed: int, epoch: int, batch_size: int
) -> NDArray[np.int64]:
    """Returns the rows of one epoch, shuffled, in whole batches.

    The remainder that fills no batch is left out; which rows these are changes
    with every epoch.

    Args:
        rows: The training rows; at least `batch_size` of them.
        seed: The run's.
        epoch: Counted from 0.
        batch_size: Sketches a batch.
    """
    order = np.random.default_rng([seed, epoch]).permutation(rows)
    return order[: len(order) - len(order) % batch_size]
