"""How far a run's probabilities can be trusted. Needs no Keras.

A network claims a probability with each guess. What it claims before and after its
temperature is compared with how often it is right: over all sketches in bins, over
those that it is surest of, and guess by guess. Accuracy and confidence are fractions.
"""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr
from scipy.stats import false_discovery_control, poisson_binom

from core.analysis.metrics import ECE_BINS, wilson_intervals
from core.runs.evaluation import Evaluation

Binning = Literal["width", "mass"]
"""Bins of equal width on 0 to 1, or of as many sketches each."""

BINNINGS: tuple[Binning, ...] = get_args(Binning)

LEVEL = 0.05
"""Of the classes that are said to be over- or under-confident, so many are not."""

PART = 512
"""Sketches whose probabilities of 1,000 classes fit a processor's cache."""

EXACT_UP_TO = 2000
"""Guesses of one class for which the test is exact; beyond, the normal law will do."""

TARGETS = (0.8, 0.9, 0.95, 0.98, 0.99)
"""Accuracies that one may want of the answers that are given."""


@dataclass(frozen=True)
class Claims:
    """What a run claims of its guesses at one temperature.

    Attributes:
        temperature: What logits are divided by; 1 is the network as trained.
        confidence: Probability of the guess, shape `(n,)`.
        is_right: Whether the guess is the true class, shape `(n,)`.
        nll: Mean negative log probability of the true class, in nats.
        brier: Mean over sketches of the squared error summed over classes, from 0 to 2
            (Brier 1950).
    """

    temperature: float
    confidence: NDArray[np.float64]
    is_right: NDArray[np.bool_]
    nll: float
    brier: float

    @cached_property
    def accuracy(self) -> float:
        """Share of right guesses."""
        return float(self.is_right.mean())

    @cached_property
    def mean_confidence(self) -> float:
        """What the accuracy would be if the claims were true."""
        return float(self.confidence.mean())


def claims(evaluation: Evaluation, temperatures: Sequence[float]) -> list[Claims]:
    """Computes what a run claims at some temperatures, in little memory."""
    n = len(evaluation.ids)
    confidence = np.empty((len(temperatures), n))

    def measure(start: int) -> NDArray[np.float64]:
        """Fills in the confidence of a part; returns its sums of both scores."""
        part = slice(start, start + PART)
        scores = np.zeros((2, len(temperatures)))
        guess, true = evaluation.y_pred[part, None], evaluation.y_true[part, None]
        logits = evaluation.logits[part].astype(np.float32)
        logits -= logits.max(axis=1, keepdims=True)
        of_true = np.take_along_axis(logits, true, axis=1)[:, 0].astype(np.float64)
        for number, temperature in enumerate(temperatures):
            odds = logits / np.float32(temperature)
            np.exp(odds, out=odds)
            # Not `odds @ ones`: the threads of BLAS would be in each other's way.
            sums = np.einsum("ij->i", odds).astype(np.float64)
            of_guess = np.take_along_axis(odds, guess, axis=1)[:, 0]
            confidence[number, part] = of_guess / sums
            scores[0, number] = (np.log(sums) - of_true / temperature).sum()
            squares = np.einsum("ij,ij->i", odds, odds) / sums**2
            right = np.exp(of_true / temperature) / sums
            scores[1, number] = (squares - 2 * right + 1).sum()
        return scores

    # NumPy lets go of the interpreter while it counts.
    with ThreadPoolExecutor(os.cpu_count()) as workers:
        nll, brier = sum(workers.map(measure, range(0, n, PART)), np.zeros((2, 1)))
    is_right = evaluation.y_pred == evaluation.y_true
    return [
        Claims(
            temperature=temperature,
            confidence=confidence[number],
            is_right=is_right,
            nll=float(nll[number] / n),
            brier=float(brier[number] / n),
        )
        for number, temperature in enumerate(temperatures)
    ]


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
        """Confidence less accuracy: above 0 where the run claims too much."""
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
    found: Claims, *, bins: int = ECE_BINS, by: Binning = "width"
) -> list[Bin]:
    """Sorts sketches into bins of confidence, the lowest first; all have some."""
    edges, bin_of = _sort_into_bins(found.confidence, bins, by)
    count = len(edges) - 1
    n = np.bincount(bin_of, minlength=count)
    right = np.bincount(bin_of, weights=found.is_right, minlength=count).astype(int)
    sure = np.bincount(bin_of, weights=found.confidence, minlength=count)
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
    found: Claims, *, bins: int = ECE_BINS, by: Binning = "width"
) -> Calibration:
    """Sums up the gaps of bins.

    By chance, the number of right guesses of a bin differs from its expectation as a
    sum of independent trials does, whose mean absolute deviation is √(2/π) of its
    standard deviation.
    """
    edges, bin_of = _sort_into_bins(found.confidence, bins, by)
    count = len(edges) - 1
    n = np.bincount(bin_of, minlength=count)
    excess = np.abs(
        np.bincount(bin_of, weights=found.confidence - found.is_right, minlength=count)
    )
    variance = np.bincount(
        bin_of, weights=found.confidence * (1 - found.confidence), minlength=count
    )
    has_any = n > 0
    return Calibration(
        ece=float(excess.sum() / n.sum()),
        ece_by_chance=float(np.sqrt(2 / np.pi) * np.sqrt(variance).sum() / n.sum()),
        mce=float((excess[has_any] / n[has_any]).max()),
    )


