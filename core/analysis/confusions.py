"""What is taken for what: views of one evaluation's confusion matrix.

Rows are true classes, columns predicted ones.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.cluster.hierarchy import leaves_list, linkage, optimal_leaf_ordering
from scipy.spatial.distance import squareform

from core.errors import RunError
from core.runs.evaluation import Evaluation

Counts = NDArray[np.int64]
Normalise = Literal["count", "row", "column"]
ClassOrder = Literal["name", "accuracy", "similarity"]

LEAST_AFFINITY = 1e-6
"""Less than this is all the same to the order of classes: never."""


@dataclass(frozen=True)
class Confusion:
    """A pair of classes of which one is taken for the other.

    Attributes:
        true: Index of the true class.
        predicted: Index of what it was taken for.
        count: How many of its sketches.
        n: How many it has.
    """

    true: int
    predicted: int
    count: int
    n: int


def top_confusions(matrix: Counts, *, limit: int) -> list[Confusion]:
    """Returns the most frequent confusions.

    Equal counts are ordered by their share of the class, then by label.

    Args:
        matrix: Counts of shape `(num_classes, num_classes)`.
        limit: How many to return at most.
    """
    n = matrix.sum(axis=1)
    mistakes = matrix - np.diag(np.diag(matrix))
    true, predicted = np.nonzero(mistakes)
    counts = mistakes[true, predicted]
    order = np.lexsort((predicted, true, -counts / n[true], -counts))[:limit]
    return [
        Confusion(int(true[i]), int(predicted[i]), int(counts[i]), int(n[true[i]]))
        for i in order
    ]


def most_confused_classes(matrix: Counts, *, limit: int) -> list[int]:
    """Returns the classes of the top confusions, at most `limit`, by first mention."""
    chosen: list[int] = []
    for pair in top_confusions(matrix, limit=matrix.size):
        new = [label for label in (pair.true, pair.predicted) if label not in chosen]
        if len(chosen) + len(new) > limit:
            break
        chosen += new
    return chosen


def normalise(matrix: Counts, by: Normalise) -> NDArray[np.float64]:
    """Returns counts as they are, or in percent of their row or column.

    A row or column without any sketch stays 0.
    """
    values = matrix.astype(float)
    if by == "count":
        return values
    totals = values.sum(axis=1 if by == "row" else 0, keepdims=True)
    if by == "row":
        totals = totals.reshape(-1, 1)
    return np.asarray(100 * np.divide(values, totals, where=totals > 0, out=values * 0))


def class_order(evaluation: Evaluation, by: ClassOrder) -> list[int]:
    """Returns the labels in an order that shows something.

    Args:
        evaluation: Whose classes.
        by: `name`; `accuracy`, lowest first; or `similarity`, so that classes the
            network confuses stand side by side.
    """
    names = evaluation.class_names
    by_name = sorted(range(len(names)), key=lambda label: names[label].casefold())
    if by == "accuracy":
        matrix = evaluation.confusion
        recall = np.diag(matrix) / np.maximum(matrix.sum(axis=1), 1)
        return sorted(by_name, key=lambda label: recall[label])
    if by == "similarity":
        return similarity_order(mean_probabilities(evaluation))
    return by_name


def mean_probabilities(evaluation: Evaluation) -> NDArray[np.float64]:
    """Returns how likely, on average, sketches of each class are taken for each.

    Returns:
        Shape `(num_classes, num_classes)`, true by predicted; a class without
        sketches has a row of zeros.
    """
    classes = len(evaluation.class_names)
    sums = np.zeros((classes, classes))
    by_class = np.argsort(evaluation.y_true, kind="stable")
    for rows, probabilities in evaluation.probability_parts(by_class):
        labels, firsts = np.unique(evaluation.y_true[rows], return_index=True)
        # `np.add.reduceat` takes six times as long.
        for label, of_class in zip(
            labels, np.split(probabilities, firsts[1:]), strict=True
        ):
            sums[label] += of_class.sum(axis=0)
    totals = np.bincount(evaluation.y_true, minlength=classes)
    return np.asarray(sums / np.maximum(totals, 1)[:, None])


@dataclass(frozen=True)
class Tree:
    """Which classes are alike, from single classes up to all of them.

    Attributes:
        merges: SciPy's linkage matrix, shape `(num_classes - 1, 4)`: in each row the
            two clusters that become one, their distance and the new one's size.
        order: The classes from one end to the other, similar ones side by side.
    """

    merges: NDArray[np.float64]
    order: list[int]


def mutual_affinity(affinity: NDArray[np.floating]) -> NDArray[np.float64]:
    """Returns how much two classes are taken for each other, on average of both ways.

    Args:
        affinity: How much each class is taken for each, shape
            `(num_classes, num_classes)`; it need not be symmetric.

    Returns:
        The same shape, symmetric, with zeros on the diagonal.
    """
    mutual = (affinity + affinity.T) / 2
    np.fill_diagonal(mutual, 0)
    return np.asarray(mutual, dtype=np.float64)


def similarity_tree(affinity: NDArray[np.floating]) -> Tree:
    """Joins the classes that are most taken for each other first.

    Average linkage, with the order of leaves that puts the most alike side by side
    (Bar-Joseph et al. 2001, Fast optimal leaf ordering for hierarchical clustering).

    Args:
        affinity: As for `mutual_affinity`, of at least one class.
    """
    if len(affinity) < 2:
        return Tree(np.zeros((0, 4)), list(range(len(affinity))))
    # Probabilities span orders of magnitude; their logarithm tells degrees apart.
    similarity = np.log(np.maximum(mutual_affinity(affinity), LEAST_AFFINITY))
    distance = similarity.max() - similarity
    np.fill_diagonal(distance, 0)
    condensed = squareform(distance, checks=False)
    merges = optimal_leaf_ordering(linkage(condensed, method="average"), condensed)
    return Tree(merges, [int(label) for label in leaves_list(merges)])


def similarity_order(affinity: NDArray[np.floating]) -> list[int]:
    """Orders classes so that similar ones are neighbours; see `similarity_tree`."""
    return similarity_tree(affinity).order


def sketches_of_cell(evaluation: Evaluation, true: int, predicted: int) -> list[int]:
    """Returns the test sketches behind a cell, surest first.

    Returns:
        Rows of the evaluation's arrays.
    """
    rows = np.nonzero((evaluation.y_true == true) & (evaluation.y_pred == predicted))[0]
    # Of these sketches only; of all, it would take a second where there are many.
    _, sure = evaluation.guesses(rows, k=1)
    return [int(row) for row in rows[np.argsort(-sure[:, 0], kind="stable")]]


def check_comparable(evaluation: Evaluation, other: Evaluation) -> None:
    """Raises `RunError` unless two evaluations are of the same test sketches."""
    if evaluation.ids != other.ids or evaluation.class_names != other.class_names:
        raise RunError(
            "Runs {run!r} and {other!r} were not scored on the same test sketches; "
            "choose another to compare.",
            run=evaluation.metrics["run_id"],
            other=other.metrics["run_id"],
        )


def matrix_rows(evaluation: Evaluation) -> list[dict[str, object]]:
    """Returns the whole matrix as table rows: true classes down, predicted across.

    Its words are English in every language, for those who read it by a program.
    """
    names = evaluation.class_names
    return [
        {"drawn \\ taken for": name, **dict(zip(names, row.tolist(), strict=True))}
        for name, row in zip(names, evaluation.confusion, strict=True)
    ]
