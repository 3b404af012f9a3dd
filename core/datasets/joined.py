"""Sketches of one or two datasets, labelled as one network labels them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.datasets.store import Dataset


@dataclass(frozen=True)
class _Stack:
    """Two packed arrays one after the other, read row by row."""

    first: NDArray[np.uint8]
    second: NDArray[np.uint8]

    def __getitem__(self, rows: NDArray[np.int64]) -> NDArray[np.uint8]:
        images = np.empty((len(rows), *self.first.shape[1:]), dtype=np.uint8)
        is_first = rows < len(self.first)
        images[is_first] = self.first[rows[is_first]]
        images[~is_first] = self.second[rows[~is_first] - len(self.first)]
        return images


@dataclass(frozen=True)
class JoinedSketches:
    """What a network is fed with.

    Attributes:
        images: Gray values; rows of it have shape `(n, 128, 128)`.
        labels: Indices into the network's classes, shape `(n,)`.
        num_classes: The network's classes.
    """

    images: NDArray[np.uint8] | _Stack
    labels: NDArray[np.int64]
    num_classes: int


def join(
    dataset: Dataset, drawings: Dataset | None = None, *, class_names: Sequence[str]
) -> JoinedSketches:
    """Labels the sketches of a dataset, and those of another after them.

    Args:
        dataset: The rows from 0.
        drawings: The rows after them, if any.
        class_names: The network's classes; all of the datasets' are among them.
    """
    labels = relabel(dataset, class_names)
    if drawings is None:
        return JoinedSketches(dataset.images, labels, len(class_names))
    return JoinedSketches(
        _Stack(dataset.images, drawings.images),
        np.concatenate([labels, relabel(drawings, class_names)]),
        len(class_names),
    )


def relabel(dataset: Dataset, class_names: Sequence[str]) -> NDArray[np.int64]:
    """Returns the labels of a dataset's sketches among other classes, shape `(n,)`."""
    label_of = {name: label for label, name in enumerate(class_names)}
    own = np.array([label_of[name] for name in dataset.class_names], dtype=np.int64)
    return np.asarray(own[dataset.labels])
