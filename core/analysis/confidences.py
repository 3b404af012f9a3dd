"""How confident a run is of each test sketch, with and without its temperature."""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from core.analysis.metrics import negative_log
from core.runs.evaluation import Evaluation

PART = 512
"""Sketches whose probabilities of 1,000 classes fit a processor's cache."""


@dataclass(frozen=True)
class Confidences:
    """How confident a run is of its guesses at one temperature.

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
        """What the accuracy of a perfectly calibrated network would be."""
        return float(self.confidence.mean())


def measure_confidences(
    evaluation: Evaluation, temperatures: Sequence[float]
) -> list[Confidences]:
    """Computes a run's confidences at some temperatures, in little memory."""
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
            right = np.exp(of_true / temperature) / sums
            scores[0, number] = negative_log(right).sum()
            squares = np.einsum("ij,ij->i", odds, odds) / sums**2
            scores[1, number] = (squares - 2 * right + 1).sum()
        return scores

    # NumPy lets go of the interpreter while it counts.
    with ThreadPoolExecutor(os.cpu_count()) as workers:
        nll, brier = sum(workers.map(measure, range(0, n, PART)), np.zeros((2, 1)))
    is_right = evaluation.y_pred == evaluation.y_true
    return [
        Confidences(
            temperature=temperature,
            confidence=confidence[number],
            is_right=is_right,
            nll=float(nll[number] / n),
            brier=float(brier[number] / n),
        )
        for number, temperature in enumerate(temperatures)
    ]