@dataclass(frozen=True)
class Coverage:
    """How accurate a run is if it declines to answer where it is not sure.

    The surest come first; of equally sure ones either all are answered or none.

    Attributes:
        threshold: The least confidence that is answered, descending, shape `(m,)`.
        answered: Sketches of at least that confidence, shape `(m,)`; the last is all.
        right: How many of them are right, shape `(m,)`.
        aurc: Area under the curve of error over coverage (Geifman and El-Yaniv 2017):
            the mean error over all coverages; lower is better.
        e_aurc: What of it is due to the order of confidence: the area less that of a
            run with as many mistakes that is sure of what is right (Geifman et al.
            2019).
    """

    threshold: NDArray[np.float64]
    answered: NDArray[np.int64]
    right: NDArray[np.int64]
    aurc: float
    e_aurc: float

    @property
    def n(self) -> int:
        """All sketches."""
        return int(self.answered[-1])


def coverage(found: Claims) -> Coverage:
    """Finds accuracy at every coverage.

    Where several sketches are equally sure, the area is its mean over all their orders.
    """
    order = np.argsort(-found.confidence, kind="stable")
    confidence = found.confidence[order]
    ends = np.flatnonzero(np.append(np.diff(confidence) != 0, True))
    answered = ends + 1
    right = np.cumsum(found.is_right[order])[ends]
    n = len(confidence)
    places = np.arange(1, n + 1)
    mistakes = np.interp(
        places,
        np.concatenate([[0], answered]),
        np.concatenate([[0], answered - right]),
    )
    fewest = np.maximum(places - right[-1], 0)
    aurc = float((mistakes / places).mean())
    return Coverage(
        threshold=confidence[ends],
        answered=answered.astype(np.int64),
        right=right.astype(np.int64),
        aurc=aurc,
        e_aurc=aurc - float((fewest / places).mean()),
    )


@dataclass(frozen=True)
class Answered:
    """What becomes of a run that answers from some confidence on.

    Attributes:
        least: That confidence.
        n: Sketches that it answers.
        total: Of how many.
        right: How many of the answers are right.
        low: Lower end of the 95 % Wilson interval of their accuracy.
        high: Upper end.
    """

    least: float
    n: int
    total: int
    right: int
    low: float
    high: float

    @property
    def share(self) -> float:
        """Share of the sketches that it answers, its coverage."""
        return self.n / self.total

    @property
    def accuracy(self) -> float:
        """Share of right answers; 0 without any."""
        return self.right / self.n if self.n else 0.0


