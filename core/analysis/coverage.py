"""How right a run is if it answers only where it is sure."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.analysis.confidences import Confidences
from core.analysis.statistics import wilson_intervals

TARGETS = (0.8, 0.9, 0.95, 0.98, 0.99)
"""Accuracies that one may want of the answers that are given."""


@dataclass(frozen=True)
class Coverage:
    """How accurate a run is if it declines to answer where it is not sure.

    The surest come first; of equally sure ones either all are answered or none.

    Attributes:
        threshold: The least confidence that is answered, descending, shape `(m,)`.
        answered: Sketches of at least that confidence, shape `(m,)`; the last is all.
        right: How many of them are right, shape `(m,)`.
        aurc: Area under the curve of error over coverage (Geifman and El-Yaniv 2017):
            the mean error over all coverages; lower is better.
        e_aurc: What of it is due to the order of confidence: the area less that of a
            run with as many mistakes that is sure of what is right (Geifman et al.
            2019).
    """

    threshold: NDArray[np.float64]
    answered: NDArray[np.int64]
    right: NDArray[np.int64]
    aurc: float
    e_aurc: float

    @property
    def n(self) -> int:
        """All sketches."""
        return int(self.answered[-1])


def coverage(confidences: Confidences) -> Coverage:
    """Finds accuracy at every coverage.

    Where several sketches are equally sure, the area is its mean over all their orders.
    """
    order = np.argsort(-confidences.confidence, kind="stable")
    confidence = confidences.confidence[order]
    ends = np.flatnonzero(np.append(np.diff(confidence) != 0, True))
    answered = ends + 1
    right = np.cumsum(confidences.is_right[order])[ends]
    n = len(confidence)
    places = np.arange(1, n + 1)
    mistakes = np.interp(
        places,
        np.concatenate([[0], answered]),
        np.concatenate([[0], answered - right]),
    )
    fewest = np.maximum(places - right[-1], 0)
    aurc = float((mistakes / places).mean())
    return Coverage(
        threshold=confidence[ends],
        answered=answered.astype(np.int64),
        right=right.astype(np.int64),
        aurc=aurc,
        e_aurc=aurc - float((fewest / places).mean()),
    )


@dataclass(frozen=True)
class Answered:
    """What becomes of a run that answers from some confidence on.

    Attributes:
        least: That confidence.
        n: Sketches that it answers.
        total: Of how many.
        right: How many of the answers are right.
        low: Lower end of the 95 % Wilson interval of their accuracy.
        high: Upper end.
    """

    least: float
    n: int
    total: int
    right: int
    low: float
    high: float

    @property
    def share(self) -> float:
        """Share of the sketches that it answers, its coverage."""
        return self.n / self.total

    @property
    def accuracy(self) -> float:
        """Share of right answers; 0 without any."""
        return self.right / self.n if self.n else 0.0


def _answered(coverage: Coverage, least: float, n: int, right: int) -> Answered:
    low, high = wilson_intervals(np.array([right]), np.array([n]))
    return Answered(least, n, coverage.n, right, float(low[0]), float(high[0]))


def answers_from(coverage: Coverage, least: float) -> Answered:
    """Tells what is answered from a confidence on."""
    place = int(np.searchsorted(-coverage.threshold, -least, side="right")) - 1
    if place < 0:
        return _answered(coverage, least, 0, 0)
    return _answered(
        coverage, least, int(coverage.answered[place]), int(coverage.right[place])
    )


def answers_at_accuracy(coverage: Coverage, accuracy: float) -> Answered | None:
    """Finds the most sketches that can be answered with an accuracy; None for none."""
    good = np.flatnonzero(coverage.right >= accuracy * coverage.answered)
    if not len(good):
        return None
    place = int(good[-1])
    return answers_from(coverage, float(coverage.threshold[place]))


def answers_at_coverage(coverage: Coverage, share: float) -> Answered:
    """Answers at least a share of the sketches, the surest ones."""
    place = int(
        np.searchsorted(coverage.answered, share * coverage.n - 1e-9, side="left")
    )
    place = min(place, len(coverage.answered) - 1)
    return answers_from(coverage, float(coverage.threshold[place]))


def thin(coverage: Coverage, *, points: int) -> NDArray[np.int64]:
    """Returns places of a curve that draw it, evenly over its coverage."""
    wanted = np.linspace(coverage.n / points, coverage.n, points)
    places = np.searchsorted(coverage.answered, wanted - 1e-9, side="left")
    return np.unique(np.minimum(places, len(coverage.answered) - 1)).astype(np.int64)
