"""Families: classes that are taken for each other, found in one run, measured in one.

Rows of a matrix are true classes, columns predicted ones.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.analysis.confusions import (
    Confusion,
    Counts,
    Tree,
    mean_probabilities,
    mutual_affinity,
    similarity_tree,
    top_confusions,
)
from core.analysis.statistics import wilson_interval
from core.runs.evaluation import Evaluation

LEAST_CLASSES = 3
"""With fewer there is one family or none."""


@dataclass(frozen=True)
class Similarity:
    """How alike a run finds its classes.

    Attributes:
        class_names: The classes.
        mutual: How much two classes are taken for each other: the mean probability
            that sketches of one give to the other, both ways averaged; shape
            `(num_classes, num_classes)`, zeros on the diagonal.
        tree: The classes joined by it.
        modularities: How good a cut into each number of families is, from 1 to
            `num_classes`; see `modularities`.
    """

    class_names: tuple[str, ...]
    mutual: NDArray[np.float64]
    tree: Tree
    modularities: NDArray[np.float64]

    @property
    def best_count(self) -> int:
        """The number of families at which modularity is highest, at least 2."""
        return 2 + int(self.modularities[1:].argmax())


def find_similarity(evaluation: Evaluation) -> Similarity:
    """Finds which classes a run takes for each other.

    Args:
        evaluation: Of a run with at least `LEAST_CLASSES` classes.

    Raises:
        ValueError: If it has fewer.
    """
    classes = len(evaluation.class_names)
    if classes < LEAST_CLASSES:
        raise ValueError(
            f"Families need at least {LEAST_CLASSES} classes. Received: {classes}"
        )
    affinity = mean_probabilities(evaluation)
    tree = similarity_tree(affinity)
    mutual = mutual_affinity(affinity)
    return Similarity(evaluation.class_names, mutual, tree, modularities(tree, mutual))


def cut(tree: Tree, count: int) -> NDArray[np.int64]:
    """Cuts a tree of classes into families.

    Args:
        tree: Of `num_classes` classes.
        count: How many families.

    Returns:
        Each class's family, shape `(num_classes,)`; families are numbered in the
        tree's order of classes.

    Raises:
        ValueError: If `count` is not from 1 to `num_classes`.
    """
    classes = len(tree.order)
    if not 1 <= count <= classes:
        raise ValueError(f"`count` must be from 1 to {classes}. Received: {count}")
    cluster = np.arange(classes)
    for step in range(classes - count):
        first, other = tree.merges[step, :2]
        cluster[(cluster == first) | (cluster == other)] = classes + step
    family = np.empty(classes, dtype=np.int64)
    numbers: dict[int, int] = {}
    for label in tree.order:
        family[label] = numbers.setdefault(int(cluster[label]), len(numbers))
    return family


def modularities(tree: Tree, mutual: NDArray[np.float64]) -> NDArray[np.float64]:
    """Returns the modularity of a tree's cut into 1, 2, … families.

    Newman and Girvan 2004, Finding and evaluating community structure in networks: the
    share of what classes take of each other that stays within families, less what
    would if each class took as much of the others by chance.

    Args:
        tree: Of `num_classes` classes.
        mutual: Symmetric weights with zeros on the diagonal, shape
            `(num_classes, num_classes)`.

    Returns:
        Shape `(num_classes,)`, each from −0.5 to 1; zeros where all weights are.
    """
    classes = len(mutual)
    values = np.zeros(classes)
    whole = mutual.sum()
    if not whole:
        return values
    weights = mutual / whole
    ends = weights.sum(axis=1)
    place = dict(enumerate(range(classes)))
    value = -float((ends**2).sum())
    values[classes - 1] = value
    for step in range(classes - 1):
        first, other = (place.pop(int(cluster)) for cluster in tree.merges[step, :2])
        value += 2 * float(weights[first, other] - ends[first] * ends[other])
        weights[first] += weights[other]
        weights[:, first] += weights[:, other]
        ends[first] += ends[other]
        place[classes + step] = first
        values[classes - 2 - step] = value
    return values


def family_matrix(matrix: Counts, family_of: NDArray[np.int64]) -> Counts:
    """Sums a matrix of classes up to one of families."""
    count = int(family_of.max()) + 1
    summed = np.zeros((count, count), dtype=np.int64)
    np.add.at(summed, (family_of[:, None], family_of[None, :]), matrix)
    return summed


@dataclass(frozen=True)
class Family:
    """Classes that are taken for each other, and how a run fares with them.

    Attributes:
        number: Its place, from 0, in the tree's order of classes.
        labels: Its classes' indices, in that order.
        heads: The classes that name it: the two that are most taken for each other,
            or its only one.
        n: Test sketches of its classes.
        correct: How many of them are recognised.
        near: How many are taken for another class of the family.
        wild: How many are taken for a class of another family.
        top: Its most frequent confusions within.
        strays: The families that its wild misses go to, each with how many, most
            first.
    """

    number: int
    labels: tuple[int, ...]
    heads: tuple[int, ...]
    n: int
    correct: int
    near: int
    wild: int
    top: tuple[Confusion, ...]
    strays: tuple[tuple[int, int], ...]

    @property
    def accuracy(self) -> float:
        """Share of its sketches whose class is recognised; 0 without sketches."""
        return self.correct / self.n if self.n else 0.0

    @property
    def family_accuracy(self) -> float:
        """Share of its sketches that are taken for one of its classes."""
        return (self.correct + self.near) / self.n if self.n else 0.0

    @property
    def interval(self) -> tuple[float, float]:
        """95 % Wilson interval of `family_accuracy`."""
        return wilson_interval(self.correct + self.near, self.n)


@dataclass(frozen=True)
class Measured:
    """Families, and how a run fares with them.

    Attributes:
        families: In the tree's order of classes.
        family_of: Each class's family, shape `(num_classes,)`.
        n: Test sketches.
        correct: How many are recognised.
        near: How many are taken for another class of the same family.
        wild: How many for a class of another one.
        near_by_chance: The share of mistakes that would be near misses if classes were
            dealt to families of the same sizes at random.
    """

    families: tuple[Family, ...]
    family_of: NDArray[np.int64]
    n: int
    correct: int
    near: int
    wild: int
    near_by_chance: float

    @property
    def family_accuracy(self) -> float:
        """Share of sketches that are taken for a class of the right family."""
        return (self.correct + self.near) / self.n if self.n else 0.0

    @property
    def interval(self) -> tuple[float, float]:
        """95 % Wilson interval of `family_accuracy`."""
        return wilson_interval(self.correct + self.near, self.n)

    @property
    def near_share(self) -> float | None:
        """Share of the mistakes that are near misses; None without mistakes."""
        wrong = self.near + self.wild
        return self.near / wrong if wrong else None


def measure(
    matrix: Counts,
    similarity: Similarity,
    family_of: NDArray[np.int64],
    *,
    limit: int = 5,
) -> Measured:
    """Measures how a run fares with families.

    Args:
        matrix: The run's confusions, shape `(num_classes, num_classes)`.
        similarity: What the families were found by.
        family_of: Each class's family, as `cut` gives them.
        limit: How many of the most frequent confusions a family lists.
    """
    count = int(family_of.max()) + 1
    between = family_matrix(matrix, family_of)
    top: list[list[Confusion]] = [[] for _ in range(count)]
    for pair in top_confusions(matrix, limit=matrix.size):
        family = family_of[pair.true]
        if family_of[pair.predicted] == family and len(top[family]) < limit:
            top[family].append(pair)
    families = []
    for number in range(count):
        labels = [
            label for label in similarity.tree.order if family_of[label] == number
        ]
        within = matrix[np.ix_(labels, labels)]
        correct = int(np.trace(within))
        away = between[number].copy()
        away[number] = 0
        order = np.argsort(-away, kind="stable")
        families.append(
            Family(
                number=number,
                labels=tuple(labels),
                heads=_heads(similarity.mutual, labels),
                n=int(between[number].sum()),
                correct=correct,
                near=int(within.sum()) - correct,
                wild=int(away.sum()),
                top=tuple(top[number]),
                strays=tuple((int(f), int(away[f])) for f in order if away[f]),
            )
        )
    sizes = np.bincount(family_of)
    classes = len(family_of)
    return Measured(
        families=tuple(families),
        family_of=family_of,
        n=int(matrix.sum()),
        correct=int(np.trace(matrix)),
        near=sum(family.near for family in families),
        wild=sum(family.wild for family in families),
        near_by_chance=float((sizes * (sizes - 1)).sum() / (classes * (classes - 1))),
    )


def _heads(mutual: NDArray[np.float64], labels: Sequence[int]) -> tuple[int, ...]:
    """Returns the two classes that are most taken for each other."""
    if len(labels) < 2:
        return tuple(labels)
    within = np.triu(mutual[np.ix_(labels, labels)], k=1)
    within[np.tril_indices(len(labels))] = -1
    first, other = np.unravel_index(int(within.argmax()), within.shape)
    return labels[int(first)], labels[int(other)]
