"""Which sketches stand for a class."""

import numpy as np

from core.analysis.classes import sketches_of_class
from core.runs.evaluation import Evaluation


def example_sketches(evaluation: Evaluation, label: int, *, limit: int) -> list[int]:
    """Chooses some of a class's test sketches, right ones first.

    Right and wrong ones in the share that they have of the class, but one of each that
    there is; of each from the surest to the least sure in equal steps.

    Args:
        evaluation: A run's.
        label: The class.
        limit: How many to choose, at least 2.

    Returns:
        Rows of the evaluation's arrays, at most `limit`.
    """
    right, wrong = sketches_of_class(evaluation, label)
    total = len(right) + len(wrong)
    if total <= limit:
        return right + wrong
    # Half a sketch is one: `round` would take every second half down.
    count = int(limit * len(right) / total + 0.5)
    count = min(max(count, bool(right)), limit - bool(wrong))
    return _spread(right, count) + _spread(wrong, limit - count)


def _spread(rows: list[int], count: int) -> list[int]:
    return [
        rows[place]
        for place in np.linspace(0, len(rows) - 1, count).round().astype(int)
    ]
