"""How single classes fare, in one run and between two."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from core.analysis.statistics import wilson_intervals
from core.runs.evaluation import Evaluation


@dataclass(frozen=True)
class ClassMetrics:
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


@dataclass(frozen=True)
class Ranking:
    """The best or worst classes of a run.

    Attributes:
        class_metrics: In order.
        tied: Names of the further classes that are as good as the last one shown,
            and only for want of room are not.
    """

    class_metrics: "tuple[ClassMetrics, ...]"
    tied: tuple[str, ...]


def rank_classes(
    class_metrics: "Sequence[ClassMetrics]", *, limit: int, worst: bool = False
) -> Ranking:
    """Ranks classes by accuracy.

    Equal accuracies are ordered by the number of sketches behind them, most first,
    then by name. Classes without test sketches are left out, and of the worst those
    that are among as many best.

    Args:
        class_metrics: Of all classes.
        limit: How many to show.
        worst: Whether to begin with the lowest accuracy.
    """
    tried = [f for f in class_metrics if f.n]
    ordered = sorted(tried, key=lambda f: (-f.recall, -f.n, f.class_name))
    if worst:
        best = {f.label for f in ordered[: min(limit, (len(tried) + 1) // 2)]}
        ordered = sorted(tried, key=lambda f: (f.recall, -f.n, f.class_name))
        ordered = [f for f in ordered if f.label not in best]
    else:
        limit = min(limit, (len(tried) + 1) // 2)
    shown, rest = ordered[:limit], ordered[limit:]
    tied = [f.class_name for f in rest if f.recall == shown[-1].recall]
    return Ranking(tuple(shown), tuple(tied))


@dataclass(frozen=True)
class ClassTally:
    """What can be said of all classes in a sentence.

    Attributes:
        total: Classes with test sketches.
        whole: Those of which every sketch is recognised.
        under_half: Those of which fewer than half are.
        mistakes: Test sketches that are wrong.
        half_of_mistakes: The fewest classes that hold at least half of them.
    """

    total: int
    whole: int
    under_half: int
    mistakes: int
    half_of_mistakes: int


def tally_classes(class_metrics: "Sequence[ClassMetrics]") -> ClassTally:
    """Counts what is worth telling of a run's classes."""
    tried = [f for f in class_metrics if f.n]
    missed = np.sort([f.n - f.correct for f in tried])[::-1]
    total = int(missed.sum())
    reached = np.cumsum(missed) >= total / 2
    return ClassTally(
        total=len(tried),
        whole=sum(f.correct == f.n for f in tried),
        under_half=sum(2 * f.correct < f.n for f in tried),
        mistakes=total,
        half_of_mistakes=int(np.argmax(reached)) + 1 if total else 0,
    )


@dataclass(frozen=True)
class PairedClass:
    """One class in two runs.

    Attributes:
        first: Its metrics in one run.
        second: Its metrics in the other.
    """

    first: "ClassMetrics"
    second: "ClassMetrics"

    @property
    def change(self) -> float:
        """Accuracy in the second run less that in the first."""
        return self.second.recall - self.first.recall


def pair_classes(
    first: "Sequence[ClassMetrics]", second: "Sequence[ClassMetrics]"
) -> list[PairedClass]:
    """Joins the metrics of two runs by class name, leaving out what one lacks."""
    by_name = {class_metrics.class_name: class_metrics for class_metrics in second}
    return [
        PairedClass(class_metrics, by_name[class_metrics.class_name])
        for class_metrics in first
        if class_metrics.class_name in by_name and class_metrics.n
    ]


def common_classes(
    pairs: Sequence[PairedClass], *, limit: int, which: Literal["hard", "easy"]
) -> list[PairedClass]:
    """Returns the classes that are hard, or easy, for both runs.

    Hard for both: the better of the two accuracies is low. Easy for both: the worse
    of the two is high. Ties are ordered by the other accuracy, then by name.
    """

    def key(pair: PairedClass) -> tuple[float, float, str]:
        low, high = sorted((pair.first.recall, pair.second.recall))
        name = pair.first.class_name
        return (high, low, name) if which == "hard" else (-low, -high, name)

    return sorted(pairs, key=key)[:limit]


@dataclass(frozen=True)
class Share:
    """How many sketches of one class met another.

    Attributes:
        class_name: The other class.
        count: Of sketches.
        n: Out of how many.
    """

    class_name: str
    count: int
    n: int


def taken_for(evaluation: Evaluation, label: int) -> list[Share]:
    """Returns what a class's sketches are wrongly taken for, most frequent first."""
    return _shares(evaluation, evaluation.confusion[label], label)


def takes_in(evaluation: Evaluation, label: int) -> list[Share]:
    """Returns whose sketches are wrongly taken for a class, most frequent first."""
    return _shares(evaluation, evaluation.confusion[:, label], label)


def sketches_of_class(
    evaluation: Evaluation, label: int
) -> tuple[list[int], list[int]]:
    """Returns a class's test sketches: right ones and wrong ones, surest first.

    Returns:
        Two lists of rows of the evaluation's arrays.
    """
    rows = np.nonzero(evaluation.y_true == label)[0]
    sure = evaluation.confidence[rows]
    rows = rows[np.argsort(-sure, kind="stable")]
    is_right = evaluation.y_pred[rows] == label
    return [int(r) for r in rows[is_right]], [int(r) for r in rows[~is_right]]


def _shares(
    evaluation: Evaluation,
    counts: NDArray[np.int64],
    label: int,
) -> list[Share]:
    others = [
        Share(name, int(count), int(counts.sum()))
        for index, (name, count) in enumerate(
            zip(evaluation.class_names, counts, strict=True)
        )
        if count and index != label
    ]
    return sorted(others, key=lambda share: (-share.count, share.class_name))


def measure_classes(
    y_true: NDArray[np.integer],
    y_pred: NDArray[np.integer],
    *,
    class_names: tuple[str, ...],
) -> list[ClassMetrics]:
    """Computes the metrics of every class, in the order of labels."""
    # Here, since a first guess does not wait for scikit-learn.
    from sklearn.metrics import precision_recall_fscore_support

    from core.analysis.metrics import confusion

    labels = np.arange(len(class_names))
    precision, recall, f1, support = precision_recall_fscore_support(
        y_true, y_pred, labels=labels, zero_division=0
    )
    matrix = confusion(y_true, y_pred, num_classes=len(class_names))
    lows, highs = wilson_intervals(np.diag(matrix), matrix.sum(axis=1))
    predicted = matrix.sum(axis=0)
    class_metrics = []
    for label, name in enumerate(class_names):
        n, correct = int(support[label]), int(matrix[label, label])
        class_metrics.append(
            ClassMetrics(
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
    return class_metrics
