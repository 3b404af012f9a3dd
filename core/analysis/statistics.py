"""Statistics of pairs: what two classifiers answer to the same samples.

`only_first` and `only_second` count the samples that one of them alone gets right; all
functions take arrays of such counts, too, a table each.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtri
from scipy.stats import binom

HALVINGS = 60
"""After so many, an interval's end is as exact as a double can be."""


def mcnemar_p(only_first: ArrayLike, only_second: ArrayLike) -> NDArray[np.float64]:
    """McNemar's exact test (McNemar 1947), two-sided.

    Returns:
        How likely counts as unequal or worse would be if both classifiers were equally
        good; 1 where they never differ.
    """
    first, second = np.asarray(only_first), np.asarray(only_second)
    tail = binom.cdf(np.minimum(first, second), first + second, 0.5)
    return np.asarray(np.minimum(2 * tail, 1.0))


def paired_interval(
    only_first: ArrayLike, only_second: ArrayLike, n: ArrayLike, *, level: float = 0.95
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Score interval of a difference of paired proportions.

    Tango 1998, Equivalence test and confidence interval for the difference in
    proportions for the paired-sample design. It holds its level with few samples, too,
    and leaves 0 out where McNemar's test without continuity correction rejects it.

    Args:
        only_first: Samples that the first alone gets right.
        only_second: Samples that the second alone gets right.
        n: All samples.
        level: How often it is to hold the true difference.

    Returns:
        The lower and the upper end of the first's accuracy less the second's, from −1
        to 1; without samples nothing is known and −1 to 1 is returned.
    """
    first, second, total = np.broadcast_arrays(
        *(np.asarray(count, dtype=np.float64) for count in (only_first, only_second, n))
    )
    z = float(ndtri((1 + level) / 2))

    def excess(delta: NDArray[np.float64]) -> NDArray[np.float64]:
        """By how much the counts exceed what a difference of `delta` lets expect."""
        return np.asarray(first - second - total * delta)

    def spread(delta: NDArray[np.float64]) -> NDArray[np.float64]:
        """The excess's standard deviation if that were the true difference."""
        a = 2 * total
        b = -first - second + (a - first + second) * delta
        c = -second * delta * (1 - delta)
        # Likeliest share of samples that only the second gets right.
        root = np.sqrt(np.maximum(b * b - 4 * a * c, 0))
        share = np.divide(root - b, 2 * a, where=a > 0, out=np.zeros_like(a))
        variance = total * (2 * share + delta * (1 - delta))
        return np.asarray(np.sqrt(np.maximum(variance, 0)))

    estimate = np.divide(
        first - second, total, where=total > 0, out=np.zeros_like(total)
    )
    ends = []
    for sign in (-1.0, 1.0):
        inside, outside = estimate, np.full_like(total, sign)
        for _ in range(HALVINGS):
            middle = (inside + outside) / 2
            is_inside = -sign * excess(middle) <= z * spread(middle)
            inside = np.where(is_inside, middle, inside)
            outside = np.where(is_inside, outside, middle)
        ends.append(np.where(total > 0, inside, sign))
    return ends[0], ends[1]


def holm(p_values: ArrayLike) -> NDArray[np.float64]:
    """Adjusts p-values for having made many tests at once.

    Holm 1979, A simple sequentially rejective multiple test procedure: those that stay
    below a level are all right together, but for that probability.

    Args:
        p_values: Shape `(n_tests,)`.
    """
    found = np.asarray(p_values, dtype=np.float64)
    order = np.argsort(found, kind="stable")
    steps = found[order] * np.arange(len(found), 0, -1)
    adjusted = np.empty_like(found)
    adjusted[order] = np.minimum(np.maximum.accumulate(steps), 1.0)
    return adjusted
