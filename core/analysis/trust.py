"""How far one run's probabilities can be trusted, over all and class by class."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr
from scipy.stats import false_discovery_control, poisson_binom

from core.analysis.calibration import Binning, calibration
from core.analysis.confidences import Confidences, measure_confidences
from core.analysis.coverage import Coverage, coverage
from core.analysis.statistics import wilson_intervals
from core.runs.evaluation import Evaluation

LEVEL = 0.05
"""Of the classes that are said to be over- or under-confident, so many are not."""

EXACT_UP_TO = 2000
"""Guesses of one class for which the test is exact; beyond, the normal law will do."""


@dataclass(frozen=True)
class ClassTrust:
    """How true a run's claims are when it names one class.

    Attributes:
        label: Class index.
        class_name: Its name.
        n: Sketches that were taken for it.
        confidence: Mean confidence of these guesses.
        accuracy: Share of them that is right, the precision of the class.
        gap: Confidence less accuracy.
        gap_low: Lower end of its interval: the confidence less the upper end of the
            95 % Wilson interval of the accuracy.
        gap_high: Upper end, likewise.
        p_value: How likely a number of right guesses as far off or farther would be if
            each claim were true, two-sided.
        adjusted_p: The same, adjusted for the tests of all classes (Benjamini and
            Hochberg 1995).
    """

    label: int
    class_name: str
    n: int
    confidence: float
    accuracy: float
    gap: float
    gap_low: float
    gap_high: float
    p_value: float
    adjusted_p: float

    @property
    def verdict(self) -> Literal["over", "under", "unknown"]:
        """Whether it is over- or under-confident, as far as that can be told."""
        if self.adjusted_p >= LEVEL:
            return "unknown"
        return "over" if self.gap > 0 else "under"


def class_trust(evaluation: Evaluation, confidences: Confidences) -> list[ClassTrust]:
    """Compares claim and truth for each class that is named, by label.

    The guess is given, not the drawing: if all claims are true, so are those of any
    guess, while sketches of a class that is hard to draw may well be less often
    recognised than the network thinks (Gupta and Ramdas 2022, Top-label calibration).
    """
    guess = evaluation.y_pred
    classes = len(evaluation.class_names)
    n = np.bincount(guess, minlength=classes)
    right = np.bincount(guess, weights=confidences.is_right, minlength=classes).astype(
        int
    )
    sure = np.bincount(guess, weights=confidences.confidence, minlength=classes)
    low, high = wilson_intervals(right, n)
    order = np.argsort(guess, kind="stable")
    ends = np.cumsum(n)
    named = np.flatnonzero(n)
    p_values = two_sided_p(
        right[named],
        [
            confidences.confidence[order[ends[label] - n[label] : ends[label]]]
            for label in named
        ],
    )
    adjusted = false_discovery_control(p_values)
    rows = []
    for label, p_value, adjusted_p in zip(named, p_values, adjusted, strict=True):
        confidence = float(sure[label] / n[label])
        accuracy = float(right[label] / n[label])
        rows.append(
            ClassTrust(
                label=int(label),
                class_name=evaluation.class_names[label],
                n=int(n[label]),
                confidence=confidence,
                accuracy=accuracy,
                gap=confidence - accuracy,
                gap_low=confidence - float(high[label]),
                gap_high=confidence - float(low[label]),
                p_value=float(p_value),
                adjusted_p=float(adjusted_p),
            )
        )
    return rows


def two_sided_p(
    right: NDArray[np.integer], probabilities: Sequence[NDArray[np.floating]]
) -> NDArray[np.float64]:
    """Tests whether trials succeed with the probabilities that are given.

    Args:
        right: How many of each group succeeded, shape `(groups,)`.
        probabilities: Of each trial of each group, each of shape `(n,)`.

    Returns:
        For each group twice the smaller of both tails, at most 1, shape `(groups,)`.
    """
    sizes = np.array([len(probability) for probability in probabilities])
    below, up_to = np.empty((2, len(sizes)))
    # SciPy takes groups of one size together in a twentieth of the time; smaller ones
    # are filled up with trials that never succeed.
    exact = np.where(sizes <= EXACT_UP_TO, np.ceil(np.log2(np.maximum(sizes, 1))), -1)
    for power in np.unique(exact[exact >= 0]):
        groups = np.flatnonzero(exact == power)
        chances = np.zeros((len(groups), sizes[groups].max()))
        for row, group in enumerate(groups.tolist()):
            chances[row, : sizes[group]] = np.clip(probabilities[group], 0, 1)
        below[groups], up_to[groups] = poisson_binom.cdf(
            [right[groups] - 1, right[groups]], chances
        )
    for group in np.flatnonzero(exact < 0).tolist():
        chances = np.clip(np.asarray(probabilities[group], dtype=np.float64), 0, 1)
        spread = max(float(np.sqrt((chances * (1 - chances)).sum())), 1e-12)
        centre = float(chances.sum())
        below[group] = ndtr((right[group] - 0.5 - centre) / spread)
        up_to[group] = ndtr((right[group] + 0.5 - centre) / spread)
    return np.asarray(np.clip(2 * np.minimum(up_to, 1 - below), 0, 1))


@dataclass(frozen=True)
class Trust:
    """All of a run.

    Attributes:
        before: As trained.
        after: At its temperature.
        coverage: Of the latter.
        classes: Each class that it names, by label, of the latter.
    """

    before: Confidences
    after: Confidences
    coverage: Coverage
    classes: tuple[ClassTrust, ...]

    def found(self, verdict: Literal["over", "under"]) -> list[ClassTrust]:
        """Returns the classes of a verdict, the largest gap first."""
        chosen = [row for row in self.classes if row.verdict == verdict]
        return sorted(chosen, key=lambda row: (-abs(row.gap), row.class_name))


def measure_trust(evaluation: Evaluation) -> Trust:
    """Computes all of a run."""
    before, after = measure_confidences(
        evaluation, [1.0, evaluation.metrics["temperature"]]
    )
    return Trust(
        before=before,
        after=after,
        coverage=coverage(after),
        classes=tuple(class_trust(evaluation, after)),
    )


def metric_rows(
    runs: Sequence[tuple[str, Trust]], *, by: Binning = "width"
) -> list[dict[str, object]]:
    """Returns a table row for each run before and after its temperature."""
    rows: list[dict[str, object]] = []
    for run_id, trust in runs:
        for confidences in (trust.before, trust.after):
            summed = calibration(confidences, by=by)
            area = (
                trust.coverage if confidences is trust.after else coverage(confidences)
            )
            rows.append(
                {
                    "Run": run_id,
                    "Temperature": confidences.temperature,
                    "Mean confidence": 100 * confidences.mean_confidence,
                    "Accuracy": 100 * confidences.accuracy,
                    "ECE": summed.ece,
                    "ECE by chance": summed.ece_by_chance,
                    "MCE": summed.mce,
                    "NLL": confidences.nll,
                    "Brier": confidences.brier,
                    "AURC": area.aurc,
                    "E-AURC": area.e_aurc,
                }
            )
    return rows
