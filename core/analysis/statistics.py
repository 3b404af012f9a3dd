"""Intervals and tests of accuracies, of one classifier and of two in pairs."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Z_95 = 1.959963984540054
"""The standard normal distribution's quantile at 0.975."""

HALVINGS = 60
"""After so many, an interval's end is as exact as a double can be."""


def mcnemar_p(only_first: ArrayLike, only_second: ArrayLike) -> NDArray[np.float64]:
    """McNemar's test with mid-p, two-sided (Lancaster 1961).

    The exact test is conservative where few samples differ; with half the probability
    of what was seen taken off, it holds its level and finds more (Fagerland et al.
    2013, The McNemar test for binary matched-pairs data).

    Returns:
        How likely counts as unequal or worse would be if both classifiers were equally
        good, those as unequal counted half; 1 where they never differ.
    """
    # Here, as all of scipy: it takes a quarter of a second of a server's start.
    from scipy.special import bdtr

    first, second = (np.asarray(c, np.int64) for c in (only_first, only_second))
    fewer, differ = np.minimum(first, second), first + second
    below = np.where(fewer > 0, bdtr(np.maximum(fewer - 1, 0), differ, 0.5), 0.0)
    return np.asarray(np.minimum(below + bdtr(fewer, differ, 0.5), 1.0))


def least_mcnemar_p(differ: ArrayLike) -> NDArray[np.float64]:
    """Returns the least p-value that so many differing samples can have."""
    return mcnemar_p(differ, np.zeros_like(differ))


def expected_by_chance(differ: ArrayLike, *, level: float) -> float:
    """Returns how many of many tests come out if no two classifiers differ.

    With few differing samples a test can't come out by chance as often as its level
    says, or not at all.

    Args:
        differ: Samples that only one of the two gets right, for each test.
        level: A p-value below it counts.
    """
    from scipy.special import bdtr

    sizes, times = np.unique(np.asarray(differ), return_counts=True)
    expected = 0.0
    for size, count in zip(sizes.tolist(), times.tolist(), strict=True):
        first = np.arange(size + 1)
        found = mcnemar_p(first, size - first) < level
        at_most = bdtr(first, size, 0.5)
        chances = np.diff(at_most, prepend=0.0)
        expected += count * float(chances[found].sum())
    return expected


def tarone(
    p_values: ArrayLike, least: ArrayLike, *, level: float
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Adjusts p-values for the tests among many that could come out at all.

    Tarone 1990, A modified Bonferroni method for discrete data: a test whose least
    possible p-value is above the corrected level can't be wrong about anything, so it
    isn't counted.

    Args:
        p_values: Shape `(n_tests,)`.
        least: The least that each could have been, of the same shape.
        level: How likely one wrong finding or more may be.

    Returns:
        Adjusted p-values, to be compared with `level`, and which tests were counted,
        both of that shape; one that was not has 1.
    """
    p, low = np.asarray(p_values, dtype=np.float64), np.asarray(least)
    tests = 1
    while (low <= level / tests).sum() > tests:
        tests += 1
    counted = low <= level / tests
    return np.where(counted, np.minimum(p * tests, 1.0), 1.0), counted


def paired_interval(
    only_first: ArrayLike, only_second: ArrayLike, n: ArrayLike, *, level: float = 0.95
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Score interval of a difference of paired proportions.

    Tango 1998, Equivalence test and confidence interval for the difference in
    proportions for the paired-sample design. It holds its level with few samples, too.
    At 0 the score test is McNemar's without continuity correction; for one in a
    thousand tables it rejects what the mid-p test doesn't, such as 4 to 0. There the
    interval is drawn out to 0, so that it leaves 0 out where `mcnemar_p` is below 0.05
    and nowhere else.

    Args:
        only_first: Samples that the first alone gets right.
        only_second: Samples that the second alone gets right.
        n: All samples.
        level: How often it is to hold the true difference.

    Returns:
        The lower and the upper end of the first's accuracy less the second's, from −1
        to 1; without samples nothing is known and −1 to 1 is returned.
    """
    from scipy.special import ndtri

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
    holds_zero = mcnemar_p(first, second) >= 1 - level
    low = np.where(holds_zero, np.minimum(ends[0], 0.0), ends[0])
    high = np.where(holds_zero, np.maximum(ends[1], 0.0), ends[1])
    return low, high


def wilson_interval(successes: int, n: int) -> tuple[float, float]:
    """95 % Wilson score interval of a proportion.

    Args:
        successes: From 0 to `n`.
        n: Number of trials; without any, nothing is known and 0 to 1 is returned.
    """
    low, high = wilson_intervals(np.array([successes]), np.array([n]))
    return float(low[0]), float(high[0])


def wilson_intervals(
    successes: NDArray[np.integer], n: NDArray[np.integer]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """95 % Wilson score intervals of many proportions at once (Wilson 1927).

    Args:
        successes: Each from 0 to its `n`, shape `(m,)`.
        n: Numbers of trials, shape `(m,)`; without any, nothing is known and 0 to 1 is
            returned.

    Returns:
        Their lower and upper ends, each of shape `(m,)`.
    """
    trials = np.asarray(n, dtype=np.float64)
    safe = np.maximum(trials, 1)
    share = np.asarray(successes, dtype=np.float64) / safe
    z = Z_95
    middle = (share + z**2 / (2 * safe)) / (1 + z**2 / safe)
    reach = z / (1 + z**2 / safe)
    reach = reach * np.sqrt(share * (1 - share) / safe + z**2 / (4 * safe**2))
    # Rounding must not leave out a share of 0 or 1.
    low = np.where(successes == 0, 0.0, np.maximum(middle - reach, 0))
    high = np.where(successes == n, 1.0, np.minimum(middle + reach, 1))
    return np.where(trials > 0, low, 0.0), np.where(trials > 0, high, 1.0)


@dataclass(frozen=True)
class PairedTest:
    """McNemar's mid-p test between two classifiers on the same samples.

    Attributes:
        only_first: Samples that only the first got right.
        only_second: Samples that only the second got right.
        p_value: Two-sided: how likely so unequal counts or worse would be if both
            were equally good.
    """

    only_first: int
    only_second: int
    p_value: float


def paired_test(first: NDArray[np.bool_], second: NDArray[np.bool_]) -> PairedTest:
    """Tests whether two classifiers differ (McNemar 1947, by mid-p).

    Args:
        first: Which samples the first got right, shape `(n_samples,)`.
        second: The same of the second.
    """
    if first.shape != second.shape:
        raise ValueError(
            f"Both must have the same shape. Received: {first.shape} and {second.shape}"
        )
    only_first = int((first & ~second).sum())
    only_second = int((second & ~first).sum())
    p_value = float(mcnemar_p(only_first, only_second))
    return PairedTest(only_first, only_second, p_value)
