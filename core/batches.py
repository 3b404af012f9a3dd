"""Feeds training straight from the packed array."""

from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray


class SketchBatches(keras.utils.PyDataset):  # type: ignore[misc]
    """Batches of packed sketches and one-hot labels, in a given order.

    A batch is `(images, targets)`: gray values of shape `(batch, 128, 128)`,
    `uint8`, and targets of shape `(batch, num_classes)`, `float32`.
    """

    def __init__(
        self,
        images: NDArray[np.uint8],
        labels: NDArray[np.int64],
        rows: NDArray[np.int64],
        *,
        num_classes: int,
        batch_size: int,
    ) -> None:
        """Creates the batches; the last is smaller where `rows` don't fill it.

        Args:
            images: All sketches of a dataset, memory-mapped or not.
            labels: Their class indices.
            rows: Which of them, in the order in which they are fed.
            num_classes: Length of a target.
            batch_size: Sketches a batch.
        """
        super().__init__()
        self._images = images
        self._labels = labels
        self._rows = rows
        self._batch_size = batch_size
        self._identity = np.eye(num_classes, dtype=np.float32)

    @property
    def num_batches(self) -> int:
        """How many batches an epoch has."""
        return -(-len(self._rows) // self._batch_size)

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        """Returns one batch."""
        start = index * self._batch_size
        rows = self._rows[start : start + self._batch_size]
        # A memory map is read fastest from low to high addresses, but the order
        # in which sketches meet the random augmentation is part of the result.
        return np.asarray(self._images[rows]), self._identity[self._labels[rows]]


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
