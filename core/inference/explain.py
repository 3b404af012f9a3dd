"""Shows where a network looks: Grad-CAM, and what hiding ink does."""

import numpy as np
from numpy.typing import NDArray

from core.inference.classify import Analysis, Classifier
from core.sketches.images import IMAGE_SIZE, PAPER

PATCH_PX = 24
PATCH_STEP_PX = 16
"""Patches overlap by a third; 8 × 8 of them cover a sketch."""


def heat_map(
    classifier: Classifier, analysis: Analysis, *, label: int, row: int = 0
) -> NDArray[np.float32]:
    """Grad-CAM: where the last convolutional stage finds a class.

    Its channels are added up, each weighted by how the class's logit changes with
    its mean, and what speaks against the class is cut off (Selvaraju et al. 2017).
    Needs no second pass through the network.

    Args:
        classifier: Whose analysis it is.
        analysis: What `classifier.analyse` returned.
        label: Class index.
        row: Which of the analysed sketches.

    Returns:
        Shape `(128, 128)`, from 0 to 1 at the strongest place; all 0 where nothing
        speaks for the class.
    """
    features = analysis.features[row]
    gradient = classifier.inference.feature_gradient(analysis.embedding[row], label)
    coarse = np.maximum(features @ gradient.mean(axis=(0, 1)), 0)
    down, across = (
        _interpolation(
            side, classifier.inference.start_px, classifier.inference.step_px
        )
        for side in coarse.shape
    )
    return _to_one(down @ coarse @ across.T)


def occlusion_map(
    classifier: Classifier, sketch: NDArray[np.uint8], *, label: int
) -> NDArray[np.float32]:
    """Which ink a class rests on: what its logit loses when a patch is erased.

    The sketch is classified once for each patch of 24 × 24 pixels that has ink, and
    a pixel gets the mean of its patches (Zeiler and Fergus 2014).

    Args:
        classifier: The network.
        sketch: Gray values of shape `(128, 128)`.
        label: Class index.

    Returns:
        Shape `(128, 128)`, from 0 to 1 at the strongest place, 0 on paper; all 0
        where no patch's ink speaks for the class.

    Raises:
        RunError: If the network answers with NaN.
    """
    ink = sketch < PAPER
    patches = [
        patch
        for top in range(0, IMAGE_SIZE, PATCH_STEP_PX)
        for left in range(0, IMAGE_SIZE, PATCH_STEP_PX)
        if ink[patch := np.s_[top : top + PATCH_PX, left : left + PATCH_PX]].any()
    ]
    erased = np.repeat(sketch[None], len(patches) + 1, axis=0)
    for copy, patch in zip(erased[1:], patches, strict=True):
        copy[patch] = PAPER
    logits = classifier.analyse(erased).logits[:, label]
    loss, count = (np.zeros(sketch.shape, np.float32) for _ in range(2))
    for patch, logit in zip(patches, logits[1:], strict=True):
        loss[patch] += logits[0] - logit
        count[patch] += 1
    return _to_one(np.maximum(loss / np.maximum(count, 1), 0) * ink)


def _interpolation(side: int, start_px: float, step_px: float) -> NDArray[np.float32]:
    """Returns the weights of a line's values at each pixel, shape `(128, side)`."""
    centres = start_px + step_px * np.arange(side)
    weights = [
        np.interp(np.arange(IMAGE_SIZE), centres, values) for values in np.eye(side)
    ]
    return np.stack(weights, axis=1).astype(np.float32)


def _to_one(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Divides by the largest value, if there is any above 0."""
    largest = values.max()
    return values / largest if largest > 0 else values
