"""What would help a class that is seldom recognised, from measured facts only."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.analysis.classes import ClassMetrics, taken_for
from core.analysis.label_suspects import LabelSuspect
from core.analysis.statistics import wilson_interval
from core.runs.evaluation import Evaluation
from core.runs.neighbours import Neighbours

FEW = 0.5
"""Of the median of all classes: a class with fewer training sketches has few."""

MANY_SUSPECTS = 0.05
"""Of a class's training sketches."""

MOST_MISTAKES = 0.5
"""Of a class's mistakes, and `LEAST_MISTAKES` at least: one partner takes most."""
LEAST_MISTAKES = 3

NEIGHBOURS = 5
ALIKE = 0.2
"""Of the training sketches nearest to those of a class, by the network's embedding."""

CALIBRATED = 0.1
"""Between the mean confidence in a class's sketches and the share that is right."""


@dataclass(frozen=True)
class Merged:
    """Two classes, scored as they are and as one.

    Attributes:
        partner: The other class.
        mistakes: How many of the class's mistakes are taken for it.
        apart: Accuracy on the test sketches of both as two classes.
        together: The same as one class.
        low: Lower end of that one's 95 % Wilson interval.
        high: Upper end.
    """

    partner: str
    mistakes: int
    apart: float
    together: float
    low: float
    high: float


@dataclass(frozen=True)
class Advice:
    """What was measured of a class that is seldom recognised; None or 0 where nothing.

    Attributes:
        mistakes: Its test sketches that are wrong.
        few: Its training sketches, and the median of all classes, if they are few.
        suspects: Its training sketches with a suspect label, and all, if many are.
        merged: It and the class that takes most of its mistakes.
        alike: A class, and its share of the training sketches nearest to this one's.
        confidence: Mean confidence in its test sketches, if it is low and calibrated.
    """

    mistakes: int
    few: tuple[int, float] | None
    suspects: tuple[int, int] | None
    merged: Merged | None
    alike: tuple[str, float] | None
    confidence: float | None


def advise(
    evaluation: Evaluation,
    metrics: ClassMetrics,
    *,
    neighbours: Neighbours | None,
    suspects: Sequence[LabelSuspect] | None,
) -> Advice | None:
    """Measures what may keep a class from being recognised.

    Args:
        evaluation: Of a run.
        metrics: The class's in it.
        neighbours: The run's index of its training sketches, if it has one.
        suspects: Of its dataset's training sketches, if anybody looked for them.

    Returns:
        None if the class is recognised as often as all are, within its 95 % interval.
    """
    overall = float((evaluation.y_pred == evaluation.y_true).mean())
    if not metrics.n or metrics.recall_high >= overall:
        return None
    few = alike = None
    trained = 0
    if neighbours is not None:
        counts = np.bincount(neighbours.labels, minlength=len(evaluation.class_names))
        trained, median = int(counts[metrics.label]), float(np.median(counts))
        few = (trained, median) if trained < FEW * median else None
        alike = _alike(evaluation, metrics.label, neighbours)
    doubted = sum(s.label == metrics.class_name for s in suspects or ())
    is_of_class = evaluation.y_true == metrics.label
    confidence = float(evaluation.confidence[is_of_class].mean())
    return Advice(
        mistakes=metrics.n - metrics.correct,
        few=few,
        suspects=(doubted, trained)
        if trained and doubted > MANY_SUSPECTS * trained
        else None,
        merged=_merge(evaluation, metrics),
        alike=alike,
        confidence=confidence
        if abs(confidence - metrics.recall) <= CALIBRATED
        else None,
    )


def _merge(evaluation: Evaluation, metrics: ClassMetrics) -> Merged | None:
    """Scores a class and the one that takes most of its mistakes as one class."""
    first = next(iter(taken_for(evaluation, metrics.label)), None)
    mistakes = metrics.n - metrics.correct
    if first is None or first.count < max(LEAST_MISTAKES, MOST_MISTAKES * mistakes):
        return None
    pair = (metrics.label, evaluation.class_names.index(first.class_name))
    rows = np.isin(evaluation.y_true, pair)
    n = int(rows.sum())
    together = int(np.isin(evaluation.y_pred[rows], pair).sum())
    apart = (evaluation.y_pred[rows] == evaluation.y_true[rows]).mean()
    return Merged(
        first.class_name,
        first.count,
        float(apart),
        together / n,
        *wilson_interval(together, n),
    )


def _alike(
    evaluation: Evaluation, label: int, neighbours: Neighbours
) -> tuple[str, float] | None:
    """Returns the class most often nearest to a class's training sketches, if often."""
    own = np.flatnonzero(neighbours.labels == label)
    if not len(own) or len(neighbours.labels) <= NEIGHBOURS:
        return None
    similarity = neighbours.points[own] @ neighbours.points.T
    # No sketch is its own neighbour.
    similarity[np.arange(len(own)), own] = -np.inf
    nearest = np.argpartition(-similarity, NEIGHBOURS - 1)[:, :NEIGHBOURS]
    shares = np.bincount(
        neighbours.labels[nearest].ravel(), minlength=len(evaluation.class_names)
    ) / (len(own) * NEIGHBOURS)
    shares[label] = 0
    other = int(shares.argmax())
    return (
        (evaluation.class_names[other], float(shares[other]))
        if (shares[other] >= ALIKE)
        else None
    )
