"""Two runs on the same test sketches: which is better, by how much, and where.

A run is compared with a baseline. What it gets right and the baseline wrong is fixed,
what it gets wrong and the baseline right is broken.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from core.analysis.confusions import check_comparable
from core.analysis.statistics import (
    expected_by_chance,
    least_mcnemar_p,
    mcnemar_p,
    paired_interval,
    tarone,
)
from core.runs.evaluation import Evaluation

Outcome = Literal["fixed", "broken", "both_wrong", "both_right"]

LEVEL = 0.05
"""How likely it may be that a difference is found where there is none."""

OUTCOMES: tuple[Outcome, ...] = get_args(Outcome)


@dataclass(frozen=True)
class Paired:
    """What a run and its baseline make of some sketches.

    Attributes:
        both_right: Sketches that both recognise.
        fixed: That only the run recognises.
        broken: That only the baseline recognises.
        both_wrong: That neither recognises.
        low: Lower end of the 95 % interval of `change` (Tango 1998).
        high: Upper end.
        p_value: Of McNemar's mid-p test.
    """

    both_right: int
    fixed: int
    broken: int
    both_wrong: int
    low: float
    high: float
    p_value: float

    @property
    def n(self) -> int:
        """How many sketches there are."""
        return self.both_right + self.fixed + self.broken + self.both_wrong

    @property
    def right(self) -> int:
        """How many the run recognises."""
        return self.both_right + self.fixed

    @property
    def baseline_right(self) -> int:
        """How many the baseline recognises."""
        return self.both_right + self.broken

    @property
    def net(self) -> int:
        """Sketches that the run recognises more than the baseline."""
        return self.fixed - self.broken

    @property
    def change(self) -> float:
        """The run's accuracy less the baseline's, from −1 to 1; 0 without sketches."""
        return self.net / self.n if self.n else 0.0


@dataclass(frozen=True)
class ClassChange:
    """One class in both runs.

    Attributes:
        label: Class index.
        class_name: Its name.
        paired: Its sketches.
        adjusted_p: Its p-value, adjusted for the tests of all classes that could come
            out (Tarone 1990, at `LEVEL`).
        is_testable: Whether it is one of them: enough of its sketches got a right
            answer from one run only.
    """

    label: int
    class_name: str
    paired: Paired
    adjusted_p: float
    is_testable: bool


@dataclass(frozen=True)
class OutcomeSummary:
    """The sketches of one outcome, and how sure both runs are of their guesses.

    Attributes:
        outcome: Which.
        count: How many.
        share: Of all, from 0 to 1.
        sure: The run's mean calibrated probability of its guess; None without any.
        baseline_sure: The baseline's.
    """

    outcome: Outcome
    count: int
    share: float
    sure: float | None
    baseline_sure: float | None


@dataclass(frozen=True)
class Comparison:
    """A run beside its baseline.

    Attributes:
        paired: All test sketches.
        classes: Each class that has any, by label.
        outcomes: The metrics of each outcome, in the order of `OUTCOMES`.
    """

    paired: Paired
    classes: tuple[ClassChange, ...]
    outcomes: tuple[OutcomeSummary, ...]

    @property
    def is_clear(self) -> bool:
        """Whether one run is better than the other at `LEVEL`."""
        return self.paired.p_value < LEVEL

    @property
    def differing(self) -> list[ClassChange]:
        """The classes that differ, considering how many were tested."""
        return [c for c in self.classes if c.adjusted_p < LEVEL]

    @property
    def differing_alone(self) -> list[ClassChange]:
        """Those that would, had each been the only one tested."""
        return [c for c in self.classes if c.paired.p_value < LEVEL]

    @property
    def testable(self) -> int:
        """How many classes could have been found to differ among so many."""
        return sum(c.is_testable for c in self.classes)

    @property
    def by_chance(self) -> float:
        """How many of `differing_alone` there would be if no class differed."""
        differ = [c.paired.fixed + c.paired.broken for c in self.classes]
        return expected_by_chance(differ, level=LEVEL)


@dataclass(frozen=True)
class Gain:
    """Which classes make up the net change of a comparison.

    Attributes:
        better: Classes in which the run recognises more than the baseline.
        worse: In which it recognises fewer.
        same: In which it recognises as many.
        largest: Those that changed most in the direction of the whole, at most as many
            as asked for.
        largest_share: Their sketches' share of the net change; above 1 where others
            undo some of it, None where there is no net change.
        half: How many of the most changed classes make at least half of it.
    """

    better: int
    worse: int
    same: int
    largest: tuple[ClassChange, ...]
    largest_share: float | None
    half: int | None


def find_outcomes(evaluation: Evaluation, baseline: Evaluation) -> NDArray[np.int8]:
    """Returns each sketch's outcome as its place in `OUTCOMES`, shape `(n,)`.

    Raises:
        RunError: If the two were not scored on the same sketches.
    """
    check_comparable(evaluation, baseline)
    right = evaluation.y_pred == evaluation.y_true
    before = baseline.y_pred == baseline.y_true
    return np.select([right & ~before, ~right & before, ~right], [0, 1, 2], 3).astype(
        np.int8
    )


def compare(evaluation: Evaluation, baseline: Evaluation) -> Comparison:
    """Compares a run with a baseline that was scored on the same sketches.

    Raises:
        RunError: If it was not.
    """
    sketch_outcomes = find_outcomes(evaluation, baseline)
    classes = len(evaluation.class_names)
    cells = evaluation.y_true.astype(np.int64) * len(OUTCOMES) + sketch_outcomes
    counts = np.bincount(cells, minlength=classes * len(OUTCOMES))
    table = counts.reshape(classes, len(OUTCOMES))
    labels = np.flatnonzero(table.sum(axis=1))
    paired = _paired(table[labels])
    adjusted, testable = tarone(
        [pairs.p_value for pairs in paired],
        least_mcnemar_p([pairs.fixed + pairs.broken for pairs in paired]),
        level=LEVEL,
    )
    return Comparison(
        paired=_paired(table.sum(axis=0, keepdims=True))[0],
        classes=tuple(
            ClassChange(
                int(label),
                evaluation.class_names[label],
                pairs,
                float(p),
                bool(counted),
            )
            for label, pairs, p, counted in zip(
                labels, paired, adjusted, testable, strict=True
            )
        ),
        outcomes=tuple(
            _summarise(outcome, sketch_outcomes == place, evaluation, baseline)
            for place, outcome in enumerate(OUTCOMES)
        ),
    )


def gain(classes: Sequence[ClassChange], *, limit: int) -> Gain:
    """Says which classes a net change comes from.

    Classes that changed equally are in the order of their share of sketches that
    changed, then of their names.

    Args:
        classes: Of a comparison.
        limit: How many of the most changed to name.
    """
    net = sum(change.paired.net for change in classes)
    sign = -1 if net < 0 else 1
    moved = sorted(
        (change for change in classes if sign * change.paired.net > 0),
        key=lambda change: (
            -sign * change.paired.net,
            -sign * change.paired.change,
            change.class_name,
        ),
    )
    largest = tuple(moved[:limit])
    reached = np.cumsum([sign * change.paired.net for change in moved])
    return Gain(
        better=sum(change.paired.net > 0 for change in classes),
        worse=sum(change.paired.net < 0 for change in classes),
        same=sum(change.paired.net == 0 for change in classes),
        largest=largest,
        largest_share=sum(change.paired.net for change in largest) / net
        if net
        else None,
        half=int(np.searchsorted(2 * reached, abs(net))) + 1 if net else None,
    )


def find_sketches(
    evaluation: Evaluation,
    baseline: Evaluation,
    outcome: Outcome,
    *,
    label: int | None = None,
) -> NDArray[np.int64]:
    """Finds the test sketches of one outcome.

    Args:
        evaluation: The run's.
        baseline: The baseline's.
        outcome: Which.
        label: A true class index, for the sketches of that class alone.

    Returns:
        Rows of the evaluations' arrays: first those whose true class gained or lost
        most probability from one run to the other, or, where both are right or both
        are wrong, those with the highest loss in both together.

    Raises:
        RunError: If the two were not scored on the same sketches.
    """
    chosen = find_outcomes(evaluation, baseline) == OUTCOMES.index(outcome)
    if label is not None:
        chosen &= evaluation.y_true == label
    rows = np.flatnonzero(chosen)
    if outcome in ("fixed", "broken"):
        now, before = evaluation.true_probability, baseline.true_probability
        by = np.abs(now[rows] - before[rows])
    else:
        by = evaluation.loss[rows] + baseline.loss[rows]
    return rows[np.argsort(-by, kind="stable")]


def _paired(table: NDArray[np.int64]) -> list[Paired]:
    """Returns the statistics of counts, a row a table, outcomes as in `OUTCOMES`."""
    fixed, broken, both_wrong, both_right = table.T
    low, high = paired_interval(fixed, broken, table.sum(axis=1))
    p_values = mcnemar_p(fixed, broken)
    return [
        Paired(
            both_right=int(both_right[i]),
            fixed=int(fixed[i]),
            broken=int(broken[i]),
            both_wrong=int(both_wrong[i]),
            low=float(low[i]),
            high=float(high[i]),
            p_value=float(p_values[i]),
        )
        for i in range(len(table))
    ]


def _summarise(
    outcome: Outcome,
    chosen: NDArray[np.bool_],
    evaluation: Evaluation,
    baseline: Evaluation,
) -> OutcomeSummary:
    count = int(chosen.sum())
    sure, baseline_sure = (
        float(scored.confidence[chosen].mean(dtype=np.float64)) if count else None
        for scored in (evaluation, baseline)
    )
    share = count / len(chosen) if len(chosen) else 0.0
    return OutcomeSummary(outcome, count, share, sure, baseline_sure)
