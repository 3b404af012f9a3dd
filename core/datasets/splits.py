"""Splits sketches into parts by class, repeatably, and tells which were seen."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.datasets.store import Dataset, SketchSource


@dataclass(frozen=True)
class GivenSplit:
    """Which labels and test sketches a dataset is to have.

    Attributes:
        class_names: The class of each label.
        test_ids: The ids of the test sketches; all others are train.
    """

    class_names: tuple[str, ...]
    test_ids: frozenset[str]


def apply_split(source: SketchSource, given: GivenSplit) -> SketchSource:
    """Gives the sketches of a source another split of the same classes.

    Raises:
        ValueError: If the classes are others.
    """
    if set(given.class_names) != set(source.class_names):
        raise ValueError("`given` must have the classes of `source`.")
    labels = {name: label for label, name in enumerate(given.class_names)}
    return replace(
        source,
        class_names=given.class_names,
        records=[
            replace(
                record,
                label=labels[source.class_names[record.label]],
                split="test" if record.id in given.test_ids else "train",
            )
            for record in source.records
        ],
    )


def split_size(n: int, *, fraction: float) -> int:
    """Returns how many of `n` rows make the second part.

    Both have at least one; only a fraction of 0 leaves the second empty.
    """
    if not fraction:
        return 0
    return min(max(round(fraction * n), 1), n - 1)


def stratified_split(
    labels: NDArray[np.integer], *, fraction: float, seed: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Splits rows in two so that every class gives about the same share.

    Args:
        labels: Class indices of shape `(n,)`, n at least 2, or 1 for a fraction of 0.
        fraction: Share of the second part, from 0 to below 1; it is rounded to a
            whole number of rows, at least 1 and at most n - 1. Only 0 leaves the
            second part empty.
        seed: Of the random choice.

    Returns:
        The rows of the first and of the second part, each ascending.

    Raises:
        ValueError: If there are too few rows or `fraction` is out of range.
    """
    if len(labels) < (2 if fraction else 1) or not 0 <= fraction < 1:
        raise ValueError(
            "A split needs at least 2 rows and a fraction from 0 to below 1. "
            f"Received: {len(labels)} rows, fraction={fraction}"
        )
    if not fraction:
        return np.arange(len(labels)), np.arange(0)
    generator = np.random.default_rng([seed, len(labels)])
    # Each row's place within its class, from 0 to 1, offset at random by class so
    # that small classes are not all rounded the same way.
    place = np.empty(len(labels))
    for label in np.unique(labels):
        rows = np.flatnonzero(labels == label)
        place[generator.permutation(rows)] = (
            np.arange(len(rows)) + generator.random()
        ) / len(rows)
    count = split_size(len(labels), fraction=fraction)
    order = np.argsort(place, kind="stable")
    return np.sort(order[count:]), np.sort(order[:count])


def seen_keys(dataset: Dataset) -> Any:
    """Returns the keys of all sketches that a training on a dataset may learn from.

    Validation counts as seen, since settings are chosen by it.

    Returns:
        Sorted unique `uint64` keys of shape `(m,)`; see `Dataset.keys`.
    """
    return np.unique(dataset.keys[dataset.indices("train")])
