"""The figures by which classifiers are judged; scikit-learn's where it has them.

Axes are the field's: samples first, then classes; a confusion matrix has true
classes as rows. Labels are indices from 0; a class without samples is allowed.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, ndtri
from sklearn.metrics import confusion_matrix, log_loss, precision_recall_fscore_support

from core.analysis.statistics import mcnemar_p

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


def wilson_interval(successes: int, n: int) -> tuple[float, float]:
    """95 % Wilson score interval of a proportion.

    Args:
        successes: From 0 to `n`.
        n: Number of trials; without any, nothing is known and 0 to 1 is returned.
    """
    low, high = wilson_intervals(np.array([successes]), np.array([n]))
    return float(low[0]), float(high[0])


def wilson_intervals(
    successes: NDArray[np.integer], n: NDArray[np.integer]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """95 % Wilson score intervals of many proportions at once (Wilson 1927).

    Args:
        successes: Each from 0 to its `n`, shape `(m,)`.
        n: Numbers of trials, shape `(m,)`; without any, nothing is known and 0 to 1 is
            returned.

    Returns:
        Their lower and upper ends, each of shape `(m,)`.
    """
    z = float(ndtri(0.975))
    trials = np.asarray(n, dtype=np.float64)
    safe = np.maximum(trials, 1)
    share = np.asarray(successes, dtype=np.float64) / safe
    middle = (share + z**2 / (2 * safe)) / (1 + z**2 / safe)
    reach = z / (1 + z**2 / safe)
    reach = reach * np.sqrt(share * (1 - share) / safe + z**2 / (4 * safe**2))
    # Rounding must not leave out a share of 0 or 1.
    low = np.where(successes == 0, 0.0, np.maximum(middle - reach, 0))
    high = np.where(successes == n, 1.0, np.minimum(middle + reach, 1))
    return np.where(trials > 0, low, 0.0), np.where(trials > 0, high, 1.0)


@dataclass(frozen=True)
class PairedTest:
    """McNemar's exact test between two classifiers on the same samples.

    Attributes:
        only_first: Samples that only the first got right.
        only_second: Samples that only the second got right.
        p_value: Two-sided: how likely so unequal counts or worse would be if both
            were equally good.
    """

    only_first: int
    only_second: int
    p_value: float


def paired_test(first: NDArray[np.bool_], second: NDArray[np.bool_]) -> PairedTest:
    """Tests whether two classifiers differ (McNemar 1947, in its exact form).

    Args:
        first: Which samples the first got right, shape `(n_samples,)`.
        second: The same of the second.
    """
    if first.shape != second.shape:
        raise ValueError(
            f"Both must have the same shape. Received: {first.shape} and {second.shape}"
        )
    only_first = int((first & ~second).sum())
    only_second = int((second & ~first).sum())
    p_value = float(mcnemar_p(only_first, only_second))
    return PairedTest(only_first, only_second, p_value)


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
class ClassFigures:
    """How one class fared.

    Attributes:
        label: Class index.
        class_name: Its name.
        n: Its test samples.
        correct: How many of them were recognised.
        recall: `correct / n`, the accuracy of the class; 0 without samples.
        recall_low: Lower end of its 95 % Wilson interval.
        recall_high: Upper end.
        predicted: How many samples were taken for it.
        precision: Share of these that were right; 0 without any.
        f1: Harmonic mean of precision and recall.
    """

    label: int
    class_name: str
    n: int
    correct: int
    recall: float
    recall_low: float
    recall_high: float
    predicted: int
    precision: float
    f1: float


def class_figures(
    y_true: NDArray[np.integer],
    y_pred: NDArray[np.integer],
    *,
    class_names: tuple[str, ...],
) -> list[ClassFigures]:
    """Computes the figures of every class, in the order of labels."""
    labels = np.arange(len(class_names))
    precision, recall, f1, support = precision_recall_fscore_support(
        y_true, y_pred, labels=labels, zero_division=0
    )
    matrix = confusion(y_true, y_pred, num_classes=len(class_names))
    lows, highs = wilson_intervals(np.diag(matrix), matrix.sum(axis=1))
    predicted = matrix.sum(axis=0)
    figures = []
    for label, name in enumerate(class_names):
        n, correct = int(support[label]), int(matrix[label, label])
        figures.append(
            ClassFigures(
                label=label,
                class_name=name,
                n=n,
                correct=correct,
                recall=float(recall[label]),
                recall_low=float(lows[label]),
                recall_high=float(highs[label]),
                predicted=int(predicted[label]),
                precision=float(precision[label]),
                f1=float(f1[label]),
            )
        )
    return figures


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
