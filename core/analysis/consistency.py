"""How alike the mistakes of people and networks are: error consistency."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from core.datasets.answers import Answer

DRAWS = 2000
"""Of the bootstrap; the ends of its interval then move by less than 0.01."""


@dataclass(frozen=True)
class Consistency:
    """How alike two of those who answered err.

    Attributes:
        first: The place of one of them, 0 for people and then the networks' order.
        second: The other's place.
        kappa: Cohen's; NaN where it is undefined.
        low: Lower end of its 95 % bootstrap interval; NaN where that is undefined.
        high: Upper end.
    """

    first: int
    second: int
    kappa: float
    low: float
    high: float


def error_consistency(first: NDArray[np.bool_], second: NDArray[np.bool_]) -> float:
    """Cohen's kappa of being right (Geirhos et al. 2020, Beyond accuracy).

    1 if both are wrong on the same samples, 0 if they are so no more often than two
    would by chance who are right as often as these.

    Args:
        first: Which samples the first got right, shape `(n_samples,)`.
        second: The same of the second.

    Returns:
        From −1 to 1; NaN where both are right everywhere, both are wrong everywhere, or
        there are no samples.

    Raises:
        ValueError: If the shapes differ.
    """
    return float(_kappa(_counts(first, second)[None])[0])


def consistency_interval(
    first: NDArray[np.bool_], second: NDArray[np.bool_], *, seed: int = 0
) -> tuple[float, float]:
    """95 % percentile bootstrap interval of `error_consistency`, over the samples.

    Args:
        first: Which samples the first got right, shape `(n_samples,)`.
        second: The same of the second.
        seed: Of the draws; those whose kappa is undefined don't count.

    Returns:
        Its ends; NaN where kappa is undefined.
    """
    counts = _counts(first, second)
    n = int(counts.sum())
    if not np.isfinite(_kappa(counts[None])[0]):
        return float("nan"), float("nan")
    # Samples drawn with replacement, of which kappa knows no more than these counts.
    drawn = np.random.default_rng(seed).multinomial(n, counts / n, size=DRAWS)
    low, high = np.nanquantile(_kappa(drawn), (0.025, 0.975))
    return float(low), float(high)


def compare_errors(
    answers: Sequence[Answer], run_ids: Sequence[str]
) -> list[Consistency]:
    """Compares people's mistakes and networks' with each other, two at a time.

    Args:
        answers: Each with an answer of all the networks.
        run_ids: The networks' runs.

    Returns:
        Each pair, people first.
    """
    right = [np.array([answer.said == answer.drawn for answer in answers], dtype=bool)]
    for run_id in run_ids:
        said = [answer.networks[run_id] == answer.drawn for answer in answers]
        right.append(np.array(said, dtype=bool))
    return [
        Consistency(
            first,
            second,
            error_consistency(right[first], right[second]),
            *consistency_interval(right[first], right[second]),
        )
        for first, second in combinations(range(len(right)), 2)
    ]


def _counts(first: NDArray[np.bool_], second: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Counts of both right, only the first, only the second and neither."""
    if first.shape != second.shape:
        raise ValueError(
            f"Both must have the same shape. Received: {first.shape} and {second.shape}"
        )
    pairs = (first & second, first & ~second, ~first & second, ~first & ~second)
    return np.array([pair.sum() for pair in pairs], dtype=np.int64)


def _kappa(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """Returns Cohen's kappa of each row of such counts, shape `(m, 4)`; or NaN."""
    both, only_first, only_second, neither = counts.T.astype(np.float64)
    n = counts.sum(axis=1)
    share = np.maximum(n, 1)
    seen = (both + neither) / share
    first, second = (both + only_first) / share, (both + only_second) / share
    expected = first * second + (1 - first) * (1 - second)
    is_defined = (n > 0) & (both < n) & (neither < n)
    room = np.where(is_defined, 1 - expected, np.nan)
    return np.asarray((seen - expected) / room)
