"""The metrics by which classifiers are judged; scikit-learn's where it has them.

Lists of runs read the table alone: scikit-learn and SciPy are loaded to compute.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from core.language import noop as N_

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
        ValueError: If `k` is out of range, a label is no class index or a score NaN,
            the arrays disagree on `n_samples`, or there are no samples.
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
    of_true = np.take_along_axis(probabilities, np.asarray(y_true)[:, None], axis=1)
    return float(negative_log(of_true).mean())


def negative_log(probabilities: NDArray[np.floating]) -> NDArray[np.float64]:
    """Negative logarithms of probabilities in nats, of the same shape.

    All that tells of cross-entropy takes it from here. A probability of 0 counts as
    the smallest normal double, 708 nats; scikit-learn's `log_loss` already stops at 16
    nats in single precision, which spares the surest mistakes.
    """
    least = np.finfo(np.float64).tiny
    return np.asarray(
        -np.log(np.maximum(np.asarray(probabilities, dtype=np.float64), least))
    )


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

    Raises:
        ValueError: If a label is no class index, a logit not finite, the arrays
            disagree on `n_samples`, or there are no samples.
    """
    from scipy.optimize import minimize_scalar
    from scipy.special import log_softmax

    _check(y_true, logits)
    if not np.isfinite(logits).all():
        raise ValueError("`logits` must be finite.")
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
    from sklearn.metrics import confusion_matrix

    return np.asarray(
        confusion_matrix(y_true, y_pred, labels=np.arange(num_classes)), dtype=np.int64
    )


Answers = Literal["single", "flip_averaged", "six_view_averaged", "calibrated"]
"""Which probabilities of a network: of each sketch as it is, averaged over views of
it, or at the fitted temperature."""


@dataclass(frozen=True)
class Metric:
    """One row of the table of metrics.

    Attributes:
        title: What people read.
        compute: From true class indices of shape `(n_samples,)` and probabilities
            of shape `(n_samples, n_classes)` to a number.
        higher_is_better: Which way is up.
        answers: Which probabilities it is computed from.
        format: How it is written: `.1%` or `.3f`.
        is_share: Whether it is a share of the sketches, and so has an interval.
        column: What tables of runs call it; "" leaves it out of them.
    """

    title: str
    compute: Callable[[NDArray[np.integer], NDArray[np.floating]], float]
    higher_is_better: bool = True
    answers: Answers = "single"
    format: str = ".1%"
    is_share: bool = False
    column: str = ""


_top1 = partial(top_k_accuracy, k=1)


def _top5(y_true: NDArray[np.integer], y_score: NDArray[np.floating]) -> float:
    return top_k_accuracy(y_true, y_score, k=min(5, y_score.shape[1]))


_share = partial(Metric, is_share=True)
_error = partial(Metric, higher_is_better=False, format=".3f")

METRICS: dict[str, Metric] = {
    "top1": _share(N_("Top-1 accuracy"), _top1, column=N_("Test top-1")),
    "top5": _share(N_("Top-5 accuracy"), _top5, column=N_("Test top-5")),
    "top1_flip_averaged": _share(
        N_("Top-1 accuracy, averaged with the mirror image"),
        _top1,
        answers="flip_averaged",
    ),
    "top1_six_view_averaged": _share(
        N_("Top-1 accuracy, averaged over six views"),
        _top1,
        answers="six_view_averaged",
    ),
    "loss": _error(N_("Cross-entropy in nats"), cross_entropy),
    "ece": _error(N_("Calibration error"), expected_calibration_error),
    "loss_calibrated": _error(
        N_("Cross-entropy after temperature scaling"),
        cross_entropy,
        answers="calibrated",
    ),
    "ece_calibrated": _error(
        N_("Calibration error after temperature scaling"),
        expected_calibration_error,
        answers="calibrated",
    ),
}
"""By the name that `metrics.json` gives each: what an evaluation computes, and what
tables, reports, records and commands show, in this order."""

COLUMNS = {name: metric for name, metric in METRICS.items() if metric.column}
"""Those of them that tables of runs show."""


def metric_values(metrics: Mapping[str, Any]) -> dict[str, float]:
    """Returns what an evaluation says of each metric.

    One that was made before a metric came into the table lacks it.
    """
    return {
        name: metrics[name]
        for name in METRICS
        if isinstance(metrics.get(name), int | float)
    }


def _check(y_true: NDArray[np.integer], y_score: NDArray[np.floating]) -> None:
    if y_score.ndim != 2 or y_true.shape != y_score.shape[:1] or not len(y_true):
        raise ValueError(
            "`y_true` must have shape (n_samples,) and scores (n_samples, n_classes) "
            f"with at least one sample. Received: {y_true.shape} and {y_score.shape}"
        )
    num_classes = y_score.shape[1]
    if (y_true < 0).any() or (y_true >= num_classes).any():
        raise ValueError(
            f"`y_true` must hold class indices from 0 to {num_classes - 1}. Received: "
            f"{y_true.min()} to {y_true.max()}"
        )
    if np.isnan(y_score).any():
        raise ValueError("Scores must not be NaN.")
