"""The map of a run's test sketches: where classes lie in it."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from core.runs.evaluation import Evaluation


def mapped_rows(evaluation: Evaluation) -> NDArray[np.int64]:
    """Returns the rows of sketches that have a place on the map."""
    return np.flatnonzero(np.isfinite(evaluation.map_2d).all(axis=1))


def class_centres(evaluation: Evaluation) -> NDArray[np.float64]:
    """Returns the middle of each class, by medians, which strays don't move.

    Returns:
        Shape `(num_classes, 2)`; NaN for a class without sketches.
    """
    rows = mapped_rows(evaluation)
    centres = np.full((len(evaluation.class_names), 2), np.nan)
    for axis in range(2):
        labels, centres_of = _medians(evaluation, rows, evaluation.map_2d[rows, axis])
        centres[labels, axis] = centres_of
    return centres


def label_order(
    evaluation: Evaluation,
    centres: NDArray[np.floating],
    *,
    first: Sequence[int],
) -> list[int]:
    """Orders classes for their names to be written where there is room.

    Args:
        evaluation: Whose map.
        centres: Of its classes, shape `(num_classes, 2)`.
        first: Classes that go before all others, in this order.

    Returns:
        Class indices: the first, then those that lie closest together, whose middle
        says most. Those without sketches are left out.
    """
    rows = mapped_rows(evaluation)
    away = evaluation.map_2d[rows] - centres[evaluation.y_true[rows]]
    labels, medians = _medians(evaluation, rows, np.linalg.norm(away, axis=1))
    spread = dict(zip(labels.tolist(), medians.tolist(), strict=True))
    before = [label for label in first if label in spread]
    return before + sorted(set(spread) - set(before), key=spread.__getitem__)


def class_hues(centres: NDArray[np.floating]) -> NDArray[np.float32]:
    """Returns a hue for each class, so that neighbours on the map look alike.

    It is the direction from the middle of all classes, from 0 to 1 around; a sketch
    that lies among others than its own class stands out.

    Args:
        centres: Of the classes, shape `(num_classes, 2)`.
    """
    known = np.isfinite(centres).all(axis=1)
    middle = centres[known].mean(axis=0) if known.any() else np.zeros(2)
    away = np.where(known[:, None], centres - middle, 0)
    return np.asarray(
        np.arctan2(away[:, 1], away[:, 0]) / (2 * np.pi) % 1, dtype=np.float32
    )


def _medians(
    evaluation: Evaluation, rows: NDArray[np.int64], values: NDArray[np.floating]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Returns the classes that have rows, and the median of each one's values."""
    own = evaluation.y_true[rows]
    labels = np.unique(own)
    medians = ndimage.median(values.astype(np.float64), own, labels)
    return labels.astype(np.int64), np.asarray(medians, dtype=np.float64).reshape(-1)
