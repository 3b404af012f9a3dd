"""Whether probabilities are true: reliability in bins, and calibration errors."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from core.analysis.confidences import Confidences
from core.analysis.metrics import ECE_BINS
from core.analysis.statistics import wilson_intervals

Binning = Literal["width", "mass"]
"""Bins of equal width on 0 to 1, or of as many sketches each."""


@dataclass(frozen=True)
class Bin:
    """Sketches of about the same confidence.

    Attributes:
        low: Their confidence is above this, except in the lowest bin.
        high: And at most this.
        n: How many sketches.
        confidence: Their mean confidence.
        accuracy: Share of right guesses.
        accuracy_low: Lower end of its 95 % Wilson interval.
        accuracy_high: Upper end.
    """

    low: float
    high: float
    n: int
    confidence: float
    accuracy: float
    accuracy_low: float
    accuracy_high: float

    @property
    def gap(self) -> float:
        """Confidence less accuracy: above 0 where the run is overconfident."""
        return self.confidence - self.accuracy


def bin_edges(
    confidence: NDArray[np.floating], *, bins: int = ECE_BINS, by: Binning = "width"
) -> NDArray[np.float64]:
    """Returns the edges of bins on 0 to 1, ascending.

    Bins of equal mass end at quantiles of the confidence, so that equal values share a
    bin; where many are equal there are fewer bins (Nixon et al. 2019, Measuring
    calibration in deep learning).

    Args:
        confidence: Shape `(n,)`, at least one.
        bins: How many.
        by: Their kind.
    """
    if by == "width":
        return np.arange(bins + 1) / bins
    places = np.arange(1, bins) * len(confidence) // bins
    inner = np.sort(confidence)[places[places > 0] - 1]
    return np.unique(np.concatenate([[0.0], inner, [1.0]]))


def _sort_into_bins(
    confidence: NDArray[np.floating], bins: int, by: Binning
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Returns the edges and the bin of each sketch; bins are closed above."""
    edges = bin_edges(confidence, bins=bins, by=by)
    if by == "width":
        # As `core.analysis.metrics` has it, to the last bit.
        bin_of = np.ceil(confidence * bins).astype(np.int64) - 1
    else:
        bin_of = np.searchsorted(edges, confidence, side="left") - 1
    return edges, np.clip(bin_of, 0, len(edges) - 2)


def reliability(
    confidences: Confidences, *, bins: int = ECE_BINS, by: Binning = "width"
) -> list[Bin]:
    """Sorts sketches into bins of confidence, the lowest first; all have some."""
    edges, bin_of = _sort_into_bins(confidences.confidence, bins, by)
    count = len(edges) - 1
    n = np.bincount(bin_of, minlength=count)
    right = np.bincount(bin_of, weights=confidences.is_right, minlength=count).astype(
        int
    )
    sure = np.bincount(bin_of, weights=confidences.confidence, minlength=count)
    low, high = wilson_intervals(right, n)
    return [
        Bin(
            low=float(edges[b]),
            high=float(edges[b + 1]),
            n=int(n[b]),
            confidence=float(sure[b] / n[b]),
            accuracy=float(right[b] / n[b]),
            accuracy_low=float(low[b]),
            accuracy_high=float(high[b]),
        )
        for b in np.flatnonzero(n)
    ]


@dataclass(frozen=True)
class Calibration:
    """How far claims are from the truth.

    Attributes:
        ece: Mean gap of the bins, weighted by their sketches (Guo et al. 2017).
        ece_by_chance: About what it would be if every claim were true, only because
            the sketches are finite in number.
        mce: The largest gap of a bin; of few sketches, it is mostly chance.
    """

    ece: float
    ece_by_chance: float
    mce: float


def calibration(
    confidences: Confidences, *, bins: int = ECE_BINS, by: Binning = "width"
) -> Calibration:
    """Sums up the gaps of bins.

    By chance, the number of right guesses of a bin differs from its expectation as a
    sum of independent trials does, whose mean absolute deviation is √(2/π) of its
    standard deviation.
    """
    edges, bin_of = _sort_into_bins(confidences.confidence, bins, by)
    count = len(edges) - 1
    n = np.bincount(bin_of, minlength=count)
    excess = np.abs(
        np.bincount(
            bin_of,
            weights=confidences.confidence - confidences.is_right,
            minlength=count,
        )
    )
    variance = np.bincount(
        bin_of,
        weights=confidences.confidence * (1 - confidences.confidence),
        minlength=count,
    )
    has_any = n > 0
    return Calibration(
        ece=float(excess.sum() / n.sum()),
        ece_by_chance=float(np.sqrt(2 / np.pi) * np.sqrt(variance).sum() / n.sum()),
        mce=float((excess[has_any] / n[has_any]).max()),
    )
