"""How long a training will take on this machine, told before it begins."""

import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from core.inference.classify import Classifier
from core.runs.config import Settings
from core.runs.folder import WEIGHTS, is_shipped
from core.runs.reading import Run
from core.sketches.images import IMAGE_SIZE

TRAINING_COST = 3.0
"""A step of training costs an answer, and about twice as much on its way back."""

SAMPLE = 16
TRIES = 3


def training_rate(network: str, runs: Sequence[Run]) -> float | None:
    """Measures about how fast a network learns on this machine.

    It is what the latest run of the network told of itself here, or else what the
    time of a few answers of the one that ships lets expect.

    Args:
        network: A name of `models.NETWORKS`.
        runs: All that are known, the latest first.

    Returns:
        Pixels of sketches a second, or None where there is nothing to measure with.
    """
    alike = [run for run in runs if run.config and run.config.network == network]
    for run in alike:
        if run.config and run.status.images_per_s and not is_shipped(run.path):
            size = run.config.settings.image_size_at(run.status.epoch)
            return run.status.images_per_s * size**2
    for run in alike:
        if run.config and is_shipped(run.path) and (run.path / WEIGHTS).is_file():
            size = run.config.settings.test_image_size
            return SAMPLE * size**2 / _answer_s(run.path) / TRAINING_COST
    return None


def _answer_s(run_dir: Path) -> float:
    """Returns how many seconds a network takes to answer `SAMPLE` sketches."""
    classifier = Classifier(run_dir)
    sketches = np.full((SAMPLE, IMAGE_SIZE, IMAGE_SIZE), 255, np.uint8)
    classifier(sketches)
    taken = []
    for _ in range(TRIES):
        began = time.perf_counter()
        classifier(sketches)
        taken.append(time.perf_counter() - began)
    # What else is at work only makes it slower.
    return min(taken)


def training_time_s(settings: Settings, num_train: int, rate: float) -> float:
    """Returns about how many seconds a training will take.

    Args:
        settings: Its settings.
        num_train: Training sketches of its dataset, those held out included.
        rate: From `training_rate`.
    """
    pixels = sum(settings.image_size_at(epoch) ** 2 for epoch in range(settings.epochs))
    return (1 - settings.val_fraction) * num_train * pixels / rate