def _answered(found: Coverage, least: float, n: int, right: int) -> Answered:
    low, high = wilson_intervals(np.array([right]), np.array([n]))
    return Answered(least, n, found.n, right, float(low[0]), float(high[0]))


def answers_from(found: Coverage, least: float) -> Answered:
    """Tells what is answered from a confidence on."""
    place = int(np.searchsorted(-found.threshold, -least, side="right")) - 1
    if place < 0:
        return _answered(found, least, 0, 0)
    return _answered(found, least, int(found.answered[place]), int(found.right[place]))


def answers_at_accuracy(found: Coverage, accuracy: float) -> Answered | None:
    """Finds the most sketches that can be answered with an accuracy; None for none."""
    good = np.flatnonzero(found.right >= accuracy * found.answered)
    if not len(good):
        return None
    place = int(good[-1])
    return answers_from(found, float(found.threshold[place]))


def answers_at_coverage(found: Coverage, share: float) -> Answered:
    """Answers at least a share of the sketches, the surest ones."""
    place = int(np.searchsorted(found.answered, share * found.n - 1e-9, side="left"))
    place = min(place, len(found.answered) - 1)
    return answers_from(found, float(found.threshold[place]))


@dataclass(frozen=True)
class ClassTrust:
    """How true a run's claims are when it names one class.

    Attributes:
        label: Class index.
        class_name: Its name.
        n: Sketches that were taken for it.
        confidence: Mean confidence of these guesses.
        accuracy: Share of them that is right, the precision of the class.
        gap: Confidence less accuracy.
        gap_low: Lower end of its interval: the confidence less the upper end of the
            95 % Wilson interval of the accuracy.
        gap_high: Upper end, likewise.
        p_value: How likely a number of right guesses as far off or farther would be if
            each claim were true, two-sided.
        adjusted_p: The same, adjusted for the tests of all classes (Benjamini and
            Hochberg 1995).
    """

    label: int
    class_name: str
    n: int
    confidence: float
    accuracy: float
    gap: float
    gap_low: float
    gap_high: float
    p_value: float
    adjusted_p: float

    @property
    def verdict(self) -> Literal["over", "under", "unknown"]:
        """Whether it is over- or under-confident, as far as that can be told."""
        if self.adjusted_p >= LEVEL:
            return "unknown"
        return "over" if self.gap > 0 else "under"


def class_trust(evaluation: Evaluation, found: Claims) -> list[ClassTrust]:
    """Compares claim and truth for each class that is named, by label.

    The guess is given, not the drawing: if all claims are true, so are those of any
    guess, while sketches of a class that is hard to draw may well be less often
    recognised than the network thinks (Gupta and Ramdas 2022, Top-label calibration).
    """
    guess = evaluation.y_pred
    classes = len(evaluation.class_names)
    n = np.bincount(guess, minlength=classes)
    right = np.bincount(guess, weights=found.is_right, minlength=classes).astype(int)
    sure = np.bincount(guess, weights=found.confidence, minlength=classes)
    low, high = wilson_intervals(right, n)
    order = np.argsort(guess, kind="stable")
    ends = np.cumsum(n)
    named = np.flatnonzero(n)
    p_values = two_sided_p(
        right[named],
        [
            found.confidence[order[ends[label] - n[label] : ends[label]]]
            for label in named
        ],
    )
    adjusted = false_discovery_control(p_values)
    rows = []
    for label, p_value, adjusted_p in zip(named, p_values, adjusted, strict=True):
        confidence = float(sure[label] / n[label])
        accuracy = float(right[label] / n[label])
        rows.append(
            ClassTrust(
                label=int(label),
                class_name=evaluation.class_names[label],
                n=int(n[label]),
                confidence=confidence,
                accuracy=accuracy,
                gap=confidence - accuracy,
                gap_low=confidence - float(high[label]),
                gap_high=confidence - float(low[label]),
                p_value=float(p_value),
                adjusted_p=float(adjusted_p),
            )
        )
    return rows


