"""The metrics by which classifiers are judged; scikit-learn's where it has them."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax
from sklearn.metrics import confusion_matrix, log_loss

ECE_BINS = 15
"""Guo et al. 2017, On Calibration of Modern Neural Networks."""

TEMPERATURE_RANGE = (0.05, 20.0)


def top_k_accuracy(
    y_true: NDArray[np.integer], y_score: NDArray[np.floating], *, k: int = 5
) -> float:
    """Fraction of samples whose true class is among the `k` highest scores.

    A tie at rank `k` counts against the sample, so a constant score never looks
    better than chance.

    Args:
        y_true: True class indices of shape `(n_samples,)`.
        y_score: Logits or probabilities of shape `(n_samples, n_classes)`.
        k: Number of guesses, from 1 to `n_classes`.

    Returns:
        A fraction between 0 and 1.

    Raises:
        ValueError: If `k` is out of range, or the arrays disagree on `n_samples`,
            or there are no samples.
    """
    _check(y_true, y_score)
    if not 1 <= k <= y_score.shape[1]:
        raise ValueError(f"`k` must be from 1 to {y_score.shape[1]}. Received: k={k}")
    return float(np.mean(true_class_ranks(y_true, y_score) <= k))


def true_class_ranks(
    y_true: NDArray[np.integer], y_score: NDArray[np.floating]
) -> NDArray[np.int64]:
    """Rank of each sample's true class, from 1; ties count against it.

    Returns:
        Shape `(n_samples,)`: how many classes score at least as high, itself
        included.
    """
    own = np.take_along_axis(y_score, np.asarray(y_true)[:, None], axis=1)
    return np.asarray((y_score >= own).sum(axis=1), dtype=np.int64)


def cross_entropy(
    y_true: NDArray[np.integer], probabilities: NDArray[np.floating]
) -> float:
    """Mean negative log probability of the true class, in nats."""
    _check(y_true, probabilities)
    labels = np.arange(probabilities.shape[1])
    return float(log_loss(y_true, probabilities, labels=labels))


def expected_calibration_error(
    y_true: NDArray[np.integer],
    probabilities: NDArray[np.floating],
    *,
    bins: int = ECE_BINS,
) -> float:
    """Mean gap between top-1 probability and top-1 accuracy, over equal bins.

    Args:
        y_true: True class indices of shape `(n_samples,)`.
        probabilities: Shape `(n_samples, n_classes)`, rows adding up to 1.
        bins: Number of bins of equal width on 0 to 1, closed above.

    Returns:
        A value between 0 and 1, weighted by how many samples a bin has
        (Guo et al. 2017).
    """
    _check(y_true, probabilities)
    confidence = probabilities.max(axis=1)
    correct = probabilities.argmax(axis=1) == y_true
    bin_of = np.clip(np.ceil(confidence * bins).astype(int) - 1, 0, bins - 1)
    gap = np.bincount(bin_of, weights=confidence - correct, minlength=bins)
    return float(np.abs(gap).sum() / len(y_true))


def fit_temperature(y_true: NDArray[np.integer], logits: NDArray[np.floating]) -> float:
    """Finds the temperature that makes probabilities honest (Guo et al. 2017).

    Args:
        y_true: True class indices of shape `(n_samples,)`, of samples that the
            network was not trained on.
        logits: Shape `(n_samples, n_classes)`.

    Returns:
        What logits are to be divided by, so that the cross-entropy is least.
    """
    _check(y_true, logits)
    logits = np.asarray(logits, dtype=np.float64)
    rows = np.arange(len(y_true))

    def loss(log_temperature: float) -> float:
        scaled = log_softmax(logits / np.exp(log_temperature), axis=1)
        return float(-scaled[rows, y_true].mean())

    bounds = tuple(np.log(TEMPERATURE_RANGE))
    return float(np.exp(minimize_scalar(loss, bounds=bounds, method="bounded").x))


def confusion(
    y_true: NDArray[np.integer], y_pred: NDArray[np.integer], *, num_classes: int
) -> NDArray[np.int64]:
    """Counts samples by true class (rows) and predicted class (columns)."""
    return np.asarray(
        confusion_matrix(y_true, y_pred, labels=np.arange(num_classes)), dtype=np.int64
    )


@dataclass(frozen=True)
class Metric:
    """One row of the table of metrics.

    Attributes:
        title: What people read.
        higher_is_better: Which way is up.
        compute: From true class indices of shape `(n_samples,)` and probabilities
            of shape `(n_samples, n_classes)` to a number.
    """

    title: str
    higher_is_better: bool
    compute: Callable[[NDArray[np.integer], NDArray[np.floating]], float]


METRICS: dict[str, Metric] = {
    "top1": Metric("Top-1 accuracy", True, lambda y, p: top_k_accuracy(y, p, k=1)),
    "top5": Metric(
        "Top-5 accuracy",
        True,
        lambda y, p: top_k_accuracy(y, p, k=min(5, p.shape[1])),
    ),
    "loss": Metric("Cross-entropy (nats)", False, cross_entropy),
    "ece": Metric("Expected calibration error", False, expected_calibration_error),
}


def _check(y_true: NDArray[np.integer], y_score: NDArray[np.floating]) -> None:
    if y_score.ndim != 2 or y_true.shape != y_score.shape[:1] or not len(y_true):
        raise ValueError(
            "`y_true` must have shape (n_samples,) and scores (n_samples, n_classes) "
            f"with at least one sample. Received: {y_true.shape} and {y_score.shape}"
        )
