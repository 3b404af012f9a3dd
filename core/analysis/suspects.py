"""Test sketches whose label or drawing is suspect.

Confident learning (Northcutt, Jiang and Chuang 2021, Confident learning: estimating
uncertainty in dataset labels): a network suspects a sketch whose probability for
another class than its label's is at least what the network on average gives to sketches
that bear that class's label. It has seen none of the test sketches in training, which
the method asks for.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from core.analysis.confusions import check_comparable
from core.runs.evaluation import Evaluation

SuspectOrder = Literal["margin", "label"]
"""By how far the label's class is behind, or by how little probability it got."""

NOTHING = -1
"""Where no class reaches its threshold."""


def thresholds(evaluation: Evaluation) -> NDArray[np.float64]:
    """Mean calibrated probability of each class over the sketches that bear its label.

    Returns:
        Shape `(num_classes,)`; infinite for a class without sketches, which nothing
        reaches.
    """
    classes = len(evaluation.class_names)
    n = np.bincount(evaluation.y_true, minlength=classes)
    sums = np.bincount(
        evaluation.y_true, weights=evaluation.true_probability, minlength=classes
    )
    return np.asarray(
        np.divide(sums, n, where=n > 0, out=np.full(classes, np.inf)), dtype=np.float64
    )


def confident_classes(
    evaluation: Evaluation,
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Which class each sketch confidently is, and how far its label's is behind.

    Returns:
        The likeliest of the classes that reach their threshold, `NOTHING` where none
        does, shape `(n,)`; and the probability of the label's class less the highest
        of the others, from −1 to 1, shape `(n,)`. Of equally likely classes the first
        is taken.
    """
    least = thresholds(evaluation).astype(np.float32)
    n = len(evaluation.ids)
    confident = np.full(n, NOTHING, dtype=np.int64)
    margin = np.empty(n, dtype=np.float32)
    for rows, probabilities in evaluation.probability_parts(np.arange(n)):
        true = evaluation.y_true[rows, None]
        reach = np.where(probabilities >= least, probabilities, -1)
        best = reach.argmax(axis=1)
        is_confident = np.take_along_axis(reach, best[:, None], axis=1)[:, 0] >= 0
        confident[rows] = np.where(is_confident, best, NOTHING)
        own = np.take_along_axis(probabilities, true, axis=1)[:, 0]
        np.put_along_axis(probabilities, true, -1, axis=1)
        margin[rows] = own - probabilities.max(axis=1)
    return confident, margin


@dataclass(frozen=True)
class Opinion:
    """What one run thinks of all test sketches.

    Attributes:
        confident: Class index that each sketch confidently is, or `NOTHING`, shape
            `(n,)`.
        margin: Probability of its label's class less the highest other, shape `(n,)`.
        label_probability: Probability of its label's class, shape `(n,)`.
        joint: The confident joint: counts by label (rows) and confident class, shape
            `(num_classes, num_classes)`.
    """

    confident: NDArray[np.int64]
    margin: NDArray[np.float32]
    label_probability: NDArray[np.float32]
    joint: NDArray[np.int64]


def opinion(evaluation: Evaluation) -> Opinion:
    """Finds what a run thinks of all its test sketches."""
    confident, margin = confident_classes(evaluation)
    classes = len(evaluation.class_names)
    is_counted = confident != NOTHING
    cells = evaluation.y_true[is_counted].astype(np.int64) * classes
    counts = np.bincount(cells + confident[is_counted], minlength=classes**2)
    return Opinion(
        confident=confident,
        margin=margin,
        label_probability=evaluation.true_probability,
        joint=counts.reshape(classes, classes),
    )


@dataclass(frozen=True)
class Suspects:
    """Sketches that all runs confidently take for the same other class.

    Attributes:
        rows: Of the evaluations' arrays, the most suspect first, shape `(m,)`.
        called: The class index that they are taken for, shape `(m,)`.
        score: What they are ordered by, averaged over the runs, ascending, shape
            `(m,)`.
        alone: How many sketches each run suspects by itself.
        total: All test sketches.
    """

    rows: NDArray[np.int64]
    called: NDArray[np.int64]
    score: NDArray[np.float64]
    alone: tuple[int, ...]
    total: int


def find_suspects(
    evaluations: Sequence[Evaluation],
    opinions: Sequence[Opinion],
    *,
    order: SuspectOrder = "margin",
) -> Suspects:
    """Finds the sketches of which all runs confidently say another class.

    Args:
        evaluations: One or more of the same test sketches.
        opinions: What each of these runs thinks.
        order: The most suspect first; equal ones in the order of the sketches.

    Raises:
        RunError: If the runs were not scored on the same sketches.
        ValueError: If there are none.
    """
    if not evaluations or len(evaluations) != len(opinions):
        raise ValueError(
            "As many opinions as evaluations are needed, at least one. Received: "
            f"{len(evaluations)} evaluations and {len(opinions)} opinions"
        )
    first = evaluations[0]
    for other in evaluations[1:]:
        check_comparable(first, other)
    called = opinions[0].confident
    suspected = [
        (opinion.confident != first.y_true) & (opinion.confident != NOTHING)
        for opinion in opinions
    ]
    agreed = np.logical_and.reduce(
        [*suspected, *(opinion.confident == called for opinion in opinions)]
    )
    rows = np.flatnonzero(agreed)
    figures = [
        opinion.margin if order == "margin" else opinion.label_probability
        for opinion in opinions
    ]
    score = (
        np.stack([figure[rows] for figure in figures]).astype(np.float64).mean(axis=0)
    )
    ranked = np.argsort(score, kind="stable")
    return Suspects(
        rows=rows[ranked],
        called=called[rows][ranked],
        score=score[ranked],
        alone=tuple(int(by_run.sum()) for by_run in suspected),
        total=len(first.ids),
    )


@dataclass(frozen=True)
class SuspectPair:
    """A label and another class that its sketches are confidently taken for.

    Attributes:
        label: Class index of the label.
        called: Class index of the other.
        count: Sketches, all runs agreeing.
        joint: Of each run alone: its count in the confident joint.
        n: Test sketches that bear the label.
    """

    label: int
    called: int
    count: int
    joint: tuple[int, ...]
    n: int


def suspect_pairs(
    evaluation: Evaluation, opinions: Sequence[Opinion], suspects: Suspects
) -> list[SuspectPair]:
    """Counts suspects by label and by what they are taken for, most first."""
    classes = len(evaluation.class_names)
    labels = evaluation.y_true[suspects.rows].astype(np.int64)
    cells, counts = np.unique(labels * classes + suspects.called, return_counts=True)
    n = np.bincount(evaluation.y_true, minlength=classes)
    pairs = [
        SuspectPair(
            label=int(cell // classes),
            called=int(cell % classes),
            count=int(count),
            joint=tuple(int(opinion.joint.flat[cell]) for opinion in opinions),
            n=int(n[cell // classes]),
        )
        for cell, count in zip(cells, counts, strict=True)
    ]
    return sorted(pairs, key=lambda pair: (-pair.count, pair.label, pair.called))