def two_sided_p(
    right: NDArray[np.integer], probabilities: Sequence[NDArray[np.floating]]
) -> NDArray[np.float64]:
    """Tests whether trials succeed with the probabilities that are claimed.

    Args:
        right: How many of each group succeeded, shape `(groups,)`.
        probabilities: Of each trial of each group, each of shape `(n,)`.

    Returns:
        For each group twice the smaller of both tails, at most 1, shape `(groups,)`.
    """
    sizes = np.array([len(one) for one in probabilities])
    below, up_to = np.empty((2, len(sizes)))
    # SciPy takes groups of one size together in a twentieth of the time; smaller ones
    # are filled up with trials that never succeed.
    exact = np.where(sizes <= EXACT_UP_TO, np.ceil(np.log2(np.maximum(sizes, 1))), -1)
    for power in np.unique(exact[exact >= 0]):
        groups = np.flatnonzero(exact == power)
        chances = np.zeros((len(groups), sizes[groups].max()))
        for row, group in enumerate(groups.tolist()):
            chances[row, : sizes[group]] = np.clip(probabilities[group], 0, 1)
        below[groups], up_to[groups] = poisson_binom.cdf(
            [right[groups] - 1, right[groups]], chances
        )
    for group in np.flatnonzero(exact < 0).tolist():
        chances = np.clip(np.asarray(probabilities[group], dtype=np.float64), 0, 1)
        spread = max(float(np.sqrt((chances * (1 - chances)).sum())), 1e-12)
        centre = float(chances.sum())
        below[group] = ndtr((right[group] - 0.5 - centre) / spread)
        up_to[group] = ndtr((right[group] + 0.5 - centre) / spread)
    return np.asarray(np.clip(2 * np.minimum(up_to, 1 - below), 0, 1))


@dataclass(frozen=True)
class Trust:
    """All of a run.

    Attributes:
        before: What it claims as trained.
        after: What it claims at its temperature.
        coverage: Of the latter.
        classes: Each class that it names, by label, of the latter.
    """

    before: Claims
    after: Claims
    coverage: Coverage
    classes: tuple[ClassTrust, ...]

    def certain(self, verdict: Literal["over", "under"]) -> list[ClassTrust]:
        """Returns the classes of a verdict, the largest gap first."""
        chosen = [one for one in self.classes if one.verdict == verdict]
        return sorted(chosen, key=lambda one: (-abs(one.gap), one.class_name))


def trust(evaluation: Evaluation) -> Trust:
    """Computes all of a run."""
    before, after = claims(evaluation, [1.0, evaluation.metrics["temperature"]])
    return Trust(
        before=before,
        after=after,
        coverage=coverage(after),
        classes=tuple(class_trust(evaluation, after)),
    )


def thin(found: Coverage, *, points: int) -> NDArray[np.int64]:
    """Returns places of a curve that draw it, evenly over its coverage."""
    wanted = np.linspace(found.n / points, found.n, points)
    places = np.searchsorted(found.answered, wanted - 1e-9, side="left")
    return np.unique(np.minimum(places, len(found.answered) - 1)).astype(np.int64)


def figures_rows(
    runs: Sequence[tuple[str, Trust]], *, by: Binning = "width"
) -> list[dict[str, object]]:
    """Returns a table row for each run before and after its temperature."""
    rows: list[dict[str, object]] = []
    for run_id, found in runs:
        for told in (found.before, found.after):
            summed = calibration(told, by=by)
            area = found.coverage if told is found.after else coverage(told)
            rows.append(
                {
                    "Run": run_id,
                    "Temperature": told.temperature,
                    "Mean confidence": 100 * told.mean_confidence,
                    "Accuracy": 100 * told.accuracy,
                    "ECE": summed.ece,
                    "ECE by chance": summed.ece_by_chance,
                    "MCE": summed.mce,
                    "NLL": told.nll,
                    "Brier": told.brier,
                    "AURC": area.aurc,
                    "E-AURC": area.e_aurc,
                }
            )
    return rows
