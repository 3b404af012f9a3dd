"""Feeds networks straight from the packed array."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.datasets.joined import JoinedSketches
from core.datasets.store import Dataset
from core.datasets.variants import StrokeVariants
from core.runs.config import Settings

MIXUP_ALPHA = 0.4
"""Of the beta distribution; most blends are mostly one sketch (Zhang et al. 2018)."""

VARIANT_STREAM = 7
"""Sets the drawing of stroke variants apart from others of the same seed and step."""


@dataclass(frozen=True)
class DrawnVariants:
    """Which sketches of an epoch are replaced by one of their stroke variants.

    It is always the same for the same seed, epoch and step.

    Attributes:
        variants: The dataset's.
        share: Of the sketches that have variants, from 0 to 1.
        seed: The run's.
        epoch: Counted from 0.
        first_step: The step of the first batch, counted from 0 in its epoch.
    """

    variants: StrokeVariants
    share: float
    seed: int
    epoch: int
    first_step: int = 0

    def replace(
        self, images: NDArray[np.uint8], rows: NDArray[np.int64], *, batch: int
    ) -> NDArray[np.uint8]:
        """Returns the sketches of one batch, some of them replaced.

        Args:
            images: Gray values of shape `(batch, 128, 128)`.
            rows: Where they are in the dataset; those beyond it have no variants.
            batch: Counted from 0 after `first_step`.
        """
        step = self.first_step + batch
        rng = np.random.default_rng([self.seed, self.epoch, step, VARIANT_STREAM])
        is_drawn = (rng.random(len(rows)) < self.share) & self.variants.has(rows)
        which = rng.integers(self.variants.count, size=len(rows))
        replaced = np.array(images)
        for place in np.flatnonzero(is_drawn).tolist():
            variant = int(which[place])
            replaced[place] = self.variants.read(int(rows[place]), variant)
        return replaced


def batches(
    dataset: Dataset | JoinedSketches,
    rows: NDArray[np.int64],
    *,
    batch_size: int,
    drawn_variants: DrawnVariants | None = None,
) -> Iterator[tuple[NDArray[np.uint8], NDArray[np.float32]]]:
    """Reads sketches and their one-hot targets, batch by batch.

    Args:
        dataset: Where they are.
        rows: Which of them, in the order in which they are fed.
        batch_size: Sketches a batch; the last is smaller where rows don't fill it.
        drawn_variants: What replaces some of them; of the dataset, or of the first
            of those that were joined.

    Yields:
        Gray values of shape `(batch, 128, 128)`, and targets of shape
        `(batch, num_classes)`.
    """
    images, labels = dataset.images, dataset.labels
    targets = np.eye(dataset.num_classes, dtype=np.float32)
    for batch, start in enumerate(range(0, len(rows), batch_size)):
        chosen = rows[start : start + batch_size]
        sketches = np.asarray(images[chosen])
        if drawn_variants is not None:
            sketches = drawn_variants.replace(sketches, chosen, batch=batch)
        yield sketches, targets[labels[chosen]]


def epoch_order(
    rows: NDArray[np.int64], *, seed: int, epoch: int, batch_size: int
) -> NDArray[np.int64]:
    """Returns the rows of one epoch, shuffled, in whole batches.

    The remainder that fills no batch is left out; which rows these are changes
    with every epoch.

    Args:
        rows: The training rows; at least `batch_size` of them.
        seed: The run's.
        epoch: Counted from 0.
        batch_size: Sketches a batch.
    """
    order = np.random.default_rng([seed, epoch]).permutation(rows)
    return order[: len(order) - len(order) % batch_size]


def rehearsed_rows(
    rows: NDArray[np.int64], *, count: int, seed: int, epoch: int
) -> NDArray[np.int64]:
    """Chooses rows to be learned again in one epoch, others in the next.

    Args:
        rows: To choose from.
        count: How many, or all where there are fewer.
        seed: The run's.
        epoch: Counted from 0.
    """
    generator = np.random.default_rng([seed, epoch, count])
    return generator.choice(rows, min(count, len(rows)), replace=False)


def mix(
    images: NDArray[np.uint8],
    targets: NDArray[np.float32],
    settings: Settings,
    *,
    epoch: int,
    step: int,
) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Blends the sketches of a batch pairwise, or pastes them into each other.

    MixUp (Zhang et al. 2018) or CutMix (Yun et al. 2019) or neither is drawn for the
    whole batch, always the same for the same seed, epoch and step.
    `core.training.mixing` mixes sketch by sketch instead.

    Args:
        images: Gray values of shape `(batch, 128, 128)`.
        targets: Shape `(batch, num_classes)`.
        settings: `mixing`, `mixup`, `cutmix` and `seed` are read.
        epoch: Counted from 0.
        step: Counted from 0 in its epoch.

    Returns:
        New arrays of the same shapes and dtypes, or the given ones.
    """
    if settings.mixing != "batch" or not (settings.mixup or settings.cutmix):
        return images, targets
    rng = np.random.default_rng([settings.seed, epoch, step])
    drawn = rng.random()
    if drawn >= settings.mixup + settings.cutmix:
        return images, targets
    partner = rng.permutation(len(images))
    if drawn < settings.mixup:
        kept = rng.beta(MIXUP_ALPHA, MIXUP_ALPHA)
        blend = kept * images + (1 - kept) * images[partner]
        mixed = np.rint(blend).astype(np.uint8)
    else:
        height, width = images.shape[1:]
        side = np.sqrt(rng.random())
        top, bottom = _span(height, side, centre=rng.random())
        left, right = _span(width, side, centre=rng.random())
        mixed = images.copy()
        mixed[:, top:bottom, left:right] = images[partner, top:bottom, left:right]
        kept = 1 - (bottom - top) * (right - left) / (height * width)
    both = kept * targets + (1 - kept) * targets[partner]
    return mixed, both.astype(np.float32)


def _span(length: int, share: float, *, centre: float) -> tuple[int, int]:
    """Returns the ends of a stretch about a point, cut off at 0 and `length`."""
    low = round((centre - share / 2) * length)
    high = round((centre + share / 2) * length)
    return max(low, 0), min(high, length)
