"""Which test sketches a run gets wrong, filtered and sorted."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from core.analysis.confusions import check_comparable
from core.runs.evaluation import Evaluation

Kind = Literal["all", "both", "only", "second"]
"""All that are wrong; wrong in the other run too; right in the other run; those whose
true class came second."""

FailureOrder = Literal["loss", "margin", "surprise"]

KINDS: tuple[Kind, ...] = get_args(Kind)


@dataclass(frozen=True, eq=False)
class FailureFilter:
    """What failures to look at.

    Attributes:
        drawn: True class index; None for any.
        guess: Predicted class index; None for any.
        least: Lowest calibrated probability of the guess.
        most: Highest.
        kind: Which of them; see `Kind`.
        among: Rows of the evaluation's arrays to look among; None for all.
    """

    drawn: int | None = None
    guess: int | None = None
    least: float = 0.0
    most: float = 1.0
    kind: Kind = "all"
    among: NDArray[np.int64] | None = None


def find_failures(
    evaluation: Evaluation,
    wanted: FailureFilter,
    *,
    other: Evaluation | None = None,
    order: FailureOrder = "loss",
) -> NDArray[np.int64]:
    """Finds the test sketches that a run gets wrong.

    Args:
        evaluation: The run's.
        wanted: Which of them.
        other: Another run's of the same sketches, which `both` and `only` need.
        order: The worst first: by the true class's loss, by the guess's lead over the
            next class, or by `surprise`. Ties are in the order of the sketches.

    Returns:
        Rows of the evaluation's arrays.

    Raises:
        RunError: If the other run was scored on other sketches.
        ValueError: If `other` is needed and missing.
    """
    chosen = evaluation.y_pred != evaluation.y_true
    if wanted.among is not None:
        chosen &= np.isin(np.arange(len(chosen)), wanted.among)
    if wanted.drawn is not None:
        chosen &= evaluation.y_true == wanted.drawn
    if wanted.guess is not None:
        chosen &= evaluation.y_pred == wanted.guess
    sure = evaluation.confidence
    chosen &= (sure >= wanted.least) & (sure <= wanted.most)
    if wanted.kind == "second":
        chosen &= evaluation.true_rank == 2
    elif wanted.kind != "all":
        if other is None:
            raise ValueError(f"`other` is needed for kind {wanted.kind!r}")
        check_comparable(evaluation, other)
        other_wrong = other.y_pred != other.y_true
        chosen &= other_wrong if wanted.kind == "both" else ~other_wrong
    rows = np.flatnonzero(chosen)
    by = surprise(evaluation) if order == "surprise" else getattr(evaluation, order)
    return rows[np.argsort(-by[rows], kind="stable")]


def surprise(evaluation: Evaluation) -> NDArray[np.float64]:
    """How unusual each sketch's answer is for its class, in bits, shape `(n,)`.

    It is −log₂ of the share of the class's other sketches that got the same answer,
    each of the classes counted half a time more, so that nothing is impossible
    (Jeffreys's prior): being taken for what the class is often taken for says little.
    """
    counts = evaluation.confusion
    same = counts[evaluation.y_true, evaluation.y_pred] - 1
    others = counts.sum(axis=1)[evaluation.y_true] - 1
    classes = len(evaluation.class_names)
    return np.asarray(-np.log2((same + 0.5) / (others + 0.5 * classes)))


@dataclass(frozen=True)
class Tally:
    """What can be said of failures in a sentence.

    Attributes:
        wrong: How many sketches are wrong.
        total: Of how many sketches.
        second: Where the true class came second.
        both: Wrong in the other run too; None without one.
        pair: The most frequent pair of true and predicted class; None without any.
        pair_count: How often it occurs among them.
        pair_total: Sketches of that true class, of those in `total`.
    """

    wrong: int
    total: int
    second: int
    both: int | None
    pair: tuple[str, str] | None
    pair_count: int
    pair_total: int


def tally(
    evaluation: Evaluation,
    rows: Sequence[int] | NDArray[np.integer],
    *,
    other: Evaluation | None,
    among: NDArray[np.int64] | None = None,
) -> Tally:
    """Counts what is worth telling of some failures.

    Args:
        evaluation: The run's.
        rows: Of its arrays.
        other: Another run's of the same sketches.
        among: Rows that the failures were looked for among; None for all.
    """
    rows = np.asarray(rows, dtype=np.int64)
    true, guess = evaluation.y_true[rows], evaluation.y_pred[rows]
    classes = len(evaluation.class_names)
    pair, pair_count, pair_total = None, 0, 0
    if len(rows):
        cells, counts = np.unique(
            true.astype(np.int64) * classes + guess, return_counts=True
        )
        cell, pair_count = int(cells[counts.argmax()]), int(counts.max())
        names = evaluation.class_names
        pair = names[cell // classes], names[cell % classes]
        drawn = evaluation.y_true if among is None else evaluation.y_true[among]
        pair_total = int((drawn == cell // classes).sum())
    return Tally(
        wrong=len(rows),
        total=len(evaluation.ids) if among is None else len(among),
        second=int((evaluation.true_rank[rows] == 2).sum()),
        both=None
        if other is None
        else int((other.y_pred[rows] != other.y_true[rows]).sum()),
        pair=pair,
        pair_count=pair_count,
        pair_total=pair_total,
    )
